/* runtime/actor/send.c: th_send(): every journey starts.
 *
 * The target's address becomes a cell (directory.h), one atomic operation puts the message into its
 * inbox and answers what is to be done: nothing, queue the cell, or tell the dead-letter funnel. */
#include "runtime/actor/send.h"

#include "runtime/actor/ask.h"
#include "runtime/actor/credits.h"
#include "runtime/actor/dead_letter.h"
#include "runtime/actor/deputy.h"
#include "runtime/actor/mail.h"
#include "runtime/actor/record.h"
#include "runtime/actor/route.h"
#include "runtime/actor/sample.h"
#include "runtime/base/trace.h"
#include "mailbox/msg.h"
#include <thespis/assert.h>

void thi_cell_schedule(th_self *self, struct thi_cell *cell)
{
    struct thi_stage *stage = thi_stage_of(self);

    switch (thi_cell_kind(cell)) {
    case THI_CELL_ACTOR:
        if (TH_LIKELY(self->worker))
            thi_worker_submit(self->worker, &cell->task);
        else if (stage->base == TH_BASE_SIMPLE)
            thi_step_submit(&stage->step, &cell->task);
        else
            thi_pool_submit(&stage->pool, &cell->task);
        return;
    case THI_CELL_OWN: thi_pool_own_wake(cell->extra->own); return;
    case THI_CELL_ENDPOINT: {
        struct thi_endpoint *endpoint = cell->state;

        endpoint->wake(endpoint);
        return;
    }
    case THI_CELL_ALIAS:
    case THI_CELL_FREE:
    case THI_CELL_PARCEL: break;
    }
    TH_NEVER("a cell that cannot sleep was woken");
}

/* To a box that stands for another one: a question's, or a bounded actor's. */
static th_err deliver_aside(th_self *self, struct thi_cell *cell, th_msg *msg, bool may_refuse)
{
    if (thi_credits_stand(cell))
        return thi_credits_deliver(self, cell, msg, may_refuse);
    thi_alias_answer(self, cell, msg);
    return TH_OK;
}

/* In a read section. @may_refuse: the caller can answer that there is no room. */
static inline __attribute__((always_inline)) th_err deliver(th_self *self,
                                                            struct thi_directory *directory,
                                                            th_msg *msg, bool may_refuse)
{
    enum thi_push push = THI_PUSH_CLOSED;
    struct thi_cell *cell;

    thi_point_deliver(msg, msg->thi_type);
    cell = thi_directory_find(directory, msg->thi_to);
    if (TH_LIKELY(cell))
        push = thi_inbox_push(&cell->inbox, msg, thi_mail_is_urgent(msg->thi_type));
    switch (push) {
    case THI_PUSH_QUEUED: return TH_OK;
    case THI_PUSH_WOKE: /* we ended its sleep, so it is ours to queue, once */
        if (TH_LIKELY(self->worker && thi_cell_kind(cell) == THI_CELL_ACTOR))
            thi_worker_submit(self->worker, &cell->task);
        else
            thi_cell_schedule(self, cell);
        return TH_OK;
    case THI_PUSH_ALIAS: return deliver_aside(self, cell, msg, may_refuse);
    case THI_PUSH_CLOSED:
        if (msg->thi_to.system != directory->system)
            return thi_route_deliver(self, msg, may_refuse);
        thi_undeliverable(self, msg,
                          msg->thi_to.generation & THI_GENERATION_ALIAS ? TH_DEAD_LATE
                                                                        : TH_DEAD_NO_ACTOR);
    }
    return TH_OK;
}

static inline __attribute__((always_inline)) th_err repost(th_self *self, th_msg *msg,
                                                           bool may_refuse)
{
    struct thi_stage *stage = thi_stage_of(self);
    th_err err;

    if (TH_LIKELY(self->worker))
        return deliver(self, &stage->directory, msg, may_refuse);
    thi_stage_enter(stage);
    err = deliver(self, &stage->directory, msg, may_refuse);
    thi_stage_leave(stage);
    return err;
}

void thi_post(th_self *self, th_msg *msg)
{
    thi_count(self, THI_STAT_ACCEPTED);
    (void)repost(self, msg, false);
}

void thi_repost(th_self *self, th_msg *msg)
{
    (void)repost(self, msg, false);
}

