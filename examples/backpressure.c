/* backpressure.c: two that are fast, one that is slow, and a mailbox with a limit between them.
 *
 * An actor that fills the mill's mailbox is held until it has drained; the main thread, which
 * cannot be, offers its grains and waits when there is no room. However many there are, few
 * wait. */
#include <stdio.h>
#include <thespis/thespis.h>

enum { LIMIT = 32, HANDFUL = 50, FROM_ACTOR = 20000, FROM_THREAD = 2000 };

#define GRAIN_FIELDS(F, S) F(S, u64, weight)
TH_MESSAGE(grain, GRAIN_FIELDS);
TH_MESSAGE_TYPE(grain, GRAIN_FIELDS)

#define FLOUR_FIELDS(F, S) F(S, u64, weight) F(S, u64, waited_max)
TH_MESSAGE(flour, FLOUR_FIELDS);
TH_MESSAGE_TYPE(flour, FLOUR_FIELDS)

#define FIELD_FIELDS(F, S) F(S, addr, mill) F(S, u64, left)
TH_MESSAGE(field, FIELD_FIELDS);
TH_MESSAGE_TYPE(field, FIELD_FIELDS)

/* ---- the mill is slow ---- */

struct mill {
    th_addr customer;
    uint64_t count;
    struct flour flour;
};

static uint64_t grind(uint64_t weight)
{
    volatile uint64_t turns = 0;

    while (turns < 200)
        turns++;
    return weight;
}

static th_err mill_receive(th_self *self, void *state, const th_msg *msg)
{
    struct mill *mill = state;
    th_mailbox_state box;

    if (flour_of(msg))
        mill->customer = th_msg_sender(msg);
    if (!grain_of(msg))
        return TH_OK;
    mill->flour.weight += grind(grain_of(msg)->weight);
    if (th_mailbox_read(th_self_system(self), th_self_addr(self), &box) == TH_OK &&
        box.used > mill->flour.waited_max)
        mill->flour.waited_max = box.used;
    if (++mill->count < FROM_ACTOR + FROM_THREAD)
        return TH_OK;
    return flour_send(self, mill->customer, mill->flour);
}

static const th_class mill_class = {
    .name = "mill",
    .state_size = sizeof(struct mill),
    .receive = mill_receive,
    .mailbox = { .limit = LIMIT, .when_full = TH_WHEN_FULL_HOLD },
};

/* ---- the farmer is fast: nothing in here knows of a limit ---- */

static th_err farmer_receive(th_self *self, void *state, const th_msg *msg)
{
    struct field field;
    th_err err = TH_OK;

    if (!field_of(msg))
        return TH_OK;
    field = *field_of(msg);
    for (int i = 0; i < HANDFUL && !err; i++, field.left--)
        err = grain_send(self, field.mill, (struct grain){ 1 });
    return err || field.left == 0 ? err : field_send(self, th_self_addr(self), field);
}

static const th_class farmer_class = { .name = "farmer", .receive = farmer_receive };

/* ---- the main thread ---- */

static th_err wait_for_room(th_self *me, th_addr mill)
{
    th_err err = th_when_writable(me, mill);
    th_msg *msg = NULL;

    if (!err)
        err = th_listen(me, TH_FOREVER, &msg);
    th_msg_destroy(me, msg);
    return err;
}

static th_err offer(th_self *me, th_addr mill, th_msg *msg)
{
    th_verdict verdict;
    th_err err;

    for (;;) {
        err = th_offer(me, mill, msg, &verdict);
        if (err || verdict == TH_OFFER_QUEUED || verdict == TH_OFFER_HIGH)
            return err; /* it is not ours any more */
        err = verdict == TH_OFFER_CLOSED ? TH_E_NO_ACTOR : wait_for_room(me, mill);
        if (err) {
            th_msg_destroy(me, msg);
            return err;
        }
    }
}

static th_err deliver(th_self *me, th_addr mill)
{
    th_err err = TH_OK;

    for (int i = 0; i < FROM_THREAD && !err; i++) {
        struct grain *grain;
        th_msg *msg = grain_new(me, &grain);

        if (msg)
            grain->weight = 2;
        err = msg ? offer(me, mill, msg) : TH_E_NOMEM;
    }
    return err;
}

static th_err run(th_self *me)
{
    th_addr mill, farmer;
    th_msg *msg = NULL;
    th_err err;

    err = th_spawn(me, &mill_class, NULL, &mill);
    if (!err)
        err = th_spawn(me, &farmer_class, NULL, &farmer);
    if (!err)
        err = flour_send(me, mill, (struct flour){ 0 }); /* we want some */
    if (!err)
        err = field_send(me, farmer, (struct field){ mill, FROM_ACTOR });
    if (!err)
        err = deliver(me, mill);
    if (!err)
        err = th_listen(me, TH_FOREVER, &msg);
    if (!err && flour_of(msg)) {
        printf("%llu of flour\n", (unsigned long long)flour_of(msg)->weight);
        /* the limit, and what a handler of the farmer's sends before it is held */
        printf("%s\n", flour_of(msg)->waited_max <= LIMIT + HANDFUL ? "few waited" : "many waited");
    }
    th_msg_destroy(me, msg);
    return err;
}

int main(void)
{
    th_system *system = th_system_create(&(th_options){ .workers = 2 });
    th_system_status status;
    th_err err = th_system_start(system);

    if (!err)
        err = run(th_system_self(system));
    if (!err && th_system_status_read(system, &status) == TH_OK)
        printf("%s\n", status.counts.holds ? "the farmer was held" : "nobody was held");
    if (err)
        fprintf(stderr, "backpressure: %s\n", th_strerror(err));
    return th_system_shutdown(system, TH_S(5), NULL, NULL) || th_system_destroy(system) || err;
}
