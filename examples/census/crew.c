/* crew.c: the tallies and counters of one census, and who has one made for another process. */
#include "actors.h"
#include "messages.h"

static th_err make_crew(th_self *self, uint32_t counters, struct census_crew *crew)
{
    th_troupe_options options = { .workers_max = counters, .idle_max = counters };
    struct census_team *team;
    th_msg *msg;
    th_err err = TH_OK;

    crew->counters = counters;
    for (int t = 0; t < CENSUS_TALLIES && !err; t++)
        err = th_spawn(self, &census_tally, NULL, &crew->tally[t]);
    if (err)
        return err;
    msg = census_team_new(self, &team);
    if (team)
        memcpy(team->tally, crew->tally, sizeof(team->tally));
    return th_troupe_spawn(self, &census_counter, msg, &options, &crew->troupe);
}

/* A leader of this process has the crew for a child; any other is watched. */
static th_err crew_init(th_self *self, void *state, const th_msg *arg)
{
    const struct census_hire *hire = census_hire_of(arg);
    struct census_crew crew = { 0 };
    th_err err = make_crew(self, hire->counters, &crew);

    if (!err && hire->leader.system != th_self_addr(self).system)
        err = th_watch_actor(self, hire->leader);
    return err ? err : census_crew_send(self, hire->leader, crew);
}

static th_err crew_receive(th_self *self, void *state, const th_msg *msg)
{
    return th_actor_gone_of(msg) ? th_exit(self) : TH_OK;
}

const th_class census_crew = { .name = "census crew", .init = crew_init, .receive = crew_receive };

/* ---- the host ---- */

struct host {
    uint32_t counters;
};

static th_err host_init(th_self *self, void *state, const th_msg *arg)
{
    struct host *me = state;

    me->counters = census_hire_of(arg)->counters;
    return TH_OK;
}

static th_err host_receive(th_self *self, void *state, const th_msg *msg)
{
    const struct host *me = state;
    const struct census_hire *hire = census_hire_of(msg);
    struct census_hire *own;
    th_msg *arg;
    th_addr crew;

    if (!hire)
        return TH_OK;
    arg = census_hire_new(self, &own);
    if (own)
        *own = (struct census_hire){ hire->leader, me->counters };
    return th_spawn(self, &census_crew, arg, &crew);
}

const th_class census_host = { .name = "census host",
                               .state_size = sizeof(struct host),
                               .init = host_init,
                               .receive = host_receive };
