/* A user's class at work in a troupe: jobs, holding, failures, deaths.
 *
 * Past 500 lines: a job in all its ends; what differs between them is one line in the middle. */
#include "crew.h"

static const th_troupe_options one = { .workers_max = 1, .idle_max = 1 };

/* ---- jobs ---- */

BOTH_BASES(member, sees_a_job_as_its_sender_sent_it)
{
    th_addr troupe = crew_spawn(ts, &hand_class, one);
    struct result result;

    crew_tell(ts, troupe, ECHO, 7);
    result = crew_hear(ts);
    cr_assert_eq(result.id, 7);
    cr_assert_not(th_addr_equal(result.worker, troupe), "the leader did it itself");
}

/* Sends what it gets on to the troupe its argument names. */
static th_err relay_init(th_self *self, void *state, const th_msg *arg)
{
    (void)self;
    *(th_addr *)state = result_of(arg)->worker;
    return TH_OK;
}

static th_err relay_receive(th_self *self, void *state, const th_msg *msg)
{
    return th_forward(self, *(th_addr *)state, msg);
}

static const th_class relay_class = {
    .name = "relay", .state_size = sizeof(th_addr), .init = relay_init, .receive = relay_receive
};

BOTH_BASES(member, answers_the_first_sender_of_a_forwarded_job)
{
    th_addr troupe = crew_spawn(ts, &hand_class, one), relay;
    struct result *to;
    th_msg *arg = result_new(ts->me, &to);

    to->worker = troupe;
    cr_assert_eq(th_spawn(ts->me, &relay_class, arg, &relay), TH_OK);
    crew_tell(ts, relay, ECHO, 8);
    cr_assert_eq(crew_hear(ts).id, 8);
}

BOTH_BASES(member, is_asked_through_the_leader)
{
    th_addr troupe = crew_spawn(ts, &hand_class, one);
    struct task *body;
    th_msg *question = task_new(ts->me, &body), *answer = NULL;

    body->what = ECHO;
    body->id = 9;
    cr_assert_eq(th_ask(ts->me, troupe, question, TEST_PATIENCE, &answer), TH_OK);
    cr_assert_eq(result_of(answer)->id, 9);
    th_msg_destroy(ts->me, answer);
}

BOTH_BASES(member, has_the_users_state)
{
    th_addr troupe = crew_spawn(ts, &hand_class, one);
    struct result result;

    crew_tell(ts, troupe, SAY_STATE, 1);
    result = crew_hear(ts);
    cr_assert_eq(result.err, TH_OK, "th_self_state() is not the user's");
    cr_assert_eq(result.count, 1);
    crew_tell(ts, troupe, SAY_STATE, 2);
    cr_assert_eq(crew_hear(ts).count, 2, "state was not kept between jobs");
}

BOTH_BASES(member, gets_a_copy_of_the_argument_each)
{
    th_troupe_options three = { .workers_max = 3 };
    struct task *body;
    th_msg *arg = task_new(ts->me, &body);
    th_addr troupe;

    crew_reset();
    body->id = 4711;
    cr_assert_eq(th_troupe_spawn(ts->me, &hand_class, arg, &three, &troupe), TH_OK);
    for (uint64_t id = 0; id < 3; id++)
        crew_tell(ts, troupe, HOLD, id);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(crew_hear(ts).tag, 4711);
    cr_assert_eq(crew_status(ts, troupe).workers, 3);
}

struct big {
    char bytes[100000];
    uint64_t last;
};

static th_err big_receive(th_self *self, void *state, const th_msg *msg)
{
    struct big *big = state;
    struct result result = { .count = ++big->last, .err = big->bytes[99999]++ ? 1 : TH_OK };

    return result_send(self, th_msg_sender(msg), result);
}

BOTH_BASES(member, may_have_large_state)
{
    static const th_class big_class = { .name = "big",
                                        .state_size = sizeof(struct big),
                                        .receive = big_receive };
    th_addr troupe = crew_spawn(ts, &big_class, one);
    struct result result;

    crew_tell(ts, troupe, QUIET, 0);
    result = crew_hear(ts);
    cr_assert_eq(result.count, 1);
    cr_assert_eq(result.err, TH_OK, "state was not zeroed");
    crew_tell(ts, troupe, QUIET, 0);
    cr_assert_eq(crew_hear(ts).count, 2);
}

