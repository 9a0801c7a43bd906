/* A principal that opens deputies, has them speak to players and set wakeups, and cancels some of
 * those; on the pool a thread speaks for it, too, until it is refused. What a deputy says comes
 * from the principal, and once; a wakeup comes once, or was cancelled. */
#include "tests/support/extras/extras.h"

#include <pthread.h>

enum { DEPUTIES = 3, TICKS_MAX = 512 };

#define WORD_FIELDS(F, S) F(S, bool_, by_thread)
TH_MESSAGE(random_deputy_word, WORD_FIELDS);
TH_MESSAGE_TYPE(random_deputy_word, WORD_FIELDS)

#define TICK_FIELDS(F, S) F(S, u32, number)
TH_MESSAGE(random_deputy_tick, TICK_FIELDS);
TH_MESSAGE_TYPE(random_deputy_tick, TICK_FIELDS)

/* By a player: do something. */
#define SPEAK_FIELDS(F, S) F(S, u32, pick)
TH_MESSAGE(random_deputy_speak, SPEAK_FIELDS);
TH_MESSAGE_TYPE(random_deputy_speak, SPEAK_FIELDS)

struct random_deputy_arg {
    struct random_extra_run *run;
};
TH_MESSAGE_LOCAL(random_deputy_arg);
TH_MESSAGE_LOCAL_TYPE(random_deputy_arg, NULL)

enum fate { NEVER_SET, IS_SET, CANCELLED, CAME };

struct deputies {
    th_addr principal;
    _Atomic uint32_t said, ended; /* words by the principal's own handler */
    _Atomic uint32_t said_by_thread, heard_of_thread;
    _Atomic uint8_t ticks[TICKS_MAX]; /* enum fate */
    _Atomic bool is_odd;
    /* the thread's, from `has_thread` on */
    pthread_t thread;
    th_self *speaker;
    th_addr listener;
    _Atomic bool has_thread;
};

static struct deputies *deputies_of(struct random_extra_run *run)
{
    return (struct deputies *)(void *)run->state;
}

static bool is_simple(struct random_extra_run *run)
{
    uint64_t now;

    return th_virtual_now(run->sys, &now) == TH_OK;
}

static th_err say(th_self *deputy, th_addr to, bool by_thread)
{
    return random_deputy_word_send(deputy, to, (struct random_deputy_word){ by_thread });
}

/* ---- the thread ---- */

static void *speak_on(void *context)
{
    struct deputies *all = context;

    for (int i = 0; i < 50 && say(all->speaker, all->listener, true) == TH_OK; i++)
        atomic_fetch_add(&all->said_by_thread, 1);
    (void)!th_deputy_close(all->speaker);
    return NULL;
}

static void start_thread(th_self *self, struct random_extra_run *run, th_addr listener)
{
    struct deputies *all = deputies_of(run);

    if (atomic_load(&all->has_thread) || is_simple(run) ||
        th_deputy_open(self, &all->speaker) != TH_OK)
        return;
    all->listener = listener;
    if (pthread_create(&all->thread, NULL, speak_on, all) == 0)
        atomic_store(&all->has_thread, true);
    else
        (void)!th_deputy_close(all->speaker);
}

/* ---- the principal ---- */

struct principal {
    struct random_extra_run *run;
    th_self *deputies[DEPUTIES];
    uint32_t ticks; /* numbers given */
    uint32_t last;  /* the wakeup to cancel, if any */
    uint64_t last_id;
};

static th_err principal_init(th_self *self, void *state, const th_msg *arg)
{
    ((struct principal *)state)->run = random_deputy_arg_of(arg)->run;
    return TH_OK;
}

static void principal_exit(th_self *self, void *state)
{
    struct principal *principal = state;

    for (int i = 0; i < DEPUTIES; i++)
        if (principal->deputies[i])
            (void)!th_deputy_close(principal->deputies[i]);
}

static void turn(th_self *self, th_self **deputy)
{
    if (*deputy) {
        (void)!th_deputy_close(*deputy);
        *deputy = NULL;
    } else if (th_deputy_open(self, deputy) != TH_OK) {
        *deputy = NULL;
    }
}

/* Set before it can come. */
static void set_tick(struct principal *principal, th_self *deputy, uint32_t pick)
{
    struct deputies *all = deputies_of(principal->run);
    struct random_deputy_tick *body;
    uint32_t number = principal->ticks;
    th_msg *msg;

    if (number >= TICKS_MAX)
        return;
    msg = random_deputy_tick_new(deputy, &body);
    if (!msg)
        return;
    body->number = number;
    principal->ticks++;
    principal->last = number;
    atomic_store(&all->ticks[number], IS_SET);
    if (th_wakeup_after(deputy, TH_US(pick % 500), msg, &principal->last_id) != TH_OK) {
        atomic_store(&all->ticks[number], NEVER_SET);
        principal->last_id = 0;
    }
}

