/* Families in trouble: children that never start, are replaced, fail, are killed or leave, and what
 * their parents hear of it.
 *
 * Past 500 lines: one family, in which everything goes wrong that can. */
#include "tests/support/system.h"
#include "tests/support/talk.h"

enum { REPLACEMENTS_MAX = 5 };

enum deed {
    HAVE_SON,      /* -> whom */
    HAVE_DAUGHTER, /* -> whom */
    NAME,          /* -> whom: its own address */
    WAS_REPLACED,  /* -> a word, "replaced" or after @wait_ns "not replaced" */
    IS_POISONED,   /* did a child send poison back? -> number */
    BAD_FISH,      /* fails */
    FATAL,         /* leaves at once */
    KILL           /* sends itself an exit request */
};

/* For the descendant @depth daughters down; @of_son the last of them is a son. */
#define ORDER_FIELDS(F, S)                                                                         \
    F(S, u32, depth)                                                                               \
    F(S, u32, deed) F(S, bool_, of_son) F(S, u64, wait_ns) F(S, addr, asker)
TH_MESSAGE(order, ORDER_FIELDS);
TH_MESSAGE_TYPE(order, ORDER_FIELDS)

/* Asks the daughter to exit, that far down. */
TH_MESSAGE(let_go, ORDER_FIELDS);
TH_MESSAGE_TYPE(let_go, ORDER_FIELDS)

static th_err never_starts(th_self *self, void *state, const th_msg *arg)
{
    return th_fail(self, TH_E_FAILED, "this actor can never start");
}

static const th_class non_starter = { .name = "non_starter", .init = never_starts };

/* ---- a parent ---- */

struct parent {
    th_addr son;      /* a non-starter, and so is each after him */
    th_addr daughter; /* a non-starter, then, where restarts are, a parent */
    th_addr waiter;
    int64_t replacements;
    int64_t exits;
    bool replaced;
    bool poisoned;
};

static th_err birth(th_self *self, th_addr *child, th_addr asker)
{
    th_err err = TH_OK;

    if (th_addr_is_none(*child))
        err = th_spawn(self, &non_starter, NULL, child);
    return err ? err : talk_whom_send(self, asker, (struct talk_whom){ .addr = *child });
}

static th_err answer_waiter(th_self *self, struct parent *parent)
{
    th_addr waiter = parent->waiter;
    bool replaced = parent->replaced;

    if (th_addr_is_none(waiter))
        return TH_OK;
    parent->waiter = th_addr_none();
    parent->replaced = false;
    return talk_say(self, waiter, replaced ? "replaced" : "not replaced");
}

static th_err wait_for_replacement(th_self *self, struct parent *parent, const struct order *order)
{
    parent->waiter = order->asker;
    if (parent->replaced)
        return answer_waiter(self, parent);
    return th_wakeup_after(self, order->wait_ns, NULL, NULL);
}

static th_err do_it(th_self *self, struct parent *parent, const struct order *order)
{
    switch ((enum deed)order->deed) {
    case HAVE_SON: return birth(self, &parent->son, order->asker);
    case HAVE_DAUGHTER: return birth(self, &parent->daughter, order->asker);
    case NAME:
        return talk_whom_send(self, order->asker, (struct talk_whom){ .addr = th_self_addr(self) });
    case WAS_REPLACED: return wait_for_replacement(self, parent, order);
    case IS_POISONED: return talk_count(self, order->asker, parent->poisoned);
    case BAD_FISH: return th_fail(self, TH_E_FAILED, "a bad fish");
    case FATAL: return th_exit(self);
    case KILL: return th_stop(self, th_self_addr(self));
    }
    return TH_OK;
}

static th_err obey(th_self *self, struct parent *parent, const th_msg *msg)
{
    struct order order = *order_of(msg);

    if (th_addr_is_none(order.asker))
        order.asker = th_msg_sender(msg);
    if (order.depth == 0)
        return do_it(self, parent, &order);
    parent->replaced = false;
    order.depth--;
    /* a child never had is no address: the order fails, and whoever gave it hears so */
    return order_send(self, order.of_son && order.depth == 0 ? parent->son : parent->daughter,
                      order);
}

