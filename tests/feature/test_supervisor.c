/* Supervisors, through the front door, on both bases. */
#include "tests/support/system.h"
#include "tests/support/talk.h"

#include <thespis/testkit.h>

/* ---- a worker that tells a listener of its start and its end ---- */

#define SCRIPT_FIELDS(F, S) F(S, addr, listener) F(S, i64, number) F(S, bool_, fails)
TH_MESSAGE(script, SCRIPT_FIELDS);
TH_MESSAGE_TYPE(script, SCRIPT_FIELDS)

static th_err worker_init(th_self *self, void *state, const th_msg *arg)
{
    *(struct script *)state = *script_of(arg);
    if (script_of(arg)->fails)
        return th_fail(self, TH_E_PARSE, "stillborn");
    return talk_count(self, script_of(arg)->listener, script_of(arg)->number);
}

static th_err worker_receive(th_self *self, void *state, const th_msg *msg)
{
    if (talk_is(msg, "exit"))
        return th_exit(self);
    if (talk_is(msg, "die"))
        return th_exit_because(self, TH_E_FAILED, "told to");
    if (talk_is(msg, "fail"))
        return TH_E_FAILED;
    if (talk_is(msg, "there?"))
        return talk_say(self, th_msg_sender(msg), "here");
    return TH_OK;
}

static void worker_exit(th_self *self, void *state)
{
    const struct script *script = state;

    (void)!talk_count(self, script->listener, -script->number);
}

#define WORKER(policy)                                                                             \
    {                                                                                              \
        .name = "worker", .state_size = sizeof(struct script), .init = worker_init,                \
        .receive = worker_receive, .exit = worker_exit, .on_failure = policy                       \
    }
static const th_class worker = WORKER(TH_ON_FAILURE_STOP);
static const th_class in_place = WORKER(TH_ON_FAILURE_RESTART);

static th_child_spec spec(th_self *me, const char *id, int64_t number, const th_class *klass)
{
    struct script *body;
    th_child_spec child = { .id = id, .klass = klass, .arg = script_new(me, &body) };

    cr_assert_not_null(child.arg);
    *body = (struct script){ .listener = th_self_addr(me), .number = number };
    return child;
}

static void hear(th_self *me, int64_t number)
{
    th_msg *msg;

    must(th_listen(me, TALK_PATIENCE, &msg));
    cr_assert_not_null(talk_number_of(msg), "%s", th_type_name(th_msg_type(msg)));
    cr_assert_eq(talk_number_of(msg)->value, number, "%d, not %d", (int)talk_number_of(msg)->value,
                 (int)number);
    th_msg_destroy(me, msg);
}

static struct th_supervisor_child ask(th_self *me, th_addr to, th_msg *question)
{
    struct th_supervisor_child child;
    th_msg *answer;

    must(th_ask(me, to, question, TALK_PATIENCE, &answer));
    cr_assert_not_null(th_supervisor_child_of(answer));
    child = *th_supervisor_child_of(answer);
    th_msg_destroy(me, answer);
    return child;
}

static struct th_supervisor_child find(th_self *me, th_addr supervisor, const char *id)
{
    struct th_supervisor_find *body;
    th_msg *question = th_supervisor_find_new(me, &body);

    strncpy(body->id, id, sizeof(body->id) - 1);
    return ask(me, supervisor, question);
}

static struct th_supervisor_child drop(th_self *me, th_addr supervisor, const char *id)
{
    struct th_supervisor_remove *body;
    th_msg *question = th_supervisor_remove_new(me, &body);

    strncpy(body->id, id, sizeof(body->id) - 1);
    return ask(me, supervisor, question);
}

/* Three workers: 1, 2, 3. */
static th_addr family(struct test_system *ts, const th_supervisor_options *options)
{
    th_child_spec children[] = { spec(ts->me, "one", 1, &worker), spec(ts->me, "two", 2, &worker),
                                 spec(ts->me, "three", 3, &worker) };
    th_addr supervisor;

    must(th_supervisor_spawn(ts->me, children, 3, options, &supervisor));
    must(th_watch_actor(ts->me, supervisor));
    for (int i = 1; i <= 3; i++)
        hear(ts->me, i);
    return supervisor;
}

