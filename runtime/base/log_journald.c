/* log_journald.c: the journal's native protocol (systemd, "Native Journal Protocol").
 *
 * A record is a list of fields, KEY=value by lines, or for a value with line ends KEY, a line end,
 * its size in 64 bits and little endian, the value, a line end. It goes as one datagram; one that
 * the kernel finds too large goes as a sealed memfd instead. Nothing is escaped, nothing is cut. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/base/log_sink.h"
#include "runtime/base/log_text.h"

static char priority_of(th_log_level level)
{
    switch (level) {
    case TH_LOG_CRITICAL: return '2';
    case TH_LOG_ERROR: return '3';
    case TH_LOG_WARN: return '4';
    case TH_LOG_INFO: return '6';
    case TH_LOG_DEFAULT:
    case TH_LOG_TRACE:
    case TH_LOG_DEBUG:
    case TH_LOG_OFF: break;
    }
    return '7';
}

static void put(struct thi_line *out, const char *key, const char *value, size_t size)
{
    uint64_t left = size;

    thi_line_puts(out, key);
    if (!memchr(value, '\n', size)) {
        thi_line_puts(out, "=");
    } else {
        thi_line_puts(out, "\n");
        for (int i = 0; i < 8; i++, left >>= 8)
            thi_line_put(out, &(char){ (char)(left & 0xff) }, 1);
    }
    thi_line_put(out, value, size);
    thi_line_puts(out, "\n");
}

static void put_text(struct thi_line *out, const char *key, const char *value)
{
    put(out, key, value, strlen(value));
}

static void put_count(struct thi_line *out, const char *key, uint64_t count)
{
    char text[24];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)count);
    put_text(out, key, text);
}

/* The journal's keys are A to Z, 0 to 9 and _, not first, and at most 64 of them. Ours are told
 * from its own by what stands in front. */
static void put_field(struct thi_line *out, const th_log_field *field)
{
    char key[64] = "THESPIS_F_", value[64];
    size_t at = strlen(key);
    struct thi_line small = { value, sizeof(value), 0 };

    for (const char *c = field->key ? field->key : ""; *c && at < sizeof(key) - 1; c++)
        key[at++] = isalnum((unsigned char)*c) && (unsigned char)*c < 0x80
                        ? (char)toupper((unsigned char)*c)
                        : '_';
    key[at] = '\0';
    if (field->kind == TH_LOG_KIND_STR && field->value.s) {
        put(out, key, field->value.s, field->size);
        return;
    }
    thi_line_put_value(&small, field);
    put(out, key, value, thi_line_close(&small));
}

static size_t print(const th_log_record *record, char *line)
{
    struct thi_line out = { line, THI_LOG_LINE_SIZE, 0 };
    char addr[TH_ADDR_TEXT_SIZE];
    char priority[2] = { priority_of(record->level), '\0' };

    put(&out, "MESSAGE", record->text, record->text_size);
    put_text(&out, "PRIORITY", priority);
    put_text(&out, "SYSLOG_IDENTIFIER", record->system);
    put_text(&out, "THESPIS_LEVEL", th_log_level_name(record->level));
    put_count(&out, "THESPIS_NUMBER", record->number);
    if (!th_addr_is_none(record->actor)) {
        th_addr_print(record->actor, addr, sizeof(addr));
        put_text(&out, "THESPIS_ACTOR", addr);
    }
    if (*record->class_name)
        put_text(&out, "THESPIS_CLASS", record->class_name);
    if (record->worker >= 0)
        put_count(&out, "THESPIS_WORKER", (uint64_t)record->worker);
    if (record->file) {
        put_text(&out, "CODE_FILE", record->file);
        put_count(&out, "CODE_LINE", record->line);
    }
    if (record->suppressed)
        put_count(&out, "THESPIS_SUPPRESSED", record->suppressed);
    for (uint32_t i = 0; i < record->field_count; i++)
        put_field(&out, &record->fields[i]);
    return out.length < out.size ? out.length : 0;
}

static bool send_memfd(struct thi_log_sink *sink, const char *data, size_t size)
{
    enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL };
    int fd = memfd_create("thespis-log", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    bool is_taken;

    if (fd < 0)
        return false;
    is_taken = write(fd, data, size) == (ssize_t)size && fcntl(fd, F_ADD_SEALS, SEALS) == 0 &&
               thi_log_sink_send(sink, NULL, 0, fd) == 0;
    (void)close(fd);
    return is_taken;
}

static bool journald_write(struct thi_log_sink *sink, const th_log_record *record, char *line)
{
    size_t length = print(record, line);
    int why = length ? thi_log_sink_send(sink, line, length, -1) : EMSGSIZE;

    if (why == EMSGSIZE || why == ENOBUFS)
        return length && send_memfd(sink, line, length);
    return why == 0;
}

static void journald_close(struct thi_log_sink *sink)
{
    if (sink->fd >= 0)
        (void)close(sink->fd);
}

const struct thi_log_sink_ops thi_log_journald_ops = { journald_write, journald_close };
