/* runtime/actor/detour.c: deliveries to actors of which something more is asked.
 *
 * The way of nearly every message tests one word of flags and calls the class's handler. What few
 * actors want beside that stands here, in the order in which it applies, behind THI_CELL_DETOUR;
 * the flag is up as long as any of it is wanted. */
#include "runtime/actor/detour.h"

#include "runtime/actor/ask.h"
#include "runtime/actor/behaviour.h"
#include "runtime/actor/dispatch.h"
#include "runtime/actor/initial.h"
#include "runtime/actor/measure.h"
#include "runtime/actor/record.h"
#include "runtime/actor/stage.h"
#include "runtime/actor/stash.h"
#include "runtime/actor/transient.h"

/* Whether turns are run as when nobody wants to know anything. */
static bool is_plain(const struct thi_worker *worker)
{
    return worker->step ? worker->step->run == worker->step->ops->run
                        : worker->run == worker->pool->options.ops->run;
}

void thi_detour_settle(struct thi_cell *cell)
{
    if ((cell->extra && cell->extra->inject_times) || thi_transient_is_watching(cell) ||
        thi_initial_is_waiting(cell) || thi_behaviour_is_changed(cell) ||
        thi_measure_is_wanted(cell))
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
    thi_detour_settle(cell);
    return TH_OK;
}

static th_err deliver(th_self *self, struct thi_cell *cell, const th_msg *msg)
{
    struct thi_cell_extra *extra = cell->extra;

    if (extra && extra->inject_times) {
        extra->inject_times--;
        thi_detour_settle(cell);
        return extra->inject_err;
    }
    if (thi_transient_is_watching(cell) && !(msg->thi_type->flags & TH_TYPE_SYSTEM))
        thi_transient_note(self, cell);
    if (msg->thi_to.slot != cell->slot)
        return thi_ask_answered(self, cell, msg);
    if (thi_initial_is_waiting(cell) && !(msg->thi_type->flags & TH_TYPE_SYSTEM))
        return thi_initial_deliver(self, cell, msg);
    return thi_behave(self, cell, msg);
}

/* The same, timed (sample.h). */
static th_err deliver_timed(th_self *self, struct thi_cell *cell, const th_msg *msg)
{
    struct thi_worker *worker = self->worker;
    uint64_t start = thi_cycles();
    th_err err;

    worker->is_sampling = false;
    if (is_plain(worker))
        thi_detour_settle(cell); /* nobody watches: the way is straight again */
    err = deliver(self, cell, msg);
    thi_measure_handled(worker, cell, thi_cycles_since(start));
    return err;
}

/* For who watches from outside (system/watchdog.c): which delivery this is, and of what. */
th_err thi_detour(th_self *self, struct thi_cell *cell, const th_msg *msg)
{
    struct thi_worker *worker = self->worker;
    /* relaxed, all: only we write them, and a watchdog only compares */
    uint64_t before = atomic_load_explicit(&worker->deliveries, memory_order_relaxed);
    bool is_traced = thi_record_is_wanted(worker);
    struct thi_trace_event event;
    th_err err;

    if (is_plain(worker) && !worker->is_sampling)
        thi_detour_settle(cell); /* it was watched, and is not any more */
    atomic_store_explicit(&worker->deliveries, before + 1, memory_order_relaxed);
    atomic_store_explicit(&worker->handles, msg->thi_type, memory_order_relaxed);
    if (is_traced)
        thi_record_handle(self, msg, &event);
    err = worker->is_sampling ? deliver_timed(self, cell, msg) : deliver(self, cell, msg);
    if (thi_measure_is_wanted(cell))
        thi_measure_count(cell, msg->thi_type, err);
    if (is_traced) {
        event.number = (uint64_t)err;
        thi_record_end(worker, &event);
    }
    atomic_store_explicit(&worker->handles, NULL, memory_order_relaxed);
    if (!is_plain(worker))
        thi_cell_raise(cell, THI_CELL_DETOUR); /* whatever the handler settled */
    return err;
}

/* ---- restart and end ---- */

void thi_detour_restart_begin(struct thi_cell *cell)
{
    if (!cell->extra)
        return;
    thi_behaviours_clear(cell);
    cell->extra->is_restarting = true;
}

th_err thi_detour_restart_end(th_self *self, struct thi_cell *cell, th_err err)
{
    const th_initial *wants = thi_class_initial(cell->klass);

    if (!cell->extra)
        return err;
    if (!err && wants && !thi_initial_is_waiting(cell))
        err = thi_initial_start(self, cell, wants);
    cell->extra->is_restarting = false;
    if (!err)
        err = thi_initial_restart(self, cell);
    if (!err && !thi_initial_is_waiting(cell))
        (void)thi_stash_return(self, cell);
    return err;
}

void thi_detour_fini(th_self *self, struct thi_cell *cell, th_dead_reason reason)
{
    thi_initial_fini(self, cell, reason);
    thi_stash_fini(self, cell, reason);
    thi_behaviours_fini(self->worker->stage, cell);
}
