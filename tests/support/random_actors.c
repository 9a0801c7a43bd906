/* Past 500 lines: one kind of player, and all that it may do, is one program; what other features
 * add stands in extras/. */
#include "tests/support/random_actors.h"

#include <string.h>

#include "tests/support/extras/extras.h"
#include "tests/support/talk.h"

#define PATIENCE TH_S(60)

enum ball_flags {
    BALL_FAILS_ONCE = 1 << 0,
    BALL_FAILS = 1 << 1,
    BALL_QUESTION = 1 << 2,
    BALL_REPLY = 1 << 3
};

/* @number counts what @from sent to @to. */
#define RANDOM_MAIL_FIELDS(F, S)                                                                   \
    F(S, u32, id)                                                                                  \
    F(S, u32, from) F(S, u32, to) F(S, u32, number) F(S, u32, flags) F(S, u32, fuel)
TH_MESSAGE(random_mail, RANDOM_MAIL_FIELDS);
TH_MESSAGE_TYPE(random_mail, RANDOM_MAIL_FIELDS)

/* From the exit of a player to who waits for the end. */
TH_SIGNAL(random_gone);
TH_SIGNAL_TYPE(random_gone)

struct random_arg {
    struct random_ledger *ledger;
    th_addr outside;
    uint32_t id;
};
TH_MESSAGE_LOCAL(random_arg);
TH_MESSAGE_LOCAL_TYPE(random_arg, NULL)

enum { FIRSTS = 4, WAKEUPS_KEPT = 4 };

struct player {
    struct random_ledger *ledger;
    struct random_player *me;
    th_addr outside;
    uint32_t id;
    uint32_t wakeup_next;
    struct {
        uint64_t id;
        uint32_t ball; /* 0: periodic, whose payload comes often */
    } wakeups[WAKEUPS_KEPT];
};

static const th_class player_classes[3];

static uint32_t pick(th_self *self, uint32_t count)
{
    return (uint32_t)(th_random(self) >> 33) % count;
}

/* Somebody whose address is known, dead or alive; 0: nobody. */
static uint32_t pick_player(th_self *self, struct random_ledger *ledger)
{
    uint32_t count = atomic_load(&ledger->player_count);
    uint32_t id;

    if (count >= RANDOM_PLAYERS_MAX)
        count = RANDOM_PLAYERS_MAX - 1;
    if (count == 0)
        return 0;
    id = 1 + pick(self, count);
    return atomic_load(&ledger->players[id].is_known) ? id : 0;
}

/* ---- balls ---- */

static th_msg *make_ball(th_self *self, struct random_ledger *ledger, struct random_mail value)
{
    struct random_mail *body;
    th_msg *msg;

    value.id = random_ledger_ball(ledger);
    msg = value.id ? random_mail_new(self, &body) : NULL;
    if (msg)
        *body = value;
    return msg;
}

static uint32_t ball_id(const th_msg *msg)
{
    return msg && random_mail_of(msg) ? random_mail_of(msg)->id : 0;
}

/* Expected before it can arrive, and not when it was refused. Returns whether it was taken. */
static bool throw_ball(th_self *self, struct random_ledger *ledger, th_addr to, th_msg *msg)
{
    uint32_t id = ball_id(msg);

    if (!msg)
        return false;
    atomic_fetch_add(&ledger->balls[id].expected, 1);
    if (th_send(self, to, msg) == TH_OK)
        return true;
    atomic_fetch_sub(&ledger->balls[id].expected, 1);
    return false;
}

static void throw_to_player(th_self *self, struct random_ledger *ledger, uint32_t from, uint32_t to,
                            struct random_mail ball)
{
    struct random_player *sender = &ledger->players[from];
    th_msg *msg;

    ball.from = from;
    ball.to = to;
    ball.number = sender->last_sent[to] + 1;
    msg = make_ball(self, ledger, ball);
    if (throw_ball(self, ledger, ledger->players[to].addr, msg))
        sender->last_sent[to]++;
}

static uint32_t random_flags(th_self *self)
{
    switch (pick(self, 12)) {
    case 0: return BALL_FAILS;
    case 1: return BALL_FAILS_ONCE;
    default: return 0;
    }
}

