/* runtime/system/trace.c: who has a trace written, and who writes it. */
#include "runtime/system/trace.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/system/drive.h"
#include "runtime/system/system.h"
#include "runtime/actor/receive.h"
#include "runtime/base/thread.h"
#include <thespis/external.h>

/* ---- writing ---- */

static void show(struct thi_tracing *tracing)
{
    const struct thi_trace_file *file = tracing->file;

    /* relaxed, all: figures */
    atomic_store_explicit(&tracing->events, file->events, memory_order_relaxed);
    atomic_store_explicit(&tracing->dropped, file->lost, memory_order_relaxed);
    atomic_store_explicit(&tracing->bytes, file->bytes, memory_order_relaxed);
    atomic_store_explicit(&tracing->has_failed, file->has_failed, memory_order_relaxed);
}

/* What has come, into @file, or nowhere. */
static void drain(struct thi_trace *trace, struct thi_trace_file *file)
{
    struct thi_trace_event event;

    for (struct thi_trace_ring *ring = thi_trace_rings(trace); ring;
         ring = thi_trace_next(trace, ring))
        while (thi_trace_take(ring, &event))
            if (file)
                thi_trace_file_add(file, &event);
    if (file)
        file->lost += thi_trace_lost(trace);
    else
        (void)thi_trace_lost(trace);
}

static void *write_on(void *context)
{
    th_system *system = context;
    struct thi_tracing *tracing = &system->tracing;
    struct thi_trace *trace = &system->stage.trace;

    /* relaxed: the join orders the rest */
    while (!atomic_load_explicit(&tracing->stop, memory_order_relaxed)) {
        (void)thi_bell_wait(&trace->bell,
                            thi_clock_after(thi_clock_monotonic(), TH_TRACE_WRITE_NS));
        drain(trace, tracing->file);
        thi_trace_file_flush(tracing->file);
        show(tracing);
    }
    return NULL;
}

/* Simple base, under the trace's lock. */
static void write_now(void *context, const struct thi_trace_event *event)
{
    th_system *system = context;

    thi_trace_file_add(system->tracing.file, event);
    show(&system->tracing);
}

/* ---- how turns are run ---- */

thi_turn thi_tracing_turn(th_system *system)
{
    if (thi_trace_is_on(&system->stage.trace))
        return thi_receive_traced;
    return system->options.watchdog_ns ? thi_receive_watched : NULL;
}

/* From any thread; on the simple base under step.lock. A pool that does not run yet is told when it
 * starts. */
static void set_turn(th_system *system)
{
    thi_turn turn = thi_tracing_turn(system);

    if (thi_system_is_simple(system))
        system->stage.step.run = turn == thi_receive_traced ? turn : system->stage.step.ops->run;
    else if (thi_system_state(system) == THI_SYSTEM_RUNNING)
        thi_pool_set_turn(&system->stage.pool, turn ? turn : thi_receive_ops.run);
}

static void set_on(th_system *system, bool is_on)
{
    struct thi_trace *trace = &system->stage.trace;

    pthread_mutex_lock(&trace->lock);
    trace->write = is_on && trace->is_direct ? write_now : NULL;
    trace->context = system;
    pthread_mutex_unlock(&trace->lock);
    /* relaxed: see thi_trace_is_on() */
    atomic_store_explicit(&trace->is_on, is_on, memory_order_relaxed);
    set_turn(system);
}

/* ---- start and stop, under the lock ---- */

static th_err begin(th_system *system, const th_trace_options *options)
{
    struct thi_tracing *tracing = &system->tracing;
    struct thi_trace *trace = &system->stage.trace;
    struct thi_memory *memory = &system->stage.memory;
    struct thi_trace_file *file = thi_memory_take_raw(memory, sizeof(*file));
    th_err err = file ? thi_trace_file_open(file, options) : TH_E_NOMEM;

    if (err) {
        thi_memory_give(memory, file, sizeof(*file));
        return err;
    }
    file->memory = memory;
    file->is_virtual = trace->is_direct;
    file->rate = &system->stage.pool.rate;
    file->start = trace->is_direct ? 0 : thi_cycles();
    thi_trace_file_begin(file, system->name);
    tracing->file = file;
    drain(trace, NULL);
    show(tracing);
    /* relaxed: no thread yet */
    atomic_store_explicit(&tracing->stop, false, memory_order_relaxed);
    if (!trace->is_direct)
        err = thi_thread_start(&tracing->thread, "th/trace", write_on, system);
    if (err) {
        thi_trace_file_close(file);
        thi_memory_give(memory, file, sizeof(*file));
        return err;
    }
    tracing->is_running = true;
    set_on(system, true);
    return TH_OK;
}