BOTH_BASES(member, of_a_class_without_functions_is_done_at_once)
{
    static const th_class idler = { .name = "idler" };
    th_addr troupe = crew_spawn(ts, &idler, one);

    crew_tell(ts, troupe, ECHO, 1);
    crew_tell(ts, troupe, ECHO, 2);
    cr_assert_eq(crew_settle(ts, troupe).done, 2);
}

static th_err asker_answered(th_self *self, void *state, const th_msg *answer, th_err err,
                             uint64_t token)
{
    struct hand *hand = state;

    (void)token;
    hand->count = 77;
    err = err ? err : hand_answer(self, hand, hand->asker, result_of(answer)->id, TH_OK);
    return err ? err : th_troupe_done(self);
}

static th_err asker_receive(th_self *self, void *state, const th_msg *msg)
{
    struct hand *hand = state;
    struct task *body;
    th_msg *question;
    th_err err;

    if (!task_of(msg))
        return TH_OK;
    if (th_addr_is_none(hand->asker)) { /* the first job only says whom to ask */
        hand->asker = th_msg_sender(msg);
        err = th_troupe_hold(self);
        return err ? err : hand_answer(self, hand, hand->asker, 0, TH_OK);
    }
    question = task_new(self, &body);
    body->what = ECHO;
    body->id = task_of(msg)->id;
    return th_ask_then(self, th_msg_sender(msg), question, TEST_PATIENCE, asker_answered, 0);
}

BOTH_BASES(member, is_given_its_state_in_answers_too)
{
    static const th_class asker_class = { .name = "asker",
                                          .state_size = sizeof(struct hand),
                                          .receive = asker_receive };
    th_addr troupe = crew_spawn(ts, &asker_class, one);
    struct result result;
    th_msg *question;

    crew_tell(ts, troupe, QUIET, 0);
    result = crew_hear(ts);
    crew_tell(ts, result.worker, QUIET, 55); /* not a job: it asks us, and goes on with the job */
    question = crew_listen(ts);
    cr_assert_eq(task_of(question)->id, 55);
    cr_assert_eq(result_send(ts->me, th_msg_sender(question), (struct result){ .id = 55 }), TH_OK);
    th_msg_destroy(ts->me, question);
    result = crew_hear(ts);
    cr_assert_eq(result.id, 55);
    cr_assert_eq(result.count, 77);
    cr_assert_eq(crew_settle(ts, troupe).done, 1);
}

/* ---- holding ---- */

BOTH_BASES(member, takes_no_other_job_while_it_holds_one)
{
    th_addr troupe = crew_spawn(ts, &hand_class, one);
    th_addr worker;

    crew_tell(ts, troupe, HOLD, 1);
    crew_tell(ts, troupe, ECHO, 2);
    worker = crew_hear(ts).worker;
    cr_assert_eq(crew_status(ts, troupe).pending, 1);
    crew_poke(ts, worker, POKE_RELEASE);
    cr_assert_eq(crew_hear(ts).id, 1);
    cr_assert_eq(crew_hear(ts).id, 2);
    cr_assert_eq(crew_settle(ts, troupe).done, 2);
}

BOTH_BASES(member, handles_messages_to_its_own_address_while_it_holds)
{
    th_addr troupe = crew_spawn(ts, &hand_class, one);
    th_addr worker;

    crew_tell(ts, troupe, HOLD, 1);
    worker = crew_hear(ts).worker;
    crew_tell(ts, worker, ECHO, 40);
    cr_assert_eq(crew_hear(ts).id, 40);
    crew_poke(ts, worker, POKE_ANSWER);
    cr_assert_eq(crew_hear(ts).err, TH_OK, "holding again what is held");
    cr_assert_eq(crew_status(ts, troupe).busy, 1);
    crew_poke(ts, worker, POKE_RELEASE);
    cr_assert_eq(crew_hear(ts).id, 1);
    cr_assert_eq(crew_settle(ts, troupe).done, 1);
}

BOTH_BASES(member, takes_messages_to_its_own_address_for_no_jobs)
{
    th_addr troupe = crew_spawn(ts, &hand_class, one);
    struct th_troupe_status status;
    th_addr worker;

    crew_tell(ts, troupe, ECHO, 1);
    worker = crew_hear(ts).worker;
    for (uint64_t id = 2; id < 30; id++)
        crew_tell(ts, id % 3 ? worker : troupe, ECHO, id);
    for (uint64_t id = 2; id < 30; id++)
        crew_hear(ts);
    status = crew_settle(ts, troupe);
    cr_assert_eq(status.jobs, 10);
    cr_assert_eq(status.done, 10);
}

