/* One actor that waits for two first messages, and then puts behaviours upon each other, takes them
 * off, stashes, fails and starts afresh, or waits again. It keeps a plain account of its behaviours
 * and its stash: each delivery passes by as many behaviours as there are, and none comes while it
 * waits. A ball ends once: handled, poison, or a dead letter. */
#include "tests/support/extras/extras.h"

#define BALL_FIELDS(F, S) F(S, u32, mood)
TH_MESSAGE(random_behaviour_ball, BALL_FIELDS);
TH_MESSAGE_TYPE(random_behaviour_ball, BALL_FIELDS)

/* The first messages. */
TH_SIGNAL(random_behaviour_red);
TH_SIGNAL_TYPE(random_behaviour_red)
TH_SIGNAL(random_behaviour_blue);
TH_SIGNAL_TYPE(random_behaviour_blue)

struct random_behaviour_arg {
    struct random_extra_run *run;
};
TH_MESSAGE_LOCAL(random_behaviour_arg);
TH_MESSAGE_LOCAL_TYPE(random_behaviour_arg, NULL)

enum complaint { NOT_READY = 1, PASSED_OTHERS = 2, STASH_DIFFERS = 4, LIMIT_MOVED = 8 };

struct behaviours {
    th_addr moody;
    _Atomic uint32_t sent, handled, poisoned, dead;
    _Atomic uint32_t wrong; /* a bit for each complaint */
};

static struct behaviours *behaviours_of(struct random_extra_run *run)
{
    return (struct behaviours *)(void *)run->state;
}

/* ---- the actor ---- */

struct moody {
    struct random_extra_run *run;
    uint32_t depth;  /* behaviours it has put upon its class's own */
    uint32_t passed; /* by the message being handled */
    uint32_t stashed;
    bool is_ready;
};

enum mood { OVER, OVER_TOO, REPLACE, BACK, STASH, OPEN, FAIL, STASH_AND_FAIL, AGAIN, FINE, MOODS };

static void complain(struct moody *moody, enum complaint what)
{
    atomic_fetch_or(&behaviours_of(moody->run)->wrong, (uint32_t)what);
}

static th_err passes(th_self *self, void *state, const th_msg *msg)
{
    ((struct moody *)state)->passed++;
    return TH_SUPER;
}

static const th_behaviour passing = { .name = "passing", .receive = passes };

static th_err ready(th_self *self, void *state, const th_msg *const *got)
{
    struct moody *moody = state;

    if (th_msg_type(got[0]) != &random_behaviour_red_type ||
        th_msg_type(got[1]) != &random_behaviour_blue_type)
        complain(moody, NOT_READY);
    moody->is_ready = true;
    moody->stashed = 0; /* all comes back */
    return TH_OK;
}

static const th_type *const first_types[] = { &random_behaviour_red_type,
                                              &random_behaviour_blue_type, NULL };
static const th_initial first = { .types = first_types, .ready = ready };

/* At the limit, and only there, @err says so; without memory nothing has happened. */
static void became(struct moody *moody, th_err err, bool is_at_limit, th_err limit, int change)
{
    if (err != TH_E_NOMEM && (err == limit) != is_at_limit)
        complain(moody, LIMIT_MOVED);
    if (err == TH_OK)
        moody->depth += (uint32_t)change;
}

/* Half of what comes back is stashed again. Whether the ball is kept. */
static bool stash(th_self *self, struct moody *moody, const th_msg *msg)
{
    if (th_random(self) >> 40 & 1 || th_stash(self, msg) != TH_OK)
        return false;
    moody->stashed++;
    return true;
}

static th_err be_moody(th_self *self, struct moody *moody, const th_msg *msg)
{
    uint32_t count;

    switch ((enum mood)(random_behaviour_ball_of(msg)->mood % MOODS)) {
    case OVER:
    case OVER_TOO:
        became(moody, th_become_over(self, &passing), moody->depth == TH_BEHAVIOURS_MAX, TH_E_LIMIT,
               1);
        break;
    case REPLACE:
        became(moody, th_become(self, &passing), false, TH_E_LIMIT, moody->depth == 0);
        break;
    case BACK: became(moody, th_unbecome(self), moody->depth == 0, TH_E_STATE, -1); break;
    case STASH:
        if (stash(self, moody, msg))
            return TH_OK;
        break;
    case OPEN:
        if (th_unstash_all(self, &count) || count != moody->stashed)
            complain(moody, STASH_DIFFERS);
        moody->stashed = 0;
        break;
    case FAIL: return th_fail(self, TH_E_FAILED, "in a mood");
    case STASH_AND_FAIL: /* a message that failed is not kept */
        (void)!th_stash(self, msg);
        return TH_E_FAILED;
    case AGAIN:
        if (th_initial_begin(self, &first) == TH_OK)
            moody->is_ready = false;
        break;
    case FINE:
    case MOODS: break;
    }
    atomic_fetch_add(&behaviours_of(moody->run)->handled, 1);
    return TH_OK;
}

