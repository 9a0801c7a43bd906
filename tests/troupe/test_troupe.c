/* The leader, with real workers.
 *
 * Past 500 lines: all of it is the leader's, and asked of it in the same few verbs. */
#include "crew.h"

#include <string.h>

/* ---- who does what ---- */

BOTH_BASES(troupe, each_job_is_done_by_exactly_one_worker)
{
    enum { JOBS = 500 };
    static unsigned char seen[JOBS];
    th_addr troupe = crew_spawn(ts, &hand_class, (th_troupe_options){ .workers_max = 7 });
    struct th_troupe_status status;

    memset(seen, 0, sizeof(seen));
    for (uint64_t id = 0; id < JOBS; id++)
        crew_tell(ts, troupe, ECHO, id);
    for (int i = 0; i < JOBS; i++)
        seen[crew_hear(ts).id]++;
    for (int i = 0; i < JOBS; i++)
        cr_assert_eq(seen[i], 1, "job %d was done %d times", i, seen[i]);
    status = crew_settle(ts, troupe);
    cr_assert_eq(status.jobs, JOBS);
    cr_assert_eq(status.done, JOBS);
    cr_assert_leq(status.workers, 7);
}

/* @count workers at rest, and who they are. */
static void assemble(struct test_system *ts, th_addr troupe, th_addr *workers, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        crew_tell(ts, troupe, HOLD, i);
    for (uint32_t i = 0; i < count; i++)
        workers[i] = crew_hear(ts).worker;
    cr_assert_eq(crew_status(ts, troupe).workers, count);
    for (uint32_t i = 0; i < count; i++) {
        crew_poke(ts, workers[i], POKE_RELEASE);
        crew_hear(ts);
        while (crew_status(ts, troupe).busy != count - i - 1)
            ;
    }
}

BOTH_BASES(troupe, idle_workers_take_turns)
{
    th_troupe_options options = { .workers_max = 4, .idle_max = 4 };
    th_addr troupe = crew_spawn(ts, &hand_class, options);
    th_addr workers[4];

    assemble(ts, troupe, workers, 4);
    for (uint64_t id = 0; id < 20; id++) {
        struct result result;

        crew_tell(ts, troupe, ECHO, id);
        result = crew_hear(ts);
        cr_assert(th_addr_equal(result.worker, workers[id % 4]), "job %u was not its turn",
                  (unsigned)id);
        cr_assert_eq(result.count, 2 + id / 4);
        crew_settle(ts, troupe);
    }
}

Test(troupe, twenty_jobs_at_once_are_five_each_for_four_workers)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_addr troupe = crew_spawn(&ts, &hand_class, (th_troupe_options){ .workers_max = 4 });
    uint64_t most = 0;

    for (uint64_t id = 0; id < 20; id++)
        crew_tell(&ts, troupe, ECHO, id);
    for (uint64_t id = 0; id < 20; id++) {
        uint64_t count = crew_hear(&ts).count;

        most = count > most ? count : most;
    }
    cr_assert_eq(most, 5);
    test_system_close(&ts);
}

BOTH_BASES(troupe, grows_as_jobs_need_it)
{
    th_addr troupe = crew_spawn(ts, &hand_class, (th_troupe_options){ .workers_max = 5 });
    struct th_troupe_status status;

    cr_assert_eq(crew_status(ts, troupe).workers, 0);
    for (uint64_t id = 0; id < 3; id++)
        crew_tell(ts, troupe, HOLD, id);
    for (uint64_t id = 0; id < 3; id++)
        crew_hear(ts);
    cr_assert_eq(crew_status(ts, troupe).workers, 3);
    for (uint64_t id = 3; id < 9; id++)
        crew_tell(ts, troupe, HOLD, id);
    crew_hear(ts);
    crew_hear(ts);
    status = crew_status(ts, troupe);
    cr_assert_eq(status.workers, 5);
    cr_assert_eq(status.busy, 5);
    cr_assert_eq(status.pending, 4);
}

