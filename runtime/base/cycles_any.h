/* cycles_any.h: nanoseconds as cycles, where we know no better counter. Chosen by cycles.h. */
#ifndef THI_BASE_CYCLES_ANY_H
#define THI_BASE_CYCLES_ANY_H

#include "runtime/base/clock.h"

static inline uint64_t thi_cycles(void)
{
    return thi_clock_monotonic();
}

#endif
