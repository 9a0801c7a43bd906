/* hello.c: ask an actor and print its answer. */
#include <stdio.h>
#include <thespis/thespis.h>

#define GREETING_FIELDS(F, S) F(S, chars, text, 32)
TH_MESSAGE(greeting, GREETING_FIELDS);
TH_MESSAGE_TYPE(greeting, GREETING_FIELDS)

static th_err greet(th_self *self, void *state, const th_msg *msg)
{
    if (!greeting_of(msg))
        return TH_OK; /* the system's own messages come here too */
    return greeting_send(self, th_msg_sender(msg), (struct greeting){ "hello, world" });
}

static const th_class greeter = { .name = "greeter", .receive = greet };

int main(void)
{
    th_system *system = th_system_create(NULL);
    th_addr addr;
    th_msg *answer = NULL;
    if (th_system_start(system) || th_spawn(th_system_self(system), &greeter, NULL, &addr))
        return 1;
    th_self *self = th_system_self(system);
    if (th_ask(self, addr, greeting_new(self, NULL), TH_S(5), &answer) == TH_OK)
        printf("%s\n", greeting_of(answer)->text);
    th_msg_destroy(self, answer);
    return th_system_shutdown(system, TH_S(5), NULL, NULL) || th_system_destroy(system);
}