BOTH_BASES(troupe, handles_empty_messages_as_jobs)
{
    th_addr troupe = crew_spawn(ts, &hand_class, (th_troupe_options){ 0 });
    struct th_troupe_status status;

    cr_assert_eq(th_send(ts->me, troupe, th_msg_create(ts->me, &nothing_type)), TH_OK);
    crew_hear(ts);
    crew_tell(ts, troupe, 0, 0); /* all its fields are zero */
    cr_assert_eq(crew_hear(ts).id, 0);
    status = crew_settle(ts, troupe);
    cr_assert_eq(status.jobs, 2);
    cr_assert_eq(status.done, 2);
}

/* Forwards what the system tells it to the troupe its argument names. */
static th_err gossip_init(th_self *self, void *state, const th_msg *arg)
{
    *(th_addr *)state = result_of(arg)->worker;
    return th_wakeup_after(self, TH_MS(1), NULL, NULL);
}

static th_err gossip_receive(th_self *self, void *state, const th_msg *msg)
{
    if (th_wakeup_of(msg) || th_poison_of(msg))
        return th_forward(self, *(th_addr *)state, msg);
    return TH_OK;
}

static th_err teller_receive(th_self *self, void *state, const th_msg *msg)
{
    th_addr *boss = state;

    if (result_of(msg)) /* to its address: whom to tell */
        *boss = th_msg_sender(msg);
    else if (th_wakeup_of(msg))
        return task_send(self, *boss, (struct task){ .id = 1 });
    else if (th_poison_of(msg))
        return task_send(self, *boss, (struct task){ .id = 2 });
    return result_send(self, *boss, (struct result){ .worker = th_self_addr(self) });
}

BOTH_BASES(troupe, swallows_no_message_that_somebody_forwards_to_it)
{
    static const th_class gossip = { .name = "gossip",
                                     .state_size = sizeof(th_addr),
                                     .init = gossip_init,
                                     .receive = gossip_receive };
    static const th_class teller = { .name = "teller",
                                     .state_size = sizeof(th_addr),
                                     .receive = teller_receive };
    th_addr troupe = crew_spawn(ts, &teller, (th_troupe_options){ .workers_max = 1 });
    th_addr actor;
    struct result *to;
    th_msg *arg, *heard;

    cr_assert_eq(result_send(ts->me, troupe, (struct result){ 0 }), TH_OK);
    crew_hear(ts);
    arg = result_new(ts->me, &to);
    to->worker = troupe;
    cr_assert_eq(th_spawn(ts->me, &gossip, arg, &actor), TH_OK);
    heard = crew_listen(ts);
    cr_assert_eq(task_of(heard)->id, 1, "the wakeup did not reach the worker");
    th_msg_destroy(ts->me, heard);
    cr_assert_eq(crew_settle(ts, troupe).jobs, 2);
}

/* ---- lingering ---- */

Test(troupe, workers_past_the_idle_floor_leave_after_a_while)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 3);
    th_troupe_options options = { .workers_max = 4, .idle_max = 1, .linger_ns = TH_S(2) };
    th_addr troupe = crew_spawn(&ts, &hand_class, options);
    struct th_troupe_status status;
    th_addr workers[4];

    assemble(&ts, troupe, workers, 4);
    status = crew_status(&ts, troupe);
    cr_assert_eq(status.idle, 1);
    cr_assert_eq(status.lingering, 3);
    cr_assert_eq(th_advance(ts.sys, TH_S(2) - TH_MS(1)), TH_OK);
    cr_assert_eq(crew_status(&ts, troupe).workers, 4, "left too early");
    cr_assert_eq(th_advance(ts.sys, TH_MS(1)), TH_OK);
    status = crew_status(&ts, troupe);
    cr_assert_eq(status.workers, 1);
    cr_assert_eq(status.idle, 1);
    cr_assert_eq(status.deaths, 0);
    cr_assert_eq(crew_count(&crew_gone), 3);
    test_system_close(&ts);
}

