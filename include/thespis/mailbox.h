/* mailbox.h: limits of a mailbox, and what a sender may do about a full one.
 *
 * A mailbox is unbounded unless its actor's class (actor.h, th_class.mailbox) or its spawn options
 * give it a limit. The limit is counted in credits: a message takes one when it is accepted and
 * gives it back when its handling begins; give-backs travel in batches of at most an eighth of the
 * limit. Only what users send counts: system messages, wakeups, poison, dead letters and answers to
 * open questions always get through, and so does a retry. What its actor has stashed (behaviour.h)
 * has begun and takes no credit; put back, it takes one again, past the limit if need be.
 *
 * What becomes of a message for which there is no credit is the mailbox's policy:
 *
 *     FAIL   the send answers TH_E_FULL, the message is destroyed
 *     DROP   the send answers TH_OK, the message is a dead letter with TH_DEAD_FULL
 *     HOLD   the message is accepted, and an actor that sent it is held: after this handler it gets
 *            no more plain messages until the mailbox has drained to its low-water mark
 *
 * A held actor still gets wakeups, answers to its questions and what the system tells it: exit
 * requests, child-exited and poison, unless plain mail of the same sender waits before them. Mail
 * to it waits meanwhile, and if its own mailbox is bounded, those who fill it are held in turn.
 * Holding never deadlocks: an actor is held on one mailbox at a time, one whose wait would close a
 * circle is not held at all (its messages are accepted past the limit, and counted), and who is
 * held on an actor that exits goes on. So a mailbox that holds is bounded by its limit and, for
 * each sender, what that sends in one handler; between actors that fill each other in a circle only
 * by what they do.
 *
 * Endpoints are threads of the program and never held: at the limit a HOLD mailbox answers them
 * TH_E_FULL. A question (th_ask(), th_ask_then()) that finds no credit is answered TH_E_FULL. An
 * actor with a thread of its own is held like any other; its thread sleeps. */
#ifndef THESPIS_MAILBOX_H
#define THESPIS_MAILBOX_H

#include <thespis/msg.h>

typedef struct th_system th_system;

typedef enum th_when_full { TH_WHEN_FULL_FAIL, TH_WHEN_FULL_DROP, TH_WHEN_FULL_HOLD } th_when_full;

/** The limit of a spawn option that lifts its class's. */
#define TH_MAILBOX_UNBOUNDED UINT32_MAX

/** How much may wait in a mailbox. Zero is the default everywhere. */
typedef struct th_mailbox {
    uint32_t limit; /* messages; 0: the class's, or none; at most TH_MAILBOX_LIMIT_MAX */
    uint32_t low;   /* below the limit: where held senders go on; 0: half the limit */
    th_when_full when_full;
} th_mailbox;

/** What became of a message that was offered. */
typedef enum th_verdict {
    TH_OFFER_QUEUED,      /* it is on its way */
    TH_OFFER_HIGH,        /* the same, and the mailbox is past half-way from its low mark to its
                             limit: send less, or wait for th_when_writable() */
    TH_OFFER_WOULD_BLOCK, /* no credit: the message is still yours */
    TH_OFFER_CLOSED       /* the actor is gone, or exiting: the message is still yours */
} th_verdict;

/** A snapshot of one mailbox. */
typedef struct th_mailbox_state {
    uint32_t limit; /* 0: unbounded; then the rest is 0, on the simple base but for is_held */
    uint32_t low;
    uint32_t high; /* where TH_OFFER_HIGH begins */
    th_when_full when_full;
    uint64_t used;    /* credits out: accepted and not begun; past the limit by what holding lets
                         through */
    uint32_t waiters; /* senders held on it, and who waits for th_writable */
    bool is_held;     /* the actor itself is held on another mailbox */
} th_mailbox_state;

TH_BEGIN_C

/** As th_send(), but the caller is never held, and a full mailbox takes nothing, whatever its
 * policy. @msg [take], but with TH_OK and a verdict of WOULD_BLOCK or CLOSED it stays the caller's.
 * An unbounded mailbox answers QUEUED or CLOSED. System messages (an exit request) always fit.
 * TH_E_INVALID: no address or no @verdict_out. TH_E_FOREIGN: of a system that nothing links to
 * this one. TH_E_NOT_ALLOWED, TH_E_STATE, TH_E_CLOSED as th_send(). */
TH_API TH_NODISCARD th_err th_offer(th_self *self, th_addr to, th_msg *msg,
                                    th_verdict *verdict_out);

/** One th_writable to the caller when the mailbox of @to has drained to its low-water mark, or the
 * actor is gone; at once if that is so now, or there is no limit. Asking again before it came
 * changes nothing. TH_E_LIMIT: TH_MAILBOX_WAITERS_MAX. TH_E_FOREIGN, TH_E_NOMEM, TH_E_STATE,
 * TH_E_CLOSED. */
TH_API TH_NODISCARD th_err th_when_writable(th_self *self, th_addr to);

/** How full the mailbox of @actor is, any thread, on both bases. TH_E_NO_ACTOR, TH_E_FOREIGN. */
TH_API TH_NODISCARD th_err th_mailbox_read(th_system *system, th_addr actor,
                                           th_mailbox_state *state_out);

TH_END_C

/** The answer to th_when_writable(). */
#define TH_WRITABLE_FIELDS(F, S)                                                                   \
    F(S, addr, target)                                                                             \
    F(S, bool_, gone) /* the actor is gone or exiting: nothing will fit any more */
TH_MESSAGE(th_writable, TH_WRITABLE_FIELDS);

#endif
