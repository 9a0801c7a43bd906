/* The system's own actor: parent of last resort, keeper of the dead-letter handlers. */
#include "../../support/system.h"

#include <pthread.h>
#include <thespis/config.h>
#include <thespis/testkit.h>

#define NUMBER_FIELDS(F, S) F(S, u32, value)
TH_MESSAGE(number, NUMBER_FIELDS);
TH_MESSAGE_TYPE(number, NUMBER_FIELDS)

/* ---- orphans ---- */

static const th_class child_class = { .name = "child" };

static th_err parent_init(th_self *self, void *state, const th_msg *arg)
{
    th_err err = TH_OK;
    th_addr addr;

    (void)state;
    (void)arg;
    for (int i = 0; !err && i < 3; i++)
        err = th_spawn(self, &child_class, NULL, &addr);
    return err;
}

static const th_class parent_class = { .name = "parent", .init = parent_init };

struct family {
    int size;
    uint32_t parent_slot; /* of the last one */
};

static void look_at(void *context, const th_actor_status *status)
{
    struct family *family = context;

    family->size++;
    family->parent_slot = status->parent.slot;
}

static th_err leave_behind(th_self *self, th_addr parent)
{
    struct th_exit_request *body;
    th_msg *msg = th_exit_request_new(self, &body);

    if (body)
        body->keep_children = true;
    return th_send(self, parent, msg);
}

BOTH_BASES(admin, orphans_become_its_children)
{
    th_spawn_options how = { .klass = &parent_class };
    struct family family;
    th_addr parent;
    th_msg *none;

    cr_assert_eq(th_create(ts->me, &how, TEST_PATIENCE, &parent, NULL), TH_OK);
    cr_assert_eq(leave_behind(ts->me, parent), TH_OK);
    do {
        cr_assert_eq(th_listen(ts->me, TH_MS(1), &none), TH_E_TIMEOUT);
        family = (struct family){ 0 };
        cr_assert_eq(th_actors_each(ts->sys, look_at, &family), TH_OK);
    } while (family.size != 3);
    cr_assert_eq(family.parent_slot, 0, "the admin's");
    cr_assert_eq(th_system_shutdown(ts->sys, TEST_PATIENCE, NULL, NULL), TH_OK);
    cr_assert_eq(test_system_counts(ts).exited, 4, "and it sees to their end");
}

BOTH_BASES(admin, orphans_of_a_shutdown_end_too)
{
    th_addr parent;

    for (int i = 0; i < 50; i++) {
        cr_assert_eq(th_spawn(ts->me, &parent_class, NULL, &parent), TH_OK);
        cr_assert_eq(leave_behind(ts->me, parent), TH_OK);
    }
    cr_assert_eq(th_system_shutdown(ts->sys, TEST_PATIENCE, NULL, NULL), TH_OK);
    cr_assert_eq(test_system_counts(ts).spawned, test_system_counts(ts).exited);
}

/* Leaves its children to a system that is itself at its end. */
static th_err deserter_receive(th_self *self, void *state, const th_msg *msg)
{
    (void)state;
    return th_exit_request_of(msg) ? th_exit_keep_children(self) : TH_OK;
}

static const th_class deserter_class = { .name = "deserter",
                                         .init = parent_init,
                                         .receive = deserter_receive };

BOTH_BASES(admin, orphans_made_by_a_shutdown_end_too)
{
    th_addr deserter;

    for (int i = 0; i < 50; i++)
        cr_assert_eq(th_create(ts->me, &(th_spawn_options){ .klass = &deserter_class },
                               TEST_PATIENCE, &deserter, NULL),
                     TH_OK);
    cr_assert_eq(th_system_shutdown(ts->sys, TEST_PATIENCE, NULL, NULL), TH_OK);
    cr_assert_eq(test_system_counts(ts).exited, 200);
}

