/* runtime/system/trace.h: who has a trace written: th_trace_start(), the options, the environment.
 *
 * On the pool a thread takes what the workers put into their rings (base/trace_ring.h) and writes
 * it. It takes no lock that an actor's code could hold. On the simple base, who drives writes. */
#ifndef THI_SYSTEM_TRACE_H
#define THI_SYSTEM_TRACE_H

#include <pthread.h>
#include <stdatomic.h>

#include "runtime/system/trace_file.h"
#include "runtime/sched/task.h"
#include <thespis/trace.h>

struct thi_tracing {
    pthread_mutex_t lock; /* start against stop; what follows */
    bool is_running;
    bool is_over;   /* the system shuts down: no more starts */
    th_err env_err; /* why there is none to THESPIS_TRACE */
    pthread_t thread;
    _Atomic bool stop;
    struct thi_trace_file *file; /* the thread's; simple base: under the trace's lock */
    /* of the trace that is written, or was last */
    _Atomic uint64_t events, dropped, bytes;
    _Atomic bool has_failed;
};

void thi_tracing_init(th_system *system);
void thi_tracing_fini(th_system *system);

/* What is wrong with them, or NULL; none are good. */
const char *thi_tracing_fault(const th_trace_options *options);

/* Before there is anybody to trace: what the options or the environment want. If the latter cannot
 * be had, that is no reason not to start; thi_tracing_started() says it. */
TH_NODISCARD th_err thi_tracing_start_wanted(th_system *system);
void thi_tracing_started(th_system *system);

/* When nobody is left. */
void thi_tracing_end(th_system *system);

/* How the pool's turns are run, traced or watched or neither; NULL: the plain way. */
thi_turn thi_tracing_turn(th_system *system);

#endif
