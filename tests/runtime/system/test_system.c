/* A system: options, states, systems side by side, signals, and what each leaves behind. */
#include "../../support/system.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thespis/config.h>
#include <thespis/testkit.h>

#include "runtime/system/system.h"
#include "runtime/base/clock.h"
#include "runtime/base/reclaim.h"

static const th_class idler_class = { .name = "idler" };

/* ---- options ---- */

static void *no_alloc(void *context, size_t size)
{
    (void)context;
    (void)size;
    return NULL;
}

static void no_free(void *context, void *memory, size_t size)
{
    (void)context;
    (void)memory;
    (void)size;
}

static void check_absurd(const th_options *options, const char *culprit)
{
    const char *why = NULL;

    cr_expect_eq(th_options_check(options, &why), TH_E_INVALID, "%s", culprit);
    cr_expect(why && strncmp(why, culprit, strlen(culprit)) == 0, "%s, not %s", culprit, why);
    cr_expect_eq(th_options_check(options, NULL), TH_E_INVALID);
    cr_expect_null(th_system_create(options), "%s", culprit);
}

Test(system, absurd_options_are_named)
{
    static char long_name[TH_NAME_MAX + 2];
    th_allocator half = { .alloc = no_alloc };
    th_allocator other_half = { .free = no_free };

    memset(long_name, 'x', TH_NAME_MAX + 1);
    check_absurd(&(th_options){ .base = (th_base)7 }, "base");
    check_absurd(&(th_options){ .name = "" }, "name");
    check_absurd(&(th_options){ .name = long_name }, "name");
    check_absurd(&(th_options){ .workers = TH_WORKERS_MAX + 1 }, "workers");
    check_absurd(&(th_options){ .signals = 1u << 31 }, "signals");
    check_absurd(&(th_options){ .actors_max = 1 }, "actors_max");
    check_absurd(&(th_options){ .allocator = &half }, "allocator");
    check_absurd(&(th_options){ .allocator = &other_half }, "allocator");
}

Test(system, good_options_pass)
{
    const char *why = "untouched";
    char name[TH_NAME_MAX + 1] = "";

    memset(name, 'n', TH_NAME_MAX);
    cr_expect_eq(th_options_check(NULL, &why), TH_OK);
    cr_expect_null(why);
    cr_expect_eq(th_options_check(&(th_options){ .name = name, .workers = TH_WORKERS_MAX }, &why),
                 TH_OK);
}

/* ---- states ---- */

static void check_before_start(th_system *system)
{
    th_addr addr;
    th_self *self;
    th_system_status status;

    cr_expect_null(th_system_self(system));
    cr_expect_eq(th_system_shutdown(system, 0, NULL, NULL), TH_E_STATE);
    cr_expect_eq(th_system_wait(system, 0), TH_E_STATE);
    cr_expect_eq(th_endpoint_open(system, &self), TH_E_STATE);
    cr_expect_eq(th_system_status_read(system, &status), TH_E_STATE);
    addr = (th_addr){ th_system_id(system), 1, 1 };
    cr_expect_eq(th_actor_status_read(system, addr, &(th_actor_status){ 0 }), TH_E_STATE);
}

