/* Actors that leave at an age, or when nothing has come for a while. */
#include "tests/support/system.h"
#include "tests/support/talk.h"

struct guest {
    th_addr host; /* who said "host": a question has an address of its own */
};

static th_err guest_receive(th_self *self, void *state, const th_msg *msg)
{
    struct guest *guest = state;

    if (th_exit_request_of(msg))
        return th_addr_is_none(guest->host) ? TH_OK : talk_say(self, guest->host, "leaves");
    if (th_wakeup_of(msg) || th_poison_of(msg))
        return TH_OK;
    if (talk_is(msg, "host"))
        guest->host = th_msg_sender(msg);
    if (talk_is(msg, "tick"))
        return th_wakeup_every(self, TH_MS(10), NULL, NULL);
    return th_forward(self, th_msg_sender(msg), msg);
}

static const th_class aging_class = { .name = "aging",
                                      .state_size = sizeof(struct guest),
                                      .receive = guest_receive,
                                      .age_ns_max = TH_MS(500) };
static const th_class idle_class = { .name = "idle",
                                     .state_size = sizeof(struct guest),
                                     .receive = guest_receive,
                                     .idle_ns_max = TH_MS(500) };
static const th_class plain_class = { .name = "plain",
                                      .state_size = sizeof(struct guest),
                                      .receive = guest_receive };
static const th_class heir_class = { .name = "heir",
                                     .state_size = sizeof(struct guest),
                                     .base = &idle_class,
                                     .receive = guest_receive };

static struct test_system simple(void)
{
    return test_system_open(TH_BASE_SIMPLE, 1);
}

static void meet(struct test_system *ts, th_addr guest)
{
    must(talk_say(ts->me, guest, "host"));
    talk_hear(ts->me, "host");
}

/* A scenario of Thespian's. */
Test(transient, by_age_by_idleness_and_not_at_all_simple)
{
    struct test_system ts = simple();
    th_addr aging = talk_create(ts.me, &aging_class), idle = talk_create(ts.me, &idle_class);
    th_addr plain = talk_create(ts.me, &plain_class);

    must(th_advance(ts.sys, TH_MS(700))); /* nobody has a message yet: nobody leaves */
    meet(&ts, aging);
    meet(&ts, idle);
    talk_expect(ts.me, plain, "3", "3");
    for (int i = 0; i < 3; i++) {
        must(th_advance(ts.sys, TH_MS(150)));
        talk_expect(ts.me, aging, "4", "4"); /* does not make it any younger */
        talk_expect(ts.me, idle, "5", "5");
    }
    must(th_advance(ts.sys, TH_MS(50)));
    talk_hear(ts.me, "leaves");
    talk_expect_gone(ts.me, aging, "6");
    must(th_advance(ts.sys, TH_MS(449)));
    talk_expect(ts.me, idle, "7", "7");
    must(th_advance(ts.sys, TH_MS(499)));
    cr_assert_eq(talk_counts(ts.sys).exited, 1);
    must(th_advance(ts.sys, TH_MS(1)));
    talk_hear(ts.me, "leaves");
    talk_expect_gone(ts.me, idle, "8");
    talk_expect(ts.me, plain, "9", "9");
    test_system_close(&ts);
}

Test(transient, its_own_wakeups_are_no_activity)
{
    struct test_system ts = simple();
    th_addr idle = talk_create(ts.me, &idle_class);

    meet(&ts, idle);
    must(talk_say(ts.me, idle, "tick"));
    must(th_advance(ts.sys, TH_MS(499)));
    talk_expect(ts.me, idle, "there", "there");
    must(th_advance(ts.sys, TH_MS(500)));
    talk_hear(ts.me, "leaves");
    test_system_close(&ts);
}

