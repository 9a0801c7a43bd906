/* How an actor and the system are, as messages: anybody may ask, the runtime answers. */
#include "tests/support/json.h"
#include "tests/support/system.h"
#include "tests/support/talk.h"

#include <stdatomic.h>
#include <string.h>
#include <thespis/testkit.h>

static th_msg *ask(struct test_system *ts, th_addr whom, uint32_t format, uint32_t parts)
{
    struct th_ask_status *body;
    th_msg *question = th_ask_status_new(ts->me, &body), *answer;

    body->format = format;
    body->parts = parts;
    must(th_ask(ts->me, whom, question, TALK_PATIENCE, &answer));
    return answer;
}

static const th_class idle_class = { .name = "idle" };

/* testGetStatsFromIdlePrimaryActor */
BOTH_BASES(status_messages, an_idle_actor_answers)
{
    th_addr actor = talk_create(ts->me, &idle_class);
    th_msg *answer = ask(ts, actor, 0, 0);
    const struct th_actor_report *report = th_actor_report_of(answer);

    cr_assert_not_null(report);
    cr_assert(th_addr_equal(report->actor, actor));
    cr_assert(th_addr_equal(report->parent, th_system_addr(ts->me)));
    cr_assert_str_eq(report->class_name->data, "idle");
    cr_assert_eq(report->children, 0);
    cr_assert_eq(report->wakeups, 0);
    cr_assert_eq(report->waiting, 0);
    cr_assert_not(report->exiting);
    cr_assert_not(report->own_thread);
    cr_assert(th_addr_equal(th_msg_sender(answer), actor));
    th_msg_destroy(ts->me, answer);
}

/* Children, wakeups, and whoever asks for the sake of another. */
static th_err parent_receive(th_self *self, void *state, const th_msg *msg)
{
    th_addr *asker = state, child;

    if (th_msg_type(msg) == &talk_number_type) {
        *asker = th_msg_sender(msg);
        for (int64_t i = 0; i < talk_number_of(msg)->value; i++) {
            if (th_spawn(self, &idle_class, NULL, &child) ||
                th_wakeup_after(self, TH_S(1000), NULL, NULL))
                return TH_E_NOMEM;
        }
        return talk_say(self, *asker, "done");
    }
    if (talk_is(msg, "ask the child"))
        return th_ask_actor_status(self, child = th_self_addr(self));
    if (talk_is(msg, "ask the system")) {
        *asker = th_msg_sender(msg);
        return th_ask_system_status(self, TH_STATUS_JSON, TH_STATUS_SYSTEM);
    }
    if (th_system_report_of(msg) || th_actor_report_of(msg))
        return th_forward(self, *asker, msg);
    return TH_OK;
}

static const th_class parent_class = { .name = "parent",
                                       .state_size = sizeof(th_addr),
                                       .receive = parent_receive };

/* testGetStatsShowsCorrectChildCount, testGetStatsShowsCorrectSleepCount */
BOTH_BASES(status_messages, children_and_wakeups_are_counted)
{
    th_addr parent = talk_create(ts->me, &parent_class);
    th_msg *answer;

    for (uint32_t count = 0; count < 10; count += 3) {
        must(talk_count(ts->me, parent, count ? 3 : 0));
        talk_hear(ts->me, "done");
        answer = ask(ts, parent, 0, 0);
        cr_assert_eq(th_actor_report_of(answer)->children, count);
        cr_assert_eq(th_actor_report_of(answer)->wakeups, count);
        th_msg_destroy(ts->me, answer);
    }
}

BOTH_BASES(status_messages, actors_ask_each_other_and_the_system)
{
    th_addr parent = talk_create(ts->me, &parent_class);
    const struct th_system_report *report;
    th_msg *answer;

    must(talk_count(ts->me, parent, 2));
    talk_hear(ts->me, "done");
    must(talk_say(ts->me, parent, "ask the child"));
    must(th_listen(ts->me, TALK_PATIENCE, &answer));
    cr_assert_eq(th_actor_report_of(answer)->children, 2);
    th_msg_destroy(ts->me, answer);
    must(talk_say(ts->me, parent, "ask the system"));
    must(th_listen(ts->me, TALK_PATIENCE, &answer));
    report = th_system_report_of(answer);
    cr_assert_not_null(report);
    cr_assert_eq(report->actors, 3);
    cr_assert_eq(report->wakeups_pending, 2);
    cr_assert_eq(report->workers, test_is_simple(ts) ? 0 : 2);
    cr_assert(json_is_valid(report->text->data));
    cr_assert_eq(json_number(report->text->data, "actors.alive"), 3);
    th_msg_destroy(ts->me, answer);
}

