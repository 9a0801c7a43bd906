/* A nursery whose children leave by themselves, for want of work or by age. In virtual time none
 * leaves early or late, nor one that was never sent anything, and a wakeup is no work; one that
 * puts its leaving off is given its time anew. Each child's end is heard of once, and for that
 * reason. */
#include "tests/support/extras/extras.h"

enum { CHILDREN_MAX = 6 };

#define KNOCK_FIELDS(F, S) F(S, u32, pick)
TH_MESSAGE(random_transient_knock, KNOCK_FIELDS);
TH_MESSAGE_TYPE(random_transient_knock, KNOCK_FIELDS)

/* For a child. */
TH_SIGNAL(random_transient_toy);
TH_SIGNAL_TYPE(random_transient_toy)

struct random_transient_arg {
    struct random_extra_run *run;
    uint64_t age_ns, idle_ns; /* TH_FOREVER: without limit */
};
TH_MESSAGE_LOCAL(random_transient_arg);
TH_MESSAGE_LOCAL_TYPE(random_transient_arg, NULL)

struct transients {
    th_addr nursery;
    _Atomic uint32_t born, gone, given, played, dead;
    _Atomic bool is_untimely, is_odd;
};

static struct transients *transients_of(struct random_extra_run *run)
{
    return (struct transients *)(void *)run->state;
}

/* On the pool a clock is read here and there, and the account is not exact. */
static bool is_simple(struct random_extra_run *run)
{
    uint64_t now;

    return th_virtual_now(run->sys, &now) == TH_OK;
}

/* ---- a child ---- */

struct child {
    struct random_transient_arg its;
    uint64_t first_ns, last_ns; /* when its age, and its idleness, began */
    bool has_begun, has_stayed;
};

static th_err child_init(th_self *self, void *state, const th_msg *arg)
{
    ((struct child *)state)->its = *random_transient_arg_of(arg);
    return TH_OK;
}

static void play(th_self *self, struct child *child)
{
    child->last_ns = th_now(self);
    if (!child->has_begun)
        child->first_ns = child->last_ns;
    child->has_begun = true;
    atomic_fetch_add(&transients_of(child->its.run)->played, 1);
    (void)!th_wakeup_after(self, TH_US(300), NULL, NULL);
}

static uint64_t after(uint64_t since, uint64_t limit)
{
    return limit == TH_FOREVER ? TH_FOREVER : since + limit;
}

/* When it is to be asked to leave. */
static uint64_t due(const struct child *child)
{
    uint64_t aged = after(child->first_ns, child->its.age_ns);
    uint64_t idle = after(child->last_ns, child->its.idle_ns);

    if (!child->has_begun)
        return TH_FOREVER;
    return aged < idle ? aged : idle;
}

/* Every other one stays on, once. */
static void leave(th_self *self, struct child *child)
{
    struct random_extra_run *run = child->its.run;
    bool is_closing = atomic_load(&run->is_closing);
    uint64_t now = th_now(self);

    /* virtual time: neither early nor late; at the close it has passed every limit */
    if (is_simple(run) && due(child) != (is_closing ? TH_FOREVER : now))
        atomic_store(&transients_of(run)->is_untimely, true);
    if (is_closing || child->has_stayed || th_random(self) >> 40 & 1)
        return;
    child->has_stayed = th_exit_later(self) == TH_OK;
    child->first_ns = child->last_ns = now;
}

static th_err child_receive(th_self *self, void *state, const th_msg *msg)
{
    if (th_msg_type(msg) == &random_transient_toy_type)
        play(self, state);
    else if (th_exit_request_of(msg))
        leave(self, state);
    return TH_OK;
}

static const th_class child_class = { .name = "random.transient.child",
                                      .state_size = sizeof(struct child),
                                      .init = child_init,
                                      .receive = child_receive };

/* ---- the nursery ---- */

struct nursery {
    struct random_extra_run *run;
    uint32_t count;
    th_addr children[CHILDREN_MAX];
};

static th_msg *make_arg(th_self *self, struct random_extra_run *run, uint64_t age, uint64_t idle)
{
    struct random_transient_arg *body;
    th_msg *arg = random_transient_arg_new(self, &body);

    if (arg)
        *body = (struct random_transient_arg){ run, age, idle };
    return arg;
}

static th_err nursery_init(th_self *self, void *state, const th_msg *arg)
{
    ((struct nursery *)state)->run = random_transient_arg_of(arg)->run;
    return TH_OK;
}

