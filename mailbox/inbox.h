/* inbox.h: how mail waits: one lock-free word.
 *
 * The problem: many threads put messages in, one owner takes them out, and whoever puts the first
 * one into the box of a sleeping actor must know it, exactly once, to have the actor run. Asking
 * "was it asleep?" and "put it in" separately needs a fence between the two on both sides. Here
 * both are the same atomic operation on the same word, so there is no in-between.
 *
 * The word, `top`, is one of
 *
 *     EMPTY    the owner runs, or is queued to run, and has no new mail      left by push, sleep,
 *                                                                            close
 *     ASLEEP   nothing to do, nobody will look                               left by push, wake,
 *                                                                            close
 *     CLOSED   for ever: mail is refused                                     never left
 *     ALIAS    for ever, from before the box is shared: this box stands for  left by close
 *              another one, and the pusher is to ask whose
 *     mail     the newest message, which links to the one before, and so on  left by take, close,
 *              to the oldest. Bit 0 (URGENT) says that at least one of them  sleep_after
 *              was pushed as urgent; bit 0 of a message's own link says that
 *              this very one was.
 *
 * push and wake: any thread, beside anything. take, sleep, close and their like: the owner only,
 * one at a time. Whether the memory of the box outlives a push is the caller's affair (an RCU
 * section does it).
 *
 * I1. ASLEEP is left exactly once per sleep, by one push, wake or close. Whoever's operation did it
 *     is told so (WOKE, true, or the value taken) and must have the owner run; so an owner is
 *     never queued twice, and never forgotten.
 * I2. A message is in one stack only, once, and its link belongs to the stack until it is taken.
 *     After push has answered QUEUED or WOKE the pusher may not touch the message; after CLOSED or
 *     ALIAS it still owns it, and thi_next is garbage.
 * I3. The stack is newest first. A producer's second push finds its first at or below the top, so
 *     reversing what was taken restores every producer's order; and since a take empties the word,
 *     everything in one take precedes everything in the next.
 * I4. sleep succeeds only on EMPTY, in one step: mail that arrived before makes it fail, mail that
 *     arrives after finds ASLEEP. There is no third case, hence no lost wake-up.
 * I5. After close has returned, no push answers QUEUED or WOKE any more, and all mail that was ever
 *     accepted has been taken, by earlier takes or by the close itself.
 * I6. A lone message may be handled while it lies in the box (only, sleep_after): one atomic
 *     operation instead of two. Pushers may link to it but never read it, and since its owner does
 *     not free it before it is out of the word, no other message can have its address meanwhile:
 *     sleep_after finds the same word only if nothing came.
 *
 * ABA does no harm: push never follows the word it read, it only stores it. If the same message was
 * taken, freed, allocated and pushed again in between, then it is the top again, and linking to it
 * is right.
 *
 * What was measured against this shape is in docs/internals/mailbox.md. */
#ifndef MAILBOX_INBOX_H
#define MAILBOX_INBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <thespis/assert.h>
#include <thespis/compiler.h>
#include <thespis/msg.h>

/* Messages are aligned to 16 bytes at least, so no pointer is as small as these, and bit 0 of each
 * is free: the states keep it clear, so that `top & THI_INBOX_URGENT` needs no other look. */
#define THI_INBOX_EMPTY  ((uintptr_t)0)
#define THI_INBOX_ASLEEP ((uintptr_t)2)
#define THI_INBOX_CLOSED ((uintptr_t)4)
#define THI_INBOX_ALIAS  ((uintptr_t)6)
#define THI_INBOX_STATES ((uintptr_t)8) /* below it states, from it on mail */
#define THI_INBOX_URGENT ((uintptr_t)1)

enum thi_push {
    THI_PUSH_QUEUED, /* the owner is awake and will see it */
    THI_PUSH_WOKE,   /* we ended its sleep: it is ours to queue, once (I1) */
    THI_PUSH_CLOSED, /* refused; the message is still the caller's */
    THI_PUSH_ALIAS   /* this box stands for another; the message is still the caller's */
};

struct thi_inbox {
    _Atomic uintptr_t top;
};

