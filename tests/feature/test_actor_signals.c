/* Signals of the process reach the actors that asked for them, and nobody else's business is
 * touched. */
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/watcher.h"

static _Atomic int caught;

static void note(int number)
{
    atomic_store(&caught, number);
}

static void (*handler_of(int number))(int)
{
    struct sigaction now;

    cr_assert_eq(sigaction(number, NULL, &now), 0);
    return now.sa_handler;
}

static uint64_t watch(th_self *me, th_addr watcher, int number)
{
    struct watcher_reply reply =
        watcher_do(me, watcher, (struct watcher_order){ WATCHER_SIGNAL, .fd = number });

    cr_assert_eq(reply.err, TH_OK, "%s", th_err_name(reply.err));
    return reply.id;
}

/* Signals that nobody asked for do not disturb anybody. */
BOTH_BASES(actor_signals, an_actor_goes_on)
{
    th_addr echo = talk_create(ts->me, &talk_echo);

    talk_expect(ts->me, echo, "before", "before");
    raise(SIGCONT);
    talk_expect(ts->me, echo, "after", "after");
}

BOTH_BASES(actor_signals, a_child_goes_on)
{
    th_addr guardian = talk_create(ts->me, &talk_guardian);
    th_addr child = talk_raise(ts->me, guardian, &talk_echo);

    raise(SIGCONT);
    talk_expect(ts->me, child, "still here", "still here");
    must(th_stop(ts->me, child));
    talk_wait_for(ts->me, guardian, 1);
}

BOTH_BASES(actor_signals, who_asks_is_told)
{
    th_addr watcher = watcher_create(ts->me, &watcher_class);
    struct watcher_report report;
    uint64_t id = watch(ts->me, watcher, SIGUSR2);

    for (int i = 0; i < 20; i++) {
        raise(SIGUSR2);
        report = watcher_hear(ts->me);
        cr_assert_eq(report.signal.id, id);
        cr_assert_eq(report.signal.number, SIGUSR2);
        cr_assert_eq(report.signal.count, 1);
    }
    talk_hear_nothing(ts->me);
}

BOTH_BASES(actor_signals, a_storm_is_counted)
{
    enum { STORM = 1000 };
    th_addr watcher = watcher_create(ts->me, &watcher_class);
    uint32_t heard = 0;

    watch(ts->me, watcher, SIGUSR2);
    for (int i = 0; i < STORM; i++)
        raise(SIGUSR2); /* to this thread, so that none is merged */
    while (heard < STORM)
        heard += watcher_hear(ts->me).signal.count;
    cr_assert_eq(heard, STORM);
    talk_hear_nothing(ts->me);
}

BOTH_BASES(actor_signals, everybody_who_asks_is_told)
{
    th_system *other = th_system_create(&(th_options){ .workers = 1 });
    th_addr here[2], there;
    th_self *them;

    must(th_system_start(other));
    them = th_system_self(other);
    for (int i = 0; i < 2; i++) {
        here[i] = watcher_create(ts->me, &watcher_class);
        watch(ts->me, here[i], SIGUSR2);
    }
    there = watcher_create(them, &watcher_class);
    watch(them, there, SIGUSR2);
    raise(SIGUSR2);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(watcher_hear(ts->me).signal.count, 1);
    cr_assert_eq(watcher_hear(them).signal.count, 1);
    talk_hear_nothing(ts->me);
    must(th_system_shutdown(other, TALK_PATIENCE, NULL, NULL));
    must(th_system_destroy(other));
    raise(SIGUSR2); /* one system less */
    for (int i = 0; i < 2; i++)
        cr_assert_eq(watcher_hear(ts->me).signal.count, 1);
}

BOTH_BASES(actor_signals, what_was_there_comes_back)
{
    th_addr watcher = watcher_create(ts->me, &watcher_class);
    struct watcher_order end = { .verb = WATCHER_UNWATCH };

    signal(SIGUSR2, note);
    end.id = watch(ts->me, watcher, SIGUSR2);
    cr_assert_neq(handler_of(SIGUSR2), note);
    cr_assert_eq(watcher_do(ts->me, watcher, end).err, TH_OK);
    cr_assert_eq(handler_of(SIGUSR2), note);
    atomic_store(&caught, 0);
    raise(SIGUSR2);
    cr_assert_eq(atomic_load(&caught), SIGUSR2);
    talk_hear_nothing(ts->me);
    watch(ts->me, watcher, SIGUSR2); /* the actor's end is the watch's */
    must(th_stop(ts->me, watcher));
    talk_expect_gone(ts->me, watcher, "gone?");
    cr_assert_eq(handler_of(SIGUSR2), note);
    signal(SIGUSR2, SIG_DFL);
}

BOTH_BASES(actor_signals, a_handler_set_later_stays)
{
    th_addr watcher = watcher_create(ts->me, &watcher_class);
    struct watcher_order end = { .verb = WATCHER_UNWATCH };

    end.id = watch(ts->me, watcher, SIGUSR2);
    signal(SIGUSR2, note);
    cr_assert_eq(watcher_do(ts->me, watcher, end).err, TH_OK);
    cr_assert_eq(handler_of(SIGUSR2), note);
    signal(SIGUSR2, SIG_DFL);
}