static th_err moody_receive(th_self *self, void *state, const th_msg *msg)
{
    struct moody *moody = state;

    if (moody->passed != moody->depth || (th_self_behaviour(self) == NULL) != (moody->depth == 0))
        complain(moody, PASSED_OTHERS);
    moody->passed = 0;
    if (!random_behaviour_ball_of(msg))
        return TH_OK;
    if (!moody->is_ready)
        complain(moody, NOT_READY);
    if (th_stashed(self) != moody->stashed)
        complain(moody, STASH_DIFFERS);
    return be_moody(self, moody, msg);
}

static th_err moody_init(th_self *self, void *state, const th_msg *arg)
{
    ((struct moody *)state)->run = random_behaviour_arg_of(arg)->run;
    return TH_OK;
}

static const th_class moody_class = { .name = "random.behaviour.moody",
                                      .state_size = sizeof(struct moody),
                                      .init = moody_init,
                                      .receive = moody_receive,
                                      .on_failure = TH_ON_FAILURE_RESTART,
                                      .initial = &first };

/* ---- the extra ---- */

static th_err begin(th_self *me, struct random_extra_run *run)
{
    struct random_behaviour_arg *body;
    th_msg *arg = random_behaviour_arg_new(me, &body);

    if (!arg)
        return TH_E_NOMEM;
    body->run = run;
    return th_spawn(me, &moody_class, arg, &behaviours_of(run)->moody);
}

static void send_one(th_self *player, struct behaviours *all, uint32_t pick)
{
    switch (pick % 8) {
    case 0:
        (void)!random_behaviour_red_send(player, all->moody, (struct random_behaviour_red){ 0 });
        break;
    case 1:
        (void)!random_behaviour_blue_send(player, all->moody, (struct random_behaviour_blue){ 0 });
        break;
    default:
        if (random_behaviour_ball_send(player, all->moody,
                                       (struct random_behaviour_ball){ pick / 8 }) == TH_OK)
            atomic_fetch_add(&all->sent, 1);
    }
}

/* Several at a time, so that there is something to stash and to wait for. */
static void act(th_self *player, struct random_extra_run *run)
{
    uint32_t count = 1 + (uint32_t)(th_random(player) >> 40) % 24;

    while (count--)
        send_one(player, behaviours_of(run), (uint32_t)(th_random(player) >> 40));
}

static void hear(th_self *player, struct random_extra_run *run, const th_msg *msg)
{
    if (th_poison_of(msg) && random_behaviour_ball_of(random_extra_unwrap(msg)))
        atomic_fetch_add(&behaviours_of(run)->poisoned, 1);
}

static void letter(struct random_extra_run *run, const th_msg *msg)
{
    struct behaviours *all = behaviours_of(run);

    if (random_behaviour_ball_of(random_extra_unwrap(msg)))
        atomic_fetch_add(th_poison_of(msg) ? &all->poisoned : &all->dead, 1);
}

static void close(th_self *me, struct random_extra_run *run)
{
    (void)!th_stop(me, behaviours_of(run)->moody);
}

static const char *verdict(struct random_extra_run *run, bool is_exact)
{
    struct behaviours *all = behaviours_of(run);
    uint32_t wrong = atomic_load(&all->wrong), sent = atomic_load(&all->sent);
    uint32_t ended =
        atomic_load(&all->handled) + atomic_load(&all->poisoned) + atomic_load(&all->dead);

    if (wrong & NOT_READY)
        return "a message reached an actor that waits for others first";
    if (wrong & PASSED_OTHERS)
        return "a message did not pass by the behaviours that there are";
    if (wrong & STASH_DIFFERS)
        return "a stash is not what was put into it";
    if (wrong & LIMIT_MOVED)
        return "an actor became more, or less, than it may";
    if (ended > sent)
        return "a ball for a moody actor ended twice";
    return is_exact && ended < sent ? "a ball for a moody actor was lost" : NULL;
}

const struct random_extra random_extra_behaviour = {
    .name = "behaviour",
    .state_size = sizeof(struct behaviours),
    .begin = begin,
    .act = act,
    .hear = hear,
    .letter = letter,
    .close = close,
    .verdict = verdict,
};
