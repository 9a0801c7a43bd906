/* cycles_x86.h: the time-stamp counter, some 8 ns a look and no system call. Chosen by cycles.h. */
#ifndef THI_BASE_CYCLES_X86_H
#define THI_BASE_CYCLES_X86_H

#include <stdint.h>

static inline uint64_t thi_cycles(void)
{
    return __builtin_ia32_rdtsc();
}

#endif
