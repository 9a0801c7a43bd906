/* runtime/system/system.c: a system's life: create, start, destroy; its end is in shutdown.c.
 *
 * What has to hold while threads come and go is in system.h.
 *
 * Past 500 lines: create, start and destroy undo each other step by step, and are read
 * side by side. */
#include "runtime/system/system.h"

#include <thespis/external.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "runtime/system/census.h"
#include "runtime/system/drive.h"
#include "runtime/system/external.h"
#include "runtime/system/report.h"
#include "runtime/system/logging.h"
#include "runtime/admin/admin.h"
#include "runtime/actor/classes.h"
#include "runtime/actor/receive.h"
#include "runtime/actor/route.h"
#include "runtime/actor/send.h"
#include "runtime/actor/spawn.h"
#include "runtime/actor/stall.h"
#include "runtime/actor/type_names.h"
#include "runtime/actor/wakeup.h"
#include "mailbox/msg.h"
#include <thespis/assert.h>

th_err thi_system_check(th_system *system)
{
    if (!system)
        return TH_E_INVALID;
    switch (thi_system_state(system)) {
    case THI_SYSTEM_FORKED: return TH_E_FORKED;
    case THI_SYSTEM_MADE:
    case THI_SYSTEM_STARTING: return TH_E_STATE;
    case THI_SYSTEM_RUNNING: return TH_OK;
    case THI_SYSTEM_DOWN: break;
    }
    return TH_E_CLOSED;
}

/* On the worker that runs the admin's last turn. */
static void admin_gone(struct thi_stage *stage)
{
    th_system *system = stage->system;

    pthread_mutex_lock(&system->lock);
    system->admin_gone = true;
    pthread_cond_broadcast(&system->changed);
    pthread_mutex_unlock(&system->lock);
}

static uint32_t terms_so_far(void)
{
    return thi_signals_count(SIGTERM) + thi_signals_count(SIGINT);
}

/* On the signals' thread. */
static void signalled(th_system *system)
{
    if (!system->hears_term || terms_so_far() == system->term_seen)
        return; /* some other signal, of the actors that asked for it */
    system->term_seen = terms_so_far();
    if (thi_system_is_simple(system))
        /* relaxed: a request, not data; whoever drives looks at each turn */
        atomic_store_explicit(&system->signalled, true, memory_order_relaxed);
    else
        thi_system_ask_shutdown(system);
}

/* ---- create and destroy ---- */

/* A fresh id, which no other system has, here or elsewhere; 0 is nobody's. */
static uint64_t fresh_id(void)
{
    uint64_t id;

    do
        id = thi_random_fresh();
    while (id == 0);
    return id;
}

/* The handle itself is in nobody's byte count: it outlives the count. Allocators promise no more
 * than 16 bytes of alignment, and parts of a system want a cache line. */
static th_system *take_handle(const th_allocator *hooks)
{
    struct thi_memory memory;
    char *block;
    th_system *system;

    if (thi_memory_init(&memory, hooks, 0))
        return NULL;
    block = thi_memory_take(&memory, sizeof(*system) + TH_CACHE_LINE);
    if (!block)
        return NULL;
    system = (th_system *)(void *)(block + TH_CACHE_LINE - (uintptr_t)block % TH_CACHE_LINE);
    system->block = block;
    return system;
}

static void give_handle(th_system *system)
{
    th_allocator hooks = system->stage.memory.hooks;
    void *block = system->block;
    struct thi_memory memory;

    thi_origin_drop(system->stage.origin);
    if (thi_memory_init(&memory, hooks.alloc ? &hooks : NULL, 0))
        TH_NEVER("take_handle() had them");
    thi_memory_give(&memory, block, sizeof(*system) + TH_CACHE_LINE);
}

static void init_changed(pthread_cond_t *changed)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

