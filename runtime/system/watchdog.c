#include "runtime/system/watchdog.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/system/census.h"
#include "runtime/system/system.h"
#include "runtime/actor/receive.h"
#include "runtime/actor/stage.h"
#include "runtime/base/futex.h"
#include "runtime/base/thread.h"

/* How long a thread may take to show its stack. Nanoseconds. */
#define STACK_NS 100000000u

/* Incidents reported from one look; more wait for the next. */
enum { LOOK_MAX = 8 };

struct look {
    th_system *system;
    uint64_t now;
    unsigned count;
    bool asked;         /* for a stack: of the last incident */
    unsigned asked_for; /* which one that is */
    th_stall stalls[LOOK_MAX];
};

/* ---- looking, under the pool's lock ---- */

/* The handler that @worker is in has been seen before; now it is too long, or it is over. */
static void note(struct look *look, struct thi_worker *worker, bool has_ended)
{
    struct thi_worker_watch *watch = &worker->watch;
    th_stall *stall = &look->stalls[look->count];

    *stall = watch->stall;
    stall->has_ended = has_ended;
    stall->duration_ns = look->now - watch->since_ns;
    if (!has_ended) {
        const th_type *type = thi_receive_now(worker);

        thi_census_turn(look->system, worker, &stall->actor, &stall->class_name);
        stall->type_name = type ? type->name : NULL;
        stall->worker = worker->index;
        watch->stall = *stall;
        if (look->system->watchdog.has_signal && !look->asked) {
            look->asked = thi_stack_ask(&look->system->watchdog.stack, worker->thread,
                                        look->system->options.watchdog_signal);
            look->asked_for = look->count;
        }
    }
    watch->is_reported = !has_ended;
    look->count++;
}

static void look_at(void *context, struct thi_worker *worker)
{
    struct look *look = context;
    struct thi_worker_watch *watch = &worker->watch;
    /* relaxed, all: compared with what they were some milliseconds ago */
    uint64_t turn = atomic_load_explicit(&worker->turn, memory_order_relaxed);
    uint64_t deliveries = atomic_load_explicit(&worker->deliveries, memory_order_relaxed);
    bool is_blocked = atomic_load_explicit(&worker->is_blocking, memory_order_relaxed);
    bool is_same = turn == watch->turn && deliveries == watch->deliveries;

    if (look->count == LOOK_MAX)
        return;
    if (is_same && (turn & 1) && !is_blocked) {
        if (!watch->is_reported && look->now - watch->since_ns >= look->system->options.watchdog_ns)
            note(look, worker, false);
        return;
    }
    if (watch->is_reported)
        note(look, worker, true);
    watch->turn = turn;
    watch->deliveries = deliveries;
    watch->since_ns = look->now;
}

/* ---- telling, with no lock held ---- */

static const char *what_of(const th_stall *stall)
{
    return stall->has_ended ? "has ended after" : "has been running for";
}

/* Whether it is the log's from now on. Not where nobody reads the log, or it is the reader who
 * hangs. */
static bool log_line(th_system *system, const th_stall *stall)
{
    th_self *self = &system->watchdog.speaker.self;
    th_addr logger = thi_log_logger(&system->stage);
    const th_log_field fields[] = {
        th_kv_str("class", stall->class_name),
        th_kv_addr("actor", stall->actor),
        th_kv_str("type", stall->type_name),
        th_kv_u64("worker", stall->worker),
    };
    th_err err;

    if (th_addr_is_none(logger) || th_addr_equal(logger, stall->actor))
        return false;
    err = th_log_write(
        self, TH_LOG_WARN, NULL, fields, (uint32_t)(sizeof(fields) / sizeof(fields[0])),
        "a handler %s %" PRIu64 " ms%s%s", what_of(stall), stall->duration_ns / 1000000u,
        stall->stack ? "\n" : "", stall->stack ? stall->stack : "");
    return err != TH_E_NOMEM && err != TH_E_CLOSED; /* else written, or not wanted */
}

