/* Balls for mailboxes with a limit: two that hold their senders and fill each other in a circle,
 * one that drops. Each ball that was accepted ends once: handled, or a dead letter; who waits for
 * room hears of it at most as often as it asked. */
#include "tests/support/extras/extras.h"

#define MAILBOX_BALL_FIELDS(F, S) F(S, u32, fuel)
TH_MESSAGE(random_mailbox_ball, MAILBOX_BALL_FIELDS);
TH_MESSAGE_TYPE(random_mailbox_ball, MAILBOX_BALL_FIELDS)

struct random_mailbox_arg {
    struct random_extra_run *run;
    uint32_t index;
};
TH_MESSAGE_LOCAL(random_mailbox_arg);
TH_MESSAGE_LOCAL_TYPE(random_mailbox_arg, NULL)

enum { BOXES = 3 };

struct boxes {
    th_addr addrs[BOXES];
    _Atomic uint32_t sent, handled, dead, asked, told;
};

struct box {
    struct random_extra_run *run;
    uint32_t index;
};

static struct boxes *boxes_of(struct random_extra_run *run)
{
    return (struct boxes *)(void *)run->state;
}

/* Counted before it can be handled, and not when it was refused. */
static void throw(th_self * self, struct random_extra_run *run, uint32_t to, uint32_t fuel)
{
    struct boxes *boxes = boxes_of(run);

    atomic_fetch_add(&boxes->sent, 1);
    if (random_mailbox_ball_send(self, boxes->addrs[to], (struct random_mailbox_ball){ fuel }))
        atomic_fetch_sub(&boxes->sent, 1);
}

static th_err box_init(th_self *self, void *state, const th_msg *arg)
{
    struct box *box = state;

    box->run = random_mailbox_arg_of(arg)->run;
    box->index = random_mailbox_arg_of(arg)->index;
    return TH_OK;
}

static th_err box_receive(th_self *self, void *state, const th_msg *msg)
{
    struct box *box = state;
    const struct random_mailbox_ball *ball = random_mailbox_ball_of(msg);

    if (!ball)
        return TH_OK;
    atomic_fetch_add(&boxes_of(box->run)->handled, 1);
    for (uint32_t i = 0; i < 2 && ball->fuel; i++)
        throw(self, box->run, (box->index + i + 1) % BOXES, ball->fuel - 1);
    return TH_OK;
}

static const th_class box_class = { .name = "random.mailbox",
                                    .state_size = sizeof(struct box),
                                    .init = box_init,
                                    .receive = box_receive };

static th_err begin(th_self *me, struct random_extra_run *run)
{
    static const th_mailbox limits[BOXES] = { { 1, 0, TH_WHEN_FULL_HOLD },
                                              { 3, 1, TH_WHEN_FULL_HOLD },
                                              { 2, 0, TH_WHEN_FULL_DROP } };
    struct boxes *boxes = boxes_of(run);
    th_err err = TH_OK;

    for (uint32_t i = 0; i < BOXES && !err; i++) {
        struct random_mailbox_arg *body;
        th_spawn_options options = { .klass = &box_class, .mailbox = limits[i] };

        options.arg = random_mailbox_arg_new(me, &body);
        if (!options.arg)
            err = TH_E_NOMEM;
        else {
            *body = (struct random_mailbox_arg){ run, i };
            err = th_spawn_with(me, &options, &boxes->addrs[i]);
        }
    }
    /* what was made ends with the system */
    return err;
}

static void offer(th_self *player, struct random_extra_run *run, uint32_t to)
{
    struct boxes *boxes = boxes_of(run);
    struct random_mailbox_ball *body;
    th_msg *msg = random_mailbox_ball_new(player, &body);
    th_verdict verdict;

    if (!msg)
        return;
    atomic_fetch_add(&boxes->sent, 1);
    if (th_offer(player, boxes->addrs[to], msg, &verdict) == TH_OK && verdict <= TH_OFFER_HIGH)
        return;
    atomic_fetch_sub(&boxes->sent, 1);
    th_msg_destroy(player, msg);
    atomic_fetch_add(&boxes->asked, 1);
    if (th_when_writable(player, boxes->addrs[to]))
        atomic_fetch_sub(&boxes->asked, 1);
}

static void act(th_self *player, struct random_extra_run *run)
{
    uint32_t pick = (uint32_t)(th_random(player) >> 40);

    if (pick % 4 == 0)
        offer(player, run, pick / 4 % BOXES);
    else
        throw(player, run, pick / 4 % BOXES, pick / 64 % 3);
}

static void hear(th_self *player, struct random_extra_run *run, const th_msg *msg)
{
    if (th_writable_of(msg))
        atomic_fetch_add(&boxes_of(run)->told, 1);
}

static void letter(struct random_extra_run *run, const th_msg *msg)
{
    if (random_mailbox_ball_of(msg))
        atomic_fetch_add(&boxes_of(run)->dead, 1);
}

static void close(th_self *me, struct random_extra_run *run)
{
    for (int i = 0; i < BOXES; i++)
        (void)!th_stop(me, boxes_of(run)->addrs[i]);
}

static const char *verdict(struct random_extra_run *run, bool is_exact)
{
    struct boxes *boxes = boxes_of(run);
    uint32_t sent = atomic_load(&boxes->sent);
    uint32_t ended = atomic_load(&boxes->handled) + atomic_load(&boxes->dead);

    if (ended > sent)
        return "a ball in a bounded mailbox ended twice";
    if (atomic_load(&boxes->told) > atomic_load(&boxes->asked))
        return "told of room more often than asked";
    return is_exact && ended < sent ? "a ball in a bounded mailbox was lost" : NULL;
}

const struct random_extra random_extra_mailbox = {
    .name = "mailbox",
    .state_size = sizeof(struct boxes),
    .begin = begin,
    .act = act,
    .hear = hear,
    .letter = letter,
    .close = close,
    .verdict = verdict,
};