static th_err let_go(th_self *self, struct parent *parent, const th_msg *msg)
{
    struct let_go order = *let_go_of(msg);

    parent->replaced = false;
    if (order.depth == 1)
        return th_stop(self, parent->daughter);
    order.depth--;
    return let_go_send(self, parent->daughter, order);
}

static th_err poisoned(th_self *self, struct parent *parent, const struct th_poison *poison)
{
    const struct order *order = order_of(poison->message);

    parent->poisoned = true;
    return order ? talk_say(self, order->asker, "poisoned!") : TH_OK;
}

static th_err parent_receive(th_self *self, void *state, const th_msg *msg)
{
    struct parent *parent = state;

    if (order_of(msg))
        return obey(self, parent, msg);
    if (let_go_of(msg))
        return let_go(self, parent, msg);
    if (th_poison_of(msg))
        return poisoned(self, parent, th_poison_of(msg));
    if (th_wakeup_of(msg))
        return answer_waiter(self, parent);
    if (th_child_exited_of(msg))
        parent->exits++;
    if (talk_is(msg, "exits?"))
        return talk_count(self, th_msg_sender(msg), parent->exits);
    return TH_OK;
}

static const th_class no_restart_parent = { .name = "no_restart_parent",
                                            .state_size = sizeof(struct parent),
                                            .receive = parent_receive };

static const th_class restart_parent;

static th_err replace(th_self *self, struct parent *parent, th_addr child)
{
    th_err err = TH_OK;

    if (parent->replacements == REPLACEMENTS_MAX)
        return TH_OK;
    parent->replacements++;
    if (th_addr_equal(child, parent->son))
        err = th_spawn(self, &non_starter, NULL, &parent->son);
    else if (th_addr_equal(child, parent->daughter))
        err = th_spawn(self, &restart_parent, NULL, &parent->daughter);
    if (err)
        return err;
    parent->replaced = true;
    return answer_waiter(self, parent);
}

static th_err restart_receive(th_self *self, void *state, const th_msg *msg)
{
    struct parent *parent = state;

    if (!th_child_exited_of(msg))
        return parent_receive(self, state, msg);
    parent->exits++;
    return replace(self, parent, th_child_exited_of(msg)->child);
}

static const th_class restart_parent = { .name = "restart_parent",
                                         .state_size = sizeof(struct parent),
                                         .receive = restart_receive };

/* ---- help ---- */

static th_err ask_deed(th_self *me, th_addr to, struct order order, uint64_t limit_ns,
                       th_msg **answer)
{
    struct order *body;
    th_msg *question = order_new(me, &body);

    cr_assert_not_null(question);
    *body = order;
    *answer = NULL;
    return th_ask(me, to, question, limit_ns, answer);
}

static th_addr addr_answer(th_self *me, th_addr to, uint32_t depth, enum deed deed)
{
    th_msg *answer;
    th_addr addr;

    must(ask_deed(me, to, (struct order){ .depth = depth, .deed = deed }, TALK_PATIENCE, &answer));
    cr_assert_not_null(talk_whom_of(answer), "deed %d, %u down: a %s", deed, depth,
                       th_type_name(th_msg_type(answer)));
    addr = talk_whom_of(answer)->addr;
    th_msg_destroy(me, answer);
    return addr;
}

static th_addr name(th_self *me, th_addr to, uint32_t depth)
{
    return addr_answer(me, to, depth, NAME);
}

static void expect_words(th_self *me, th_addr to, struct order order, const char *text)
{
    th_msg *answer;

    must(ask_deed(me, to, order, TALK_PATIENCE, &answer));
    cr_assert(talk_is(answer, text), "not %s", text);
    th_msg_destroy(me, answer);
}

static void expect_replaced(th_self *me, th_addr to, uint32_t depth)
{
    expect_words(me, to,
                 (struct order){ .depth = depth, .deed = WAS_REPLACED, .wait_ns = TALK_PATIENCE },
                 "replaced");
}