/* What the front door refuses of system messages. */
static th_err check_privilege(th_self *self, th_addr to, const th_msg *msg)
{
    struct thi_stage *stage = thi_stage_of(self);
    struct thi_cell *cell;
    th_err err = TH_OK;

    if (msg->thi_type != &th_exit_request_type)
        return TH_OK; /* forwarded: the receiver gets it as a message like any other */
    thi_reclaim_enter();
    cell = thi_directory_find(&stage->directory, to);
    if (th_addr_equal(to, stage->admin) || (cell && (thi_cell_kind(cell) == THI_CELL_ENDPOINT ||
                                                     thi_cell_kind(cell) == THI_CELL_ALIAS)))
        err = TH_E_NOT_ALLOWED;
    thi_reclaim_leave();
    if (err)
        thi_count(self, THI_STAT_REFUSED);
    return err;
}

/* An endpoint of a system that is down, a deputy of an actor that is gone, or an actor inside a
 * blocking call, which has left the pool for the moment. */
static th_err check_speaker(th_self *self, th_addr to)
{
    struct thi_worker *worker = self->worker;

    if (!worker)
        return thi_outsider_check(self);
    if (thi_worker_is_blocking(worker))
        return TH_E_STATE;
    if (worker->heed & THI_HEED_SAMPLE)
        thi_sample_send(self, to);
    return TH_OK;
}

/* For who traces: whoever speaks and may, sends @msg. */
static void record_send(th_self *self, th_addr to, const th_msg *msg)
{
    if (self->worker ? thi_record_is_wanted(self->worker) : thi_record_is_on(self))
        thi_record_send(self, to, msg);
}

/* Why there is no message. */
static th_err check_nothing(th_self *self)
{
    th_err err = thi_voice_take_why(&self->voice);

    if (err == TH_E_NOT_ALLOWED)
        thi_count(self, THI_STAT_REFUSED);
    return err;
}

/* @sends: it is @msg itself that goes out, if it may. */
static inline th_err check(th_self *self, th_addr to, const th_msg *msg, bool sends)
{
    th_err err = TH_OK;

    if (TH_UNLIKELY(!msg))
        return check_nothing(self);
    if (TH_UNLIKELY(th_addr_is_none(to)))
        return TH_E_INVALID;
    if (TH_UNLIKELY(!self->worker || self->worker->heed)) {
        err = check_speaker(self, to);
        if (!err && sends && !(msg->thi_type->flags & TH_TYPE_SYSTEM))
            record_send(self, to, msg);
    }
    if (TH_UNLIKELY(msg->thi_type->flags & TH_TYPE_SYSTEM) && !err) {
        err = check_privilege(self, to, msg);
        if (!err && sends)
            record_send(self, to, msg);
    }
    return err;
}

th_err thi_send_check(th_self *self, th_addr to, const th_msg *msg)
{
    th_err err = check(self, to, msg, true);

    if (!err)
        thi_point_send(self, msg, msg->thi_type);
    return err;
}

th_err th_send(th_self *self, th_addr to, th_msg *msg)
{
    th_err err;

    if (TH_UNLIKELY(!self))
        return TH_E_INVALID; /* a message cannot have been made without one */
    err = check(self, to, msg, true);
    if (TH_UNLIKELY(err)) {
        th_msg_destroy(self, msg);
        return err;
    }
    thi_point_send(self, msg, msg->thi_type);
    msg->thi_from = thi_self_addr(self);
    msg->thi_to = to;
    thi_count(self, THI_STAT_ACCEPTED);
    return repost(self, msg, true);
}

th_err th_forward(th_self *self, th_addr to, const th_msg *msg)
{
    th_addr first;
    th_msg *copy;
    th_err err;

    if (!self || !msg || th_addr_is_none(to))
        return TH_E_INVALID;
    first = msg->thi_from;
    err = check(self, to, msg, false);
    if (err)
        return err;
    copy = th_msg_dup(self, msg);
    if (!copy)
        return thi_voice_take_why(&self->voice);
    copy->thi_from = first;
    copy->thi_to = to;
    thi_count(self, THI_STAT_ACCEPTED);
    thi_point_send(self, copy, copy->thi_type);
    record_send(self, to, copy);
    return repost(self, copy, true);
}