BOTH_BASES(status_messages, the_system_says_it_all)
{
    th_addr parent = talk_create(ts->me, &parent_class);
    th_msg *answer = ask(ts, th_system_addr(ts->me), TH_STATUS_TEXT, TH_STATUS_ALL);
    const struct th_system_report *report = th_system_report_of(answer);

    (void)parent;
    cr_assert_eq(report->id, th_system_id(ts->sys));
    cr_assert_str_eq(report->name->data, "thespis");
    cr_assert_not_null(strstr(report->text->data, "\nactors\n  parent, "));
    th_msg_destroy(ts->me, answer);
    answer = ask(ts, th_system_addr(ts->me), TH_STATUS_TEXT, 0);
    cr_assert_null(th_system_report_of(answer)->text, "nobody asked for it");
    th_msg_destroy(ts->me, answer);
    answer = ask(ts, th_system_addr(ts->me), 77, ~0u);
    cr_assert_not_null(th_system_report_of(answer)->text, "what is absurd is text");
    th_msg_destroy(ts->me, answer);
}

/* Mail that waits behind the question: the question comes first. */
Test(status_messages, what_waits_is_listed)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_addr actor = talk_create(ts.me, &idle_class);
    const struct th_actor_report *report;
    th_msg *answer;

    for (int i = 0; i < 10; i++)
        must(talk_say(ts.me, actor, "waits"));
    answer = ask(&ts, actor, 0, 0);
    report = th_actor_report_of(answer);
    cr_assert_eq(report->waiting, 10);
    cr_assert_eq(report->first_count, TH_ACTOR_REPORT_WAITING);
    cr_assert_str_eq(report->first[7].type, "talk_word");
    cr_assert(th_addr_equal(report->first[0].sender, th_self_addr(ts.me)));
    th_msg_destroy(ts.me, answer);
    test_system_close(&ts);
}

/* An actor whose child does not go, so that it is exiting for a while. */
static struct {
    _Atomic bool may_go;
    th_addr child;
} gate;

static void stubborn_exit(th_self *self, void *state)
{
    (void)state;
    (void)self;
    while (!atomic_load(&gate.may_go))
        continue;
}

static const th_class stubborn_class = { .name = "stubborn", .exit = stubborn_exit };

static th_err waiter_init(th_self *self, void *state, const th_msg *arg)
{
    (void)state;
    (void)arg;
    return th_spawn(self, &stubborn_class, NULL, &gate.child);
}

static const th_class waiter_class = { .name = "waiter", .init = waiter_init };

Test(status_messages, answered_while_exiting)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    const struct th_actor_report *report;
    th_addr waiter;
    th_msg *answer;
    bool exiting;

    atomic_store(&gate.may_go, false);
    waiter = talk_create(ts.me, &waiter_class);
    must(th_stop(ts.me, waiter));
    do {
        answer = ask(&ts, waiter, 0, 0);
        report = th_actor_report_of(answer);
        exiting = report->exiting;
        cr_assert_eq(report->children, 1);
        th_msg_destroy(ts.me, answer);
    } while (!exiting);
    atomic_store(&gate.may_go, true);
    test_system_close(&ts);
}

BOTH_BASES(status_messages, who_cannot_answer_does_not)
{
    th_addr gone = talk_create(ts->me, &idle_class);
    struct th_ask_status *body;
    th_msg *answer = NULL;

    must(th_stop(ts->me, gone));
    while (test_system_counts(ts).exited < 1)
        must_be(th_listen(ts->me, TH_MS(1), &answer), TH_E_TIMEOUT);
    must_be(th_ask(ts->me, gone, th_ask_status_new(ts->me, &body), TALK_PATIENCE, &answer),
            TH_E_NO_ACTOR);
    must_be(th_ask(ts->me, th_self_addr(ts->me), th_ask_status_new(ts->me, &body), TALK_PATIENCE,
                   &answer),
            TH_E_NO_ACTOR);
    cr_assert_null(answer);
}

/* The n-th allocation fails: the asker hears of it, or gets an answer with less in it. */
BOTH_BASES(status_messages, memory_may_be_gone, .timeout = 60)
{
    th_addr actor = talk_create(ts->me, &idle_class);

    for (uint64_t nth = 1; nth < 40; nth++) {
        struct th_ask_status *body;
        th_addr whom = nth % 2 ? actor : th_system_addr(ts->me);
        th_msg *question = th_ask_status_new(ts->me, &body), *answer = NULL;
        th_err err;

        body->parts = TH_STATUS_ALL;
        body->format = TH_STATUS_JSON;
        must(th_inject_nomem(ts->sys, nth, false));
        err = th_ask(ts->me, whom, question, TALK_PATIENCE, &answer);
        must(th_inject_nomem(ts->sys, 0, false));
        cr_assert(err == TH_OK || err == TH_E_NOMEM, "%s", th_err_name(err));
        if (!err && th_system_report_of(answer) && th_system_report_of(answer)->text)
            cr_assert(json_is_valid(th_system_report_of(answer)->text->data));
        th_msg_destroy(ts->me, answer);
    }
}
