/* Routers, through the front door, on both bases.
 *
 * Past 500 lines: the verbs of a router are a fifth of it, and all parts speak them. */
#include <semaphore.h>
#include <stdio.h>

#include "tests/support/shortage.h"
#include "tests/support/system.h"
#include "tests/support/talk.h"

#include <thespis/testkit.h>

/* ---- a routee that says who it is ---- */

enum what { ANSWER, FAIL, EXIT, WAIT };

#define PARCEL_FIELDS(F, S) F(S, u32, what) F(S, u64, key) F(S, chars, label, 16) F(S, str, text)
TH_MESSAGE(parcel, PARCEL_FIELDS);
TH_MESSAGE_TYPE(parcel, PARCEL_FIELDS)

#define RECEIPT_FIELDS(F, S) F(S, u64, key) F(S, u64, body) F(S, u64, count)
TH_MESSAGE(receipt, RECEIPT_FIELDS);
TH_MESSAGE_TYPE(receipt, RECEIPT_FIELDS)

struct clerk {
    uint64_t count;
};

static sem_t gate; /* what WAIT waits for */

static th_err clerk_receive(th_self *self, void *state, const th_msg *msg)
{
    struct clerk *clerk = state;
    const struct parcel *parcel = parcel_of(msg);

    if (!parcel)
        return TH_OK;
    if (parcel->what == FAIL)
        return th_fail(self, TH_E_FAILED, "not this one");
    if (parcel->what == EXIT)
        return th_exit(self);
    while (parcel->what == WAIT && sem_wait(&gate) != 0)
        ;
    return receipt_send(
        self, th_msg_sender(msg),
        (struct receipt){ .key = parcel->key, .body = (uintptr_t)parcel, .count = ++clerk->count });
}

static const th_class clerk = { .name = "clerk",
                                .state_size = sizeof(struct clerk),
                                .receive = clerk_receive };

/* ---- verbs ---- */

static uint64_t key_of(const th_msg *msg)
{
    return parcel_of(msg) ? parcel_of(msg)->key : 0;
}

static th_addr router(struct test_system *ts, const th_router_options *options)
{
    th_addr addr;

    must(th_router_spawn(ts->me, options, &addr));
    return addr;
}

static th_msg *parcel(th_self *me, enum what what, uint64_t key)
{
    struct parcel *body;
    th_msg *msg = parcel_new(me, &body);

    cr_assert_not_null(msg);
    body->what = what;
    body->key = key;
    snprintf(body->label, sizeof(body->label), "%u", (unsigned)key);
    return msg;
}

static void post(struct test_system *ts, th_addr to, enum what what, uint64_t key)
{
    must(th_tell(ts->me, to, parcel(ts->me, what, key)));
}

/* Who has it; the answer is by the routee itself. */
static th_addr deliver(struct test_system *ts, th_addr to, uint64_t key)
{
    th_addr who;
    th_msg *answer;

    must(th_ask(ts->me, to, parcel(ts->me, ANSWER, key), TALK_PATIENCE, &answer));
    cr_assert_not_null(receipt_of(answer));
    cr_assert_eq(receipt_of(answer)->key, key);
    who = th_msg_sender(answer);
    th_msg_destroy(ts->me, answer);
    return who;
}

/* The next receipt, by any. */
static struct receipt sign(struct test_system *ts, th_addr *by_out)
{
    struct receipt receipt;
    th_msg *msg;

    must(th_listen(ts->me, TALK_PATIENCE, &msg));
    cr_assert_not_null(receipt_of(msg), "%s", th_type_name(th_msg_type(msg)));
    receipt = *receipt_of(msg);
    if (by_out)
        *by_out = th_msg_sender(msg);
    th_msg_destroy(ts->me, msg);
    return receipt;
}

enum { ROWS = 16 };

static struct th_router_status status(struct test_system *ts, th_addr to, th_routee rows[ROWS])
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
    cr_assert_eq(count, figures.routees);
    cr_assert_leq(count, ROWS);
    if (rows)
        memcpy(rows, routees, count * sizeof(*routees));
    th_msg_destroy(ts->me, answer);
    cr_assert_eq(figures.messages,
                 figures.passed + figures.refused + figures.failed + figures.waiting);
    return figures;
}