th_system *th_system_create(const th_options *options)
{
    th_options filled;
    th_system *system;
    struct thi_stage *stage;

    if (thi_options_fill(options, &filled, NULL))
        return NULL;
    system = take_handle(filled.allocator);
    if (!system)
        return NULL;
    stage = &system->stage;
    stage->origin = thi_origin_make();
    if (thi_memory_init(&stage->memory, filled.allocator, 0)) /* the ceiling comes below */
        TH_NEVER("the hooks were checked");
    if (!stage->origin) {
        give_handle(system);
        return NULL;
    }
    /* relaxed: nobody else has it yet */
    atomic_store_explicit(&stage->origin->is_up, true, memory_order_relaxed);
    thi_system_set_state(system, THI_SYSTEM_MADE);
    thi_depot_init(&stage->depot, &stage->memory);
    snprintf(system->name, sizeof(system->name), "%s", filled.name);
    system->options = filled;
    system->options.name = system->name;
    system->options.allocator = NULL; /* copied above */
    system->options.capabilities = NULL;
    system->options.log = NULL; /* copied below */
    thi_logging_init(system, filled.log);
    if (filled.clock) {
        system->clock = *filled.clock;
        system->options.clock = &system->clock;
    }
    if (filled.trace) {
        system->trace = *filled.trace;
        system->options.trace = &system->trace;
    }
    stage->system = system;
    stage->id = fresh_id();
    stage->base = filled.base;
    stage->timers_max = filled.timers_max;
    if (thi_standard_capabilities(system, filled.capabilities)) {
        thi_depot_fini(&stage->depot);
        thi_memory_fini(&stage->memory);
        give_handle(system);
        return NULL;
    }
    stage->memory.max =
        filled.memory_max; /* the handle and what it was made with are not under it */
    stage->shutdown_asked = thi_system_ask_shutdown;
    stage->report = thi_status_answer;
    stage->admin_gone = admin_gone;
    stage->signalled = signalled;
    stage->watches.max = filled.watches_max;
    stage->is_pumped = filled.pumped;
    pthread_mutex_init(&stage->cells_lock, NULL);
    pthread_mutex_init(&stage->hold_lock, NULL);
    pthread_mutex_init(&stage->classes_lock, NULL);
    pthread_mutex_init(&stage->spawn_lock, NULL);
    thi_measures_init(&stage->measures);
    thi_stalls_init(&stage->stalls);
    thi_tracing_init(system);
    pthread_mutex_init(&system->lock, NULL);
    pthread_mutex_init(&system->figures_lock, NULL);
    init_changed(&system->changed);
    return system;
}

/* Everything that start made and a shutdown left (S1), the last first. */
static void clear_stage(th_system *system)
{
    struct thi_stage *stage = &system->stage;

    if (system->exit_request)
        th_msg_destroy(&system->self->endpoint.self, system->exit_request);
    system->exit_request = NULL;
    if (system->self)
        thi_external_close(system->self);
    system->self = NULL;
    if (thi_system_is_simple(system))
        thi_step_stop(&stage->step);
    thi_cells_fini(stage);
    thi_watches_fini(stage);
    thi_heap_fini(&stage->ticker_heap);
    thi_timers_fini(&stage->timers);
    thi_directory_fini(&stage->directory);
}

/* In a forked child: its copy, without waiting for anybody. What the threads had for themselves
 * nobody here knows; it goes with the child, or its exec. */
static void abandon(th_system *system)
{
    struct thi_stage *stage = &system->stage;

    thi_poller_close(&stage->watches.poller);
    if (system->self) { /* it was started */
        thi_watch_table_fini(&stage->watches.table);
        thi_timers_fini(&stage->timers);
        thi_directory_fini(&stage->directory);
    }
    (void)thi_depot_fini(&stage->depot);
    give_handle(system);
}