static void check_after_shutdown(th_system *system, th_self *me)
{
    th_addr addr = { th_system_id(system), 1, 1 };
    th_spawn_options how = { .klass = &idler_class };
    th_msg *msg;
    th_self *self;
    th_system_status status;

    cr_expect_eq(th_system_start(system), TH_E_STATE);
    cr_expect_eq(th_system_shutdown(system, 0, NULL, NULL), TH_E_STATE);
    cr_expect_eq(th_system_wait(system, TH_FOREVER), TH_E_CLOSED);
    cr_expect_eq(th_endpoint_open(system, &self), TH_E_CLOSED);
    cr_expect_eq(th_class_register(system, &idler_class), TH_E_CLOSED);
    cr_expect_eq(th_system_self(system), me);
    cr_expect_eq(th_tell(me, addr, th_msg_create(me, &th_exit_request_type)), TH_E_CLOSED);
    cr_expect_eq(th_send(me, addr, th_msg_create(me, &th_exit_request_type)), TH_E_CLOSED);
    cr_expect_eq(th_ask(me, addr, th_msg_create(me, &th_exit_request_type), TH_FOREVER, &msg),
                 TH_E_CLOSED);
    cr_expect_null(msg);
    cr_expect_eq(th_listen(me, TH_FOREVER, &msg), TH_E_CLOSED);
    cr_expect_eq(th_spawn(me, &idler_class, NULL, &addr), TH_E_CLOSED);
    cr_expect_eq(th_create(me, &how, TH_FOREVER, &addr, NULL), TH_E_CLOSED);
    cr_expect_eq(th_stop(me, addr), TH_E_CLOSED);
    cr_expect_eq(th_request_shutdown(me), TH_E_CLOSED);
    cr_expect_eq(th_wakeup_after(me, 1, NULL, NULL), TH_E_CLOSED);
    cr_expect_eq(th_dead_letters_to_me(me, true), TH_E_CLOSED);
    cr_expect_eq(th_actor_status_read(system, addr, &(th_actor_status){ 0 }), TH_E_CLOSED);
    cr_expect_eq(th_system_status_read(system, &status), TH_E_CLOSED);
}

static void live_and_die(th_base base)
{
    struct leaks before = leaks_look();
    th_options options = { .base = base, .workers = 2 };
    th_system *system = th_system_create(&options);
    th_self *me;

    cr_assert_not_null(system);
    check_before_start(system);
    cr_assert_eq(th_system_start(system), TH_OK);
    cr_expect_eq(th_system_start(system), TH_E_STATE);
    cr_expect_eq(th_system_destroy(system), TH_E_STATE);
    me = th_system_self(system);
    cr_assert_not_null(me);
    cr_assert_eq(th_system_shutdown(system, TEST_PATIENCE, NULL, NULL), TH_OK);
    check_after_shutdown(system, me);
    cr_assert_eq(th_system_destroy(system), TH_OK);
    leaks_check(before);
}

Test(system, every_call_knows_the_state_pool)
{
    live_and_die(TH_BASE_POOL);
}

Test(system, every_call_knows_the_state_simple)
{
    live_and_die(TH_BASE_SIMPLE);
}

Test(system, null_is_an_argument_like_any_other)
{
    cr_expect_eq(th_system_start(NULL), TH_E_INVALID);
    cr_expect_eq(th_system_shutdown(NULL, 0, NULL, NULL), TH_E_INVALID);
    cr_expect_eq(th_system_wait(NULL, 0), TH_E_INVALID);
    cr_expect_eq(th_system_destroy(NULL), TH_OK);
    cr_expect_eq(th_system_id(NULL), 0);
    cr_expect_null(th_system_self(NULL));
    cr_expect_eq(th_class_register(NULL, &idler_class), TH_E_INVALID);
    cr_expect_eq(th_endpoint_open(NULL, NULL), TH_E_INVALID);
    cr_expect_eq(th_endpoint_close(NULL), TH_E_INVALID);
}

Test(system, one_that_never_started_can_go)
{
    th_system *system = th_system_create(NULL);

    cr_assert_not_null(system);
    cr_assert_neq(th_system_id(system), 0);
    cr_assert_eq(th_class_register(system, &idler_class), TH_OK);
    cr_assert_eq(th_system_destroy(system), TH_OK);
}

Test(system, the_version_is_three_numbers)
{
    int major, minor, patch;

    cr_assert_eq(sscanf(th_version(), "%d.%d.%d", &major, &minor, &patch), 3, "%s", th_version());
}

/* ---- systems side by side ---- */

