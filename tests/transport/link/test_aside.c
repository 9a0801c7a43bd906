/* tests of transport/link/aside.c */
#include "tests/mailbox/mailroom.h"

#include "transport/link/aside.h"

static th_msg messages[TH_LINK_ASIDE_MAX];

Test(aside, comes_back_in_order_around_holes)
{
    struct mailroom room;
    struct thi_aside aside;
    uint64_t seed = 3;
    uint32_t i, left, before;

    mailroom_open(&room, 0);
    thi_aside_init(&aside, &room.memory);
    for (i = 0; i < TH_LINK_ASIDE_MAX; i++) {
        cr_assert(!thi_aside_is_full(&aside));
        cr_assert(thi_aside_put(&aside, &messages[i], 0, i));
    }
    cr_assert(thi_aside_is_full(&aside));
    for (left = TH_LINK_ASIDE_MAX; left > 0; left--) {
        do
            i = (uint32_t)(mailroom_random(&seed) % aside.places);
        while (!thi_aside_at(&aside, i)->msg);
        before = (uint32_t)thi_aside_at(&aside, i)->until;
        cr_assert_eq(thi_aside_take(&aside, i), &messages[before]);
        cr_assert_eq(aside.count, left - 1);
        /* the first is none of the holes, and the oldest */
        if (aside.count > 0) {
            cr_assert_not_null(thi_aside_at(&aside, 0)->msg);
            cr_assert_eq(thi_aside_until(&aside), thi_aside_at(&aside, 0)->until);
        }
    }
    cr_assert_eq(thi_aside_until(&aside), UINT64_MAX);
    cr_assert_eq(aside.places, 0);
    thi_aside_fini(&aside);
    mailroom_close(&room);
}

Test(aside, knows_how_many_are_large)
{
    struct mailroom room;
    struct thi_aside aside;

    mailroom_open(&room, 0);
    thi_aside_init(&aside, &room.memory);
    thi_aside_put(&aside, &messages[0], 0, 1);
    thi_aside_put(&aside, &messages[1], 70000, 2);
    cr_assert_eq(aside.large, 1);
    thi_aside_weigh(&aside, 0, 80000);
    thi_aside_weigh(&aside, 0, 80001);
    cr_assert_eq(aside.large, 2);
    thi_aside_take(&aside, 0);
    thi_aside_take(&aside, 0);
    cr_assert_eq(aside.large, 0);
    thi_aside_fini(&aside);
    mailroom_close(&room);
}

Test(aside, without_memory_the_message_is_still_the_callers)
{
    struct mailroom room;
    struct thi_aside aside;

    mailroom_open(&room, 0);
    thi_aside_init(&aside, &room.memory);
    thi_memory_inject(&room.memory, 1, false);
    cr_assert(!thi_aside_put(&aside, &messages[0], 0, 1));
    cr_assert_eq(aside.count, 0);
    cr_assert(thi_aside_put(&aside, &messages[0], 0, 1));
    thi_aside_take(&aside, 0);
    thi_aside_fini(&aside);
    mailroom_close(&room);
}