static struct th_router_changed change(struct test_system *ts, th_addr to, th_msg *ask)
{
    struct th_router_changed changed;
    th_msg *answer;

    must(th_ask(ts->me, to, ask, TALK_PATIENCE, &answer));
    cr_assert_not_null(th_router_changed_of(answer));
    changed = *th_router_changed_of(answer);
    th_msg_destroy(ts->me, answer);
    return changed;
}

static th_err join(struct test_system *ts, th_addr to, th_addr whom)
{
    struct th_router_join *body;
    th_msg *ask = th_router_join_new(ts->me, &body);
    struct th_router_changed changed;

    body->routee = whom;
    changed = change(ts, to, ask);
    cr_assert(th_addr_is_none(whom) || th_addr_equal(changed.routee, whom));
    return (th_err)changed.err;
}

static th_err leave(struct test_system *ts, th_addr to, th_addr whom)
{
    struct th_router_leave *body;
    th_msg *ask = th_router_leave_new(ts->me, &body);

    body->routee = whom;
    return (th_err)change(ts, to, ask).err;
}

static struct th_router_limits set(struct test_system *ts, th_addr to, struct th_router_set wishes)
{
    struct th_router_limits limits;
    struct th_router_set *body;
    th_msg *ask = th_router_set_new(ts->me, &body), *answer;

    *body = wishes;
    must(th_ask(ts->me, to, ask, TALK_PATIENCE, &answer));
    cr_assert_not_null(th_router_limits_of(answer));
    limits = *th_router_limits_of(answer);
    th_msg_destroy(ts->me, answer);
    return limits;
}

static th_msg *hear_dead(struct test_system *ts, th_dead_reason reason)
{
    th_msg *msg;

    must(th_listen(ts->me, TALK_PATIENCE, &msg));
    cr_assert_not_null(th_dead_letter_of(msg), "%s", th_type_name(th_msg_type(msg)));
    cr_assert_eq(th_dead_letter_of(msg)->reason, reason, "%s",
                 th_dead_reason_text((th_dead_reason)th_dead_letter_of(msg)->reason));
    return msg;
}

static void hear_dead_parcel(struct test_system *ts, th_dead_reason reason, uint64_t key)
{
    th_msg *msg = hear_dead(ts, reason);

    cr_assert_not_null(parcel_of(th_dead_letter_of(msg)->message));
    cr_assert_eq(parcel_of(th_dead_letter_of(msg)->message)->key, key);
    th_msg_destroy(ts->me, msg);
}

/* ---- the four ways ---- */

BOTH_BASES(router, in_turn)
{
    th_addr to = router(ts, &(th_router_options){ .klass = &clerk, .children = 3 });
    th_addr who[6];

    for (uint64_t i = 0; i < 6; i++)
        who[i] = deliver(ts, to, i);
    for (int i = 0; i < 3; i++) {
        cr_assert(th_addr_equal(who[i], who[i + 3]));
        cr_assert(!th_addr_equal(who[i], who[(i + 1) % 3]));
        cr_assert(!th_addr_equal(who[i], to), "answers do not pass the router");
    }
}

static void check_keys(struct test_system *ts, const th_router_options *options)
{
    th_addr to = router(ts, options), who[32];
    int differ = 0;

    for (uint64_t i = 0; i < 32; i++)
        who[i] = deliver(ts, to, i);
    for (uint64_t i = 0; i < 32; i++) {
        cr_assert(th_addr_equal(deliver(ts, to, i), who[i]));
        differ += !th_addr_equal(who[i], who[0]);
    }
    cr_assert_gt(differ, 0);
}

BOTH_BASES(router, by_key)
{
    check_keys(ts, &(th_router_options){
                       .routing = TH_ROUTE_BY_KEY, .klass = &clerk, .children = 4, .key = key_of });
}

BOTH_BASES(router, by_a_field)
{
    check_keys(ts, &(th_router_options){
                       .routing = TH_ROUTE_BY_KEY, .klass = &clerk, .key_field = "key" });
    check_keys(ts, &(th_router_options){
                       .routing = TH_ROUTE_BY_KEY, .klass = &clerk, .key_field = "label" });
}