th_err th_system_destroy(th_system *system)
{
    struct thi_stage *stage;
    uint64_t blocks, bytes;

    if (!system)
        return TH_OK;
    if (thi_system_state(system) == THI_SYSTEM_FORKED) {
        abandon(system);
        return TH_OK;
    }
    stage = &system->stage;
    /* acquire: what the closers did before; pairs with the releases in th_endpoint_close()
     * and th_deputy_close() */
    if (thi_system_state(system) == THI_SYSTEM_STARTING ||
        thi_system_state(system) == THI_SYSTEM_RUNNING ||
        atomic_load_explicit(&stage->open_endpoints, memory_order_acquire) != 0 ||
        atomic_load_explicit(&stage->open_deputies, memory_order_acquire) != 0)
        return TH_E_STATE;
    if (thi_system_state(system) == THI_SYSTEM_DOWN)
        clear_stage(system);
    thi_route_destroy(stage);
    thi_tracing_fini(system);
    thi_classes_fini(stage);
    thi_type_names_fini(stage);
    thi_log_fini(&stage->log);
    thi_names_fini(stage);
    thi_measures_fini(stage);
    thi_capabilities_fini(stage);
    blocks = thi_depot_fini(&stage->depot);
    bytes = thi_memory_fini(&stage->memory);
#if THI_CHECKED
    /* As LeakSanitizer would, for memory that it takes for ours: also a user's th_alloc() or
     * message that was never given back ends a checked program here. */
    if (blocks || bytes)
        fprintf(stderr, "thespis: system \"%s\" is left with %llu blocks and %llu bytes\n",
                system->name, (unsigned long long)blocks, (unsigned long long)bytes);
    TH_ASSERT(blocks == 0 && bytes == 0);
#else
    (void)blocks;
    (void)bytes;
#endif
    pthread_mutex_destroy(&stage->cells_lock);
    pthread_mutex_destroy(&stage->hold_lock);
    pthread_mutex_destroy(&stage->classes_lock);
    pthread_mutex_destroy(&stage->spawn_lock);
    thi_stalls_fini(&stage->stalls);
    pthread_mutex_destroy(&system->lock);
    pthread_mutex_destroy(&system->figures_lock);
    pthread_cond_destroy(&system->changed);
    give_handle(system);
    return TH_OK;
}

/* ---- start ---- */

static th_err start_pool(th_system *system)
{
    struct thi_stage *stage = &system->stage;
    struct thi_pool_options options = {
        .name = system->name,
        .workers = system->options.workers,
        .pin = system->options.pin_workers,
        .sample = system->options.measure,
        .system = stage->id,
        .stage = stage,
        .memory = &stage->memory,
        .depot = &stage->depot,
        .ops = &thi_receive_ops,
        .turn = thi_tracing_turn(system),
        .trace = &stage->trace,
    };
    th_err err;

    err = thi_reclaimer_start(&stage->reclaimer, thi_cells_reclaimed, stage);
    if (err)
        return err;
    err = thi_watchdog_prepare(system);
    if (err)
        goto fail_reclaimer;
    err = thi_pool_start(&stage->pool, &options);
    if (err)
        goto fail_prepared;
    err = thi_alarm_start(&stage->alarm, &stage->timers, &stage->clock, thi_timer_fire, stage);
    if (err)
        goto fail_pool;
    err = thi_watchdog_start(system);
    if (err)
        goto fail_alarm;
    return TH_OK;

fail_alarm:
    thi_alarm_stop(&stage->alarm);
fail_pool:
    thi_pool_stop(&stage->pool);
fail_prepared:
    thi_watchdog_clear(system);
fail_reclaimer:
    thi_reclaimer_stop(&stage->reclaimer);
    return err;
}

void thi_system_stop_pool(th_system *system)
{
    struct thi_stage *stage = &system->stage;

    thi_watchdog_stop(system);
    thi_alarm_stop(&stage->alarm);
    /* An outsider who woke somebody may not be back yet from waking a worker. It is in a section,
     * and with every inbox closed there is no other after it. */
    thi_reclaim_wait();
    pthread_mutex_lock(&system->figures_lock);
    thi_pool_stop(&stage->pool);
    system->pool_stopped = true;
    thi_watchdog_clear(system);
    pthread_mutex_unlock(&system->figures_lock);
    thi_cells_flush_last(stage);
    thi_reclaimer_stop(&stage->reclaimer);
}

