/* deputy.h: threads inside an actor.
 *
 * An actor may start threads of its own, for work that blocks or takes long. A deputy is the handle
 * by which they speak in its name: what they send has the actor as its sender, and so answers,
 * poison and wakeups go to the actor, whose handler is still the only one that receives, one
 * message at a time. The actor's state is the handler's alone, too: a thread is given what it needs
 * and reports by message.
 *
 * A deputy is a th_self for th_send(), th_forward(), th_stop(), messages and memory, wakeups,
 * th_log_...(), and what asks for the time, the system or a name. Any number of threads may use one
 * at once; one for each thread has them wait for each other less. All that receives, waits, spawns,
 * watches or changes the actor answers TH_E_NOT_HERE: th_listen(), th_ask(), th_ask_then(),
 * th_spawn(), th_exit(), th_become()... A thread that wants the actor to do one of these sends it a
 * message, at th_self_addr(deputy).
 *
 * The actor's exit waits for no deputy. Once it is over (its exit function included) every call
 * answers TH_E_CLOSED; a send that was under way may be the actor's last word. Wakeups are refused
 * from the beginning of the exit on, as the actor's own are. A thread that must have finished first
 * is waited for with th_exit_later() (actor.h) until it has reported. A handler must not wait for a
 * thread that may still speak: on the simple base whoever speaks waits until no handler runs.
 *
 * A deputy outlives its actor, like an endpoint also its system's shutdown, until it is closed. */
#ifndef THESPIS_DEPUTY_H
#define THESPIS_DEPUTY_H

#include <thespis/actor.h>

TH_BEGIN_C

/** A deputy [give] of the actor whose handler, or init, this is; close it with th_deputy_close().
 * TH_E_NOT_HERE: @self is no actor. TH_E_CLOSED: it is exiting. TH_E_LIMIT: TH_DEPUTIES_MAX are
 * open. TH_E_NOMEM. */
TH_API TH_NODISCARD th_err th_deputy_open(th_self *self, th_self **deputy_out);

/** Closes it [take], from any thread and at any time before th_system_destroy(), which answers
 * TH_E_STATE while one is open; no thread uses it any more. Wakeups that it asked for stay.
 * TH_E_NOT_HERE: @deputy is an actor or an endpoint. TH_E_FORKED. */
TH_API th_err th_deputy_close(th_self *deputy);

/** Whether @self is a deputy. */
TH_API bool th_self_is_deputy(const th_self *self);

TH_END_C
#endif
