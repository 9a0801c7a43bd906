/* How long messages wait and are handled, of a few of them. */
#include "tests/support/json.h"
#include "tests/support/system.h"
#include "tests/support/talk.h"

#include <sched.h>
#include <string.h>

#define HANDLING_NS TH_US(200)
enum { BURST = 20 };

/* Takes its time over each word. */
static th_err slow_receive(th_self *self, void *state, const th_msg *msg)
{
    uint64_t until = th_now(self) + HANDLING_NS;

    (void)state;
    (void)msg;
    while (th_now(self) < until)
        continue;
    return TH_OK;
}

static const th_class slow_class = { .name = "slow", .receive = slow_receive };

/* Sends a burst of words on: the last waits for all the others. */
static th_err burst_receive(th_self *self, void *state, const th_msg *msg)
{
    th_addr *to = state;
    th_err err = TH_OK;

    if (talk_whom_of(msg))
        *to = talk_whom_of(msg)->addr;
    else
        for (int i = 0; !err && i < BURST; i++)
            err = talk_say(self, *to, "work");
    return err;
}

static const th_class burst_class = { .name = "burst",
                                      .state_size = sizeof(th_addr),
                                      .receive = burst_receive };

static th_system_status read_status(struct test_system *ts)
{
    th_system_status status;

    must(th_system_status_read(ts->sys, &status));
    return status;
}

static void check_times(const th_times *times)
{
    cr_assert_leq(times->p50_ns, times->p90_ns);
    cr_assert_leq(times->p90_ns, times->p99_ns);
    cr_assert_leq(times->p99_ns, times->p999_ns);
    cr_assert_leq(times->p999_ns, times->max_ns);
}

Test(measure, waiting_and_handling_are_sampled, .timeout = 120)
{
    th_options options = { .workers = 1, .measure = true };
    struct test_system ts = test_system_open_with(&options);
    th_addr slow = talk_create(ts.me, &slow_class), burst = talk_create(ts.me, &burst_class);
    struct talk_whom whom = { .addr = slow };
    th_system_status status;
    uint64_t bursts = 0;
    char text[16384];

    must(talk_whom_send(ts.me, burst, whom));
    do { /* one after the other, so that nothing waits but for its own burst */
        must(talk_say(ts.me, burst, "go"));
        bursts++;
        do {
            sched_yield();
            status = read_status(&ts);
        } while (status.counts.handled < status.counts.accepted);
    } while (status.waiting.samples < 8 || status.handling.samples < 8);
    check_times(&status.waiting);
    check_times(&status.handling);
    cr_assert_geq(status.handling.max_ns, HANDLING_NS - HANDLING_NS / 16);
    cr_assert_leq(status.handling.samples, bursts * (BURST + 1) + 10, "no more than there were");
    cr_assert(status.measured);
    th_system_status_json(&status, text, sizeof(text));
    cr_assert(json_is_valid(text));
    cr_assert_eq(json_number(text, "handling.samples"), status.handling.samples);
    cr_assert_eq(json_number(text, "waiting.p99_ns"), status.waiting.p99_ns);
    test_system_close(&ts);
}

/* Whose every send goes into a mailbox that is full: what was sampled has waited for it. */
static th_err pile_receive(th_self *self, void *state, const th_msg *msg)
{
    (void)state;
    if (talk_is(msg, "start"))
        for (int i = 0; i < BURST; i++)
            if (talk_say(self, th_self_addr(self), "work"))
                return TH_E_NOMEM;
    if (talk_is(msg, "work"))
        (void)slow_receive(self, state, msg);
    /* keeps its own mailbox as full as it is */
    return talk_is(msg, "work") ? talk_say(self, th_self_addr(self), "work") : TH_OK;
}

static const th_class pile_class = { .name = "pile", .receive = pile_receive };

Test(measure, a_sample_waits_where_messages_wait, .timeout = 120)
{
    th_options options = { .workers = 1, .measure = true };
    struct test_system ts = test_system_open_with(&options);
    th_addr pile = talk_create(ts.me, &pile_class);
    th_system_status status;

    must(talk_say(ts.me, pile, "start"));
    do {
        sched_yield();
        status = read_status(&ts);
    } while (status.waiting.samples < 12);
    cr_assert_geq(status.waiting.p90_ns, HANDLING_NS * BURST / 2, "%llu",
                  (unsigned long long)status.waiting.p90_ns);
    must(th_stop(ts.me, pile));
    test_system_close(&ts);
}

BOTH_BASES(measure, nobody_measures_unless_asked)
{
    char text[16384];
    th_system_status status = read_status(ts);

    cr_assert_not(status.measured);
    th_system_status_print(&status, text, sizeof(text));
    cr_assert_null(strstr(text, "handling, p50"));
}