/* The admin, too, may be short of memory when it adopts, at the first of them or at the last. */
Test(admin, orphans_made_by_a_shutdown_end_though_memory_is_short)
{
    for (uint64_t nth = 1; nth <= 24; nth++) {
        struct test_system ts = test_system_open(TH_BASE_SIMPLE, nth);
        th_addr deserter;

        for (int i = 0; i < 3; i++)
            cr_assert_eq(th_spawn(ts.me, &deserter_class, NULL, &deserter), TH_OK);
        cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
        cr_assert_eq(th_inject_nomem(ts.sys, nth, false), TH_OK);
        cr_assert_eq(th_system_shutdown(ts.sys, TEST_PATIENCE, NULL, NULL), TH_OK);
        cr_assert_eq(test_system_counts(&ts).exited, 12);
        test_system_close(&ts);
    }
}

static void *spawn_on(void *context)
{
    struct test_system *ts = context;
    th_self *self;
    th_addr addr;
    th_err err = th_endpoint_open(ts->sys, &self);

    if (err)
        return NULL; /* the shutdown was faster */
    do
        err = th_spawn(self, &parent_class, NULL, &addr);
    while (!err);
    cr_assert_eq(err, TH_E_CLOSED, "%s", th_strerror(err));
    cr_assert_eq(th_endpoint_close(self), TH_OK);
    return NULL;
}

/* Spawns are under way when the shutdown begins: each is refused, or adopted and asked to exit. */
BOTH_BASES(admin, a_shutdown_overtakes_no_spawn, .timeout = 60)
{
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, spawn_on, ts), 0);
    while (test_system_counts(ts).spawned < 100)
        sched_yield();
    cr_assert_eq(th_system_shutdown(ts->sys, TEST_PATIENCE, NULL, NULL), TH_OK);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

BOTH_BASES(admin, is_not_to_be_told_what_to_do)
{
    th_addr admin = { th_system_id(ts->sys), 0, 1 };
    th_actor_status status;

    cr_assert_eq(th_stop(ts->me, admin), TH_E_NOT_ALLOWED);
    cr_assert_eq(leave_behind(ts->me, admin), TH_E_NOT_ALLOWED);
    cr_assert_eq(test_system_counts(ts).refused, 2);
    cr_assert_eq(th_actor_status_read(ts->sys, admin, &status), TH_E_NO_ACTOR);
}

/* ---- dead letters ---- */

/* Whom to tell of each dead letter. */
#define ROUTE_FIELDS(F, S) F(S, addr, to)
TH_MESSAGE(route, ROUTE_FIELDS);
TH_MESSAGE_TYPE(route, ROUTE_FIELDS)

static th_err handler_init(th_self *self, void *state, const th_msg *arg)
{
    th_addr *to = state;

    *to = arg ? route_of(arg)->to : th_addr_none();
    return th_dead_letters_to_me(self, true);
}

#define HEARD_FIELDS(F, S) F(S, u32, value) F(S, u32, reason) F(S, addr, target)
TH_MESSAGE(heard, HEARD_FIELDS);
TH_MESSAGE_TYPE(heard, HEARD_FIELDS)

static th_err handler_receive(th_self *self, void *state, const th_msg *msg)
{
    const struct th_dead_letter *letter = th_dead_letter_of(msg);
    th_addr *to = state;

    if (!letter || !letter->message || !number_of(letter->message))
        return TH_OK;
    return heard_send(
        self, *to,
        (struct heard){ number_of(letter->message)->value, letter->reason, letter->target });
}

static const th_class handler_class = { .name = "handler",
                                        .state_size = sizeof(th_addr),
                                        .init = handler_init,
                                        .receive = handler_receive };

static th_addr create_handler(struct test_system *ts)
{
    struct route *body;
    th_spawn_options how = { .klass = &handler_class, .arg = route_new(ts->me, &body) };
    th_addr addr;

    body->to = th_self_addr(ts->me);
    cr_assert_eq(th_create(ts->me, &how, TEST_PATIENCE, &addr, NULL), TH_OK);
    return addr;
}

