/* Routers and topics before mailboxes with a limit: what is refused goes elsewhere or is poison,
 * what is dropped is a dead letter, and one that holds is waited for by all.
 *
 * On the pool a routee is full for certain: its handler waits for the test. On the simple base
 * nothing happens between two waits, and then the seed decides who is first, so there a test says
 * what is true in any order.
 *
 * Past 500 lines: each policy is told of routers and of topics, with the same routee. */
#include <string.h>

#include "tests/support/bounded.h"
#include "tests/support/talk.h"

#include <thespis/testkit.h>

/* ---- a routee that can be stopped ---- */

#define NOTE_FIELDS(F, S) F(S, i64, value)
TH_MESSAGE(note, NOTE_FIELDS);
TH_MESSAGE_TYPE(note, NOTE_FIELDS)

/* Notes each number, also one in a publication, to who sent it. */
static th_err clerk_receive(th_self *self, void *state, const th_msg *msg)
{
    const struct th_publication *news = th_publication_of(msg);
    const struct talk_number *number = talk_number_of(news ? news->payload : msg);

    if (bounded_stops_here(msg) || !number)
        return TH_OK;
    return note_send(self, th_msg_sender(msg), (struct note){ .value = number->value });
}

static const th_class clerk = { .name = "clerk", .receive = clerk_receive };
static const th_class stoppable = { .name = "stoppable",
                                    .receive = clerk_receive,
                                    .flags = TH_CLASS_OWN_THREAD };

/* One with room for one message, and that is taken: on the pool, until bounded_go_on(). */
static th_addr full(struct test_system *ts, th_when_full when_full)
{
    th_addr addr =
        bounded_create(ts, &stoppable, (th_mailbox){ .limit = 1, .when_full = when_full });

    bounded_stop(ts, addr);
    must(talk_say(ts->me, addr, "fill"));
    return addr;
}

/* ---- verbs ---- */

/* With a mailbox of its own limit, so that one can see whether it is held. */
static th_addr router_with(struct test_system *ts, th_routing routing, const th_addr *guests,
                           uint32_t count, th_mailbox mailbox)
{
    th_spawn_options spawn;
    th_addr addr;

    must(th_router_spec(
        ts->me,
        &(th_router_options){ .routing = routing, .routees = guests, .routee_count = count },
        &spawn));
    spawn.mailbox = mailbox;
    must(th_spawn_with(ts->me, &spawn, &addr));
    return addr;
}

static const th_mailbox roomy = { .limit = 100 };

static th_addr router(struct test_system *ts, th_routing routing, const th_addr *guests,
                      uint32_t count)
{
    return router_with(ts, routing, guests, count, roomy);
}

static struct th_router_status status(struct test_system *ts, th_addr to, th_routee rows[2])
{
    struct th_router_status figures;
    const th_routee *routees;
    size_t count;
    th_msg *answer;

    must(th_ask(ts->me, to, th_msg_create(ts->me, &th_router_ask_status_type), TALK_PATIENCE,
                &answer));
    cr_assert_not_null(th_router_status_of(answer));
    figures = *th_router_status_of(answer);
    routees = th_router_routees(answer, &count);
    cr_assert_leq(count, 2);
    if (rows)
        memcpy(rows, routees, count * sizeof(*routees));
    th_msg_destroy(ts->me, answer);
    return figures;
}

/* The next note, and by whom. */
static th_addr hear(struct test_system *ts, int64_t value)
{
    th_msg *msg;
    th_addr by;

    must(th_listen(ts->me, TALK_PATIENCE, &msg));
    cr_assert_not_null(note_of(msg), "%s", th_type_name(th_msg_type(msg)));
    cr_assert_eq(note_of(msg)->value, value, "%d", (int)note_of(msg)->value);
    by = th_msg_sender(msg);
    th_msg_destroy(ts->me, msg);
    return by;
}

/* Until one message waits there, and it has begun with no other. A credit comes back at the end of
 * a turn, so it may take a moment. */
static void wait_until_one_waits(struct test_system *ts, th_addr actor)
{
    while (!test_is_simple(ts) && bounded_look(ts, actor).used != 1)
        bounded_let_run(ts);
}

/* ---- a mailbox that fails ---- */

