/* Tell, ask, listen and create, on both bases.
 *
 * Past 500 lines: the front door for threads, verb by verb, to the same few actors. */
#include "../../support/system.h"

#include <thespis/config.h>
#include <thespis/testkit.h>

#define NUMBER_FIELDS(F, S) F(S, u64, value)
TH_MESSAGE(number, NUMBER_FIELDS);
TH_MESSAGE_TYPE(number, NUMBER_FIELDS)

#define ROUTE_FIELDS(F, S) F(S, addr, to)
TH_MESSAGE(route, ROUTE_FIELDS);
TH_MESSAGE_TYPE(route, ROUTE_FIELDS)

TH_SIGNAL(silence);
TH_SIGNAL_TYPE(silence)

/* Answers number n with n + 1, keeps silent about silence, answers 20 ms later when asked
 * `later`. */
TH_SIGNAL(later);
TH_SIGNAL_TYPE(later)

struct adder {
    th_addr asked_by;
};

static th_err adder_receive(th_self *self, void *state, const th_msg *msg)
{
    struct adder *adder = state;
    const struct number *number = number_of(msg);

    if (number)
        return number_send(self, th_msg_sender(msg), (struct number){ number->value + 1 });
    if (later_of(msg)) {
        adder->asked_by = th_msg_sender(msg);
        return th_wakeup_after(self, TH_MS(20), NULL, NULL);
    }
    if (th_wakeup_of(msg))
        return number_send(self, adder->asked_by, (struct number){ 77 });
    return TH_OK;
}

static const th_class adder_class = { .name = "adder",
                                      .state_size = sizeof(struct adder),
                                      .receive = adder_receive };

static th_addr spawn(struct test_system *ts, const th_class *klass)
{
    th_addr addr;

    cr_assert_eq(th_spawn(ts->me, klass, NULL, &addr), TH_OK);
    return addr;
}

static th_msg *make_number(th_self *self, uint64_t value)
{
    struct number *body;
    th_msg *msg = number_new(self, &body);

    cr_assert_not_null(msg);
    body->value = value;
    return msg;
}

static uint64_t ask_number(th_self *self, th_addr to, uint64_t value)
{
    th_msg *answer = NULL;
    th_err err = th_ask(self, to, make_number(self, value), TEST_PATIENCE, &answer);
    uint64_t got;

    cr_assert_eq(err, TH_OK, "%s", th_strerror(err));
    cr_assert_not_null(number_of(answer));
    got = number_of(answer)->value;
    th_msg_destroy(self, answer);
    return got;
}

BOTH_BASES(external, asks_and_is_answered)
{
    th_addr adder = spawn(ts, &adder_class);

    for (uint64_t i = 0; i < 1000; i++)
        cr_assert_eq(ask_number(ts->me, adder, i), i + 1);
}

/* ---- tell and listen ---- */

/* Sends numbers 1 to n to who asked. */
TH_MESSAGE(count_to, NUMBER_FIELDS);
TH_MESSAGE_TYPE(count_to, NUMBER_FIELDS)

static th_err counter_receive(th_self *self, void *state, const th_msg *msg)
{
    const struct count_to *wish = count_to_of(msg);
    th_err err = TH_OK;

    (void)state;
    for (uint64_t i = 1; wish && !err && i <= wish->value; i++)
        err = number_send(self, th_msg_sender(msg), (struct number){ i });
    return err;
}

static const th_class counter_class = { .name = "counter", .receive = counter_receive };

static uint64_t listen_number(th_self *self)
{
    th_msg *msg;
    uint64_t value;

    cr_assert_eq(th_listen(self, TEST_PATIENCE, &msg), TH_OK);
    cr_assert_not_null(number_of(msg));
    value = number_of(msg)->value;
    th_msg_destroy(self, msg);
    return value;
}

