/* A system is served by a loop that knows nothing of it but a descriptor. */
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/watcher.h"
#include <thespis/pump.h>

static struct test_system open_pumped(void)
{
    return test_system_open_with(&(th_options){ .base = TH_BASE_SIMPLE, .pumped = true });
}

/* Until something is to be done; false: nothing, for @ms. */
static bool wait_for(th_system *sys, int ms)
{
    struct pollfd fd = { .fd = th_system_fd(sys), .events = POLLIN };

    return poll(&fd, 1, ms) == 1;
}

/* Everything that there is to do, and nothing is left. */
static uint64_t pump_dry(th_system *sys)
{
    uint64_t turns, all = 0;

    while (wait_for(sys, 0)) {
        must(th_pump(sys, 0, &turns));
        all += turns;
    }
    return all;
}

static th_msg *hear(struct test_system *ts)
{
    th_msg *msg = NULL;

    while (th_listen(ts->me, 0, &msg) == TH_E_TIMEOUT) {
        cr_assert(wait_for(ts->sys, 30000), "nothing comes");
        must(th_pump(ts->sys, 0, NULL));
    }
    return msg;
}

Test(pump, a_message_makes_it_readable)
{
    struct test_system ts = open_pumped();
    th_addr echo;
    th_msg *msg;

    must(th_spawn(ts.me, &talk_echo, NULL, &echo));
    cr_assert(wait_for(ts.sys, 0));
    cr_assert_gt(pump_dry(ts.sys), 0);
    cr_assert_not(wait_for(ts.sys, 0));
    must(talk_say(ts.me, echo, "hello"));
    cr_assert(wait_for(ts.sys, 0));
    cr_assert_eq(pump_dry(ts.sys), 1);
    must(th_listen(ts.me, 0, &msg));
    cr_assert(talk_is(msg, "hello"));
    th_msg_destroy(ts.me, msg);
    test_system_close(&ts);
}

Test(pump, a_budget_is_kept)
{
    struct test_system ts = open_pumped();
    uint64_t turns;
    th_addr echo;

    pump_dry(ts.sys);
    for (int i = 0; i < 10; i++)
        must(th_spawn(ts.me, &talk_echo, NULL, &echo));
    for (int i = 0; i < 5; i++) {
        cr_assert(wait_for(ts.sys, 0), "more is to be done");
        must(th_pump(ts.sys, 2, &turns));
        cr_assert_eq(turns, 2);
    }
    pump_dry(ts.sys);
    cr_assert_not(wait_for(ts.sys, 20));
    test_system_close(&ts);
}

Test(pump, a_wakeup_makes_it_readable)
{
    struct test_system ts = open_pumped();
    uint64_t began = th_now(ts.me), id;
    th_msg *msg;

    pump_dry(ts.sys);
    must(th_wakeup_after(ts.me, TH_MS(20), NULL, NULL));
    msg = hear(&ts);
    cr_assert_not_null(th_wakeup_of(msg));
    cr_assert_geq(th_now(ts.me) - began, TH_MS(20), "in real time, never early");
    th_msg_destroy(ts.me, msg);
    must(th_wakeup_every(ts.me, TH_MS(2), NULL, &id));
    for (int i = 1; i <= 5; i++) {
        msg = hear(&ts);
        cr_assert_eq(th_wakeup_of(msg)->count, i);
        th_msg_destroy(ts.me, msg);
    }
    must(th_wakeup_cancel(ts.me, id));
    test_system_close(&ts);
}

Test(pump, a_watched_descriptor_makes_it_readable)
{
    struct test_system ts = open_pumped();
    th_addr watcher = watcher_create(ts.me, &watcher_class);
    th_msg *msg;
    int ends[2];

    watcher_pipe(ends);
    watcher_habits(ts.me, watcher, WATCHER_READS_ALL, -1); /* asks: drives the system itself */
    watcher_watch(ts.me, watcher, ends[0], TH_FD_READABLE, TH_WATCH_LEVEL);
    pump_dry(ts.sys);
    cr_assert_not(wait_for(ts.sys, 20));
    for (int i = 1; i <= 8; i++) {
        watcher_write(ends[1], i);
        msg = hear(&ts);
        cr_assert_eq(watcher_report_of(msg)->bytes, i);
        th_msg_destroy(ts.me, msg);
    }
    pump_dry(ts.sys);
    close(ends[0]);
    close(ends[1]);
    test_system_close(&ts);
}

