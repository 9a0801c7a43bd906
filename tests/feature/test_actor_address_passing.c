/* Addresses travel inside messages, and name the same actor wherever they arrive. */
#include <stdio.h>

#include "tests/support/system.h"
#include "tests/support/talk.h"

enum { ROUTE_MAX = 8 };

/* Goes to the last of @route, then to the one before it, and so on; each who had it signs @trail,
 * with what was left to go. */
#define ROUTED_FIELDS(F, S)                                                                        \
    F(S, addr, originator)                                                                         \
    F(S, u32, left)                                                                                \
    F(S, u32, signed_by)                                                                           \
    F(S, array, addr, route, ROUTE_MAX)                                                            \
    F(S, array, addr, trail, ROUTE_MAX) F(S, array, u32, trail_left, ROUTE_MAX)
TH_MESSAGE(routed, ROUTED_FIELDS);
TH_MESSAGE_TYPE(routed, ROUTED_FIELDS)

/* Who answers, what was asked. */
#define GOT_FIELDS(F, S) F(S, addr, by) F(S, chars, kind, 4) F(S, chars, text, 32)
TH_MESSAGE(got, GOT_FIELDS);
TH_MESSAGE_TYPE(got, GOT_FIELDS)

static th_err route(th_self *self, const th_msg *msg)
{
    struct routed routed = *routed_of(msg);

    if (th_addr_is_none(routed.originator))
        routed.originator = th_msg_sender(msg);
    if (routed.signed_by == ROUTE_MAX)
        return th_fail(self, TH_E_LIMIT, "too many stations");
    routed.trail[routed.signed_by] = th_self_addr(self);
    routed.trail_left[routed.signed_by] = routed.left;
    routed.signed_by++;
    if (routed.left == 0)
        return routed_send(self, routed.originator, routed);
    routed.left--;
    return routed_send(self, routed.route[routed.left], routed);
}

static th_err answer_got(th_self *self, const char *kind, const th_msg *msg)
{
    struct got got = { .by = th_self_addr(self) };

    snprintf(got.kind, sizeof(got.kind), "%s", kind);
    snprintf(got.text, sizeof(got.text), "%.31s", talk_word_of(msg)->text);
    return got_send(self, th_msg_sender(msg), got);
}

static th_err target_receive(th_self *self, void *state, const th_msg *msg)
{
    if (routed_of(msg))
        return route(self, msg);
    return talk_word_of(msg) ? answer_got(self, "TGT", msg) : TH_OK;
}

static const th_class target = { .name = "target", .receive = target_receive };

struct generator {
    th_addr generated;
    th_addr top_sender;
};

static th_err generator_receive(th_self *self, void *state, const th_msg *msg)
{
    struct generator *generator = state;
    th_err err;

    if (routed_of(msg))
        return route(self, msg);
    if (talk_is(msg, "Generate")) {
        err = th_spawn(self, &target, NULL, &generator->generated);
        return err ? err
                   : talk_whom_send(self, th_msg_sender(msg),
                                    (struct talk_whom){ .addr = generator->generated });
    }
    if (got_of(msg)) { /* the target's answer is ours to pass on, if it is our target's */
        if (!th_addr_equal(th_msg_sender(msg), generator->generated))
            return th_fail(self, TH_E_FAILED, "a stranger answers");
        return got_send(self, generator->top_sender, *got_of(msg));
    }
    if (!talk_word_of(msg))
        return TH_OK;
    if (th_addr_is_none(generator->generated))
        return answer_got(self, "GEN", msg);
    generator->top_sender = th_msg_sender(msg);
    return talk_say(self, generator->generated, talk_word_of(msg)->text);
}

static const th_class generator_class = { .name = "generator",
                                          .state_size = sizeof(struct generator),
                                          .receive = generator_receive };

/* ---- help ---- */

static void expect_got(th_self *me, th_addr to, const char *text, th_addr by, const char *kind)
{
    th_msg *answer = talk_ask(me, to, text);
    const struct got *got = got_of(answer);

    cr_assert_not_null(got);
    cr_assert(th_addr_equal(got->by, by));
    cr_assert_str_eq(got->kind, kind);
    cr_assert_str_eq(got->text, text);
    th_msg_destroy(me, answer);
}

/* Along @stops[0], [1], ... ; all of them sign, in order. */
static void expect_routed(th_self *me, const th_addr *stops, uint32_t count)
{
    struct routed *body;
    th_msg *question = routed_new(me, &body), *answer = NULL;
    const struct routed *routed;

    cr_assert_not_null(question);
    body->left = count - 1;
    for (uint32_t i = 1; i < count; i++)
        body->route[count - 1 - i] = stops[i];
    must(th_ask(me, stops[0], question, TALK_PATIENCE, &answer));
    routed = routed_of(answer);
    cr_assert_not_null(routed);
    cr_assert_eq(routed->signed_by, count);
    for (uint32_t i = 0; i < count; i++) {
        cr_assert(th_addr_equal(routed->trail[i], stops[i]), "stop %u signed wrongly", i);
        cr_assert_eq(routed->trail_left[i], count - 1 - i);
    }
    th_msg_destroy(me, answer);
}

