/* runtime/system/page.h: one writer for what is read by people and by programs.
 *
 * Whoever describes something says each fact once, with its key and its words; the page makes a
 * line of text or a member of a JSON object of it. So the two cannot tell different stories.
 *
 *     thi_page_open(page, "memory", NULL);
 *     thi_page_limit(page, "bytes", "memory, bytes", 4096, 0);
 *     thi_page_close(page);
 *
 * is `  memory, bytes                4096, no limit`, or, as JSON,
 * `"memory":{"bytes":4096,"bytes_max":null}`.
 *
 * A row is a thing among others of its kind: in text one line, `turns 12, parks 3`; in JSON an
 * object. A list inside a row ends its line; deeper rows are indented. What is not known
 * (THI_UNKNOWN, NULL) is `?` (in a row nothing), and null.
 *
 * Keys are a promise: they stay when words change. Nothing here takes a lock or memory, so a page
 * can be written while everything else hangs. */
#ifndef THI_SYSTEM_PAGE_H
#define THI_SYSTEM_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <thespis/addr.h>
#include <thespis/status.h>

#define THI_UNKNOWN UINT64_MAX

struct thi_page {
    th_status_format format;
    th_status_put put;
    void *context;
    char last;      /* JSON: the last byte that was put */
    bool in_row;    /* text: the line is not over */
    bool row_fresh; /* text: and nothing is on it yet */
    unsigned depth; /* text: of rows in rows */
    unsigned used;
    char buffer[512];
};

void thi_page_begin(struct thi_page *page, th_status_format format, th_status_put put,
                    void *context);
/* Hands out what is left. */
void thi_page_end(struct thi_page *page);

/* An object; @key NULL: the outermost, or one of a list. Text: a line with @title, if any. */
void thi_page_open(struct thi_page *page, const char *key, const char *title);
void thi_page_close(struct thi_page *page);
void thi_page_list(struct thi_page *page, const char *key, const char *title);
void thi_page_list_close(struct thi_page *page);
void thi_page_row(struct thi_page *page);
void thi_page_row_close(struct thi_page *page);

/* Facts. @what: the words; NULL in a row: the value speaks for itself. */
void thi_page_text(struct thi_page *page, const char *key, const char *what, const char *text);
void thi_page_count(struct thi_page *page, const char *key, const char *what, uint64_t count);
void thi_page_yes(struct thi_page *page, const char *key, const char *what, bool yes);
void thi_page_hex(struct thi_page *page, const char *key, const char *what, uint64_t id);
void thi_page_addr(struct thi_page *page, const char *key, const char *what, th_addr addr);
/* A counter and the limit it runs against, 0: none. JSON: @key, and @key_max. */
void thi_page_limit(struct thi_page *page, const char *key, const char *what, uint64_t count,
                    uint64_t limit);
/* Nanoseconds, shown in a unit that fits; @key should end in _ns. */
void thi_page_time(struct thi_page *page, const char *key, const char *what, uint64_t ns);
/* Thousandths, shown as percent. */
void thi_page_share(struct thi_page *page, const char *key, const char *what, uint64_t thousandths);

/* A th_status_put into memory, as snprintf() would; @context is a struct thi_page_text. */
struct thi_page_memory {
    char *text;
    size_t size;
    size_t length; /* it has in full */
};
void thi_page_to_memory(void *context, const char *bytes, size_t size);
/* Ends the text there; returns its full length. */
size_t thi_page_memory_end(struct thi_page_memory *memory);

/* status_text.c: every field of @status, as members of the object that is open. */
void thi_status_say(struct thi_page *page, const th_system_status *status);
/* In a row: an object of its own; in text it goes on, "@what 12, p50 1.20 us, ...". */
void thi_status_say_times(struct thi_page *page, const char *key, const char *what,
                          const th_times *times);

/* page_message.c: the plain fields of @msg as facts of the row that is open: its numbers, truths
 * and texts, by their names. */
void thi_page_message(struct thi_page *page, const th_msg *msg);

#endif