/* ---- what a player may do ---- */

static void act_send(th_self *self, struct player *player, const struct random_mail *cause)
{
    uint32_t to = pick_player(self, player->ledger);

    if (to)
        throw_to_player(
            self, player->ledger, player->id, to,
            (struct random_mail){ .flags = random_flags(self), .fuel = cause->fuel - 1 });
}

static void spawn_player(th_self *self, struct random_ledger *ledger, th_addr outside,
                         uint32_t parent)
{
    th_spawn_options options = { .klass = &player_classes[pick(self, 3)] };
    struct random_arg *arg;
    th_addr addr;
    uint32_t id;

    options.arg = random_arg_new(self, &arg);
    if (!options.arg)
        return;
    id = random_ledger_player(ledger);
    if (!id) {
        th_msg_destroy(self, options.arg);
        return;
    }
    *arg = (struct random_arg){ ledger, outside, id };
    options.own_thread = pick(self, 16) == 0;
    ledger->players[id].parent = parent;
    atomic_fetch_add(&ledger->spawned, 1);
    if (th_spawn_with(self, &options, &addr) != TH_OK)
        atomic_fetch_sub(&ledger->spawned, 1);
}

static void act_spawn(th_self *self, struct player *player, const struct random_mail *cause)
{
    spawn_player(self, player->ledger, player->outside, player->id);
}

static th_err on_answer(th_self *self, void *state, const th_msg *answer, th_err err,
                        uint64_t token)
{
    struct player *player = state;
    struct random_ledger *ledger = player->ledger;

    if (answer && random_mail_of(answer))
        atomic_fetch_add(&ledger->balls[ball_id(answer)].handled, 1);
    if (answer && th_poison_of(answer))
        atomic_fetch_add(&ledger->balls[ball_id(th_poison_of(answer)->message)].poisoned, 1);
    if (!answer && err == TH_OK)
        random_ledger_wrong(ledger, "a question without an answer and without a reason");
    if (atomic_fetch_add(&ledger->questions[token].answers, 1) > 0)
        random_ledger_wrong(ledger, "a question was answered twice");
    return TH_OK;
}

static void act_ask(th_self *self, struct player *player, const struct random_mail *cause)
{
    static const uint64_t limits[] = { 0, TH_US(1), TH_MS(1), TH_MS(20), TH_FOREVER };
    struct random_ledger *ledger = player->ledger;
    uint32_t to = pick_player(self, ledger), question = to ? random_ledger_question(ledger) : 0;
    uint64_t limit = limits[pick(self, 5)];
    struct random_mail ball = { .from = player->id, .to = to, .fuel = cause->fuel - 1 };
    uint32_t id;
    th_msg *msg;

    if (!question)
        return;
    ball.number = player->me->last_sent[to] + 1;
    ball.flags = BALL_QUESTION | random_flags(self);
    msg = make_ball(self, ledger, ball);
    id = ball_id(msg);
    if (!msg)
        return;
    atomic_fetch_add(&ledger->balls[id].expected, 1);
    atomic_store(&ledger->questions[question].has_limit, limit != TH_FOREVER);
    if (th_ask_then(self, ledger->players[to].addr, msg, limit, on_answer, question) != TH_OK) {
        atomic_fetch_sub(&ledger->balls[id].expected, 1);
        return;
    }
    player->me->last_sent[to]++;
    atomic_store(&ledger->questions[question].asker, player->id);
}

