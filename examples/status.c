/* status.c [SECONDS]: what a system says of itself: by hand, to an actor that asks, to kill -USR1.
 *
 * Without an argument it prints each once and ends; with one it stays, for you to send SIGUSR1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <thespis/thespis.h>

TH_SIGNAL(look);
TH_SIGNAL_TYPE(look)

/* Asks the system how it is, and shows the answer. */
static th_err curious_receive(th_self *self, void *state, const th_msg *msg)
{
    const struct th_system_report *report = th_system_report_of(msg);
    th_addr *asker = state;

    if (look_of(msg)) {
        *asker = th_msg_sender(msg);
        return th_ask_system_status(self, TH_STATUS_TEXT, 0);
    }
    if (!report)
        return TH_OK;
    printf("the report: %llu actors, %llu messages handled\n", (unsigned long long)report->actors,
           (unsigned long long)report->handled);
    return look_send(self, *asker, (struct look){ 0 });
}

static const th_class curious = { .name = "curious",
                                  .state_size = sizeof(th_addr),
                                  .receive = curious_receive };

static void show(void *context, const th_actor_status *status)
{
    char addr[TH_ADDR_TEXT_SIZE];

    (void)context;
    th_addr_print(status->addr, addr, sizeof(addr));
    printf("an actor: %s %s\n", status->class_name, addr);
}

static th_err by_hand(th_system *system)
{
    th_system_status status;
    char text[16384];
    th_err err = th_system_status_read(system, &status);

    if (err)
        return err;
    th_system_status_print(&status, text, sizeof(text));
    fputs(text, stdout);
    return th_actors_each(system, show, NULL);
}

int main(int argc, char **argv)
{
    th_options options = { .workers = 2, .signals = TH_SIGNAL_STATUS | TH_SIGNAL_TERM };
    th_system *system = th_system_create(&options);
    th_msg *answer = NULL;
    th_self *self;
    th_addr addr;

    if (!system || th_system_start(system))
        return 1;
    self = th_system_self(system);
    if (th_spawn(self, &curious, NULL, &addr) ||
        th_ask(self, addr, th_msg_create(self, &look_type), TH_S(5), &answer) || by_hand(system))
        return 1;
    th_msg_destroy(self, answer);
    if (argc > 1)
        (void)!th_system_wait(system, TH_S(strtoul(argv[1], NULL, 10)));
    if (th_system_shutdown(system, TH_S(5), NULL, NULL))
        return 1;
    return th_system_destroy(system) ? 1 : 0;
}