BOTH_BASES(member, cannot_hold_without_a_job)
{
    th_addr troupe = crew_spawn(ts, &hand_class, one);
    th_addr worker, loner;

    cr_assert_eq(th_troupe_hold(ts->me), TH_E_NOT_HERE);
    cr_assert_eq(th_troupe_hold(NULL), TH_E_INVALID);
    cr_assert_eq(th_spawn(ts->me, &hand_class, NULL, &loner), TH_OK);
    crew_poke(ts, loner, POKE_ANSWER);
    cr_assert_eq(crew_hear(ts).err, TH_E_NOT_HERE);
    crew_tell(ts, troupe, ECHO, 1);
    worker = crew_hear(ts).worker;
    crew_poke(ts, worker, POKE_ANSWER);
    cr_assert_eq(crew_hear(ts).err, TH_E_NOT_HERE);
    crew_tell(ts, troupe, ECHO, 2);
    cr_assert_eq(crew_hear(ts).id, 2, "an unheld job was held");
}

BOTH_BASES(member, cannot_be_done_with_what_it_does_not_hold)
{
    th_addr troupe = crew_spawn(ts, &hand_class, one);
    th_addr worker, loner;

    cr_assert_eq(th_troupe_done(ts->me), TH_E_NOT_HERE);
    cr_assert_eq(th_troupe_done(NULL), TH_E_INVALID);
    cr_assert_eq(th_spawn(ts->me, &hand_class, NULL, &loner), TH_OK);
    crew_poke(ts, loner, POKE_DONE);
    cr_assert_eq(crew_hear(ts).err, TH_E_NOT_HERE);
    crew_tell(ts, troupe, ECHO, 1);
    worker = crew_hear(ts).worker;
    crew_poke(ts, worker, POKE_DONE);
    cr_assert_eq(crew_hear(ts).err, TH_E_STATE);
    cr_assert_eq(crew_settle(ts, troupe).done, 1);
}

BOTH_BASES(member, may_hold_and_be_done_in_one_handler)
{
    th_addr troupe = crew_spawn(ts, &hand_class, one);

    crew_tell(ts, troupe, HOLD_DONE, 1);
    cr_assert_eq(crew_hear(ts).err, TH_OK);
    crew_tell(ts, troupe, ECHO, 2);
    cr_assert_eq(crew_hear(ts).id, 2);
    cr_assert_eq(crew_settle(ts, troupe).done, 2);
}

BOTH_BASES(member, still_holds_what_it_could_not_say_was_done)
{
    th_addr troupe = crew_spawn(ts, &hand_class, one);
    th_addr worker;
    th_err err;

    crew_tell(ts, troupe, HOLD, 1);
    worker = crew_hear(ts).worker;
    crew_poke(ts, worker, POKE_BLOCKED); /* nothing can be sent there */
    err = (th_err)crew_hear(ts).err;
    if (err) {
        cr_assert_eq(err, TH_E_STATE);
        cr_assert_eq(crew_status(ts, troupe).busy, 1);
        crew_poke(ts, worker, POKE_RELEASE);
        cr_assert_eq(crew_hear(ts).id, 1);
    }
    cr_assert_eq(crew_settle(ts, troupe).done, 1);
}

BOTH_BASES(member, is_done_though_its_handler_forgot_a_blocking_call)
{
    th_addr troupe = crew_spawn(ts, &hand_class, one);

    crew_tell(ts, troupe, BLOCK, 1);
    crew_tell(ts, troupe, ECHO, 2);
    cr_assert_eq(crew_hear(ts).id, 2);
    cr_assert_eq(crew_settle(ts, troupe).done, 2);
}

/* ---- failures ---- */

BOTH_BASES(member, sends_a_failed_job_back_with_why)
{
    th_addr troupe = crew_spawn(ts, &hand_class, one);
    struct th_troupe_status status;
    char text[TH_DETAILS_SIZE];
    th_err err;

    crew_tell(ts, troupe, FAIL, 13);
    cr_assert_eq(crew_hear_poison(ts, troupe, &err, text, sizeof(text)).id, 13);
    cr_assert_eq(err, TH_E_PARSE);
    cr_assert_str_eq(text, "cannot do 13");
    crew_tell(ts, troupe, ECHO, 14);
    cr_assert_eq(crew_hear(ts).count, 3, "two deliveries of one job, then the next one");
    status = crew_settle(ts, troupe);
    cr_assert_eq(status.poisoned, 1);
    cr_assert_eq(status.done, 1);
    cr_assert_eq(status.deaths, 0);
}