static void act_wake(th_self *self, struct player *player, const struct random_mail *cause)
{
    struct random_ledger *ledger = player->ledger;
    bool is_periodic = pick(self, 4) == 0;
    uint32_t slot = player->wakeup_next++ % WAKEUPS_KEPT, ball;
    uint64_t id = 0, delay = (uint64_t)pick(self, 3) * TH_US(pick(self, 2000));
    th_msg *payload =
        make_ball(self, ledger, (struct random_mail){ .from = player->id, .fuel = 0 });
    th_err err;

    if (!payload)
        return;
    ball = ball_id(payload);
    atomic_store(&ledger->balls[ball].may_vanish, true);
    atomic_fetch_add(&ledger->balls[ball].expected, is_periodic ? 60000 : 1);
    if (player->wakeups[slot].id && th_wakeup_cancel(self, player->wakeups[slot].id) == TH_OK)
        atomic_store(&ledger->balls[player->wakeups[slot].ball].is_cancelled,
                     player->wakeups[slot].ball != 0);
    player->wakeups[slot].id = 0;
    err = is_periodic ? th_wakeup_every(self, TH_US(100) + delay, payload, &id)
                      : th_wakeup_after(self, delay, payload, &id);
    if (err)
        return;
    player->wakeups[slot].id = id;
    player->wakeups[slot].ball = is_periodic ? 0 : ball;
}

static void act_cancel(th_self *self, struct player *player, const struct random_mail *cause)
{
    uint32_t slot = pick(self, WAKEUPS_KEPT);
    uint64_t id = player->wakeups[slot].id;

    player->wakeups[slot].id = 0;
    if (id && th_wakeup_cancel(self, id) == TH_OK && player->wakeups[slot].ball)
        atomic_store(&player->ledger->balls[player->wakeups[slot].ball].is_cancelled, true);
}

static void act_stop_other(th_self *self, struct player *player, const struct random_mail *cause)
{
    uint32_t to = pick_player(self, player->ledger);

    if (to)
        (void)!th_exit_request_send(
            self, player->ledger->players[to].addr,
            (struct th_exit_request){ .keep_children = pick(self, 3) == 0 });
}

static void act_exit(th_self *self, struct player *player, const struct random_mail *cause)
{
    (void)!th_exit(self);
}

static void act_letters(th_self *self, struct player *player, const struct random_mail *cause)
{
    (void)!th_dead_letters_to_me(self, pick(self, 2) == 0);
}

static void act_block(th_self *self, struct player *player, const struct random_mail *cause)
{
    if (th_blocking_begin(self) == TH_OK && th_blocking_end(self) != TH_OK)
        random_ledger_wrong(player->ledger, "a blocking call that does not end");
}

static void act_extra(th_self *self, struct player *player, const struct random_mail *cause)
{
    random_extras_act(player->ledger->extras, self, th_random(self) >> 33);
}

static void act(th_self *self, struct player *player, const struct random_mail *cause)
{
    /* by weight: the more often, the more likely */
    static void (*const acts[])(th_self *, struct player *, const struct random_mail *) = {
        act_send,  act_send,  act_send,  act_send,   act_send,       act_send,  act_send,
        act_send,  act_send,  act_send,  act_send,   act_send,       act_spawn, act_spawn,
        act_ask,   act_ask,   act_ask,   act_ask,    act_wake,       act_wake,  act_wake,
        act_wake,  act_spawn, act_spawn, act_cancel, act_stop_other, act_exit,  act_letters,
        act_block, act_extra, act_extra, act_extra,  act_extra
    };

    acts[pick(self, sizeof(acts) / sizeof(acts[0]))](self, player, cause);
}

/* ---- a player ---- */

static th_err player_init(th_self *self, void *state, const th_msg *arg)
{
    struct player *player = state;
    const struct random_arg *given = random_arg_of(arg);
    struct random_player *me = &given->ledger->players[given->id];

    player->ledger = given->ledger;
    player->me = me;
    player->outside = given->outside;
    player->id = given->id;
    if (me->inits++ == 0) /* after a restart it is the same, and others read it */
        me->addr = th_self_addr(self);
    atomic_store(&me->is_known, true); /* seq_cst, with the next line: see close_stage() */
    if (atomic_load(&player->ledger->is_closing))
        return th_exit(self);
    if (me->inits == 1 && pick(self, 16) == 0)
        return th_fail(self, TH_E_FAILED, "stage fright");
    if (me->inits == 1 && pick(self, 8) == 0)
        act_spawn(self, player, NULL);
    return TH_OK;
}

