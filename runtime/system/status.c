/* runtime/system/status.c: what a system can say about itself. */
#include <string.h>

#include "runtime/system/census.h"
#include "runtime/system/external.h"
#include "runtime/system/report.h"
#include "runtime/actor/initial.h"
#include "runtime/actor/mail.h"
#include "runtime/actor/measure.h"
#include "runtime/actor/report.h"
#include "runtime/actor/send.h"
#include "runtime/actor/stash.h"
#include "runtime/actor/wakeup.h"
#include "mailbox/msg.h"

/* How long an actor may take to say how it is; one that needs longer is stuck in a handler, and is
 * described as seen from outside. Nanoseconds. */
#define ANSWER_NS 100000000u

/* ---- the system ---- */

static void fill_times(th_system *system, th_system_status *status)
{
    struct thi_pool *pool = &system->stage.pool;
    struct thi_samples samples;

    status->measured = system->options.measure && !thi_system_is_simple(system);
    if (!status->measured)
        return;
    memset(&samples, 0, sizeof(samples));
    pthread_mutex_lock(&system->figures_lock);
    if (system->pool_stopped)
        thi_samples_merge(&samples, &pool->ended_samples);
    else
        thi_pool_samples(pool, &samples);
    pthread_mutex_unlock(&system->figures_lock);
    status->waiting = thi_times_of(&samples.waiting);
    status->handling = thi_times_of(&samples.handling);
    /* relaxed, both: figures */
    status->measured_classes =
        atomic_load_explicit(&system->stage.measures.count, memory_order_relaxed);
    status->measured_classes_missed =
        atomic_load_explicit(&system->stage.measures.missed, memory_order_relaxed);
}

static void fill_trace(th_system *system, th_system_status *status)
{
    struct thi_tracing *tracing = &system->tracing;

    /* relaxed, all: figures */
    status->tracing = thi_trace_is_on(&system->stage.trace);
    status->trace_events = atomic_load_explicit(&tracing->events, memory_order_relaxed);
    status->trace_dropped = atomic_load_explicit(&tracing->dropped, memory_order_relaxed);
    status->trace_bytes = atomic_load_explicit(&tracing->bytes, memory_order_relaxed);
    status->trace_failed = atomic_load_explicit(&tracing->has_failed, memory_order_relaxed);
}

static void sum(th_system *system, uint64_t totals[THI_STAT_COUNT], th_pool_status *pool_out)
{
    struct thi_stage *stage = &system->stage;

    thi_stats_sum(&stage->stats, totals);
    if (thi_system_is_simple(system)) {
        thi_stats_sum(&stage->step.worker.stats, totals);
        pool_out->turns = thi_stats_get(&stage->step.worker.stats, THI_STAT_TURNS);
        return;
    }
    pthread_mutex_lock(&system->figures_lock);
    if (system->pool_stopped) {
        thi_stats_sum(&stage->pool.ended, totals);
        pool_out->workers = system->options.workers;
        pool_out->turns = totals[THI_STAT_TURNS];
        pool_out->steals = totals[THI_STAT_STEALS];
        pool_out->parks = totals[THI_STAT_PARKS];
        pool_out->wakes = totals[THI_STAT_WAKES];
        pool_out->rescues = totals[THI_STAT_RESCUES];
    } else {
        thi_pool_stats(&stage->pool, totals);
        thi_pool_status(&stage->pool, pool_out);
    }
    pthread_mutex_unlock(&system->figures_lock);
}

