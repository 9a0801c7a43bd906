/* A user's program, in what C and C++ have in common: an actor doubles a number. */
#include <thespis/thespis.h>

#include <stdio.h>
#include <string.h>

#define NUMBER_FIELDS(F, S) F(S, i64, value)
TH_MESSAGE(number, NUMBER_FIELDS);
TH_MESSAGE_TYPE(number, NUMBER_FIELDS)

static th_err receive(th_self *self, void *state, const th_msg *msg)
{
    const struct number *asked = number_of(msg);
    struct number answer;

    (void)state;
    if (!asked)
        return TH_OK;
    answer.value = 2 * asked->value;
    return number_send(self, th_msg_sender(msg), answer);
}

/* Asks a doubler for twice 21; 0 when anything went wrong. */
static int64_t ask(th_system *system)
{
    static th_class doubler;
    th_self *self = th_system_self(system);
    th_addr addr;
    th_msg *answer = NULL;
    struct number *body;
    th_msg *question = number_new(self, &body);
    int64_t value = 0;

    doubler.name = "doubler";
    doubler.receive = receive;
    if (!question)
        return 0;
    body->value = 21;
    if (th_spawn(self, &doubler, NULL, &addr) == TH_OK &&
        th_ask(self, addr, question, TH_S(10), &answer) == TH_OK) {
        value = number_of(answer) ? number_of(answer)->value : 0;
        th_msg_destroy(self, answer);
    }
    return value;
}

int main(void)
{
    th_system *system = th_system_create(NULL);
    int64_t value;

    if (!system || th_system_start(system) != TH_OK)
        return 1;
    value = ask(system);
    if (th_system_shutdown(system, TH_S(10), NULL, NULL) != TH_OK)
        return 2;
    if (th_system_destroy(system) != TH_OK)
        return 3;
    printf("libthespis %s says %d\n", th_version(), (int)value);
    return value == 42 && strcmp(th_version(), EXPECTED_VERSION) == 0 ? 0 : 4;
}