static void player_exit(th_self *self, void *state)
{
    struct player *player = state;
    struct random_player *me = player->me;

    if (me->running != 0)
        random_ledger_wrong(player->ledger, "an exit function beside a handler");
    me->exits++;
    if (me->is_restarting) {
        me->is_restarting = false;
        return;
    }
    atomic_store(&me->is_gone, true);
    /* for want of memory once more: only one allocation fails */
    if (random_gone_send(self, player->outside, (struct random_gone){ 0 }) != TH_OK)
        (void)!random_gone_send(self, player->outside, (struct random_gone){ 0 });
}

static void check_order(struct player *player, const struct random_mail *ball, uint32_t attempt)
{
    uint32_t *last = &player->me->last_seen[ball->from];

    if (ball->to != player->id || (ball->flags & BALL_REPLY) || attempt > 1)
        return; /* forwarded, an answer, or a retry */
    if (ball->number != *last + 1)
        random_ledger_wrong(player->ledger, "messages of one sender out of order");
    *last = ball->number;
}

static void answer(th_self *self, struct player *player, const th_msg *msg)
{
    struct random_mail reply = { .from = player->id, .flags = BALL_REPLY };

    for (uint32_t i = pick(self, 3); i > 0; i--)
        throw_ball(self, player->ledger, th_msg_sender(msg),
                   make_ball(self, player->ledger, reply));
}

static bool forward(th_self *self, struct player *player, const th_msg *msg)
{
    struct random_ball *fate = &player->ledger->balls[ball_id(msg)];
    uint32_t to = pick_player(self, player->ledger);

    if (!to || to == player->id || atomic_load(&fate->expected) > 4)
        return false;
    atomic_fetch_add(&fate->expected, 1);
    if (th_forward(self, player->ledger->players[to].addr, msg) == TH_OK)
        return true;
    atomic_fetch_sub(&fate->expected, 1);
    return false;
}

static th_err handle_ball(th_self *self, struct player *player, const th_msg *msg)
{
    const struct random_mail *ball = random_mail_of(msg);
    struct random_ball *fate = &player->ledger->balls[ball->id];
    uint32_t attempt = 1 + atomic_fetch_add(&fate->attempts, 1);
    bool is_closing = atomic_load(&player->ledger->is_closing);

    check_order(player, ball, attempt);
    if (ball->flags & BALL_FAILS || (ball->flags & BALL_FAILS_ONCE && attempt == 1)) {
        player->me->is_restarting = attempt % TH_DELIVERIES_MAX == 0 &&
                                    th_self_class(self)->on_failure == TH_ON_FAILURE_RESTART;
        return th_fail(self, TH_E_FAILED, "dropped the ball");
    }
    atomic_fetch_add(&fate->handled, 1);
    if (is_closing)
        return TH_OK;
    if (pick(self, 10) == 0)
        forward(self, player, msg);
    else if (ball->flags & BALL_QUESTION)
        answer(self, player, msg);
    for (uint32_t i = ball->fuel ? 1 + pick(self, 3) : 0; i > 0; i--)
        act(self, player, ball);
    return TH_OK;
}

static void handle_wakeup(th_self *self, struct player *player, const struct th_wakeup *wakeup)
{
    struct random_ball *fate = &player->ledger->balls[ball_id(wakeup->payload)];

    if (atomic_load(&fate->is_cancelled))
        random_ledger_wrong(player->ledger, "a cancelled wakeup arrived");
    atomic_fetch_add(&fate->handled, 1);
    /* periodic ones end by themselves, or the quiet moment never comes */
    if (wakeup->count >= 5 && th_wakeup_cancel(self, wakeup->id) == TH_OK) {
        for (int i = 0; i < WAKEUPS_KEPT; i++) {
            if (player->wakeups[i].id == wakeup->id)
                player->wakeups[i].id = 0;
        }
    }
}

static void hear_of_child(struct player *player, th_addr child)
{
    struct random_ledger *ledger = player->ledger;
    uint32_t count = atomic_load(&ledger->player_count);

    for (uint32_t id = 1; id <= count && id < RANDOM_PLAYERS_MAX; id++) {
        if (!atomic_load(&ledger->players[id].is_known) ||
            !th_addr_equal(ledger->players[id].addr, child))
            continue;
        if (ledger->players[id].parent != player->id)
            random_ledger_wrong(ledger, "news of somebody else's child");
        if (!atomic_load(&ledger->players[id].is_gone))
            random_ledger_wrong(ledger, "news of a child that lives");
        atomic_fetch_add(&ledger->players[id].notices, 1);
        return;
    }
    random_ledger_wrong(ledger, "news of a child nobody knows");
}

