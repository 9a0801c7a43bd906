/* signals.h: the process's signals, counted, and who is woken when one comes.
 *
 * A signal's disposition belongs to the process, so what is behind this header does, too: the one
 * place in the library with state that is not a system's. No signal is touched before somebody
 * wants it, and what was there before comes back with the last one who did. */
#ifndef THI_BASE_SIGNALS_H
#define THI_BASE_SIGNALS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <thespis/error.h>

/* Somebody who is told: a system, or what of it would keep others waiting. */
struct thi_signals {
    void (*told)(void *context); /* on a thread of its own: some signal that somebody in the process
                                    wants has come since the last time; look at the counts */
    void *context;
    pthread_t thread;
    uint32_t seen; /* how many had come before */
    _Atomic bool stop;
    bool is_started;
};

/* From now on @told is called, on a thread called @name. @signals must stay where it is. Started
 * already: nothing to do. TH_E_THREAD. */
TH_NODISCARD th_err thi_signals_start(struct thi_signals *signals, const char *name,
                                      void (*told)(void *context), void *context);

/* No more calls. Nothing to do if it never started. */
void thi_signals_stop(struct thi_signals *signals);

/* @number is counted instead of what it did before, until as many have said unwant. TH_E_INVALID:
 * it cannot be, or a thread causes it itself. */
TH_NODISCARD th_err thi_signals_want(int number);

/* The last one puts back what was there, unless the program has set something else meanwhile. */
void thi_signals_unwant(int number);

/* How often it came while somebody wanted it; it wraps. */
uint32_t thi_signals_count(int number);

#endif
