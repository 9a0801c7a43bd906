/* log_syslog.c: RFC 5424 over the local datagram socket.
 *
 * Not syslog(3): its connection and its identity belong to the whole process, which is not ours to
 * set; it blocks when the daemon does; and it has no place for fields. A datagram of our own is
 * one system call, waits for nobody, and carries the record whole:
 *
 *   <pri>1 time - app pid - [thespis actor="" class="" ...][fields key="value"] text
 *
 * Both names end in 32473, the enterprise number for examples (RFC 5612). The facility is user (1),
 * the application the system's name; the host is left to who receives, and no byte order mark
 * stands before the text, since rsyslog and syslog-ng would show it. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/log_sink.h"
#include "runtime/base/log_text.h"

/* What every syslog daemon takes in one datagram, and more than RFC 5424 asks of it. So much of it
 * is the text's, whatever the fields want. */
enum { DATAGRAM_MAX = 8192, TEXT_LEAST = 2048 };

/* A day without syslog: RFC 5424, section 6.2.1. */
static unsigned severity_of(th_log_level level)
{
    switch (level) {
    case TH_LOG_CRITICAL: return 2;
    case TH_LOG_ERROR: return 3;
    case TH_LOG_WARN: return 4;
    case TH_LOG_INFO: return 6;
    case TH_LOG_DEFAULT:
    case TH_LOG_TRACE:
    case TH_LOG_DEBUG:
    case TH_LOG_OFF: break;
    }
    return 7;
}

/* A name of the header or of an element: printable ASCII but for a few. */
static void put_name(struct thi_line *out, const char *name, size_t most)
{
    if (!name || !*name) {
        thi_line_puts(out, "-");
        return;
    }
    for (size_t i = 0; name[i] && i < most; i++) {
        bool is_plain = name[i] > ' ' && name[i] < 0x7f && !strchr("=]\"", name[i]);

        thi_line_put(out, is_plain ? &name[i] : "_", 1);
    }
}

/* name="value", where " \ and ] are escaped; the rest on one line. */
static void put_param(struct thi_line *out, const char *name, const char *value, size_t size)
{
    thi_line_puts(out, " ");
    put_name(out, name, 32);
    thi_line_puts(out, "=\"");
    thi_line_put_escaped(out, value, size, "\"\\]");
    thi_line_puts(out, "\"");
}

static void put_count(struct thi_line *out, const char *name, uint64_t count)
{
    thi_line_printf(out, " %s=\"%" PRIu64 "\"", name, count);
}

static void put_origin(struct thi_line *out, const th_log_record *record)
{
    char addr[TH_ADDR_TEXT_SIZE];

    thi_line_puts(out, "[thespis@32473");
    put_count(out, "number", record->number);
    if (!th_addr_is_none(record->actor)) {
        th_addr_print(record->actor, addr, sizeof(addr));
        put_param(out, "actor", addr, strlen(addr));
    }
    if (*record->class_name)
        put_param(out, "class", record->class_name, strlen(record->class_name));
    if (record->worker >= 0)
        put_count(out, "worker", (uint64_t)record->worker);
    if (record->file) {
        put_param(out, "file", record->file, strlen(record->file));
        put_count(out, "line", record->line);
    }
    if (record->suppressed)
        put_count(out, "suppressed", record->suppressed);
    thi_line_puts(out, "]");
}

static void put_field(struct thi_line *out, const th_log_field *field)
{
    char value[64];
    struct thi_line small = { value, sizeof(value), 0 };

    if (field->kind == TH_LOG_KIND_STR && field->value.s) {
        put_param(out, field->key, field->value.s, field->size);
        return;
    }
    thi_line_put_value(&small, field);
    put_param(out, field->key, value, thi_line_close(&small));
}

/* Whole ones only, as half a one would spoil the record for who reads it. */
static void put_fields(struct thi_line *out, const th_log_record *record)
{
    uint64_t left_out = 0;

    if (!record->field_count)
        return;
    thi_line_puts(out, "[fields@32473");
    for (uint32_t i = 0; i < record->field_count; i++) {
        size_t before = out->length;

        put_field(out, &record->fields[i]);
        if (out->length <= DATAGRAM_MAX - TEXT_LEAST)
            continue;
        out->length = before;
        left_out++;
    }
    if (left_out)
        put_count(out, "left_out", left_out);
    thi_line_puts(out, "]");
}

/* The text gives way to the rest, between two characters and with a mark. */
static size_t print(const th_log_record *record, char *line)
{
    static const char mark[] = "...";
    struct thi_line out = { line, THI_LOG_LINE_SIZE, 0 };
    size_t length;

    thi_line_printf(&out, "<%u>1 ", 8 * 1 + severity_of(record->level));
    thi_line_put_time(&out, record->time_ns);
    thi_line_puts(&out, " - ");
    put_name(&out, record->system, 48);
    thi_line_printf(&out, " %ld - ", (long)getpid());
    put_origin(&out, record);
    put_fields(&out, record);
    thi_line_puts(&out, " ");
    thi_line_put_escaped(&out, record->text, record->text_size, "");
    length = thi_line_close(&out);
    if (length <= DATAGRAM_MAX)
        return length;
    length = DATAGRAM_MAX - (sizeof(mark) - 1);
    while (((unsigned char)line[length] & 0xc0) == 0x80)
        length--;
    memcpy(line + length, mark, sizeof(mark));
    return length + sizeof(mark) - 1;
}

static bool syslog_write(struct thi_log_sink *sink, const th_log_record *record, char *line)
{
    return thi_log_sink_send(sink, line, print(record, line), -1) == 0;
}

static void syslog_close(struct thi_log_sink *sink)
{
    if (sink->fd >= 0)
        (void)close(sink->fd);
}

const struct thi_log_sink_ops thi_log_syslog_ops = { syslog_write, syslog_close };
