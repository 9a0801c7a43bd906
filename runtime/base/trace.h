/* trace.h: points at which the runtime can be watched from outside, while it runs.
 *
 *     thi_point_steal(thief->index, victim->index);
 *
 * is a nop in the code and a note beside it (USDT, by SystemTap's <sys/sdt.h>), which bpftrace,
 * perf and SystemTap turn into a breakpoint for as long as they look. Nobody has to know here
 * whether anybody does. What the points are says points.def; what th_trace_start() writes of them,
 * runtime/actor/record.h. */
#ifndef THI_BASE_TRACE_H
#define THI_BASE_TRACE_H

#include <stdint.h>

#include <thespis/actor.h>

/* The build says whether the header is there (cmake/deps.cmake). */
#if THI_PROBES
#ifdef __clang__
#define STAP_SDT_ARG_CONSTRAINT nr /* it would store a register to have the choice of memory */
#endif
#include <sys/sdt.h>
/* As that header has it, but for two things that cost what surrounds a point: gcc takes the many
 * lines of its note for many instructions, and inlines less (hence `inline`), and the second asm
 * behind each probe for one that changes memory, and loads again what was in a register (that one
 * is once in trace.c instead). */
#undef _SDT_PROBE
#define _SDT_PROBE(provider, name, n, arglist)                                                     \
    __asm__ __inline__ __volatile__(_SDT_ASM_BODY(provider, name, _SDT_ASM_ARGS, (n))              \
                                    :                                                              \
                                    : _SDT_ASM_OPERANDS_##n arglist)
#else
#define STAP_PROBE1(provider, name, a)       ((void)(a))
#define STAP_PROBE2(provider, name, a, b)    ((void)(a), (void)(b))
#define STAP_PROBE3(provider, name, a, b, c) ((void)(a), (void)(b), (void)(c))
#define STAP_PROBE5(provider, name, a, b, c, d, e)                                                 \
    ((void)(a), (void)(b), (void)(c), (void)(d), (void)(e))
#endif

/* An address as points show it; its system is the one that is being watched. */
static inline uint64_t thi_point_addr(th_addr addr)
{
    return addr.slot | (uint64_t)addr.generation << 32;
}

/* clang-format off */
#define THI_POINT static inline __attribute__((always_inline)) void

#define POINT1(name, A, a)                                                                         \
    THI_POINT thi_point_##name(A a) { STAP_PROBE1(thespis, name, a); }
#define POINT2(name, A, a, B, b)                                                                   \
    THI_POINT thi_point_##name(A a, B b) { STAP_PROBE2(thespis, name, a, b); }
#define POINT3(name, A, a, B, b, C, c)                                                             \
    THI_POINT thi_point_##name(A a, B b, C c) { STAP_PROBE3(thespis, name, a, b, c); }
#define POINT5(name, A, a, B, b, C, c, D, d, E, e)                                                 \
    THI_POINT thi_point_##name(A a, B b, C c, D d, E e)                                            \
    {                                                                                              \
        STAP_PROBE5(thespis, name, a, b, c, d, e);                                                 \
    }
/* clang-format on */

/* That header's macros are not ISO C's, and clang says so where they are used. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#include "runtime/base/points.def"
#pragma GCC diagnostic pop

#undef POINT1
#undef POINT2
#undef POINT3
#undef POINT5

#endif
