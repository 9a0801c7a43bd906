/* What an actor can say of itself, and the small verbs. */
#include "puppet.h"

#include <thespis/config.h>

/* ---- who ---- */

static uint64_t say_who(th_self *self, struct puppet *puppet, const struct order *order)
{
    cr_assert(th_addr_equal(th_self_addr(self), order->addr));
    cr_assert_eq(th_self_system(self), order->pointer);
    cr_assert_eq(th_self_class(self), &puppet_class);
    cr_assert_eq(th_self_state(self), puppet);
    return 1;
}

BOTH_BASES(self, of_an_actor_knows_who_it_is, .init = journal_clear)
{
    th_addr actor = puppet_new(ts, (struct part){ .number = 0 });

    cr_assert_eq(
        tell_order(ts, actor, (struct order){ .run = say_who, .addr = actor, .pointer = ts->sys }),
        1);
}

BOTH_BASES(self, of_an_endpoint_is_no_actor, .init = journal_clear)
{
    cr_assert_eq(th_self_addr(ts->me).system, th_system_id(ts->sys));
    cr_assert(th_addr_is_none(th_self_parent(ts->me)));
    cr_assert_eq(th_self_system(ts->me), ts->sys);
    cr_assert_null(th_self_class(ts->me));
    cr_assert_null(th_self_state(ts->me));
    cr_assert_eq(th_blocking_begin(ts->me), TH_E_NOT_HERE);
    cr_assert_eq(th_blocking_end(ts->me), TH_E_NOT_HERE);
    cr_assert_eq(th_fail(ts->me, TH_E_PARSE, "nobody hears"), TH_E_PARSE);
}

BOTH_BASES(self, of_nobody_is_harmless, .init = journal_clear)
{
    cr_assert(th_addr_is_none(th_self_addr(NULL)));
    cr_assert(th_addr_is_none(th_self_parent(NULL)));
    cr_assert_null(th_self_system(NULL));
    cr_assert_null(th_self_class(NULL));
    cr_assert_null(th_self_state(NULL));
    cr_assert_eq(th_now(NULL), 0);
    cr_assert_eq(th_random(NULL), 0);
    cr_assert_eq(th_fail(NULL, TH_E_PARSE, "%d", 1), TH_E_PARSE);
    cr_assert_eq(th_request_shutdown(NULL), TH_E_INVALID);
    cr_assert_eq(th_blocking_begin(NULL), TH_E_INVALID);
    cr_assert_eq(th_blocking_end(NULL), TH_E_INVALID);
}

/* ---- numbers ---- */

static uint64_t draw(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)puppet, (void)order;
    return th_random(self);
}

enum { DRAWS = 100 };

static void draw_all(uint64_t seed, uint64_t numbers[DRAWS])
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, seed);
    th_addr actors[2] = { puppet_new(&ts, (struct part){ .number = 0 }),
                          puppet_new(&ts, (struct part){ .number = 1 }) };

    for (int i = 0; i < DRAWS; i++)
        numbers[i] = i % 3 == 2 ? th_random(ts.me) : tell(&ts, actors[i % 3], draw, 0);
    test_system_close(&ts);
}

Test(self, draws_from_the_seed, .init = journal_clear)
{
    uint64_t once[DRAWS], again[DRAWS], other[DRAWS];

    draw_all(5, once);
    draw_all(5, again);
    draw_all(6, other);
    cr_assert_arr_eq(once, again, sizeof(once));
    cr_assert_arr_neq(once, other, sizeof(once));
    for (int i = 0; i < DRAWS; i++)
        for (int j = 0; j < i; j++)
            cr_assert_neq(once[i], once[j]);
}

Test(self, draws_differ_between_actors_of_the_pool, .init = journal_clear)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    th_addr actor = puppet_new(&ts, (struct part){ .number = 0 });
    uint64_t numbers[DRAWS];

    for (int i = 0; i < DRAWS; i++)
        numbers[i] = i % 2 ? th_random(ts.me) : tell(&ts, actor, draw, 0);
    for (int i = 0; i < DRAWS; i++)
        for (int j = 0; j < i; j++)
            cr_assert_neq(numbers[i], numbers[j]);
    test_system_close(&ts);
}

static uint64_t look_at_clock(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)puppet, (void)order;
    return th_now(self);
}

BOTH_BASES(self, sees_time_go_on_and_never_back, .init = journal_clear)
{
    th_addr actor = puppet_new(ts, (struct part){ .number = 0 });
    uint64_t before = th_now(ts->me), now;

    for (int i = 0; i < 100; i++) {
        now = tell(ts, actor, look_at_clock, 0);
        cr_assert_geq(now, before);
        before = th_now(ts->me);
        cr_assert_geq(before, now);
    }
    if (test_is_simple(ts)) {
        cr_assert_eq(th_advance(ts->sys, 12345), TH_OK);
        cr_assert_eq(tell(ts, actor, look_at_clock, 0), before + 12345);
    }
}

/* ---- shutdown, asked for by an actor ---- */

static uint64_t ask_for_the_end(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)puppet, (void)order;
    return th_request_shutdown(self);
}

BOTH_BASES(self, may_ask_for_the_shutdown, .init = journal_clear)
{
    th_addr actor = puppet_new(ts, (struct part){ .number = 0 });

    cr_assert_eq(tell(ts, actor, ask_for_the_end, 0), TH_OK);
    cr_assert_eq(th_system_wait(ts->sys, TEST_PATIENCE), TH_OK);
    cr_assert_eq(th_system_shutdown(ts->sys, TEST_PATIENCE, NULL, NULL), TH_OK);
    cr_assert_eq(th_request_shutdown(ts->me), TH_E_CLOSED);
}

/* ---- why ---- */

static th_err fail_at_length(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    (void)puppet;
    return work_of(msg) ? th_fail(self, TH_E_PARSE, "%0*d", 1000, 7) : TH_OK;
}

BOTH_BASES(self, says_why_at_most_so_long, .init = journal_clear)
{
    th_addr actor = puppet_new(ts, (struct part){ .receive = fail_at_length });
    th_msg *msg;

    send_works(ts->me, actor, 0, 1);
    cr_assert_eq(th_listen(ts->me, TEST_PATIENCE, &msg), TH_OK);
    cr_assert_eq(strlen(th_poison_of(msg)->details->data), TH_DETAILS_SIZE - 1);
    th_msg_destroy(ts->me, msg);
    works_gone();
}
