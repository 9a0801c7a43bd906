/* A few names that everybody gets, creates and stops, for actors that need a capability which comes
 * and goes. Never do two of one name live at once, and in the end none does. */
#include "tests/support/extras/extras.h"

enum { NAMES = 3 };

static const char *const names[NAMES] = { "random.names.0", "random.names.1", "random.names.2" };
static const char capability[] = "random.names.mood";

struct names {
    _Atomic uint32_t made, unfit;
    _Atomic int alive[NAMES];
    _Atomic bool met, odd; /* two of one name; an answer that cannot be */
};

struct random_names_arg {
    struct random_extra_run *run;
    uint32_t which;
};
TH_MESSAGE_LOCAL(random_names_arg);
TH_MESSAGE_LOCAL_TYPE(random_names_arg, NULL)

static struct names *names_of(struct random_extra_run *run)
{
    return (struct names *)(void *)run->state;
}

static th_err named_init(th_self *self, void *state, const th_msg *arg)
{
    struct random_names_arg *mine = state;
    struct names *all;
    const char *name = th_self_name(self);

    *mine = *random_names_arg_of(arg);
    all = names_of(mine->run);
    atomic_fetch_add(&all->made, 1);
    if (atomic_fetch_add(&all->alive[mine->which], 1) != 0)
        atomic_store(&all->met, true);
    if (!name || strcmp(name, names[mine->which]) != 0)
        atomic_store(&all->odd, true);
    /* close() stops who is there; who comes later does not stay */
    return atomic_load(&mine->run->is_closing) ? th_exit(self) : TH_OK;
}

static void named_exit(th_self *self, void *state)
{
    struct random_names_arg *mine = state;

    if (mine->run) /* init has run */
        atomic_fetch_sub(&names_of(mine->run)->alive[mine->which], 1);
}

static const th_need needs[] = { { .name = capability }, { .name = NULL } };
static const th_class named_class = { .name = "random.names.one",
                                      .state_size = sizeof(struct random_names_arg),
                                      .init = named_init,
                                      .exit = named_exit,
                                      .needs = needs };

static th_err begin(th_self *me, struct random_extra_run *run)
{
    return th_capability_set(me, capability, (th_value)TH_BOOL(true));
}

static void get(th_self *player, struct random_extra_run *run, uint32_t which)
{
    th_spawn_options options = { .klass = &named_class, .global_name = names[which] };
    struct random_names_arg *body;
    th_addr addr;
    th_err err;

    options.arg = random_names_arg_new(player, &body);
    if (!options.arg)
        return;
    *body = (struct random_names_arg){ run, which };
    err = th_spawn_with(player, &options, &addr);
    if (err == TH_E_UNFIT)
        atomic_fetch_add(&names_of(run)->unfit, 1);
    else if (err == TH_OK && th_addr_is_none(addr))
        atomic_store(&names_of(run)->odd, true);
}

static void act(th_self *player, struct random_extra_run *run)
{
    uint32_t which = (uint32_t)(th_random(player) >> 40) % NAMES;
    th_addr addr;

    switch ((th_random(player) >> 40) % 8) {
    case 0: (void)!th_capability_remove(player, capability); return;
    case 1:
    case 2: (void)!th_capability_set(player, capability, (th_value)TH_BOOL(true)); return;
    case 3:
        if (th_name_find(player, names[which], &addr) == TH_OK)
            (void)!th_stop(player, addr);
        return;
    default: get(player, run, which);
    }
}

static void close(th_self *me, struct random_extra_run *run)
{
    th_addr addr;

    for (int i = 0; i < NAMES; i++)
        if (th_name_find(me, names[i], &addr) == TH_OK && th_stop(me, addr) != TH_OK)
            (void)!th_stop(me, addr); /* one allocation fails, not two */
}

static const char *verdict(struct random_extra_run *run, bool is_exact)
{
    struct names *all = names_of(run);

    if (atomic_load(&all->met))
        return "two actors of one name ran side by side";
    if (atomic_load(&all->odd))
        return "a name that is not its actor's, or is nobody's";
    for (int i = 0; i < NAMES; i++)
        if (atomic_load(&all->alive[i]) != 0)
            return "a named actor's exit function did not run once";
    return NULL;
}

const struct random_extra random_extra_names = {
    .name = "names",
    .state_size = sizeof(struct names),
    .begin = begin,
    .act = act,
    .close = close,
    .verdict = verdict,
};
