/* tests of mailbox/addr.c */
#include "mailroom.h"

#include <thespis/addr.h>

static th_addr random_addr(uint64_t *state)
{
    uint64_t ids = mailroom_random(state);
    th_addr addr = { mailroom_random(state), (uint32_t)ids, (uint32_t)(ids >> 32) };

    /* small numbers, too: they have other lengths */
    addr.slot >>= mailroom_random(state) % 32;
    addr.generation >>= mailroom_random(state) % 32;
    addr.system >>= mailroom_random(state) % 64;
    if (addr.system == 0)
        addr.system = 1;
    return addr;
}

Test(addr, parse_reads_what_print_wrote, .timeout = 60)
{
    uint64_t state = 1;
    int i;

    for (i = 0; i < 1000000; i++) {
        th_addr addr = random_addr(&state);
        th_addr again = { 0, 0, 0 };
        char text[TH_ADDR_TEXT_SIZE];
        size_t length = th_addr_print(addr, text, sizeof(text));

        cr_assert_lt(length, sizeof(text));
        cr_assert_eq(strlen(text), length);
        cr_assert_eq(th_addr_parse(text, &again), TH_OK);
        cr_assert(th_addr_equal(addr, again), "%s", text);
    }
}

Test(addr, prints_the_largest_within_the_promised_size)
{
    th_addr addr = { UINT64_MAX, UINT32_MAX, UINT32_MAX };
    char text[TH_ADDR_TEXT_SIZE];

    cr_assert_eq(th_addr_print(addr, text, sizeof(text)), 38);
    cr_assert_str_eq(text, "ffffffffffffffff.4294967295.4294967295");
}

Test(addr, prints_and_reads_none)
{
    th_addr addr = { 1, 2, 3 };
    char text[TH_ADDR_TEXT_SIZE];

    cr_assert_eq(th_addr_print(th_addr_none(), text, sizeof(text)), 4);
    cr_assert_str_eq(text, "none");
    cr_assert_eq(th_addr_parse(text, &addr), TH_OK);
    cr_assert(th_addr_is_none(addr));
}

Test(addr, print_counts_what_it_cannot_write)
{
    th_addr addr = { 0xab, 1, 2 };
    char text[8] = "unhurt";

    cr_assert_eq(th_addr_print(addr, NULL, 0), 20);
    cr_assert_eq(th_addr_print(addr, NULL, 7), 20);
    cr_assert_eq(th_addr_print(addr, text, 0), 20);
    cr_assert_str_eq(text, "unhurt");
    cr_assert_eq(th_addr_print(addr, text, 4), 20);
    cr_assert_str_eq(text, "000");
}

Test(addr, parse_refuses_everything_else)
{
    static const char *const texts[] = {
        "",
        "None",
        "none ",
        ".",
        "..",
        "00000000000000ab",
        "00000000000000ab.1",
        "00000000000000ab.1.",
        "00000000000000ab..2",
        "00000000000000ab.1.2.",
        "00000000000000ab.1.2 ",
        " 00000000000000ab.1.2",
        "00000000000000AB.1.2",
        "0000000000000ab.1.2",
        "000000000000000ab.1.2",
        "00000000000000ag.1.2",
        "0x000000000000ab.1.2",
        "00000000000000ab.01.2",
        "00000000000000ab.1.00",
        "00000000000000ab.+1.2",
        "00000000000000ab.-1.2",
        "00000000000000ab.4294967296.2",
        "00000000000000ab.1.4294967296",
        "00000000000000ab.1.18446744073709551617",
        "00000000000000ab.99999999999999999999999999.1",
        "0000000000000000.1.2", /* system 0 is nobody's */
        "0000000000000000.0.0",
    };
    size_t i;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        th_addr addr = { 1, 2, 3 };

        cr_assert_eq(th_addr_parse(texts[i], &addr), TH_E_PARSE, "\"%s\"", texts[i]);
        cr_assert(addr.system == 1 && addr.slot == 2 && addr.generation == 3, "\"%s\"", texts[i]);
    }
}

Test(addr, parse_needs_both_arguments)
{
    th_addr addr;

    cr_assert_eq(th_addr_parse(NULL, &addr), TH_E_INVALID);
    cr_assert_eq(th_addr_parse("none", NULL), TH_E_INVALID);
}

Test(addr, compare_is_a_total_order)
{
    uint64_t state = 2;
    int i;

    for (i = 0; i < 200000; i++) {
        /* from a small set, so that parts are often equal */
        uint64_t r = mailroom_random(&state);
        th_addr a = { 1 + (r & 1), r >> 1 & 1, r >> 2 & 3 };
        th_addr b = { 1 + (r >> 4 & 1), r >> 5 & 1, r >> 6 & 3 };
        th_addr c = { 1 + (r >> 8 & 1), r >> 9 & 1, r >> 10 & 3 };

        cr_assert_eq(th_addr_compare(a, b) == 0, th_addr_equal(a, b));
        cr_assert_eq(th_addr_compare(a, b), -th_addr_compare(b, a));
        if (th_addr_compare(a, b) <= 0 && th_addr_compare(b, c) <= 0)
            cr_assert_leq(th_addr_compare(a, c), 0);
    }
}

Test(addr, compare_looks_at_system_then_slot_then_generation)
{
    th_addr base = { 5, 5, 5 }, system = { 6, 0, 0 }, slot = { 5, 6, 0 }, generation = { 5, 5, 6 };

    cr_assert_lt(th_addr_compare(base, generation), 0);
    cr_assert_lt(th_addr_compare(generation, slot), 0);
    cr_assert_lt(th_addr_compare(slot, system), 0);
}

Test(addr, compare_takes_no_part_for_negative)
{
    th_addr base = { 5, 5, 5 };
    th_addr system = { UINT64_MAX, 0, 0 }, slot = { 5, UINT32_MAX, 0 };
    th_addr generation = { 5, 5, UINT32_MAX };

    cr_assert_lt(th_addr_compare(base, generation), 0);
    cr_assert_lt(th_addr_compare(base, slot), 0);
    cr_assert_lt(th_addr_compare(base, system), 0);
}

Test(addr, hash_depends_on_every_bit_and_spreads)
{
    uint64_t state = 3;
    uint64_t changed = 0;
    int bit, i;

    for (bit = 0; bit < 128; bit++) {
        for (i = 0; i < 100; i++) {
            th_addr a = random_addr(&state), b = a;
            uint64_t difference;

            if (bit < 64)
                b.system ^= UINT64_C(1) << bit;
            else if (bit < 96)
                b.slot ^= UINT32_C(1) << (bit - 64);
            else
                b.generation ^= UINT32_C(1) << (bit - 96);
            difference = th_addr_hash(a) ^ th_addr_hash(b);
            cr_assert_neq(difference, 0, "bit %d", bit);
            changed += (uint64_t)__builtin_popcountll(difference);
        }
    }
    /* half of 64 bits, 12800 times; the standard deviation of the mean is 0.035 */
    cr_assert_gt(changed, 12800 * 31);
    cr_assert_lt(changed, 12800 * 33);
}