BOTH_BASES(bounded_routees, in_turn_the_next_has_what_one_refuses)
{
    th_addr guests[] = { full(ts, TH_WHEN_FULL_FAIL), talk_create(ts->me, &clerk) };
    th_addr to = router(ts, TH_ROUTE_IN_TURN, guests, 2), by;

    must(talk_count(ts->me, to, 1));
    by = hear(ts, 1);
    cr_assert(test_is_simple(ts) || th_addr_equal(by, guests[1]));
    cr_assert_eq(status(ts, to, NULL).passed, 1);
    cr_assert_eq(status(ts, to, NULL).failed, 0);
    bounded_go_on(ts);
}

BOTH_BASES(bounded_routees, by_load_the_other_has_what_one_refuses)
{
    th_addr guests[] = { full(ts, TH_WHEN_FULL_FAIL), talk_create(ts->me, &clerk) };
    th_addr to = router(ts, TH_ROUTE_BY_LOAD, guests, 2);
    th_routee rows[2];

    for (int i = 0; i < 20; i++) {
        must(talk_count(ts->me, to, i));
        (void)hear(ts, i);
    }
    cr_assert_eq(status(ts, to, rows).failed, 0);
    cr_assert_eq(rows[0].sent + rows[1].sent, 20);
    cr_assert(test_is_simple(ts) || rows[0].sent == 0);
    bounded_go_on(ts);
}

/* Two refuse it at its first delivery; at its second the third has it. */
BOTH_BASES(bounded_routees, in_turn_all_but_one_may_refuse)
{
    th_addr guests[] = { full(ts, TH_WHEN_FULL_FAIL), full(ts, TH_WHEN_FULL_FAIL),
                         talk_create(ts->me, &clerk) };
    th_addr to = router(ts, TH_ROUTE_IN_TURN, guests, 3), by;

    must(talk_count(ts->me, to, 1));
    by = hear(ts, 1);
    cr_assert(test_is_simple(ts) || th_addr_equal(by, guests[2]));
    bounded_go_on(ts);
}

static void hear_poison(struct test_system *ts, int64_t value)
{
    const struct th_poison *poison;
    th_msg *msg;

    must(th_listen(ts->me, TALK_PATIENCE, &msg));
    poison = th_poison_of(msg);
    cr_assert_not_null(poison, "%s", th_type_name(th_msg_type(msg)));
    cr_assert_eq(poison->err, TH_E_FULL, "%s", th_err_name((th_err)poison->err));
    cr_assert_eq(talk_number_of(poison->message)->value, value);
    th_msg_destroy(ts->me, msg);
}

/* A key's routee is full, or there is no other. */
Test(bounded_routees, poison_where_nobody_else_will_do_pool)
{
    static const th_routing routings[] = { TH_ROUTE_IN_TURN, TH_ROUTE_BY_LOAD };
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    th_addr guest = full(&ts, TH_WHEN_FULL_FAIL);

    for (int i = 0; i < 2; i++) {
        th_addr to = router(&ts, routings[i], &guest, 1);

        must(talk_count(ts.me, to, i));
        hear_poison(&ts, i);
        cr_assert_eq(status(&ts, to, NULL).failed, 1);
    }
    bounded_go_on(&ts);
    test_system_close(&ts);
}

static uint64_t key_of(const th_msg *msg)
{
    return talk_number_of(msg) ? (uint64_t)talk_number_of(msg)->value : 0;
}

/* Numbers until there was one for each of the two. */
Test(bounded_routees, by_key_it_does_not_go_elsewhere_pool)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    th_addr guests[] = { full(&ts, TH_WHEN_FULL_FAIL), talk_create(ts.me, &clerk) }, to;
    th_router_options options = {
        .routing = TH_ROUTE_BY_KEY, .routees = guests, .routee_count = 2, .key = key_of
    };
    int64_t notes = 0, poison = 0;

    must(th_router_spawn(ts.me, &options, &to));
    while (notes == 0 || poison == 0) {
        th_msg *msg;

        must(talk_count(ts.me, to, notes + poison));
        must(th_listen(ts.me, TALK_PATIENCE, &msg));
        cr_assert(note_of(msg) ? th_addr_equal(th_msg_sender(msg), guests[1])
                               : th_poison_of(msg) && th_poison_of(msg)->err == TH_E_FULL);
        notes += note_of(msg) != NULL;
        poison += th_poison_of(msg) != NULL;
        th_msg_destroy(ts.me, msg);
    }
    cr_assert_eq(status(&ts, to, NULL).failed, poison);
    cr_assert_eq(status(&ts, to, NULL).passed, notes);
    bounded_go_on(&ts);
    test_system_close(&ts);
}

