/* cycles.h: the cheapest clock there is, for the scheduler's own estimates.
 *
 * A counter that runs at some steady rate, and the rate. Good for spans on one machine; cores may
 * disagree by a little, so a difference can come out negative: use thi_cycles_since(). Nothing that
 * a user can see is timed by it. */
#ifndef THI_BASE_CYCLES_H
#define THI_BASE_CYCLES_H

#include <stdint.h>

/* The one choice by platform in this floor. It picks a file, and the compiler knows better than a
 * build script what it compiles for. */
#if defined(__x86_64__)
#include "runtime/base/cycles_x86.h"
#else
#include "runtime/base/cycles_any.h"
#endif

/* Nanoseconds are cycles * scale / 2^24: enough bits for 1e-7 at 3 GHz, few enough that a product
 * of 40-bit spans fits. */
struct thi_cycle_rate {
    uint64_t scale;
};

/* Measures the counter against CLOCK_MONOTONIC; spins for a quarter of a millisecond. */
void thi_cycle_rate_measure(struct thi_cycle_rate *rate);

static inline uint64_t thi_cycles_to_ns(const struct thi_cycle_rate *rate, uint64_t cycles)
{
    return (cycles >> 24) * rate->scale + (((cycles & 0xffffffu) * rate->scale) >> 24);
}

/* Cycles since @then, or 0 if this core's counter is behind the one that was read. */
static inline uint64_t thi_cycles_since(uint64_t then)
{
    uint64_t now = thi_cycles();

    return now > then ? now - then : 0;
}

#endif
