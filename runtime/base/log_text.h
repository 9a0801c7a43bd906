/* log_text.h: a record as one line. Pure functions: no clock, no locale, no memory but the
 * caller's. */
#ifndef THI_BASE_LOG_TEXT_H
#define THI_BASE_LOG_TEXT_H

#include <thespis/log.h>

/* Where text is put together: as snprintf(), what does not fit is counted only. */
struct thi_line {
    char *text;
    size_t size;
    size_t length; /* it has in full */
};

void thi_line_put(struct thi_line *out, const char *data, size_t size);
void thi_line_puts(struct thi_line *out, const char *text);
void thi_line_printf(struct thi_line *out, const char *format, ...) TH_PRINTF(2, 3);
/* Ends the text; the length it has in full. */
size_t thi_line_close(struct thi_line *out);

/* How many bytes of the @size at @data are the UTF-8 of one character; 0: they begin with none. */
size_t thi_utf8_length(const unsigned char *data, size_t size);

/* "2026-11-23T09:31:07.123456Z" */
void thi_line_put_time(struct thi_line *out, uint64_t time_ns);

/* A field's value as plain text; a string as it is, whatever is in it. */
void thi_line_put_value(struct thi_line *out, const th_log_field *field);

/* Text on one line: control characters and bytes that are no UTF-8 are escaped. @also: further
 * characters to be escaped by a backslash. */
void thi_line_put_escaped(struct thi_line *out, const char *data, size_t size, const char *also);

#endif