BOTH_BASES(external, listens_in_sending_order)
{
    th_addr counter = spawn(ts, &counter_class);
    th_msg *none;

    cr_assert_eq(count_to_send(ts->me, counter, (struct count_to){ 5000 }), TH_OK);
    for (uint64_t i = 1; i <= 5000; i++)
        cr_assert_eq(listen_number(ts->me), i);
    cr_assert_eq(th_listen(ts->me, 0, &none), TH_E_TIMEOUT);
    cr_assert_null(none);
}

BOTH_BASES(external, an_endpoint_can_tell_itself)
{
    cr_assert_eq(number_send(ts->me, th_self_addr(ts->me), (struct number){ 4 }), TH_OK);
    cr_assert_eq(th_tell(ts->me, th_self_addr(ts->me), make_number(ts->me, 5)), TH_OK);
    cr_assert_eq(listen_number(ts->me), 4);
    cr_assert_eq(listen_number(ts->me), 5);
}

BOTH_BASES(external, an_answer_goes_to_the_question_not_to_a_listener)
{
    th_addr adder = spawn(ts, &adder_class);

    cr_assert_eq(number_send(ts->me, th_self_addr(ts->me), (struct number){ 100 }), TH_OK);
    cr_assert_eq(ask_number(ts->me, adder, 1), 2);
    cr_assert_eq(listen_number(ts->me), 100, "it waited through the question");
}

BOTH_BASES(external, wakeups_come_by_listening)
{
    th_msg *msg;
    uint64_t id, before = th_now(ts->me);

    cr_assert_eq(th_wakeup_after(ts->me, TH_MS(2), make_number(ts->me, 9), &id), TH_OK);
    cr_assert_eq(th_listen(ts->me, TEST_PATIENCE, &msg), TH_OK);
    cr_assert_not_null(th_wakeup_of(msg));
    cr_assert_eq(th_wakeup_of(msg)->id, id);
    cr_assert_eq(number_of(th_wakeup_of(msg)->payload)->value, 9);
    cr_assert_geq(th_now(ts->me), before + TH_MS(2), "never early");
    th_msg_destroy(ts->me, msg);
    cr_assert_eq(th_wakeup_cancel(ts->me, id), TH_E_NO_TIMER);
    cr_assert_eq(th_wakeup_after(ts->me, TH_S(1000), make_number(ts->me, 9), &id), TH_OK);
    cr_assert_eq(th_wakeup_cancel(ts->me, id), TH_OK);
    cr_assert_eq(th_wakeup_after(ts->me, TH_S(1000), make_number(ts->me, 9), &id), TH_OK,
                 "this one ends with the system");
}

BOTH_BASES(external, dead_letters_come_by_listening)
{
    th_addr nobody = { th_system_id(ts->sys), 400, 7 };
    const struct th_dead_letter *letter;
    th_msg *msg;

    cr_assert_eq(th_dead_letters_to_me(ts->me, true), TH_OK);
    cr_assert_eq(number_send(ts->me, nobody, (struct number){ 3 }), TH_OK);
    cr_assert_eq(th_listen(ts->me, TEST_PATIENCE, &msg), TH_OK);
    letter = th_dead_letter_of(msg);
    cr_assert_not_null(letter);
    cr_assert_eq(letter->reason, TH_DEAD_NO_ACTOR);
    cr_assert(th_addr_equal(letter->target, nobody));
    cr_assert_eq(number_of(letter->message)->value, 3);
    cr_assert(th_addr_equal(th_msg_sender(letter->message), th_self_addr(ts->me)));
    th_msg_destroy(ts->me, msg);
    cr_assert_eq(th_dead_letters_to_me(ts->me, false), TH_OK);
    cr_assert_eq(number_send(ts->me, nobody, (struct number){ 3 }), TH_OK);
    cr_assert_eq(th_listen(ts->me, 0, &msg), TH_E_TIMEOUT);
}

/* Fails on every number. */
static th_err failer_receive(th_self *self, void *state, const th_msg *msg)
{
    (void)state;
    return number_of(msg) ? th_fail(self, TH_E_FAILED, "number %d", 13) : TH_OK;
}

