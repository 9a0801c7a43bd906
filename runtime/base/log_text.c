#include "runtime/base/log_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const level_names[] = { "default", "trace", "debug",    "info",
                                           "warn",    "error", "critical", "off" };

enum { LEVELS = sizeof(level_names) / sizeof(level_names[0]) };

const char *th_log_level_name(th_log_level level)
{
    return (unsigned)level < LEVELS ? level_names[level] : "unknown";
}

th_err th_log_level_parse(const char *text, th_log_level *level_out)
{
    if (!text || !level_out)
        return TH_E_INVALID;
    if (strcasecmp(text, "warning") == 0)
        text = "warn";
    for (unsigned i = 0; i < LEVELS; i++)
        if (strcasecmp(text, level_names[i]) == 0) {
            *level_out = (th_log_level)i;
            return TH_OK;
        }
    return TH_E_PARSE;
}

/* ---- a page ---- */

void thi_line_put(struct thi_line *out, const char *data, size_t size)
{
    if (out->length < out->size) {
        size_t room = out->size - out->length;

        memcpy(out->text + out->length, data, size < room ? size : room);
    }
    out->length += size;
}

void thi_line_puts(struct thi_line *out, const char *text)
{
    thi_line_put(out, text, strlen(text));
}

void thi_line_printf(struct thi_line *out, const char *format, ...)
{
    char text[128]; /* numbers, addresses */
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (length > 0)
        thi_line_put(out, text, (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1);
}

size_t thi_line_close(struct thi_line *out)
{
    if (out->size)
        out->text[out->length < out->size ? out->length : out->size - 1] = '\0';
    return out->length;
}

/* ---- characters ---- */

size_t thi_utf8_length(const unsigned char *data, size_t size)
{
    /* what may follow the first byte: overlong forms, surrogates and what is past U+10FFFF show in
     * the second (Unicode Standard, table 3-7) */
    unsigned char least = 0x80, most = 0xbf, first;
    size_t length;

    if (size == 0)
        return 0;
    first = data[0];
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first == 0xe0)
        least = 0xa0;
    else if (first == 0xed)
        most = 0x9f;
    else if (first == 0xf0)
        least = 0x90;
    else if (first == 0xf4)
        most = 0x8f;
    if (size < length || data[1] < least || data[1] > most)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((data[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

/* U+0080 to U+009F: some terminals obey them. */
static bool is_c1(const unsigned char *at, size_t length)
{
    return length == 2 && at[0] == 0xc2 && at[1] < 0xa0;
}

/* Hands what needs no escape on in one piece; @escape gets the rest, a byte or character each. */
static void put_escaped(struct thi_line *out, const char *data, size_t size, const char *also,
                        void (*escape)(struct thi_line *out, const unsigned char *at,
                                       size_t length))
{
    const unsigned char *bytes = (const unsigned char *)data;
    size_t from = 0, at = 0;

    while (at < size) {
        size_t length = thi_utf8_length(bytes + at, size - at);

        if (length > 1 && !is_c1(bytes + at, length)) {
            at += length;
            continue;
        }
        if (length == 1 && bytes[at] >= 0x20 && bytes[at] != 0x7f && !strchr(also, bytes[at])) {
            at++;
            continue;
        }
        thi_line_put(out, data + from, at - from);
        escape(out, bytes + at, length);
        at += length ? length : 1;
        from = at;
    }
    thi_line_put(out, data + from, at - from);
}

static void escape_short(struct thi_line *out, unsigned char byte)
{
    static const char from[] = "\n\t\r\b\f\"\\", to[] = "ntrbf\"\\";
    const char *at = memchr(from, byte, sizeof(from) - 1);

    if (at)
        thi_line_printf(out, "\\%c", to[at - from]);
    else if (byte < 0x20 || byte == 0x7f)
        thi_line_printf(out, "\\u%04x", byte);
    else
        thi_line_printf(out, "\\%c", byte);
}

static void escape_json(struct thi_line *out, const unsigned char *at, size_t length)
{
    if (length == 0)
        thi_line_puts(out, "\\ufffd"); /* JSON has characters only */
    else if (length == 2)
        thi_line_printf(out, "\\u%04x", (at[0] & 0x1fu) << 6 | (at[1] & 0x3fu));
    else
        escape_short(out, *at);
}

static void escape_line(struct thi_line *out, const unsigned char *at, size_t length)
{
    if (length == 2)
        thi_line_printf(out, "\\x%02x\\x%02x", at[0], at[1]);
    else if (length == 0 || ((*at < 0x20 || *at == 0x7f) && !strchr("\n\t\r", *at)) || *at == '\0')
        thi_line_printf(out, "\\x%02x", *at);
    else
        escape_short(out, *at);
}

void thi_line_put_escaped(struct thi_line *out, const char *data, size_t size, const char *also)
{
    put_escaped(out, data, size, also, escape_line);
}

static void put_json_string(struct thi_line *out, const char *data, size_t size)
{
    thi_line_puts(out, "\"");
    put_escaped(out, data, size, "\"\\", escape_json);
    thi_line_puts(out, "\"");
}

/* ---- time ---- */

/* The civil date of a day since 1970-01-01. (Howard Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms", civil_from_days; for days from 1970 on only.) */
static void civil_of(uint64_t day, unsigned *year, unsigned *month, unsigned *mday)
{
    uint64_t since = day + 719468; /* 0000-03-01 */
    unsigned era = (unsigned)(since / 146097), doe = (unsigned)(since % 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned shifted = (5 * doy + 2) / 153; /* 0 is March */

    *mday = doy - (153 * shifted + 2) / 5 + 1;
    *month = shifted < 10 ? shifted + 3 : shifted - 9;
    *year = yoe + era * 400 + (*month <= 2);
}

void thi_line_put_time(struct thi_line *out, uint64_t time_ns)
{
    uint64_t seconds = time_ns / 1000000000u;
    unsigned of_day = (unsigned)(seconds % 86400u), year, month, mday;

    civil_of(seconds / 86400u, &year, &month, &mday);
    thi_line_printf(out, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ", year, month, mday, of_day / 3600,
                    of_day / 60 % 60, of_day % 60, (unsigned)(time_ns % 1000000000u / 1000u));
}

/* ---- values ---- */

static void put_addr(struct thi_line *out, th_addr addr)
{
    char text[TH_ADDR_TEXT_SIZE];

    th_addr_print(addr, text, sizeof(text));
    thi_line_puts(out, text);
}

static bool is_finite(double value)
{
    return value - value == 0;
}

/* The locale's decimal point, whatever it is, is a dot here. */
static void put_double(struct thi_line *out, double value)
{
    char text[64];
    bool in_point = false;

    if (!is_finite(value)) {
        thi_line_puts(out, value != value ? "nan" : value > 0 ? "inf" : "-inf");
        return;
    }
    snprintf(text, sizeof(text), "%.17g", value);
    for (const char *c = text; *c; c++) {
        bool is_known = (*c >= '0' && *c <= '9') || strchr("+-eE", *c);

        if (is_known)
            thi_line_put(out, c, 1);
        else if (!in_point)
            thi_line_puts(out, ".");
        in_point = !is_known; /* it may be several bytes */
    }
}

static const char *string_of(const th_log_field *field, size_t *size_out)
{
    *size_out = field->value.s ? field->size : sizeof("(null)") - 1;
    return field->value.s ? field->value.s : "(null)";
}

void thi_line_put_value(struct thi_line *out, const th_log_field *field)
{
    const char *text;
    size_t size;

    switch (field->kind) {
    case TH_LOG_KIND_BOOL: thi_line_puts(out, field->value.b ? "true" : "false"); return;
    case TH_LOG_KIND_I64: thi_line_printf(out, "%" PRId64, field->value.i); return;
    case TH_LOG_KIND_U64: thi_line_printf(out, "%" PRIu64, field->value.u); return;
    case TH_LOG_KIND_F64: put_double(out, field->value.f); return;
    case TH_LOG_KIND_ADDR: put_addr(out, field->value.addr); return;
    case TH_LOG_KIND_STR:
        text = string_of(field, &size);
        thi_line_put(out, text, size);
        return;
    }
    thi_line_puts(out, "(unknown kind)");
}

static const char *key_of(const th_log_field *field)
{
    return field->key && *field->key ? field->key : "(null)";
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* ---- a line of text ---- */

/* A value that a reader could take for more than one needs quotes. */
static bool needs_quotes(const char *text, size_t size)
{
    if (size == 0)
        return true;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] <= ' ' || strchr("\"=\\", text[i]))
            return true;
    return false;
}

static void put_text_field(struct thi_line *out, const th_log_field *field)
{
    const char *key = key_of(field), *text;
    size_t size;

    thi_line_puts(out, " ");
    thi_line_put_escaped(out, key, strlen(key), " =\"\\");
    thi_line_puts(out, "=");
    if (field->kind != TH_LOG_KIND_STR) {
        thi_line_put_value(out, field);
        return;
    }
    text = string_of(field, &size);
    if (!needs_quotes(text, size)) {
        thi_line_put_escaped(out, text, size, "");
        return;
    }
    thi_line_puts(out, "\"");
    thi_line_put_escaped(out, text, size, "\"\\");
    thi_line_puts(out, "\"");
}

static void print_text(struct thi_line *out, const th_log_record *record)
{
    thi_line_put_time(out, record->time_ns);
    thi_line_printf(out, " %-8s [", th_log_level_name(record->level));
    if (th_addr_is_none(record->actor))
        thi_line_puts(out, "-");
    else
        put_addr(out, record->actor);
    if (record->class_name && *record->class_name) {
        thi_line_puts(out, " ");
        thi_line_put_escaped(out, record->class_name, strlen(record->class_name), "");
    }
    if (record->worker >= 0)
        thi_line_printf(out, " w%d", (int)record->worker);
    thi_line_puts(out, "] ");
    if (record->text)
        thi_line_put_escaped(out, record->text, record->text_size, "");
    for (uint32_t i = 0; record->fields && i < record->field_count; i++)
        put_text_field(out, &record->fields[i]);
    if (record->suppressed)
        thi_line_printf(out, " (+%" PRIu64 " suppressed)", record->suppressed);
    if (record->file) {
        thi_line_puts(out, " (");
        thi_line_put_escaped(out, record->file, strlen(record->file), "");
        thi_line_printf(out, ":%u)", record->line);
    }
}

/* ---- a line of JSON ---- */

static void put_json_key(struct thi_line *out, const char *key)
{
    thi_line_puts(out, ",");
    put_json_string(out, key, strlen(key));
    thi_line_puts(out, ":");
}

static void put_json_text(struct thi_line *out, const char *key, const char *text)
{
    put_json_key(out, key);
    put_json_string(out, text, strlen(text));
}

static void put_json_count(struct thi_line *out, const char *key, uint64_t count)
{
    put_json_key(out, key);
    thi_line_printf(out, "%" PRIu64, count);
}

static void put_json_value(struct thi_line *out, const th_log_field *field)
{
    bool is_bare = field->kind == TH_LOG_KIND_BOOL || field->kind == TH_LOG_KIND_I64 ||
                   field->kind == TH_LOG_KIND_U64 ||
                   (field->kind == TH_LOG_KIND_F64 && is_finite(field->value.f));
    const char *text;
    size_t size;

    if (field->kind == TH_LOG_KIND_STR) {
        text = string_of(field, &size);
        put_json_string(out, text, size);
        return;
    }
    if (!is_bare)
        thi_line_puts(out, "\"");
    thi_line_put_value(out, field);
    if (!is_bare)
        thi_line_puts(out, "\"");
}

static void put_json_fields(struct thi_line *out, const th_log_record *record)
{
    put_json_key(out, "fields");
    thi_line_puts(out, "{");
    for (uint32_t i = 0; i < record->field_count; i++) {
        const char *key = key_of(&record->fields[i]);

        if (i)
            thi_line_puts(out, ",");
        put_json_string(out, key, strlen(key));
        thi_line_puts(out, ":");
        put_json_value(out, &record->fields[i]);
    }
    thi_line_puts(out, "}");
}

static void print_json(struct thi_line *out, const th_log_record *record)
{
    thi_line_puts(out, "{\"time\":\"");
    thi_line_put_time(out, record->time_ns);
    thi_line_puts(out, "\"");
    put_json_count(out, "clock_ns", record->clock_ns);
    put_json_count(out, "number", record->number);
    put_json_text(out, "level", th_log_level_name(record->level));
    put_json_text(out, "system", or_empty(record->system));
    if (!th_addr_is_none(record->actor)) {
        put_json_key(out, "actor");
        thi_line_puts(out, "\"");
        put_addr(out, record->actor);
        thi_line_puts(out, "\"");
    }
    put_json_text(out, "class", or_empty(record->class_name));
    if (record->worker >= 0)
        put_json_count(out, "worker", (uint64_t)record->worker);
    if (record->file) {
        put_json_text(out, "file", record->file);
        put_json_count(out, "line", record->line);
    }
    if (record->suppressed)
        put_json_count(out, "suppressed", record->suppressed);
    put_json_key(out, "text");
    put_json_string(out, or_empty(record->text), record->text ? record->text_size : 0);
    if (record->fields && record->field_count)
        put_json_fields(out, record);
    thi_line_puts(out, "}");
}

size_t th_log_record_print(const th_log_record *record, th_log_format format, char *text,
                           size_t size)
{
    struct thi_line out = { text, text ? size : 0, 0 };

    if (record && format == TH_LOG_FORMAT_JSON)
        print_json(&out, record);
    else if (record)
        print_text(&out, record);
    return thi_line_close(&out);
}
