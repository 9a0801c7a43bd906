/* services.c: a service found by its name, and actors that live where they find what they need.
 *
 *     services
 *
 * An office asks for the ledger by name, twice, and gets one; it employs a painter, who needs
 * colours, until the colours are gone. */
#include <stdio.h>
#include <thespis/thespis.h>

#define ENTRY_FIELDS(F, S) F(S, i64, amount)
TH_MESSAGE(entry, ENTRY_FIELDS);
TH_MESSAGE_TYPE(entry, ENTRY_FIELDS)

/* ---- the ledger: one for all who know its name ---- */

static th_err keep_books(th_self *self, void *state, const th_msg *msg)
{
    int64_t *total = state;

    if (!entry_of(msg))
        return TH_OK;
    *total += entry_of(msg)->amount;
    return entry_send(self, th_msg_sender(msg), (struct entry){ *total });
}

static const th_class ledger = { .name = "ledger",
                                 .state_size = sizeof(int64_t),
                                 .receive = keep_books };

static th_err book(th_self *self, int64_t amount)
{
    th_spawn_options options = { .klass = &ledger, .global_name = "ledger" };
    th_addr addr;
    th_err err = th_spawn_with(self, &options, &addr); /* get it, or create it */

    return err ? err : entry_send(self, addr, (struct entry){ amount });
}

/* ---- the painter: needs three colours at least ---- */

static const th_need needs[] = { { "colours", TH_NEED_AT_LEAST, TH_INTEGER(3) }, { .name = NULL } };
static const th_class painter = { .name = "painter", .needs = needs };

/* ---- the office ---- */

static th_err open_office(th_self *self, void *state, const th_msg *arg)
{
    th_addr addr;
    th_err err = book(self, 100);

    printf("a painter, with one colour: %s\n", th_strerror(th_spawn(self, &painter, NULL, &addr)));
    if (!err)
        err = th_capability_set(self, "colours", (th_value)TH_INTEGER(7));
    if (!err)
        err = th_spawn(self, &painter, NULL, &addr);
    return err ? err : book(self, -30);
}

static th_err work(th_self *self, void *state, const th_msg *msg)
{
    const struct th_child_exited *gone = th_child_exited_of(msg);

    if (entry_of(msg) && entry_of(msg)->amount == 70) {
        printf("the ledger says 70\n");
        return th_capability_remove(self, "colours");
    }
    if (!gone)
        return TH_OK;
    printf("the painter is gone: %s\n", th_exit_reason_text(gone->reason));
    return th_request_shutdown(self);
}

static const th_class office = { .name = "office", .init = open_office, .receive = work };

int main(void)
{
    const th_fact facts[] = { { "colours", TH_INTEGER(1) }, { .name = NULL } };
    th_system *system = th_system_create(&(th_options){ .workers = 2, .capabilities = facts });
    th_addr addr;

    if (th_system_start(system) || th_spawn(th_system_self(system), &office, NULL, &addr) ||
        th_system_wait(system, TH_S(20)))
        return 1;
    return th_system_shutdown(system, TH_S(5), NULL, NULL) || th_system_destroy(system);
}
