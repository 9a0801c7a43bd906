/* Wakeups arrive once, never early, in the order of their deadlines, and end with their actor. */
#include <stdio.h>

#include "tests/support/system.h"
#include "tests/support/talk.h"

#define PERIOD TH_MS(5)

enum { KINDS = 3 }; /* of payload: none, "payload_1" and "" */

struct retry {
    int64_t awoken[KINDS];
    int64_t early; /* wakeups that came before their time, or say the wrong thing */
    uint64_t asked_at[KINDS];
    struct talk_waiter waiter;
};

static int kind_of_payload(const th_msg *payload)
{
    return !payload ? 0 : talk_is(payload, "") ? 2 : 1;
}

static th_err retry_check(th_self *self, struct retry *retry, int kind)
{
    th_msg *payload = kind ? talk_word(self, kind == 1 ? "payload_1" : "") : NULL;

    retry->asked_at[kind] = th_now(self);
    return th_wakeup_after(self, PERIOD, payload, NULL);
}

static th_err retry_awoken(th_self *self, struct retry *retry, const th_msg *msg)
{
    const struct th_wakeup *wakeup = th_wakeup_of(msg);
    int kind = kind_of_payload(wakeup->payload);

    retry->early += wakeup->delay_ns != PERIOD || wakeup->count != 1 ||
                    !th_addr_equal(th_msg_sender(msg), th_self_addr(self)) ||
                    (retry->awoken[kind] == 0 && th_now(self) < retry->asked_at[kind]);
    retry->awoken[kind]++;
    return talk_waiter_check(self, &retry->waiter,
                             retry->awoken[0] + retry->awoken[1] + retry->awoken[2]);
}

static th_err retry_receive(th_self *self, void *state, const th_msg *msg)
{
    static const char *const checks[KINDS] = { "check", "check payload_1", "check empty" };
    static const char *const queries[KINDS] = { "awoken?", "awoken? payload_1", "awoken? empty" };
    struct retry *retry = state;

    if (th_wakeup_of(msg))
        return retry_awoken(self, retry, msg);
    if (talk_number_of(msg))
        return talk_waiter_set(self, &retry->waiter, msg,
                               retry->awoken[0] + retry->awoken[1] + retry->awoken[2]);
    if (talk_is(msg, "early?"))
        return talk_count(self, th_msg_sender(msg), retry->early);
    for (int i = 0; i < KINDS; i++) {
        if (talk_is(msg, checks[i]))
            return retry_check(self, retry, i);
        if (talk_is(msg, queries[i]))
            return talk_count(self, th_msg_sender(msg), retry->awoken[i]);
    }
    return TH_OK;
}

static const th_class retry_class = { .name = "retry",
                                      .state_size = sizeof(struct retry),
                                      .receive = retry_receive };

static void expect_awoken(th_self *me, th_addr actor, int64_t none, int64_t first, int64_t empty)
{
    cr_assert_eq(talk_ask_number(me, actor, "awoken?"), none);
    cr_assert_eq(talk_ask_number(me, actor, "awoken? payload_1"), first);
    cr_assert_eq(talk_ask_number(me, actor, "awoken? empty"), empty);
    cr_assert_eq(talk_ask_number(me, actor, "early?"), 0);
}

/* On the simple base time stands still between questions; on the pool it may be over already. */
static void expect_not_yet(struct test_system *ts, th_addr actor, const char *query, int64_t value)
{
    int64_t awoken = talk_ask_number(ts->me, actor, query);
    th_system_status status;

    must(th_system_status_read(ts->sys, &status));
    if (status.base == TH_BASE_SIMPLE)
        cr_assert_eq(awoken, value);
}

BOTH_BASES(wakeup, one)
{
    th_addr actor = talk_create(ts->me, &retry_class);

    expect_awoken(ts->me, actor, 0, 0, 0);
    must(talk_say(ts->me, actor, "check"));
    expect_not_yet(ts, actor, "awoken?", 0);
    talk_wait_for(ts->me, actor, 1);
    expect_awoken(ts->me, actor, 1, 0, 0);
}