/* Who is first is up to the seed; both happen in sixteen of them. */
Test(bounded_routees, poison_or_an_answer_simple)
{
    int answers = 0, poison = 0;

    for (uint64_t seed = 1; seed <= 16; seed++) {
        struct test_system ts = test_system_open(TH_BASE_SIMPLE, seed);
        th_addr guest = full(&ts, TH_WHEN_FULL_FAIL);
        th_addr to = router(&ts, TH_ROUTE_IN_TURN, &guest, 1);
        th_msg *msg;

        must(talk_count(ts.me, to, 1));
        must(th_listen(ts.me, TALK_PATIENCE, &msg));
        answers += note_of(msg) != NULL;
        poison += th_poison_of(msg) != NULL;
        th_msg_destroy(ts.me, msg);
        cr_assert_eq(answers + poison, seed);
        talk_hear_nothing(ts.me);
        test_system_close(&ts);
    }
    cr_assert(answers && poison, "%d, %d", answers, poison);
}

BOTH_BASES(bounded_routees, to_all_passes_over_who_is_full)
{
    th_addr guests[] = { full(ts, TH_WHEN_FULL_FAIL), talk_create(ts->me, &clerk) };
    th_addr to = router(ts, TH_ROUTE_TO_ALL, guests, 2);
    struct th_router_status figures;
    th_routee rows[2];

    must(talk_count(ts->me, to, 1));
    figures = status(ts, to, rows);
    cr_assert_eq(figures.passed, 1);
    cr_assert_eq(figures.failed, 0);
    cr_assert_eq(rows[1].sent, 1);
    cr_assert(test_is_simple(ts) || rows[0].sent == 0);
    for (uint64_t i = 0; i < rows[0].sent + rows[1].sent; i++)
        (void)hear(ts, 1);
    talk_hear_nothing(ts->me);
    bounded_go_on(ts);
}

/* ---- a mailbox that drops ---- */

/* The router has passed it on; by load it knows in the end that nothing is outstanding. */
BOTH_BASES(bounded_routees, what_is_dropped_is_passed_and_dead)
{
    th_addr guest = full(ts, TH_WHEN_FULL_DROP);
    th_addr to = router(ts, TH_ROUTE_BY_LOAD, &guest, 1);
    th_routee rows[2];
    th_msg *msg;

    must(th_dead_letters_to_me(ts->me, true));
    must(talk_count(ts->me, to, 1));
    must(th_listen(ts->me, TALK_PATIENCE, &msg));
    if (th_dead_letter_of(msg))
        cr_assert_eq(th_dead_letter_of(msg)->reason, TH_DEAD_FULL);
    cr_assert(th_dead_letter_of(msg) || test_is_simple(ts));
    th_msg_destroy(ts->me, msg);
    cr_assert_eq(status(ts, to, NULL).passed, 1);
    bounded_go_on(ts);
    do
        status(ts, to, rows);
    while (rows[0].outstanding);
    cr_assert_eq(rows[0].sent, 1);
}

/* ---- a mailbox that holds ---- */

/* The router's own mail waits, also what is for others. */
BOTH_BASES(bounded_routees, one_that_holds_is_waited_for_by_all)
{
    th_addr guests[] = { full(ts, TH_WHEN_FULL_HOLD), talk_create(ts->me, &clerk) };
    th_addr to = router(ts, TH_ROUTE_IN_TURN, guests, 2);
    th_addr by[2];

    must(talk_count(ts->me, to, 1));
    bounded_wait_until_held(ts, to);
    must(talk_count(ts->me, to, 2));
    wait_until_one_waits(ts, to);
    bounded_go_on(ts);
    for (int i = 0; i < 2; i++) {
        th_msg *msg;

        must(th_listen(ts->me, TALK_PATIENCE, &msg));
        cr_assert_not_null(note_of(msg));
        by[note_of(msg)->value - 1] = th_msg_sender(msg);
        th_msg_destroy(ts->me, msg);
    }
    cr_assert(th_addr_equal(by[0], guests[0]));
    cr_assert(th_addr_equal(by[1], guests[1]));
    cr_assert_eq(status(ts, to, NULL).passed, 2);
}

