/* Handlers that run too long are reported: once, with what is known, and once when they end. A busy
 * machine may take the processor from any handler for as long, and then that is reported, too: so
 * the tests listen only for the one they mean. */
#include "tests/support/system.h"
#include "tests/support/talk.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WATCHDOG_NS TH_MS(2)

/* What the watchdog said of one actor's words, and the handler it speaks of. */
static struct {
    _Atomic uint64_t whom; /* slot << 32 | generation */
    _Atomic unsigned gaps; /* between two words, so long that the first may be reported */
    uint64_t last_ns;
    _Atomic unsigned began, ended;
    _Atomic bool may_go;
    _Atomic unsigned in;
    th_stall first, last;
    char stack[4096];
} world;

static uint64_t id_of(th_addr addr)
{
    return (uint64_t)addr.slot << 32 | addr.generation;
}

static void note(void *context, const th_stall *stall)
{
    cr_assert_eq(context, &world);
    if (id_of(stall->actor) != atomic_load(&world.whom) || !stall->type_name ||
        strcmp(stall->type_name, "talk_word") != 0)
        return;
    if (stall->has_ended) {
        world.last = *stall;
        atomic_fetch_add(&world.ended, 1);
        return;
    }
    world.first = *stall;
    strncpy(world.stack, stall->stack ? stall->stack : "", sizeof(world.stack) - 1);
    atomic_fetch_add(&world.began, 1);
}

static void wait_in_here(void)
{
    atomic_fetch_add(&world.in, 1);
    while (!atomic_load(&world.may_go))
        sched_yield();
}

/* Some microseconds. What the watchdog reports took longer than it waits, and so is a gap here. */
static void be_quick(th_self *self)
{
    uint64_t now = th_now(self), until = now + TH_US(5);

    if (now - world.last_ns >= WATCHDOG_NS)
        atomic_fetch_add(&world.gaps, 1);
    world.last_ns = now;
    while (th_now(self) < until)
        continue;
}

static th_err slow_receive(th_self *self, void *state, const th_msg *msg)
{
    (void)state;
    if (talk_is(msg, "quick") || talk_number_of(msg))
        be_quick(self);
    if (talk_is(msg, "hang"))
        wait_in_here();
    if (talk_is(msg, "block")) {
        if (th_blocking_begin(self))
            return TH_E_STATE;
        wait_in_here();
        return th_blocking_end(self);
    }
    return TH_OK;
}

static const th_class slow_class = { .name = "slow", .receive = slow_receive };

static struct test_system open_watched(int stack_signal)
{
    th_options options = { .workers = 2,
                           .watchdog_ns = WATCHDOG_NS,
                           .watchdog = note,
                           .watchdog_context = &world,
                           .watchdog_signal = stack_signal };

    memset(&world, 0, sizeof(world));
    return test_system_open_with(&options);
}

static th_addr spawn_slow(struct test_system *ts, bool own_thread)
{
    th_spawn_options how = { .klass = &slow_class, .own_thread = own_thread };
    th_addr addr;

    must(th_create(ts->me, &how, TALK_PATIENCE, &addr, NULL));
    atomic_store(&world.whom, id_of(addr));
    return addr;
}

static void until(_Atomic unsigned *count, unsigned least)
{
    while (atomic_load(count) < least)
        sched_yield();
}

static void check_incident(struct test_system *ts, bool own_thread)
{
    th_addr slow = spawn_slow(ts, own_thread);

    must(talk_say(ts->me, slow, "hang"));
    until(&world.began, 1);
    cr_assert(th_addr_equal(world.first.actor, slow));
    cr_assert_str_eq(world.first.class_name, "slow");
    cr_assert_str_eq(world.first.type_name, "talk_word");
    cr_assert_geq(world.first.duration_ns, TH_MS(2));
    cr_assert_eq(atomic_load(&world.ended), 0);
    atomic_store(&world.may_go, true);
    until(&world.ended, 1);
    cr_assert(th_addr_equal(world.last.actor, slow));
    cr_assert_str_eq(world.last.type_name, "talk_word");
    cr_assert_gt(world.last.duration_ns, world.first.duration_ns);
    cr_assert_eq(atomic_load(&world.began), 1, "an incident is told once");
}