/* The floor below, with nothing alive on it. */
static th_err make_stage(th_system *system)
{
    struct thi_stage *stage = &system->stage;
    th_err err;

    if (thi_system_is_simple(system) && !stage->is_pumped)
        thi_clock_init_virtual(&stage->clock, 0);
    else if (system->options.clock && !thi_system_is_simple(system))
        thi_clock_init_user(&stage->clock, system->options.clock);
    else
        thi_clock_init_real(&stage->clock);
    err = thi_directory_init(&stage->directory, &stage->memory, stage->id,
                             system->options.actors_max);
    if (err)
        return err;
    err = thi_timers_init(&stage->timers, &stage->memory, stage->timers_max);
    if (err)
        goto fail_directory;
    if (thi_system_is_simple(system))
        err = thi_step_start(&stage->step, &thi_receive_ops, &stage->memory, &stage->depot,
                             stage->id, stage, system->options.seed);
    if (err)
        goto fail_timers;
    stage->step.worker.trace = &stage->trace;
    stage->step.worker.track = THI_TRACK_WORKERS;
    thi_heap_init(&stage->ticker_heap, &stage->memory, &stage->depot);
    stage->ticker = (struct thi_endpoint){ .self.voice.heap = &stage->ticker_heap, .stage = stage };
    err = thi_watches_init(stage);
    if (!err)
        return TH_OK;
    thi_heap_fini(&stage->ticker_heap);
    if (thi_system_is_simple(system))
        thi_step_stop(&stage->step);

fail_timers:
    thi_timers_fini(&stage->timers);
fail_directory:
    thi_directory_fini(&stage->directory);
    return err;
}

static th_err hear_term(th_system *system)
{
    th_err err;

    system->term_seen = terms_so_far();
    system->hears_term = true;
    err = thi_watches_hear_signals(&system->stage);
    if (!err && thi_signals_want(SIGTERM))
        TH_NEVER("SIGTERM can be caught");
    if (!err && thi_signals_want(SIGINT))
        TH_NEVER("SIGINT can be caught");
    system->hears_term = !err;
    return err;
}

void thi_system_stop_hearing(th_system *system)
{
    thi_watches_stop(&system->stage);
    if (!system->hears_term)
        return;
    system->hears_term = false;
    thi_signals_unwant(SIGTERM);
    thi_signals_unwant(SIGINT);
}

/* A start that failed late: the admin lives already, and nobody else does. */
static void end_admin(th_system *system)
{
    thi_system_ask_shutdown(system);
    if (thi_system_is_simple(system)) {
        while (thi_drive_turn(system))
            continue;
        return;
    }
    pthread_mutex_lock(&system->lock);
    while (!system->admin_gone)
        pthread_cond_wait(&system->changed, &system->lock);
    pthread_mutex_unlock(&system->lock);
}

/* Threads, admin and default endpoint. The admin comes first of those that have an address: slot 0
 * is its own. */
static th_err populate(th_system *system)
{
    th_self *self = &system->self->endpoint.self;
    th_err err = thi_tracing_start_wanted(system);

    if (err)
        return err;
    if (!thi_system_is_simple(system))
        err = start_pool(system);
    if (err)
        goto fail_trace;
    err = thi_spawn_admin(self, &thi_admin_class);
    if (err)
        goto fail_pool;
    if (system->options.signals & TH_SIGNAL_TERM)
        err = hear_term(system);
    if (err)
        goto fail_admin;
    err = thi_status_signal_start(system);
    if (err)
        goto fail_signals;
    err = thi_external_move_in(system->self);
    if (err)
        goto fail_status;
    return TH_OK;

fail_status:
    thi_status_signal_stop(system);
fail_signals:
    thi_system_stop_hearing(system);
fail_admin:
    end_admin(system);
fail_pool:
    if (!thi_system_is_simple(system))
        thi_system_stop_pool(system);
fail_trace:
    thi_tracing_end(system);
    return err;
}