BOTH_BASES(router, by_a_field_that_is_not_there)
{
    th_addr to =
        router(ts, &(th_router_options){
                       .routing = TH_ROUTE_BY_KEY, .klass = &clerk, .key_field = "nonesuch" });
    th_msg *poison;

    post(ts, to, ANSWER, 1);
    must(th_listen(ts->me, TALK_PATIENCE, &poison));
    cr_assert_not_null(th_poison_of(poison));
    cr_assert_str_eq(th_poison_of(poison)->details->data,
                     "a parcel has no field 'nonesuch' to be routed by");
    th_msg_destroy(ts->me, poison);
    cr_assert_eq(status(ts, to, NULL).failed, 1);
}

BOTH_BASES(router, only_the_keys_of_the_dead_move_and_its_successor_has_them_back)
{
    enum { KEYS = 64 };
    th_addr to = router(ts, &(th_router_options){ .routing = TH_ROUTE_BY_KEY,
                                                  .klass = &clerk,
                                                  .children = 4,
                                                  .key = key_of,
                                                  .backoff_min_ns = TH_MS(50),
                                                  .waiting_max = 10 });
    th_addr before[KEYS], dead, heir;
    th_routee rows[ROWS];
    uint64_t up = 0;

    for (uint64_t i = 0; i < KEYS; i++)
        before[i] = deliver(ts, to, i);
    dead = before[0];
    post(ts, to, EXIT, 0);
    while (status(ts, to, rows).deaths == 0)
        ;
    while (up < 4) { /* the pause passes; on the simple base a wait is what has time pass */
        th_msg *nothing;

        must_be(th_listen(ts->me, TH_MS(1), &nothing), TH_E_TIMEOUT);
        status(ts, to, rows);
        up = 0;
        for (int i = 0; i < 4; i++)
            up += rows[i].state == TH_ROUTEE_UP;
    }
    heir = deliver(ts, to, 0);
    cr_assert(!th_addr_equal(heir, dead));
    for (uint64_t i = 0; i < KEYS; i++)
        cr_assert(
            th_addr_equal(deliver(ts, to, i), th_addr_equal(before[i], dead) ? heir : before[i]));
}

BOTH_BASES(router, to_all_shares_one_body)
{
    th_addr to = router(
        ts, &(th_router_options){ .routing = TH_ROUTE_TO_ALL, .klass = &clerk, .children = 5 });
    th_routee rows[ROWS];
    struct receipt first;

    post(ts, to, ANSWER, 9);
    first = sign(ts, NULL);
    for (int i = 1; i < 5; i++) {
        struct receipt receipt = sign(ts, NULL);

        cr_assert_eq(receipt.key, 9);
        cr_assert_eq(receipt.body, first.body, "a copy");
    }
    cr_assert_eq(status(ts, to, rows).passed, 1);
    for (int i = 0; i < 5; i++)
        cr_assert_eq(rows[i].sent, 1);
    talk_hear_nothing(ts->me);
}

static const th_class patient = { .name = "patient",
                                  .state_size = sizeof(struct clerk),
                                  .receive = clerk_receive,
                                  .flags = TH_CLASS_OWN_THREAD };

static uint64_t outstanding(struct test_system *ts, th_addr to, th_addr whom)
{
    th_routee rows[ROWS];
    uint32_t count = status(ts, to, rows).routees;

    for (uint32_t i = 0; i < count; i++)
        if (th_addr_equal(rows[i].addr, whom))
            return rows[i].outstanding;
    return UINT64_MAX;
}

/* One is stuck in another's message: of fifty it has one, when nothing was known of it yet. */
Test(router, by_load_passes_over_who_is_stuck)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    th_addr stuck = talk_create(ts.me, &patient), free = talk_create(ts.me, &clerk);
    const th_addr both[] = { stuck, free };
    th_addr to = router(&ts, &(th_router_options){
                                 .routing = TH_ROUTE_BY_LOAD, .routees = both, .routee_count = 2 });
    th_routee rows[ROWS];

    sem_init(&gate, 0, 0);
    post(&ts, stuck, WAIT, 0);
    for (uint64_t i = 0; i < 50; i++) {
        post(&ts, to, ANSWER, i);
        while (outstanding(&ts, to, free) > 0)
            ;
    }
    status(&ts, to, rows);
    cr_assert_leq(rows[0].sent, 1);
    cr_assert_eq(rows[0].outstanding, rows[0].sent);
    sem_post(&gate);
    while (outstanding(&ts, to, stuck) > 0)
        ;
    test_system_close(&ts);
    sem_destroy(&gate);
}

