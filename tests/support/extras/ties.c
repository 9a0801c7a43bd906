/* Players watch the actors of a circle and each other's, take watches back, and the circle's actors
 * are linked and end. A player that watches hears of each end once, and of none that it has taken
 * back. */
#include "tests/support/extras/extras.h"

enum { PEOPLE = 8 };

struct ties {
    th_addr people[PEOPLE];
    _Atomic uint32_t made, heard, taken_back;
};

static struct ties *ties_of(struct random_extra_run *run)
{
    return (struct ties *)(void *)run->state;
}

#define TIES_ACT_FIELDS(F, S) F(S, u32, what) F(S, addr, whom)
TH_MESSAGE(random_ties_act, TIES_ACT_FIELDS);
TH_MESSAGE_TYPE(random_ties_act, TIES_ACT_FIELDS)

struct random_ties_arg {
    struct random_extra_run *run;
};
TH_MESSAGE_LOCAL(random_ties_arg);
TH_MESSAGE_LOCAL_TYPE(random_ties_arg, NULL)

struct person {
    struct random_extra_run *run;
    bool watches[PEOPLE];
};

static th_err person_init(th_self *self, void *state, const th_msg *arg)
{
    ((struct person *)state)->run = random_ties_arg_of(arg)->run;
    return TH_OK;
}

static uint32_t number_of(struct ties *ties, th_addr whom)
{
    uint32_t i = 0;

    while (i < PEOPLE && !th_addr_equal(ties->people[i], whom))
        i++;
    return i;
}

static void do_act(th_self *self, struct person *person, const struct random_ties_act *act)
{
    struct ties *ties = ties_of(person->run);
    uint32_t other = number_of(ties, act->whom);

    if (other == PEOPLE)
        return;
    switch (act->what % 8) {
    case 0: (void)!th_link(self, act->whom); break;
    case 1: (void)!th_unlink(self, act->whom); break;
    case 2: (void)!th_trap_links(self, act->what & 64); break;
    case 3:
        (void)!th_exit_because(self, act->what & 64 ? TH_E_FAILED : TH_OK, "%s", "bored");
        break;
    case 4:
        if (th_unwatch_actor(self, act->whom) == TH_OK) {
            person->watches[other] = false;
            atomic_fetch_add(&ties->taken_back, 1);
        }
        break;
    default:
        if (!person->watches[other] && th_watch_actor(self, act->whom) == TH_OK) {
            person->watches[other] = true;
            atomic_fetch_add(&ties->made, 1);
        }
        break;
    }
}

static th_err person_receive(th_self *self, void *state, const th_msg *msg)
{
    struct person *person = state;
    struct ties *ties = ties_of(person->run);
    const struct th_actor_gone *gone = th_actor_gone_of(msg);

    if (random_ties_act_of(msg))
        do_act(self, person, random_ties_act_of(msg));
    if (gone && !gone->linked) {
        uint32_t other = number_of(ties, gone->actor);

        /* nobody asked for a second one, or for one taken back: then it counts against us */
        atomic_fetch_add(&ties->heard, other < PEOPLE && person->watches[other] ? 1 : 1000000);
        if (other < PEOPLE)
            person->watches[other] = false;
    }
    return TH_OK;
}

/* What is watched when the watcher goes is taken back by that. */
static void person_exit(th_self *self, void *state)
{
    struct person *person = state;

    if (!person->run)
        return;
    for (int i = 0; i < PEOPLE; i++)
        if (person->watches[i])
            atomic_fetch_add(&ties_of(person->run)->taken_back, 1);
}

static const th_class person_class = { .name = "random.ties.person",
                                       .state_size = sizeof(struct person),
                                       .init = person_init,
                                       .receive = person_receive,
                                       .exit = person_exit };

static th_err begin(th_self *me, struct random_extra_run *run)
{
    struct ties *ties = ties_of(run);
    struct random_ties_arg *body;
    th_err err = TH_OK;

    for (int i = 0; i < PEOPLE && !err; i++) {
        th_msg *arg = random_ties_arg_new(me, &body);

        if (!arg)
            return TH_E_NOMEM;
        body->run = run;
        err = th_spawn(me, &person_class, arg, &ties->people[i]);
    }
    for (int i = 0; err && i < PEOPLE; i++)
        if (!th_addr_is_none(ties->people[i]))
            (void)!th_stop(me, ties->people[i]);
    return err;
}

static void act(th_self *player, struct random_extra_run *run)
{
    struct ties *ties = ties_of(run);
    uint64_t pick = th_random(player) >> 20;
    struct random_ties_act act = { .what = (uint32_t)pick,
                                   .whom = ties->people[(pick >> 8) % PEOPLE] };

    (void)!random_ties_act_send(player, ties->people[(pick >> 16) % PEOPLE], act);
}

static void close(th_self *me, struct random_extra_run *run)
{
    for (int i = 0; i < PEOPLE; i++)
        (void)!th_stop(me, ties_of(run)->people[i]);
}

static const char *verdict(struct random_extra_run *run, bool is_exact)
{
    struct ties *ties = ties_of(run);
    uint32_t heard = atomic_load(&ties->heard), made = atomic_load(&ties->made);

    if (heard >= 1000000)
        return "news of an end that nobody watched for";
    if (heard + atomic_load(&ties->taken_back) != made)
        return "a watch that came to nothing, or to too much";
    return NULL;
}

const struct random_extra random_extra_ties = {
    .name = "ties",
    .state_size = sizeof(struct ties),
    .begin = begin,
    .act = act,
    .close = close,
    .verdict = verdict,
};