Test(watchdog, a_worker_is_watched, .timeout = 60)
{
    struct test_system ts = open_watched(0);

    check_incident(&ts, false);
    test_system_close(&ts);
}

Test(watchdog, a_thread_of_its_own_is_watched, .timeout = 60)
{
    struct test_system ts = open_watched(0);

    check_incident(&ts, true);
    test_system_close(&ts);
}

/* While both workers are in blocking calls a spare runs the one that hangs. */
Test(watchdog, a_spare_is_watched_and_the_blocked_are_not, .timeout = 60)
{
    struct test_system ts = open_watched(0);

    for (int i = 0; i < 2; i++)
        must(talk_say(ts.me, spawn_slow(&ts, false), "block"));
    until(&world.in, 2);
    check_incident(&ts, false);
    test_system_close(&ts);
}

/* Many messages that are each done in no time are no incident, however long it takes; but where the
 * processor was taken away for so long that one may be. Behind the last word comes a number, which
 * tells how long that took. */
Test(watchdog, a_busy_actor_is_not_stuck, .timeout = 60)
{
    enum { WORDS = 20000 };
    struct test_system ts = open_watched(0);
    th_addr slow = spawn_slow(&ts, false);

    for (int i = 0; i < WORDS; i++)
        must(talk_say(ts.me, slow, "quick"));
    must(talk_count(ts.me, slow, 0));
    while (test_system_counts(&ts).handled <= WORDS)
        sched_yield();
    test_system_close(&ts);
    cr_assert_leq(atomic_load(&world.began), atomic_load(&world.gaps));
}

#ifndef __SANITIZE_THREAD__
Test(watchdog, the_stack_of_the_thread_is_shown, .timeout = 60)
{
    struct test_system ts = open_watched(SIGRTMIN + 3);
    struct sigaction now;

    check_incident(&ts, false);
    cr_assert_not_null(strstr(world.stack, "#3 "), "%s", world.stack);
    test_system_close(&ts);
    cr_assert_eq(sigaction(SIGRTMIN + 3, NULL, &now), 0);
    cr_assert(now.sa_handler == SIG_DFL, "put back");
}
#endif

static void somebody_elses(int number)
{
    (void)number;
}

Test(watchdog, a_signal_in_use_is_left_alone)
{
    th_options options = { .workers = 1, .watchdog_ns = TH_S(1), .watchdog_signal = SIGRTMIN + 3 };
    th_system *system = th_system_create(&options);
    struct sigaction now;

    signal(SIGRTMIN + 3, somebody_elses);
    must_be(th_system_start(system), TH_E_EXISTS);
    cr_assert_eq(sigaction(SIGRTMIN + 3, NULL, &now), 0);
    cr_assert(now.sa_handler == somebody_elses);
    signal(SIGRTMIN + 3, SIG_DFL);
    must(th_system_start(system));
    must(th_system_shutdown(system, TALK_PATIENCE, NULL, NULL));
    must(th_system_destroy(system));
}

Test(watchdog, absurd_options_are_refused)
{
    const char *why = NULL;

    must_be(th_options_check(&(th_options){ .watchdog_ns = 1 }, &why), TH_E_INVALID);
    cr_assert_eq(strncmp(why, "watchdog_ns", 11), 0);
    must_be(th_options_check(&(th_options){ .watchdog_signal = SIGTERM }, &why), TH_E_INVALID);
    cr_assert_eq(strncmp(why, "watchdog_signal", 15), 0);
}

/* ---- without a function of the program's ---- */

static struct {
    _Atomic unsigned count;
    char texts[2][160];
    char fields[2][160];
} records;

