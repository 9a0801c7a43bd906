#include "runtime/actor/transient.h"

#include "runtime/actor/ask.h"
#include "runtime/actor/detour.h"
#include "runtime/actor/mail.h"
#include "runtime/actor/send.h"
#include "mailbox/msg.h"
#include <thespis/config.h>

static uint64_t due(struct thi_transient *transient)
{
    /* relaxed: a moment; the actor looks again before it leaves */
    uint64_t active = atomic_load_explicit(&transient->active_ns, memory_order_relaxed);
    uint64_t idle = thi_clock_after(active, transient->idle_ns);

    return idle < transient->age_deadline ? idle : transient->age_deadline;
}

static void move(struct thi_stage *stage, struct thi_transient *transient, uint64_t deadline)
{
    if (thi_timers_move(&stage->timers, &transient->timer, deadline) && stage->base == TH_BASE_POOL)
        thi_alarm_poke(&stage->alarm);
}

th_err thi_transient_start(th_self *self, struct thi_cell *cell, uint64_t age_ns, uint64_t idle_ns)
{
    struct thi_stage *stage = self->worker->stage;
    struct thi_cell_extra *extra = thi_cell_extra(stage, cell);
    struct thi_transient *transient;
    bool wakes;

    if (!extra)
        return TH_E_NOMEM;
    transient = extra->transient = thi_memory_take(&stage->memory, sizeof(*transient));
    if (!transient)
        return TH_E_NOMEM;
    transient->timer.kind = THI_TIMER_TRANSIENT;
    transient->owner = thi_self_addr(self);
    transient->age_ns = age_ns ? age_ns : TH_FOREVER;
    transient->idle_ns = idle_ns ? idle_ns : TH_FOREVER;
    transient->age_deadline = UINT64_MAX;
    transient->msg = thi_msg_create(&self->worker->heap, &thi_time_up_type, 0);
    if (!transient->msg)
        return TH_E_NOMEM; /* the exit stops what there is */
    thi_detour_settle(cell);
    return thi_timers_add(&stage->timers, &transient->timer, UINT64_MAX, &wakes);
}

bool thi_transient_is_watching(const struct thi_cell *cell)
{
    const struct thi_transient *transient = cell->extra ? cell->extra->transient : NULL;

    return transient && (!transient->has_begun || transient->idle_ns != TH_FOREVER);
}

void thi_transient_note(th_self *self, struct thi_cell *cell)
{
    struct thi_transient *transient = cell->extra->transient;
    struct thi_stage *stage = self->worker->stage;
    uint64_t now = thi_clock_now(&stage->clock);

    /* relaxed: see due() */
    atomic_store_explicit(&transient->active_ns, now, memory_order_relaxed);
    if (transient->has_begun)
        return;
    transient->has_begun = true;
    transient->age_deadline = thi_clock_after(now, transient->age_ns);
    move(stage, transient, due(transient));
    thi_detour_settle(cell);
}

void thi_transient_fire(struct thi_stage *stage, struct thi_timer *timer)
{
    struct thi_transient *transient = (struct thi_transient *)(void *)timer;
    th_self *self = &stage->ticker.self;
    th_addr owner = transient->owner;
    th_msg *msg = transient->msg;
    uint64_t next = due(transient);
    bool is_up = next <= timer->deadline;

    if (is_up) {
        transient->msg = NULL; /* T2; before again(): from then on it is the actor's to free */
        next = UINT64_MAX;
    }
    if (!thi_timers_again(&stage->timers, timer, next)) {
        thi_msg_destroy(self->voice.heap, msg);
        thi_memory_give(&stage->memory, transient, sizeof(*transient));
    } else if (is_up) {
        thi_post_to(self, owner, owner, msg);
    }
}

/* @msg is the one that says so, or will the next time. */
static void wait_on(struct thi_stage *stage, struct thi_transient *transient, th_msg *msg,
                    uint64_t deadline)
{
    transient->msg = msg;
    move(stage, transient, deadline);
}

bool thi_transient_is_up(th_self *self, struct thi_cell *cell, th_msg *msg)
{
    struct thi_transient *transient = cell->extra ? cell->extra->transient : NULL;
    struct thi_stage *stage = self->worker->stage;
    uint64_t now = thi_clock_now(&stage->clock);

    if (transient && due(transient) <= now) {
        transient->msg = thi_msg_create(&self->worker->heap, &thi_time_up_type, 0); /* T4 */
        if (transient->msg)
            return true;
        wait_on(stage, transient, msg, thi_clock_after(now, TH_STALL_NS));
    } else if (transient) {
        wait_on(stage, transient, msg, due(transient));
    } else {
        thi_msg_destroy(&self->worker->heap, msg); /* it is exiting already */
    }
    thi_count(self, THI_STAT_HANDLED);
    return false;
}

void thi_transient_goes_on(th_self *self, struct thi_cell *cell)
{
    struct thi_transient *transient = cell->extra->transient;
    struct thi_stage *stage = self->worker->stage;
    uint64_t now = thi_clock_now(&stage->clock);

    /* relaxed: see due() */
    atomic_store_explicit(&transient->active_ns, now, memory_order_relaxed);
    transient->age_deadline = thi_clock_after(now, transient->age_ns);
    move(stage, transient, due(transient));
}

void thi_transient_stop(th_self *self, struct thi_cell *cell)
{
    struct thi_transient *transient = cell->extra ? cell->extra->transient : NULL;
    struct thi_stage *stage = self->worker->stage;

    if (!transient)
        return;
    cell->extra->transient = NULL;
    if (thi_timers_cancel(&stage->timers, &transient->timer) != THI_CANCEL_REVOKED) {
        thi_msg_destroy(&self->worker->heap, transient->msg);
        thi_memory_give(&stage->memory, transient, sizeof(*transient));
    }
}