static const th_class failer_class = { .name = "failer", .receive = failer_receive };

BOTH_BASES(external, poison_answers_a_question)
{
    th_addr failer = spawn(ts, &failer_class);
    const struct th_poison *poison;
    th_msg *msg;

    cr_assert_eq(th_ask(ts->me, failer, make_number(ts->me, 1), TEST_PATIENCE, &msg), TH_OK);
    poison = th_poison_of(msg);
    cr_assert_not_null(poison);
    cr_assert_str_eq(poison->details->data, "number 13");
    th_msg_destroy(ts->me, msg);
    cr_assert_eq(number_send(ts->me, failer, (struct number){ 2 }), TH_OK);
    cr_assert_eq(th_listen(ts->me, TEST_PATIENCE, &msg), TH_OK);
    cr_assert_not_null(th_poison_of(msg));
    th_msg_destroy(ts->me, msg);
}

/* ---- time limits ---- */

BOTH_BASES(external, a_question_is_given_up_in_time)
{
    th_addr adder = spawn(ts, &adder_class);
    uint64_t before;
    th_msg *answer = (th_msg *)ts;

    before = th_now(ts->me);
    cr_assert_eq(th_ask(ts->me, adder, th_msg_create(ts->me, &silence_type), TH_MS(5), &answer),
                 TH_E_TIMEOUT);
    cr_assert_null(answer);
    if (test_is_simple(ts))
        cr_assert_eq(th_now(ts->me), before, "nothing was left to wait for");
    else
        cr_assert_geq(th_now(ts->me), before + TH_MS(5));
    cr_assert_eq(th_ask(ts->me, adder, th_msg_create(ts->me, &silence_type), 0, &answer),
                 TH_E_TIMEOUT);
}

BOTH_BASES(external, a_late_answer_is_a_dead_letter)
{
    th_addr adder = spawn(ts, &adder_class);
    th_msg *answer;

    cr_assert_eq(th_ask(ts->me, adder, th_msg_create(ts->me, &later_type), TH_MS(1), &answer),
                 TH_E_TIMEOUT);
    /* the next question is not answered by it, and it does arrive */
    cr_assert_eq(ask_number(ts->me, adder, 10), 11);
    while (test_system_counts(ts).dead == 0)
        cr_assert_eq(th_listen(ts->me, TH_MS(30), &answer), TH_E_TIMEOUT);
    cr_assert_eq(test_system_counts(ts).dead, 1);
}

Test(external, virtual_time_moves_no_further_than_it_must)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1);
    th_addr adder = spawn(&ts, &adder_class);
    uint64_t now;
    th_msg *answer;

    cr_assert_eq(th_ask(ts.me, adder, th_msg_create(ts.me, &later_type), TH_S(9), &answer), TH_OK);
    th_msg_destroy(ts.me, answer);
    cr_assert_eq(th_virtual_now(ts.sys, &now), TH_OK);
    cr_assert_eq(now, TH_MS(20), "the wakeup's moment");
    cr_assert_eq(th_ask(ts.me, adder, th_msg_create(ts.me, &later_type), TH_MS(20), &answer), TH_OK,
                 "an answer at the limit is in time");
    th_msg_destroy(ts.me, answer);
    cr_assert_eq(th_ask(ts.me, adder, th_msg_create(ts.me, &later_type), TH_MS(7), &answer),
                 TH_E_TIMEOUT);
    cr_assert_eq(th_virtual_now(ts.sys, &now), TH_OK);
    cr_assert_eq(now, TH_MS(47), "the limit's moment, since something was still to come");
    test_system_close(&ts);
}

