/* trace.h: what a system does, written to a file that ui.perfetto.dev and chrome://tracing show.
 *
 *     th_trace_options where = { .path = "/tmp/my-trace.json" };
 *
 *     th_trace_start(system, &where);    or th_options.trace, from the start on
 *     ...
 *     th_trace_stop(system);             or the shutdown
 *
 * A track for each worker, with the turns of actors as bars, by class, and in them each message
 * that is handled, by type; an arrow from each send to where its message is handled; marks for
 * actors that begin and end, dead letters, poison, wakeups, work that moves to another worker. The
 * format is the Trace Event Format of the Chromium project (JSON object format).
 *
 * Each thread writes into a bounded ring, and a thread of the system's writes those out. What finds
 * its ring full is lost, and counted in the status and at the end of the file. As long as nobody
 * traces, it costs nothing; while somebody does, some 100 ns a message.
 *
 * On the simple base time is virtual, and each event a nanosecond later than the one before; one
 * seed has one trace, byte for byte.
 *
 * Environment: a system whose th_options.trace is NULL writes one to the path THESPIS_TRACE, if
 * that is set, but not in a program that runs with somebody else's privileges (secure_getenv), and
 * not while another system writes to that path.
 *
 * Thread rules: any thread, but no actor's. */
#ifndef THESPIS_TRACE_H
#define THESPIS_TRACE_H

#include <thespis/actor.h>

/** Where to. One of path and fd. */
typedef struct th_trace_options {
    const char *path;   /* a file that is made, or written anew; locked (flock) while it is written;
                           [keep] in th_options until the start, else [lend] */
    int fd;             /* or a descriptor [keep] until the stop; 0: the path */
    uint64_t bytes_max; /* 0: TH_TRACE_BYTES_DEFAULT; at least TH_TRACE_BYTES_LEAST */
} th_trace_options;

TH_BEGIN_C

/** From now on, or from when each worker next looks up, some microseconds later. TH_E_INVALID: no
 * path, or both, or a limit that is too low. TH_E_EXISTS: the system traces already, or another one
 * writes to that file. TH_E_FILE: it cannot be opened. TH_E_NOMEM, TH_E_THREAD. TH_E_STATE,
 * TH_E_CLOSED: the system does not run. TH_E_NOT_ALLOWED: from an actor. */
TH_API TH_NODISCARD th_err th_trace_start(th_system *system, const th_trace_options *options);

/** Writes the rest; what is in a handler now is not in it. TH_E_FILE: part of it could not be
 * written, a full disk say; what was is a whole file as far as it goes. TH_E_STATE: it does not
 * trace. TH_E_CLOSED: the shutdown stopped it. TH_E_NOT_ALLOWED: from an actor. */
TH_API TH_NODISCARD th_err th_trace_stop(th_system *system);

TH_END_C
#endif
