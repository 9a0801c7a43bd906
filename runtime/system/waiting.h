/* runtime/system/waiting.h: how the threads of an endpoint wait for its mail, and share it out.
 *
 * The inbox has one owner, and the default endpoint any number of threads, so:
 *
 * X1. The owner's end of the inbox, the waiters and the queue are under the endpoint's lock.
 * Whoever
 *     holds it may take what is there and hand it out: answers to who asked, the rest to who
 *     listens, or to the queue.
 * X2. One of the waiters pumps: it puts the inbox to sleep, and sleeps on the endpoint's own bell,
 *     the others on theirs. A pump that leaves names a successor. So a push wakes one thread, which
 *     wakes whom it concerns.
 * X3. The inbox is ASLEEP only while the pumping thread sleeps, or is about to; never on the simple
 *     base, where waiting is running the system. */
#ifndef THI_SYSTEM_WAITING_H
#define THI_SYSTEM_WAITING_H

#include "runtime/base/bell.h"
#include <thespis/msg.h>

struct thi_external;

/* A thread that waits. Lies on its stack. */
struct thi_waiter {
    th_addr want; /* the reply address, or the endpoint's own to listen */
    th_msg *got;  /* [give] */
    bool pumps;   /* X2 */
    bool sleeps;  /* on its bell, or is about to */
    struct thi_bell bell;
    struct thi_waiter *next, *prev;
};

/* All under the endpoint's lock; on the simple base under step.lock, too. */

/* Takes what is in the inbox and hands it out. */
void thi_waiting_pump(struct thi_external *external);

/* The longest waiting message of those nobody waited for, or NULL. */
th_msg *thi_waiting_take(struct thi_external *external);

void thi_waiting_join(struct thi_external *external, struct thi_waiter *waiter);

/* Until @waiter has got something. TH_E_TIMEOUT, TH_E_CLOSED. The lock is given up meanwhile. */
th_err thi_waiting_await(struct thi_external *external, struct thi_waiter *waiter,
                         uint64_t timeout_ns);

void thi_waiting_leave(struct thi_external *external, struct thi_waiter *waiter);

/* The endpoint is over: every wait ends. */
void thi_waiting_end(struct thi_external *external);

#endif