BOTH_BASES(external, a_dead_question_is_answered_at_once)
{
    th_addr nobody = { th_system_id(ts->sys), 400, 7 };
    th_addr foreigner = { th_system_id(ts->sys) + 1, 1, 1 };
    th_addr adder = spawn(ts, &adder_class);
    th_msg *answer;

    cr_assert_eq(th_ask(ts->me, nobody, make_number(ts->me, 1), TH_FOREVER, &answer),
                 TH_E_NO_ACTOR);
    cr_assert_eq(th_ask(ts->me, foreigner, make_number(ts->me, 1), TH_FOREVER, &answer),
                 TH_E_NO_ACTOR);
    cr_assert_eq(th_stop(ts->me, adder), TH_OK);
    cr_assert_eq(th_ask(ts->me, adder, make_number(ts->me, 1), TH_FOREVER, &answer), TH_E_NO_ACTOR);
}

/* Hands what it gets on. */
static th_err relay_receive(th_self *self, void *state, const th_msg *msg)
{
    th_addr *to = state;

    if (route_of(msg)) {
        *to = route_of(msg)->to;
        return TH_OK;
    }
    return number_of(msg) ? th_forward(self, *to, msg) : TH_OK;
}

static const th_class relay_class = { .name = "relay",
                                      .state_size = sizeof(th_addr),
                                      .receive = relay_receive };

BOTH_BASES(external, whoever_answers_answers)
{
    th_addr relay = spawn(ts, &relay_class);

    cr_assert_eq(route_send(ts->me, relay, (struct route){ spawn(ts, &adder_class) }), TH_OK);
    cr_assert_eq(ask_number(ts->me, relay, 41), 42);
}

/* ---- arguments ---- */

BOTH_BASES(external, bad_arguments_are_answers)
{
    th_addr adder = spawn(ts, &adder_class);
    th_self *me = ts->me;
    th_msg *msg;
    uint64_t refused = test_system_counts(ts).refused;

    cr_expect_eq(th_ask(NULL, adder, NULL, 0, &msg), TH_E_INVALID);
    cr_expect_eq(th_ask(me, adder, NULL, 0, &msg), TH_E_INVALID);
    cr_expect_eq(th_ask(me, adder, make_number(me, 1), 0, NULL), TH_E_INVALID);
    cr_expect_eq(th_ask(me, th_addr_none(), make_number(me, 1), 0, &msg), TH_E_INVALID);
    cr_expect_null(msg);
    cr_expect_eq(th_tell(NULL, adder, NULL), TH_E_INVALID);
    cr_expect_eq(th_tell(me, adder, NULL), TH_E_INVALID);
    cr_expect_eq(th_tell(me, th_addr_none(), make_number(me, 1)), TH_E_INVALID);
    cr_expect_eq(th_listen(NULL, 0, &msg), TH_E_INVALID);
    cr_expect_eq(th_listen(me, 0, NULL), TH_E_INVALID);
    cr_expect_eq(th_create(NULL, NULL, 0, NULL, NULL), TH_E_INVALID);
    cr_expect_eq(th_create(me, NULL, 0, &adder, NULL), TH_E_INVALID);
    cr_expect_eq(th_create(me, &(th_spawn_options){ 0 }, 0, &adder, NULL), TH_E_INVALID);
    cr_expect_eq(th_create(me, &(th_spawn_options){ .class_name = "none" }, 0, &adder, NULL),
                 TH_E_NO_CLASS);
    cr_expect_eq(th_create(me,
                           &(th_spawn_options){ .klass = &adder_class, .arg = make_number(me, 1) },
                           0, NULL, NULL),
                 TH_E_INVALID);
    cr_expect_eq(th_endpoint_open(ts->sys, NULL), TH_E_INVALID);
    cr_expect_eq(th_endpoint_close(me), TH_E_NOT_HERE);
    cr_expect_eq(th_exit(me), TH_E_NOT_HERE);
    cr_expect_eq(th_ask(me, th_self_addr(me), th_msg_create(me, &th_exit_request_type), 0, &msg),
                 TH_E_NOT_ALLOWED);
    cr_expect_eq(test_system_counts(ts).refused, refused + 1);
}