struct stranger {
    th_system *sys;
    th_addr echo;
    th_err err;
};

static void *tell(void *context)
{
    struct stranger *stranger = context;
    th_self *me = th_system_self(stranger->sys);

    for (int i = 0; i < 100 && !stranger->err; i++)
        stranger->err = talk_say(me, stranger->echo, "from elsewhere");
    return NULL;
}

Test(pump, other_threads_make_it_readable)
{
    struct test_system ts = open_pumped();
    struct stranger stranger = { .sys = ts.sys };
    pthread_t thread;

    must(th_spawn(ts.me, &talk_echo, NULL, &stranger.echo));
    pump_dry(ts.sys);
    cr_assert_eq(pthread_create(&thread, NULL, tell, &stranger), 0);
    for (int i = 0; i < 100; i++)
        th_msg_destroy(ts.me, hear(&ts));
    pthread_join(thread, NULL);
    cr_assert_eq(stranger.err, TH_OK);
    test_system_close(&ts);
}

/* Two systems and a pipe of the loop's own, in one epoll. */
Test(pump, an_epoll_of_the_tests_own)
{
    struct test_system ts[2] = { open_pumped(), open_pumped() };
    struct epoll_event event = { .events = EPOLLIN }, ready[4];
    int loop = epoll_create1(EPOLL_CLOEXEC), heard = 0;
    th_msg *msg;

    for (int i = 0; i < 2; i++) {
        event.data.u32 = (uint32_t)i;
        cr_assert_eq(epoll_ctl(loop, EPOLL_CTL_ADD, th_system_fd(ts[i].sys), &event), 0);
        must(th_wakeup_after(ts[i].me, TH_MS(5 * (i + 1)), NULL, NULL));
    }
    while (heard < 2) {
        int count = epoll_wait(loop, ready, 4, 30000);

        cr_assert_gt(count, 0);
        for (int i = 0; i < count; i++) {
            must(th_pump(ts[ready[i].data.u32].sys, 0, NULL));
            while (th_listen(ts[ready[i].data.u32].me, 0, &msg) == TH_OK) {
                th_msg_destroy(ts[ready[i].data.u32].me, msg);
                heard++;
            }
        }
    }
    close(loop);
    test_system_close(&ts[1]);
    test_system_close(&ts[0]);
}

static uint64_t cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

Test(pump, an_idle_one_costs_nothing)
{
    struct test_system ts = open_pumped();
    uint64_t used;

    must(th_wakeup_after(ts.me, TH_S(3600), NULL, NULL));
    pump_dry(ts.sys);
    used = cpu_ns();
    cr_assert_not(wait_for(ts.sys, 200));
    cr_assert_lt(cpu_ns() - used, TH_MS(50));
    test_system_close(&ts);
}

static th_err pumps(th_self *self, void *state, const th_msg *msg)
{
    return talk_word_of(msg)
               ? talk_count(self, th_msg_sender(msg), th_pump(th_self_system(self), 0, NULL))
               : TH_OK;
}

static const th_class pumper = { .name = "pumper", .receive = pumps };

Test(pump, wrong_states_are_answered)
{
    struct test_system ts = open_pumped();
    th_system *sys = th_system_create(&(th_options){ .base = TH_BASE_SIMPLE, .pumped = true });
    const char *why = NULL;

    must_be(th_pump(NULL, 0, NULL), TH_E_INVALID);
    cr_assert_eq(th_system_fd(NULL), -1);
    must_be(th_pump(sys, 0, NULL), TH_E_STATE);
    cr_assert_eq(th_system_fd(sys), -1);
    must(th_system_destroy(sys));
    cr_assert_eq(talk_ask_number(ts.me, talk_create(ts.me, &pumper), "now?"), TH_E_NOT_ALLOWED);
    must(th_system_shutdown(ts.sys, TALK_PATIENCE, NULL, NULL));
    must_be(th_pump(ts.sys, 0, NULL), TH_E_CLOSED);
    cr_assert_eq(th_system_fd(ts.sys), -1);
    test_system_close(&ts);
    must_be(th_options_check(&(th_options){ .pumped = true }, &why), TH_E_INVALID);
    cr_assert_not_null(strstr(why, "pumped"));
}

BOTH_BASES(pump, others_have_no_descriptor)
{
    must_be(th_pump(ts->sys, 0, NULL), TH_E_WRONG_BASE);
    cr_assert_eq(th_system_fd(ts->sys), -1);
}
