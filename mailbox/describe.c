/* describe.c: what a message says, as text: `point{x: 1, y: 2}`.
 *
 * The text goes to logs, poison details and terminals, and its contents come from anywhere. So:
 *
 * D1. Nothing unprintable comes out: whatever is not a printable ASCII character is escaped, in
 *     texts, in names, and in what a type's own describe says.
 * D2. The work is bounded: PIECES_MAX fields and elements in all, TEXT_SHOWN bytes of each text,
 *     TH_NESTING_MAX levels. What is left out shows as "...".
 * D3. A type's own describe writes into a buffer of ours, never the caller's, and of its answer
 *     only "negative" and "no more than there was room for" are believed. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <thespis/config.h>
#include <thespis/msg.h>

#include "mailbox/msg.h"
#include "mailbox/type.h"

#define PIECES_MAX  256 /* a screenful or two */
#define TEXT_SHOWN  80  /* bytes of one text or byte range: a line */
#define ARRAY_SHOWN 16  /* elements of one array */
#define NUMBER_SIZE 64  /* the longest number, address or escape */

/* What snprintf() is to one format, this is to many pieces: counts on when the room is used up. */
struct page {
    char *text;
    size_t size;
    size_t length;
    unsigned pieces;
};

static void put(struct page *page, const char *text, size_t length)
{
    if (page->length < page->size) {
        size_t room = page->size - page->length;

        memcpy(page->text + page->length, text, length < room ? length : room);
    }
    page->length += length;
}

static void put_text(struct page *page, const char *text)
{
    put(page, text, strlen(text));
}

static void put_format(struct page *page, const char *format, ...) TH_PRINTF(2, 3);

static void put_format(struct page *page, const char *format, ...)
{
    char text[NUMBER_SIZE];
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (length > 0)
        put(page, text, (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1);
}

/* D1. @quote is escaped, too, unless 0. */
static void put_escaped(struct page *page, const char *text, size_t length, char quote)
{
    size_t i;

    for (i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];

        if (quote && (c == (unsigned char)quote || c == '\\'))
            put_format(page, "\\%c", c);
        else if (c == '\n')
            put_text(page, "\\n");
        else if (c == '\t')
            put_text(page, "\\t");
        else if (c < 0x20 || c >= 0x7f)
            put_format(page, "\\x%02x", c);
        else
            put(page, text + i, 1);
    }
}

static void put_name(struct page *page, const char *name)
{
    put_escaped(page, name, strnlen(name, TH_NAME_MAX), 0);
}

static void put_quoted(struct page *page, const char *text, size_t length)
{
    put_text(page, "\"");
    put_escaped(page, text, length < TEXT_SHOWN ? length : TEXT_SHOWN, '"');
    put_text(page, length > TEXT_SHOWN ? "\"..." : "\"");
}

static void put_bytes(struct page *page, const char *bytes, size_t length)
{
    size_t i;

    put_format(page, "%zu:", length);
    for (i = 0; i < length && i < TEXT_SHOWN / 2; i++)
        put_format(page, "%02x", (unsigned)(unsigned char)bytes[i]);
    if (i < length)
        put_text(page, "...");
}

/* One piece more. False: enough is enough (D2). */
static bool piece(struct page *page)
{
    if (page->pieces == PIECES_MAX)
        return false;
    page->pieces++;
    return true;
}

static void put_msg(struct page *page, const th_msg *msg, unsigned depth);
static void put_struct(struct page *page, const th_type *type, const char *body, unsigned depth);

static void put_scalar(struct page *page, th_kind kind, const char *at)
{
    /* by copy: of a bool in particular, whose byte may hold anything */
    union {
        uint8_t u8;
        int8_t i8;
        int16_t i16;
        int32_t i32;
        int64_t i64;
        uint16_t u16;
        uint32_t u32;
        uint64_t u64;
        float f32;
        double f64;
        th_addr addr;
    } value;
    char address[TH_ADDR_TEXT_SIZE];

    memcpy(&value, at, thi_kind_size(kind));
    switch (kind) {
    case TH_KIND_bool_: put_text(page, value.u8 ? "true" : "false"); break;
    case TH_KIND_i8: put_format(page, "%" PRId8, value.i8); break;
    case TH_KIND_i16: put_format(page, "%" PRId16, value.i16); break;
    case TH_KIND_i32: put_format(page, "%" PRId32, value.i32); break;
    case TH_KIND_i64: put_format(page, "%" PRId64, value.i64); break;
    case TH_KIND_u8: put_format(page, "%" PRIu8, value.u8); break;
    case TH_KIND_u16: put_format(page, "%" PRIu16, value.u16); break;
    case TH_KIND_u32: put_format(page, "%" PRIu32, value.u32); break;
    case TH_KIND_u64: put_format(page, "%" PRIu64, value.u64); break;
    case TH_KIND_f32: put_format(page, "%.9g", (double)value.f32); break;
    case TH_KIND_f64: put_format(page, "%.17g", value.f64); break;
    case TH_KIND_addr:
        th_addr_print(value.addr, address, sizeof(address));
        put_text(page, address);
        break;
    case TH_KIND_str:
    case TH_KIND_bytes:
    case TH_KIND_msg:
    case TH_KIND_chars:
    case TH_KIND_nested: break;
    }
}