static void bear(th_self *self, struct nursery *nursery, uint32_t pick)
{
    th_spawn_options options = { .klass = &child_class,
                                 .age_ns_max = pick & 1 ? TH_MS(1 + pick / 4 % 8) : TH_FOREVER,
                                 .idle_ns_max =
                                     pick & 2 ? TH_US(200 + pick / 4 % 800) : TH_FOREVER };

    options.arg = make_arg(self, nursery->run, options.age_ns_max, options.idle_ns_max);
    if (!options.arg || th_spawn_with(self, &options, &nursery->children[nursery->count]))
        return;
    nursery->count++;
    atomic_fetch_add(&transients_of(nursery->run)->born, 1);
}

static void give(th_self *self, struct nursery *nursery)
{
    th_addr child = nursery->children[(th_random(self) >> 40) % nursery->count];

    if (random_transient_toy_send(self, child, (struct random_transient_toy){ 0 }) == TH_OK)
        atomic_fetch_add(&transients_of(nursery->run)->given, 1);
}

static void miss(struct nursery *nursery, const struct th_child_exited *exited)
{
    struct transients *all = transients_of(nursery->run);
    uint32_t i = 0;

    while (i < nursery->count && !th_addr_equal(nursery->children[i], exited->child))
        i++;
    if (i == nursery->count) {
        atomic_store(&all->is_odd, true);
        return;
    }
    nursery->children[i] = nursery->children[--nursery->count];
    atomic_fetch_add(&all->gone, 1);
    /* without memory its init may fail */
    if (exited->reason != TH_EXIT_TRANSIENT && exited->reason != TH_EXIT_INIT &&
        !atomic_load(&nursery->run->is_closing))
        atomic_store(&all->is_odd, true);
}

static th_err nursery_receive(th_self *self, void *state, const th_msg *msg)
{
    const struct random_transient_knock *knock = random_transient_knock_of(msg);
    struct nursery *nursery = state;

    if (th_child_exited_of(msg))
        miss(nursery, th_child_exited_of(msg));
    if (th_wakeup_of(msg) && nursery->count)
        give(self, nursery);
    if (!knock)
        return TH_OK;
    if (nursery->count < CHILDREN_MAX && knock->pick % 2)
        bear(self, nursery, knock->pick / 2);
    for (uint32_t i = 0; i < knock->pick / 2 % 4; i++)
        (void)!th_wakeup_after(self, TH_US(th_random(self) % 4000), NULL, NULL);
    return TH_OK;
}

static const th_class nursery_class = { .name = "random.transient.nursery",
                                        .state_size = sizeof(struct nursery),
                                        .init = nursery_init,
                                        .receive = nursery_receive };

/* ---- the extra ---- */

static th_err begin(th_self *me, struct random_extra_run *run)
{
    th_msg *arg = make_arg(me, run, 0, 0);

    return arg ? th_spawn(me, &nursery_class, arg, &transients_of(run)->nursery) : TH_E_NOMEM;
}

static void act(th_self *player, struct random_extra_run *run)
{
    th_addr nursery = transients_of(run)->nursery;

    for (int i = 0; i < 4; i++)
        (void)!random_transient_knock_send(
            player, nursery,
            (struct random_transient_knock){ .pick = (uint32_t)(th_random(player) >> 40) });
}

static void letter(struct random_extra_run *run, const th_msg *msg)
{
    if (th_msg_type(msg) == &random_transient_toy_type)
        atomic_fetch_add(&transients_of(run)->dead, 1);
}

static void close(th_self *me, struct random_extra_run *run)
{
    (void)!th_stop(me, transients_of(run)->nursery);
}

static const char *verdict(struct random_extra_run *run, bool is_exact)
{
    struct transients *all = transients_of(run);
    uint32_t given = atomic_load(&all->given);
    uint32_t ended = atomic_load(&all->played) + atomic_load(&all->dead);

    if (atomic_load(&all->is_untimely))
        return "a transient actor was asked to leave too early, or too late";
    if (atomic_load(&all->is_odd))
        return "a transient actor left for another reason, or twice";
    if (ended > given || atomic_load(&all->gone) > atomic_load(&all->born))
        return "a transient actor, or its mail, ended twice";
    if (is_exact && (ended < given || atomic_load(&all->gone) < atomic_load(&all->born)))
        return "a transient actor, or its mail, was lost";
    return NULL;
}

const struct random_extra random_extra_transient = {
    .name = "transient",
    .state_size = sizeof(struct transients),
    .begin = begin,
    .act = act,
    .letter = letter,
    .close = close,
    .verdict = verdict,
};