/* A process that ends is reaped by whoever started it, when the signal says so. */
BOTH_BASES(actor_signals, the_end_of_a_process)
{
    th_addr watcher = watcher_create(ts->me, &watcher_class);
    pid_t child;
    int status;

    watch(ts->me, watcher, SIGCHLD);
    child = fork();
    cr_assert_geq(child, 0);
    if (child == 0)
        _exit(7);
    cr_assert_eq(watcher_hear(ts->me).signal.number, SIGCHLD);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

/* An actor may hear of what ends the system, too. */
Test(actor_signals, the_signal_that_ends_the_system)
{
    struct test_system ts =
        test_system_open_with(&(th_options){ .workers = 1, .signals = TH_SIGNAL_TERM });
    th_addr watcher = watcher_create(ts.me, &watcher_class);

    watch(ts.me, watcher, SIGTERM);
    raise(SIGTERM);
    must(th_system_wait(ts.sys, TALK_PATIENCE));
    test_system_close(&ts);
    cr_assert_eq(handler_of(SIGTERM), SIG_DFL);
}

/* ---- a profiler ---- */

static struct {
    _Atomic bool is_over;
    _Atomic unsigned rounds;
} profiler;

/* Every thread of the process but this one is interrupted in whatever it waits. */
static void *profile(void *context)
{
    pid_t me = (pid_t)syscall(SYS_gettid);

    while (!atomic_load(&profiler.is_over)) {
        DIR *tasks = opendir("/proc/self/task");
        struct dirent *task;

        while (tasks && (task = readdir(tasks)))
            if (atoi(task->d_name) > 0 && atoi(task->d_name) != me)
                (void)syscall(SYS_tgkill, getpid(), atoi(task->d_name), SIGPROF);
        if (tasks)
            closedir(tasks);
        atomic_fetch_add(&profiler.rounds, 1);
    }
    return NULL;
}

static th_err take_record(void *context, const th_log_record *record)
{
    return TH_OK;
}

/* SIGPROF, which no thread of the library's blocks, with a handler that restarts no call. */
static void use_while_profiled(th_base base)
{
    th_log_sink sink = { .kind = TH_LOG_SINK_FUNCTION, .write = take_record };
    th_log_options log = { .sinks = &sink, .sink_count = 1, .ignore_environment = true };
    th_options options = { .base = base, .workers = 2, .log = &log };
    struct test_system ts = test_system_open_with(&options);
    th_addr echo = talk_create(ts.me, &talk_echo), watcher = watcher_create(ts.me, &watcher_class);
    uint64_t begun, id;
    pthread_t thread;
    int ends[2];

    watcher_pipe(ends);
    watcher_habits(ts.me, watcher, WATCHER_READS_ALL, -1);
    (void)watcher_watch(ts.me, watcher, ends[0], TH_FD_READABLE, TH_WATCH_LEVEL);
    memset(&profiler, 0, sizeof(profiler));
    cr_assert_eq(pthread_create(&thread, NULL, profile, NULL), 0);
    for (int i = 0; i < 20 || atomic_load(&profiler.rounds) < 20; i++) {
        th_msg *msg;

        talk_expect(ts.me, echo, "hello", "hello");
        watcher_write(ends[1], 1);
        cr_assert_eq(watcher_hear(ts.me).bytes, 1);
        begun = th_now(ts.me);
        must(th_wakeup_after(ts.me, TH_MS(2), NULL, &id));
        must(th_listen(ts.me, TALK_PATIENCE, &msg));
        cr_assert_eq(th_wakeup_of(msg)->id, id);
        cr_assert_geq(th_now(ts.me) - begun, TH_MS(2), "an interrupted wait is not a short one");
        th_msg_destroy(ts.me, msg);
        th_log_warn(ts.me, "a word");
        must(th_log_flush(ts.sys, TALK_PATIENCE));
    }
    atomic_store(&profiler.is_over, true);
    pthread_join(thread, NULL);
    must(th_stop(ts.me, watcher));
    talk_expect_gone(ts.me, watcher, "gone?");
    close(ends[0]);
    close(ends[1]);
    test_system_close(&ts);
}

static void profiled(th_base base)
{
    struct sigaction before, hard = { .sa_handler = note };

    cr_assert_eq(sigaction(SIGPROF, &hard, &before), 0);
    use_while_profiled(base);
    cr_assert_eq(sigaction(SIGPROF, &before, NULL), 0);
}

Test(actor_signals, interrupted_waits_go_on_pool, .timeout = 100)
{
    profiled(TH_BASE_POOL);
}

Test(actor_signals, interrupted_waits_go_on_simple, .timeout = 100)
{
    profiled(TH_BASE_SIMPLE);
}

BOTH_BASES(actor_signals, signals_and_descriptors_share_their_ids)
{
    th_addr watcher = watcher_create(ts->me, &watcher_class);
    struct watcher_order order = { .verb = WATCHER_REARM, .events = TH_FD_READABLE };

    order.id = watch(ts->me, watcher, SIGUSR2);
    cr_assert_eq(watcher_do(ts->me, watcher, order).err, TH_E_NO_WATCH);
    cr_assert_eq(watcher_count(ts->sys), 1);
}