static th_err keep_record(void *context, const th_log_record *record)
{
    unsigned i = atomic_load(&records.count);
    char *fields = records.fields[i & 1];

    if (!strstr(record->text, "a handler"))
        return TH_OK;
    fields[0] = '\0';
    for (uint32_t k = 0; k < record->field_count; k++)
        if (record->fields[k].kind == TH_LOG_KIND_STR)
            snprintf(fields + strlen(fields), sizeof(records.fields[0]) - strlen(fields), "%s=%s ",
                     record->fields[k].key, record->fields[k].value.s);
    if (strcmp(fields, "class=slow type=talk_word ") != 0)
        return TH_OK;
    snprintf(records.texts[i & 1], sizeof(records.texts[0]), "%s", record->text);
    atomic_store(&records.count, i + 1);
    return TH_OK;
}

/* Its only worker hangs, so nobody is left to start a logger now. */
Test(watchdog, is_logged_although_every_worker_hangs, .timeout = 60)
{
    th_log_sink sink = { .kind = TH_LOG_SINK_FUNCTION, .write = keep_record };
    th_log_options log = { .sinks = &sink, .sink_count = 1, .ignore_environment = true };
    th_options options = { .workers = 1, .watchdog_ns = WATCHDOG_NS, .log = &log };
    struct test_system ts = test_system_open_with(&options);
    th_system_status status = { 0 };

    memset(&world, 0, sizeof(world));
    memset(&records, 0, sizeof(records));
    while (status.log.loggers == 0) {
        must(th_system_status_read(ts.sys, &status));
        sched_yield();
    }
    must(talk_say(ts.me, spawn_slow(&ts, false), "hang"));
    until(&records.count, 1);
    cr_assert_not_null(strstr(records.texts[0], "a handler has been running for "), "%s",
                       records.texts[0]);
    cr_assert_str_eq(records.fields[0], "class=slow type=talk_word ");
    atomic_store(&world.may_go, true);
    until(&records.count, 2);
    cr_assert_not_null(strstr(records.texts[1], "a handler has ended after "));
    test_system_close(&ts);
}

/* Nothing is logged: a line on standard error, for which the end of a pipe stands in. */
Test(watchdog, is_written_where_there_is_no_log, .timeout = 60)
{
    th_log_sink sink = { .kind = TH_LOG_SINK_NONE };
    th_log_options log = { .sinks = &sink, .sink_count = 1, .ignore_environment = true };
    th_options options = { .workers = 1, .watchdog_ns = WATCHDOG_NS, .log = &log };
    int ends[2], before = dup(STDERR_FILENO);
    static const char wanted[] = "its handler of talk_word has been running for ";
    char lines[4096] = "";
    struct test_system ts;
    size_t size = 0;
    ssize_t got = 1;

    memset(&world, 0, sizeof(world));
    cr_assert_eq(pipe(ends), 0);
    ts = test_system_open_with(&options);
    cr_assert_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    must(talk_say(ts.me, spawn_slow(&ts, false), "hang"));
    for (; got > 0 && !strstr(lines, wanted); size += (size_t)got)
        got = read(ends[0], lines + size, sizeof(lines) - 1 - size);
    atomic_store(&world.may_go, true);
    test_system_close(&ts);
    cr_assert_eq(dup2(before, STDERR_FILENO), STDERR_FILENO);
    cr_assert_not_null(strstr(lines, wanted), "%s", lines);
    close(before);
    close(ends[0]);
    close(ends[1]);
}

static void note_leftover(void *context, th_addr actor, const char *class_name, const char *what)
{
    (void)actor;
    (void)class_name;
    strncpy(context, what, 127);
}

Test(watchdog, a_shutdown_says_what_a_handler_is_about, .timeout = 60)
{
    struct test_system ts = open_watched(0);
    char what[128] = "";

    must(talk_say(ts.me, spawn_slow(&ts, false), "hang"));
    until(&world.in, 1);
    must_be(th_system_shutdown(ts.sys, TH_MS(1), note_leftover, what), TH_E_TIMEOUT);
    cr_assert_str_eq(what, "running a handler of talk_word");
    atomic_store(&world.may_go, true);
    test_system_close(&ts);
}