static th_err handle(th_self *self, struct player *player, const th_msg *msg)
{
    if (random_mail_of(msg))
        return handle_ball(self, player, msg);
    if (th_wakeup_of(msg))
        handle_wakeup(self, player, th_wakeup_of(msg));
    else if (th_poison_of(msg)) {
        if (ball_id(th_poison_of(msg)->message))
            atomic_fetch_add(&player->ledger->balls[ball_id(th_poison_of(msg)->message)].poisoned,
                             1);
        else
            random_extras_hear(player->ledger->extras, self, msg);
    } else if (th_child_exited_of(msg))
        hear_of_child(player, th_child_exited_of(msg)->child);
    else if (th_exit_request_of(msg)) {
        if (pick(self, 8) == 0 && th_exit_keep_children(self) == TH_OK)
            player->me->kept_children = true;
        if (th_exit_request_of(msg)->keep_children)
            player->me->kept_children = true;
    } else
        random_extras_hear(player->ledger->extras, self, msg);
    return TH_OK;
}

static th_err player_receive(th_self *self, void *state, const th_msg *msg)
{
    struct player *player = state;
    th_err err;

    if (player->me->running++ != 0)
        random_ledger_wrong(player->ledger, "two handlers of one actor at once");
    if (player->me->exits == player->me->inits)
        random_ledger_wrong(player->ledger, "a message after the exit");
    err = handle(self, player, msg);
    player->me->running--;
    return err;
}

#define PLAYER(policy)                                                                             \
    {                                                                                              \
        .name = "player", .state_size = sizeof(struct player), .init = player_init,                \
        .receive = player_receive, .exit = player_exit, .on_failure = policy                       \
    }
static const th_class player_classes[3] = { PLAYER(TH_ON_FAILURE_KEEP),
                                            PLAYER(TH_ON_FAILURE_RESTART),
                                            PLAYER(TH_ON_FAILURE_STOP) };

/* ---- the witness: reads every dead letter ---- */

struct witness {
    struct random_ledger *ledger;
    int64_t probes;
    struct talk_waiter waiter;
};

static th_err witness_init(th_self *self, void *state, const th_msg *arg)
{
    struct witness *witness = state;

    witness->ledger = random_arg_of(arg)->ledger;
    return th_dead_letters_to_me(self, true);
}

static void read_letter(struct witness *witness, const th_msg *msg)
{
    struct random_ball *balls = witness->ledger->balls;

    if (ball_id(msg))
        atomic_fetch_add(&balls[ball_id(msg)].dead, 1);
    else if (th_poison_of(msg) && ball_id(th_poison_of(msg)->message))
        atomic_fetch_add(&balls[ball_id(th_poison_of(msg)->message)].poisoned, 1);
    else if (th_wakeup_of(msg) && ball_id(th_wakeup_of(msg)->payload))
        atomic_fetch_add(&balls[ball_id(th_wakeup_of(msg)->payload)].dead, 1);
    else
        random_extras_letter(witness->ledger->extras, msg);
}

static th_err witness_receive(th_self *self, void *state, const th_msg *msg)
{
    struct witness *witness = state;

    if (talk_number_of(msg))
        return talk_waiter_set(self, &witness->waiter, msg, witness->probes);
    if (!th_dead_letter_of(msg))
        return TH_OK;
    read_letter(witness, th_dead_letter_of(msg)->message);
    if (talk_is(th_dead_letter_of(msg)->message, "probe"))
        return talk_waiter_check(self, &witness->waiter, ++witness->probes);
    return TH_OK;
}

static const th_class witness_class = { .name = "witness",
                                        .state_size = sizeof(struct witness),
                                        .init = witness_init,
                                        .receive = witness_receive };

/* ---- the stage ---- */