static th_addr nobody(struct test_system *ts)
{
    th_addr addr = { th_system_id(ts->sys), 450, 3 };

    return addr;
}

static struct heard listen_heard(struct test_system *ts)
{
    struct heard heard;
    th_msg *msg;

    cr_assert_eq(th_listen(ts->me, TEST_PATIENCE, &msg), TH_OK);
    cr_assert_not_null(heard_of(msg));
    heard = *heard_of(msg);
    th_msg_destroy(ts->me, msg);
    return heard;
}

BOTH_BASES(admin, each_handler_hears_each_letter_in_order)
{
    enum { HANDLERS = 3, LETTERS = 50 };
    uint32_t next[HANDLERS] = { 0 };
    th_addr handlers[HANDLERS];

    for (int i = 0; i < HANDLERS; i++)
        handlers[i] = create_handler(ts);
    for (uint32_t i = 0; i < LETTERS; i++)
        cr_assert_eq(number_send(ts->me, nobody(ts), (struct number){ i }), TH_OK);
    for (int i = 0; i < HANDLERS * LETTERS; i++) {
        th_msg *msg;
        int who = 0;

        cr_assert_eq(th_listen(ts->me, TEST_PATIENCE, &msg), TH_OK);
        while (who < HANDLERS && !th_addr_equal(handlers[who], th_msg_sender(msg)))
            who++;
        cr_assert_lt(who, HANDLERS);
        cr_assert_eq(heard_of(msg)->value, next[who]++);
        cr_assert_eq(heard_of(msg)->reason, TH_DEAD_NO_ACTOR);
        cr_assert(th_addr_equal(heard_of(msg)->target, nobody(ts)));
        th_msg_destroy(ts->me, msg);
    }
}

/* th_create() has returned, so the handler has registered: the very next letter is its own. */
BOTH_BASES(admin, a_registration_counts_at_once)
{
    for (uint32_t i = 0; i < 30; i++) {
        th_addr addr = create_handler(ts);

        cr_assert_eq(number_send(ts->me, nobody(ts), (struct number){ i }), TH_OK);
        cr_assert_eq(listen_heard(ts).value, i);
        cr_assert_eq(th_stop(ts->me, addr), TH_OK);
        while (test_system_counts(ts).exited <= i) {
            th_msg *none;

            cr_assert_eq(th_listen(ts->me, TH_MS(1), &none), TH_E_TIMEOUT);
        }
    }
}

BOTH_BASES(admin, without_a_handler_letters_are_counted)
{
    cr_assert_eq(number_send(ts->me, nobody(ts), (struct number){ 1 }), TH_OK);
    cr_assert_eq(test_system_counts(ts).dead, 1);
    cr_assert_eq(test_system_counts(ts).letters_dropped, 0, "nobody wanted it");
}

BOTH_BASES(admin, a_handler_that_exits_hears_no_more)
{
    th_addr gone = create_handler(ts), stays = create_handler(ts);
    th_system_status status;
    th_msg *msg;

    cr_assert_eq(th_stop(ts->me, gone), TH_OK);
    do {
        cr_assert_eq(th_listen(ts->me, TH_MS(1), &msg), TH_E_TIMEOUT);
        cr_assert_eq(th_system_status_read(ts->sys, &status), TH_OK);
    } while (status.dead_letter_handlers != 1);
    cr_assert_eq(number_send(ts->me, gone, (struct number){ 5 }), TH_OK);
    cr_assert_eq(th_listen(ts->me, TEST_PATIENCE, &msg), TH_OK);
    cr_assert(th_addr_equal(th_msg_sender(msg), stays));
    cr_assert_eq(heard_of(msg)->value, 5);
    th_msg_destroy(ts->me, msg);
    cr_assert_eq(th_listen(ts->me, TH_MS(1), &msg), TH_E_TIMEOUT);
}

