/* Asking without blocking: one continuation for each question, whatever becomes of it. */
#include <stdio.h>

#include "tests/support/system.h"
#include "tests/support/talk.h"

/* Ask @target the @text; tell whoever sent this what came of it. */
#define QUESTION_FIELDS(F, S)                                                                      \
    F(S, addr, target) F(S, u64, limit_ns) F(S, u64, token) F(S, chars, text, TALK_TEXT_SIZE)
TH_MESSAGE(question, QUESTION_FIELDS);
TH_MESSAGE_TYPE(question, QUESTION_FIELDS)

#define OUTCOME_FIELDS(F, S)                                                                       \
    F(S, u32, err)                                                                                 \
    F(S, u64, token) F(S, bool_, was_poison) F(S, chars, text, TALK_TEXT_SIZE)
TH_MESSAGE(outcome, OUTCOME_FIELDS);
TH_MESSAGE_TYPE(outcome, OUTCOME_FIELDS)

struct asker {
    th_addr client;
    int64_t handled; /* words that came meanwhile */
};

static th_err on_answer(th_self *self, void *state, const th_msg *answer, th_err err,
                        uint64_t token)
{
    struct asker *asker = state;
    struct outcome outcome = { .err = err, .token = token };

    if (answer && talk_word_of(answer))
        memcpy(outcome.text, talk_word_of(answer)->text, sizeof(outcome.text));
    outcome.was_poison = answer && th_poison_of(answer);
    return outcome_send(self, asker->client, outcome);
}

static th_err asker_receive(th_self *self, void *state, const th_msg *msg)
{
    struct asker *asker = state;
    const struct question *question = question_of(msg);

    if (question) {
        asker->client = th_msg_sender(msg);
        return th_ask_then(self, question->target, talk_word(self, question->text),
                           question->limit_ns, on_answer, question->token);
    }
    if (talk_is(msg, "handled?"))
        return talk_count(self, th_msg_sender(msg), asker->handled);
    asker->handled += talk_word_of(msg) != NULL;
    return TH_OK;
}

static const th_class asker_class = { .name = "asker",
                                      .state_size = sizeof(struct asker),
                                      .receive = asker_receive };

/* Keeps questions for later; "answer all" sends each two answers. */
enum { KEPT_MAX = 8 };

struct keeper {
    th_addr asked_by[KEPT_MAX];
    int64_t count;
};

static th_err keeper_receive(th_self *self, void *state, const th_msg *msg)
{
    struct keeper *keeper = state;
    th_err err = TH_OK;

    if (talk_is(msg, "answer all")) {
        for (int64_t i = 0; i < keeper->count && !err; i++) {
            err = talk_say(self, keeper->asked_by[i], "first");
            if (!err)
                err = talk_say(self, keeper->asked_by[i], "second");
        }
        keeper->count = 0;
        return err ? err : talk_say(self, th_msg_sender(msg), "done");
    }
    if (talk_is(msg, "fail"))
        return th_fail(self, TH_E_FAILED, "as told");
    if (talk_word_of(msg) && keeper->count < KEPT_MAX)
        keeper->asked_by[keeper->count++] = th_msg_sender(msg);
    return TH_OK;
}

static const th_class keeper_class = { .name = "keeper",
                                       .state_size = sizeof(struct keeper),
                                       .receive = keeper_receive };

static void ask(th_self *me, th_addr asker, th_addr target, uint64_t limit_ns, uint64_t token,
                const char *text)
{
    struct question *body;
    th_msg *msg = question_new(me, &body);

    cr_assert_not_null(msg);
    body->target = target;
    body->limit_ns = limit_ns;
    body->token = token;
    snprintf(body->text, sizeof(body->text), "%s", text);
    must(th_send(me, asker, msg));
}

static void expect_outcome(th_self *me, th_err err, uint64_t token, const char *text)
{
    th_msg *msg = NULL;
    const struct outcome *outcome;

    must(th_listen(me, TALK_PATIENCE, &msg));
    outcome = outcome_of(msg);
    cr_assert_not_null(outcome, "heard a %s", th_type_name(th_msg_type(msg)));
    cr_assert_eq(outcome->err, err, "%s", th_err_name(outcome->err));
    cr_assert_eq(outcome->token, token);
    cr_assert_str_eq(outcome->text, text);
    th_msg_destroy(me, msg);
}

BOTH_BASES(ask_then, an_answer_comes_once)
{
    th_addr asker = talk_create(ts->me, &asker_class);

    ask(ts->me, asker, talk_create(ts->me, &talk_echo), TALK_PATIENCE, 11, "hello");
    expect_outcome(ts->me, TH_OK, 11, "hello");
    talk_hear_nothing(ts->me);
}

