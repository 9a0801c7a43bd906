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

/* ---- by class ---- */

static void settle(struct test_system *ts, th_addr actor)
{
    struct th_ask_handled *body;
    th_msg *question = th_ask_handled_new(ts->me, &body), *answer;

    must(th_ask(ts->me, actor, question, TALK_PATIENCE, &answer));
    th_msg_destroy(ts->me, answer);
}

struct sums {
    uint64_t waiting, handling, slow_handling;
    bool has_slow;
};

static void sum_up(void *context, const th_class_status *status)
{
    struct sums *sums = context;

    check_times(&status->waiting);
    check_times(&status->handling);
    sums->waiting += status->waiting.samples;
    sums->handling += status->handling.samples;
    if (strcmp(status->name, "slow") != 0)
        return;
    sums->has_slow = true;
    sums->slow_handling = status->handling.samples;
    cr_assert_eq(status->actors, 1);
}

static void put(void *context, const char *bytes, size_t size)
{
    strncat(context, bytes, size);
}

/* One worker: what it wrote before it answered, we see. */
Test(measure, the_samples_of_all_classes_are_the_systems, .timeout = 120)
{
    th_options options = { .workers = 1, .measure = true };
    struct test_system ts = test_system_open_with(&options);
    th_addr slow = talk_create(ts.me, &slow_class), burst = talk_create(ts.me, &burst_class);
    static char text[200000];
    th_actor_status own;
    th_system_status status;
    struct sums sums;

    must(th_actor_measure(ts.sys, slow, true));
    must(talk_whom_send(ts.me, burst, (struct talk_whom){ slow }));
    do {
        must(talk_say(ts.me, burst, "go"));
        settle(&ts, burst);
        settle(&ts, slow);
        must(th_actor_status_read(ts.sys, slow, &own));
        status = read_status(&ts);
    } while (own.waiting_times.samples < 2 || own.handling_times.samples < 2);
    /* the last question may have been picked itself; then it is waited for */
    do {
        sums = (struct sums){ 0 };
        status = read_status(&ts);
        must(th_classes_each(ts.sys, sum_up, &sums));
    } while (sums.waiting != status.waiting.samples || sums.handling != status.handling.samples);
    cr_assert(sums.has_slow);
    cr_assert_geq(status.measured_classes, 1);
    cr_assert_eq(status.measured_classes_missed, 0);
    must(th_actor_status_read(ts.sys, slow, &own));
    cr_assert_eq(own.handling_times.samples, sums.slow_handling, "all of its class are its own");
    cr_assert_geq(own.handling_times.max_ns, HANDLING_NS - HANDLING_NS / 16);
    text[0] = '\0';
    must(th_status_write(ts.sys, TH_STATUS_JSON, TH_STATUS_CLASSES | TH_STATUS_ACTORS, put, text));
    cr_assert(json_is_valid(text), "%s", text);
    cr_assert(json_says(text, "classes.0.class", "slow"));
    cr_assert_eq(json_number(text, "classes.0.handling.samples"), sums.slow_handling);
    cr_assert_eq(json_number(text, "tree.0.handling_times.samples"), sums.slow_handling);
    test_system_close(&ts);
}

/* ---- one actor ---- */

static th_err picky_receive(th_self *self, void *state, const th_msg *msg)
{
    (void)self;
    (void)state;
    return talk_is(msg, "bad") ? TH_E_FAILED : TH_OK;
}

static const th_class picky_class = { .name = "picky", .receive = picky_receive };

static th_actor_status look_at(struct test_system *ts, th_addr actor)
{
    th_actor_status status;

    settle(ts, actor);
    must(th_actor_status_read(ts->sys, actor, &status));
    return status;
}

