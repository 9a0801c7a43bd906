#include "runtime/actor/record.h"

#include "runtime/actor/send.h"

static uint64_t now(struct thi_stage *stage)
{
    return thi_trace_now(&stage->trace, stage->trace.is_direct ? thi_clock_now(&stage->clock) : 0);
}

bool thi_record_is_wanted(struct thi_worker *worker)
{
    if (!(worker->heed & THI_HEED_TRACE))
        return false;
    if (thi_trace_is_on(worker->trace))
        return true;
    thi_worker_heed(worker, THI_HEED_TRACE, false); /* it is over */
    return false;
}

static void put(struct thi_stage *stage, struct thi_worker *worker, struct thi_trace_event *event)
{
    event->track = worker ? worker->track : THI_TRACK_OUTSIDE;
    thi_trace_put(&stage->trace, worker ? &worker->traced : NULL, event);
}

void thi_record(th_self *self, enum thi_trace_kind kind, const char *name, th_addr actor,
                th_addr other, uint64_t number)
{
    struct thi_stage *stage = thi_stage_of(self);
    struct thi_trace_event event = {
        .kind = kind,
        .at = now(stage),
        .name = name,
        .actor = actor,
        .other = other,
        .number = number,
    };

    put(stage, self->worker, &event);
}

static th_addr addr_of(struct thi_stage *stage, const struct thi_cell *cell)
{
    /* relaxed: it is alive, and nobody else's at that moment */
    return (th_addr){ stage->id, cell->slot,
                      atomic_load_explicit(&cell->generation, memory_order_relaxed) };
}

void thi_record_spawn(th_self *self, const struct thi_cell *cell)
{
    thi_record(self, THI_TRACE_SPAWN, cell->klass->name, addr_of(thi_stage_of(self), cell),
               thi_self_addr(self), 0);
}

void thi_record_exit(th_self *self, const struct thi_cell *cell)
{
    struct thi_stage *stage = thi_stage_of(self);

    thi_record(self, THI_TRACE_EXIT, cell->klass->name, addr_of(stage, cell),
               thi_cell_parent(cell, stage->id), cell->exit_reason);
}

void thi_record_send(th_self *self, th_addr to, const th_msg *msg)
{
    struct thi_stage *stage = thi_stage_of(self);
    struct thi_trace_event event = {
        .kind = THI_TRACE_SEND,
        .at = now(stage),
        .name = msg->thi_type->name,
        .msg = msg,
        .actor = thi_self_addr(self),
        .other = to,
    };

    put(stage, self->worker, &event);
}

void thi_record_turn(struct thi_worker *worker, const struct thi_cell *cell,
                     struct thi_trace_event *event_out)
{
    *event_out = (struct thi_trace_event){
        .kind = THI_TRACE_TURN,
        .at = now(worker->stage),
        .name = cell->klass->name,
        .actor = addr_of(worker->stage, cell),
    };
}

void thi_record_handle(th_self *self, const th_msg *msg, struct thi_trace_event *event_out)
{
    *event_out = (struct thi_trace_event){
        .kind = THI_TRACE_HANDLE,
        .at = now(self->worker->stage),
        .name = msg->thi_type->name,
        .msg = msg,
        .actor = thi_self_addr(self),
        .other = msg->thi_from,
    };
}

void thi_record_end(struct thi_worker *worker, struct thi_trace_event *event)
{
    event->until = now(worker->stage);
    put(worker->stage, worker, event);
}