/* What an actor is answered when it uses the calls of endpoints. */
#define ERRORS_FIELDS(F, S)                                                                        \
    F(S, u32, ask) F(S, u32, listen) F(S, u32, create) F(S, u32, close) F(S, u32, tell)
TH_MESSAGE(errors, ERRORS_FIELDS);
TH_MESSAGE_TYPE(errors, ERRORS_FIELDS)

static th_err intruder_receive(th_self *self, void *state, const th_msg *msg)
{
    th_addr me = th_self_addr(self);
    struct errors errors;
    th_spawn_options how = { .klass = &adder_class };
    th_msg *answer;

    (void)state;
    if (!number_of(msg))
        return TH_OK;
    errors.ask = (uint32_t)th_ask(self, me, th_msg_create(self, &silence_type), 0, &answer);
    errors.listen = (uint32_t)th_listen(self, 0, &answer);
    errors.create = (uint32_t)th_create(self, &how, 0, &me, NULL);
    errors.close = (uint32_t)th_endpoint_close(self);
    errors.tell = (uint32_t)th_tell(self, me, th_msg_create(self, &silence_type));
    return errors_send(self, th_msg_sender(msg), errors);
}

static const th_class intruder_class = { .name = "intruder", .receive = intruder_receive };

BOTH_BASES(external, actors_have_calls_of_their_own)
{
    th_addr intruder = spawn(ts, &intruder_class);
    const struct errors *errors;
    th_msg *answer;

    cr_assert_eq(th_ask(ts->me, intruder, make_number(ts->me, 0), TEST_PATIENCE, &answer), TH_OK);
    errors = errors_of(answer);
    cr_assert_not_null(errors);
    cr_expect_eq(errors->ask, TH_E_NOT_HERE);
    cr_expect_eq(errors->listen, TH_E_NOT_HERE);
    cr_expect_eq(errors->create, TH_E_NOT_HERE);
    cr_expect_eq(errors->close, TH_E_NOT_HERE);
    cr_expect_eq(errors->tell, TH_E_NOT_HERE);
    th_msg_destroy(ts->me, answer);
}

/* On the simple base a wait inside a handler would run other actors inside this one. */
static th_err sneak_receive(th_self *self, void *state, const th_msg *msg)
{
    th_self *endpoint = th_system_self(th_self_system(self));
    th_msg *answer;

    (void)state;
    if (!number_of(msg))
        return TH_OK;
    return number_send(self, th_msg_sender(msg),
                       (struct number){ (uint64_t)th_listen(endpoint, 0, &answer) });
}

static const th_class sneak_class = { .name = "sneak", .receive = sneak_receive };

Test(external, a_handler_cannot_drive_the_simple_base)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1);

    cr_assert_eq(ask_number(ts.me, spawn(&ts, &sneak_class), 0), TH_E_NOT_ALLOWED);
    test_system_close(&ts);
}

/* ---- create ---- */

static th_err picky_init(th_self *self, void *state, const th_msg *arg)
{
    (void)state;
    if (!arg)
        return TH_OK;
    return number_of(arg)->value ? th_fail(self, TH_E_PARSE, "not %d", 1) : TH_E_PARSE;
}

static const th_class picky_class = { .name = "picky", .init = picky_init };

BOTH_BASES(external, create_says_how_init_went)
{
    th_spawn_options how = { .klass = &picky_class };
    char why[TH_DETAILS_SIZE] = "untouched";
    th_addr addr;

    cr_assert_eq(th_create(ts->me, &how, TEST_PATIENCE, &addr, why), TH_OK);
    cr_assert_str_eq(why, "");
    cr_assert_eq(th_actor_status_read(ts->sys, addr, &(th_actor_status){ 0 }), TH_OK);
    how.arg = make_number(ts->me, 1);
    cr_assert_eq(th_create(ts->me, &how, TEST_PATIENCE, &addr, why), TH_E_INIT);
    cr_assert_str_eq(why, "not 1");
    how.arg = make_number(ts->me, 0);
    cr_assert_eq(th_create(ts->me, &how, TEST_PATIENCE, &addr, why), TH_E_INIT);
    cr_assert_str_eq(why, th_strerror(TH_E_PARSE));
    how.arg = make_number(ts->me, 0);
    cr_assert_eq(th_create(ts->me, &how, TEST_PATIENCE, &addr, NULL), TH_E_INIT);
}