/** @state: one of the four above. Before anybody else can see the box. */
static inline void thi_inbox_init(struct thi_inbox *inbox, uintptr_t state)
{
    /* relaxed: whatever shows the box to others publishes it */
    atomic_store_explicit(&inbox->top, state, memory_order_relaxed);
}

/** Puts @msg in. From any thread. @urgent: take it before all that is not.
 *  @msg [take] when the answer is QUEUED or WOKE. */
static inline enum thi_push thi_inbox_push(struct thi_inbox *inbox, th_msg *msg, bool urgent)
{
    uintptr_t mark = urgent ? THI_INBOX_URGENT : 0;
    /* acquire, here and on failure below: after CLOSED and ALIAS the caller reads what the owner
     * wrote before; pairs with the release in thi_inbox_close_owner(). (What a box was initialised
     * to comes with the box.) */
    uintptr_t top = atomic_load_explicit(&inbox->top, memory_order_acquire);

    do {
        uintptr_t link = 0;

        if (TH_LIKELY(top >= THI_INBOX_STATES))
            link = top & ~THI_INBOX_URGENT;
        else if (top == THI_INBOX_CLOSED)
            return THI_PUSH_CLOSED;
        else if (top == THI_INBOX_ALIAS)
            return THI_PUSH_ALIAS;
        msg->thi_next = (th_msg *)(link | mark);
        /* release: publishes *msg; pairs with the acquire in thi_inbox_take_owner() and in
         *          thi_inbox_close_owner(). Later pushes are read-modify-writes, so they carry it
         *          on although they replace the value.
         * acquire: who wakes a sleeper hands it to the next worker, which must see what the last
         *          one wrote; pairs with the release in thi_inbox_sleep_owner() and travels on
         *          with the run queue. */
    } while (!atomic_compare_exchange_weak_explicit(
        &inbox->top, &top, (uintptr_t)msg | mark | (top & THI_INBOX_URGENT), memory_order_acq_rel,
        memory_order_acquire));
    return top == THI_INBOX_ASLEEP ? THI_PUSH_WOKE : THI_PUSH_QUEUED; /* I1 */
}

/** All mail there is, newest first, to be handed to thi_inbox_reverse(); EMPTY if none. */
static inline uintptr_t thi_inbox_take_owner(struct thi_inbox *inbox)
{
    /* acquire: the messages are read next; pairs with the release in thi_inbox_push(). No release:
     * who pushes onto EMPTY reads nothing of ours. */
    uintptr_t taken = atomic_exchange_explicit(&inbox->top, THI_INBOX_EMPTY, memory_order_acquire);

#if THI_CHECKED
    /* the owner is awake, and never opens again what it closed */
    TH_ASSERT(taken == THI_INBOX_EMPTY || taken >= THI_INBOX_STATES);
#endif
    return taken;
}

/** Sleeps unless there is mail. False: there is, go on. After true the box may already be
 * somebody else's to run: touch nothing of it. */
static inline bool thi_inbox_sleep_owner(struct thi_inbox *inbox)
{
    uintptr_t empty = THI_INBOX_EMPTY;

    /* release: the next run sees all that this one wrote; pairs with the acquire in
     *          thi_inbox_push() and thi_inbox_wake().
     * relaxed on failure: there is mail, and its take acquires. */
    return atomic_compare_exchange_strong_explicit(&inbox->top, &empty, THI_INBOX_ASLEEP,
                                                   memory_order_release, memory_order_relaxed);
}

/** The message, if exactly one waits and it is not urgent; else NULL. It stays in the box, and the
 * owner may read it there until it takes, closes or sleeps after it; it must not be freed before
 * (I6). */
static inline th_msg *thi_inbox_only_owner(struct thi_inbox *inbox)
{
    /* acquire: the message is read next; pairs with the release in thi_inbox_push() */
    uintptr_t top = atomic_load_explicit(&inbox->top, memory_order_acquire);
    th_msg *msg = (th_msg *)top;

    if (TH_UNLIKELY(top < THI_INBOX_STATES || (top & THI_INBOX_URGENT)))
        return NULL;
    return msg->thi_next ? NULL : msg;
}