BOTH_BASES(router, by_load_knows_when_all_is_handled)
{
    th_addr to = router(
        ts, &(th_router_options){ .routing = TH_ROUTE_BY_LOAD, .klass = &clerk, .children = 3 });
    th_routee rows[ROWS];
    uint64_t sent = 0, waiting = 1;

    for (uint64_t i = 0; i < 100; i++)
        post(ts, to, ANSWER, i);
    for (int i = 0; i < 100; i++)
        sign(ts, NULL);
    while (waiting) { /* the last answers are on their way */
        status(ts, to, rows);
        waiting = sent = 0;
        for (int i = 0; i < 3; i++) {
            waiting += rows[i].outstanding;
            sent += rows[i].sent;
        }
    }
    cr_assert_eq(sent, 100);
}

/* ---- guests ---- */

BOTH_BASES(router, guests_join_and_leave)
{
    th_addr one = talk_create(ts->me, &clerk), two = talk_create(ts->me, &clerk);
    th_addr to = router(ts, &(th_router_options){ .routees = &one, .routee_count = 1 });

    cr_assert(th_addr_equal(deliver(ts, to, 1), one));
    cr_assert_eq(join(ts, to, two), TH_OK);
    cr_assert_eq(join(ts, to, two), TH_E_EXISTS);
    cr_assert(!th_addr_equal(deliver(ts, to, 2), deliver(ts, to, 3)));
    cr_assert_eq(leave(ts, to, one), TH_OK);
    cr_assert_eq(leave(ts, to, one), TH_E_NO_ACTOR);
    for (uint64_t i = 4; i < 8; i++)
        cr_assert(th_addr_equal(deliver(ts, to, i), two));
    cr_assert(th_addr_equal(deliver(ts, one, 8), one), "it left, and lives");
}

BOTH_BASES(router, forgets_a_guest_that_ends)
{
    th_addr one = talk_create(ts->me, &clerk), two = talk_create(ts->me, &clerk);
    const th_addr both[] = { one, two };
    th_addr to = router(ts, &(th_router_options){ .routees = both, .routee_count = 2 });

    must(th_stop(ts->me, one));
    while (status(ts, to, NULL).routees == 2)
        ;
    for (uint64_t i = 0; i < 4; i++)
        cr_assert(th_addr_equal(deliver(ts, to, i), two));
    cr_assert_eq(join(ts, to, one), TH_OK, "its end is news again");
    while (status(ts, to, NULL).routees == 2)
        ;
}

/* An actor that joins by itself. */
static th_err joiner_init(th_self *self, void *state, const th_msg *arg)
{
    return th_router_join_send(self, talk_whom_of(arg)->addr,
                               (struct th_router_join){ .routee = th_addr_none() });
}

static const th_class joiner = { .name = "joiner",
                                 .state_size = sizeof(struct clerk),
                                 .init = joiner_init,
                                 .receive = clerk_receive };

BOTH_BASES(router, whoever_names_nobody_joins_itself)
{
    th_addr to = router(ts, &(th_router_options){ .waiting_max = 1 }), who;
    struct talk_whom *body;
    th_msg *arg = talk_whom_new(ts->me, &body);

    body->addr = to;
    must(th_spawn(ts->me, &joiner, arg, &who));
    cr_assert(th_addr_equal(deliver(ts, to, 1), who));
    cr_assert_eq(join(ts, to, th_addr_none()), TH_E_NO_ACTOR, "a question cannot be watched");
}

