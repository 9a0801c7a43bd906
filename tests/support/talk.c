#include "tests/support/talk.h"

#include <stdio.h>

TH_MESSAGE_TYPE(talk_word, TALK_WORD_FIELDS)
TH_MESSAGE_TYPE(talk_number, TALK_NUMBER_FIELDS)
TH_MESSAGE_TYPE(talk_whom, TALK_WHOM_FIELDS)

th_msg *talk_word(th_self *self, const char *text)
{
    struct talk_word *body;
    th_msg *msg = talk_word_new(self, &body);

    if (msg)
        snprintf(body->text, sizeof(body->text), "%s", text);
    return msg;
}

th_err talk_say(th_self *self, th_addr to, const char *text)
{
    return th_send(self, to, talk_word(self, text));
}

bool talk_is(const th_msg *msg, const char *text)
{
    const struct talk_word *word = talk_word_of(msg);

    return word && strcmp(word->text, text) == 0;
}

th_err talk_count(th_self *self, th_addr to, int64_t value)
{
    return talk_number_send(self, to, (struct talk_number){ .value = value });
}

th_addr talk_create(th_self *me, const th_class *klass)
{
    th_addr addr = th_addr_none();
    char why[TH_DETAILS_SIZE] = "";
    th_err err = th_create(me, &(th_spawn_options){ .klass = klass }, TALK_PATIENCE, &addr, why);

    cr_assert_eq(err, TH_OK, "creating %s: %s %s", klass->name, th_err_name(err), why);
    cr_assert(!th_addr_is_none(addr));
    return addr;
}

void talk_hear(th_self *me, const char *text)
{
    th_msg *msg = NULL;

    must(th_listen(me, TALK_PATIENCE, &msg));
    cr_assert(talk_is(msg, text), "expected the word %s", text);
    th_msg_destroy(me, msg);
}

void talk_hear_number(th_self *me, int64_t value)
{
    th_msg *msg = NULL;

    must(th_listen(me, TALK_PATIENCE, &msg));
    cr_assert_not_null(talk_number_of(msg), "%s", th_type_name(th_msg_type(msg)));
    cr_assert_eq(talk_number_of(msg)->value, value, "%d, not %d", (int)talk_number_of(msg)->value,
                 (int)value);
    th_msg_destroy(me, msg);
}

void talk_hear_nothing(th_self *me)
{
    th_msg *msg = NULL;

    must_be(th_listen(me, TALK_SILENCE, &msg), TH_E_TIMEOUT);
    cr_assert_null(msg);
}

th_msg *talk_ask(th_self *me, th_addr to, const char *question)
{
    th_msg *answer = NULL;
    th_err err = th_ask(me, to, talk_word(me, question), TALK_PATIENCE, &answer);

    cr_assert_eq(err, TH_OK, "asking '%s': %s", question, th_err_name(err));
    cr_assert_not_null(answer);
    return answer;
}

void talk_expect(th_self *me, th_addr to, const char *question, const char *expected)
{
    th_msg *answer = talk_ask(me, to, question);
    char text[256];

    th_msg_describe(answer, text, sizeof(text));
    cr_assert(talk_is(answer, expected), "'%s' is answered with %s, not '%s'", question, text,
              expected);
    th_msg_destroy(me, answer);
}

int64_t talk_ask_number(th_self *me, th_addr to, const char *question)
{
    th_msg *answer = talk_ask(me, to, question);
    const struct talk_number *number = talk_number_of(answer);
    int64_t value;

    cr_assert_not_null(number, "'%s' is answered with a %s", question,
                       th_type_name(th_msg_type(answer)));
    value = number->value;
    th_msg_destroy(me, answer);
    return value;
}

th_addr talk_ask_addr(th_self *me, th_addr to, const char *question)
{
    th_msg *answer = talk_ask(me, to, question);
    const struct talk_whom *whom = talk_whom_of(answer);
    th_addr addr;

    cr_assert_not_null(whom, "'%s' is answered with a %s", question,
                       th_type_name(th_msg_type(answer)));
    addr = whom->addr;
    th_msg_destroy(me, answer);
    return addr;
}