static th_err end(th_system *system)
{
    struct thi_tracing *tracing = &system->tracing;
    struct thi_trace *trace = &system->stage.trace;
    struct thi_trace_file *file = tracing->file;
    th_err err;

    set_on(system, false);
    tracing->is_running = false;
    if (!trace->is_direct) {
        /* relaxed: the join orders the rest */
        atomic_store_explicit(&tracing->stop, true, memory_order_relaxed);
        thi_bell_ring(&trace->bell);
        pthread_join(tracing->thread, NULL);
        drain(trace, file);
    }
    thi_trace_file_end(file, system->name);
    show(tracing);
    err = file->has_failed ? TH_E_FILE : TH_OK;
    thi_trace_file_close(file);
    tracing->file = NULL;
    thi_memory_give(&system->stage.memory, file, sizeof(*file));
    return err;
}

/* ---- life ---- */

void thi_tracing_init(th_system *system)
{
    memset(&system->tracing, 0, sizeof(system->tracing));
    pthread_mutex_init(&system->tracing.lock, NULL);
    thi_trace_init(&system->stage.trace, &system->stage.memory, thi_system_is_simple(system));
}

void thi_tracing_fini(th_system *system)
{
    thi_trace_fini(&system->stage.trace);
    pthread_mutex_destroy(&system->tracing.lock);
}

th_err thi_tracing_start_wanted(th_system *system)
{
    const char *path = secure_getenv("THESPIS_TRACE");
    const th_trace_options *wanted = system->options.trace;
    th_trace_options found = { .path = path };
    th_err err = TH_OK;

    pthread_mutex_lock(&system->tracing.lock);
    system->tracing.is_over = false;
    if (wanted)
        err = begin(system, wanted);
    else if (path && *path && (err = begin(system, &found))) {
        system->tracing.env_err = err; /* said by thi_tracing_started() */
        err = TH_OK;
    }
    pthread_mutex_unlock(&system->tracing.lock);
    return err;
}

void thi_tracing_started(th_system *system)
{
    if (system->tracing.env_err)
        th_log_warn(th_system_self(system), "no trace to THESPIS_TRACE: %s",
                    th_strerror(system->tracing.env_err));
    system->tracing.env_err = TH_OK;
}

void thi_tracing_end(th_system *system)
{
    pthread_mutex_lock(&system->tracing.lock);
    system->tracing.is_over = true;
    if (system->tracing.is_running)
        (void)end(system); /* what went wrong the status says */
    pthread_mutex_unlock(&system->tracing.lock);
}

/* ---- the front door ---- */

const char *thi_tracing_fault(const th_trace_options *options)
{
    if (!options)
        return NULL;
    if (options->fd < 0 || !options->path == !options->fd)
        return "trace: neither a path nor a descriptor, or both";
    if (options->bytes_max && options->bytes_max < TH_TRACE_BYTES_LEAST)
        return "trace: bytes_max is less than TH_TRACE_BYTES_LEAST";
    return NULL;
}

/* On the simple base nobody runs from here to leave(). */
static th_err enter(th_system *system)
{
    th_err err = thi_system_check(system);

    if (err)
        return err;
    if (thi_system_is_simple(system)) {
        err = thi_drive_enter(system);
        if (err)
            return err;
    } else if (thi_system_is_actors_thread(system)) {
        return TH_E_NOT_ALLOWED;
    }
    pthread_mutex_lock(&system->tracing.lock);
    return TH_OK;
}

static void leave(th_system *system)
{
    pthread_mutex_unlock(&system->tracing.lock);
    if (thi_system_is_simple(system))
        thi_drive_leave(system);
}

th_err th_trace_start(th_system *system, const th_trace_options *options)
{
    th_err err = thi_system_check(system);

    if (err)
        return err;
    if (!options || thi_tracing_fault(options))
        return TH_E_INVALID;
    err = enter(system);
    if (err)
        return err;
    if (system->tracing.is_over)
        err = TH_E_CLOSED;
    else
        err = system->tracing.is_running ? TH_E_EXISTS : begin(system, options);
    leave(system);
    return err;
}

th_err th_trace_stop(th_system *system)
{
    th_err err = enter(system);

    if (err)
        return err;
    if (system->tracing.is_over)
        err = TH_E_CLOSED;
    else
        err = system->tracing.is_running ? end(system) : TH_E_STATE;
    leave(system);
    return err;
}
