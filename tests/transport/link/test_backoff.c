/* tests of transport/link/backoff.c */
#include <criterion/criterion.h>

#include "transport/link/backoff.h"
#include <thespis/config.h>

Test(backoff, grows_to_the_ceiling_with_the_thirteenth_failure)
{
    struct thi_backoff backoff = { 0 };
    struct thi_random random;
    int failures;

    thi_random_init(&random, 1);
    for (failures = 1; failures <= 13; failures++) {
        uint64_t before = backoff.pause_ns;

        thi_backoff_failed(&backoff, &random);
        cr_assert_gt(backoff.pause_ns, before);
    }
    cr_assert_eq(backoff.pause_ns, TH_LINK_PAUSE_MAX_NS);
    thi_backoff_failed(&backoff, &random);
    cr_assert_eq(backoff.pause_ns, TH_LINK_PAUSE_MAX_NS);
}

Test(backoff, waits_between_half_of_it_and_all)
{
    struct thi_backoff backoff = { 0 };
    struct thi_random random;
    uint64_t least = UINT64_MAX, most = 0;
    int i;

    thi_random_init(&random, 2);
    for (i = 0; i < 1000; i++) {
        uint64_t wait;

        thi_backoff_reset(&backoff);
        wait = thi_backoff_failed(&backoff, &random);
        cr_assert_geq(wait, TH_LINK_PAUSE_MIN_NS / 2);
        cr_assert_leq(wait, TH_LINK_PAUSE_MIN_NS);
        least = wait < least ? wait : least;
        most = wait > most ? wait : most;
    }
    /* this seed's thousand use all of the room */
    cr_assert_lt(least, TH_LINK_PAUSE_MIN_NS * 6 / 10);
    cr_assert_gt(most, TH_LINK_PAUSE_MIN_NS * 9 / 10);
}
