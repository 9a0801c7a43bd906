#include "runtime/system/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- bytes ---- */

static void flush(struct thi_page *page)
{
    if (page->used)
        page->put(page->context, page->buffer, page->used);
    page->used = 0;
}

static void put_byte(struct thi_page *page, char c)
{
    if (page->used == sizeof(page->buffer))
        flush(page);
    page->buffer[page->used++] = c;
    page->last = c;
}

static void put(struct thi_page *page, const char *text)
{
    while (*text)
        put_byte(page, *text++);
}

static void put_number(struct thi_page *page, uint64_t number)
{
    char digits[24];

    snprintf(digits, sizeof(digits), "%" PRIu64, number);
    put(page, digits);
}

static bool is_json(const struct thi_page *page)
{
    return page->format == TH_STATUS_JSON;
}

/* ---- JSON ---- */

/* Bytes of the UTF-8 sequence at @text, RFC 3629; 0: it is none. */
static unsigned sequence(const unsigned char *text)
{
    unsigned length = text[0] < 0x80                      ? 1
                      : text[0] >= 0xc2 && text[0] < 0xe0 ? 2
                      : text[0] >= 0xe0 && text[0] < 0xf0 ? 3
                      : text[0] >= 0xf0 && text[0] < 0xf5 ? 4
                                                          : 0;

    for (unsigned i = 1; i < length; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
        (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
        return 0;
    return length;
}

/* Names are the user's: whatever bytes they are, the JSON is well-formed. */
static void put_string(struct thi_page *page, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    char escape[8];

    put_byte(page, '"');
    while (*at) {
        unsigned length = sequence(at);

        if (*at == '"' || *at == '\\') {
            put_byte(page, '\\');
            put_byte(page, (char)*at);
        } else if (length == 0) {
            put(page, "\\ufffd");
        } else if (*at < 0x20) {
            snprintf(escape, sizeof(escape), "\\u%04x", *at);
            put(page, escape);
        } else {
            for (unsigned i = 0; i < length; i++)
                put_byte(page, (char)at[i]);
        }
        at += length ? length : 1;
    }
    put_byte(page, '"');
}

/* Before anything that is a member or an element. */
static void begin_member(struct thi_page *page, const char *key)
{
    if (page->last != '{' && page->last != '[' && page->last != '\0')
        put(page, ",");
    if (!key)
        return;
    put_string(page, key);
    put_byte(page, ':');
}

/* ---- text ---- */

static void end_line(struct thi_page *page)
{
    if (page->in_row)
        put_byte(page, '\n');
    page->in_row = false;
}

static void indent(struct thi_page *page)
{
    for (unsigned i = 0; i < page->depth; i++)
        put(page, "  ");
}

/* What stands before a value. */
static void begin_fact(struct thi_page *page, const char *what)
{
    enum { COLUMN = 28 };
    size_t length = strlen(what ? what : "");

    if (page->in_row) {
        put(page, page->row_fresh ? "" : ", ");
        page->row_fresh = false;
        if (!what)
            return;
        put(page, what);
        put_byte(page, ' ');
        return;
    }
    put(page, "  ");
    put(page, what ? what : "");
    do
        put_byte(page, ' ');
    while (length++ < COLUMN);
}

static void end_fact(struct thi_page *page)
{
    if (!page->in_row)
        put_byte(page, '\n');
}

/* Control characters would end the line, or worse. */
static void put_plain(struct thi_page *page, const char *text)
{
    for (; *text; text++)
        put_byte(page, (unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
}

/* ---- structure ---- */

void thi_page_begin(struct thi_page *page, th_status_format format, th_status_put put_bytes,
                    void *context)
{
    *page = (struct thi_page){ .format = format, .put = put_bytes, .context = context };
}

void thi_page_end(struct thi_page *page)
{
    if (is_json(page) && page->last)
        put_byte(page, '\n');
    flush(page);
}

static void open_with(struct thi_page *page, const char *key, const char *title, char bracket)
{
    if (is_json(page)) {
        begin_member(page, key);
        put_byte(page, bracket);
        return;
    }
    end_line(page);
    if (!title)
        return;
    put(page, title);
    put(page, "\n");
}

void thi_page_open(struct thi_page *page, const char *key, const char *title)
{
    open_with(page, key, title, '{');
}

void thi_page_close(struct thi_page *page)
{
    if (is_json(page))
        put_byte(page, '}');
}

void thi_page_list(struct thi_page *page, const char *key, const char *title)
{
    open_with(page, key, title, '[');
}

void thi_page_list_close(struct thi_page *page)
{
    if (is_json(page))
        put_byte(page, ']');
}

void thi_page_row(struct thi_page *page)
{
    page->depth++;
    if (is_json(page)) {
        begin_member(page, NULL);
        put_byte(page, '{');
        return;
    }
    end_line(page);
    indent(page);
    page->in_row = page->row_fresh = true;
}

void thi_page_row_close(struct thi_page *page)
{
    page->depth--;
    if (is_json(page))
        put_byte(page, '}');
    else
        end_line(page);
}

/* ---- facts ---- */

/* A value of text that needs no care. */
static void fact(struct thi_page *page, const char *key, const char *what, const char *json,
                 const char *text)
{
    if (is_json(page)) {
        begin_member(page, key);
        put(page, json);
        return;
    }
    begin_fact(page, what);
    put(page, text);
    end_fact(page);
}

static void unknown(struct thi_page *page, const char *key, const char *what)
{
    if (is_json(page) || !page->in_row)
        fact(page, key, what, "null", "?");
}

void thi_page_text(struct thi_page *page, const char *key, const char *what, const char *text)
{
    if (!text) {
        unknown(page, key, what);
    } else if (is_json(page)) {
        begin_member(page, key);
        put_string(page, text);
    } else {
        begin_fact(page, what);
        put_plain(page, text);
        end_fact(page);
    }
}

void thi_page_count(struct thi_page *page, const char *key, const char *what, uint64_t count)
{
    char digits[24];

    if (count == THI_UNKNOWN) {
        unknown(page, key, what);
        return;
    }
    snprintf(digits, sizeof(digits), "%" PRIu64, count);
    fact(page, key, what, digits, digits);
}

void thi_page_yes(struct thi_page *page, const char *key, const char *what, bool yes)
{
    fact(page, key, what, yes ? "true" : "false", yes ? "yes" : "no");
}

void thi_page_hex(struct thi_page *page, const char *key, const char *what, uint64_t id)
{
    char json[24], text[24];

    snprintf(text, sizeof(text), "%016" PRIx64, id);
    snprintf(json, sizeof(json), "\"%016" PRIx64 "\"", id);
    fact(page, key, what, json, text);
}

void thi_page_addr(struct thi_page *page, const char *key, const char *what, th_addr addr)
{
    char text[TH_ADDR_TEXT_SIZE];

    (void)th_addr_print(addr, text, sizeof(text));
    thi_page_text(page, key, what, th_addr_is_none(addr) ? NULL : text);
}

void thi_page_limit(struct thi_page *page, const char *key, const char *what, uint64_t count,
                    uint64_t limit)
{
    if (is_json(page)) {
        thi_page_count(page, key, what, count);
        put(page, ",\"");
        put(page, key);
        put(page, "_max\":");
        if (limit)
            put_number(page, limit);
        else
            put(page, "null");
        return;
    }
    begin_fact(page, what);
    if (count == THI_UNKNOWN)
        put(page, "?");
    else
        put_number(page, count);
    put(page, limit ? " of " : ", no limit");
    if (limit)
        put_number(page, limit);
    end_fact(page);
}

void thi_page_time(struct thi_page *page, const char *key, const char *what, uint64_t ns)
{
    char text[40];
    double value = (double)ns;

    if (ns == THI_UNKNOWN || is_json(page)) {
        thi_page_count(page, key, what, ns);
        return;
    }
    if (ns < 1000)
        snprintf(text, sizeof(text), "%" PRIu64 " ns", ns);
    else if (ns < 1000000)
        snprintf(text, sizeof(text), "%.2f us", value / 1e3);
    else if (ns < 1000000000)
        snprintf(text, sizeof(text), "%.2f ms", value / 1e6);
    else /* cut, not rounded: a clock shows what has passed */
        snprintf(text, sizeof(text), "%" PRIu64 ".%03u s", ns / 1000000000u,
                 (unsigned)(ns / 1000000u % 1000u));
    fact(page, key, what, "", text);
}

void thi_page_share(struct thi_page *page, const char *key, const char *what, uint64_t thousandths)
{
    char json[40], text[40];

    if (thousandths == THI_UNKNOWN) {
        unknown(page, key, what);
        return;
    }
    snprintf(json, sizeof(json), "%u.%03u", (unsigned)(thousandths / 1000),
             (unsigned)(thousandths % 1000));
    snprintf(text, sizeof(text), "%u.%u %%", (unsigned)(thousandths / 10),
             (unsigned)(thousandths % 10));
    fact(page, key, what, json, text);
}

/* ---- into memory ---- */

void thi_page_to_memory(void *context, const char *bytes, size_t size)
{
    struct thi_page_memory *memory = context;

    for (size_t i = 0; i < size; i++)
        if (++memory->length < memory->size)
            memory->text[memory->length - 1] = bytes[i];
}

size_t thi_page_memory_end(struct thi_page_memory *memory)
{
    if (memory->size)
        memory->text[memory->length < memory->size ? memory->length : memory->size - 1] = '\0';
    return memory->length;
}