BOTH_BASES(member, is_delivered_a_failed_job_once_more)
{
    th_addr troupe = crew_spawn(ts, &hand_class, one);

    crew_tell(ts, troupe, FAIL_ONCE, 1);
    cr_assert_eq(crew_hear(ts).count, 2);
    cr_assert_eq(crew_settle(ts, troupe).done, 1);
}

BOTH_BASES(member, holds_nothing_when_its_handler_failed)
{
    th_addr troupe = crew_spawn(ts, &hand_class, one);
    char text[TH_DETAILS_SIZE];
    th_err err;

    crew_tell(ts, troupe, HOLD_FAIL, 1);
    crew_tell(ts, troupe, ECHO, 2);
    for (int i = 0; i < 2; i++) { /* in either order: they come from two actors */
        th_msg *msg = crew_listen(ts);

        cr_assert(th_poison_of(msg) || result_of(msg));
        th_msg_destroy(ts->me, msg);
    }
    crew_tell(ts, troupe, FAIL, 3);
    cr_assert_eq(crew_hear_poison(ts, troupe, &err, text, sizeof(text)).id, 3);
    cr_assert_eq(crew_settle(ts, troupe).poisoned, 2);
}

BOTH_BASES(member, starts_afresh_after_a_failure_if_its_class_says_so)
{
    static const th_class klass = HAND_CLASS(TH_ON_FAILURE_RESTART);
    th_addr troupe = crew_spawn(ts, &klass, one);
    char text[TH_DETAILS_SIZE];
    struct result before, after;
    th_err err;

    crew_tell(ts, troupe, ECHO, 1);
    before = crew_hear(ts);
    crew_tell(ts, troupe, FAIL, 2);
    cr_assert_eq(crew_hear_poison(ts, troupe, &err, text, sizeof(text)).id, 2);
    crew_tell(ts, troupe, ECHO, 3);
    after = crew_hear(ts);
    cr_assert(th_addr_equal(before.worker, after.worker));
    cr_assert_eq(after.count, 1, "the state is the old one");
    cr_assert_eq(crew_settle(ts, troupe).done, 2);
    cr_assert_eq(crew_count(&crew_born), 2);
}

BOTH_BASES(member, stops_after_a_failure_if_its_class_says_so)
{
    static const th_class klass = HAND_CLASS(TH_ON_FAILURE_STOP);
    th_addr troupe = crew_spawn(ts, &klass, one);
    struct th_troupe_status status;
    char text[TH_DETAILS_SIZE];
    struct result before, after;
    th_err err;

    crew_tell(ts, troupe, ECHO, 1);
    before = crew_hear(ts);
    crew_tell(ts, troupe, FAIL, 2);
    cr_assert_eq(crew_hear_poison(ts, troupe, &err, text, sizeof(text)).id, 2);
    crew_tell(ts, troupe, ECHO, 3);
    after = crew_hear(ts);
    cr_assert_not(th_addr_equal(before.worker, after.worker));
    status = crew_settle(ts, troupe);
    cr_assert_eq(status.done, 2);
    cr_assert_eq(status.poisoned, 1);
    cr_assert_eq(status.deaths, 1);
    cr_assert_eq(status.retried, 0);
}

BOTH_BASES(member, that_loses_a_held_job_in_a_restart_is_given_it_again)
{
    static const th_class klass = HAND_CLASS(TH_ON_FAILURE_RESTART);
    th_addr troupe = crew_spawn(ts, &klass, one);
    struct th_troupe_status status;
    struct result first, second;
    th_msg *poison;

    crew_tell(ts, troupe, HOLD, 1);
    first = crew_hear(ts);
    crew_poke(ts, first.worker, POKE_FAIL);
    poison = crew_listen(ts);
    cr_assert_not_null(th_poison_of(poison));
    th_msg_destroy(ts->me, poison);
    second = crew_hear(ts);
    cr_assert_eq(second.id, 1);
    cr_assert_eq(second.count, 1);
    cr_assert(th_addr_equal(first.worker, second.worker));
    crew_poke(ts, second.worker, POKE_RELEASE);
    cr_assert_eq(crew_hear(ts).id, 1);
    status = crew_settle(ts, troupe);
    cr_assert_eq(status.done, 1);
    cr_assert_eq(status.retried, 1);
    cr_assert_eq(status.deaths, 0);
}