Test(transient, has_one_timer_whatever_comes)
{
    struct test_system ts = simple();
    th_addr idle = talk_create(ts.me, &heir_class); /* the base's limit */
    th_system_status status;

    meet(&ts, idle);
    for (int i = 0; i < 100; i++) {
        talk_expect(ts.me, idle, "again", "again");
        must(th_advance(ts.sys, TH_MS(100)));
        must(th_system_status_read(ts.sys, &status));
        cr_assert_eq(status.wakeups_pending, 1);
    }
    must(th_advance(ts.sys, TH_MS(500)));
    talk_hear(ts.me, "leaves");
    must(th_system_status_read(ts.sys, &status));
    cr_assert_eq(status.wakeups_pending, 0);
    test_system_close(&ts);
}

Test(transient, an_option_comes_before_the_class)
{
    struct test_system ts = simple();
    th_spawn_options options[] = {
        { .klass = &plain_class, .idle_ns_max = TH_MS(20) },
        { .klass = &idle_class, .idle_ns_max = TH_MS(20) },
        { .klass = &idle_class, .idle_ns_max = TH_FOREVER },
    };
    th_addr guests[3];

    for (int i = 0; i < 3; i++) {
        must(th_spawn_with(ts.me, &options[i], &guests[i]));
        meet(&ts, guests[i]);
    }
    must(th_advance(ts.sys, TH_MS(30)));
    talk_hear(ts.me, "leaves");
    talk_hear(ts.me, "leaves");
    must(th_advance(ts.sys, TH_S(10)));
    talk_expect(ts.me, guests[2], "still", "still");
    test_system_close(&ts);
}

/* Work that was in the mailbox before the time was up is done, and counts. */
Test(transient, what_waits_is_done_first)
{
    struct test_system ts = simple();
    th_addr idle = talk_create(ts.me, &idle_class);
    th_counts before;

    meet(&ts, idle);
    must(th_advance(ts.sys, TH_MS(400)));
    before = talk_counts(ts.sys);
    must(talk_say(ts.me, idle, "in time")); /* not handled yet when the 500th passes */
    must(th_advance(ts.sys, TH_MS(100)));
    talk_hear(ts.me, "in time");
    talk_hear_nothing(ts.me);
    cr_assert_eq(talk_counts(ts.sys).exited, before.exited);
    must(th_advance(ts.sys, TH_MS(500)));
    talk_hear(ts.me, "leaves");
    test_system_close(&ts);
}

/* ---- one that is not through yet ---- */

/* Says "later" to its host for the first two requests, and leaves at the third. */
struct busy {
    struct guest guest;
    int asked;
};

static th_err busy_receive(th_self *self, void *state, const th_msg *msg)
{
    struct busy *busy = state;
    th_err err;

    if (!th_exit_request_of(msg) || ++busy->asked == 3)
        return guest_receive(self, &busy->guest, msg);
    err = th_exit_later(self);
    return err ? err : talk_say(self, busy->guest.host, "later");
}

static void put_off_twice(const th_class *klass)
{
    struct test_system ts = simple();
    th_addr busy = talk_create(ts.me, klass);
    th_msg *msg;

    meet(&ts, busy);
    for (int i = 0; i < 2; i++) {
        must(th_advance(ts.sys, TH_MS(499)));
        must_be(th_listen(ts.me, 0, &msg), TH_E_TIMEOUT);
        must(th_advance(ts.sys, TH_MS(1)));
        talk_hear(ts.me, "later");
    }
    must(th_advance(ts.sys, TH_MS(499)));
    talk_expect(ts.me, busy, "there", "there");
    must(th_advance(ts.sys, klass->age_ns_max ? TH_MS(1) : TH_MS(500)));
    talk_hear(ts.me, "leaves");
    talk_expect_gone(ts.me, busy, "more");
    test_system_close(&ts);
}

Test(transient, that_says_later_is_asked_again)
{
    static const th_class idle = { .name = "busy.idle",
                                   .state_size = sizeof(struct busy),
                                   .receive = busy_receive,
                                   .idle_ns_max = TH_MS(500) };
    static const th_class aging = { .name = "busy.aging",
                                    .state_size = sizeof(struct busy),
                                    .receive = busy_receive,
                                    .age_ns_max = TH_MS(500) };

    put_off_twice(&idle);
    put_off_twice(&aging);
}