Test(system, two_share_nothing)
{
    struct test_system one = test_system_open(TH_BASE_POOL, 0);
    struct test_system two = test_system_open(TH_BASE_POOL, 0);
    th_addr in_one;
    th_actor_status status;

    cr_assert_neq(th_system_id(one.sys), th_system_id(two.sys));
    cr_assert_eq(th_spawn(one.me, &idler_class, NULL, &in_one), TH_OK);
    cr_assert_eq(in_one.system, th_system_id(one.sys));
    cr_assert_eq(th_actor_status_read(two.sys, in_one, &status), TH_E_FOREIGN);
    cr_assert_eq(th_stop(two.me, in_one), TH_OK, "a dead letter, not an error");
    cr_assert_eq(test_system_counts(&two).dead_by_reason[TH_DEAD_FOREIGN], 1);
    cr_assert_eq(th_class_register(one.sys, &idler_class), TH_OK);
    cr_assert_eq(th_spawn_with(two.me, &(th_spawn_options){ .class_name = "idler" }, &in_one),
                 TH_E_NO_CLASS);
    cr_assert_eq(th_system_shutdown(one.sys, TEST_PATIENCE, NULL, NULL), TH_OK);
    cr_assert_eq(th_spawn(two.me, &idler_class, NULL, &in_one), TH_OK, "two lives on");
    two.before.threads = one.before.threads; /* the last to go sees to it that all are gone */
    cr_assert_eq(th_system_destroy(one.sys), TH_OK);
    test_system_close(&two);
}

Test(system, a_hundred_lives_leave_nothing, .timeout = 60)
{
    struct leaks before = leaks_look();

    for (int i = 0; i < 100; i++) {
        struct test_system ts = test_system_open(i % 2 ? TH_BASE_SIMPLE : TH_BASE_POOL, 0);
        th_addr addr;

        for (int n = 0; n < 10; n++)
            cr_assert_eq(th_spawn(ts.me, &idler_class, NULL, &addr), TH_OK);
        test_system_close(&ts);
    }
    leaks_check(before);
}

/* ---- signals ---- */

static _Atomic int caught;

static void catch (int number)
{
    atomic_store(&caught, number);
}

Test(system, sigterm_asks_each_that_wants_it)
{
    th_options options = { .workers = 1, .signals = TH_SIGNAL_TERM };
    struct sigaction own = { .sa_handler = catch }, now;
    struct test_system one, two, deaf;
    struct leaks before = leaks_look();

    atomic_store(&caught, 0);
    sigaction(SIGTERM, &own, NULL);
    one = test_system_open_with(&options);
    two = test_system_open_with(&options);
    deaf = test_system_open(TH_BASE_POOL, 0);
    raise(SIGTERM);
    cr_assert_eq(th_system_wait(one.sys, TEST_PATIENCE), TH_OK);
    cr_assert_eq(th_system_wait(two.sys, TEST_PATIENCE), TH_OK);
    cr_assert_eq(th_system_wait(deaf.sys, 0), TH_E_TIMEOUT);
    cr_assert_eq(atomic_load(&caught), 0);
    cr_assert_eq(th_system_shutdown(one.sys, TEST_PATIENCE, NULL, NULL), TH_OK);
    sigaction(SIGTERM, NULL, &now);
    cr_assert_neq(now.sa_handler, catch, "two still wants it");
    cr_assert_eq(th_system_shutdown(two.sys, TEST_PATIENCE, NULL, NULL), TH_OK);
    sigaction(SIGTERM, NULL, &now);
    cr_assert_eq(now.sa_handler, catch, "what was there before is back");
    raise(SIGTERM);
    cr_assert_eq(atomic_load(&caught), SIGTERM);
    signal(SIGTERM, SIG_DFL);
    cr_assert_eq(th_system_shutdown(deaf.sys, TEST_PATIENCE, NULL, NULL), TH_OK);
    cr_assert_eq(th_system_destroy(one.sys), TH_OK);
    cr_assert_eq(th_system_destroy(two.sys), TH_OK);
    cr_assert_eq(th_system_destroy(deaf.sys), TH_OK);
    leaks_check(before);
}

