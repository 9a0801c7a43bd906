/* Players ask themselves, others and the system how they are. Each question to the system ends
 * once: with its report, which is perhaps a dead letter; so does each to an actor that lives. */
#include "tests/support/extras/extras.h"

enum { SUBJECTS = 3 };

/* Two kinds of question are counted; that to oneself may end with oneself. */
enum kind { OF_SYSTEM, OF_SUBJECT, KINDS };

struct status {
    th_addr subjects[SUBJECTS];
    _Atomic uint32_t asked[KINDS], ended[KINDS];
    _Atomic bool is_odd;
};

static struct status *status_of(struct random_extra_run *run)
{
    return (struct status *)(void *)run->state;
}

static bool is_simple(struct random_extra_run *run)
{
    uint64_t now;

    return th_virtual_now(run->sys, &now) == TH_OK;
}

static const th_class subject_class = { .name = "random.status.subject" };

static th_err begin(th_self *me, struct random_extra_run *run)
{
    th_err err = TH_OK;

    for (int i = 0; i < SUBJECTS && !err; i++)
        err = th_spawn(me, &subject_class, NULL, &status_of(run)->subjects[i]);
    for (int i = 0; err && i < SUBJECTS; i++)
        if (!th_addr_is_none(status_of(run)->subjects[i]))
            (void)!th_stop(me, status_of(run)->subjects[i]);
    return err;
}

static void ask(th_self *player, struct status *status, enum kind kind, uint64_t pick)
{
    uint32_t parts = pick & 128 ? TH_STATUS_SYSTEM : 0;
    th_err err;

    atomic_fetch_add(&status->asked[kind], 1);
    if (kind == OF_SYSTEM)
        err = th_ask_system_status(player, pick & 64 ? TH_STATUS_JSON : TH_STATUS_TEXT, parts);
    else
        err = th_ask_actor_status(player, status->subjects[(pick >> 8) % SUBJECTS]);
    if (err)
        atomic_fetch_sub(&status->asked[kind], 1);
}

static void act(th_self *player, struct random_extra_run *run)
{
    uint64_t pick = th_random(player) >> 20;

    if (pick % 4 == 0)
        (void)!th_ask_actor_status(player, th_self_addr(player));
    else
        ask(player, status_of(run), pick % 4 == 1 ? OF_SYSTEM : OF_SUBJECT, pick);
}

/* A report reached a player, or nobody. On the pool its figures are of moments in a row, so only
 * where nothing moves meanwhile do they have to balance. */
static void count(struct random_extra_run *run, const th_msg *msg)
{
    struct status *status = status_of(run);
    const struct th_actor_report *actor = th_actor_report_of(msg);
    const struct th_system_report *system = th_system_report_of(msg);

    if (system) {
        atomic_fetch_add(&status->ended[OF_SYSTEM], 1);
        if (is_simple(run) &&
            (system->accepted < system->handled + system->dead || system->spawned < system->exited))
            atomic_store(&status->is_odd, true);
    }
    for (int i = 0; actor && i < SUBJECTS; i++)
        if (th_addr_equal(actor->actor, status->subjects[i]))
            atomic_fetch_add(&status->ended[OF_SUBJECT], 1);
}

static void hear(th_self *player, struct random_extra_run *run, const th_msg *msg)
{
    count(run, msg);
}

static void letter(struct random_extra_run *run, const th_msg *msg)
{
    count(run, msg);
}

static void close(th_self *me, struct random_extra_run *run)
{
    for (int i = 0; i < SUBJECTS; i++)
        (void)!th_stop(me, status_of(run)->subjects[i]);
}

/* On the pool a subject may be stopped before it has read a question. */
static const char *verdict(struct random_extra_run *run, bool is_exact)
{
    struct status *status = status_of(run);

    if (atomic_load(&status->is_odd))
        return "a report that cannot be true";
    for (int i = 0; i < KINDS; i++) {
        uint32_t asked = atomic_load(&status->asked[i]), ended = atomic_load(&status->ended[i]);

        if (ended > asked)
            return "more reports than were asked for";
        if (is_exact && ended < asked && (is_simple(run) || i == OF_SYSTEM))
            return "a question about the status was lost";
    }
    return NULL;
}

const struct random_extra random_extra_status = {
    .name = "status",
    .state_size = sizeof(struct status),
    .begin = begin,
    .act = act,
    .hear = hear,
    .letter = letter,
    .close = close,
    .verdict = verdict,
};