static void expect_poisoned(th_self *me, th_addr to, uint32_t depth, bool expected)
{
    th_msg *answer;

    must(ask_deed(me, to, (struct order){ .depth = depth, .deed = IS_POISONED }, TALK_PATIENCE,
                  &answer));
    cr_assert_not_null(talk_number_of(answer));
    cr_assert_eq(talk_number_of(answer)->value, expected, "%u down", depth);
    th_msg_destroy(me, answer);
}

static void expect_gone(th_self *me, th_addr to)
{
    th_msg *answer;

    must_be(ask_deed(me, to, (struct order){ .deed = NAME }, TALK_PATIENCE, &answer),
            TH_E_NO_ACTOR);
}

static void tell_deed(th_self *me, th_addr to, uint32_t depth, enum deed deed)
{
    /* whom it concerns is nobody's business here: no answer is expected */
    must(order_send(me, to, (struct order){ .depth = depth, .deed = deed }));
}

/* A parent with @depth generations below it, each replaced once since its first never started. */
static th_addr family(th_self *me, th_addr guardian, uint32_t depth, th_addr *names)
{
    th_addr parent = talk_raise(me, guardian, &restart_parent);

    for (uint32_t level = 0; level < depth; level++) {
        addr_answer(me, parent, level, HAVE_DAUGHTER);
        expect_replaced(me, parent, level);
    }
    for (uint32_t level = 0; level <= depth; level++)
        names[level] = name(me, parent, level);
    cr_assert(th_addr_equal(names[0], parent));
    return parent;
}

/* ---- one generation ---- */

BOTH_BASES(actor_failures, a_non_starting_top_level_actor)
{
    th_addr addr = th_addr_none();
    char why[TH_DETAILS_SIZE] = "";

    must_be(
        th_create(ts->me, &(th_spawn_options){ .klass = &non_starter }, TALK_PATIENCE, &addr, why),
        TH_E_INIT);
    cr_assert_str_eq(why, "this actor can never start");

    /* and where nobody waits for it to start, its mail finds nobody */
    must(th_spawn(ts->me, &non_starter, NULL, &addr));
    talk_expect_gone(ts->me, addr, "anything");
}

BOTH_BASES(actor_failures, a_non_starting_child_with_restarts)
{
    th_addr parent = talk_create(ts->me, &restart_parent);
    th_msg *answer;

    cr_assert(th_addr_equal(name(ts->me, parent, 0), parent));
    addr_answer(ts->me, parent, 0, HAVE_SON);
    expect_replaced(ts->me, parent, 0);
    must_be(ask_deed(ts->me, parent, (struct order){ .depth = 1, .deed = NAME, .of_son = true },
                     TALK_SILENCE, &answer),
            TH_E_TIMEOUT);
    cr_assert(th_addr_equal(name(ts->me, parent, 0), parent));
    must(th_stop(ts->me, parent));
    expect_gone(ts->me, parent);
}

BOTH_BASES(actor_failures, a_non_starting_child_without_restarts)
{
    th_addr parent = talk_create(ts->me, &no_restart_parent);
    th_msg *answer;

    cr_assert(!th_addr_is_none(addr_answer(ts->me, parent, 0, HAVE_SON)));
    must_be(ask_deed(ts->me, parent, (struct order){ .depth = 1, .deed = NAME, .of_son = true },
                     TALK_SILENCE, &answer),
            TH_E_TIMEOUT);
    cr_assert_eq(talk_ask_number(ts->me, parent, "exits?"), 1);
    cr_assert(th_addr_equal(name(ts->me, parent, 0), parent));
    must(th_stop(ts->me, parent));
    expect_gone(ts->me, parent);
}

BOTH_BASES(actor_failures, a_restarted_child)
{
    th_addr guardian = talk_create(ts->me, &talk_guardian);
    th_addr parent = talk_raise(ts->me, guardian, &restart_parent), kid;

    addr_answer(ts->me, parent, 0, HAVE_DAUGHTER);
    expect_replaced(ts->me, parent, 0);
    kid = name(ts->me, parent, 1);
    cr_assert(th_addr_equal(name(ts->me, parent, 0), parent));
    cr_assert(th_addr_equal(name(ts->me, parent, 1), kid));
    cr_assert(th_addr_equal(name(ts->me, kid, 0), kid));
    cr_assert_eq(talk_ask_number(ts->me, parent, "exits?"), 1);

    must(th_stop(ts->me, parent));
    talk_wait_for(ts->me, guardian, 1);
    expect_gone(ts->me, parent);
    talk_expect_gone(ts->me, kid, "name?");
}

