#include "runtime/base/clock.h"

#include <thespis/assert.h>

#include <time.h>

void thi_clock_init_real(struct thi_clock *clock)
{
    clock->is_virtual = clock->is_users = false;
    atomic_init(&clock->shown_ns, 0);
}

void thi_clock_init_user(struct thi_clock *clock, const th_clock *user)
{
    thi_clock_init_real(clock);
    clock->is_users = true;
    clock->user = *user;
}

void thi_clock_init_virtual(struct thi_clock *clock, uint64_t now_ns)
{
    clock->is_virtual = true;
    clock->is_users = false;
    atomic_init(&clock->shown_ns, now_ns);
}

void thi_clock_advance(struct thi_clock *clock, uint64_t by_ns)
{
    /* relaxed: only the owner writes it, and that is us */
    uint64_t now = atomic_load_explicit(&clock->shown_ns, memory_order_relaxed);

    thi_clock_advance_to(clock, thi_clock_after(now, by_ns));
}

void thi_clock_advance_to(struct thi_clock *clock, uint64_t now_ns)
{
    TH_ASSERT(clock->is_virtual);
    /* relaxed: only the owner writes it, and that is us */
    if (now_ns <= atomic_load_explicit(&clock->shown_ns, memory_order_relaxed))
        return;
    /* release: pairs with the acquire in thi_clock_now() */
    atomic_store_explicit(&clock->shown_ns, now_ns, memory_order_release);
}

uint64_t thi_clock_monotonic(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail: the clock exists, @now is ours */
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t thi_clock_users(struct thi_clock *clock)
{
    uint64_t now = clock->user.monotonic(clock->user.context);
    /* acquire: as in thi_clock_now() */
    uint64_t shown = atomic_load_explicit(&clock->shown_ns, memory_order_acquire);

    /* acq_rel: who sees a moment sees what was done before it was shown; pairs with itself */
    while (now > shown &&
           !atomic_compare_exchange_weak_explicit(&clock->shown_ns, &shown, now,
                                                  memory_order_acq_rel, memory_order_acquire))
        continue;
    return now > shown ? now : shown;
}

uint64_t thi_clock_wall(struct thi_clock *clock)
{
    struct timespec now;

    if (clock->is_users && clock->user.wall)
        return clock->user.wall(clock->user.context);
    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail: as above */
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