static th_counts counts_of(const uint64_t totals[THI_STAT_COUNT])
{
    th_counts counts = {
        .accepted = totals[THI_STAT_ACCEPTED],
        .handled = totals[THI_STAT_HANDLED],
        .dead = totals[THI_STAT_DEAD],
        .failed = totals[THI_STAT_FAILED],
        .poisoned = totals[THI_STAT_POISONED],
        .letters_dropped = totals[THI_STAT_LETTERS_DROPPED],
        .refused = totals[THI_STAT_REFUSED],
        .stashed = totals[THI_STAT_STASHED],
        .unstashed = totals[THI_STAT_UNSTASHED],
        .stash_refused = totals[THI_STAT_STASH_REFUSED],
        .full = totals[THI_STAT_FULL],
        .holds = totals[THI_STAT_HOLDS],
        .hold_circles = totals[THI_STAT_HOLD_CIRCLES],
        .holds_missed = totals[THI_STAT_HOLDS_MISSED],
        .deputies_opened = totals[THI_STAT_DEPUTIES_OPENED],
        .deputies_refused = totals[THI_STAT_DEPUTIES_REFUSED],
        .spawned = totals[THI_STAT_SPAWNED],
        .exited = totals[THI_STAT_EXITED],
        .wakeups_set = totals[THI_STAT_WAKEUPS_SET],
        .wakeups_fired = totals[THI_STAT_WAKEUPS_FIRED],
        .wakeups_cancelled = totals[THI_STAT_WAKEUPS_CANCELLED],
        .stalls = totals[THI_STAT_STALLS],
        .watches = totals[THI_STAT_WATCHES],
        .links = totals[THI_STAT_LINKS],
        .gone_told = totals[THI_STAT_GONE_TOLD],
        .watch_messages = totals[THI_STAT_WATCH_MESSAGES],
    };

    for (int i = 0; i < TH_DEAD_COUNT; i++)
        counts.dead_by_reason[i] = totals[THI_STAT_DEAD_REASONS + i];
    /* the admin is nobody's business */
    counts.spawned -= counts.spawned > 0;
    return counts;
}

/* What there is before a start, too. */
static void fill_constant(th_system *system, th_system_status *status)
{
    struct thi_stage *stage = &system->stage;

    *status = (th_system_status){
        .name = system->name,
        .base = stage->base,
        .id = stage->id,
        .actors_max = system->options.actors_max,
        .timers_max = stage->timers_max,
        .watches_max = stage->watches.max,
        .memory_max = system->options.memory_max,
        .memory_bytes = thi_memory_bytes(&stage->memory),
        .memory_bytes_peak = thi_memory_peak(&stage->memory),
        .memory_refused = thi_memory_refused(&stage->memory),
    };
    pthread_mutex_lock(&stage->classes_lock);
    status->classes = stage->class_count;
    pthread_mutex_unlock(&stage->classes_lock);
}

th_err th_system_status_read(th_system *system, th_system_status *status_out)
{
    uint64_t totals[THI_STAT_COUNT] = { 0 };
    struct thi_stage *stage;
    th_err err;

    if (!system || !status_out)
        return TH_E_INVALID;
    stage = &system->stage;
    err = thi_system_check(system);
    if (err == TH_E_FORKED)
        return err;
    fill_constant(system, status_out);
    if (err == TH_E_STATE)
        return err;
    sum(system, totals, &status_out->pool);
    fill_times(system, status_out);
    status_out->counts = counts_of(totals);
    status_out->log = (th_log_counts){
        .accepted = totals[THI_STAT_LOG_ACCEPTED],
        .written = totals[THI_STAT_LOG_WRITTEN],
        .suppressed = totals[THI_STAT_LOG_SUPPRESSED],
        .dropped = totals[THI_STAT_LOG_DROPPED],
        .refusals = totals[THI_STAT_LOG_REFUSALS],
        .loggers = totals[THI_STAT_LOG_LOGGERS],
        /* relaxed: a figure */
        .waiting = atomic_load_explicit(&stage->log.waiting, memory_order_relaxed),
    };
    status_out->log_queue_max = stage->log.queue_max;
    fill_trace(system, status_out);
    status_out->uptime_ns = thi_clock_steady(&stage->clock) - system->started_ns;
    /* relaxed, all: figures */
    status_out->shutting_down = atomic_load_explicit(&stage->closing, memory_order_relaxed);
    status_out->endpoints = 1 + atomic_load_explicit(&stage->open_endpoints, memory_order_relaxed);
    status_out->deputies = atomic_load_explicit(&stage->open_deputies, memory_order_relaxed);
    status_out->dead_letter_handlers =
        atomic_load_explicit(&stage->letter_handlers, memory_order_relaxed);
    status_out->capabilities = thi_capabilities_count(stage);
    /* relaxed: a figure */
    status_out->choosy =
        atomic_load_explicit(&stage->capabilities.choosy_count, memory_order_relaxed);
    status_out->names = thi_names_count(&stage->names);
    status_out->wakeups_pending = thi_timers_count(&stage->timers);
    status_out->watches = thi_watches_count(stage);
    if (status_out->counts.exited > status_out->counts.spawned)
        status_out->counts.exited = status_out->counts.spawned; /* the admin, again */
    status_out->actors = status_out->counts.spawned - status_out->counts.exited;
    return err;
}