Test(troupe, a_lingering_worker_that_is_needed_stays)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 3);
    th_troupe_options options = { .workers_max = 2, .idle_max = 1, .linger_ns = TH_S(2) };
    th_addr troupe = crew_spawn(&ts, &hand_class, options);
    th_addr workers[2];

    assemble(&ts, troupe, workers, 2);
    cr_assert_eq(th_advance(ts.sys, TH_S(1)), TH_OK);
    assemble(&ts, troupe, workers, 2);
    cr_assert_eq(th_advance(ts.sys, TH_S(1)), TH_OK);
    cr_assert_eq(crew_status(&ts, troupe).workers, 2);
    cr_assert_eq(crew_count(&crew_born), 2);
    cr_assert_eq(th_advance(ts.sys, TH_S(1)), TH_OK);
    cr_assert_eq(crew_status(&ts, troupe).workers, 1);
    test_system_close(&ts);
}

/* ---- too many jobs ---- */

BOTH_BASES(troupe, jobs_past_the_pending_bound_are_dead_letters)
{
    th_troupe_options options = { .workers_max = 1, .pending_max = 2 };
    th_addr troupe = crew_spawn(ts, &hand_class, options);
    struct th_troupe_status status;
    th_msg *answer = NULL;

    crew_mourn(ts);
    for (uint64_t id = 1; id <= 5; id++)
        crew_tell(ts, troupe, HOLD, id);
    for (int i = 0; i < 3;
         i++) { /* from two actors, so in any order: the first task, two letters */
        th_msg *msg = crew_listen(ts);
        const struct th_dead_letter *letter = th_dead_letter_of(msg);

        if (letter) {
            cr_assert_eq(letter->reason, TH_DEAD_FULL);
            cr_assert_geq(task_of(letter->message)->id, 4);
            cr_assert(th_addr_equal(letter->target, troupe));
        }
        th_msg_destroy(ts->me, msg);
    }
    status = crew_status(ts, troupe);
    cr_assert_eq(status.jobs, 5);
    cr_assert_eq(status.refused, 2);
    cr_assert_eq(status.pending, 2);
    cr_assert_eq(th_ask(ts->me, troupe, th_msg_create(ts->me, &task_type), TEST_PATIENCE, &answer),
                 TH_E_FULL, "who asks a full troupe must hear so");
    cr_assert_eq(crew_hear_letter(ts, troupe, TH_DEAD_FULL).id, 0);
}

/* ---- deaths ---- */

BOTH_BASES(troupe, a_job_that_kills_its_workers_is_poison)
{
    th_addr troupe = crew_spawn(ts, &hand_class, (th_troupe_options){ .kills_max = 3 });
    struct th_troupe_status status;
    char text[TH_DETAILS_SIZE];
    th_err err;

    crew_tell(ts, troupe, DIE, 66);
    cr_assert_eq(crew_hear_poison(ts, troupe, &err, text, sizeof(text)).id, 66);
    cr_assert_eq(err, TH_E_FAILED);
    cr_assert_not_null(strstr(text, "3 workers died of this job"), "%s", text);
    crew_await(ts, troupe, 0);
    crew_tell(ts, troupe, ECHO, 67);
    cr_assert_eq(crew_hear(ts).id, 67);
    status = crew_settle(ts, troupe);
    cr_assert_eq(status.poisoned, 1);
    cr_assert_eq(status.retried, 2);
    cr_assert_eq(status.deaths, 3);
    cr_assert_eq(status.done, 1);
}

BOTH_BASES(troupe, a_job_is_poison_when_no_worker_will_start)
{
    th_addr troupe = crew_spawn(ts, &hand_class, (th_troupe_options){ .kills_max = 2 });
    struct th_troupe_status status;
    char text[TH_DETAILS_SIZE];
    th_err err;

    atomic_store_explicit(&crew_inits_to_fail, 3, memory_order_relaxed);
    crew_tell(ts, troupe, ECHO, 1);
    cr_assert_eq(crew_hear_poison(ts, troupe, &err, text, sizeof(text)).id, 1);
    cr_assert_eq(err, TH_E_PARSE);
    cr_assert_not_null(strstr(text, "no hands today"), "%s", text);
    crew_tell(ts, troupe, ECHO, 2);
    cr_assert_eq(crew_hear(ts).id, 2, "one more death, then a worker that starts");
    status = crew_settle(ts, troupe);
    cr_assert_eq(status.deaths, 3);
    cr_assert_eq(status.poisoned, 1);
    cr_assert_eq(status.done, 1);
}