BOTH_BASES(external, create_by_name)
{
    th_spawn_options how = { .class_name = "adder" };
    th_addr addr;

    cr_assert_eq(th_class_register(ts->sys, &adder_class), TH_OK);
    cr_assert_eq(th_create(ts->me, &how, TEST_PATIENCE, &addr, NULL), TH_OK);
    cr_assert_eq(ask_number(ts->me, addr, 1), 2);
}

/* ---- private endpoints ---- */

BOTH_BASES(external, a_private_endpoint_has_its_own_mail)
{
    th_addr counter = spawn(ts, &counter_class);
    th_self *own;
    th_msg *msg;

    cr_assert_eq(th_endpoint_open(ts->sys, &own), TH_OK);
    cr_assert_not(th_addr_equal(th_self_addr(own), th_self_addr(ts->me)));
    cr_assert(th_addr_is_none(th_self_parent(own)));
    cr_assert_null(th_self_class(own));
    cr_assert_eq(th_self_system(own), ts->sys);
    cr_assert_eq(count_to_send(own, counter, (struct count_to){ 3 }), TH_OK);
    cr_assert_eq(listen_number(own), 1);
    cr_assert_eq(th_listen(ts->me, 0, &msg), TH_E_TIMEOUT);
    cr_assert_eq(listen_number(own), 2);
    cr_assert_eq(listen_number(own), 3);
    cr_assert_eq(th_endpoint_close(own), TH_OK);
}

BOTH_BASES(external, what_waits_at_the_close_is_dead)
{
    th_self *own;
    uint64_t id;
    th_addr addr;

    cr_assert_eq(th_endpoint_open(ts->sys, &own), TH_OK);
    addr = th_self_addr(own);
    for (uint64_t i = 0; i < 3; i++)
        cr_assert_eq(number_send(ts->me, addr, (struct number){ i }), TH_OK);
    cr_assert_eq(listen_number(own), 0);
    cr_assert_eq(th_wakeup_after(own, TH_S(1000), make_number(own, 1), &id), TH_OK);
    cr_assert_eq(th_endpoint_close(own), TH_OK);
    cr_assert_eq(test_system_counts(ts).dead_by_reason[TH_DEAD_WAITING], 2);
    cr_assert_eq(test_system_counts(ts).wakeups_cancelled, 1);
    cr_assert_eq(number_send(ts->me, addr, (struct number){ 9 }), TH_OK);
    cr_assert_eq(test_system_counts(ts).dead_by_reason[TH_DEAD_NO_ACTOR], 1);
}

BOTH_BASES(external, a_closed_handler_of_dead_letters_is_forgotten)
{
    th_addr nobody = { th_system_id(ts->sys), 400, 7 };
    th_system_status status;
    th_self *own;
    th_msg *msg;

    cr_assert_eq(th_endpoint_open(ts->sys, &own), TH_OK);
    cr_assert_eq(th_dead_letters_to_me(own, true), TH_OK);
    cr_assert_eq(number_send(own, nobody, (struct number){ 3 }), TH_OK);
    cr_assert_eq(th_listen(own, TEST_PATIENCE, &msg), TH_OK);
    th_msg_destroy(own, msg);
    cr_assert_eq(th_endpoint_close(own), TH_OK);
    do {
        cr_assert_eq(th_listen(ts->me, TH_MS(1), &msg), TH_E_TIMEOUT);
        cr_assert_eq(th_system_status_read(ts->sys, &status), TH_OK);
    } while (status.dead_letter_handlers);
}