/* ---- actors ---- */

th_err thi_status_ask(th_system *system, th_addr actor, const th_type *type, th_msg **answer_out)
{
    struct thi_external *self = system->self;
    th_msg *question;

    thi_voice_enter(&self->endpoint.self.voice);
    question = thi_msg_create(&self->heap, type, 0);
    thi_voice_leave(&self->endpoint.self.voice);
    return question ? thi_external_ask(self, actor, question, ANSWER_NS, answer_out) : TH_E_NOMEM;
}

static void take_measured(th_actor_status *status, const struct thi_status *figures)
{
    status->measured = figures->measured;
    status->deliveries = figures->deliveries;
    status->failed = figures->failed;
    status->last_type =
        figures->last_type ? ((const th_type *)(uintptr_t)figures->last_type)->name : NULL;
    status->waiting_times = figures->waiting_times;
    status->handling_times = figures->handling_times;
}

/* Asks the actor's runtime, which answers between two messages. */
static th_err ask(th_system *system, th_actor_status *status)
{
    struct thi_external *self = system->self;
    const struct thi_status *figures;
    th_msg *answer;
    th_err err = thi_status_ask(system, status->addr, &thi_ask_status_type, &answer);

    if (err)
        return err;
    figures = thi_status_of(answer);
    /* seen again, so that all of it is of one moment, or nearly */
    if (!thi_census_find(system, status->addr, status))
        err = TH_E_NO_ACTOR;
    else if (figures) {
        status->parent = figures->parent;
        status->waiting = figures->waiting;
        status->children = figures->children;
        status->wakeups = figures->wakeups;
        status->stashed = figures->stashed;
        take_measured(status, figures);
    }
    th_msg_destroy(&self->endpoint.self, answer);
    return err;
}

/* Simple base, under step.lock: nobody runs, so all can be seen. */
static void look(th_system *system, th_actor_status *status)
{
    struct thi_cell *cell = thi_directory_find(&system->stage.directory, status->addr);
    struct thi_status figures = { 0 };

    thi_report_measured(cell, &figures);
    take_measured(status, &figures);
    status->waiting = thi_census_depth(cell);
    status->parent = (th_addr){ cell->parent_generation ? status->addr.system : 0,
                                cell->parent_slot, cell->parent_generation };
    status->wakeups = thi_wakeups_count(cell);
    status->stashed = thi_stash_count(cell) + thi_initial_count(cell);
    status->waiting += status->stashed;
}

static th_err actor_status(th_system *system, th_addr actor, th_actor_status *status_out)
{
    th_err err = TH_E_NO_ACTOR;

    if (thi_system_is_simple(system)) {
        pthread_mutex_lock(&system->stage.step.lock);
        if (thi_census_find(system, actor, status_out)) {
            look(system, status_out);
            err = TH_OK;
        }
        pthread_mutex_unlock(&system->stage.step.lock);
        return err;
    }
    if (!thi_census_find(system, actor, status_out))
        return err;
    /* an actor that asks would keep a worker waiting, perhaps the one it waits for */
    if (thi_system_is_actors_thread(system))
        return TH_OK;
    err = ask(system, status_out);
    if (err == TH_E_NO_ACTOR && thi_census_find(system, actor, status_out))
        err = TH_OK; /* it is at the very end of its exit */
    return err == TH_E_TIMEOUT || err == TH_E_NOMEM || err == TH_E_LIMIT ? TH_OK : err;
}

