/* futex.h: a thread sleeps on a word until somebody changes it and says so.
 *
 * Waking is a hint: after thi_futex_wait() the caller looks at the word again. */
#ifndef THI_BASE_FUTEX_H
#define THI_BASE_FUTEX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Sleeps while *@word is @expected, at most until @deadline_ns on CLOCK_MONOTONIC (UINT64_MAX: for
 * ever). May return for no reason. False: the deadline has passed. */
bool thi_futex_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t deadline_ns);

/* Wakes up to @count threads that sleep on @word. The word may be gone meanwhile: the kernel only
 * compares the address. */
void thi_futex_wake(_Atomic uint32_t *word, int count);

#endif