/* As new, for another start. */
static void forget_start(th_system *system)
{
    struct thi_stage *stage = &system->stage;

    system->asked = system->admin_gone = system->ending = system->pool_stopped = false;
    memset(&stage->stats, 0, sizeof(stage->stats));
    /* relaxed, both: no other thread is left */
    atomic_store_explicit(&stage->closing, false, memory_order_relaxed);
    atomic_store_explicit(&system->signalled, false, memory_order_relaxed);
}

static th_err start(th_system *system)
{
    struct thi_external *self;
    th_err err = make_stage(system);

    if (err)
        return err;
    self = thi_external_make(system, true);
    system->self = self;
    if (self)
        system->exit_request = th_msg_create(&self->endpoint.self, &th_exit_request_type);
    err = system->exit_request ? populate(system) : TH_E_NOMEM;
    if (!err) {
        system->started_ns = thi_clock_steady(&system->stage.clock);
        if (system->stage.is_pumped) /* the first pump sets the timer */
            thi_poller_ring(&system->stage.watches.poller);
        return TH_OK;
    }
    if (system->exit_request)
        th_msg_destroy(&self->endpoint.self, system->exit_request);
    system->exit_request = NULL;
    system->self = NULL;
    if (thi_system_is_simple(system))
        thi_step_stop(&system->stage.step);
    thi_cells_fini(&system->stage);
    if (self)
        thi_external_unmake(self);
    thi_watches_fini(&system->stage);
    thi_heap_fini(&system->stage.ticker_heap);
    thi_timers_fini(&system->stage.timers);
    thi_directory_fini(&system->stage.directory);
    forget_start(system);
    return err;
}

th_err th_system_start(th_system *system)
{
    uint8_t made = THI_SYSTEM_MADE;
    th_err err;

    if (!system)
        return TH_E_INVALID;
    /* acquire: what a start that failed left; relaxed on failure: nothing is read */
    if (!atomic_compare_exchange_strong_explicit(&system->stage.origin->state, &made,
                                                 THI_SYSTEM_STARTING, memory_order_acquire,
                                                 memory_order_relaxed))
        return made == THI_SYSTEM_FORKED ? TH_E_FORKED : TH_E_STATE;
    err = start(system);
    thi_system_set_state(system, err ? THI_SYSTEM_MADE : THI_SYSTEM_RUNNING);
    if (!err) {
        thi_logging_started(system);
        thi_tracing_started(system);
    }
    return err;
}

/* ---- the rest of the front door ---- */

th_err th_clock_moved(th_system *system)
{
    th_err err = thi_system_check(system);

    if (err)
        return err;
    if (!system->stage.clock.is_users)
        return TH_E_STATE;
    thi_alarm_poke(&system->stage.alarm); /* has it stopped meanwhile, nobody hears */
    return TH_OK;
}

th_err th_class_register(th_system *system, const th_class *klass)
{
    if (!system || !klass || !klass->name)
        return TH_E_INVALID;
    if (thi_system_state(system) == THI_SYSTEM_FORKED)
        return TH_E_FORKED;
    if (thi_system_state(system) == THI_SYSTEM_DOWN)
        return TH_E_CLOSED;
    return thi_classes_add(&system->stage, klass);
}

th_err th_type_register(th_system *system, const th_type *type)
{
    if (!system || !type)
        return TH_E_INVALID;
    if (thi_system_state(system) == THI_SYSTEM_FORKED)
        return TH_E_FORKED;
    if (thi_system_state(system) == THI_SYSTEM_DOWN)
        return TH_E_CLOSED;
    return thi_type_names_add(&system->stage, type);
}

th_self *th_system_self(th_system *system)
{
    if (!system || thi_system_state(system) < THI_SYSTEM_RUNNING)
        return NULL;
    return &system->self->endpoint.self;
}

uint64_t th_system_id(const th_system *system)
{
    return system ? system->stage.id : 0;
}

th_addr th_system_admin(const th_system *system)
{
    return system ? system->stage.admin : th_addr_none();
}

const char *th_version(void)
{
    return THI_VERSION;
}
