/* bank.c: movements by account through a router; what became of them by topic.
 *
 *     bank [MOVEMENTS]
 *
 * An account's movements all go to one teller, which alone knows its balance; so they are in order,
 * and nothing is locked. The tellers do not know who is interested. */
#include <thespis/thespis.h>

#include <stdio.h>
#include <stdlib.h>

enum { ACCOUNTS = 7, TELLERS = 3 };

#define MOVEMENT_FIELDS(F, S) F(S, u32, account) F(S, i64, amount)
TH_MESSAGE(movement, MOVEMENT_FIELDS);
TH_MESSAGE_TYPE(movement, MOVEMENT_FIELDS)

#define BALANCE_FIELDS(F, S) F(S, i64, amount)
TH_MESSAGE(balance, BALANCE_FIELDS);
TH_MESSAGE_TYPE(balance, BALANCE_FIELDS)

#define WHOM_FIELDS(F, S) F(S, addr, addr) F(S, u32, movements)
TH_MESSAGE(whom, WHOM_FIELDS);
TH_MESSAGE_TYPE(whom, WHOM_FIELDS)

#define AUDIT_FIELDS(F, S) F(S, u32, movements) F(S, u32, overdrawn)
TH_MESSAGE(audit, AUDIT_FIELDS);
TH_MESSAGE_TYPE(audit, AUDIT_FIELDS)

/* ---- the teller: keeps balances, and publishes them ---- */

struct teller {
    th_addr topics;
    int64_t balances[ACCOUNTS];
};

static th_err teller_init(th_self *self, void *state, const th_msg *arg)
{
    ((struct teller *)state)->topics = whom_of(arg)->addr;
    return TH_OK;
}

static th_err publish(th_self *self, const struct teller *teller, uint32_t account,
                      const char *format)
{
    char topic[TH_TOPIC_SIZE];
    struct balance *body;
    th_msg *payload = balance_new(self, &body);

    if (payload)
        body->amount = teller->balances[account];
    snprintf(topic, sizeof(topic), "account/%u%s", account, format);
    return th_publish(self, teller->topics, topic, payload, 0);
}

static th_err teller_receive(th_self *self, void *state, const th_msg *msg)
{
    struct teller *teller = state;
    const struct movement *movement = movement_of(msg);
    th_err err = TH_OK;

    if (!movement)
        return TH_OK;
    teller->balances[movement->account] += movement->amount;
    if (teller->balances[movement->account] < 0)
        err = publish(self, teller, movement->account, "/overdrawn");
    return err ? err : publish(self, teller, movement->account, "");
}

static const th_class teller = { .name = "teller",
                                 .state_size = sizeof(struct teller),
                                 .init = teller_init,
                                 .receive = teller_receive };

/* ---- the auditor: hears of all accounts, by two filters ---- */

struct auditor {
    struct whom boss;
    struct audit audit;
};

static th_err auditor_init(th_self *self, void *state, const th_msg *arg)
{
    ((struct auditor *)state)->boss = *whom_of(arg);
    return TH_OK;
}

static th_err auditor_receive(th_self *self, void *state, const th_msg *msg)
{
    struct auditor *auditor = state;
    const struct th_publication *news = th_publication_of(msg);

    if (!news)
        return TH_OK;
    if (th_topic_matches("account/+/overdrawn", news->topic)) {
        auditor->audit.overdrawn++;
        return TH_OK;
    }
    if (++auditor->audit.movements < auditor->boss.movements)
        return TH_OK;
    return audit_send(self, auditor->boss.addr, auditor->audit);
}

static const th_class auditor = { .name = "auditor",
                                  .state_size = sizeof(struct auditor),
                                  .init = auditor_init,
                                  .receive = auditor_receive };

/* ---- the bank ---- */

static th_msg *make_whom(th_self *me, th_addr addr, uint32_t movements)
{
    struct whom *body;
    th_msg *msg = whom_new(me, &body);

    if (msg)
        *body = (struct whom){ addr, movements };
    return msg;
}

/* Until it has subscribed, what is published would not reach it. */
static th_err subscribe(th_self *me, th_addr topics, const char *filter, th_addr who)
{
    th_err err = th_subscribe_to(me, topics, filter, who);
    th_msg *answer;

    if (!err)
        err = th_listen(me, TH_S(5), &answer);
    if (!err) {
        err = th_subscribed_of(answer) ? (th_err)th_subscribed_of(answer)->err : TH_E_FAILED;
        th_msg_destroy(me, answer);
    }
    return err;
}

static th_err play(th_self *me, uint32_t movements)
{
    th_router_options options = {
        .routing = TH_ROUTE_BY_KEY, .klass = &teller, .children = TELLERS, .key_field = "account"
    };
    th_addr topics, tellers, listener;
    th_msg *answer;
    th_err err = th_topics_spawn(me, NULL, &topics);

    if (err ||
        (err = th_spawn(me, &auditor, make_whom(me, th_self_addr(me), movements), &listener)) ||
        (err = subscribe(me, topics, "account/+", listener)) ||
        (err = subscribe(me, topics, "account/+/overdrawn", listener)))
        return err;
    options.arg = make_whom(me, topics, 0);
    err = th_router_spawn(me, &options, &tellers);
    for (uint32_t i = 0; i < movements && !err; i++)
        err = movement_send(
            me, tellers,
            (struct movement){ .account = i % ACCOUNTS, .amount = i / ACCOUNTS % 3 ? 10 : -15 });
    if (!err)
        err = th_listen(me, TH_S(30), &answer);
    if (err)
        return err;
    if (audit_of(answer))
        printf("%u movements, %u times overdrawn\n", audit_of(answer)->movements,
               audit_of(answer)->overdrawn);
    th_msg_destroy(me, answer);
    return TH_OK;
}

int main(int argc, char **argv)
{
    int movements = argc > 1 ? atoi(argv[1]) : 1000;
    th_system *sys = th_system_create(NULL);
    th_err err;

    if (movements < 1 || !sys || th_system_start(sys))
        return 1;
    err = play(th_system_self(sys), (uint32_t)movements);
    if (err)
        fprintf(stderr, "bank: %s\n", th_strerror(err));
    if (th_system_shutdown(sys, TH_S(5), NULL, NULL))
        return 1;
    th_system_destroy(sys);
    return err != TH_OK;
}
