/* runtime/actor/send.h: th_send(): every journey starts. */
#ifndef THI_ACTOR_SEND_H
#define THI_ACTOR_SEND_H

#include "runtime/actor/stage.h"

/* Delivers @msg [take], whose sender and target are set: to a mailbox, or into the dead-letter
 * funnel. Local sends, wakeups, the runtime's own messages and (later) arriving frames meet here.
 * @self is who speaks, for the heap and the worker. */
void thi_post(th_self *self, th_msg *msg);

/* The same for one that was counted as accepted before: an answer on its way from an alias to who
 * asked. */
void thi_repost(th_self *self, th_msg *msg);

/* thi_post() with sender and target given. */
static inline void thi_post_to(th_self *self, th_addr from, th_addr to, th_msg *msg)
{
    msg->thi_from = from;
    msg->thi_to = to;
    thi_post(self, msg);
}

/* What th_send() would refuse: the error it would answer, or TH_OK. @self is not NULL. */
th_err thi_send_check(th_self *self, th_addr to, const th_msg *msg);

/* The address @self speaks under. */
static inline th_addr thi_self_addr(const th_self *self)
{
    const struct thi_cell *cell = thi_cell_of_self(self);
    th_addr addr;

    if (TH_UNLIKELY(!self->worker))
        return thi_endpoint_of_self(self)->addr;
    addr.system = self->worker->system;
    addr.slot = cell->slot;
    /* relaxed: it is our own, and we are alive */
    addr.generation = atomic_load_explicit(&cell->generation, memory_order_relaxed);
    return addr;
}

/* Adds one to a counter of @self's worker, or of those that share. */
static inline void thi_count(th_self *self, enum thi_stat which)
{
    if (TH_LIKELY(self->worker))
        thi_stats_add(&self->worker->stats, which, 1);
    else
        thi_stats_add_shared(&thi_stage_of(self)->stats, which, 1);
}

/* Takes one back that thi_count() added. */
static inline void thi_uncount(th_self *self, enum thi_stat which)
{
    if (self->worker)
        thi_stats_add(&self->worker->stats, which, UINT64_MAX);
    else
        thi_stats_add_shared(&thi_stage_of(self)->stats, which, UINT64_MAX);
}

/* Has @cell, whose sleep the caller ended, run (or its thread woken, or its endpoint). */
void thi_cell_schedule(th_self *self, struct thi_cell *cell);

#endif
