/* Three supervisors, one of each strategy, whose children fail, end in order, and are asked for by
 * id. Never do two of one child live at once, each that started ends, and whoever asks is answered
 * or the supervisor is no more. */
#include "tests/support/extras/extras.h"

#include <stdio.h>

enum { STRATEGIES = 3, CHILDREN = 3, ALL = STRATEGIES * CHILDREN };

struct supervisors {
    th_addr them[STRATEGIES];
    _Atomic uint64_t children[ALL]; /* slot << 32 | generation of the last one started */
    _Atomic int alive[ALL];
    _Atomic uint32_t asked, answered, dead;
    _Atomic bool met, is_odd;
};

static struct supervisors *supervisors_of(struct random_extra_run *run)
{
    return (struct supervisors *)(void *)run->state;
}

#define SUPERVISORS_END_FIELDS(F, S) F(S, u32, why)
TH_MESSAGE(random_supervisors_end, SUPERVISORS_END_FIELDS);
TH_MESSAGE_TYPE(random_supervisors_end, SUPERVISORS_END_FIELDS)

struct random_supervisors_arg {
    struct random_extra_run *run;
    uint32_t which;
};
TH_MESSAGE_LOCAL(random_supervisors_arg);
TH_MESSAGE_LOCAL_TYPE(random_supervisors_arg, NULL)

static th_err child_init(th_self *self, void *state, const th_msg *arg)
{
    struct random_supervisors_arg *mine = state;
    th_addr me = th_self_addr(self);
    struct supervisors *all;

    *mine = *random_supervisors_arg_of(arg);
    all = supervisors_of(mine->run);
    if (atomic_fetch_add(&all->alive[mine->which], 1) != 0)
        atomic_store(&all->met, true);
    atomic_store(&all->children[mine->which], (uint64_t)me.slot << 32 | me.generation);
    return TH_OK;
}

static th_err child_receive(th_self *self, void *state, const th_msg *msg)
{
    const struct random_supervisors_end *end = random_supervisors_end_of(msg);

    if (!end)
        return TH_OK;
    return end->why % 2 ? th_exit(self) : th_exit_because(self, TH_E_FAILED, "as it is told");
}

static void child_exit(th_self *self, void *state)
{
    struct random_supervisors_arg *mine = state;

    if (mine->run) /* init has run */
        atomic_fetch_sub(&supervisors_of(mine->run)->alive[mine->which], 1);
}

static const th_class child_class = { .name = "random.supervisors.child",
                                      .state_size = sizeof(struct random_supervisors_arg),
                                      .init = child_init,
                                      .receive = child_receive,
                                      .exit = child_exit };

/* The child that gives up last is permanent, the first one temporary. */
static th_err make(th_self *me, struct random_extra_run *run, uint32_t strategy)
{
    static const char *const ids[CHILDREN] = { "first", "second", "third" };
    static const th_restart restarts[CHILDREN] = { TH_RESTART_TEMPORARY, TH_RESTART_TRANSIENT,
                                                   TH_RESTART_PERMANENT };
    th_supervisor_options options = { .strategy = (th_strategy)strategy, .restarts_max = 10 };
    th_child_spec specs[CHILDREN];
    struct random_supervisors_arg *body;

    for (uint32_t i = 0; i < CHILDREN; i++) {
        specs[i] = (th_child_spec){ .id = ids[i], .klass = &child_class, .restart = restarts[i] };
        specs[i].arg = random_supervisors_arg_new(me, &body);
        if (specs[i].arg)
            *body = (struct random_supervisors_arg){ run, strategy * CHILDREN + i };
    }
    return th_supervisor_spawn(me, specs, CHILDREN, &options, &supervisors_of(run)->them[strategy]);
}

static void close(th_self *me, struct random_extra_run *run)
{
    for (int i = 0; i < STRATEGIES; i++)
        if (!th_addr_is_none(supervisors_of(run)->them[i]))
            (void)!th_stop(me, supervisors_of(run)->them[i]);
}

static th_err begin(th_self *me, struct random_extra_run *run)
{
    th_err err = TH_OK;

    for (uint32_t i = 0; i < STRATEGIES && !err; i++)
        err = make(me, run, i);
    if (err)
        close(me, run);
    return err;
}

static void end_child(th_self *player, struct random_extra_run *run, uint32_t which, uint32_t why)
{
    uint64_t child = atomic_load(&supervisors_of(run)->children[which]);
    th_addr addr = { th_system_id(run->sys), (uint32_t)(child >> 32), (uint32_t)child };

    if (child)
        (void)!random_supervisors_end_send(player, addr, (struct random_supervisors_end){ why });
}

static void act(th_self *player, struct random_extra_run *run)
{
    struct supervisors *all = supervisors_of(run);
    uint64_t pick = th_random(player) >> 20;
    struct th_supervisor_find *body;
    th_msg *question;

    if (pick % 4) {
        end_child(player, run, (uint32_t)(pick >> 8) % ALL, (uint32_t)(pick >> 4));
        return;
    }
    question = th_supervisor_find_new(player, &body);
    if (!question)
        return;
    snprintf(body->id, sizeof(body->id), "%s", pick & 64 ? "second" : "nobody");
    atomic_fetch_add(&all->asked, 1);
    if (th_send(player, all->them[(pick >> 8) % STRATEGIES], question) != TH_OK)
        atomic_fetch_sub(&all->asked, 1);
}

static void hear(th_self *player, struct random_extra_run *run, const th_msg *msg)
{
    const struct th_supervisor_child *child = th_supervisor_child_of(msg);

    if (!child)
        return;
    atomic_fetch_add(&supervisors_of(run)->answered, 1);
    if ((strcmp(child->id, "nobody") == 0) != (child->err == (uint32_t)TH_E_NO_ACTOR))
        atomic_store(&supervisors_of(run)->is_odd, true);
}

static void letter(struct random_extra_run *run, const th_msg *msg)
{
    if (th_supervisor_child_of(msg) || th_supervisor_find_of(random_extra_unwrap(msg)))
        atomic_fetch_add(&supervisors_of(run)->dead, 1);
}

static const char *verdict(struct random_extra_run *run, bool is_exact)
{
    struct supervisors *all = supervisors_of(run);
    uint32_t asked = atomic_load(&all->asked);
    uint32_t ended = atomic_load(&all->answered) + atomic_load(&all->dead);

    if (atomic_load(&all->met))
        return "two of one supervised child lived side by side";
    if (atomic_load(&all->is_odd))
        return "a supervisor knows a child that nobody gave it";
    for (int i = 0; i < ALL; i++)
        if (atomic_load(&all->alive[i]) != 0)
            return "a supervised child started more often than it ended";
    if (ended > asked)
        return "a supervisor answered twice";
    return is_exact && ended < asked ? "a supervisor did not answer" : NULL;
}

const struct random_extra random_extra_supervisors = {
    .name = "supervisors",
    .state_size = sizeof(struct supervisors),
    .begin = begin,
    .act = act,
    .hear = hear,
    .letter = letter,
    .close = close,
    .verdict = verdict,
};