static void say(struct test_system *ts, th_addr supervisor, const char *id, const char *word)
{
    struct th_supervisor_child child = find(ts->me, supervisor, id);

    cr_assert_eq(child.err, TH_OK);
    must(talk_say(ts->me, child.addr, word));
}

static void hear_end(struct test_system *ts, th_exit_reason reason, th_err err, const char *part)
{
    const struct th_actor_gone *gone;
    th_msg *msg;

    must(th_listen(ts->me, TALK_PATIENCE, &msg));
    gone = th_actor_gone_of(msg);
    cr_assert_not_null(gone);
    cr_assert_eq(gone->reason, reason, "%s", th_exit_reason_text((th_exit_reason)gone->reason));
    cr_assert_eq(gone->err, err);
    if (part)
        cr_assert_not_null(strstr(gone->details->data, part), "%s", gone->details->data);
    th_msg_destroy(ts->me, msg);
}

static void stop(struct test_system *ts, th_addr supervisor)
{
    must(th_stop(ts->me, supervisor));
    for (int i = 3; i >= 1; i--)
        hear(ts->me, -i);
    hear_end(ts, TH_EXIT_REQUESTED, TH_OK, NULL);
}

BOTH_BASES(supervisor, starts_in_order_and_stops_in_reverse)
{
    stop(ts, family(ts, NULL));
}

BOTH_BASES(supervisor, one_for_one)
{
    th_addr supervisor = family(ts, NULL), before = find(ts->me, supervisor, "two").addr;

    say(ts, supervisor, "two", "die");
    hear(ts->me, -2);
    hear(ts->me, 2);
    cr_assert(!th_addr_equal(find(ts->me, supervisor, "two").addr, before));
    cr_assert_eq(find(ts->me, supervisor, "two").starts, 2);
    talk_expect(ts->me, find(ts->me, supervisor, "two").addr, "there?", "here");
    stop(ts, supervisor);
}

BOTH_BASES(supervisor, all_for_one)
{
    th_addr supervisor = family(ts, &(th_supervisor_options){ .strategy = TH_ALL_FOR_ONE });

    say(ts, supervisor, "two", "die");
    hear(ts->me, -2);
    hear(ts->me, -3);
    hear(ts->me, -1);
    for (int i = 1; i <= 3; i++)
        hear(ts->me, i);
    stop(ts, supervisor);
}

BOTH_BASES(supervisor, rest_for_one)
{
    th_addr supervisor = family(ts, &(th_supervisor_options){ .strategy = TH_REST_FOR_ONE });

    say(ts, supervisor, "two", "exit");
    hear(ts->me, -2);
    hear(ts->me, -3);
    hear(ts->me, 2);
    hear(ts->me, 3);
    stop(ts, supervisor);
}

BOTH_BASES(supervisor, gives_up_and_says_why)
{
    th_addr supervisor =
        family(ts, &(th_supervisor_options){ .restarts_max = 2, .window_ns = TH_S(1000) });

    for (int i = 0; i < 2; i++) {
        say(ts, supervisor, "one", "die");
        hear(ts->me, -1);
        hear(ts->me, 1);
    }
    say(ts, supervisor, "one", "die");
    hear(ts->me, -1);
    hear(ts->me, -3);
    hear(ts->me, -2);
    hear_end(ts, TH_EXIT_ERROR, TH_E_LIMIT, "of one: it ended itself, for an error");
}