Test(system, sigint_reaches_the_simple_base)
{
    th_options options = { .base = TH_BASE_SIMPLE, .signals = TH_SIGNAL_TERM };
    struct test_system ts = test_system_open_with(&options);
    uint64_t id;

    cr_assert_eq(th_wakeup_every(ts.me, TH_MS(1), NULL, &id), TH_OK);
    raise(SIGINT);
    /* there is always something to run, so the wait lasts until the signal has come through */
    cr_assert_eq(th_system_wait(ts.sys, TH_FOREVER), TH_OK);
    test_system_close(&ts);
}

Test(system, a_handler_set_later_is_left_alone)
{
    th_options options = { .workers = 1, .signals = TH_SIGNAL_TERM };
    struct test_system ts = test_system_open_with(&options);
    struct sigaction own = { .sa_handler = catch }, now;

    sigaction(SIGTERM, &own, NULL);
    test_system_close(&ts);
    sigaction(SIGTERM, NULL, &now);
    cr_assert_eq(now.sa_handler, catch);
    signal(SIGTERM, SIG_DFL);
}

/* ---- without memory ---- */

static void start_short_of_memory(th_base base)
{
    struct leaks before = leaks_look();
    th_options options = { .base = base, .workers = 2, .signals = TH_SIGNAL_TERM };
    th_err err = TH_E_NOMEM;

    for (uint64_t nth = 1; err; nth++) {
        th_system *system = th_system_create(&options);

        cr_assert_not_null(system);
        cr_assert_lt(nth, 1000, "no end to it");
        cr_assert_eq(th_inject_nomem(system, nth, false), TH_OK);
        err = th_system_start(system);
        cr_assert(err == TH_OK || err == TH_E_NOMEM, "take %llu: %s", (unsigned long long)nth,
                  th_strerror(err));
        cr_assert_eq(th_inject_nomem(system, 0, false), TH_OK);
        if (err) {
            leaks_check(before);
            cr_assert_eq(th_system_start(system), TH_OK, "the second start, after take %llu",
                         (unsigned long long)nth);
        }
        cr_assert_eq(th_system_shutdown(system, TEST_PATIENCE, NULL, NULL), TH_OK);
        cr_assert_eq(th_system_destroy(system), TH_OK);
        leaks_check(before);
    }
}

Test(system, a_start_without_memory_leaves_nothing_pool, .timeout = 60)
{
    start_short_of_memory(TH_BASE_POOL);
}

Test(system, a_start_without_memory_leaves_nothing_simple)
{
    start_short_of_memory(TH_BASE_SIMPLE);
}

/* The sanitizers need all the address space there is. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#include <sys/resource.h>

static rlim_t address_space_in_use(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;

    cr_assert(file && fscanf(file, "%lu", &pages) == 1);
    fclose(file);
    return (rlim_t)pages * 4096;
}

/* A thread's stack is address space: with less and less of it missing, ever more threads can be had
 * before one cannot. */
Test(system, a_start_without_threads_leaves_nothing, .timeout = 60)
{
    struct leaks before = leaks_look();
    struct rlimit generous, tight;
    th_err err = TH_E_THREAD;
    int refused = 0;

    cr_assert_eq(getrlimit(RLIMIT_AS, &generous), 0);
    for (rlim_t more = 1024 * 1024; err; more += 1024 * 1024) {
        th_options options = { .workers = 4, .actors_max = 1000, .signals = TH_SIGNAL_TERM };
        th_system *system = th_system_create(&options);

        cr_assert_not_null(system);
        tight = generous;
        tight.rlim_cur = address_space_in_use() + more;
        cr_assert_eq(setrlimit(RLIMIT_AS, &tight), 0);
        err = th_system_start(system);
        cr_assert_eq(setrlimit(RLIMIT_AS, &generous), 0);
        cr_assert(err == TH_OK || err == TH_E_THREAD || err == TH_E_NOMEM, "%s", th_strerror(err));
        refused += err == TH_E_THREAD;
        leaks_check(err ? before : leaks_look());
        if (!err)
            cr_assert_eq(th_system_shutdown(system, TEST_PATIENCE, NULL, NULL), TH_OK);
        cr_assert_eq(th_system_destroy(system), TH_OK);
    }
    cr_assert_geq(refused, 1);
    leaks_check(before);
}
#endif

