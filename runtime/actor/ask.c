/* runtime/actor/ask.c: one-shot reply addresses, and asking between actors. */
#include "runtime/actor/ask.h"

#include "runtime/actor/credits.h"
#include "runtime/actor/dead_letter.h"
#include "runtime/actor/mail.h"
#include "runtime/actor/send.h"
#include "runtime/base/trace.h"
#include "mailbox/msg.h"
#include <thespis/assert.h>

/* Who turns ALIAS into CLOSED decides what the asker gets. */
static bool win(struct thi_cell *cell)
{
    uintptr_t alias = THI_INBOX_ALIAS;

    /* acquire: the cell's owner and over, written by thi_alias_open(); the address came with a
     * message that published them. release: the asker, finding it closed, may use them again; pairs
     * with thi_inbox_close_owner(). */
    return atomic_compare_exchange_strong_explicit(&cell->inbox.top, &alias, THI_INBOX_CLOSED,
                                                   memory_order_acq_rel, memory_order_acquire);
}

/* ---- the answerers' side, in a read section ---- */

/* To the asker's own mailbox, still addressed to the alias. */
static void pass_on(th_self *self, struct thi_cell *alias, th_msg *msg)
{
    struct thi_stage *stage = thi_stage_of(self);
    th_addr owner = thi_cell_parent(alias, stage->id);
    struct thi_cell *cell = thi_directory_find(&stage->directory, owner);
    enum thi_push push = THI_PUSH_CLOSED;

    if (cell)
        push = thi_cell_push(cell, msg);
    if (push == THI_PUSH_WOKE)
        thi_cell_schedule(self, cell);
    else if (push != THI_PUSH_QUEUED)
        thi_undeliverable(self, msg, TH_DEAD_LATE);
}

void thi_alias_answer(th_self *self, struct thi_cell *cell, th_msg *msg)
{
    if (!win(cell)) {
        thi_undeliverable(self, msg, TH_DEAD_LATE);
        return;
    }
    th_msg_destroy(self, cell->mail_head); /* the over that is not needed */
    cell->mail_head = NULL;
    pass_on(self, cell, msg);
}

/* The asker is in another system. Without memory it finds out by its own time limit. */
static void give_up_far(th_self *self, th_addr addr, th_err err)
{
    th_msg *over;

    thi_voice_enter(&self->voice);
    over = thi_msg_create(self->voice.heap, &thi_ask_over_type, 0);
    thi_voice_leave(&self->voice);
    if (!over)
        return;
    ((struct thi_ask_over *)th_msg_body(over))->err = err;
    thi_post_to(self, thi_self_addr(self), addr, over);
}

void thi_alias_give_up(th_self *self, th_addr addr, th_err err)
{
    struct thi_stage *stage = thi_stage_of(self);
    struct thi_cell *cell;

    if (TH_UNLIKELY(addr.system != stage->id)) {
        if (addr.system && addr.generation & THI_GENERATION_ALIAS)
            give_up_far(self, addr, err);
        return;
    }
    thi_reclaim_enter();
    cell = thi_directory_find(&stage->directory, addr);
    if (cell && thi_cell_kind(cell) == THI_CELL_ALIAS && win(cell)) {
        th_msg *over = cell->mail_head;

        cell->mail_head = NULL;
        ((struct thi_ask_over *)th_msg_body(over))->err = err;
        over->thi_to = addr;
        thi_count(self, THI_STAT_ACCEPTED);
        pass_on(self, cell, over);
    }
    thi_reclaim_leave();
}

void thi_alias_fire(struct thi_stage *stage, th_self *self, struct thi_timer *timer)
{
    struct thi_alias *alias = (struct thi_alias *)(void *)timer;
    th_addr addr = alias->addr;

    if (thi_timers_done(&stage->timers, timer))
        thi_alias_give_up(self, addr, TH_E_TIMEOUT);
    else
        thi_memory_give(&stage->memory, alias, sizeof(*alias)); /* revoked: ours */
}

/* ---- the asker's side ---- */

/* Puts @alias behind a cell that nobody knows yet. */
static void dress(th_self *self, struct thi_alias *alias, struct thi_cell *cell, th_msg *over)
{
    struct thi_stage *stage = thi_stage_of(self);
    th_addr me = thi_self_addr(self);
    uint32_t generation;

    alias->cell = cell;
    /* relaxed, both: ours */
    generation = atomic_load_explicit(&cell->generation, memory_order_relaxed);
    generation |= THI_GENERATION_ALIAS;
    atomic_store_explicit(&cell->generation, generation, memory_order_relaxed);
    alias->addr = (th_addr){ stage->id, cell->slot, generation };
    cell->state = alias;
    cell->mail_head = over;
    thi_cell_set_parent(cell, me);
    thi_inbox_init(&cell->inbox, THI_INBOX_ALIAS);
}

static th_err arm(struct thi_stage *stage, struct thi_alias *alias, uint64_t timeout_ns)
{
    uint64_t now, deadline;
    bool wakes = false;
    th_err err;

    if (timeout_ns == TH_FOREVER)
        return TH_OK;
    now = thi_clock_now(&stage->clock);
    deadline = timeout_ns < TH_FOREVER - now ? now + timeout_ns : TH_FOREVER;
    alias->timer.kind = THI_TIMER_ALIAS;
    err = thi_timers_add(&stage->timers, &alias->timer, deadline, &wakes);
    if (wakes)
        thi_stage_timer_added(stage, true); /* only actors' questions have timers */
    return err;
}