Test(troupe, the_dead_are_replaced_after_pauses_that_double)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 5);
    th_troupe_options options = { .kills_max = 5,
                                  .backoff_min_ns = TH_MS(10),
                                  .backoff_max_ns = TH_MS(40) };
    static const uint64_t pauses_ms[] = { 10, 20, 40, 40 };
    th_addr troupe = crew_spawn(&ts, &hand_class, options);
    char text[TH_DETAILS_SIZE];
    th_err err;

    crew_tell(&ts, troupe, DIE, 1);
    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    for (unsigned i = 0; i < 4; i++) {
        cr_assert_eq(crew_count(&crew_born), i + 1);
        cr_assert_eq(th_advance(ts.sys, TH_MS(pauses_ms[i]) - 1), TH_OK);
        cr_assert_eq(crew_count(&crew_born), i + 1, "replaced too early");
        cr_assert_eq(th_advance(ts.sys, 1), TH_OK);
        cr_assert_eq(crew_count(&crew_born), i + 2);
    }
    cr_assert_eq(crew_hear_poison(&ts, troupe, &err, text, sizeof(text)).id, 1);
    test_system_close(&ts);
}

/* ---- control ---- */

static struct th_troupe_limits set(struct test_system *ts, th_addr troupe, uint32_t workers,
                                   uint32_t idle, uint32_t pending)
{
    struct th_troupe_limits limits;
    struct th_troupe_set *body;
    th_msg *msg = th_troupe_set_new(ts->me, &body), *answer = NULL;

    body->workers_max = workers;
    body->idle_max = idle;
    body->pending_max = pending;
    cr_assert_eq(th_ask(ts->me, troupe, msg, TEST_PATIENCE, &answer), TH_OK);
    cr_assert_not_null(th_troupe_limits_of(answer));
    limits = *th_troupe_limits_of(answer);
    th_msg_destroy(ts->me, answer);
    return limits;
}

BOTH_BASES(troupe, limits_change_at_run_time)
{
    th_addr troupe = crew_spawn(ts, &hand_class, (th_troupe_options){ .workers_max = 1 });
    struct th_troupe_limits limits;
    struct th_troupe_status status;
    th_addr workers[3];

    for (uint64_t id = 1; id <= 3; id++)
        crew_tell(ts, troupe, HOLD, id);
    workers[0] = crew_hear(ts).worker;
    cr_assert_eq(crew_status(ts, troupe).pending, 2);
    limits = set(ts, troupe, 3, 3, 9);
    cr_assert_eq(limits.workers_max, 3);
    cr_assert_eq(limits.idle_max, 3);
    cr_assert_eq(limits.pending_max, 9);
    workers[1] = crew_hear(ts).worker;
    workers[2] = crew_hear(ts).worker;
    limits = set(ts, troupe, 1, 1, 0);
    cr_assert_eq(limits.workers_max, 1);
    cr_assert_eq(limits.pending_max, 9);
    cr_assert_eq(crew_status(ts, troupe).workers, 3, "busy workers are let finish");
    for (int i = 0; i < 3; i++) {
        crew_poke(ts, workers[i], POKE_RELEASE);
        crew_hear(ts);
    }
    status = crew_await(ts, troupe, 1);
    cr_assert_eq(status.deaths, 0);
    cr_assert_eq(status.workers_max, 1);
    crew_tell(ts, troupe, ECHO, 4);
    cr_assert_eq(crew_hear(ts).id, 4);
}

BOTH_BASES(troupe, limits_that_make_no_sense_leave_those_in_force)
{
    th_troupe_options options = { .workers_max = 4, .idle_max = 3, .pending_max = 5 };
    th_addr troupe = crew_spawn(ts, &hand_class, options), other;
    struct th_troupe_limits limits = set(ts, troupe, 2, 3, 9);

    cr_assert_eq(limits.workers_max, 4);
    cr_assert_eq(limits.idle_max, 3);
    cr_assert_eq(limits.pending_max, 5);
    options.idle_max = 5;
    cr_assert_eq(th_troupe_spawn(ts->me, &hand_class, NULL, &options, &other), TH_E_INVALID);
    cr_assert_eq(th_troupe_spawn(ts->me, NULL, NULL, NULL, &other), TH_E_INVALID);
    cr_assert_eq(th_troupe_spawn(ts->me, &hand_class, NULL, NULL, NULL), TH_E_INVALID);
    cr_assert_eq(th_troupe_spawn(NULL, &hand_class, NULL, NULL, &other), TH_E_INVALID);
}