static void put_element(struct page *page, const th_field *field, const char *at, unsigned depth)
{
    const th_blob *blob;
    const th_msg *msg;

    switch (field->kind) {
    case TH_KIND_str:
    case TH_KIND_bytes:
        memcpy(&blob, at, sizeof(blob));
        if (!blob)
            put_text(page, "null");
        else if (field->kind == TH_KIND_str)
            put_quoted(page, blob->data, blob->size);
        else
            put_bytes(page, blob->data, blob->size);
        break;
    case TH_KIND_msg:
        memcpy(&msg, at, sizeof(msg));
        if (msg)
            put_msg(page, msg, depth + 1);
        else
            put_text(page, "null");
        break;
    case TH_KIND_nested: put_struct(page, field->nested, at, depth + 1); break;
    case TH_KIND_bool_:
    case TH_KIND_i8:
    case TH_KIND_i16:
    case TH_KIND_i32:
    case TH_KIND_i64:
    case TH_KIND_u8:
    case TH_KIND_u16:
    case TH_KIND_u32:
    case TH_KIND_u64:
    case TH_KIND_f32:
    case TH_KIND_f64:
    case TH_KIND_addr:
    case TH_KIND_chars: put_scalar(page, field->kind, at); break;
    }
}

static void put_field(struct page *page, const th_field *field, const char *body, unsigned depth)
{
    const char *at = body + field->offset;
    uint32_t i;

    put_name(page, field->name);
    put_text(page, ": ");
    if (field->kind == TH_KIND_chars) {
        put_quoted(page, at, strnlen(at, field->count));
        return;
    }
    if (field->count == 1) {
        put_element(page, field, at, depth);
        return;
    }
    put_text(page, "[");
    for (i = 0; i < field->count; i++, at += field->size) {
        if (i > 0)
            put_text(page, ", ");
        if (i == ARRAY_SHOWN || !piece(page)) {
            put_text(page, "...");
            break;
        }
        put_element(page, field, at, depth);
    }
    put_text(page, "]");
}

static void put_struct(struct page *page, const th_type *type, const char *body, unsigned depth)
{
    uint32_t i;

    put_text(page, "{");
    for (i = 0; i < type->field_count; i++) {
        if (i > 0)
            put_text(page, ", ");
        if (depth > TH_NESTING_MAX || !piece(page)) {
            put_text(page, "...");
            break;
        }
        put_field(page, &type->fields[i], body, depth);
    }
    put_text(page, "}");
}

/* D3. False: it had nothing to say. */
static bool put_own(struct page *page, const th_type *type, const void *body)
{
    char text[TH_DETAILS_SIZE] = "";
    int length = type->describe(body, text, sizeof(text));

    if (length < 0)
        return false;
    put_escaped(page, text, strnlen(text, sizeof(text) - 1), 0);
    if ((size_t)length >= sizeof(text))
        put_text(page, "...");
    return true;
}

static void put_msg(struct page *page, const th_msg *msg, unsigned depth)
{
    const th_type *type = msg->thi_type;
    size_t rest_size = 0;
    const char *rest;

    if (depth > TH_NESTING_MAX || !piece(page)) {
        put_text(page, "...");
        return;
    }
    if (type->describe && put_own(page, type, msg->thi_body))
        return;
    put_name(page, th_type_name(type));
    if (type->flags & TH_TYPE_LOCAL) {
        put_format(page, "{%zu bytes}", th_msg_size(msg));
        return;
    }
    if (type->field_count > 0)
        put_struct(page, type, msg->thi_body, depth);
    rest = th_msg_rest(msg, &rest_size);
    if (rest_size > 0) {
        put_text(page, "+");
        put_bytes(page, rest, rest_size);
    }
}

size_t th_msg_describe(const th_msg *msg, char *text, size_t size)
{
    struct page page = { text, text ? size : 0, 0, 0 };

    if (msg && msg->thi_type)
        put_msg(&page, msg, 0);
    else
        put_text(&page, "(none)");
    if (page.size > 0)
        page.text[page.length < page.size ? page.length : page.size - 1] = '\0';
    return page.length;
}
