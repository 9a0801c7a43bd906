/* The n-th allocation fails in actors that change their ways, put mail aside, wait for their first
 * messages, leave by themselves, and have deputies. */
#include "tests/support/shortage.h"
#include "tests/support/talk.h"
#include <thespis/testkit.h>

static void say_all(th_self *me, th_addr to, const char *const *words)
{
    for (; *words; words++)
        whatever(talk_say(me, to, *words));
}

static bool is_mail(const th_msg *msg)
{
    return !th_exit_request_of(msg) && !th_poison_of(msg) && !th_child_exited_of(msg);
}

/* ---- become ---- */

static th_err stiff_receive(th_self *self, void *state, const th_msg *msg)
{
    return talk_is(msg, "back") ? th_unbecome(self) : TH_SUPER;
}

static const th_behaviour stiff = { .name = "stiff", .receive = stiff_receive };

static th_err fickle_receive(th_self *self, void *state, const th_msg *msg)
{
    if (talk_is(msg, "fail"))
        return TH_E_FAILED;
    if (talk_is(msg, "become"))
        return th_become(self, &stiff);
    return talk_is(msg, "over") ? th_become_over(self, &stiff) : TH_OK;
}

static const th_class fickle = { .name = "fickle",
                                 .receive = fickle_receive,
                                 .on_failure = TH_ON_FAILURE_RESTART };

static void changing_ways(struct test_system *ts)
{
    static const char *const words[] = { "become", "over", "back", "fail", "over", "back", NULL };
    th_addr actor;

    if (th_spawn(ts->me, &fickle, NULL, &actor))
        return;
    say_all(ts->me, actor, words);
    for (int i = 0; i < 3; i++) /* of its failures */
        shortage_listen(ts->me, TH_MS(4));
    whatever(th_stop(ts->me, actor));
    shortage_ask(ts->me, actor, "gone?");
}

/* ---- stash ---- */

static th_err stasher_receive(th_self *self, void *state, const th_msg *msg)
{
    if (!is_mail(msg))
        return TH_OK;
    if (talk_is(msg, "open"))
        return th_unstash_all(self, NULL);
    if (talk_is(msg, "fail"))
        return TH_E_FAILED;
    return talk_is(msg, "keep") ? th_stash(self, msg) : th_forward(self, th_msg_sender(msg), msg);
}

static const th_class stasher = { .name = "stasher",
                                  .receive = stasher_receive,
                                  .on_failure = TH_ON_FAILURE_RESTART };

/* With a limit, what was stashed takes its credits again. At the end some wait and are dead. */
static void stashing(struct test_system *ts)
{
    static const char *const words[] = { "keep", "keep", "open", "fail", "keep", NULL };
    th_spawn_options options = { .klass = &stasher };
    th_addr actor;

    for (int i = 0; i < 2; i++) {
        options.mailbox.limit = i ? 3 : 0;
        if (th_spawn_with(ts->me, &options, &actor))
            continue;
        say_all(ts->me, actor, words);
        for (int j = 0; j < 3; j++)
            shortage_listen(ts->me, TH_MS(4));
        whatever(th_stop(ts->me, actor));
        shortage_ask(ts->me, actor, "gone?");
    }
}

/* ---- first messages ---- */

static th_err novice_ready(th_self *self, void *state, const th_msg *const *got)
{
    return talk_say(self, th_msg_sender(got[1]), "ready");
}

static const th_type *const novice_types[] = { &talk_number_type, &talk_whom_type, NULL };
static const th_initial novice_first = { .types = novice_types, .ready = novice_ready };

static th_err novice_receive(th_self *self, void *state, const th_msg *msg)
{
    if (!is_mail(msg))
        return TH_OK;
    if (talk_is(msg, "fail"))
        return TH_E_FAILED;
    return talk_is(msg, "again") ? th_initial_begin(self, &novice_first)
                                 : th_forward(self, th_msg_sender(msg), msg);
}

static const th_class novice = { .name = "novice",
                                 .receive = novice_receive,
                                 .on_failure = TH_ON_FAILURE_RESTART,
                                 .initial = &novice_first };

static void first_messages(struct test_system *ts)
{
    static const char *const words[] = { "early", "fail", "again", "waits", NULL };
    th_addr actor;

    if (th_spawn(ts->me, &novice, NULL, &actor))
        return;
    say_all(ts->me, actor, words);
    for (int64_t i = 0; i < 3; i++) {
        whatever(talk_count(ts->me, actor, i));
        whatever(talk_whom_send(ts->me, actor, (struct talk_whom){ .addr = actor }));
        shortage_listen(ts->me, TH_MS(4));
    }
    whatever(talk_count(ts->me, actor, 3)); /* half of what it would wait for */
    whatever(th_stop(ts->me, actor));
    shortage_ask(ts->me, actor, "gone?");
}