void talk_expect_silence(th_self *me, th_addr to, const char *question)
{
    th_msg *answer = NULL;

    must_be(th_ask(me, to, talk_word(me, question), TALK_SILENCE, &answer), TH_E_TIMEOUT);
    cr_assert_null(answer);
}

void talk_expect_gone(th_self *me, th_addr to, const char *question)
{
    th_msg *answer = NULL;

    must_be(th_ask(me, to, talk_word(me, question), TALK_PATIENCE, &answer), TH_E_NO_ACTOR);
    cr_assert_null(answer);
}

struct th_counts talk_counts(th_system *system)
{
    th_system_status status;

    must(th_system_status_read(system, &status));
    return status.counts;
}

/* ---- waiting for a count ---- */

th_err talk_waiter_check(th_self *self, struct talk_waiter *waiter, int64_t count)
{
    th_addr who = waiter->who;

    if (th_addr_is_none(who) || count < waiter->until)
        return TH_OK;
    waiter->who = th_addr_none();
    return talk_count(self, who, count);
}

th_err talk_waiter_set(th_self *self, struct talk_waiter *waiter, const th_msg *msg, int64_t count)
{
    waiter->who = th_msg_sender(msg);
    waiter->until = talk_number_of(msg)->value;
    return talk_waiter_check(self, waiter, count);
}

void talk_wait_for(th_self *me, th_addr to, int64_t until)
{
    struct talk_number *body;
    th_msg *question = talk_number_new(me, &body), *answer = NULL;

    cr_assert_not_null(question);
    body->value = until;
    must(th_ask(me, to, question, TALK_PATIENCE, &answer));
    cr_assert_not_null(talk_number_of(answer));
    cr_assert_geq(talk_number_of(answer)->value, until);
    th_msg_destroy(me, answer);
}

/* ---- talk_counter ---- */

struct counter {
    int64_t count;
    struct talk_waiter waiter;
};

static th_err counter_receive(th_self *self, void *state, const th_msg *msg)
{
    struct counter *counter = state;

    if (talk_is(msg, "count?"))
        return talk_count(self, th_msg_sender(msg), counter->count);
    if (talk_number_of(msg))
        return talk_waiter_set(self, &counter->waiter, msg, counter->count);
    if (th_exit_request_of(msg))
        return TH_OK;
    counter->count++;
    return talk_waiter_check(self, &counter->waiter, counter->count);
}

const th_class talk_counter = { .name = "talk_counter",
                                .state_size = sizeof(struct counter),
                                .receive = counter_receive };

/* ---- talk_echo ---- */

static th_err echo_receive(th_self *self, void *state, const th_msg *msg)
{
    if (th_exit_request_of(msg))
        return TH_OK;
    return th_forward(self, th_msg_sender(msg), msg);
}

const th_class talk_echo = { .name = "talk_echo", .receive = echo_receive };

/* ---- talk_guardian ---- */

struct talk_raise {
    const th_class *klass;
};
TH_MESSAGE_LOCAL(talk_raise);
TH_MESSAGE_LOCAL_TYPE(talk_raise, NULL)

static th_err guardian_receive(th_self *self, void *state, const th_msg *msg)
{
    th_addr child;
    th_err err;

    if (talk_raise_of(msg)) {
        err = th_spawn(self, talk_raise_of(msg)->klass, NULL, &child);
        return err ? err
                   : talk_whom_send(self, th_msg_sender(msg), (struct talk_whom){ .addr = child });
    }
    if (th_child_exited_of(msg) || talk_is(msg, "count?") || talk_number_of(msg))
        return counter_receive(self, state, msg);
    return TH_OK;
}

const th_class talk_guardian = { .name = "talk_guardian",
                                 .state_size = sizeof(struct counter),
                                 .receive = guardian_receive };

th_addr talk_raise(th_self *me, th_addr guardian, const th_class *klass)
{
    struct talk_raise *body;
    th_msg *question = talk_raise_new(me, &body), *answer = NULL;
    th_addr child;

    cr_assert_not_null(question);
    body->klass = klass;
    must(th_ask(me, guardian, question, TALK_PATIENCE, &answer));
    cr_assert_not_null(talk_whom_of(answer));
    child = talk_whom_of(answer)->addr;
    th_msg_destroy(me, answer);
    return child;
}