/* Who has room has it, although the router is held by the other. */
BOTH_BASES(bounded_routees, to_all_everybody_has_it_before_the_router_is_held)
{
    th_addr guests[] = { full(ts, TH_WHEN_FULL_HOLD), talk_create(ts->me, &clerk) };
    th_addr to = router(ts, TH_ROUTE_TO_ALL, guests, 2), by;

    must(talk_count(ts->me, to, 1));
    by = hear(ts, 1);
    cr_assert(test_is_simple(ts) || th_addr_equal(by, guests[1]));
    bounded_wait_until_held(ts, to);
    bounded_go_on(ts);
    (void)hear(ts, 1);
}

/* ---- a writer that is held by them ---- */

/* Sends numbers to an actor, or publishes them, one each time it is run; counts the notes. */
#define WRITE_FIELDS(F, S) F(S, addr, to) F(S, i64, next) F(S, i64, last) F(S, bool_, publishes)
TH_MESSAGE(writing, WRITE_FIELDS);
TH_MESSAGE_TYPE(writing, WRITE_FIELDS)

struct writer {
    struct talk_waiter waiter;
    int64_t notes;
    bool is_disordered;
};

static th_err write_one(th_self *self, struct writing writing)
{
    struct talk_number *body;
    th_msg *msg = talk_number_new(self, &body);
    th_err err;

    if (msg)
        body->value = writing.next;
    err = writing.publishes ? th_publish(self, writing.to, "news", msg, 0)
                            : th_send(self, writing.to, msg);
    if (err || writing.next++ == writing.last)
        return err;
    return writing_send(self, th_self_addr(self), writing);
}

static th_err writer_receive(th_self *self, void *state, const th_msg *msg)
{
    struct writer *writer = state;

    if (writing_of(msg))
        return write_one(self, *writing_of(msg));
    if (talk_is(msg, "disordered?"))
        return talk_count(self, th_msg_sender(msg), writer->is_disordered);
    if (talk_number_of(msg))
        return talk_waiter_set(self, &writer->waiter, msg, writer->notes);
    if (!note_of(msg))
        return TH_OK;
    writer->is_disordered |= note_of(msg)->value != writer->notes;
    return talk_waiter_check(self, &writer->waiter, ++writer->notes);
}

static const th_class writer_class = { .name = "writer",
                                       .state_size = sizeof(struct writer),
                                       .receive = writer_receive,
                                       .mailbox = { .limit = 100 } };

static const th_mailbox narrow = { .limit = 2, .when_full = TH_WHEN_FULL_HOLD };

/* One routee that holds holds who is in front of it, and that one who writes; then all goes on, and
 * nothing is lost or overtaken. */
static void write_through(struct test_system *ts, th_addr to, bool publishes)
{
    enum { NUMBERS = 20 };
    th_addr writer = talk_create(ts->me, &writer_class);

    must(writing_send(ts->me, writer,
                      (struct writing){ .to = to, .last = NUMBERS - 1, .publishes = publishes }));
    bounded_wait_until_held(ts, to);
    bounded_wait_until_held(ts, writer);
    bounded_go_on(ts);
    talk_wait_for(ts->me, writer, NUMBERS);
    cr_assert_eq(talk_ask_number(ts->me, writer, "disordered?"), 0);
}

BOTH_BASES(bounded_routees, a_router_with_a_limit_holds_who_writes)
{
    th_addr guest = full(ts, TH_WHEN_FULL_HOLD);

    write_through(ts, router_with(ts, TH_ROUTE_IN_TURN, &guest, 1, narrow), false);
}

/* ---- topics ---- */

static th_addr topics_with(struct test_system *ts, th_mailbox mailbox)
{
    th_spawn_options spawn;
    th_addr addr;

    must(th_topics_spec(ts->me, NULL, &spawn));
    spawn.mailbox = mailbox;
    must(th_create(ts->me, &spawn, TALK_PATIENCE, &addr, NULL));
    return addr;
}