BOTH_BASES(actor_failures, a_child_that_is_not_restarted)
{
    th_addr parent = talk_create(ts->me, &no_restart_parent), kid;
    th_msg *answer;

    kid = addr_answer(ts->me, parent, 0, HAVE_DAUGHTER);
    cr_assert(!th_addr_is_none(kid));
    must_be(
        ask_deed(ts->me, parent, (struct order){ .depth = 1, .deed = NAME }, TALK_SILENCE, &answer),
        TH_E_TIMEOUT);
    talk_expect_gone(ts->me, kid, "name?");
}

/* ---- deep families ---- */

BOTH_BASES(actor_failures, a_stack_of_actors_shuts_down)
{
    th_addr guardian = talk_create(ts->me, &talk_guardian);
    th_addr names[4], parent = family(ts->me, guardian, 3, names);

    must(th_stop(ts->me, parent));
    talk_wait_for(ts->me, guardian, 1);
    expect_gone(ts->me, parent);
    for (int i = 1; i < 4; i++)
        talk_expect_gone(ts->me, names[i], "name?");
}

BOTH_BASES(actor_failures, deep_actors_are_let_go)
{
    th_addr guardian = talk_create(ts->me, &talk_guardian);
    th_addr names[4], parent = family(ts->me, guardian, 3, names);

    must(let_go_send(ts->me, parent, (struct let_go){ .depth = 3 }));
    expect_replaced(ts->me, parent, 2);
    for (uint32_t i = 0; i < 3; i++)
        cr_assert(th_addr_equal(name(ts->me, parent, i), names[i]));
    cr_assert(!th_addr_equal(name(ts->me, parent, 3), names[3]));

    must(let_go_send(ts->me, parent, (struct let_go){ .depth = 2 }));
    expect_replaced(ts->me, parent, 1);
    cr_assert(th_addr_equal(name(ts->me, parent, 1), names[1]));
    cr_assert(!th_addr_equal(name(ts->me, parent, 2), names[2]));
    must(th_stop(ts->me, parent));
    expect_gone(ts->me, parent);
}

BOTH_BASES(actor_failures, deep_actors_fail_and_leave)
{
    th_addr guardian = talk_create(ts->me, &talk_guardian);
    th_addr names[4], parent = family(ts->me, guardian, 3, names);
    th_msg *msg = NULL;

    for (uint32_t i = 0; i < 4; i++)
        expect_poisoned(ts->me, parent, i, false);

    tell_deed(ts->me, parent, 3, BAD_FISH); /* kills nobody, its sender hears of it */
    talk_hear(ts->me, "poisoned!");
    expect_words(ts->me, parent,
                 (struct order){ .depth = 2, .deed = WAS_REPLACED, .wait_ns = TH_MS(1) },
                 "not replaced");
    for (uint32_t i = 0; i < 4; i++) {
        cr_assert(th_addr_equal(name(ts->me, parent, i), names[i]));
        expect_poisoned(ts->me, parent, i, i == 2);
    }

    tell_deed(ts->me, parent, 3, FATAL); /* the great-grandkid leaves */
    expect_replaced(ts->me, parent, 2);
    for (uint32_t i = 0; i < 3; i++)
        cr_assert(th_addr_equal(name(ts->me, parent, i), names[i]));
    cr_assert(!th_addr_equal(name(ts->me, parent, 3), names[3]));

    tell_deed(ts->me, parent, 1, FATAL); /* the kid leaves, with all below */
    expect_replaced(ts->me, parent, 0);
    cr_assert(!th_addr_equal(name(ts->me, parent, 1), names[1]));
    talk_expect_gone(ts->me, names[2], "name?");

    tell_deed(ts->me, parent, 0, BAD_FISH); /* this poison is ours */
    must(th_listen(ts->me, TALK_PATIENCE, &msg));
    cr_assert_not_null(th_poison_of(msg));
    cr_assert_not_null(order_of(th_poison_of(msg)->message));
    th_msg_destroy(ts->me, msg);
    cr_assert(th_addr_equal(name(ts->me, parent, 0), parent));
    must(th_stop(ts->me, parent));
    expect_gone(ts->me, parent);
}