static th_err open_witness(th_self *me, struct random_ledger *ledger, th_addr *witness_out)
{
    th_spawn_options options = { .klass = &witness_class };
    struct random_arg *arg;

    options.arg = random_arg_new(me, &arg);
    if (!options.arg)
        return TH_E_NOMEM;
    *arg = (struct random_arg){ .ledger = ledger };
    return th_create(me, &options, PATIENCE, witness_out, NULL);
}

static void open_balls(th_self *me, struct random_ledger *ledger, const struct random_plan *plan)
{
    for (uint32_t i = 0; i < plan->openings; i++) {
        uint32_t to = pick_player(me, ledger);

        if (to)
            throw_to_player(me, ledger, RANDOM_MAIN, to,
                            (struct random_mail){ .flags = random_flags(me), .fuel = plan->fuel });
    }
}

/* Poison of the opening balls comes back here. Returns how many players are gone. */
static uint32_t take_one(th_self *me, struct random_ledger *ledger, uint64_t limit, th_err *err)
{
    th_msg *msg = NULL;
    uint32_t gone = 0;

    *err = th_listen(me, limit, &msg);
    if (*err)
        return 0;
    gone = th_msg_type(msg) == &random_gone_type;
    if (th_poison_of(msg) && ball_id(th_poison_of(msg)->message))
        atomic_fetch_add(&ledger->balls[ball_id(th_poison_of(msg)->message)].poisoned, 1);
    th_msg_destroy(me, msg);
    return gone;
}

/* Until the first players have addresses, so that there is somebody to throw at. Returns how many
 * are gone already, of stage fright. */
static uint32_t wait_until_known(th_self *me, struct random_ledger *ledger, uint32_t count)
{
    uint32_t gone = 0;
    th_err err;

    for (uint32_t id = 1; id <= count; id++) {
        while (!atomic_load(&ledger->players[id].is_known))
            gone += take_one(me, ledger, TH_US(100), &err);
    }
    return gone;
}

/* No new acts, and everybody is asked to go. A player whose address is not known yet sees that we
 * are closing in its init, which makes the address known first and then looks: one of us two sees
 * the other, since all four accesses are seq_cst. */
static void close_stage(th_self *me, struct random_ledger *ledger)
{
    atomic_store(&ledger->is_closing, true);
    for (uint32_t id = 1; id < RANDOM_PLAYERS_MAX; id++) {
        if (atomic_load(&ledger->players[id].is_known))
            (void)!th_stop(me, ledger->players[id].addr);
    }
}

/* Until only the admin, the witness and whoever else was there before are left. A player says that
 * it goes before its mailbox is given to the dead letters, so its word alone is not enough. */
static const char *wait_until_gone(th_system *sys, th_self *me, struct random_ledger *ledger,
                                   uint32_t gone, uint64_t bystanders)
{
    th_system_status status;
    th_err err;

    while (gone < atomic_load(&ledger->spawned)) {
        gone += take_one(me, ledger, PATIENCE, &err);
        if (err)
            return "players that do not leave";
    }
    do {
        take_one(me, ledger, TH_US(100), &err);
        if (th_system_status_read(sys, &status))
            return "no status";
    } while (status.actors > bystanders);
    return NULL;
}

/* A letter after every other one. */
static const char *wait_for_letters(th_self *me, struct random_ledger *ledger, th_addr witness)
{
    struct talk_number *body;
    th_msg *question, *reply = NULL;
    th_err err;

    if (!atomic_load(&ledger->players[1].is_known))
        return NULL;
    if (talk_say(me, ledger->players[1].addr, "probe"))
        return "no probe";
    question = talk_number_new(me, &body);
    if (!question)
        return "no question";
    body->value = 1;
    err = th_ask(me, witness, question, PATIENCE, &reply);
    th_msg_destroy(me, reply);
    return err ? "letters that do not come" : NULL;
}