BOTH_BASES(admin, registering_twice_is_once)
{
    th_system_status status;
    th_msg *msg;

    for (int i = 0; i < 3; i++)
        cr_assert_eq(th_dead_letters_to_me(ts->me, true), TH_OK);
    cr_assert_eq(number_send(ts->me, nobody(ts), (struct number){ 1 }), TH_OK);
    cr_assert_eq(th_listen(ts->me, TEST_PATIENCE, &msg), TH_OK);
    th_msg_destroy(ts->me, msg);
    cr_assert_eq(th_listen(ts->me, TH_MS(1), &msg), TH_E_TIMEOUT);
    cr_assert_eq(th_system_status_read(ts->sys, &status), TH_OK);
    cr_assert_eq(status.dead_letter_handlers, 1);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(th_dead_letters_to_me(ts->me, false), TH_OK);
    do {
        cr_assert_eq(th_listen(ts->me, TH_MS(1), &msg), TH_E_TIMEOUT);
        cr_assert_eq(th_system_status_read(ts->sys, &status), TH_OK);
    } while (status.dead_letter_handlers);
}

BOTH_BASES(admin, handlers_are_limited)
{
    th_self *own[TH_DEAD_LETTER_HANDLERS_MAX + 1];

    for (int i = 0; i <= TH_DEAD_LETTER_HANDLERS_MAX; i++) {
        cr_assert_eq(th_endpoint_open(ts->sys, &own[i]), TH_OK);
        cr_assert_eq(th_dead_letters_to_me(own[i], true),
                     i < TH_DEAD_LETTER_HANDLERS_MAX ? TH_OK : TH_E_LIMIT);
    }
    for (int i = 0; i <= TH_DEAD_LETTER_HANDLERS_MAX; i++)
        cr_assert_eq(th_endpoint_close(own[i]), TH_OK);
}

/* Exits as soon as it hears of a letter, so that letters to it are undeliverable themselves. */
static th_err fragile_receive(th_self *self, void *state, const th_msg *msg)
{
    (void)state;
    return th_dead_letter_of(msg) ? th_exit(self) : TH_OK;
}

static const th_class fragile_class = { .name = "fragile",
                                        .state_size = sizeof(th_addr),
                                        .init = handler_init,
                                        .receive = fragile_receive };

BOTH_BASES(admin, letters_about_letters_are_only_counted)
{
    th_spawn_options how = { .klass = &fragile_class };
    th_addr addr;

    for (int i = 0; i < 3; i++)
        cr_assert_eq(th_create(ts->me, &how, TEST_PATIENCE, &addr, NULL), TH_OK);
    for (uint32_t i = 0; i < 100; i++)
        cr_assert_eq(number_send(ts->me, nobody(ts), (struct number){ i }), TH_OK);
    cr_assert_eq(th_system_shutdown(ts->sys, TEST_PATIENCE, NULL, NULL), TH_OK);
    cr_assert_leq(test_system_counts(ts).dead, 100 + 3 * 100 + 100, "no avalanche");
    /* on the pool each may be gone before the second letter is on its way; one thread is slower */
    if (ts->base == TH_BASE_SIMPLE)
        cr_assert_geq(test_system_counts(ts).letters_dropped, 1);
}

/* ---- without memory ---- */

Test(admin, a_shutdown_needs_patience_but_no_memory)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1);
    th_addr addr;

    for (int i = 0; i < 20; i++)
        cr_assert_eq(th_spawn(ts.me, &parent_class, NULL, &addr), TH_OK);
    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    for (uint64_t nth = 1; nth < 60; nth += 3) {
        cr_assert_eq(th_inject_nomem(ts.sys, nth, true), TH_OK);
        cr_assert_eq(th_request_shutdown(ts.me), TH_OK);
        for (int i = 0; i < 50; i++)
            cr_assert_eq(th_step(ts.sys, NULL), TH_OK);
        cr_assert_eq(th_inject_nomem(ts.sys, 0, false), TH_OK);
        cr_assert_eq(th_step(ts.sys, NULL), TH_OK);
    }
    test_system_close(&ts);
}