/* How many such words have come. */
static int hear(struct test_system *ts, const char *word)
{
    th_msg *msg;
    int heard = 0;

    while (th_listen(ts->me, 0, &msg) == TH_OK) {
        heard += talk_is(msg, word);
        th_msg_destroy(ts->me, msg);
    }
    return heard;
}

/* Who was ready once is so again after a restart, with the same messages: they were not given up
 * for want of memory. */
Test(nomem_behaviour, first_messages_are_there_for_a_restart)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1);
    uint64_t nth = 0;
    bool is_short;

    do {
        th_addr actor = talk_create(ts.me, &novice);
        struct shortage shortage;

        must(talk_count(ts.me, actor, 1));
        must(talk_whom_send(ts.me, actor, (struct talk_whom){ .addr = actor }));
        shortage = shortage_begin(ts.sys, ++nth, false);
        must(th_run_until_idle(ts.sys, 0, NULL));
        is_short = shortage_end(&shortage);
        cr_assert_eq(hear(&ts, "ready"), 1);
        must(talk_say(ts.me, actor, "fail"));
        must(th_run_until_idle(ts.sys, 0, NULL));
        cr_assert_eq(hear(&ts, "ready"), 1, "without allocation %u", (unsigned)nth);
    } while (is_short);
    cr_assert_gt(nth, 2);
    test_system_close(&ts);
}

/* ---- transient ---- */

/* The first request it puts off. */
static th_err guest_receive(th_self *self, void *state, const th_msg *msg)
{
    bool *was_asked = state;

    if (!th_exit_request_of(msg) || *was_asked)
        return TH_OK;
    *was_asked = true;
    return th_exit_later(self);
}

static const th_class idler = { .name = "idler", .receive = stasher_receive };
static const th_class guest = { .name = "guest",
                                .state_size = sizeof(bool),
                                .receive = guest_receive };

/* One by its age, one for want of work, which says so twice; the waits are what has time pass. */
static void transient_actors(struct test_system *ts)
{
    th_spawn_options options[] = { { .klass = &idler, .age_ns_max = TH_MS(3) },
                                   { .klass = &guest, .idle_ns_max = TH_MS(1) } };
    th_addr actors[2];

    for (int i = 0; i < 2; i++) {
        actors[i] = th_addr_none();
        if (th_spawn_with(ts->me, &options[i], &actors[i]) == TH_OK)
            whatever(talk_say(ts->me, actors[i], "hello"));
    }
    for (int i = 0; i < 8; i++)
        shortage_listen(ts->me, TH_MS(1));
    for (int i = 0; i < 2; i++)
        if (!th_addr_is_none(actors[i]))
            shortage_ask(ts->me, actors[i], "gone?");
}

/* ---- deputies ---- */

static th_err principal_receive(th_self *self, void *state, const th_msg *msg)
{
    th_self *deputies[2] = { NULL, NULL };
    th_err err = TH_OK;
    uint64_t id;

    if (!talk_is(msg, "speak"))
        return TH_OK;
    for (int i = 0; i < 2 && !err; i++) {
        err = th_deputy_open(self, &deputies[i]);
        if (err)
            break;
        whatever(talk_say(deputies[i], th_msg_sender(msg), "said"));
        whatever(th_wakeup_after(deputies[i], 0, talk_word(deputies[i], "soon"), NULL));
        if (th_wakeup_every(deputies[i], TH_S(1), talk_word(deputies[i], "often"), &id) == TH_OK)
            whatever(th_wakeup_cancel(i ? self : deputies[i], id));
        whatever(th_wakeup_after(deputies[i], TH_S(9), NULL, NULL)); /* it will be gone by then */
        th_log_info(deputies[i], "said");
    }
    for (int i = 0; i < 2; i++)
        if (deputies[i])
            whatever(th_deputy_close(deputies[i]));
    return err;
}

static const th_class principal = { .name = "principal", .receive = principal_receive };

static void deputies(struct test_system *ts)
{
    th_addr actor;

    if (th_spawn(ts->me, &principal, NULL, &actor))
        return;
    whatever(talk_say(ts->me, actor, "speak"));
    for (int i = 0; i < 3; i++)
        shortage_listen(ts->me, TH_MS(4));
    whatever(th_stop(ts->me, actor));
    shortage_ask(ts->me, actor, "gone?");
}

/* ---- the sweeps ---- */

SWEEP(nomem_behaviour, changing_ways)
SWEEP(nomem_behaviour, stashing)
SWEEP(nomem_behaviour, first_messages)
SWEEP(nomem_behaviour, transient_actors)
SWEEP_WITH(nomem_behaviour, deputies, shortage_log, NULL)
