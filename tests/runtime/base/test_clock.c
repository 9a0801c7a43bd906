/* Time, real and virtual, and the counter that estimates it. */
#include "runtime/base/clock.h"
#include "runtime/base/cycles.h"

#include <criterion/criterion.h>

#include <pthread.h>

Test(clock, real_never_runs_backwards)
{
    struct thi_clock clock;
    uint64_t last = 0;

    thi_clock_init_real(&clock);
    for (int i = 0; i < 10000; i++) {
        uint64_t now = thi_clock_now(&clock);

        cr_assert_geq(now, last);
        last = now;
    }
    cr_assert_gt(last, 0);
}

Test(clock, virtual_shows_what_it_was_given)
{
    struct thi_clock clock;

    thi_clock_init_virtual(&clock, 5);
    cr_assert_eq(thi_clock_now(&clock), 5);
    thi_clock_advance(&clock, 7);
    cr_assert_eq(thi_clock_now(&clock), 12);
    thi_clock_advance_to(&clock, 20);
    cr_assert_eq(thi_clock_now(&clock), 20);
    thi_clock_advance_to(&clock, 19);
    cr_assert_eq(thi_clock_now(&clock), 20, "never backwards");
}

Test(clock, virtual_stops_at_the_end_of_time)
{
    struct thi_clock clock;

    thi_clock_init_virtual(&clock, UINT64_MAX - 1);
    thi_clock_advance(&clock, 1ull << 63);
    cr_assert_eq(thi_clock_now(&clock), UINT64_MAX);
}

static struct thi_clock shown;
static uint64_t led_to_it; /* plain on purpose: the clock alone hands it over */

static void *advance(void *unused)
{
    led_to_it = 9;
    thi_clock_advance_to(&shown, 100);
    return unused;
}

Test(clock, virtual_hands_over_what_led_to_a_moment)
{
    pthread_t owner;

    thi_clock_init_virtual(&shown, 0);
    cr_assert_eq(pthread_create(&owner, NULL, advance, NULL), 0);
    while (thi_clock_now(&shown) < 100)
        ;
    cr_assert_eq(led_to_it, 9);
    cr_assert_eq(pthread_join(owner, NULL), 0);
}

Test(clock, after_saturates)
{
    cr_assert_eq(thi_clock_after(3, 4), 7);
    cr_assert_eq(thi_clock_after(1, UINT64_MAX - 1), UINT64_MAX);
    cr_assert_eq(thi_clock_after(2, UINT64_MAX - 1), UINT64_MAX);
    cr_assert_eq(thi_clock_after(0, UINT64_MAX), UINT64_MAX);
    cr_assert_eq(thi_clock_after(1ull << 63, 1ull << 63), UINT64_MAX);
}

Test(cycles, become_nanoseconds_without_overflow)
{
    struct thi_cycle_rate half = { 1u << 23 }, third = { (1u << 24) / 3 };

    cr_assert_eq(thi_cycles_to_ns(&half, 0), 0);
    cr_assert_eq(thi_cycles_to_ns(&half, 2000), 1000);
    cr_assert_eq(thi_cycles_to_ns(&half, UINT64_MAX), UINT64_MAX / 2);
    cr_assert_eq(thi_cycles_to_ns(&third, 3000000000000u) / 1000000, 1000000 - 1, "1e-7 short");
}

/* The claim is loose enough for a machine that stalls in between: it may only make the span longer
 * on the one clock that is read last, and the bounds are nested. */
Test(cycles, measure_what_the_clock_measures)
{
    struct thi_cycle_rate rate;
    uint64_t inner_ns, outer_ns, ns;

    thi_cycle_rate_measure(&rate);
    cr_assert_gt(rate.scale, 0);

    uint64_t outer = thi_clock_monotonic();
    uint64_t then = thi_cycles();
    uint64_t inner = thi_clock_monotonic();

    while (thi_clock_monotonic() - inner < 2000000)
        ;
    inner_ns = thi_clock_monotonic() - inner;
    ns = thi_cycles_to_ns(&rate, thi_cycles_since(then));
    outer_ns = thi_clock_monotonic() - outer;
    cr_assert_geq(ns, inner_ns - inner_ns / 20);
    cr_assert_leq(ns, outer_ns + outer_ns / 20);
}

Test(cycles, since_a_moment_ahead_are_none)
{
    cr_assert_eq(thi_cycles_since(UINT64_MAX), 0);
}