th_err th_actor_status_read(th_system *system, th_addr actor, th_actor_status *status_out)
{
    th_err err = thi_system_check(system);

    if (err)
        return err;
    if (!status_out || th_addr_is_none(actor))
        return TH_E_INVALID;
    if (actor.system != system->stage.id)
        return TH_E_FOREIGN;
    return actor_status(system, actor, status_out);
}

/* Of the default endpoint, to an actor that lives. */
static th_err post_measure(th_system *system, th_addr actor, bool on)
{
    struct thi_stage *stage = &system->stage;
    th_self *self = &system->self->endpoint.self;
    struct thi_actor_measure *figures = on ? thi_actor_measure_make(&stage->memory) : NULL;
    th_msg *msg;

    if (on && !figures)
        return TH_E_NOMEM;
    thi_voice_enter(&self->voice);
    msg = thi_msg_create(self->voice.heap, &thi_measure_type, 0);
    thi_voice_leave(&self->voice);
    if (!msg) {
        thi_actor_measure_free(figures);
        return TH_E_NOMEM;
    }
    ((struct thi_measure *)th_msg_body(msg))->figures = figures;
    thi_stage_enter(stage);
    thi_post_to(self, thi_self_addr(self), actor, msg);
    thi_stage_leave(stage);
    return TH_OK;
}

th_err th_actor_measure(th_system *system, th_addr actor, bool on)
{
    th_err err = thi_system_check(system);
    th_actor_status status;

    if (err)
        return err;
    if (th_addr_is_none(actor))
        return TH_E_INVALID;
    if (actor.system != system->stage.id)
        return TH_E_FOREIGN;
    return thi_census_find(system, actor, &status) ? post_measure(system, actor, on)
                                                   : TH_E_NO_ACTOR;
}

th_err th_workers_each(th_system *system,
                       void (*each)(void *context, const th_worker_status *status), void *context)
{
    th_err err = thi_system_check(system);
    th_worker_status *workers;
    size_t count;

    if (err)
        return err;
    if (!each)
        return TH_E_INVALID;
    if (!thi_census_workers(system, &workers, &count))
        return TH_E_NOMEM;
    for (size_t i = 0; i < count && workers[i].kind; i++)
        each(context, &workers[i]);
    thi_memory_give(&system->stage.memory, workers, count * sizeof(*workers));
    return TH_OK;
}

th_err th_blocks_each(th_system *system, void (*each)(void *context, const th_block_status *status),
                      void *context)
{
    th_err err = thi_system_check(system);

    if (err)
        return err;
    if (!each)
        return TH_E_INVALID;
    for (unsigned block = 1; block < THI_BLOCKS; block++) {
        struct thi_block_figures figures = thi_depot_figures(&system->stage.depot, block);
        th_block_status status = { thi_heap_block_sizes[block], figures.carved, figures.shelved };

        each(context, &status);
    }
    return TH_OK;
}

static void each_simple(th_system *system,
                        void (*each)(void *context, const th_actor_status *status), void *context)
{
    th_actor_status status;
    uint32_t slot = 0;
    bool is_idle;

    pthread_mutex_lock(&system->stage.step.lock);
    while (thi_census_next(system, &slot, &status, &is_idle)) {
        look(system, &status);
        each(context, &status);
    }
    pthread_mutex_unlock(&system->stage.step.lock);
}

th_err th_actors_each(th_system *system, void (*each)(void *context, const th_actor_status *status),
                      void *context)
{
    th_err err = thi_system_check(system);
    th_actor_status status;
    uint32_t slot = 0;
    int patience = THI_STATUS_PATIENCE;
    bool is_idle;

    if (err)
        return err;
    if (!each)
        return TH_E_INVALID;
    if (thi_system_is_simple(system)) {
        each_simple(system, each, context);
        return TH_OK;
    }
    if (thi_system_is_actors_thread(system))
        patience = 0; /* as in actor_status() */
    while (thi_census_next(system, &slot, &status, &is_idle)) {
        err = patience > 0 ? ask(system, &status) : TH_OK;
        if (err == TH_E_CLOSED)
            return err;
        if (err == TH_E_TIMEOUT)
            patience--;
        if (err != TH_E_NO_ACTOR) /* it exited meanwhile */
            each(context, &status);
    }
    return TH_OK;
}