/* What is left of a play when its verdict is known; after it, nobody looks at the ledger. */
static const char *clear_stage(th_system *sys, th_self *me, struct random_ledger *ledger,
                               th_addr witness, uint64_t actors_before)
{
    const char *wrong = NULL;

    if (th_stop(me, witness))
        wrong = "a witness who cannot be stopped";
    else
        wrong = wait_until_gone(sys, me, ledger, UINT32_MAX, actors_before);
    if (wrong)
        return wrong;
    random_extras_free(ledger->extras);
    ledger->extras = NULL;
    return NULL;
}

static const char *play(th_system *sys, th_self *me, const struct random_plan *plan,
                        struct random_ledger *ledger)
{
    const char *wrong = NULL;
    th_system_status before, status;
    uint32_t gone = 0;
    th_addr witness;
    th_err err;

    if (th_system_status_read(sys, &before) || open_witness(me, ledger, &witness) ||
        th_system_status_read(sys, &status))
        return "no witness";
    ledger->extras = random_extras_open(me);
    if (!ledger->extras)
        return "no extras";
    if (plan->nomem_nth)
        (void)!th_inject_nomem(sys, plan->nomem_nth, false);
    for (int i = 0; i < FIRSTS; i++)
        spawn_player(me, ledger, th_self_addr(me), RANDOM_MAIN);
    if (atomic_load(&ledger->spawned) >= FIRSTS) /* fewer: out of memory, then never mind */
        gone += wait_until_known(me, ledger, FIRSTS);
    open_balls(me, ledger, plan);
    if (plan->base == TH_BASE_SIMPLE) {
        do
            gone += take_one(me, ledger, TH_MS(100), &err);
        while (!err);
        (void)!th_advance(sys, TH_S(1));
        wrong = random_ledger_questions_verdict(ledger);
    }
    (void)!th_inject_nomem(sys, 0, false);
    close_stage(me, ledger);
    random_extras_close(ledger->extras, me);
    if (!wrong)
        wrong = wait_until_gone(sys, me, ledger, gone, status.actors);
    if (!wrong)
        wrong = wait_for_letters(me, ledger, witness);
    if (!wrong)
        wrong = random_ledger_verdict(ledger, plan->nomem_nth == 0);
    if (!wrong)
        wrong = random_extras_verdict(ledger->extras, plan->nomem_nth == 0);
    return wrong ? wrong : clear_stage(sys, me, ledger, witness, before.actors);
}

const char *random_actors_play(th_system *sys, const struct random_plan *plan,
                               struct random_ledger *ledger)
{
    const char *wrong;
    th_self *me;

    random_ledger_clear(ledger);
    if (th_endpoint_open(sys, &me))
        return "no endpoint";
    wrong = play(sys, me, plan, ledger);
    if (th_endpoint_close(me) && !wrong)
        wrong = "an endpoint that does not close";
    return wrong;
}

struct random_result random_actors_run(const struct random_plan *plan, struct random_ledger *ledger)
{
    struct random_result result = { 0 };
    th_system_status status;
    th_system *sys = th_system_create(&(th_options){ .base = plan->base,
                                                     .seed = plan->seed,
                                                     .workers = plan->workers,
                                                     .log = &random_logging_options });

    if (!sys || th_system_start(sys)) {
        result.wrong = "no system";
        return result;
    }
    random_logging_start(sys);
    result.wrong = random_actors_play(sys, plan, ledger);
    if (plan->base == TH_BASE_SIMPLE && th_trace_hash(sys, &result.trace) && !result.wrong)
        result.wrong = "no trace";
    if (th_system_shutdown(sys, PATIENCE, NULL, NULL) && !result.wrong)
        result.wrong = "a shutdown that does not end";
    (void)!th_system_status_read(sys, &status);
    result.counts = status.counts;
    if (!result.wrong && status.counts.accepted != status.counts.handled + status.counts.dead)
        result.wrong = "accepted is not handled and dead";
    if (!result.wrong && status.counts.spawned != status.counts.exited)
        result.wrong = "spawned is not exited";
    if (th_system_destroy(sys) && !result.wrong)
        result.wrong = "a system that cannot be destroyed";
    result.balls = atomic_load(&ledger->ball_count);
    result.players = atomic_load(&ledger->player_count);
    result.questions = atomic_load(&ledger->question_count);
    return result;
}