BOTH_BASES(router, refuses_guests_with_a_reason)
{
    th_addr to =
        router(ts, &(th_router_options){ .klass = &clerk, .children = 1, .routees_max = 2 });
    th_addr one = talk_create(ts->me, &clerk), foreign = one;
    th_routee rows[ROWS];

    foreign.system ^= 1;
    cr_assert_eq(join(ts, to, foreign), TH_E_FOREIGN);
    cr_assert_eq(join(ts, to, to), TH_E_INVALID);
    cr_assert_eq(join(ts, to, th_self_addr(ts->me)), TH_E_NO_ACTOR);
    cr_assert_eq(join(ts, to, th_system_addr(ts->me)), TH_E_NOT_ALLOWED);
    status(ts, to, rows);
    cr_assert_eq(join(ts, to, rows[0].addr), TH_E_EXISTS);
    cr_assert_eq(leave(ts, to, rows[0].addr), TH_E_NOT_ALLOWED);
    cr_assert_eq(join(ts, to, one), TH_OK);
    cr_assert_eq(join(ts, to, talk_create(ts->me, &clerk)), TH_E_LIMIT);
}

/* ---- when nobody is there ---- */

BOTH_BASES(router, without_routees_messages_are_dead_letters)
{
    th_addr to = router(ts, &(th_router_options){ .routing = TH_ROUTE_IN_TURN });

    must(th_dead_letters_to_me(ts->me, true));
    post(ts, to, ANSWER, 5);
    hear_dead_parcel(ts, TH_DEAD_NO_ROUTEE, 5);
    cr_assert_eq(status(ts, to, NULL).refused, 1);
}

BOTH_BASES(router, or_they_wait_in_order_and_bounded)
{
    th_addr to = router(ts, &(th_router_options){ .waiting_max = 2 });

    must(th_dead_letters_to_me(ts->me, true));
    for (uint64_t i = 0; i < 3; i++)
        post(ts, to, ANSWER, i);
    hear_dead_parcel(ts, TH_DEAD_FULL, 2);
    cr_assert_eq(status(ts, to, NULL).waiting, 2);
    cr_assert_eq(join(ts, to, talk_create(ts->me, &clerk)), TH_OK);
    for (uint64_t i = 0; i < 2; i++)
        cr_assert_eq(sign(ts, NULL).key, i);
    cr_assert_eq(status(ts, to, NULL).waiting, 0);
}

BOTH_BASES(router, what_waits_at_its_end_is_dead)
{
    th_addr to = router(ts, &(th_router_options){ .waiting_max = 2 });

    must(th_dead_letters_to_me(ts->me, true));
    post(ts, to, ANSWER, 1);
    must(th_stop(ts->me, to));
    hear_dead_parcel(ts, TH_DEAD_EXITING, 1);
}

/* ---- failures ---- */

BOTH_BASES(router, poison_passes_to_the_first_sender)
{
    th_addr to = router(ts, &(th_router_options){ .klass = &clerk, .children = 2 });
    th_msg *poison;

    post(ts, to, FAIL, 1);
    must(th_listen(ts->me, TALK_PATIENCE, &poison));
    cr_assert_not_null(th_poison_of(poison));
    cr_assert_str_eq(th_poison_of(poison)->details->data, "not this one");
    cr_assert(!th_addr_equal(th_msg_sender(poison), to));
    th_msg_destroy(ts->me, poison);
}

static th_err stillborn_init(th_self *self, void *state, const th_msg *arg)
{
    return th_fail(self, TH_E_FAILED, "stillborn");
}

static const th_class stillborn = { .name = "stillborn", .init = stillborn_init };

/* A child that cannot start takes what its first try was sent, and no more. */
BOTH_BASES(router, a_child_that_never_starts_takes_no_mail)
{
    th_addr to = router(ts, &(th_router_options){ .klass = &stillborn,
                                                  .children = 1,
                                                  .backoff_min_ns = TH_US(1),
                                                  .waiting_max = 10 });

    while (status(ts, to, NULL).deaths < 3) {
        th_msg *nothing;

        must_be(th_listen(ts->me, TH_US(10), &nothing), TH_E_TIMEOUT);
    }
    post(ts, to, ANSWER, 1);
    cr_assert_eq(status(ts, to, NULL).waiting, 1);
}

/* One allocation of a message to all fails: nobody has it twice, and unless it is poison all have
 * it. */
