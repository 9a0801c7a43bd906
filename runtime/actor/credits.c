/* runtime/actor/credits.c: credits taken by senders, and given back by the owner. */
#include "runtime/actor/credits.h"

#include "runtime/actor/ask.h"
#include "runtime/actor/dead_letter.h"
#include "runtime/actor/hold.h"
#include "runtime/actor/mail.h"
#include "runtime/actor/route.h"
#include "runtime/actor/send.h"
#include "runtime/base/trace.h"
#include "mailbox/msg.h"
#include <thespis/assert.h>

/* ---- life ---- */

th_err thi_credits_check(const th_mailbox *mailbox)
{
    if (mailbox->when_full < TH_WHEN_FULL_FAIL || mailbox->when_full > TH_WHEN_FULL_HOLD)
        return TH_E_INVALID;
    if (mailbox->limit == TH_MAILBOX_UNBOUNDED)
        return mailbox->low ? TH_E_INVALID : TH_OK;
    if (mailbox->limit == 0)
        return mailbox->low || mailbox->when_full ? TH_E_INVALID : TH_OK;
    return mailbox->limit > TH_MAILBOX_LIMIT_MAX || mailbox->low >= mailbox->limit ? TH_E_INVALID
                                                                                   : TH_OK;
}

static uint32_t batch_of(uint32_t limit)
{
    uint32_t batch = limit / 8;

    return batch < 1 ? 1 : batch > TH_MAILBOX_BATCH_MAX ? TH_MAILBOX_BATCH_MAX : batch;
}

th_err thi_credits_make(struct thi_stage *stage, struct thi_cell *cell, const th_mailbox *mailbox)
{
    struct thi_credits *credits;

    if (mailbox->limit == 0 || mailbox->limit == TH_MAILBOX_UNBOUNDED)
        return TH_OK;
    if (!thi_cell_extra(stage, cell))
        return TH_E_NOMEM;
    credits = thi_memory_take(&stage->memory, sizeof(*credits));
    if (!credits)
        return TH_E_NOMEM;
    credits->limit = mailbox->limit;
    credits->low = mailbox->low ? mailbox->low : mailbox->limit / 2;
    credits->high = credits->low + (credits->limit - credits->low + 1) / 2;
    credits->batch = batch_of(credits->limit);
    credits->when_full = mailbox->when_full;
    thi_inbox_init(&credits->inbox, THI_INBOX_EMPTY); /* awake, as the cell is */
    cell->extra->credits = credits;
    thi_cell_raise(cell, THI_CELL_GATED);
    return TH_OK;
}

void thi_credits_show(struct thi_cell *cell)
{
    /* release: the block; pairs with the acquires in thi_credits_of() and thi_inbox_push() */
    atomic_store_explicit(&cell->inbox.top, THI_INBOX_ALIAS, memory_order_release);
}

void thi_credits_free(struct thi_stage *stage, struct thi_credits *credits)
{
    thi_memory_give(&stage->memory, credits, sizeof(*credits));
}

/* ---- the sender's side ---- */

