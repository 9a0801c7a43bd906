/* talk.h: small words that the actors of the feature tests speak, and questions that fail a test.
 *
 * Actors use talk_say() and talk_is() and never assert: an assertion belongs to the thread of the
 * test. Everything that asserts takes the endpoint of the test, @me. Nothing here sleeps or looks
 * at a clock: what must come is waited for with a limit that only a hang reaches, and what must not
 * come is asked for once. */
#ifndef TESTS_SUPPORT_TALK_H
#define TESTS_SUPPORT_TALK_H

#include <criterion/criterion.h>
#include <thespis/thespis.h>

#define TALK_TEXT_SIZE         64
#define TALK_WORD_FIELDS(F, S) F(S, chars, text, TALK_TEXT_SIZE)
TH_MESSAGE(talk_word, TALK_WORD_FIELDS);

#define TALK_NUMBER_FIELDS(F, S) F(S, i64, value)
TH_MESSAGE(talk_number, TALK_NUMBER_FIELDS);

#define TALK_WHOM_FIELDS(F, S) F(S, addr, addr)
TH_MESSAGE(talk_whom, TALK_WHOM_FIELDS);

/* For what must come: a hang, not a slow machine, exceeds it. */
#define TALK_PATIENCE TH_S(60)
/* For what must not come. Longer would only notice more of a bug. */
#define TALK_SILENCE TH_MS(30)

/* A call that has to succeed. */
#define must(call)                                                                                 \
    do {                                                                                           \
        th_err must_err_ = (call);                                                                 \
        cr_assert_eq(must_err_, TH_OK, "%s: %s", #call, th_err_name(must_err_));                   \
    } while (0)

/* A call that has to answer @err. */
#define must_be(call, err)                                                                         \
    do {                                                                                           \
        th_err must_err_ = (call);                                                                 \
        cr_assert_eq(must_err_, err, "%s: %s", #call, th_err_name(must_err_));                     \
    } while (0)

/* ---- for actors and tests ---- */

/* A word [give]; NULL as th_msg_create(). */
th_msg *talk_word(th_self *self, const char *text);
th_err talk_say(th_self *self, th_addr to, const char *text);
bool talk_is(const th_msg *msg, const char *text);
th_err talk_count(th_self *self, th_addr to, int64_t value);

/* ---- for tests ---- */

/* An actor whose init has run. */
th_addr talk_create(th_self *me, const th_class *klass);

/* The next message is that word. */
void talk_hear(th_self *me, const char *text);

/* The next message is that number. */
void talk_hear_number(th_self *me, int64_t value);

/* Nothing waits for @me, and nothing comes for a moment. */
void talk_hear_nothing(th_self *me);

/* The answer to a word. talk_ask() gives any answer [give], the others check its type. */
th_msg *talk_ask(th_self *me, th_addr to, const char *question);
void talk_expect(th_self *me, th_addr to, const char *question, const char *answer);
int64_t talk_ask_number(th_self *me, th_addr to, const char *question);
th_addr talk_ask_addr(th_self *me, th_addr to, const char *question);

/* Nobody answers, though the question is handled. */
void talk_expect_silence(th_self *me, th_addr to, const char *question);

/* The question finds nobody. */
void talk_expect_gone(th_self *me, th_addr to, const char *question);

struct th_counts talk_counts(th_system *system);

/* ---- a class for the bystander ---- */

/* Counts what it gets. "count?" is answered with the number; a `number` N is answered with N as
 * soon as it has counted so many, which is how a test waits for things to happen. */
extern const th_class talk_counter;

/* Sends every message back to its sender, whatever it is. */
extern const th_class talk_echo;

/* Has children raised for it and counts those that exited. Waiting for the count to come to one is
 * how a test knows that an actor is gone with all its descendants, since children exit first. */
extern const th_class talk_guardian;

/* A child of @guardian. */
th_addr talk_raise(th_self *me, th_addr guardian, const th_class *klass);

/* A test of an actor that keeps a count of its own: answers @target waiting for @count. */
struct talk_waiter {
    th_addr who;
    int64_t until;
};

/* Who waits in @waiter is told when @count has come to what it waits for. */
th_err talk_waiter_check(th_self *self, struct talk_waiter *waiter, int64_t count);

/* Has @who wait until the count is @until. */
th_err talk_waiter_set(th_self *self, struct talk_waiter *waiter, const th_msg *msg, int64_t count);

/* Asks @to (which uses a talk_waiter) and returns when its count has come to @until or beyond. */
void talk_wait_for(th_self *me, th_addr to, int64_t until);

#endif
