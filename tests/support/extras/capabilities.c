/* A capability that players change, and a house whose lodgers need it to be at least something.
 * Who does not fit is not taken in, and who does not fit any more goes, for that reason; so when
 * all is quiet nobody lives there who should not. */
#include "tests/support/extras/extras.h"

enum { LEVELS = 6, LODGERS_MAX = 12 };

static const char wealth[] = "random.wealth";

struct capabilities {
    th_addr house;
    _Atomic uint32_t taken_in, gone;
    _Atomic int alive[LEVELS];
    _Atomic bool is_odd;
};

static struct capabilities *capabilities_of(struct random_extra_run *run)
{
    return (struct capabilities *)(void *)run->state;
}

#define CAPABILITIES_KNOCK_FIELDS(F, S) F(S, u32, level)
TH_MESSAGE(random_capabilities_knock, CAPABILITIES_KNOCK_FIELDS);
TH_MESSAGE_TYPE(random_capabilities_knock, CAPABILITIES_KNOCK_FIELDS)

struct random_capabilities_arg {
    struct random_extra_run *run;
    uint32_t level;
};
TH_MESSAGE_LOCAL(random_capabilities_arg);
TH_MESSAGE_LOCAL_TYPE(random_capabilities_arg, NULL)

static bool is_simple(struct random_extra_run *run)
{
    uint64_t now;

    return th_virtual_now(run->sys, &now) == TH_OK;
}

/* ---- who lives there ---- */

static th_err lodger_init(th_self *self, void *state, const th_msg *arg)
{
    struct random_capabilities_arg *mine = state;

    *mine = *random_capabilities_arg_of(arg);
    atomic_fetch_add(&capabilities_of(mine->run)->alive[mine->level], 1);
    return TH_OK;
}

static void lodger_exit(th_self *self, void *state)
{
    struct random_capabilities_arg *mine = state;

    if (mine->run) /* init has run */
        atomic_fetch_sub(&capabilities_of(mine->run)->alive[mine->level], 1);
}

static const th_class lodger_class = { .name = "random.capabilities.lodger",
                                       .state_size = sizeof(struct random_capabilities_arg),
                                       .init = lodger_init,
                                       .exit = lodger_exit };

static th_msg *make_arg(th_self *self, struct random_extra_run *run, uint32_t level)
{
    struct random_capabilities_arg *body;
    th_msg *arg = random_capabilities_arg_new(self, &body);

    if (arg)
        *body = (struct random_capabilities_arg){ run, level };
    return arg;
}

/* ---- the house ---- */

struct house {
    struct random_extra_run *run;
    uint32_t lodgers;
};

static th_err house_init(th_self *self, void *state, const th_msg *arg)
{
    ((struct house *)state)->run = random_capabilities_arg_of(arg)->run;
    return TH_OK;
}

static bool would_fit(const th_facts *facts, uint32_t level)
{
    const th_value *now = th_facts_get(facts, wealth);

    return now && now->as.integer >= (int64_t)level;
}

static void knock(th_self *self, struct house *house, uint32_t level)
{
    const th_need needs[] = { { wealth, TH_NEED_AT_LEAST, TH_INTEGER((int64_t)level) },
                              { .name = NULL } };
    th_spawn_options options = { .klass = &lodger_class, .needs = needs };
    bool fits = would_fit(th_capabilities_now(self), level);
    th_addr addr;
    th_err err;

    options.arg = make_arg(self, house->run, level);
    if (!options.arg)
        return;
    err = th_spawn_with(self, &options, &addr);
    if (err == TH_OK) {
        house->lodgers++;
        atomic_fetch_add(&capabilities_of(house->run)->taken_in, 1);
    }
    /* on the pool somebody may have changed it in between */
    if (is_simple(house->run) && err != TH_E_NOMEM && (err == TH_OK) != fits)
        atomic_store(&capabilities_of(house->run)->is_odd, true);
}

static th_err house_receive(th_self *self, void *state, const th_msg *msg)
{
    const struct random_capabilities_knock *wish = random_capabilities_knock_of(msg);
    const struct th_child_exited *exited = th_child_exited_of(msg);
    struct house *house = state;

    if (wish && house->lodgers < LODGERS_MAX)
        knock(self, house, wish->level % LEVELS);
    if (exited) {
        house->lodgers--;
        atomic_fetch_add(&capabilities_of(house->run)->gone, 1);
    }
    return TH_OK;
}

static const th_class house_class = { .name = "random.capabilities.house",
                                      .state_size = sizeof(struct house),
                                      .init = house_init,
                                      .receive = house_receive };

/* ---- the extra ---- */

static th_err begin(th_self *me, struct random_extra_run *run)
{
    th_msg *arg = make_arg(me, run, 0);

    if (!arg)
        return TH_E_NOMEM;
    return th_spawn(me, &house_class, arg, &capabilities_of(run)->house);
}

static void act(th_self *player, struct random_extra_run *run)
{
    uint64_t pick = th_random(player) >> 20;
    uint32_t level = (uint32_t)(pick >> 8) % LEVELS;

    switch (pick % 8) {
    case 0: (void)!th_capability_remove(player, wealth); break;
    case 1:
    case 2: (void)!th_capability_set(player, wealth, (th_value)TH_INTEGER((int64_t)level)); break;
    default:
        (void)!random_capabilities_knock_send(player, capabilities_of(run)->house,
                                              (struct random_capabilities_knock){ level });
    }
}

/* On the simple base all is quiet now. */
static void close(th_self *me, struct random_extra_run *run)
{
    struct capabilities *all = capabilities_of(run);
    th_facts *facts = is_simple(run) ? th_capabilities_hold(me) : NULL;

    for (uint32_t level = 0; facts && level < LEVELS; level++)
        if (atomic_load(&all->alive[level]) && !would_fit(facts, level))
            atomic_store(&all->is_odd, true);
    th_facts_release(facts);
    (void)!th_stop(me, all->house);
}

static const char *verdict(struct random_extra_run *run, bool is_exact)
{
    struct capabilities *all = capabilities_of(run);

    if (atomic_load(&all->is_odd))
        return "an actor lives without what it needs, or was not let in with it";
    for (int level = 0; level < LEVELS; level++)
        if (atomic_load(&all->alive[level]) != 0)
            return "an actor with needs that started more often than it ended";
    if (is_exact && atomic_load(&all->gone) != atomic_load(&all->taken_in))
        return "a parent did not hear of the end of an actor with needs";
    return NULL;
}

const struct random_extra random_extra_capabilities = {
    .name = "capabilities",
    .state_size = sizeof(struct capabilities),
    .begin = begin,
    .act = act,
    .close = close,
    .verdict = verdict,
};
