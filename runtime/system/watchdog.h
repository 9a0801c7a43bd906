/* runtime/system/watchdog.h: a thread that notices handlers that run too long.
 *
 * It looks at every worker four times per threshold. A worker that is in the same handler (the same
 * turn, and the same delivery in it) as at an earlier look, for at least the threshold, is reported
 * once, and once more when it has come out. Workers that said th_blocking_begin() are not stuck. It
 * takes no lock that a handler could hold while it hangs: the pool's is held for a few instructions
 * by whoever lends a spare. Reports go out with no lock held: to the program's own function, else
 * to the log, whose queue nobody waits for, else to standard error. The log needs somebody who
 * reads it: that is why a watched system has its logger from the start (logging.c), while the
 * admin, who makes it, has a worker to run on. */
#ifndef THI_SYSTEM_WATCHDOG_H
#define THI_SYSTEM_WATCHDOG_H

#include <pthread.h>
#include <stdatomic.h>

#include "runtime/actor/endpoint.h"
#include "runtime/base/stack.h"
#include <thespis/system.h>

struct thi_watchdog {
    pthread_t thread;
    _Atomic uint32_t stop; /* a futex */
    bool is_started;
    bool has_signal;
    struct thi_heap heap;
    struct thi_endpoint speaker; /* what it logs as; without an address */
    struct thi_stack stack;      /* K1: lives as long as the system, hence longer than any worker */
};

/* Nothing to do without options.watchdog_ns, or on the simple base. Before the pool: its workers
 * must know. TH_E_INVALID, TH_E_EXISTS: the signal cannot be had. */
TH_NODISCARD th_err thi_watchdog_prepare(th_system *system);
/* When the pool runs. TH_E_THREAD. */
TH_NODISCARD th_err thi_watchdog_start(th_system *system);
/* Before the pool stops. */
void thi_watchdog_stop(th_system *system);
/* When it has, or after a start that failed. */
void thi_watchdog_clear(th_system *system);

#endif