Test(router, without_memory_nobody_is_told_twice)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1);
    th_addr to = router(
        &ts, &(th_router_options){ .routing = TH_ROUTE_TO_ALL, .klass = &clerk, .children = 3 });
    uint64_t nth = 0;
    bool is_short;

    must(th_run_until_idle(ts.sys, 0, NULL));
    do {
        struct shortage shortage;
        int had = 0, poison = 0;
        th_msg *msg;

        post(&ts, to, ANSWER, nth);
        shortage = shortage_begin(ts.sys, ++nth, false);
        must(th_run_until_idle(ts.sys, 0, NULL));
        is_short = shortage_end(&shortage);
        while (th_listen(ts.me, 0, &msg) == TH_OK) {
            had += receipt_of(msg) != NULL;
            poison += th_poison_of(msg) != NULL;
            th_msg_destroy(ts.me, msg);
        }
        cr_assert_leq(had, 3, "told twice");
        cr_assert(had == 3 || poison, "%d were told", had);
    } while (is_short);
    cr_assert_gt(nth, 1);
    test_system_close(&ts);
}

/* ---- limits, ends ---- */

BOTH_BASES(router, limits_change_at_run_time)
{
    th_addr to = router(ts, &(th_router_options){ .klass = &clerk, .children = 2 });
    struct th_router_limits limits = set(ts, to, (struct th_router_set){ .children = 4 });

    cr_assert_eq(limits.children, 4);
    cr_assert_eq(limits.routees_max, TH_ROUTER_ROUTEES_DEFAULT);
    cr_assert_eq(limits.waiting_max, 0);
    limits =
        set(ts, to, (struct th_router_set){ .children = 1, .waiting_max = 7, .routees_max = 3 });
    cr_assert_eq(limits.children, 1);
    cr_assert_eq(limits.waiting_max, 7);
    while (status(ts, to, NULL).routees != 1)
        ;
    limits = set(ts, to,
                 (struct th_router_set){ .children = 4,
                                         .waiting_max = TH_ROUTER_NONE,
                                         .routees_max = TH_ROUTER_ROUTEES_MAX + 1 });
    cr_assert_eq(limits.children, 1, "past routees_max");
    cr_assert_eq(limits.waiting_max, 0);
    cr_assert_eq(limits.routees_max, 3);
    limits = set(ts, to, (struct th_router_set){ .children = TH_ROUTER_NONE });
    cr_assert_eq(limits.children, 0);
    while (status(ts, to, NULL).routees != 0)
        ;
    cr_assert_eq(status(ts, to, NULL).deaths, 0, "those were asked");
}

static void hear_gone(struct test_system *ts, th_addr who)
{
    th_msg *msg;

    must(th_listen(ts->me, TALK_PATIENCE, &msg));
    cr_assert_not_null(th_actor_gone_of(msg), "%s", th_type_name(th_msg_type(msg)));
    cr_assert(th_addr_equal(th_actor_gone_of(msg)->actor, who));
    th_msg_destroy(ts->me, msg);
}

BOTH_BASES(router, takes_its_children_along_and_leaves_its_guests)
{
    for (int keep = 0; keep < 2; keep++) {
        th_addr guest = talk_create(ts->me, &clerk);
        th_addr to =
            router(ts, &(th_router_options){
                           .klass = &clerk, .children = 1, .routees = &guest, .routee_count = 1 });
        th_routee rows[ROWS];
        th_addr child;

        status(ts, to, rows);
        child = rows[rows[0].is_child ? 0 : 1].addr;
        must(th_watch_actor(ts->me, child));
        must(th_exit_request_send(ts->me, to, (struct th_exit_request){ .keep_children = keep }));
        hear_gone(ts, child);
        cr_assert(th_addr_equal(deliver(ts, guest, 1), guest));
    }
}

static th_addr find(struct test_system *ts, th_addr supervisor)
{
    th_addr addr = th_addr_none();

    while (th_addr_is_none(addr)) { /* or it is being started anew */
        struct th_supervisor_find *body;
        th_msg *ask = th_supervisor_find_new(ts->me, &body), *answer;

        body->id[0] = 'r';
        must(th_ask(ts->me, supervisor, ask, TALK_PATIENCE, &answer));
        addr = th_supervisor_child_of(answer)->addr;
        th_msg_destroy(ts->me, answer);
        if (th_addr_is_none(addr))
            must_be(th_listen(ts->me, TH_MS(1), &answer), TH_E_TIMEOUT); /* a pause */
    }
    return addr;
}

