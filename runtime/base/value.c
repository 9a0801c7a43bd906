/* value.c: values of facts, compared and printed. */
#include "runtime/base/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- compared ---- */

static bool is_number(const th_value *value)
{
    return value->kind == TH_VALUE_INTEGER || value->kind == TH_VALUE_REAL;
}

/* An integer against a real, exactly: not every integer is a double. Negative, 0 or positive. */
static int compare_mixed(int64_t integer, double real)
{
    int64_t whole;

    if (real >= 0x1p63)
        return -1;
    if (real < -0x1p63)
        return 1;
    whole = (int64_t)real; /* towards 0 */
    if (integer != whole)
        return integer < whole ? -1 : 1;
    return real > (double)whole ? -1 : real < (double)whole;
}

static int compare_numbers(const th_value *a, const th_value *b)
{
    if (a->kind != b->kind)
        return a->kind == TH_VALUE_INTEGER ? compare_mixed(a->as.integer, b->as.real)
                                           : -compare_mixed(b->as.integer, a->as.real);
    if (a->kind == TH_VALUE_INTEGER)
        return (a->as.integer > b->as.integer) - (a->as.integer < b->as.integer);
    return (a->as.real > b->as.real) - (a->as.real < b->as.real);
}

bool thi_value_compare(const th_value *a, const th_value *b, int *order_out)
{
    if (is_number(a) && is_number(b))
        *order_out = compare_numbers(a, b);
    else if (a->kind == TH_VALUE_STRING && b->kind == TH_VALUE_STRING)
        *order_out = strcmp(a->as.string, b->as.string);
    else
        return false;
    return true;
}

static bool is_same(const th_value *a, const th_value *b,
                    bool (*of_elements)(const th_value *, const th_value *))
{
    switch (a->kind) {
    case TH_VALUE_NONE: return true;
    case TH_VALUE_BOOL: return a->as.boolean == b->as.boolean;
    case TH_VALUE_INTEGER: return a->as.integer == b->as.integer;
    case TH_VALUE_REAL: return !(a->as.real < b->as.real) && !(a->as.real > b->as.real);
    case TH_VALUE_STRING: return strcmp(a->as.string, b->as.string) == 0;
    case TH_VALUE_LIST: break;
    }
    if (a->kind != TH_VALUE_LIST || a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!of_elements(&a->as.list[i], &b->as.list[i]))
            return false;
    return true;
}

bool thi_value_identical(const th_value *a, const th_value *b)
{
    return a->kind == b->kind && is_same(a, b, thi_value_identical);
}

bool th_value_equal(const th_value *a, const th_value *b)
{
    if (!a || !b)
        return false;
    if (is_number(a) && is_number(b))
        return compare_numbers(a, b) == 0;
    return a->kind == b->kind && a->kind != TH_VALUE_NONE && is_same(a, b, th_value_equal);
}

bool th_value_is_true(const th_value *value)
{
    if (!value)
        return false;
    switch (value->kind) {
    case TH_VALUE_NONE: return false;
    case TH_VALUE_BOOL: return value->as.boolean;
    case TH_VALUE_INTEGER: return value->as.integer != 0;
    case TH_VALUE_REAL: return value->as.real < 0 || value->as.real > 0;
    case TH_VALUE_STRING: return value->as.string[0] != '\0';
    case TH_VALUE_LIST: return value->count > 0;
    }
    return false;
}

/* ---- as text ---- */

struct page {
    char *text;
    size_t size;
    size_t length; /* it has in full */
};

static void put(struct page *page, const char *bytes)
{
    for (; *bytes; bytes++)
        if (++page->length < page->size)
            page->text[page->length - 1] = *bytes;
}

static void put_string(struct page *page, const char *string)
{
    char escaped[8] = "";

    put(page, "\"");
    for (; *string; string++) {
        unsigned char c = (unsigned char)*string;

        if (c == '"' || c == '\\')
            snprintf(escaped, sizeof(escaped), "\\%c", c);
        else
            snprintf(escaped, sizeof(escaped), c < ' ' ? "\\u%04x" : "%c", c);
        put(page, escaped);
    }
    put(page, "\"");
}

static void put_value(struct page *page, const th_value *value)
{
    char number[40];

    switch (value->kind) {
    case TH_VALUE_NONE: put(page, "null"); return;
    case TH_VALUE_BOOL: put(page, value->as.boolean ? "true" : "false"); return;
    case TH_VALUE_INTEGER:
        snprintf(number, sizeof(number), "%" PRId64, value->as.integer);
        put(page, number);
        return;
    case TH_VALUE_REAL:
        snprintf(number, sizeof(number), "%.17g", value->as.real);
        put(page, number);
        return;
    case TH_VALUE_STRING: put_string(page, value->as.string); return;
    case TH_VALUE_LIST: break;
    }
    put(page, "[");
    for (uint32_t i = 0; value->kind == TH_VALUE_LIST && i < value->count; i++) {
        put(page, i ? ", " : "");
        put_value(page, &value->as.list[i]);
    }
    put(page, "]");
}

size_t th_value_print(const th_value *value, char *text, size_t size)
{
    struct page page = { text, text ? size : 0, 0 };

    if (value)
        put_value(&page, value);
    if (page.size)
        text[page.length < page.size ? page.length : page.size - 1] = '\0';
    return page.length;
}
