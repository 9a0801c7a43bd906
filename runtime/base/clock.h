/* clock.h: what time it is, in nanoseconds that never run backwards.
 *
 * The seam between the runtime and time: a real clock reads CLOCK_MONOTONIC; a virtual one shows
 * the value its owner last gave it, which is how the simple base and the tests own time; a user's
 * asks the program's (thespis/clock.h), and stands while that runs backwards. Reading: any thread.
 * Advancing: one thread, the owner. */
#ifndef THI_BASE_CLOCK_H
#define THI_BASE_CLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <thespis/clock.h>

struct thi_clock {
    bool is_virtual; /* constant after init */
    bool is_users;   /* the same */
    th_clock user;   /* where is_users; constant, too */
    _Atomic uint64_t shown_ns;
};

void thi_clock_init_real(struct thi_clock *clock);
void thi_clock_init_user(struct thi_clock *clock, const th_clock *user);
void thi_clock_init_virtual(struct thi_clock *clock, uint64_t now_ns);

/* Virtual clocks only. Stops at UINT64_MAX instead of wrapping. */
void thi_clock_advance(struct thi_clock *clock, uint64_t by_ns);

/* Virtual clocks only. A moment in the past leaves the clock where it is. */
void thi_clock_advance_to(struct thi_clock *clock, uint64_t now_ns);

/* Nanoseconds since 1970, UTC, for people: it jumps when somebody sets it. */
uint64_t thi_clock_wall(struct thi_clock *clock);

/* What a user's clock shows; never less than it did. */
uint64_t thi_clock_users(struct thi_clock *clock);

/* CLOCK_MONOTONIC, for those who have no thi_clock. */
uint64_t thi_clock_monotonic(void);

static inline uint64_t thi_clock_now(struct thi_clock *clock)
{
    /* acquire: who sees a moment also sees what the owner did before it; pairs with the release in
     * thi_clock_advance_to() */
    if (clock->is_virtual)
        return atomic_load_explicit(&clock->shown_ns, memory_order_acquire);
    return clock->is_users ? thi_clock_users(clock) : thi_clock_monotonic();
}

/* What threads that wait go by: virtual, or the machine's, whatever a user's clock does. */
static inline uint64_t thi_clock_steady(struct thi_clock *clock)
{
    return clock->is_virtual ? thi_clock_now(clock) : thi_clock_monotonic();
}

/* @now + @delay, or UINT64_MAX, which is never. */
static inline uint64_t thi_clock_after(uint64_t now_ns, uint64_t delay_ns)
{
    return delay_ns > UINT64_MAX - now_ns ? UINT64_MAX : now_ns + delay_ns;
}

#endif