BOTH_BASES(external, endpoints_come_and_go)
{
    th_addr adder = spawn(ts, &adder_class);
    th_system_status status;

    for (uint64_t i = 0; i < 300; i++) {
        th_self *own;

        cr_assert_eq(th_endpoint_open(ts->sys, &own), TH_OK);
        cr_assert_eq(ask_number(own, adder, i), i + 1);
        cr_assert_eq(th_endpoint_close(own), TH_OK);
    }
    cr_assert_eq(th_system_status_read(ts->sys, &status), TH_OK);
    cr_assert_eq(status.endpoints, 1);
}

Test(external, one_that_outlives_the_system_can_still_be_closed)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    th_self *own, *other;
    th_msg *kept;

    cr_assert_eq(th_endpoint_open(ts.sys, &own), TH_OK);
    cr_assert_eq(th_endpoint_open(ts.sys, &other), TH_OK);
    cr_assert_eq(number_send(own, th_self_addr(other), (struct number){ 1 }), TH_OK);
    kept = make_number(own, 2);
    cr_assert_eq(th_system_shutdown(ts.sys, TEST_PATIENCE, NULL, NULL), TH_OK);
    th_msg_destroy(own, kept);
    cr_assert_eq(th_system_destroy(ts.sys), TH_E_STATE);
    cr_assert_eq(th_endpoint_close(own), TH_OK);
    cr_assert_eq(th_system_destroy(ts.sys), TH_E_STATE);
    cr_assert_eq(th_endpoint_close(other), TH_OK);
    cr_assert_eq(test_system_counts(&ts).dead_by_reason[TH_DEAD_SHUTDOWN], 1);
    test_system_close(&ts);
}

/* ---- limits ---- */

Test(external, slots_are_a_limit_and_come_back)
{
    th_options options = { .workers = 1, .actors_max = 8 };
    struct test_system ts = test_system_open_with(&options);
    th_addr adder = spawn(&ts, &adder_class);
    th_self *own[8];
    int opened = 0;
    th_err err;

    while (!(err = th_endpoint_open(ts.sys, &own[opened])))
        opened++;
    cr_assert_eq(err, TH_E_LIMIT);
    cr_assert_eq(opened, 8 - 3, "but for the admin, the default endpoint and the adder");
    while (opened)
        cr_assert_eq(th_endpoint_close(own[--opened]), TH_OK);
    /* each question takes a slot for a while; the five come back after a grace period */
    for (uint64_t i = 0; i < 1000; i++) {
        th_msg *answer;

        err = th_ask(ts.me, adder, make_number(ts.me, i), TEST_PATIENCE, &answer);
        cr_assert(err == TH_OK || err == TH_E_LIMIT, "%s", th_strerror(err));
        if (!err)
            th_msg_destroy(ts.me, answer);
    }
    test_system_close(&ts);
}

/* ---- what is not shown ---- */

static th_err mayfly_init(th_self *self, void *state, const th_msg *arg)
{
    (void)state;
    (void)arg;
    return th_exit(self);
}

static const th_class mayfly_class = { .name = "mayfly", .init = mayfly_init };

/* Passes the news of its child's end on to an endpoint, as the system told it. */
static th_err gossip_receive(th_self *self, void *state, const th_msg *msg)
{
    th_addr *to = state, child;
    const struct route *route = route_of(msg);

    if (route) {
        *to = route->to;
        return th_spawn(self, &mayfly_class, NULL, &child);
    }
    return th_child_exited_of(msg) ? th_forward(self, *to, msg) : TH_OK;
}

static const th_class gossip_class = { .name = "gossip",
                                       .state_size = sizeof(th_addr),
                                       .receive = gossip_receive };

