/* text.c: one decoder of UTF-8, and what is asked of it.
 *
 * By the table of well-formed sequences in the Unicode standard (table 3-7): the range that the
 * second byte may have says all about overlong forms and surrogates. */
#include "transport/wire/text.h"

#include <stdint.h>
#include <string.h>

struct thi_text thi_text_of(const char *text)
{
    return (struct thi_text){ text, strlen(text) };
}

/* Bytes of the character that begins at @at, which has @size > 0 bytes; 0: none begins there. */
static size_t character(const unsigned char *at, size_t size)
{
    unsigned char low = 0x80, high = 0xbf;
    size_t length, i;

    if (at[0] < 0x80)
        return 1;
    if (at[0] < 0xc2 || at[0] > 0xf4)
        return 0;
    length = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    if (size < length)
        return 0;
    switch (at[0]) {
    case 0xe0: low = 0xa0; break;  /* below is overlong */
    case 0xed: high = 0x9f; break; /* above are surrogates */
    case 0xf0: low = 0x90; break;  /* below is overlong */
    case 0xf4: high = 0x8f; break; /* above is past U+10FFFF */
    }
    if (at[1] < low || at[1] > high)
        return 0;
    for (i = 2; i < length; i++) {
        if (at[i] < 0x80 || at[i] > 0xbf)
            return 0;
    }
    return length;
}

static bool moves_the_cursor(const unsigned char *at)
{
    return at[0] < 0x20 || at[0] == 0x7f || (at[0] == 0xc2 && at[1] < 0xa0);
}

bool thi_text_is_utf8(const void *text, size_t size)
{
    const unsigned char *at = text;
    size_t i = 0, length;

    while (i < size) {
        uint64_t eight;

        /* most text is ASCII, and is looked through eight bytes at a time */
        while (size - i >= sizeof(eight)) {
            memcpy(&eight, at + i, sizeof(eight));
            if (eight & UINT64_C(0x8080808080808080))
                break;
            i += sizeof(eight);
        }
        if (i == size)
            break;
        length = character(at + i, size - i);
        if (length == 0)
            return false;
        i += length;
    }
    return true;
}

bool thi_text_is_plain(const void *text, size_t size)
{
    const unsigned char *at = text;
    size_t i = 0;

    while (i < size) {
        size_t length = character(at + i, size - i);

        if (length == 0 || moves_the_cursor(at + i))
            return false;
        i += length;
    }
    return true;
}

void thi_text_tame(char *text)
{
    unsigned char *from = (unsigned char *)text, *to = from;
    size_t left = strlen(text);

    while (left > 0) {
        size_t length = character(from, left);

        if (length == 0 && left < 4 && (*from & 0xc0) == 0xc0)
            break; /* cut off */
        if (length == 0 || moves_the_cursor(from)) {
            *to++ = '?';
            length = length == 0 ? 1 : length;
        } else {
            memmove(to, from, length);
            to += length;
        }
        from += length;
        left -= length;
    }
    *to = '\0';
}