BOTH_BASES(ask_then, messages_are_handled_meanwhile)
{
    th_addr asker = talk_create(ts->me, &asker_class);
    th_addr keeper = talk_create(ts->me, &keeper_class);

    ask(ts->me, asker, keeper, TH_FOREVER, 1, "one");
    must(talk_say(ts->me, asker, "meanwhile"));
    cr_assert_eq(talk_ask_number(ts->me, asker, "handled?"), 1);
    ask(ts->me, asker, keeper, TH_FOREVER, 2, "two");
    cr_assert_eq(talk_ask_number(ts->me, asker, "handled?"), 1);
    talk_expect(ts->me, keeper, "answer all", "done");
    expect_outcome(ts->me, TH_OK, 1, "first");
    expect_outcome(ts->me, TH_OK, 2, "first");
    talk_hear_nothing(ts->me);
    cr_assert_eq(talk_counts(ts->sys).dead_by_reason[TH_DEAD_LATE], 2);
}

BOTH_BASES(ask_then, a_time_limit_passes)
{
    th_addr asker = talk_create(ts->me, &asker_class);
    th_addr keeper = talk_create(ts->me, &keeper_class);

    ask(ts->me, asker, keeper, TH_MS(1), 3, "never answered in time");
    expect_outcome(ts->me, TH_E_TIMEOUT, 3, "");
    talk_expect(ts->me, keeper, "answer all", "done");
    talk_hear_nothing(ts->me);
    cr_assert_eq(talk_counts(ts->sys).dead_by_reason[TH_DEAD_LATE], 2);
}

BOTH_BASES(ask_then, a_dead_target_is_news)
{
    th_addr asker = talk_create(ts->me, &asker_class);
    th_addr dead = talk_create(ts->me, &talk_echo);

    must(th_stop(ts->me, dead));
    talk_expect_gone(ts->me, dead, "gone?");
    ask(ts->me, asker, dead, TH_FOREVER, 4, "hello?");
    expect_outcome(ts->me, TH_E_NO_ACTOR, 4, "");
}

BOTH_BASES(ask_then, a_target_that_dies_with_the_question_is_news)
{
    th_addr asker = talk_create(ts->me, &asker_class);
    th_addr target = talk_create(ts->me, &keeper_class);

    must(th_stop(ts->me, target));
    ask(ts->me, asker, target, TH_FOREVER, 5, "hello?");
    expect_outcome(ts->me, TH_E_NO_ACTOR, 5, "");
}

BOTH_BASES(ask_then, a_failed_question_is_poison)
{
    th_addr asker = talk_create(ts->me, &asker_class);
    th_msg *msg = NULL;

    ask(ts->me, asker, talk_create(ts->me, &keeper_class), TH_FOREVER, 6, "fail");
    must(th_listen(ts->me, TALK_PATIENCE, &msg));
    cr_assert_not_null(outcome_of(msg));
    cr_assert_eq(outcome_of(msg)->err, TH_OK);
    cr_assert(outcome_of(msg)->was_poison);
    th_msg_destroy(ts->me, msg);
}

/* An asker that exits with open questions takes them along; their answers are dead letters. */
BOTH_BASES(ask_then, open_questions_end_with_their_asker)
{
    th_addr guardian = talk_create(ts->me, &talk_guardian);
    th_addr asker = talk_raise(ts->me, guardian, &asker_class);
    th_addr keeper = talk_create(ts->me, &keeper_class);
    th_system_status status;

    ask(ts->me, asker, keeper, TH_S(3600), 7, "one");
    ask(ts->me, asker, keeper, TH_FOREVER, 8, "two");
    cr_assert_eq(talk_ask_number(ts->me, asker, "handled?"), 0);
    must(th_stop(ts->me, asker));
    talk_wait_for(ts->me, guardian, 1);
    talk_expect(ts->me, keeper, "answer all", "done");
    talk_hear_nothing(ts->me);
    must(th_system_status_read(ts->sys, &status));
    cr_assert_eq(status.wakeups_pending, 0);
}

BOTH_BASES(ask_then, an_endpoint_asks_otherwise)
{
    th_addr echo = talk_create(ts->me, &talk_echo);

    must_be(th_ask_then(ts->me, echo, talk_word(ts->me, "hello"), TH_FOREVER, on_answer, 0),
            TH_E_NOT_HERE);
    talk_hear_nothing(ts->me);
}
