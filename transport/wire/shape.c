/* shape.c: a table as text. Recursion ends: a checked type nests at most TH_NESTING_MAX deep. */
#include "transport/wire/shape.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* As snprintf() is to one format, to many pieces. */
struct page {
    char *text;
    size_t size;
    size_t length;
};

static void put(struct page *page, const char *text)
{
    size_t length = strlen(text);

    if (page->length < page->size) {
        size_t room = page->size - page->length;

        memcpy(page->text + page->length, text, length < room ? length : room);
    }
    page->length += length;
}

static void put_count(struct page *page, uint32_t count)
{
    char text[16];

    snprintf(text, sizeof(text), "[%" PRIu32 "]", count);
    put(page, text);
}

static const char *kind_name(th_kind kind)
{
    switch (kind) {
    case TH_KIND_bool_: return "bool";
    case TH_KIND_i8: return "i8";
    case TH_KIND_i16: return "i16";
    case TH_KIND_i32: return "i32";
    case TH_KIND_i64: return "i64";
    case TH_KIND_u8: return "u8";
    case TH_KIND_u16: return "u16";
    case TH_KIND_u32: return "u32";
    case TH_KIND_u64: return "u64";
    case TH_KIND_f32: return "f32";
    case TH_KIND_f64: return "f64";
    case TH_KIND_addr: return "addr";
    case TH_KIND_str: return "str";
    case TH_KIND_bytes: return "bytes";
    case TH_KIND_msg: return "msg";
    case TH_KIND_chars: return "chars";
    case TH_KIND_nested: break;
    }
    return "?";
}

static void put_struct(struct page *page, const th_type *type)
{
    uint32_t i;

    put(page, "{");
    for (i = 0; i < type->field_count; i++) {
        const th_field *field = &type->fields[i];

        if (i > 0)
            put(page, ",");
        put(page, field->name);
        put(page, ":");
        if (field->kind == TH_KIND_nested)
            put_struct(page, field->nested);
        else
            put(page, kind_name(field->kind));
        if (field->count != 1 || field->kind == TH_KIND_chars)
            put_count(page, field->count);
    }
    put(page, "}");
}

size_t thi_shape_write(const th_type *type, char *text, size_t size)
{
    struct page page = { text, size, 0 };

    put_struct(&page, type);
    if (type->flags & TH_TYPE_REST)
        put(&page, "+");
    if (size > 0)
        text[page.length < size ? page.length : size - 1] = '\0';
    return page.length;
}