BOTH_BASES(external, the_systems_own_mail_is_not_shown)
{
    th_addr gossip = spawn(ts, &gossip_class);
    th_msg *msg;

    cr_assert_eq(route_send(ts->me, gossip, (struct route){ th_self_addr(ts->me) }), TH_OK);
    while (test_system_counts(ts).dead_by_reason[TH_DEAD_FILTERED] == 0)
        cr_assert_eq(th_listen(ts->me, TH_MS(1), &msg), TH_E_TIMEOUT);
    cr_assert_eq(test_system_counts(ts).dead, 1);
}

/* ---- without memory ---- */

/* Does one thing with the @nth take failing. true: it did not need that many. */
static bool survives(struct test_system *ts, uint64_t nth,
                     th_err (*attempt)(struct test_system *ts))
{
    th_err err;

    cr_assert_eq(th_inject_nomem(ts->sys, nth, false), TH_OK);
    err = attempt(ts);
    cr_assert_eq(th_inject_nomem(ts->sys, 0, false), TH_OK);
    cr_assert(err == TH_OK || err == TH_E_NOMEM, "take %llu: %s", (unsigned long long)nth,
              th_strerror(err));
    return err == TH_OK;
}

static th_err attempt_ask(struct test_system *ts)
{
    th_addr me = th_self_addr(ts->me), adder = { me.system, 2, 1 };
    th_msg *answer;
    th_err err = th_ask(ts->me, adder, number_new(ts->me, NULL), TH_S(1), &answer);

    if (!err)
        th_msg_destroy(ts->me, answer);
    /* the adder could not make its answer: its message failed, and became poison if that could be
     * made; and a question that dies is given up, with no memory at all */
    return err == TH_E_TIMEOUT || err == TH_E_NO_ACTOR ? TH_E_NOMEM : err;
}

static th_err attempt_open(struct test_system *ts)
{
    th_self *own;
    th_err err = th_endpoint_open(ts->sys, &own);

    if (!err)
        cr_assert_eq(th_endpoint_close(own), TH_OK);
    return err;
}

static th_err attempt_create(struct test_system *ts)
{
    th_spawn_options how = { .klass = &picky_class };
    th_addr addr;

    return th_create(ts->me, &how, TH_S(1), &addr, NULL);
}

static th_err attempt_status(struct test_system *ts)
{
    th_addr me = th_self_addr(ts->me), adder = { me.system, 2, 1 };
    th_actor_status status;

    return th_actor_status_read(ts->sys, adder, &status);
}

/* An early success is no proof: a take may have been another thread's, or have a way round. So each
 * is tried further than it needs. */
BOTH_BASES(external, without_memory_there_is_an_answer_too, .timeout = 60)
{
    static th_err (*const attempts[])(struct test_system *) = { attempt_ask, attempt_open,
                                                                attempt_create, attempt_status };

    cr_assert_eq(spawn(ts, &adder_class).slot, 2);
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
        for (uint64_t nth = 1, well = 0; well < 5; nth++) {
            cr_assert_lt(nth, 200);
            well += survives(ts, nth, attempts[i]);
        }
}

/* ---- chatter ---- */

TH_SIGNAL(idle_word);
TH_SIGNAL_TYPE(idle_word)

static th_err chatter_receive(th_self *self, void *state, const th_msg *msg)
{
    (void)state;
    return th_forward(self, th_self_addr(self), msg);
}

static const th_class chatter_class = { .name = "chatter", .receive = chatter_receive };

Test(external, a_limit_holds_beside_chatter_without_end)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_msg *msg = NULL;
    th_addr addr;

    cr_assert_eq(th_spawn(ts.me, &chatter_class, NULL, &addr), TH_OK);
    cr_assert_eq(th_send(ts.me, addr, th_msg_create(ts.me, &idle_word_type)), TH_OK);
    cr_assert_eq(th_listen(ts.me, TH_S(1), &msg), TH_E_TIMEOUT);
    cr_assert_eq(th_stop(ts.me, addr), TH_OK);
    test_system_close(&ts);
}