BOTH_BASES(troupe, control_messages_are_not_run_as_work)
{
    th_addr troupe = crew_spawn(ts, &hand_class, (th_troupe_options){ 0 });
    struct th_troupe_status status;

    set(ts, troupe, 3, 0, 0);
    status = crew_status(ts, troupe);
    cr_assert_eq(status.jobs, 0);
    cr_assert_eq(crew_count(&crew_born), 0);
    crew_tell(ts, troupe, ECHO, 1);
    cr_assert_eq(crew_hear(ts).count, 1, "the worker saw more than the job");
    cr_assert_eq(crew_status(ts, troupe).jobs, 1);
}

BOTH_BASES(troupe, defaults_are_those_of_the_configuration)
{
    struct th_troupe_status status;
    th_addr troupe;

    crew_reset();
    cr_assert_eq(th_troupe_spawn(ts->me, &hand_class, NULL, NULL, &troupe), TH_OK);
    status = crew_status(ts, troupe);
    cr_assert_eq(status.workers_max, TH_TROUPE_WORKERS_DEFAULT);
    cr_assert_eq(status.idle_max, TH_TROUPE_IDLE_DEFAULT);
    cr_assert_eq(status.pending_max, TH_TROUPE_PENDING_DEFAULT);
}

/* ---- the end ---- */

BOTH_BASES(troupe, its_end_takes_all_workers)
{
    th_addr troupe = crew_spawn(ts, &hand_class, (th_troupe_options){ .workers_max = 6 });
    th_counts counts;

    for (uint64_t id = 0; id < 6; id++)
        crew_tell(ts, troupe, id % 2 ? HOLD : ECHO, id);
    for (uint64_t id = 0; id < 6; id++)
        crew_hear(ts);
    cr_assert_eq(th_stop(ts->me, troupe), TH_OK);
    if (test_is_simple(ts))
        cr_assert_eq(th_run_until_idle(ts->sys, 0, NULL), TH_OK);
    do
        counts = test_system_counts(ts);
    while (counts.exited < 1 + crew_count(&crew_born));
    cr_assert_eq(crew_count(&crew_gone), crew_count(&crew_born));
}

BOTH_BASES(troupe, its_end_takes_workers_it_was_told_to_keep)
{
    th_addr troupe = crew_spawn(ts, &hand_class, (th_troupe_options){ .workers_max = 3 });
    struct th_exit_request keep = { .keep_children = true };
    th_counts counts;

    for (uint64_t id = 0; id < 3; id++)
        crew_tell(ts, troupe, HOLD, id);
    for (uint64_t id = 0; id < 3; id++)
        crew_hear(ts);
    cr_assert_eq(th_exit_request_send(ts->me, troupe, keep), TH_OK);
    if (test_is_simple(ts))
        cr_assert_eq(th_run_until_idle(ts->sys, 0, NULL), TH_OK);
    do
        counts = test_system_counts(ts);
    while (counts.exited < 4);
}

BOTH_BASES(troupe, jobs_that_wait_when_it_ends_are_dead_letters)
{
    th_addr troupe = crew_spawn(ts, &hand_class, (th_troupe_options){ .workers_max = 1 });

    crew_mourn(ts);
    for (uint64_t id = 1; id <= 4; id++)
        crew_tell(ts, troupe, HOLD, id);
    cr_assert_eq(crew_hear(ts).id, 1);
    cr_assert_eq(crew_status(ts, troupe).pending, 3);
    cr_assert_eq(th_stop(ts->me, troupe), TH_OK);
    for (uint64_t id = 2; id <= 4; id++)
        cr_assert_eq(crew_hear_letter(ts, troupe, TH_DEAD_EXITING).id, id);
    cr_assert_eq(test_system_counts(ts).dead, 3);
}

