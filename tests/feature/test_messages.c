/* The messages that the system sends: each is equal to its copy, differs from another one, says
 * what it should, and is the system's.
 *
 * Only exit requests can be made by hand, so a collector provokes the others and passes each on,
 * sealed in a message of its own. */
#include "tests/support/system.h"
#include "tests/support/talk.h"

#define SEALED_FIELDS(F, S) F(S, msg, inside) F(S, msg, copy)
TH_MESSAGE(sealed, SEALED_FIELDS);
TH_MESSAGE_TYPE(sealed, SEALED_FIELDS)

/* Provoke @what, in its first or its second form. */
#define PROVOKE_FIELDS(F, S) F(S, u32, what) F(S, bool_, second) F(S, addr, victim)
TH_MESSAGE(provoke, PROVOKE_FIELDS);
TH_MESSAGE_TYPE(provoke, PROVOKE_FIELDS)

enum what { CHILD_EXITED, DEAD_LETTER, EXIT_REQUEST, POISON, WAKEUP, WHAT_COUNT };

static const th_type *const types[WHAT_COUNT] = {
    [CHILD_EXITED] = &th_child_exited_type,
    [DEAD_LETTER] = &th_dead_letter_type,
    [EXIT_REQUEST] = &th_exit_request_type,
    [POISON] = &th_poison_type,
    [WAKEUP] = &th_wakeup_type,
};

/* ---- who is provoked ---- */

static th_err failing_init(th_self *self, void *state, const th_msg *arg)
{
    return th_fail(self, TH_E_FAILED, "never starts");
}

static th_err exiting_init(th_self *self, void *state, const th_msg *arg)
{
    return th_exit(self);
}

static th_err failing_receive(th_self *self, void *state, const th_msg *msg)
{
    if (!talk_word_of(msg))
        return TH_OK;
    return th_fail(self, TH_E_PARSE, "cannot read %s", talk_word_of(msg)->text);
}

static const th_class never_starts = { .name = "never_starts", .init = failing_init };
static const th_class exits_at_once = { .name = "exits_at_once", .init = exiting_init };
static const th_class cannot_read = { .name = "cannot_read", .receive = failing_receive };

/* ---- the collector ---- */

struct collector {
    th_addr client;
};

static th_err provoke(th_self *self, const struct provoke *order)
{
    const char *text = order->second ? "two" : "one";
    th_addr child;

    switch (order->what) {
    case CHILD_EXITED:
        return th_spawn(self, order->second ? &never_starts : &exits_at_once, NULL, &child);
    case DEAD_LETTER:
    case POISON: return talk_say(self, order->victim, text);
    case WAKEUP:
        return th_wakeup_after(self, order->second ? TH_MS(2) : TH_MS(1),
                               order->second ? talk_word(self, text) : NULL, NULL);
    default: return TH_OK;
    }
}

static th_err collector_receive(th_self *self, void *state, const th_msg *msg)
{
    struct collector *collector = state;
    struct sealed *sealed;
    th_msg *letter;

    if (provoke_of(msg)) {
        collector->client = th_msg_sender(msg);
        return provoke(self, provoke_of(msg));
    }
    if (talk_is(msg, "letters to me")) {
        th_err err = th_dead_letters_to_me(self, true);

        return err ? err : talk_say(self, th_msg_sender(msg), "done");
    }
    letter = sealed_new(self, &sealed);
    if (letter) {
        sealed->inside = th_msg_dup(self, msg);
        sealed->copy = th_msg_dup(self, msg);
    }
    return th_send(self, th_exit_request_of(msg) ? th_msg_sender(msg) : collector->client, letter);
}

static const th_class collector_class = { .name = "collector",
                                          .state_size = sizeof(struct collector),
                                          .receive = collector_receive };

struct provoked {
    th_addr collector;
    th_addr victim;
    th_msg *letter; /* the sealed one */
    const th_msg *msg;
};

static struct provoked provoke_one(th_self *me, enum what what, bool second, th_addr victim)
{
    struct provoked got = { .collector = talk_create(me, &collector_class), .victim = victim };

    if (what == DEAD_LETTER)
        talk_expect(me, got.collector, "letters to me", "done");
    if (what == EXIT_REQUEST)
        must(th_exit_request_send(me, got.collector,
                                  (struct th_exit_request){ .keep_children = second }));
    else
        must(provoke_send(
            me, got.collector,
            (struct provoke){ .what = (uint32_t)what, .second = second, .victim = victim }));
    must(th_listen(me, TALK_PATIENCE, &got.letter));
    cr_assert_not_null(sealed_of(got.letter));
    got.msg = sealed_of(got.letter)->inside;
    cr_assert_not_null(got.msg);
    if (what == DEAD_LETTER || what != EXIT_REQUEST)
        must(th_stop(me, got.collector));
    if (what != EXIT_REQUEST) {
        th_msg *exit_letter = NULL; /* the collector passes on its own exit request */

        must(th_listen(me, TALK_PATIENCE, &exit_letter));
        cr_assert_not_null(sealed_of(exit_letter));
        th_msg_destroy(me, exit_letter);
    }
    return got;
}

static th_addr victim_for(th_self *me, enum what what)
{
    th_addr victim = talk_create(me, what == POISON ? &cannot_read : &talk_echo);

    if (what == DEAD_LETTER) {
        must(th_stop(me, victim));
        talk_expect_gone(me, victim, "gone?");
    }
    return victim;
}

static bool reads_equal(const th_msg *a, const th_msg *b)
{
    char text_a[512], text_b[512];

    th_msg_describe(a, text_a, sizeof(text_a));
    th_msg_describe(b, text_b, sizeof(text_b));
    return strcmp(text_a, text_b) == 0;
}

/* ---- the four questions ---- */