BOTH_BASES(actor_failures, a_suicide_is_for_good)
{
    th_addr guardian = talk_create(ts->me, &talk_guardian);
    th_addr names[4], parent = family(ts->me, guardian, 3, names), kid;

    tell_deed(ts->me, parent, 3, KILL);
    expect_replaced(ts->me, parent, 2);
    for (uint32_t i = 0; i < 3; i++)
        cr_assert(th_addr_equal(name(ts->me, parent, i), names[i]));
    cr_assert(!th_addr_equal(name(ts->me, parent, 3), names[3]));
    for (uint32_t i = 0; i < 4; i++)
        expect_poisoned(ts->me, parent, i, false);

    tell_deed(ts->me, parent, 1, KILL); /* whose replacement has no family yet */
    expect_replaced(ts->me, parent, 0);
    kid = name(ts->me, parent, 1);
    cr_assert(!th_addr_equal(kid, names[1]));
    talk_expect_gone(ts->me, names[2], "name?");
    expect_words(ts->me, parent, (struct order){ .depth = 2, .deed = NAME }, "poisoned!");
    expect_words(ts->me, parent, (struct order){ .depth = 3, .deed = NAME }, "poisoned!");
    cr_assert(th_addr_equal(name(ts->me, parent, 1), kid));
    expect_poisoned(ts->me, parent, 0, true);
    expect_poisoned(ts->me, parent, 1, false);

    tell_deed(ts->me, parent, 0, KILL); /* nobody replaces a top-level actor */
    talk_wait_for(ts->me, guardian, 1);
    expect_gone(ts->me, parent);
}

/* ---- actors that fail at the wrong moment ---- */

struct confused {
    th_addr child;
    int64_t bereavements;
    struct talk_waiter waiter;
};

static const th_class confused_class;

static th_err confused_receive(th_self *self, void *state, const th_msg *msg)
{
    struct confused *confused = state;
    th_err err;

    if (th_exit_request_of(msg) || talk_is(msg, "bad fish"))
        return th_fail(self, TH_E_FAILED, "who am I?");
    if (talk_is(msg, "name?"))
        return talk_say(self, th_msg_sender(msg), confused->bereavements ? "permanent" : "dunno");
    if (talk_is(msg, "sub-actor?")) {
        err = th_spawn(self, &confused_class, NULL, &confused->child);
        return err ? err
                   : talk_whom_send(self, th_msg_sender(msg),
                                    (struct talk_whom){ .addr = confused->child });
    }
    if (talk_number_of(msg))
        return talk_waiter_set(self, &confused->waiter, msg, confused->bereavements);
    if (th_child_exited_of(msg))
        return talk_waiter_check(self, &confused->waiter, ++confused->bereavements);
    return TH_OK;
}

static const th_class confused_class = { .name = "confused",
                                         .state_size = sizeof(struct confused),
                                         .receive = confused_receive };

/* A handler that fails on the exit request does not keep its actor alive. */
BOTH_BASES(actor_failures, a_confused_exit)
{
    th_addr one = talk_create(ts->me, &confused_class), two;

    talk_expect(ts->me, one, "name?", "dunno");
    two = talk_ask_addr(ts->me, one, "sub-actor?");
    talk_expect(ts->me, two, "name?", "dunno");
    must(th_stop(ts->me, two));
    talk_wait_for(ts->me, one, 1);
    talk_expect_gone(ts->me, two, "name?");
    talk_expect(ts->me, one, "name?", "permanent");
    must(th_stop(ts->me, one));
    talk_expect_gone(ts->me, one, "name?");
}