static void create_two(th_self *me, const th_class *klass, th_addr *one, th_addr *two)
{
    *one = talk_create(me, klass);
    *two = talk_create(me, klass);
    cr_assert(!th_addr_equal(*one, *two));
}

static void check_bounce(th_self *me, const th_class *klass)
{
    th_addr one, two;

    create_two(me, klass, &one, &two);
    expect_routed(me, (th_addr[]){ one, two, two, two, one }, 5);
}

BOTH_BASES(actor_address_passing, runnable)
{
    th_addr one, two;

    create_two(ts->me, &target, &one, &two);
}

BOTH_BASES(actor_address_passing, target_actors_direct)
{
    th_addr one, two;

    create_two(ts->me, &target, &one, &two);
    expect_got(ts->me, one, "hello", one, "TGT");
    expect_got(ts->me, two, "hello", two, "TGT");
    expect_got(ts->me, one, "bye", one, "TGT");
    expect_got(ts->me, two, "c'ya", two, "TGT");
}

BOTH_BASES(actor_address_passing, target_actors_routing)
{
    th_addr one, two;

    create_two(ts->me, &target, &one, &two);
    expect_routed(ts->me, (th_addr[]){ one, two }, 2);
}

BOTH_BASES(actor_address_passing, target_actors_routing_again)
{
    th_addr one, two;

    create_two(ts->me, &target, &one, &two);
    expect_routed(ts->me, (th_addr[]){ one, two }, 2);
    expect_routed(ts->me, (th_addr[]){ two, one }, 2);
    expect_routed(ts->me, (th_addr[]){ one, two }, 2);
}

BOTH_BASES(actor_address_passing, target_actors_routing_bounce_back)
{
    th_addr one, two;

    create_two(ts->me, &target, &one, &two);
    expect_routed(ts->me, (th_addr[]){ one, two, one, two, one }, 5);
}

BOTH_BASES(actor_address_passing, target_actors_routing_to_self)
{
    check_bounce(ts->me, &target);
}

BOTH_BASES(actor_address_passing, generator_actors)
{
    th_addr one, two;

    create_two(ts->me, &generator_class, &one, &two);
    expect_got(ts->me, one, "hello", one, "GEN");
    expect_got(ts->me, two, "hello", two, "GEN");
    expect_got(ts->me, one, "bye", one, "GEN");
    expect_got(ts->me, two, "c'ya", two, "GEN");
}

BOTH_BASES(actor_address_passing, generator_actors_routing_to_self)
{
    check_bounce(ts->me, &generator_class);
}

BOTH_BASES(actor_address_passing, a_generator_creates_a_target)
{
    th_addr generator = talk_create(ts->me, &generator_class);
    th_addr made = talk_ask_addr(ts->me, generator, "Generate");

    cr_assert(!th_addr_equal(generator, made));
    expect_got(ts->me, made, "hello", made, "TGT");
    expect_got(ts->me, generator, "hello", made, "TGT");
}

BOTH_BASES(actor_address_passing, two_generators_create_targets)
{
    th_addr one, two, made_one, made_two;

    create_two(ts->me, &generator_class, &one, &two);
    made_one = talk_ask_addr(ts->me, one, "Generate");
    made_two = talk_ask_addr(ts->me, two, "Generate");
    cr_assert(!th_addr_equal(one, made_one) && !th_addr_equal(one, made_two));
    cr_assert(!th_addr_equal(two, made_one) && !th_addr_equal(two, made_two));
    cr_assert(!th_addr_equal(made_one, made_two));
    expect_got(ts->me, made_one, "hello", made_one, "TGT");
    expect_got(ts->me, one, "hello", made_one, "TGT");
    expect_got(ts->me, made_two, "howdy", made_two, "TGT");
    expect_got(ts->me, two, "howdy", made_two, "TGT");
}

BOTH_BASES(actor_address_passing, a_route_through_what_was_generated)
{
    th_addr one, two, made_one, made_two;

    create_two(ts->me, &generator_class, &one, &two);
    made_one = talk_ask_addr(ts->me, one, "Generate");
    made_two = talk_ask_addr(ts->me, two, "Generate");
    expect_routed(ts->me, (th_addr[]){ made_one, one, made_two, two, made_two, made_one, one }, 7);
}
