/* runtime/actor/detour.c: deliveries to actors of which something more is asked.
 *
 * The way of nearly every message tests one word of flags and calls the class's handler. What few
 * actors want beside that stands here, in the order in which it applies, behind THI_CELL_DETOUR;
 * the flag is up as long as any of it is wanted. */
#include "runtime/actor/detour.h"

#include "runtime/actor/ask.h"
#include "runtime/actor/dispatch.h"
#include "runtime/actor/stage.h"

/* Whether anything here is still wanted. */
static void settle(struct thi_cell *cell)
{
    if (cell->extra && cell->extra->inject_times)
        thi_cell_raise(cell, THI_CELL_DETOUR);
    else
        thi_cell_lower(cell, THI_CELL_DETOUR);
}

th_err thi_detour_inject(struct thi_stage *stage, struct thi_cell *cell, th_err err, uint32_t times)
{
    struct thi_cell_extra *extra = times ? thi_cell_extra(stage, cell) : cell->extra;

    if (!extra)
        return times ? TH_E_NOMEM : TH_OK;
    extra->inject_err = err;
    extra->inject_times = times;
    settle(cell);
    return TH_OK;
}

static th_err deliver(th_self *self, struct thi_cell *cell, const th_msg *msg)
{
    struct thi_cell_extra *extra = cell->extra;

    if (extra && extra->inject_times) {
        extra->inject_times--;
        settle(cell);
        return extra->inject_err;
    }
    if (msg->thi_to.slot != cell->slot)
        return thi_ask_answered(self, cell, msg);
    return thi_class_receive(self, cell->klass, cell->state, msg);
}

/* The same, timed (sample.h). */
static th_err deliver_timed(th_self *self, struct thi_cell *cell, const th_msg *msg)
{
    struct thi_worker *worker = self->worker;
    uint64_t start = thi_cycles(), cycles;
    th_err err;

    worker->is_sampling = false;
    if (worker->run == worker->pool->options.ops->run)
        settle(cell); /* nobody watches: the way is straight again */
    err = deliver(self, cell, msg);
    cycles = thi_cycles_since(start);
    thi_histogram_add(&worker->samples->handling, thi_cycles_to_ns(&worker->pool->rate, cycles));
    return err;
}

/* For who watches from outside (system/watchdog.c): which delivery this is, and of what. */
th_err thi_detour(th_self *self, struct thi_cell *cell, const th_msg *msg)
{
    struct thi_worker *worker = self->worker;
    /* relaxed, all: only we write them, and a watchdog only compares */
    uint64_t before = atomic_load_explicit(&worker->deliveries, memory_order_relaxed);
    th_err err;

    atomic_store_explicit(&worker->deliveries, before + 1, memory_order_relaxed);
    atomic_store_explicit(&worker->handles, msg->thi_type, memory_order_relaxed);
    err = worker->is_sampling ? deliver_timed(self, cell, msg) : deliver(self, cell, msg);
    atomic_store_explicit(&worker->handles, NULL, memory_order_relaxed);
    return err;
}