BOTH_BASES(actor_failures, a_confused_message)
{
    th_addr guardian = talk_create(ts->me, &talk_guardian);
    th_addr one = talk_raise(ts->me, guardian, &confused_class), two;
    th_msg *msg = NULL;

    two = talk_ask_addr(ts->me, one, "sub-actor?");
    must(talk_say(ts->me, two, "bad fish"));
    must(th_listen(ts->me, TALK_PATIENCE, &msg));
    cr_assert_not_null(th_poison_of(msg));
    cr_assert(talk_is(th_poison_of(msg)->message, "bad fish"));
    cr_assert_str_eq(th_poison_of(msg)->details->data, "who am I?");
    cr_assert(th_addr_equal(th_msg_sender(msg), two));
    th_msg_destroy(ts->me, msg);
    talk_expect(ts->me, one, "name?", "dunno");
    talk_expect(ts->me, two, "name?", "dunno");
    must(th_stop(ts->me, one));
    talk_wait_for(ts->me, guardian, 1);
    talk_expect_gone(ts->me, one, "name?");
    talk_expect_gone(ts->me, two, "name?");
}

/* Out of a failing handler, without a word: the class says that it stops. */
static th_err brittle_receive(th_self *self, void *state, const th_msg *msg)
{
    return talk_is(msg, "break") ? TH_E_FAILED : TH_OK;
}

static const th_class brittle = { .name = "brittle",
                                  .receive = brittle_receive,
                                  .on_failure = TH_ON_FAILURE_STOP };

struct nanny {
    struct talk_waiter waiter;
    int64_t exits;
    uint32_t reason;
    th_addr child;
};

static th_err nanny_receive(th_self *self, void *state, const th_msg *msg)
{
    struct nanny *nanny = state;
    const struct th_child_exited *exited = th_child_exited_of(msg);
    th_err err;

    if (exited) {
        if (!th_addr_equal(exited->child, nanny->child))
            return th_fail(self, TH_E_FAILED, "whose child?");
        nanny->reason = exited->reason;
        err = th_spawn(self, &brittle, NULL, &nanny->child);
        return err ? err : talk_waiter_check(self, &nanny->waiter, ++nanny->exits);
    }
    if (talk_is(msg, "child?")) {
        err = th_addr_is_none(nanny->child) ? th_spawn(self, &brittle, NULL, &nanny->child) : TH_OK;
        return err ? err
                   : talk_whom_send(self, th_msg_sender(msg),
                                    (struct talk_whom){ .addr = nanny->child });
    }
    if (talk_is(msg, "reason?"))
        return talk_count(self, th_msg_sender(msg), nanny->reason);
    if (talk_is(msg, "exits?"))
        return talk_count(self, th_msg_sender(msg), nanny->exits);
    if (talk_number_of(msg))
        return talk_waiter_set(self, &nanny->waiter, msg, nanny->exits);
    return TH_OK;
}

static const th_class nanny_class = { .name = "nanny",
                                      .state_size = sizeof(struct nanny),
                                      .receive = nanny_receive };

BOTH_BASES(actor_failures, an_abrupt_child_exit)
{
    th_addr nanny = talk_create(ts->me, &nanny_class);
    th_addr first = talk_ask_addr(ts->me, nanny, "child?"), second;
    th_msg *msg = NULL;

    must(talk_say(ts->me, first, "break"));
    talk_wait_for(ts->me, nanny, 1);
    second = talk_ask_addr(ts->me, nanny, "child?");
    cr_assert(!th_addr_equal(first, second));
    cr_assert_eq(talk_ask_number(ts->me, nanny, "reason?"), TH_EXIT_FAILED);
    talk_expect_gone(ts->me, first, "hello");
    /* who sent it hears of it as well */
    must(th_listen(ts->me, TALK_PATIENCE, &msg));
    cr_assert_not_null(th_poison_of(msg));
    cr_assert(talk_is(th_poison_of(msg)->message, "break"));
    th_msg_destroy(ts->me, msg);
    cr_assert_eq(talk_ask_number(ts->me, nanny, "exits?"), 1);
}