BOTH_BASES(wakeup, two_with_different_payloads)
{
    th_addr actor = talk_create(ts->me, &retry_class);

    must(talk_say(ts->me, actor, "check payload_1"));
    expect_not_yet(ts, actor, "awoken? payload_1", 0);
    talk_wait_for(ts->me, actor, 1);
    expect_awoken(ts->me, actor, 0, 1, 0);
    must(talk_say(ts->me, actor, "check empty"));
    talk_wait_for(ts->me, actor, 2);
    expect_awoken(ts->me, actor, 0, 1, 1);
}

BOTH_BASES(wakeup, three_with_different_payloads)
{
    th_addr actor = talk_create(ts->me, &retry_class);

    must(talk_say(ts->me, actor, "check payload_1"));
    talk_wait_for(ts->me, actor, 1);
    expect_awoken(ts->me, actor, 0, 1, 0);
    must(talk_say(ts->me, actor, "check empty"));
    must(talk_say(ts->me, actor, "check"));
    talk_wait_for(ts->me, actor, 3);
    expect_awoken(ts->me, actor, 1, 1, 1);
}

BOTH_BASES(wakeup, three_in_sequence)
{
    th_addr actor = talk_create(ts->me, &retry_class);

    for (int i = 0; i < 3; i++) {
        must(talk_say(ts->me, actor, "check"));
        expect_not_yet(ts, actor, "awoken?", i);
        talk_wait_for(ts->me, actor, i + 1);
        expect_awoken(ts->me, actor, i + 1, 0, 0);
    }
}

BOTH_BASES(wakeup, many_pending)
{
    th_addr actor = talk_create(ts->me, &retry_class);

    must(talk_say(ts->me, actor, "check"));
    must(talk_say(ts->me, actor, "check"));
    expect_not_yet(ts, actor, "awoken?", 0);
    talk_wait_for(ts->me, actor, 2);
    for (int i = 0; i < 1000; i++)
        must(talk_say(ts->me, actor, "check"));
    talk_wait_for(ts->me, actor, 1002);
    expect_awoken(ts->me, actor, 1002, 0, 0);
}

BOTH_BASES(wakeup, exit_with_wakeups_pending)
{
    th_addr guardian = talk_create(ts->me, &talk_guardian);
    th_addr actor = talk_raise(ts->me, guardian, &retry_class);
    th_system_status status;
    uint64_t dead;

    for (int i = 0; i < 10; i++) {
        must(talk_say(ts->me, actor, "check"));
        must(talk_say(ts->me, actor, "check payload_1"));
    }
    must(th_stop(ts->me, actor));
    talk_wait_for(ts->me, guardian, 1);
    must(th_system_status_read(ts->sys, &status));
    cr_assert_eq(status.wakeups_pending, 0);
    dead = status.counts.dead;
    /* a wakeup of another, set later and due later, passes every one of theirs */
    actor = talk_create(ts->me, &retry_class);
    must(talk_say(ts->me, actor, "check"));
    talk_wait_for(ts->me, actor, 1);
    cr_assert_eq(talk_counts(ts->sys).dead, dead);
}

/* ---- order ---- */

enum { CROWD = 200 };

struct crowd {
    int64_t next; /* which should come next */
    int64_t wrong;
    struct talk_waiter waiter;
};

/* One handler asks for a crowd of equal delays; each says which it is. */
static th_err crowd_receive(th_self *self, void *state, const th_msg *msg)
{
    struct crowd *crowd = state;
    th_err err = TH_OK;

    if (th_wakeup_of(msg)) {
        const struct talk_number *number = talk_number_of(th_wakeup_of(msg)->payload);

        crowd->wrong += !number || number->value != crowd->next;
        return talk_waiter_check(self, &crowd->waiter, ++crowd->next);
    }
    if (talk_number_of(msg))
        return talk_waiter_set(self, &crowd->waiter, msg, crowd->next);
    if (talk_is(msg, "wrong?"))
        return talk_count(self, th_msg_sender(msg), crowd->wrong);
    if (!talk_is(msg, "crowd"))
        return TH_OK;
    for (int64_t i = 0; i < CROWD && !err; i++) {
        struct talk_number *body;
        th_msg *payload = talk_number_new(self, &body);

        if (!payload)
            return TH_E_NOMEM;
        body->value = i;
        err = th_wakeup_after(self, PERIOD, payload, NULL);
    }
    return err;
}

