/* Chance by seed. */
#include "runtime/base/random.h"

#include <criterion/criterion.h>

/* The first numbers of the authors' own code for this state. */
Test(random, is_xoshiro256_starstar)
{
    struct thi_random random = { { 1, 2, 3, 4 } };
    const uint64_t expected[] = { 11520, 0, 1509978240, 1215971899390074240 };

    for (int i = 0; i < 4; i++)
        cr_assert_eq(thi_random_next(&random), expected[i]);
}

/* splitmix64 from 1234567: published test values. */
Test(random, is_seeded_by_splitmix64)
{
    struct thi_random random;

    thi_random_init(&random, 1234567);
    cr_assert_eq(random.s[0], 6457827717110365317u);
    cr_assert_eq(random.s[1], 3203168211198807973u);
}

Test(random, repeats_by_seed)
{
    struct thi_random a, b, other;
    int equal = 0;

    thi_random_init(&a, 0);
    thi_random_init(&b, 0);
    thi_random_init(&other, 1);
    for (int i = 0; i < 1000; i++) {
        uint64_t number = thi_random_next(&a);

        cr_assert_eq(number, thi_random_next(&b));
        equal += number == thi_random_next(&other);
    }
    cr_assert_eq(equal, 0);
}

Test(random, below_a_bound_is_even)
{
    enum { BOUND = 7, DRAWS = 70000 };
    struct thi_random random;
    unsigned hits[BOUND] = { 0 };

    thi_random_init(&random, 9);
    for (int i = 0; i < DRAWS; i++) {
        uint64_t number = thi_random_below(&random, BOUND);

        cr_assert_lt(number, BOUND);
        hits[number]++;
    }
    for (int i = 0; i < BOUND; i++) { /* 10000 each, give or take five standard deviations */
        cr_assert_gt(hits[i], 9500);
        cr_assert_lt(hits[i], 10500);
    }
}

Test(random, below_takes_any_bound)
{
    struct thi_random random;
    uint64_t most = 0;

    thi_random_init(&random, 2);
    cr_assert_eq(thi_random_below(&random, 0), 0);
    cr_assert_eq(thi_random_below(&random, 1), 0);
    for (int i = 0; i < 100; i++) {
        uint64_t number = thi_random_below(&random, UINT64_MAX);

        most = number > most ? number : most;
        cr_assert_lt(thi_random_below(&random, (1ull << 63) + 1), (1ull << 63) + 1);
        cr_assert_lt(thi_random_below(&random, 2), 2);
    }
    cr_assert_gt(most, UINT64_MAX / 2);
}

Test(random, fresh_seeds_differ)
{
    cr_assert_neq(thi_random_fresh(), thi_random_fresh());
}