/* A credit, if no more than @most are out then. *@used_out: how many are. */
static bool take(struct thi_credits *credits, uint32_t most, uint64_t *used_out)
{
    uint64_t word = thi_credits_look(credits);

    do {
        *used_out = thi_credits_used(word) + 1;
        if (word & THI_CREDITS_CLOSED) {
            *used_out = 0;
            return true; /* its inbox decides */
        }
        if (*used_out > most)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&credits->word, &word, word + THI_CREDITS_ONE,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

/* A credit, past the limit if need be, by a sender that can be held. */
static bool take_anyway(struct thi_credits *credits, uint64_t *used_out)
{
    uint64_t word;

    if (credits->most)
        return take(credits, credits->most, used_out);
    word = atomic_fetch_add_explicit(&credits->word, THI_CREDITS_ONE, memory_order_relaxed);
    *used_out = word & THI_CREDITS_CLOSED ? 0 : thi_credits_used(word) + 1;
    return true;
}

static th_err refuse(th_self *self, struct thi_credits *credits, th_msg *msg, bool may_refuse)
{
    if (credits->when_full == TH_WHEN_FULL_DROP || !may_refuse) {
        thi_undeliverable(self, msg, TH_DEAD_FULL);
        return TH_OK;
    }
    thi_uncount(self, THI_STAT_ACCEPTED);
    thi_count(self, THI_STAT_FULL);
    th_msg_destroy(self, msg);
    return TH_E_FULL;
}

enum thi_push thi_cell_push(struct thi_cell *cell, th_msg *msg)
{
    bool is_urgent = thi_mail_is_urgent(msg->thi_type);
    enum thi_push push = thi_inbox_push(&cell->inbox, msg, is_urgent);

    if (push == THI_PUSH_ALIAS && thi_credits_stand(cell))
        push = thi_inbox_push(&cell->extra->credits->inbox, msg, is_urgent);
    return push;
}

uintptr_t thi_cell_close_owner(struct thi_cell *cell)
{
    struct thi_inbox *inbox = thi_cell_inbox(cell);
    uintptr_t mail = thi_inbox_close_owner(inbox);

    if (inbox != &cell->inbox)
        (void)thi_inbox_close_owner(&cell->inbox);
    return mail;
}

static void put(th_self *self, struct thi_cell *cell, th_msg *msg)
{
    switch (thi_cell_push(cell, msg)) {
    case THI_PUSH_QUEUED: return;
    case THI_PUSH_WOKE: thi_cell_schedule(self, cell); return;
    case THI_PUSH_ALIAS:
    case THI_PUSH_CLOSED:
        thi_undeliverable(self, msg,
                          msg->thi_to.system == thi_stage_of(self)->id ? TH_DEAD_NO_ACTOR
                                                                       : TH_DEAD_FOREIGN);
    }
}

/* A message that takes a credit. */
static th_err deliver(th_self *self, struct thi_cell *cell, th_msg *msg, bool may_refuse)
{
    struct thi_credits *credits = cell->extra->credits;
    bool may_hold = credits->when_full == TH_WHEN_FULL_HOLD && self->worker;
    uint64_t used;

    if (may_hold ? !take_anyway(credits, &used) : !take(credits, credits->limit, &used))
        return refuse(self, credits, msg, may_refuse);
    put(self, cell, msg);
    if (may_hold && used >= credits->limit)
        thi_hold(self, cell);
    return TH_OK;
}

th_err thi_credits_deliver(th_self *self, struct thi_cell *cell, th_msg *msg, bool may_refuse)
{
    if (thi_credits_count(cell, msg))
        return deliver(self, cell, msg, may_refuse);
    put(self, cell, msg);
    return TH_OK;
}

th_err thi_credits_deliver_away(th_self *self, struct thi_cell *box, th_msg *msg, bool may_refuse)
{
    if (!(msg->thi_type->flags & TH_TYPE_SYSTEM))
        return deliver(self, box, msg, may_refuse);
    put(self, box, msg);
    return TH_OK;
}

/* ---- the owner's side ---- */

void thi_credits_give(th_self *self, struct thi_cell *cell, uint32_t count)
{
    struct thi_credits *credits = cell->extra->credits;
    uint64_t given = count * THI_CREDITS_ONE, word;

    word = atomic_fetch_sub_explicit(&credits->word, given, memory_order_relaxed);
    TH_ASSERT(word >= given); /* B1 */
    if (TH_UNLIKELY(word & THI_CREDITS_WAITERS) && thi_credits_used(word - given) <= credits->low)
        thi_hold_release(self, cell); /* B2 */
}

/* What the owner's turn has kept back. */
static void give(th_self *self, struct thi_cell *cell, struct thi_credits *credits)
{
    uint32_t begun = credits->begun;

    credits->begun = 0;
    thi_credits_give(self, cell, begun);
}

void thi_credits_begin(th_self *self, struct thi_cell *cell)
{
    struct thi_credits *credits = cell->extra->credits;

    if (thi_cell_life(cell) == THI_CELL_RUNNING && ++credits->begun >= credits->batch)
        give(self, cell, credits);
}

void thi_credits_settle(th_self *self, struct thi_cell *cell)
{
    struct thi_credits *credits = cell->extra->credits;

    if (credits->begun)
        give(self, cell, credits);
}

void thi_credits_again(struct thi_cell *cell, uint32_t count)
{
    if (cell->extra->credits)
        atomic_fetch_add_explicit(&cell->extra->credits->word, count * THI_CREDITS_ONE,
                                  memory_order_relaxed);
}

void thi_credits_close(th_self *self, struct thi_cell *cell)
{
    struct thi_credits *credits = cell->extra ? cell->extra->credits : NULL;
    uint64_t word;

    thi_hold_over(self, cell);
    if (!credits)
        return;
    word = atomic_fetch_or_explicit(&credits->word, THI_CREDITS_CLOSED, memory_order_relaxed);
    credits->begun = 0;
    if (word & THI_CREDITS_WAITERS)
        thi_hold_release(self, cell);
}

/* ---- the front door ---- */

/* In a read section. */
static th_verdict offer(th_self *self, struct thi_cell *cell, th_msg *msg, bool is_away)
{
    struct thi_credits *credits = thi_credits_of(cell);
    bool counts = credits && (is_away ? !(msg->thi_type->flags & TH_TYPE_SYSTEM)
                                      : thi_credits_count(cell, msg));
    uint64_t used = 0;

    if (!thi_hold_is_alive(cell))
        return TH_OFFER_CLOSED;
    if (counts && !take(credits, credits->limit, &used)) {
        thi_count(self, THI_STAT_FULL);
        return TH_OFFER_WOULD_BLOCK;
    }
    thi_count(self, THI_STAT_ACCEPTED);
    thi_point_deliver(msg, msg->thi_type);
    switch (thi_cell_push(cell, msg)) {
    case THI_PUSH_QUEUED: break;
    case THI_PUSH_WOKE: thi_cell_schedule(self, cell); break;
    case THI_PUSH_CLOSED: thi_uncount(self, THI_STAT_ACCEPTED); return TH_OFFER_CLOSED;
    case THI_PUSH_ALIAS: thi_alias_answer(self, cell, msg); break;
    }
    return used && used >= credits->high ? TH_OFFER_HIGH : TH_OFFER_QUEUED;
}

th_err th_offer(th_self *self, th_addr to, th_msg *msg, th_verdict *verdict_out)
{
    struct thi_stage *stage;
    struct thi_cell *cell;
    bool is_away;
    th_err err;

    if (!self)
        return TH_E_INVALID;
    stage = thi_stage_of(self);
    err = thi_send_check(self, to, msg);
    if (!err && !verdict_out)
        err = TH_E_INVALID;
    if (err) {
        th_msg_destroy(self, msg);
        return err;
    }
    msg->thi_from = thi_self_addr(self);
    msg->thi_to = to;
    is_away = to.system != stage->id;
    thi_stage_enter(stage);
    cell = is_away ? thi_route_box(stage, to) : thi_directory_find(&stage->directory, to);
    if (is_away && !cell)
        err = TH_E_FOREIGN;
    else
        *verdict_out = cell ? offer(self, cell, msg, is_away) : TH_OFFER_CLOSED;
    thi_stage_leave(stage);
    if (err)
        th_msg_destroy(self, msg);
    return err;
}