/* Its argument serves for each life: the guests and the name of the field with it. */
BOTH_BASES(router, can_be_a_supervisors_child)
{
    th_addr guest = talk_create(ts->me, &clerk), supervisor, first, second;
    th_child_spec child = { .id = "r" };
    th_spawn_options spawn;

    must(th_router_spec(
        ts->me,
        &(th_router_options){
            .routing = TH_ROUTE_BY_KEY, .key_field = "key", .routees = &guest, .routee_count = 1 },
        &spawn));
    child.klass = spawn.klass;
    child.arg = spawn.arg;
    must(th_supervisor_spawn(ts->me, &child, 1,
                             &(th_supervisor_options){ .backoff_min_ns = TH_MS(1) }, &supervisor));
    first = find(ts, supervisor);
    cr_assert(th_addr_equal(deliver(ts, first, 1), guest));
    must(th_stop(ts->me, first));
    do
        second = find(ts, supervisor);
    while (th_addr_equal(first, second));
    cr_assert(th_addr_equal(deliver(ts, second, 1), guest));
}

BOTH_BASES(router, under_a_name_and_behind_a_router)
{
    th_addr inner = router(ts, &(th_router_options){ .klass = &clerk, .children = 2 }), to, same;
    th_spawn_options spawn;

    must(th_router_spec(ts->me, &(th_router_options){ .routees = &inner, .routee_count = 1 },
                        &spawn));
    spawn.global_name = "front";
    must(th_spawn_with(ts->me, &spawn, &to));
    must(th_name_find(ts->me, "front", &same));
    cr_assert(th_addr_equal(to, same));
    cr_assert(!th_addr_equal(deliver(ts, to, 1), deliver(ts, to, 2)));
}

/* ---- bad options ---- */

BOTH_BASES(router, a_guest_that_cannot_be_one_fails_the_init)
{
    th_addr me = th_self_addr(ts->me);
    char why[TH_DETAILS_SIZE] = "", expected[TH_DETAILS_SIZE], text[TH_ADDR_TEXT_SIZE];
    th_spawn_options spawn;
    th_addr to;

    must(th_router_spec(ts->me, &(th_router_options){ .routees = &me, .routee_count = 1 }, &spawn));
    must_be(th_create(ts->me, &spawn, TALK_PATIENCE, &to, why), TH_E_INIT);
    th_addr_print(me, text, sizeof(text));
    snprintf(expected, sizeof(expected), "routee %s: %s", text, th_strerror(TH_E_NO_ACTOR));
    cr_assert_str_eq(why, expected);
}

Test(router, says_which_option_is_at_fault)
{
    static const th_addr twice[2] = { { 1, 1, 1 }, { 1, 1, 1 } }, nobody = { 0, 0, 0 };
    static const struct {
        th_router_options options;
        const char *why;
    } bad[] = {
        { { .routing = (th_routing)9 }, "routing" },
        { { .children = 2 }, "children" },
        { { .routee_count = 2 }, "routees: a count" },
        { { .routees = &nobody, .routee_count = 1 }, "routees: one is no address" },
        { { .routees = twice, .routee_count = 2 }, "routees: one is there twice" },
        { { .klass = &clerk, .children = 9, .routees_max = 8 }, "routees: more" },
        { { .routees_max = TH_ROUTER_ROUTEES_MAX + 1 }, "routees_max" },
        { { .waiting_max = TH_ROUTER_WAITING_MAX + 1 }, "waiting_max" },
        { { .key = key_of }, "key: only" },
        { { .key_field = "key" }, "key: only" },
        { { .routing = TH_ROUTE_BY_KEY }, "key: routing by key needs" },
        { { .routing = TH_ROUTE_BY_KEY, .key = key_of, .key_field = "k" }, "key: a function and" },
        { { .routing = TH_ROUTE_BY_KEY, .key_field = "" }, "key_field" },
        { { .backoff_min_ns = 2, .backoff_max_ns = 1 }, "backoff_min_ns" },
    };
    const char *why = "";

    must(th_router_check(&(th_router_options){ .klass = &clerk }, &why));
    must_be(th_router_check(NULL, &why), TH_E_INVALID);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        must_be(th_router_check(&bad[i].options, &why), TH_E_INVALID);
        cr_assert_eq(strncmp(why, bad[i].why, strlen(bad[i].why)), 0, "%s, not %s", why,
                     bad[i].why);
    }
}
