/* runtime/actor/hold.c: who waits until a mailbox has drained.
 *
 * All of this is the rare path: one lock for a whole stage, taken when a mailbox is full and when
 * one that somebody waits for has drained; nothing is posted under it. */
#include "runtime/actor/hold.h"

#include "runtime/actor/deputy.h"
#include "runtime/actor/mail.h"
#include "runtime/actor/record.h"
#include "runtime/actor/route.h"
#include "runtime/actor/send.h"
#include "runtime/base/trace.h"
#include "mailbox/msg.h"
#include <thespis/assert.h>

/* ---- the list of a mailbox, under the lock ---- */

/* B2. false: it has drained, or its actor exits; nobody would come. */
static bool mark(struct thi_credits *credits)
{
    uint64_t word = thi_credits_look(credits);

    do {
        if (word & THI_CREDITS_CLOSED || thi_credits_used(word) <= credits->low)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&credits->word, &word,
                                                    word | THI_CREDITS_WAITERS,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

static void append(struct thi_credits *credits, th_msg *msg)
{
    msg->thi_next = NULL;
    if (credits->waiters)
        credits->waiters_last->thi_next = msg;
    else
        credits->waiters = msg;
    credits->waiters_last = msg;
    credits->waiter_count++;
}

static th_msg *empty(struct thi_credits *credits)
{
    th_msg *all = credits->waiters;

    atomic_fetch_and_explicit(&credits->word, ~THI_CREDITS_WAITERS, memory_order_relaxed);
    credits->waiters = credits->waiters_last = NULL;
    credits->waiter_count = 0;
    return all;
}

/* ---- held senders ---- */

/* Whether the way from @target, from each to whom it is held on, comes to @cell (B3). */
static bool leads_to(struct thi_stage *stage, struct thi_cell *target, const struct thi_cell *cell)
{
    while (target && target != cell) {
        struct thi_credits *credits = thi_credits_of(target);

        /* no block: its exit has closed the cell's word; it waits for nobody */
        if (!credits || th_addr_is_none(credits->held_on))
            return false;
        target = thi_directory_find(&stage->directory, credits->held_on);
    }
    return target == cell;
}

static bool may_be_held(struct thi_stage *stage, const struct thi_cell *cell)
{
    return thi_cell_life(cell) < THI_CELL_EXITING &&
           !(cell->flags & (THI_CELL_HELD | THI_CELL_IN_EXIT)) && cell->slot != stage->admin.slot;
}

/* What became of a hold, as the counter it goes under; COUNT: nothing to be counted. */
static enum thi_stat hold(struct thi_stage *stage, struct thi_cell *cell, struct thi_cell *target,
                          th_msg *note)
{
    struct thi_credits *credits = target->extra->credits;

    if (leads_to(stage, target, cell))
        return THI_STAT_HOLD_CIRCLES;
    if (credits->waiter_count >= TH_MAILBOX_WAITERS_MAX)
        return THI_STAT_HOLDS_MISSED;
    if (!mark(credits))
        return THI_STAT_COUNT;
    append(credits, note);
    if (cell->extra->credits)
        cell->extra->credits->held_on = note->thi_from;
    return THI_STAT_HOLDS;
}

/* For who watches; @on is whose mailbox it waits for. */
static void begin(th_self *self, struct thi_cell *cell, th_addr on)
{
    cell->extra->passed = NULL;
    thi_cell_raise(cell, THI_CELL_HELD);
    thi_point_hold(self, cell->klass, thi_point_addr(on));
    if (thi_record_is_on(self))
        thi_record(self, THI_TRACE_HOLD, cell->klass->name, thi_self_addr(self), on, 0);
}

static void end(th_self *self, struct thi_cell *cell)
{
    thi_cell_lower(cell, THI_CELL_HELD);
    cell->extra->passed = NULL;
    thi_point_resume(self, cell->klass);
    if (thi_record_is_on(self))
        thi_record(self, THI_TRACE_RESUME, cell->klass->name, thi_self_addr(self), th_addr_none(),
                   0);
}

void thi_hold(th_self *self, struct thi_cell *target)
{
    struct thi_cell *cell = thi_cell_of_self(self);
    struct thi_stage *stage = self->worker->stage;
    enum thi_stat what = THI_STAT_HOLDS_MISSED;
    /* relaxed: its generation is constant while we are in a read section */
    th_addr on = { stage->id, target->slot,
                   atomic_load_explicit(&target->generation, memory_order_relaxed) };
    th_msg *note;

    if (!may_be_held(stage, cell))
        return;
    note = thi_msg_create(&self->worker->heap, &thi_released_type, 0);
    if (note && thi_cell_extra(stage, cell)) {
        note->thi_to = thi_self_addr(self);
        note->thi_from = on;
        pthread_mutex_lock(&stage->hold_lock);
        what = hold(stage, cell, target, note);
        pthread_mutex_unlock(&stage->hold_lock);
    }
    if (what != THI_STAT_COUNT)
        thi_count(self, what);
    if (what == THI_STAT_HOLDS)
        begin(self, cell, on); /* the note is not ours any more */
    else
        thi_msg_destroy(&self->worker->heap, note);
}

void thi_hold_over(th_self *self, struct thi_cell *cell)
{
    struct thi_stage *stage = thi_stage_of(self);

    if (!(cell->flags & THI_CELL_HELD))
        return;
    end(self, cell);
    if (!cell->extra->credits)
        return;
    pthread_mutex_lock(&stage->hold_lock);
    cell->extra->credits->held_on = th_addr_none();
    pthread_mutex_unlock(&stage->hold_lock);
}

void thi_hold_released(th_self *self, struct thi_cell *cell, th_addr by)
{
    struct thi_stage *stage = self->worker->stage;
    struct thi_cell *target = thi_directory_find(&stage->directory, by);
    struct thi_credits *credits = target ? thi_credits_of(target) : NULL;

    thi_hold_over(self, cell);
    /* It may have drained while our handler still ran, and been filled by the rest of that. */
    if (credits && thi_credits_used(thi_credits_look(credits)) > credits->limit)
        thi_hold(self, target);
}

/* The way through a held actor ends with its hold, not when it hears of it: else two that were just
 * released could be taken for a circle. Under the lock. */
static void forget(struct thi_stage *stage, th_addr held)
{
    struct thi_cell *cell = thi_directory_find(&stage->directory, held);
    struct thi_credits *credits = cell ? thi_credits_of(cell) : NULL;

    if (credits)
        credits->held_on = th_addr_none();
}

void thi_hold_release(th_self *self, struct thi_cell *cell)
{
    struct thi_stage *stage = thi_stage_of(self);
    struct thi_credits *credits = cell->extra->credits;
    bool is_gone = (thi_credits_look(credits) & THI_CREDITS_CLOSED) != 0;
    th_msg *msg, *next;

    pthread_mutex_lock(&stage->hold_lock);
    msg = empty(credits);
    for (th_msg *one = msg; one; one = one->thi_next)
        if (one->thi_type == &thi_released_type)
            forget(stage, one->thi_to);
    pthread_mutex_unlock(&stage->hold_lock);
    for (; msg; msg = next) {
        next = msg->thi_next;
        if (msg->thi_type == &th_writable_type)
            ((struct th_writable *)th_msg_body(msg))->gone = is_gone;
        thi_post(self, msg);
    }
}

/* ---- who asked to be told ---- */

static bool is_waiting(const struct thi_credits *credits, th_addr who)
{
    const th_msg *msg = credits->waiters;

    while (msg && (msg->thi_type != &th_writable_type || !th_addr_equal(msg->thi_to, who)))
        msg = msg->thi_next;
    return msg != NULL;
}

/* TH_OK: it waits now, or did before (then @msg is destroyed). TH_E_STATE: there is nothing to wait
 * for. */
static th_err wait(th_self *self, struct thi_credits *credits, th_msg *msg)
{
    struct thi_stage *stage = thi_stage_of(self);
    bool is_new = false;
    th_err err = TH_OK;

    pthread_mutex_lock(&stage->hold_lock);
    if (!mark(credits))
        err = TH_E_STATE;
    else if (credits->waiter_count >= TH_MAILBOX_WAITERS_MAX)
        err = TH_E_LIMIT;
    else if ((is_new = !is_waiting(credits, msg->thi_to)))
        append(credits, msg);
    pthread_mutex_unlock(&stage->hold_lock);
    if (err != TH_E_STATE && !is_new)
        th_msg_destroy(self, msg);
    return err;
}

bool thi_hold_is_alive(struct thi_cell *cell)
{
    /* relaxed, both: right at some moment between the call and now is all there is */
    if (thi_cell_kind(cell) <= THI_CELL_OWN && thi_cell_life(cell) >= THI_CELL_EXITING)
        return false;
    return atomic_load_explicit(&cell->inbox.top, memory_order_relaxed) != THI_INBOX_CLOSED;
}

/* In a read section. @msg [take] */
static th_err when_writable(th_self *self, th_addr to, th_msg *msg)
{
    struct thi_stage *stage = thi_stage_of(self);
    bool is_away = to.system != stage->id;
    struct thi_cell *cell =
        is_away ? thi_route_box(stage, to) : thi_directory_find(&stage->directory, to);
    struct thi_credits *credits = cell ? thi_credits_of(cell) : NULL;
    struct th_writable *body = th_msg_body(msg);
    th_err err = TH_E_STATE;

    if (is_away && !cell) {
        th_msg_destroy(self, msg);
        return TH_E_FOREIGN;
    }
    body->target = msg->thi_from = to;
    msg->thi_to = thi_self_addr(self);
    if (credits)
        err = wait(self, credits, msg);
    if (err != TH_E_STATE)
        return err;
    body->gone = !cell || !thi_hold_is_alive(cell);
    thi_post(self, msg);
    return TH_OK;
}

th_err th_when_writable(th_self *self, th_addr to)
{
    struct thi_stage *stage;
    th_msg *msg;
    th_err err;

    if (!self || th_addr_is_none(to))
        return TH_E_INVALID;
    stage = thi_stage_of(self);
    if (self->worker)
        err = self->worker->is_blocking ? TH_E_STATE : TH_OK;
    else
        err = thi_outsider_check(self);
    if (err)
        return err;
    thi_voice_enter(&self->voice);
    msg = thi_msg_create(self->voice.heap, &th_writable_type, 0);
    thi_voice_leave(&self->voice);
    if (!msg)
        return TH_E_NOMEM;
    thi_stage_enter(stage);
    err = when_writable(self, to, msg);
    thi_stage_leave(stage);
    return err;
}