static void check_equality(th_self *me, enum what what)
{
    struct provoked one = provoke_one(me, what, false, victim_for(me, what));
    const th_msg *copy = sealed_of(one.letter)->copy;

    cr_assert_not_null(copy);
    cr_assert_eq(th_msg_type(copy), th_msg_type(one.msg));
    cr_assert_eq(th_msg_size(copy), th_msg_size(one.msg));
    cr_assert(th_addr_equal(th_msg_sender(copy), th_msg_sender(one.msg)));
    cr_assert(reads_equal(copy, one.msg));
    th_msg_destroy(me, one.letter);
}

static void check_inequality(th_self *me, enum what what)
{
    th_addr victim = victim_for(me, what);
    struct provoked one = provoke_one(me, what, false, victim);
    struct provoked two = provoke_one(me, what, true, victim);

    cr_assert_eq(th_msg_type(one.msg), th_msg_type(two.msg));
    cr_assert(!reads_equal(one.msg, two.msg));
    for (int other = 0; other < WHAT_COUNT; other++) {
        if (other != (int)what)
            cr_assert_neq(th_msg_type(one.msg), types[other]);
    }
    cr_assert_null(talk_word_of(one.msg));
    th_msg_destroy(me, one.letter);
    th_msg_destroy(me, two.letter);
}

static void check_child_exited(const struct provoked *got, bool second)
{
    const struct th_child_exited *body = th_child_exited_of(got->msg);

    cr_assert_not_null(body);
    cr_assert(!th_addr_is_none(body->child));
    cr_assert_eq(body->reason, second ? TH_EXIT_INIT : TH_EXIT_NORMAL);
    cr_assert_eq(body->err, second ? TH_E_FAILED : TH_OK);
    if (second) {
        cr_assert_not_null(body->details);
        cr_assert_str_eq(body->details->data, "never starts");
    }
}

static void check_dead_letter(const struct provoked *got, bool second)
{
    const struct th_dead_letter *body = th_dead_letter_of(got->msg);

    cr_assert_not_null(body);
    cr_assert(th_addr_equal(body->target, got->victim));
    cr_assert_eq(body->reason, TH_DEAD_NO_ACTOR);
    cr_assert(talk_is(body->message, second ? "two" : "one"));
    cr_assert(th_addr_equal(th_msg_sender(body->message), got->collector));
}

static void check_poison(const struct provoked *got, bool second)
{
    const struct th_poison *body = th_poison_of(got->msg);

    cr_assert_not_null(body);
    cr_assert(talk_is(body->message, second ? "two" : "one"));
    cr_assert_eq(body->err, TH_E_PARSE);
    cr_assert_eq(body->deliveries, TH_DELIVERIES_MAX);
    cr_assert_not_null(body->details);
    cr_assert_str_eq(body->details->data, second ? "cannot read two" : "cannot read one");
    cr_assert(th_addr_equal(th_msg_sender(got->msg), got->victim));
}

static void check_wakeup(const struct provoked *got, bool second)
{
    const struct th_wakeup *body = th_wakeup_of(got->msg);

    cr_assert_not_null(body);
    cr_assert_eq(body->delay_ns, second ? TH_MS(2) : TH_MS(1));
    cr_assert_eq(body->count, 1);
    cr_assert(second ? talk_is(body->payload, "two") : body->payload == NULL);
    cr_assert(th_addr_equal(th_msg_sender(got->msg), got->collector));
}

static void check_properties(th_self *me, enum what what)
{
    th_addr victim = victim_for(me, what);

    for (int second = 0; second < 2; second++) {
        struct provoked got = provoke_one(me, what, second != 0, victim);

        switch (what) {
        case CHILD_EXITED: check_child_exited(&got, second != 0); break;
        case DEAD_LETTER: check_dead_letter(&got, second != 0); break;
        case EXIT_REQUEST:
            cr_assert_not_null(th_exit_request_of(got.msg));
            cr_assert_eq(th_exit_request_of(got.msg)->keep_children, second != 0);
            break;
        case POISON: check_poison(&got, second != 0); break;
        case WAKEUP: check_wakeup(&got, second != 0); break;
        default: cr_assert_fail();
        }
        th_msg_destroy(me, got.letter);
    }
}

static void check_inheritance(th_self *me, enum what what)
{
    struct provoked one = provoke_one(me, what, false, victim_for(me, what));

    cr_assert_eq(th_msg_type(one.msg), types[what]);
    cr_assert(th_type_is(th_msg_type(one.msg), types[what]));
    cr_assert(!th_type_is(th_msg_type(one.msg), &talk_word_type));
    cr_assert(types[what]->flags & TH_TYPE_SYSTEM);
    must(th_type_check(types[what]));
    th_msg_destroy(me, one.letter);
}

#define MESSAGE_TESTS(name, what)                                                                  \
    BOTH_BASES(messages, name##_equality)                                                          \
    {                                                                                              \
        check_equality(ts->me, what);                                                              \
    }                                                                                              \
    BOTH_BASES(messages, name##_inequality)                                                        \
    {                                                                                              \
        check_inequality(ts->me, what);                                                            \
    }                                                                                              \
    BOTH_BASES(messages, name##_properties)                                                        \
    {                                                                                              \
        check_properties(ts->me, what);                                                            \
    }                                                                                              \
    BOTH_BASES(messages, name##_inheritance)                                                       \
    {                                                                                              \
        check_inheritance(ts->me, what);                                                           \
    }

MESSAGE_TESTS(child_exited, CHILD_EXITED)
MESSAGE_TESTS(dead_letter, DEAD_LETTER)
MESSAGE_TESTS(exit_request, EXIT_REQUEST)
MESSAGE_TESTS(poison, POISON)
MESSAGE_TESTS(wakeup, WAKEUP)
