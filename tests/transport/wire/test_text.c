/* tests of transport/wire/text.h and fault.h */
#include <criterion/criterion.h>

#include <string.h>

#include "transport/wire/fault.h"
#include "transport/wire/text.h"

static bool utf8(const char *text)
{
    return thi_text_is_utf8(text, strlen(text));
}

static bool plain(const char *text)
{
    return thi_text_is_plain(text, strlen(text));
}

Test(text, is_utf8_to_the_letter_of_the_standard)
{
    cr_assert(utf8(""));
    cr_assert(utf8("plain text of more than eight bytes"));
    cr_assert(utf8("\x7f"));
    cr_assert(utf8("\xc2\x80"));               /* U+0080 */
    cr_assert(utf8("\xdf\xbf"));               /* U+07FF */
    cr_assert(utf8("\xe0\xa0\x80"));           /* U+0800 */
    cr_assert(utf8("\xed\x9f\xbf"));           /* U+D7FF */
    cr_assert(utf8("\xee\x80\x80"));           /* U+E000 */
    cr_assert(utf8("\xf0\x90\x80\x80"));       /* U+10000 */
    cr_assert(utf8("\xf4\x8f\xbf\xbf"));       /* U+10FFFF */
    cr_assert(utf8("seven77\xc3\xb8 and on")); /* across the eight bytes looked at in one */
    cr_assert(!utf8("\x80"));
    cr_assert(!utf8("\xc0\x80"));         /* overlong */
    cr_assert(!utf8("\xc1\xbf"));         /* overlong */
    cr_assert(!utf8("\xe0\x9f\xbf"));     /* overlong */
    cr_assert(!utf8("\xed\xa0\x80"));     /* a surrogate */
    cr_assert(!utf8("\xf0\x8f\xbf\xbf")); /* overlong */
    cr_assert(!utf8("\xf4\x90\x80\x80")); /* past U+10FFFF */
    cr_assert(!utf8("\xf5\x80\x80\x80"));
    cr_assert(!utf8("\xc3"));     /* cut off */
    cr_assert(!utf8("\xe2\x82")); /* cut off */
    cr_assert(!utf8("\xe2\x82z"));
    cr_assert(!utf8("eight ok\xff"));
    cr_assert(thi_text_is_utf8("a\0b", 3));
}

Test(text, that_moves_a_cursor_is_not_plain)
{
    cr_assert(plain("na\xc3\xafve \xe2\x82\xac"));
    cr_assert(plain("\xc2\xa0"));
    cr_assert(!plain("two\nlines"));
    cr_assert(!plain("\x1b[2J"));
    cr_assert(!plain("\x7f"));
    cr_assert(!plain("\xc2\x9b")); /* CSI in one character */
    cr_assert(!plain("\xff"));
    cr_assert(!thi_text_is_plain("a\0b", 3));
}

Test(text, is_tamed_where_it_stands)
{
    char text[32];

    strcpy(text, "a\nb\xff\xc2\x9b\xc3\xb8");
    thi_text_tame(text);
    cr_assert_str_eq(text, "a?b??\xc3\xb8");
    strcpy(text, "cut \xe2\x82");
    thi_text_tame(text);
    cr_assert_str_eq(text, "cut ");
}

Test(fault, is_cut_to_what_may_travel)
{
    struct thi_fault fault;
    char many[2 * TH_WIRE_WORDS_MAX];
    size_t i;

    for (i = 0; i + 2 < sizeof(many); i += 2)
        memcpy(many + i, "\xc3\xb8", 2);
    many[i] = '\0';
    thi_fault_set(&fault, "%s\n", many);
    cr_assert_eq(strlen(fault.words), TH_WIRE_WORDS_MAX - 1, "%zu", strlen(fault.words));
    cr_assert(plain(fault.words));
    thi_fault_in(&fault, "field");
    cr_assert_eq(strncmp(fault.words, "field: \xc3\xb8", 9), 0);
    cr_assert_leq(strlen(fault.words), TH_WIRE_WORDS_MAX);
    cr_assert(plain(fault.words));
}

Test(fault, says_where_from_the_outside_in)
{
    struct thi_fault fault;

    thi_fault_set(&fault, "expected %d", 7);
    thi_fault_in(&fault, "x");
    thi_fault_in(&fault, "point");
    cr_assert_str_eq(fault.words, "point: x: expected 7");
}