Test(system, no_memory_no_system)
{
    th_allocator none = { no_alloc, no_free, NULL };
    th_options options = { .allocator = &none };

    cr_assert_null(th_system_create(&options));
}

/* Counts what it gave. */
static _Atomic int64_t bytes_out;

static void *count_alloc(void *context, size_t size)
{
    atomic_fetch_add((_Atomic int64_t *)context, (int64_t)size);
    return malloc(size);
}

static void count_free(void *context, void *memory, size_t size)
{
    atomic_fetch_sub((_Atomic int64_t *)context, (int64_t)size);
    free(memory);
}

Test(system, all_memory_is_the_allocators_and_goes_back)
{
    th_allocator counting = { count_alloc, count_free, &bytes_out };
    th_options options = { .workers = 2, .allocator = &counting };
    struct test_system ts = test_system_open_with(&options);
    th_spawn_options how = { .klass = &idler_class };
    th_system_status status;
    th_addr addr;

    for (int i = 0; i < 15; i++)
        cr_assert_eq(th_create(ts.me, &how, TEST_PATIENCE, &addr, NULL), TH_OK);
    cr_assert_eq(th_system_status_read(ts.sys, &status), TH_OK);
    cr_assert_gt(status.memory_bytes, 0);
    cr_assert_geq(atomic_load(&bytes_out), (int64_t)status.memory_bytes);
    test_system_close(&ts);
    cr_assert_eq(atomic_load(&bytes_out), 0);
}

Test(system, the_ceiling_holds)
{
    th_options options = { .workers = 1, .memory_max = 1 };
    th_system *system = th_system_create(&options);

    cr_assert_not_null(system);
    cr_assert_eq(th_system_start(system), TH_E_NOMEM);
    cr_assert_eq(th_system_destroy(system), TH_OK);
}

/* ---- an outsider on its way from a push to the wake it owes, as a preempted th_send() is ---- */

static _Atomic bool outsider_is_inside;

static void *dawdle_in_a_send(void *context)
{
    th_system *system = context;
    bool is_gone = false;
    uint64_t until;

    thi_reclaim_enter();
    atomic_store(&outsider_is_inside, true);
    while (!is_gone) {
        pthread_mutex_lock(&system->lock);
        is_gone = system->admin_gone;
        pthread_mutex_unlock(&system->lock);
    }
    /* time enough for a shutdown that does not wait for us to free the workers */
    until = thi_clock_monotonic() + TH_MS(20);
    while (thi_clock_monotonic() < until)
        continue;
    thi_park_wake_one(&system->stage.pool);
    thi_reclaim_leave();
    return NULL;
}

Test(system, shutdown_waits_for_outsiders_that_are_still_waking)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    pthread_t outsider;

    atomic_store(&outsider_is_inside, false);
    cr_assert_eq(pthread_create(&outsider, NULL, dawdle_in_a_send, ts.sys), 0);
    while (!atomic_load(&outsider_is_inside))
        continue;
    cr_assert_eq(th_system_shutdown(ts.sys, TEST_PATIENCE, NULL, NULL), TH_OK);
    cr_assert_eq(pthread_join(outsider, NULL), 0);
    test_system_close(&ts);
}
