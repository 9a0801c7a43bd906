/* runtime/actor/credits.h: mailboxes with a limit.
 *
 * A bounded actor's mailbox is not in its cell but in a block beside it. The cell's own inbox word
 * is ALIAS from before the address is known until the actor's end, "this box stands for another
 * one" (mailbox/inbox.h): so senders to unbounded actors pay nothing, and none can come past the
 * counting. The owner's turns are gate.c's, by THI_CELL_GATED.
 *
 * One word counts: how many credits are out, whether somebody waits for them to come back
 * (WAITERS), and whether nobody counts any more, since the actor exits (CLOSED).
 *
 * B1. A credit is taken before the message is pushed, and given back by the owner after it took the
 *     message: so the count never falls below zero, and is zero when the owner sleeps with an empty
 *     box.
 * B2. WAITERS is set, under stage->hold_lock and in one step, only while more credits are out than
 *     the low mark allows and the word is not CLOSED. Whoever gives the credit back by which that
 *     ends, or closes, finds the bit in the same step: there is no in-between, hence nobody is
 *     forgotten. It then takes all who wait, under the lock.
 * B3. An actor is in at most one list of waiters as held. held_on of a bounded actor says whose,
 *     under the lock, so that from any mailbox the way on can be walked; an actor that this way
 *     leads to is not held. Unbounded actors are on nobody's way.
 * B4. Who waits is a message that will be posted: thi_released to who is held, th_writable to who
 *     asked. Made when the wait begins, so its end needs no memory; posted to the dead it is moot.
 * B5. The block outlives its actor by a grace period, with the cell's extra (cell.c).
 *
 * tests/model/credits.pml searches B1 to B4. */
#ifndef THI_ACTOR_CREDITS_H
#define THI_ACTOR_CREDITS_H

#include "runtime/actor/stage.h"
#include <thespis/mailbox.h>

#define THI_CREDITS_WAITERS ((uint64_t)1)
#define THI_CREDITS_CLOSED  ((uint64_t)2)
#define THI_CREDITS_ONE     ((uint64_t)4)

struct thi_credits {
    /* written by senders and the owner */
    struct thi_inbox inbox;
    _Atomic uint64_t word;

    /* constant */
    uint32_t limit; /* 0: none, the block is there for another reason */
    uint32_t low;
    uint32_t high;
    uint32_t batch; /* credits given back at once, at most */
    uint32_t most;  /* credits out at most, also to senders that are held for it; 0: any number */
    th_when_full when_full;

    /* owner */
    uint32_t begun; /* messages begun whose credits were not given back yet */

    /* under stage->hold_lock */
    th_msg *waiters, *waiters_last; /* B4, FIFO */
    uint32_t waiter_count;
    th_addr held_on; /* B3; none: it is not held */
};

static inline uint64_t thi_credits_used(uint64_t word)
{
    return word / THI_CREDITS_ONE;
}

/* The word as it is. From any thread that found the block. */
static inline uint64_t thi_credits_look(struct thi_credits *credits)
{
    /* relaxed, here and wherever the word is touched: it carries nothing but itself; lists are
     * under the lock, messages in the inbox */
    return atomic_load_explicit(&credits->word, memory_order_relaxed);
}

/* Of a cell whose word was ALIAS, in the same read section: it stands for a bounded mailbox, not
 * for a question. Its actor may have ended since, and the kind be what a dead cell's is (B5). */
static inline bool thi_credits_stand(const struct thi_cell *cell)
{
    return thi_cell_kind(cell) != THI_CELL_ALIAS;
}

/* Of a cell found in a read section (or the owner's own). NULL: it is not bounded. */
static inline struct thi_credits *thi_credits_of(struct thi_cell *cell)
{
    /* acquire: the block; pairs with the release in thi_credits_show() */
    uintptr_t top = atomic_load_explicit(&cell->inbox.top, memory_order_acquire);

    return top == THI_INBOX_ALIAS && thi_credits_stand(cell) ? cell->extra->credits : NULL;
}

/* Where mail for @cell waits. As thi_credits_of(). */
static inline struct thi_inbox *thi_cell_inbox(struct thi_cell *cell)
{
    struct thi_credits *credits = thi_credits_of(cell);

    return credits ? &credits->inbox : &cell->inbox;
}

/* Puts @msg in, counted or not. In a read section; answers as thi_inbox_push(). */
enum thi_push thi_cell_push(struct thi_cell *cell, th_msg *msg);

/* The mailbox of @cell takes nothing any more. What was in it, as thi_inbox_close_owner(). */
uintptr_t thi_cell_close_owner(struct thi_cell *cell);

/* Whether @msg, in the mailbox of @cell, has taken a credit. */
static inline bool thi_credits_count(const struct thi_cell *cell, const th_msg *msg)
{
    return !(msg->thi_type->flags & TH_TYPE_SYSTEM) && msg->thi_to.slot == cell->slot;
}

/* ---- life ---- */

/* Whether @mailbox says anything. */
static inline bool thi_mailbox_says(const th_mailbox *mailbox)
{
    return (mailbox->limit | mailbox->low | (uint32_t)mailbox->when_full) != 0;
}

/* TH_E_INVALID: a mailbox that nobody can have meant. */
th_err thi_credits_check(const th_mailbox *mailbox);

/* The block of a cell that nobody knows yet, if @mailbox has a limit. TH_E_NOMEM. */
th_err thi_credits_make(struct thi_stage *stage, struct thi_cell *cell, const th_mailbox *mailbox);

/* From here on its mail goes to the block. */
void thi_credits_show(struct thi_cell *cell);

/* The owner exits: nothing counts any more, and who waits is told. Also if it is held itself, it is
 * no more. */
void thi_credits_close(th_self *self, struct thi_cell *cell);

/* Nobody can find it any more. */
void thi_credits_free(struct thi_stage *stage, struct thi_credits *credits);

/* ---- the sender's side, in a read section ---- */

/* deliver() for a bounded cell. @msg [take]. @may_refuse: the caller can answer TH_E_FULL; the
 * message, counted as accepted before, is destroyed then. Otherwise it becomes a dead letter. */
th_err thi_credits_deliver(th_self *self, struct thi_cell *cell, th_msg *msg, bool may_refuse);

/* The same for @msg to another system, and the box of the way there (route.h): all but the
 * runtime's own takes a credit. */
th_err thi_credits_deliver_away(th_self *self, struct thi_cell *box, th_msg *msg, bool may_refuse);

/* ---- the owner's side ---- */

/* It begins with a message that took a credit. */
void thi_credits_begin(th_self *self, struct thi_cell *cell);

/* Its turn ends: what it kept back goes back. */
void thi_credits_settle(th_self *self, struct thi_cell *cell);

/* The owner of a box is done with @count messages that took credits. */
void thi_credits_give(th_self *self, struct thi_cell *box, uint32_t count);

/* @count messages that had begun go back into the mailbox, out of the stash: they take their
 * credits again, past the limit if need be. */
void thi_credits_again(struct thi_cell *cell, uint32_t count);

#endif