static void cancel_tick(th_self *self, struct principal *principal)
{
    struct deputies *all = deputies_of(principal->run);

    if (principal->last_id && th_wakeup_cancel(self, principal->last_id) == TH_OK &&
        atomic_exchange(&all->ticks[principal->last], CANCELLED) != IS_SET)
        atomic_store(&all->is_odd, true);
    principal->last_id = 0;
}

static void speak(th_self *self, struct principal *principal, th_addr to, uint32_t pick)
{
    struct deputies *all = deputies_of(principal->run);
    th_self **deputy = &principal->deputies[pick / 8 % DEPUTIES];

    switch (pick % 8) {
    case 0: turn(self, deputy); break;
    case 1: cancel_tick(pick & 8 && *deputy ? *deputy : self, principal); break;
    case 2: start_thread(self, principal->run, to); break;
    case 3:
    case 4:
        if (*deputy)
            set_tick(principal, *deputy, pick / 64);
        break;
    default:
        if (*deputy && say(*deputy, to, false) == TH_OK)
            atomic_fetch_add(&all->said, 1);
    }
}

static void come(struct random_extra_run *run, const th_msg *payload)
{
    const struct random_deputy_tick *tick = random_deputy_tick_of(payload);

    if (tick && atomic_exchange(&deputies_of(run)->ticks[tick->number], CAME) != IS_SET)
        atomic_store(&deputies_of(run)->is_odd, true);
}

static th_err principal_receive(th_self *self, void *state, const th_msg *msg)
{
    const struct random_deputy_speak *order = random_deputy_speak_of(msg);
    struct principal *principal = state;

    if (th_wakeup_of(msg))
        come(principal->run, th_wakeup_of(msg)->payload);
    else if (order)
        speak(self, principal, th_msg_sender(msg), order->pick);
    return TH_OK;
}

static const th_class principal_class = { .name = "random.deputy.principal",
                                          .state_size = sizeof(struct principal),
                                          .init = principal_init,
                                          .receive = principal_receive,
                                          .exit = principal_exit };

/* ---- the extra ---- */

static th_err begin(th_self *me, struct random_extra_run *run)
{
    struct random_deputy_arg *body;
    th_msg *arg = random_deputy_arg_new(me, &body);

    if (!arg)
        return TH_E_NOMEM;
    body->run = run;
    return th_spawn(me, &principal_class, arg, &deputies_of(run)->principal);
}

static void act(th_self *player, struct random_extra_run *run)
{
    for (int i = 0; i < 16; i++)
        (void)!random_deputy_speak_send(
            player, deputies_of(run)->principal,
            (struct random_deputy_speak){ .pick = (uint32_t)(th_random(player) >> 40) });
}

static void end_word(struct random_extra_run *run, const th_msg *msg)
{
    struct deputies *all = deputies_of(run);
    const struct random_deputy_word *word = random_deputy_word_of(msg);

    if (!word)
        return;
    atomic_fetch_add(word->by_thread ? &all->heard_of_thread : &all->ended, 1);
    if (!th_addr_equal(th_msg_sender(msg), all->principal))
        atomic_store(&all->is_odd, true);
}

static void hear(th_self *player, struct random_extra_run *run, const th_msg *msg)
{
    end_word(run, msg);
}

static void letter(struct random_extra_run *run, const th_msg *msg)
{
    end_word(run, msg);
}

static void close(th_self *me, struct random_extra_run *run)
{
    (void)!th_stop(me, deputies_of(run)->principal);
}

/* Time has passed every limit before the end, on the simple base. */
static const char *verdict(struct random_extra_run *run, bool is_exact)
{
    struct deputies *all = deputies_of(run);
    uint32_t said = atomic_load(&all->said), ended = atomic_load(&all->ended);

    if (atomic_load(&all->has_thread))
        pthread_join(all->thread, NULL);
    if (atomic_load(&all->is_odd))
        return "a deputy's word is another's, or its wakeup came twice or cancelled";
    if (ended > said || atomic_load(&all->heard_of_thread) > atomic_load(&all->said_by_thread))
        return "a deputy's word came twice";
    if (is_exact && ended < said)
        return "a deputy's word was lost";
    for (int i = 0; is_exact && is_simple(run) && i < TICKS_MAX; i++)
        if (atomic_load(&all->ticks[i]) == IS_SET)
            return "a deputy's wakeup was lost";
    return NULL;
}

const struct random_extra random_extra_deputy = {
    .name = "deputy",
    .state_size = sizeof(struct deputies),
    .begin = begin,
    .act = act,
    .hear = hear,
    .letter = letter,
    .close = close,
    .verdict = verdict,
};
