/* pump.h: a system inside somebody else's event loop.
 *
 * A system made with `options.pumped` (on TH_BASE_SIMPLE) starts no thread of its own, but for the
 * one that hears of signals where one is asked for. Its clock is the real one. It has one
 * descriptor, which is readable whenever there is something to do: give that to poll(), epoll, or
 * the loop of a toolkit, and call th_pump() when it is.
 *
 *     struct pollfd fd = { .fd = th_system_fd(system), .events = POLLIN };
 *     while (poll(&fd, 1, -1) > 0 && th_pump(system, 0, NULL) == TH_OK)
 *         ...
 *
 * All actors, wakeups and watched descriptors are served on the thread that pumps. Any thread may
 * send and ask meanwhile; one that waits (th_ask(), th_listen()) runs the system itself until it
 * has what it waits for. One at a time does. */
#ifndef THESPIS_PUMP_H
#define THESPIS_PUMP_H

#include <thespis/system.h>

TH_BEGIN_C

/** The descriptor [lend, until th_system_destroy()]: only to be waited for, until it is readable.
 * -1: the system is not pumped, or does not run. */
TH_API int th_system_fd(th_system *system);

/** Serves what is due: descriptors, timers, and at most @turns_max turns of actors (0: until there
 * is nothing to do, or TH_MOMENT_TURNS_MAX); *@turns_out (may be NULL): how many there were. Never
 * waits. If there is more to do the descriptor stays readable.
 *  TH_E_WRONG_BASE: it is not pumped. TH_E_NOT_ALLOWED: from an actor's code. TH_E_STATE,
 * TH_E_CLOSED. */
TH_API TH_NODISCARD th_err th_pump(th_system *system, uint64_t turns_max, uint64_t *turns_out);

TH_END_C
#endif