BOTH_BASES(supervisor, of_a_child_that_never_starts_gives_up)
{
    struct script *body;
    th_child_spec children[] = { spec(ts->me, "bad", 1, &worker),
                                 spec(ts->me, "next", 2, &worker) };
    th_addr supervisor;

    body = th_msg_body(children[0].arg);
    body->fails = true;
    must(th_supervisor_spawn(ts->me, children, 2, NULL, &supervisor));
    must(th_watch_actor(ts->me, supervisor));
    for (int i = 0; i <= TH_SUPERVISOR_RESTARTS_DEFAULT; i++)
        hear(ts->me, -1); /* its exit function runs; the next one's turn never comes */
    hear_end(ts, TH_EXIT_ERROR, TH_E_LIMIT, "stillborn");
}

/* KEEP and RESTART in place are no business of the supervisor. */
BOTH_BASES(supervisor, leaves_restarts_in_place_alone)
{
    th_child_spec child = spec(ts->me, "self-made", 1, &in_place);
    struct th_supervisor_child before;
    th_addr supervisor;
    th_msg *poison;

    must(th_supervisor_spawn(ts->me, &child, 1, NULL, &supervisor));
    hear(ts->me, 1);
    before = find(ts->me, supervisor, "self-made");
    must(th_tell(ts->me, before.addr, talk_word(ts->me, "fail")));
    must(th_listen(ts->me, TALK_PATIENCE, &poison));
    cr_assert_not_null(th_poison_of(poison));
    th_msg_destroy(ts->me, poison);
    hear(ts->me, -1);
    hear(ts->me, 1);
    cr_assert(th_addr_equal(find(ts->me, supervisor, "self-made").addr, before.addr));
    cr_assert_eq(find(ts->me, supervisor, "self-made").starts, 1);
}

BOTH_BASES(supervisor, restarts_by_kind)
{
    th_child_spec children[] = { spec(ts->me, "transient", 1, &worker),
                                 spec(ts->me, "temporary", 2, &worker) };
    th_addr supervisor;

    children[0].restart = TH_RESTART_TRANSIENT;
    children[1].restart = TH_RESTART_TEMPORARY;
    must(th_supervisor_spawn(ts->me, children, 2, NULL, &supervisor));
    hear(ts->me, 1);
    hear(ts->me, 2);
    say(ts, supervisor, "transient", "die");
    hear(ts->me, -1);
    hear(ts->me, 1);
    say(ts, supervisor, "transient", "exit");
    hear(ts->me, -1);
    say(ts, supervisor, "temporary", "die");
    hear(ts->me, -2);
    while (find(ts->me, supervisor, "temporary").err != TH_E_NO_ACTOR)
        ;
    while (find(ts->me, supervisor, "transient").state != TH_CHILD_DOWN)
        ;
    talk_hear_nothing(ts->me);
}

BOTH_BASES(supervisor, children_come_and_go)
{
    th_child_spec late = spec(ts->me, "late", 4, &worker), same = spec(ts->me, "late", 5, &worker);
    th_addr supervisor = family(ts, NULL);
    struct th_supervisor_child child;
    th_msg *msg;

    must(th_supervisor_add(ts->me, supervisor, &late));
    must(th_supervisor_add(ts->me, supervisor, &same));
    for (int errors = 0, i = 0; i < 3; i++) { /* two answers, one start */
        must(th_listen(ts->me, TALK_PATIENCE, &msg));
        if (th_supervisor_child_of(msg))
            errors += th_supervisor_child_of(msg)->err == TH_E_EXISTS;
        else
            cr_assert_eq(talk_number_of(msg)->value, 4);
        th_msg_destroy(ts->me, msg);
        cr_assert(i < 2 || errors == 1);
    }
    child = drop(ts->me, supervisor, "two");
    cr_assert_eq(child.err, TH_OK);
    hear(ts->me, -2);
    cr_assert_eq(find(ts->me, supervisor, "two").err, TH_E_NO_ACTOR);
    cr_assert_eq(drop(ts->me, supervisor, "two").err, TH_E_NO_ACTOR);
    must(th_stop(ts->me, supervisor));
    hear(ts->me, -4);
    hear(ts->me, -3);
    hear(ts->me, -1);
}

