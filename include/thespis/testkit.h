/* testkit.h: driving a system on the simple base by hand, for tests of your own actors.
 *
 * The system runs only inside these calls and inside ask, listen, create, wait and shutdown, on the
 * caller's thread. The seed decides every interleaving; two runs of one seed are identical to the
 * message. All answer TH_E_WRONG_BASE on the pool. */
#ifndef THESPIS_TESTKIT_H
#define THESPIS_TESTKIT_H

#include <thespis/system.h>

TH_BEGIN_C

/** Lets one actor take one turn. *@ran_out (may be NULL): whether any could. Time stands still. */
TH_API TH_NODISCARD th_err th_step(th_system *system, bool *ran_out);

/** Steps until nothing is runnable at this moment of virtual time, at most @steps_max steps (0: no
 * bound); TH_E_LIMIT: it was not enough. */
TH_API TH_NODISCARD th_err th_run_until_idle(th_system *system, uint64_t steps_max,
                                             uint64_t *steps_out);

/** Moves virtual time on by @ns, firing each wakeup at its moment and running until idle after
 * each. */
TH_API TH_NODISCARD th_err th_advance(th_system *system, uint64_t ns);

/** Virtual nanoseconds since the start. */
TH_API TH_NODISCARD th_err th_virtual_now(th_system *system, uint64_t *ns_out);

/** How many messages wait for @actor. */
TH_API TH_NODISCARD th_err th_mailbox_depth(th_system *system, th_addr actor, size_t *depth_out);

/** The @index-th waiting message [lend, until the next call], in the order they will be handled.
 * TH_E_LIMIT: fewer wait. */
TH_API TH_NODISCARD th_err th_mailbox_peek(th_system *system, th_addr actor, size_t index,
                                           const th_msg **msg_out);

/** Has the next @times deliveries to @actor fail with @err instead of running its handler. */
TH_API TH_NODISCARD th_err th_inject_failure(th_system *system, th_addr actor, th_err err,
                                             uint32_t times);

/** Has the @nth allocation from now fail (1: the next), and with @repeat all after it; 0 ends it.
 * On both bases. */
TH_API TH_NODISCARD th_err th_inject_nomem(th_system *system, uint64_t nth, bool repeat);

/** How many allocations the system asked for since its start; on both bases. */
TH_API TH_NODISCARD th_err th_allocations(th_system *system, uint64_t *count_out);

/** A hash over every delivery so far (target, sender, type, size, virtual time): equal for equal
 * runs. */
TH_API TH_NODISCARD th_err th_trace_hash(th_system *system, uint64_t *hash_out);

TH_END_C
#endif
