/* Tell, ask, listen and create, on both bases. */
#include "../../support/system.h"

#include <pthread.h>
#include <stdatomic.h>
#include <thespis/testkit.h>

#define NUMBER_FIELDS(F, S) F(S, u64, value)
TH_MESSAGE(number, NUMBER_FIELDS);
TH_MESSAGE_TYPE(number, NUMBER_FIELDS)

#define ROUTE_FIELDS(F, S) F(S, addr, to)
TH_MESSAGE(route, ROUTE_FIELDS);
TH_MESSAGE_TYPE(route, ROUTE_FIELDS)

TH_SIGNAL(silence);
TH_SIGNAL_TYPE(silence)

/* Answers number n with n + 1, keeps silent about silence, answers after a second when asked
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
