/* runtime/system/signals.h: SIGTERM and SIGINT ask for a shutdown, where a system wants that.
 *
 * A signal's disposition belongs to the process, so what is behind this header does, too: the one
 * place in the library with state that is not a system's. No signal is touched before the first
 * system asks, and what was there before comes back with the last one's end. */
#ifndef THI_SYSTEM_SIGNALS_H
#define THI_SYSTEM_SIGNALS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <thespis/error.h>

struct thi_signals {
    void (*told)(void *context); /* on a thread of its own, once per signal or burst of them */
    void *context;
    pthread_t thread;
    uint32_t seen; /* how many signals had come before */
    _Atomic bool stop;
    bool started;
};

/* From now on SIGTERM and SIGINT have @told called. @signals must stay where it is. TH_E_THREAD. */
TH_NODISCARD th_err thi_signals_start(struct thi_signals *signals, void (*told)(void *context),
                                      void *context);

/* No more calls; the last to leave puts back what was there. Nothing to do if it never started. */
void thi_signals_stop(struct thi_signals *signals);

#endif