static void subscribe(struct test_system *ts, th_addr to, th_addr who)
{
    struct th_subscribe *body;
    th_msg *question = th_subscribe_new(ts->me, &body), *answer;

    cr_assert_not_null(question);
    strcpy(body->filter, "news");
    body->subscriber = who;
    must(th_ask(ts->me, to, question, TALK_PATIENCE, &answer));
    cr_assert_not_null(th_subscribed_of(answer));
    cr_assert_eq(th_subscribed_of(answer)->err, TH_OK);
    th_msg_destroy(ts->me, answer);
}

static void publish(struct test_system *ts, th_addr to, int64_t value)
{
    struct talk_number *body;
    th_msg *msg = talk_number_new(ts->me, &body);

    cr_assert_not_null(msg);
    body->value = value;
    must(th_publish(ts->me, to, "news", msg, 0));
}

static struct th_topics_status topics_status(struct test_system *ts, th_addr to)
{
    struct th_topics_status figures;
    th_msg *answer;

    must(th_ask(ts->me, to, th_msg_create(ts->me, &th_topics_ask_status_type), TALK_PATIENCE,
                &answer));
    cr_assert_not_null(th_topics_status_of(answer));
    figures = *th_topics_status_of(answer);
    th_msg_destroy(ts->me, answer);
    return figures;
}

BOTH_BASES(bounded_routees, a_subscriber_that_refuses_is_passed_over)
{
    th_addr to = topics_with(ts, roomy), free = talk_create(ts->me, &clerk), late;
    struct th_topics_status figures;

    late = full(ts, TH_WHEN_FULL_FAIL);
    subscribe(ts, to, late);
    subscribe(ts, to, free);
    publish(ts, to, 1);
    figures = topics_status(ts, to);
    cr_assert_eq(figures.heard, 1);
    cr_assert_eq(figures.deliveries + figures.refused, 2);
    cr_assert(test_is_simple(ts) || figures.refused == 1);
    for (uint64_t i = 0; i < figures.deliveries; i++)
        (void)hear(ts, 1);
    talk_hear_nothing(ts->me);
    bounded_go_on(ts);
}

BOTH_BASES(bounded_routees, a_subscriber_that_drops_has_a_dead_letter)
{
    th_addr to = topics_with(ts, roomy);
    th_msg *msg;

    subscribe(ts, to, full(ts, TH_WHEN_FULL_DROP));
    must(th_dead_letters_to_me(ts->me, true));
    publish(ts, to, 1);
    must(th_listen(ts->me, TALK_PATIENCE, &msg));
    if (th_dead_letter_of(msg))
        cr_assert_eq(th_dead_letter_of(msg)->reason, TH_DEAD_FULL);
    cr_assert(th_dead_letter_of(msg) || test_is_simple(ts));
    th_msg_destroy(ts->me, msg);
    cr_assert_eq(topics_status(ts, to).deliveries, 1);
    bounded_go_on(ts);
}

/* The others have what holds the topics actor, and what comes then waits in its mailbox. */
BOTH_BASES(bounded_routees, a_subscriber_that_holds_is_waited_for_by_all)
{
    th_addr to = topics_with(ts, roomy), free = talk_create(ts->me, &clerk), by;

    subscribe(ts, to, full(ts, TH_WHEN_FULL_HOLD));
    subscribe(ts, to, free);
    publish(ts, to, 1);
    by = hear(ts, 1);
    cr_assert(test_is_simple(ts) || th_addr_equal(by, free));
    bounded_wait_until_held(ts, to);
    publish(ts, to, 2);
    wait_until_one_waits(ts, to);
    bounded_go_on(ts);
    for (int i = 0; i < 3; i++) {
        th_msg *msg;

        must(th_listen(ts->me, TALK_PATIENCE, &msg));
        cr_assert_not_null(note_of(msg));
        th_msg_destroy(ts->me, msg);
    }
}

BOTH_BASES(bounded_routees, topics_with_a_limit_hold_who_publishes)
{
    th_addr to = topics_with(ts, narrow);

    subscribe(ts, to, full(ts, TH_WHEN_FULL_HOLD));
    write_through(ts, to, true);
}