struct thi_alias *thi_alias_open(th_self *self, uint64_t timeout_ns, th_err *why)
{
    struct thi_stage *stage = thi_stage_of(self);
    struct thi_alias *alias = thi_memory_take(&stage->memory, sizeof(*alias));
    struct thi_cell *cell = NULL;
    th_msg *over;

    thi_voice_enter(&self->voice);
    over = thi_msg_create(self->voice.heap, &thi_ask_over_type, 0);
    thi_voice_leave(&self->voice);
    *why = TH_E_NOMEM;
    if (alias && over)
        cell = thi_cell_take(self, THI_CELL_ALIAS, why);
    if (!cell) {
        th_msg_destroy(self, over);
        thi_memory_give(&stage->memory, alias, sizeof(*alias));
        return NULL;
    }
    dress(self, alias, cell, over);
    *why = arm(stage, alias, timeout_ns);
    if (*why) {
        thi_alias_close(self, alias);
        return NULL;
    }
    return alias;
}

static void unlist(th_self *self, struct thi_alias *alias)
{
    struct thi_cell_extra *extra = thi_cell_of_self(self)->extra;

    if (alias->prev)
        alias->prev->next = alias->next;
    else
        extra->asks = alias->next;
    if (alias->next)
        alias->next->prev = alias->prev;
}

void thi_alias_close(th_self *self, struct thi_alias *alias)
{
    struct thi_stage *stage = thi_stage_of(self);
    struct thi_cell *cell = alias->cell;

    if (alias->is_listed)
        unlist(self, alias);
    if (thi_inbox_close_owner(&cell->inbox) == THI_INBOX_ALIAS) {
        th_msg_destroy(self, cell->mail_head); /* nobody answered, and nobody will */
        cell->mail_head = NULL;
    }
    thi_cell_retire(self, cell);
    if (thi_timers_cancel(&stage->timers, &alias->timer) != THI_CANCEL_REVOKED)
        thi_memory_give(&stage->memory, alias, sizeof(*alias));
}

/* In the asker's turn, so in a read section: the open question that @msg answers, or NULL. */
static struct thi_alias *find(th_self *self, const th_msg *msg)
{
    struct thi_stage *stage = thi_stage_of(self);
    struct thi_cell *cell = thi_directory_find(&stage->directory, msg->thi_to);
    th_addr me = thi_self_addr(self);

    /* an alias is closed by its owner only, and that is us: no race with its end */
    if (!cell || thi_cell_kind(cell) != THI_CELL_ALIAS ||
        !th_addr_equal(thi_cell_parent(cell, stage->id), me))
        return NULL;
    return cell->state;
}

bool thi_ask_is_open(th_self *self, const th_msg *msg)
{
    return find(self, msg) != NULL;
}

th_err thi_ask_answered(th_self *self, struct thi_cell *cell, const th_msg *msg)
{
    struct thi_alias *alias = find(self, msg);
    const struct thi_ask_over *over = thi_ask_over_of(msg);

    th_err err;

    if (!alias)
        return TH_OK; /* closed by the first delivery's own doing */
    thi_point_handle_begin(self, msg, cell->klass);
    err = over ? alias->then(self, cell->state, NULL, (th_err)over->err, alias->token)
               : alias->then(self, cell->state, msg, TH_OK, alias->token);
    thi_point_handle_end(self, msg, (int)err);
    return err;
}

void thi_ask_finished(th_self *self, struct thi_cell *cell, const th_msg *msg)
{
    struct thi_alias *alias = find(self, msg);

    (void)cell;
    if (alias)
        thi_alias_close(self, alias);
}

void thi_asks_close(th_self *self, struct thi_cell *cell)
{
    while (cell->extra->asks)
        thi_alias_close(self, cell->extra->asks);
}

/* ---- the front door ---- */

static th_err check(th_self *self, th_addr to, const th_msg *msg, th_answer then)
{
    if (!msg)
        return thi_voice_take_why(&self->voice);
    if (!then || th_addr_is_none(to) || msg->thi_type->flags & TH_TYPE_SYSTEM)
        return TH_E_INVALID;
    if (!self->worker)
        return TH_E_NOT_HERE;
    return thi_worker_is_blocking(self->worker) ? TH_E_STATE : TH_OK;
}

th_err th_ask_then(th_self *self, th_addr to, th_msg *msg, uint64_t timeout_ns, th_answer then,
                   uint64_t token)
{
    struct thi_cell_extra *extra;
    struct thi_alias *alias = NULL;
    th_err err;

    if (!self)
        return TH_E_INVALID;
    err = check(self, to, msg, then);
    if (!err && !(extra = thi_cell_extra(self->worker->stage, thi_cell_of_self(self))))
        err = TH_E_NOMEM;
    if (!err)
        alias = thi_alias_open(self, timeout_ns, &err);
    if (err) {
        th_msg_destroy(self, msg);
        return err;
    }
    alias->then = then;
    alias->token = token;
    alias->is_listed = true;
    alias->next = extra->asks;
    if (alias->next)
        alias->next->prev = alias;
    extra->asks = alias;
    thi_post_to(self, alias->addr, to, msg);
    return TH_OK;
}
