/* external.h: how a thread that is no actor takes part.
 *
 * An endpoint has an address, a mailbox and a handle (th_self). The system's default endpoint may
 * be used by any number of threads at once; a private one belongs to the thread that opened it.
 * Time limits are nanoseconds on the system's clock; TH_FOREVER waits without one. Waiting on the
 * simple base runs the system, in virtual time, and gives up as soon as nothing is left to run. */
#ifndef THESPIS_EXTERNAL_H
#define THESPIS_EXTERNAL_H

#include <thespis/system.h>

TH_BEGIN_C

/** The default endpoint [lend], good until th_system_destroy(). NULL: never started. */
TH_API th_self *th_system_self(th_system *system);

/** A private endpoint [give]. TH_E_CLOSED, TH_E_LIMIT, TH_E_NOMEM. */
TH_API TH_NODISCARD th_err th_endpoint_open(th_system *system, th_self **self_out);

/** Closes it [take]; what waits in it becomes dead letters. Allowed after a shutdown too.
 * TH_E_NOT_HERE: @self is an actor or the default endpoint. */
TH_API th_err th_endpoint_close(th_self *self);

/** th_send(), said by an endpoint; @msg [take]. */
TH_API TH_NODISCARD th_err th_tell(th_self *self, th_addr to, th_msg *msg);

/** Sends @msg [take] and waits for the answer to it: *@answer_out [give], destroy it with
 * th_msg_destroy(). Whoever answers the sender of the question answers it, also after it was
 * forwarded; a late answer is a dead letter and never reaches the next question. TH_E_TIMEOUT.
 * TH_E_NO_ACTOR: the question became a dead letter; TH_E_FULL: one for want of room (mailbox.h).
 * TH_E_CLOSED. TH_E_NOT_HERE: @self is an actor, see th_ask_then(). */
TH_API TH_NODISCARD th_err th_ask(th_self *self, th_addr to, th_msg *msg, uint64_t timeout_ns,
                                  th_msg **answer_out);

/** The next message sent to the endpoint's own address [give]; system messages other than poison,
 * wakeups and dead letters are not shown. TH_E_TIMEOUT; with a limit of 0: nothing is there.
 * TH_E_CLOSED. */
TH_API TH_NODISCARD th_err th_listen(th_self *self, uint64_t timeout_ns, th_msg **msg_out);

/** Spawns, and waits until init has run: TH_E_INIT with @why_out (may be NULL; at least
 * TH_DETAILS_SIZE bytes) when it failed. With a global_name that another actor has, it waits for
 * that one's init, if that has not run yet. */
TH_API TH_NODISCARD th_err th_create(th_self *self, const th_spawn_options *options,
                                     uint64_t timeout_ns, th_addr *addr_out, char *why_out);

TH_END_C
#endif