BOTH_BASES(measure, an_actor_is_counted_from_when_it_is_asked_for)
{
    th_addr actor = talk_create(ts->me, &picky_class), other = talk_create(ts->me, &picky_class);
    const struct th_actor_report *report;
    struct th_ask_status *body;
    static char text[200000];
    th_actor_status status;
    th_msg *msg;

    must(talk_say(ts->me, actor, "early"));
    status = look_at(ts, actor);
    cr_assert_not(status.measured);
    must(th_actor_measure(ts->sys, actor, true));
    cr_assert(look_at(ts, actor).measured);
    cr_assert_null(look_at(ts, actor).last_type);
    for (int i = 0; i < 3; i++)
        must(talk_say(ts->me, actor, "good"));
    must(talk_count(ts->me, actor, 7));
    must(talk_say(ts->me, actor, "bad"));
    (void)look_at(ts, actor);
    must(th_actor_measure(ts->sys, actor, true)); /* it is already: nothing is lost */
    status = look_at(ts, actor);
    cr_assert_eq(status.deliveries, 3 + 1 + TH_DELIVERIES_MAX);
    cr_assert_eq(status.failed, TH_DELIVERIES_MAX);
    cr_assert_str_eq(status.last_type, "talk_word");
    cr_assert_eq(status.handling_times.samples, 0, "the system is not measured");
    must(th_listen(ts->me, TALK_PATIENCE, &msg)); /* the poison */
    th_msg_destroy(ts->me, msg);
    must(th_ask(ts->me, actor, th_ask_status_new(ts->me, &body), TALK_PATIENCE, &msg));
    report = th_actor_report_of(msg);
    cr_assert(report->measured);
    cr_assert_eq(report->deliveries, status.deliveries);
    cr_assert_eq(report->failed, status.failed);
    cr_assert_str_eq(report->last_type, "talk_word");
    th_msg_destroy(ts->me, msg);
    text[0] = '\0';
    must(th_status_write(ts->sys, TH_STATUS_JSON, TH_STATUS_ACTORS, put, text));
    cr_assert(json_is_valid(text), "%s", text);
    cr_assert_eq(json_number(text, "tree.0.deliveries"), status.deliveries);
    cr_assert(json_says(text, "tree.0.last_type", "talk_word"));
    cr_assert_null(json_at(text, "tree.1.deliveries"), "nobody asked for the other");
    must(th_actor_measure(ts->sys, actor, false));
    must(talk_say(ts->me, actor, "late"));
    cr_assert_not(look_at(ts, actor).measured);
    must(th_actor_measure(ts->sys, actor, true));
    cr_assert_eq(look_at(ts, actor).deliveries, 0, "from zero");
    (void)other;
}

BOTH_BASES(measure, who_cannot_be_measured_is_answered)
{
    th_addr actor = talk_create(ts->me, &picky_class);
    th_addr foreign = { actor.system + 1, actor.slot, actor.generation };
    th_addr stale = { actor.system, actor.slot, actor.generation + 1 };

    must_be(th_actor_measure(NULL, actor, true), TH_E_INVALID);
    must_be(th_actor_measure(ts->sys, th_addr_none(), true), TH_E_INVALID);
    must_be(th_actor_measure(ts->sys, foreign, true), TH_E_FOREIGN);
    must_be(th_actor_measure(ts->sys, stale, true), TH_E_NO_ACTOR);
    must_be(th_actor_measure(ts->sys, th_self_addr(ts->me), true), TH_E_NO_ACTOR);
    must_be(th_classes_each(NULL, sum_up, NULL), TH_E_INVALID);
    must_be(th_classes_each(ts->sys, NULL, NULL), TH_E_INVALID);
    must(th_inject_nomem(ts->sys, 1, true));
    must_be(th_actor_measure(ts->sys, actor, true), TH_E_NOMEM);
    must(th_inject_nomem(ts->sys, 0, false));
    cr_assert_not(look_at(ts, actor).measured);
    must(th_actor_measure(ts->sys, actor, true)); /* and it ends with its figures */
    must(th_stop(ts->me, actor));
    must(th_system_shutdown(ts->sys, TEST_PATIENCE, NULL, NULL));
    must_be(th_actor_measure(ts->sys, actor, true), TH_E_CLOSED);
    must_be(th_classes_each(ts->sys, sum_up, NULL), TH_E_CLOSED);
}

BOTH_BASES(measure, nobody_measures_unless_asked)
{
    char text[16384];
    th_system_status status = read_status(ts);

    cr_assert_not(status.measured);
    th_system_status_print(&status, text, sizeof(text));
    cr_assert_null(strstr(text, "handling, p50"));
}