static void write_line(const th_stall *stall)
{
    char addr[TH_ADDR_TEXT_SIZE], line[4096];
    int length;

    th_addr_print(stall->actor, addr, sizeof(addr));
    length = snprintf(
        line, sizeof(line), "thespis: %s %s: its handler%s%s %s %" PRIu64 " ms, on worker %u\n%s",
        stall->class_name ? stall->class_name : "an actor", addr, stall->type_name ? " of " : "",
        stall->type_name ? stall->type_name : "", what_of(stall), stall->duration_ns / 1000000u,
        stall->worker, stall->stack ? stall->stack : "");
    if (length >= (int)sizeof(line))
        length = (int)sizeof(line) - 1;
    if (write(STDERR_FILENO, line, (size_t)length) < 0)
        return; /* nobody is left to be told */
}

static void tell(th_system *system, struct look *look)
{
    struct thi_watchdog *dog = &system->watchdog;
    char stack[3072];
    bool has_stack = look->asked && thi_stack_await(&dog->stack, look->now + STACK_NS);

    if (has_stack)
        thi_stack_print(&dog->stack, stack, sizeof(stack));
    for (unsigned i = 0; i < look->count; i++) {
        th_stall *stall = &look->stalls[i];

        if (has_stack && i == look->asked_for)
            stall->stack = stack;
        if (system->options.watchdog)
            system->options.watchdog(system->options.watchdog_context, stall);
        else if (!log_line(system, stall))
            write_line(stall);
    }
}

static void *watch(void *context)
{
    th_system *system = context;
    struct thi_watchdog *dog = &system->watchdog;
    uint64_t period = system->options.watchdog_ns / 4;

    /* relaxed: the pool's stop comes after a join */
    while (!atomic_load_explicit(&dog->stop, memory_order_relaxed)) {
        struct look look = { .system = system, .now = thi_clock_monotonic() };

        thi_pool_each(&system->stage.pool, look_at, &look);
        tell(system, &look);
        (void)thi_futex_wait(&dog->stop, 0, thi_clock_after(thi_clock_monotonic(), period));
    }
    return NULL;
}

/* ---- life ---- */

static bool is_wanted(const th_system *system)
{
    return system->options.watchdog_ns && system->stage.base == TH_BASE_POOL;
}

th_err thi_watchdog_prepare(th_system *system)
{
    struct thi_watchdog *dog = &system->watchdog;
    th_err err = TH_OK;

    memset(dog, 0, sizeof(*dog));
    thi_heap_init(&dog->heap, &system->stage.memory, &system->stage.depot);
    dog->speaker = (struct thi_endpoint){ .self.voice.heap = &dog->heap, .stage = &system->stage };
    if (is_wanted(system) && system->options.watchdog_signal) {
        err = thi_stack_want(system->options.watchdog_signal);
        dog->has_signal = !err;
    }
    system->stage.stack_signal = dog->has_signal ? system->options.watchdog_signal : 0;
    return err;
}

th_err thi_watchdog_start(th_system *system)
{
    struct thi_watchdog *dog = &system->watchdog;
    th_err err;

    if (!is_wanted(system))
        return TH_OK;
    err = thi_thread_start(&dog->thread, "th/watchdog", watch, system);
    dog->is_started = !err;
    return err;
}

void thi_watchdog_stop(th_system *system)
{
    struct thi_watchdog *dog = &system->watchdog;

    if (!dog->is_started)
        return;
    dog->is_started = false;
    atomic_store_explicit(&dog->stop, 1, memory_order_relaxed); /* the join orders the rest */
    thi_futex_wake(&dog->stop, 1);
    pthread_join(dog->thread, NULL);
}

void thi_watchdog_clear(th_system *system)
{
    struct thi_watchdog *dog = &system->watchdog;

    if (dog->has_signal)
        thi_stack_unwant(system->options.watchdog_signal);
    dog->has_signal = false;
    thi_heap_fini(&dog->heap);
}