/* ---- ends ---- */

BOTH_BASES(member, that_dies_of_a_job_has_it_tried_again_by_others)
{
    th_addr troupe = crew_spawn(ts, &hand_class, one);
    struct th_troupe_status status;

    crew_tell(ts, troupe, DIE_TWICE, 5);
    cr_assert_eq(crew_hear(ts).id, 5);
    status = crew_settle(ts, troupe);
    cr_assert_eq(status.done, 1);
    cr_assert_eq(status.retried, 2);
    cr_assert_eq(status.deaths, 2);
    cr_assert_eq(crew_count(&crew_born), 3);
}

BOTH_BASES(member, may_leave_after_each_job)
{
    th_addr troupe = crew_spawn(ts, &hand_class, one);
    struct th_troupe_status status;

    crew_mourn(ts);
    for (uint64_t id = 0; id < 20; id++)
        crew_tell(ts, troupe, LEAVE, id);
    for (uint64_t id = 0; id < 20; id++)
        cr_assert_eq(crew_hear(ts).id, id);
    status = crew_settle(ts, troupe);
    cr_assert_eq(status.done, 20);
    cr_assert_eq(status.retried, 0, "a job went to a worker that was leaving");
    cr_assert_eq(crew_count(&crew_born), 20);
    cr_assert_eq(test_system_counts(ts).dead, 0);
}

/* A hand that takes a while to exit: it has a child. */
static th_err parent_init(th_self *self, void *state, const th_msg *arg)
{
    th_addr child;

    return hand_init(self, state, arg) || th_spawn(self, &hand_class, NULL, &child) ? TH_E_INIT
                                                                                    : TH_OK;
}

static const th_class parent_class = { .name = "parent",
                                       .state_size = sizeof(struct hand),
                                       .init = parent_init,
                                       .receive = hand_receive };

BOTH_BASES(member, that_takes_a_while_to_leave_gets_no_other_job)
{
    th_addr troupe = crew_spawn(ts, &parent_class, one);
    struct th_troupe_status status;

    for (uint64_t id = 0; id < 10; id++)
        crew_tell(ts, troupe, LEAVE, id);
    for (uint64_t id = 0; id < 10; id++)
        cr_assert_eq(crew_hear(ts).id, id);
    status = crew_settle(ts, troupe);
    cr_assert_eq(status.done, 10);
    cr_assert_eq(status.retried, 0, "a job went to a worker that was leaving");
    cr_assert_eq(test_system_counts(ts).dead, 0);
}

BOTH_BASES(member, that_is_stopped_by_others_has_its_held_job_tried_again)
{
    th_addr troupe = crew_spawn(ts, &hand_class, one);
    struct result first, second;

    crew_tell(ts, troupe, HOLD, 1);
    first = crew_hear(ts);
    cr_assert_eq(th_stop(ts->me, first.worker), TH_OK);
    second = crew_hear(ts);
    cr_assert_eq(second.id, 1);
    cr_assert_not(th_addr_equal(first.worker, second.worker));
}

BOTH_BASES(member, may_have_a_thread_of_its_own)
{
    static const th_class klass = { .name = "hand",
                                    .state_size = sizeof(struct hand),
                                    .init = hand_init,
                                    .receive = hand_receive,
                                    .exit = hand_exit,
                                    .flags = TH_CLASS_OWN_THREAD };
    th_addr troupe = crew_spawn(ts, &klass, (th_troupe_options){ .workers_max = 2 });
    th_actor_status status;

    crew_tell(ts, troupe, HOLD, 50);
    cr_assert_eq(th_actor_status_read(ts->sys, crew_hear(ts).worker, &status), TH_OK);
    cr_assert(status.own_thread || test_is_simple(ts));
    for (uint64_t id = 0; id < 50; id++)
        crew_tell(ts, troupe, ECHO, id);
    for (uint64_t id = 0; id < 50; id++)
        crew_hear(ts);
    while (crew_status(ts, troupe).done != 50)
        ;
}