BOTH_BASES(supervisor, supervises_supervisors)
{
    th_child_spec leaf = spec(ts->me, "leaf", 1, &worker), branch = { .id = "branch" };
    th_spawn_options spawn;
    th_addr root;

    must(th_supervisor_spec(ts->me, &leaf, 1, &(th_supervisor_options){ .restarts_max = 1 },
                            &spawn));
    branch.klass = spawn.klass;
    branch.arg = spawn.arg;
    must(th_supervisor_spawn(ts->me, &branch, 1, NULL, &root));
    for (int i = 0; i < 2; i++) {
        hear(ts->me, 1);
        say(ts, find(ts->me, root, "branch").addr, "leaf", "die");
        hear(ts->me, -1);
    }
    hear(ts->me, 1); /* the branch gave up, and was started anew */
    cr_assert_eq(find(ts->me, root, "branch").starts, 2);
}

BOTH_BASES(supervisor, says_how_it_is)
{
    th_addr supervisor = family(ts, NULL);
    const struct th_supervisor_status *status;
    th_msg *answer;

    talk_expect(ts->me, find(ts->me, supervisor, "three").addr, "there?", "here");
    must(th_ask(ts->me, supervisor, th_msg_create(ts->me, &th_supervisor_ask_status_type),
                TALK_PATIENCE, &answer));
    status = th_supervisor_status_of(answer);
    cr_assert_not_null(status);
    cr_assert_eq(status->children, 3);
    cr_assert_geq(status->up, 2);
    cr_assert_eq(status->restarts, 0);
    cr_assert_eq(status->restarts_max, TH_SUPERVISOR_RESTARTS_DEFAULT);
    th_msg_destroy(ts->me, answer);
}

BOTH_BASES(supervisor, ends_with_the_system)
{
    (void)family(ts, NULL);
    must(th_system_shutdown(ts->sys, TALK_PATIENCE, NULL, NULL));
}

BOTH_BASES(supervisor, is_not_made_of_just_anything)
{
    char long_id[TH_SUPERVISOR_ID_SIZE + 1];
    th_child_spec good = { .id = "a", .klass = &worker }, bad = good, twice[2] = { good, good };
    th_supervisor_options absurd = { .restarts_max = TH_SUPERVISOR_RESTARTS_MAX + 1 };
    th_addr addr = th_self_addr(ts->me);

    memset(long_id, 'x', sizeof(long_id));
    long_id[TH_SUPERVISOR_ID_SIZE] = '\0';
    must_be(th_supervisor_spawn(NULL, &good, 1, NULL, &addr), TH_E_INVALID);
    must_be(th_supervisor_spawn(ts->me, &good, 1, NULL, NULL), TH_E_INVALID);
    must_be(th_supervisor_spawn(ts->me, NULL, 1, NULL, &addr), TH_E_INVALID);
    must_be(th_supervisor_spawn(ts->me, &good, 1, &absurd, &addr), TH_E_INVALID);
    must_be(th_supervisor_spawn(ts->me, twice, 2, NULL, &addr), TH_E_EXISTS);
    bad.id = long_id;
    must_be(th_supervisor_spawn(ts->me, &bad, 1, NULL, &addr), TH_E_INVALID);
    bad.id = "";
    bad.arg = talk_word(ts->me, "taken all the same");
    must_be(th_supervisor_spawn(ts->me, &bad, 1, NULL, &addr), TH_E_INVALID);
    bad = good;
    bad.klass = NULL;
    must_be(th_supervisor_add(ts->me, addr, &bad), TH_E_INVALID);
    must_be(th_supervisor_add(ts->me, addr, NULL), TH_E_INVALID);
    must_be(th_supervisor_add(NULL, addr, &good), TH_E_INVALID);
    must_be(th_supervisor_add(ts->me, th_addr_none(), &good), TH_E_INVALID);
    bad = good;
    bad.restart = (th_restart)3;
    must_be(th_supervisor_add(ts->me, addr, &bad), TH_E_INVALID);
    must(th_supervisor_spawn(ts->me, NULL, 0, NULL, &addr));
    must(th_stop(ts->me, addr));
}
