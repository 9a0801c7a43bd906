/* tests of transport/link/transfer.c */
#include "tests/mailbox/mailroom.h"

#include "transport/link/transfer.h"
#include <thespis/config.h>

static struct thi_assembly *begin(struct thi_assemblies *assemblies, uint32_t id, uint64_t total)
{
    struct thi_assembly *assembly = NULL;

    cr_assert_eq(thi_assemblies_begin(assemblies, id, total, &assembly), TH_OK);
    return assembly;
}

Test(transfer, pieces_come_together)
{
    struct mailroom room;
    struct thi_assemblies assemblies;
    struct thi_assembly *a, *b;

    mailroom_open(&room, 0);
    thi_assemblies_init(&assemblies, &room.memory);
    a = begin(&assemblies, 7, 6);
    b = begin(&assemblies, 8, 4);
    cr_assert_eq(thi_assembly_add(&assemblies, a, "abc", 3), TH_OK);
    cr_assert_eq(thi_assembly_add(&assemblies, b, "wxyz", 4), TH_OK);
    cr_assert_eq(thi_assembly_add(&assemblies, a, "def", 3), TH_OK);
    cr_assert_eq(memcmp(a->bytes, "abcdef", 6), 0);
    cr_assert_eq(memcmp(b->bytes, "wxyz", 4), 0);
    cr_assert_eq(thi_assemblies_find(&assemblies, 7), a);
    thi_assemblies_drop(&assemblies, a);
    cr_assert_null(thi_assemblies_find(&assemblies, 7));
    thi_assemblies_clear(&assemblies);
    mailroom_close(&room);
}

Test(transfer, memory_grows_with_what_came_not_with_what_was_announced)
{
    struct mailroom room;
    struct thi_assemblies assemblies;
    struct thi_assembly *assembly;
    static const char bytes[1000];
    uint64_t have = 0;

    mailroom_open(&room, 0);
    thi_assemblies_init(&assemblies, &room.memory);
    assembly = begin(&assemblies, 1, TH_WIRE_MESSAGE_MAX);
    while (have < 1000000) {
        cr_assert_eq(thi_assembly_add(&assemblies, assembly, bytes, sizeof(bytes)), TH_OK);
        have += sizeof(bytes);
        cr_assert_leq(thi_memory_bytes(&room.memory), 2 * have + 500);
    }
    thi_assemblies_clear(&assemblies);
    mailroom_close(&room);
}

Test(transfer, more_than_was_announced_is_refused)
{
    struct mailroom room;
    struct thi_assemblies assemblies;
    struct thi_assembly *assembly;

    mailroom_open(&room, 0);
    thi_assemblies_init(&assemblies, &room.memory);
    assembly = begin(&assemblies, 1, 4);
    cr_assert_eq(thi_assembly_add(&assemblies, assembly, "abc", 3), TH_OK);
    cr_assert_eq(thi_assembly_add(&assemblies, assembly, "de", 2), TH_E_TOO_BIG);
    cr_assert_eq(assembly->have, 3);
    thi_assemblies_clear(&assemblies);
    mailroom_close(&room);
}

Test(transfer, one_too_many_or_the_same_again_is_refused)
{
    struct mailroom room;
    struct thi_assemblies assemblies;
    struct thi_assembly *assembly;
    uint32_t i;

    mailroom_open(&room, 0);
    thi_assemblies_init(&assemblies, &room.memory);
    begin(&assemblies, 1, 4);
    cr_assert_eq(thi_assemblies_begin(&assemblies, 1, 9, &assembly), TH_E_EXISTS);
    for (i = 2; i <= TH_LINK_TRANSFERS_MAX; i++)
        begin(&assemblies, i, 4);
    cr_assert_eq(thi_assemblies_begin(&assemblies, i, 9, &assembly), TH_E_LIMIT);
    thi_assemblies_clear(&assemblies);
    cr_assert_eq(assemblies.count, 0);
    mailroom_close(&room);
}

/* X2: the last piece has to come before it can be returned. */
Test(transfer, without_memory_the_bytes_are_counted_all_the_same)
{
    struct mailroom room;
    struct thi_assemblies assemblies;
    struct thi_assembly *assembly;

    mailroom_open(&room, 0);
    thi_assemblies_init(&assemblies, &room.memory);
    assembly = begin(&assemblies, 1, 9);
    cr_assert_eq(thi_assembly_add(&assemblies, assembly, "abc", 3), TH_OK);
    thi_memory_inject(&room.memory, 1, false);
    cr_assert_eq(thi_assembly_add(&assemblies, assembly, "def", 3), TH_OK);
    cr_assert_null(assembly->bytes);
    cr_assert_eq(thi_assembly_add(&assemblies, assembly, "ghi", 3), TH_OK);
    cr_assert_null(assembly->bytes);
    cr_assert_eq(assembly->have, 9);
    thi_assemblies_clear(&assemblies);
    mailroom_close(&room);
}