static const th_class crowd_class = { .name = "crowd",
                                      .state_size = sizeof(struct crowd),
                                      .receive = crowd_receive };

BOTH_BASES(wakeup, equal_delays_keep_their_order)
{
    th_addr actor = talk_create(ts->me, &crowd_class);

    must(talk_say(ts->me, actor, "crowd"));
    talk_wait_for(ts->me, actor, CROWD);
    cr_assert_eq(talk_ask_number(ts->me, actor, "wrong?"), 0);
}

/* ---- endpoints, cancelling, repeating ---- */

static uint64_t hear_wakeup(th_self *me, uint64_t count)
{
    th_msg *msg = NULL;
    uint64_t id;

    must(th_listen(me, TALK_PATIENCE, &msg));
    cr_assert_not_null(th_wakeup_of(msg));
    cr_assert_eq(th_wakeup_of(msg)->count, count);
    id = th_wakeup_of(msg)->id;
    th_msg_destroy(me, msg);
    return id;
}

BOTH_BASES(wakeup, an_endpoint_hears_its_own)
{
    uint64_t id = 0, set_at = th_now(ts->me);

    must(th_wakeup_after(ts->me, PERIOD, talk_word(ts->me, "tea"), &id));
    cr_assert_eq(hear_wakeup(ts->me, 1), id);
    cr_assert_geq(th_now(ts->me) - set_at, PERIOD);
    must_be(th_wakeup_cancel(ts->me, id), TH_E_NO_TIMER);
}

BOTH_BASES(wakeup, a_cancelled_one_does_not_come)
{
    uint64_t cancelled = 0, kept = 0, later = 0;
    struct th_counts counts;

    must(th_wakeup_after(ts->me, TH_MS(40), talk_word(ts->me, "never"), &cancelled));
    must(th_wakeup_after(ts->me, TH_MS(41), NULL, &kept));
    must(th_wakeup_after(ts->me, TH_S(3600), NULL, &later));
    cr_assert_neq(cancelled, kept);
    must(th_wakeup_cancel(ts->me, later));
    if (th_wakeup_cancel(ts->me, cancelled) != TH_OK) /* the machine slept 40 ms */
        cr_assert_eq(hear_wakeup(ts->me, 1), cancelled);
    cr_assert_eq(hear_wakeup(ts->me, 1), kept);
    must_be(th_wakeup_cancel(ts->me, cancelled), TH_E_NO_TIMER);
    must_be(th_wakeup_cancel(ts->me, later), TH_E_NO_TIMER);
    must_be(th_wakeup_cancel(ts->me, 0), TH_E_NO_TIMER);
    must_be(th_wakeup_cancel(ts->me, UINT64_MAX), TH_E_NO_TIMER);
    counts = talk_counts(ts->sys);
    cr_assert_eq(counts.wakeups_set, counts.wakeups_fired + counts.wakeups_cancelled);
}

BOTH_BASES(wakeup, a_periodic_one_comes_until_cancelled)
{
    uint64_t id = 0, set_at = th_now(ts->me);
    th_msg *msg = NULL;

    must(th_wakeup_every(ts->me, TH_MS(1), talk_word(ts->me, "tick"), &id));
    for (uint64_t i = 1; i <= 10; i++)
        cr_assert_eq(hear_wakeup(ts->me, i), id);
    cr_assert_geq(th_now(ts->me) - set_at, TH_MS(10));
    must(th_wakeup_cancel(ts->me, id));
    /* those that fired before the cancel may be waiting; after them nothing */
    while (th_listen(ts->me, 0, &msg) == TH_OK)
        th_msg_destroy(ts->me, msg);
    talk_hear_nothing(ts->me);
    must_be(th_wakeup_cancel(ts->me, id), TH_E_NO_TIMER);
}

BOTH_BASES(wakeup, a_wakeup_is_cancelled_by_its_own_actor_only)
{
    th_self *other = NULL;
    uint64_t id = 0;

    must(th_endpoint_open(ts->sys, &other));
    must(th_wakeup_after(ts->me, TH_S(3600), NULL, &id));
    must_be(th_wakeup_cancel(other, id), TH_E_NO_TIMER);
    must(th_wakeup_cancel(ts->me, id));
    must(th_endpoint_close(other));
}