/* By hand, so that the job is on its way when its worker is asked to exit. */
Test(troupe, a_job_that_a_worker_leaves_unread_is_shown_and_tried_again)
{
    struct test_system system = test_system_open(TH_BASE_SIMPLE, 0), *ts = &system;
    th_addr troupe = crew_spawn(ts, &hand_class, (th_troupe_options){ 0 }), worker;
    const th_msg *letter, *job;
    th_msg *msg;

    crew_tell(ts, troupe, ECHO, 1);
    worker = crew_hear(ts).worker;
    crew_settle(ts, troupe);
    crew_mourn(ts);
    crew_tell(ts, troupe, ECHO, 2);
    cr_assert_eq(th_stop(ts->me, worker), TH_OK);
    msg = crew_listen(ts);
    letter = th_dead_letter_of(msg) ? th_dead_letter_of(msg)->message : NULL;
    cr_assert_not_null(letter, "got a %s", th_type_name(th_msg_type(msg)));
    job = th_troupe_job_of(letter);
    cr_assert_not_null(job);
    cr_assert_eq(task_of(job)->id, 2);
    cr_assert(th_addr_equal(th_msg_sender(job), th_self_addr(ts->me)));
    th_msg_destroy(ts->me, msg);
    cr_assert_eq(crew_hear(ts).id, 2);
    test_system_close(ts);
}

BOTH_BASES(troupe, jobs_in_full_swing_survive_no_shutdown_and_break_none)
{
    th_addr troupe = crew_spawn(ts, &hand_class, (th_troupe_options){ .workers_max = 8 });

    for (uint64_t id = 0; id < 1000; id++)
        crew_tell(ts, troupe, id % 10 ? QUIET : DIE, id);
    if (test_is_simple(ts))
        cr_assert_eq(th_run_until_idle(ts->sys, 20, NULL), TH_E_LIMIT, "all is done already");
    /* the test's end shuts the system down, and looks at its books */
}

/* ---- memory ---- */

/* A little of everything, with the @nth allocation failing. */
static void play_without_memory(uint64_t nth, bool repeat)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, nth);
    th_troupe_options options = { .workers_max = 3, .idle_max = 1, .kills_max = 2 };
    th_addr troupe = crew_spawn(&ts, &hand_class, options);
    struct th_troupe_status status;

    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    cr_assert_eq(th_inject_nomem(ts.sys, nth, repeat), TH_OK);
    for (uint64_t id = 0; id < 12; id++) {
        static const enum what whats[] = { ECHO, FAIL, DIE, LEAVE, QUIET, FAIL_ONCE };
        th_err err = task_send(ts.me, troupe, (struct task){ .what = whats[id % 6], .id = id });

        cr_assert(err == TH_OK || err == TH_E_NOMEM);
        err = th_run_until_idle(ts.sys, 2000, NULL);
        /* an actor that cannot exit for want of memory tries again on each turn */
        cr_assert(err == TH_OK || (repeat && err == TH_E_LIMIT));
    }
    cr_assert_eq(th_inject_nomem(ts.sys, 0, false), TH_OK);
    cr_assert_eq(th_advance(ts.sys, TH_S(20)), TH_OK);
    crew_status(&ts, troupe); /* without a timer it waits for the next message */
    cr_assert_eq(th_advance(ts.sys, TH_S(20)), TH_OK);
    status = crew_status(&ts, troupe);
    cr_assert_eq(status.busy + status.pending, 0, "%u busy, %u pending: somebody got stuck",
                 status.busy, (unsigned)status.pending);
    test_system_close(&ts);
}

Test(troupe, survives_any_one_allocation_that_fails, .timeout = 60)
{
    for (uint64_t nth = 1; nth <= 300; nth++)
        play_without_memory(nth, false);
}

Test(troupe, survives_memory_running_out, .timeout = 60)
{
    for (uint64_t nth = 1; nth <= 300; nth++)
        play_without_memory(nth, true);
}