/* It may also leave by itself in between, for the reason it was given. */
Test(transient, that_says_later_may_be_stopped)
{
    static const th_class idle = { .name = "busy.idle",
                                   .state_size = sizeof(struct busy),
                                   .receive = busy_receive,
                                   .idle_ns_max = TH_MS(500) };
    struct test_system ts = simple();
    th_addr busy = talk_create(ts.me, &idle);

    meet(&ts, busy);
    must(th_advance(ts.sys, TH_MS(500)));
    talk_hear(ts.me, "later");
    must(th_stop(ts.me, busy));
    talk_hear(ts.me, "later");
    must(th_stop(ts.me, busy));
    talk_hear(ts.me, "leaves");
    must(th_advance(ts.sys, TH_S(10)));
    test_system_close(&ts);
}

static th_err hear_of_it(th_self *self, void *state, const th_msg *msg)
{
    struct guest *parent = state;
    th_addr child;
    th_err err;

    if (th_child_exited_of(msg))
        return talk_count(self, parent->host, th_child_exited_of(msg)->reason);
    if (!talk_is(msg, "raise"))
        return TH_OK;
    parent->host = th_msg_sender(msg);
    err = th_spawn_with(self, &(th_spawn_options){ .klass = &talk_echo, .idle_ns_max = TH_US(50) },
                        &child);
    return err ? err : talk_say(self, child, "hello");
}

BOTH_BASES(transient, tells_the_parent_why)
{
    static const th_class parent_class = { .name = "parent",
                                           .state_size = sizeof(struct guest),
                                           .receive = hear_of_it };
    th_addr parent = talk_create(ts->me, &parent_class);

    cr_assert_eq(talk_ask_number(ts->me, parent, "raise"), TH_EXIT_TRANSIENT);
}

/* ---- with first messages ---- */

static th_err ready(th_self *self, void *state, const th_msg *const *got)
{
    return talk_say(self, th_msg_sender(got[0]), "ready");
}

static const th_type *const first_types[] = { &talk_number_type, &talk_whom_type, NULL };
static const th_initial first = { .types = first_types, .ready = ready };
static const th_class waiting_class = { .name = "waiting",
                                        .state_size = sizeof(struct guest),
                                        .receive = guest_receive,
                                        .initial = &first,
                                        .age_ns_max = TH_S(1) };

Test(transient, waits_for_first_messages_and_leaves)
{
    struct test_system ts = simple();
    th_addr actor = talk_create(ts.me, &waiting_class);

    must(talk_count(ts.me, actor, 1));
    must(talk_say(ts.me, actor, "host"));
    must(th_advance(ts.sys, TH_MS(600)));
    must(talk_whom_send(ts.me, actor, (struct talk_whom){ .addr = actor }));
    talk_hear(ts.me, "ready");
    talk_hear(ts.me, "host");
    talk_expect(ts.me, actor, "more", "more");
    must(th_advance(ts.sys, TH_MS(400)));
    talk_hear(ts.me, "leaves");
    talk_expect_gone(ts.me, actor, "still?");
    test_system_close(&ts);
}

/* Many, so that messages, timers and exits meet: the books must balance. */
BOTH_BASES(transient, many_come_and_go)
{
    th_addr guardian = talk_create(ts->me, &talk_guardian);
    enum { ROUNDS = 200 };
    th_addr actor;

    for (int i = 0; i < ROUNDS; i++) {
        must(th_spawn_with(ts->me,
                           &(th_spawn_options){ .klass = &talk_counter,
                                                .idle_ns_max = 1 + (uint64_t)i * 1000,
                                                .age_ns_max = TH_MS(1) },
                           &actor));
        for (int j = 0; j < i % 7; j++)
            must(talk_say(ts->me, actor, "hello"));
        if (i % 3 == 0)
            must(th_stop(ts->me, actor));
    }
    (void)guardian;
}
