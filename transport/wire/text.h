/* text.h: bytes that claim to be text.
 *
 * Names, addresses and words that a peer sends end in logs and on terminals. So they are plain:
 * UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF) without control
 * characters. Pure functions. */
#ifndef TRANSPORT_WIRE_TEXT_H
#define TRANSPORT_WIRE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/** A range of text inside something larger; no NUL behind it. */
struct thi_text {
    const char *at;
    size_t size;
};

/** @text [lend], a C string, as a range. */
struct thi_text thi_text_of(const char *text);

bool thi_text_is_utf8(const void *text, size_t size);

/** UTF-8, and nothing in it moves a cursor: no bytes below 0x20, no 0x7f, no U+0080 to U+009F. */
bool thi_text_is_plain(const void *text, size_t size);

/** Makes the C string @text plain where it stands: what is not becomes '?', a character that was
 * cut off at the end goes. */
void thi_text_tame(char *text);

#endif