/** Takes @only, which thi_inbox_only_owner() gave, and sleeps, in one step. False: more mail came
 * on top of it; everything is still there, @only the oldest. */
static inline bool thi_inbox_sleep_after_owner(struct thi_inbox *inbox, th_msg *only)
{
    uintptr_t top = (uintptr_t)only;

    /* release, relaxed: as in thi_inbox_sleep_owner() */
    return atomic_compare_exchange_strong_explicit(&inbox->top, &top, THI_INBOX_ASLEEP,
                                                   memory_order_release, memory_order_relaxed);
}

/** Ends a sleep without a message. True: it slept, and is the caller's to queue (I1). From any
 * thread. */
static inline bool thi_inbox_wake(struct thi_inbox *inbox)
{
    uintptr_t asleep = THI_INBOX_ASLEEP;

    /* acquire: as in thi_inbox_push(): what the last run wrote travels on with the run queue;
     *          pairs with the release in thi_inbox_sleep_owner().
     * relaxed on failure: it is awake or closed, and nothing is handed on. */
    return atomic_compare_exchange_strong_explicit(&inbox->top, &asleep, THI_INBOX_EMPTY,
                                                   memory_order_acquire, memory_order_relaxed);
}

/** Closes for ever, and gives what was in it: mail, or the state it was in. */
static inline uintptr_t thi_inbox_close_owner(struct thi_inbox *inbox)
{
    /* acquire: as in thi_inbox_take_owner().
     * release: who finds it CLOSED may read why; pairs with the acquire load in thi_inbox_push().
     */
    return atomic_exchange_explicit(&inbox->top, THI_INBOX_CLOSED, memory_order_acq_rel);
}

/** A look without consequence: mail may come right after. From any thread. */
static inline bool thi_inbox_has_mail(struct thi_inbox *inbox)
{
    /* relaxed: nothing is read on the strength of it; the take acquires */
    return atomic_load_explicit(&inbox->top, memory_order_relaxed) >= THI_INBOX_STATES;
}

/** The same for urgent mail. Between two messages of a batch this is all the owner has to ask. */
static inline bool thi_inbox_has_urgent(struct thi_inbox *inbox)
{
    /* relaxed: as above. Only mail has the bit. */
    return (atomic_load_explicit(&inbox->top, memory_order_relaxed) & THI_INBOX_URGENT) != 0;
}

/* The rare half of thi_inbox_reverse(): two chains, each message into the one its link says. */
static inline th_msg *thi_inbox_sort(th_msg *newest, th_msg **urgent_out, th_msg **tail_out)
{
    th_msg *plain = NULL, *urgent = NULL, *tail = NULL;
    th_msg *msg, *next;

    for (msg = newest; msg; msg = next) {
        uintptr_t link = (uintptr_t)msg->thi_next;

        next = (th_msg *)(link & ~THI_INBOX_URGENT);
        if (link & THI_INBOX_URGENT) {
            msg->thi_next = urgent;
            urgent = msg;
            continue;
        }
        if (!plain)
            tail = msg;
        msg->thi_next = plain;
        plain = msg;
    }
    *urgent_out = urgent;
    *tail_out = tail;
    return plain;
}

/** Turns what take or close gave into two chains, oldest first, ended by NULL: returns the plain
 * one, *@tail_out its last message; *@urgent_out the urgent one. Each may be NULL. A state (no
 * mail) gives none. */
static inline th_msg *thi_inbox_reverse(uintptr_t taken, th_msg **urgent_out, th_msg **tail_out)
{
    th_msg *msg, *next, *chain = NULL;

    *urgent_out = NULL;
    *tail_out = NULL;
    if (taken < THI_INBOX_STATES)
        return NULL;
    if (TH_UNLIKELY(taken & THI_INBOX_URGENT))
        return thi_inbox_sort((th_msg *)(taken & ~THI_INBOX_URGENT), urgent_out, tail_out);
    msg = (th_msg *)taken;
    *tail_out = msg;
    for (; msg; msg = next) {
        next = msg->thi_next;
        msg->thi_next = chain;
        chain = msg;
    }
    return chain;
}

#endif
