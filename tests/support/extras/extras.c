#include "tests/support/extras/extras.h"

#include <stdlib.h>

/* one a line */
/* clang-format off */
static const struct random_extra *const all[] = {
    &random_extra_troupe,
    &random_extra_mailbox,
    &random_extra_names,
    &random_extra_ties,
    &random_extra_status,
    &random_extra_supervisors,
    &random_extra_logging,
    &random_extra_watches,
    &random_extra_router,
    &random_extra_topic,
    &random_extra_capabilities,
    &random_extra_trace,
    &random_extra_behaviour,
    &random_extra_transient,
    &random_extra_deputy,
};
/* clang-format on */

enum { COUNT = sizeof(all) / sizeof(all[0]) };

struct random_extras {
    uint64_t favourite; /* half of all acts are this one's, so that each sees long stories, too */
    struct random_extra_run runs[COUNT];
};

static bool takes_part(struct random_extra_run *run)
{
    return atomic_load(&run->has_begun);
}

struct random_extras *random_extras_open(th_self *me)
{
    struct random_extras *extras = calloc(1, sizeof(*extras));

    if (extras)
        extras->favourite = (th_random(me) >> 33) % COUNT;
    for (int i = 0; extras && i < COUNT; i++) {
        struct random_extra_run *run = &extras->runs[i];

        run->sys = th_self_system(me);
        run->outside = th_self_addr(me);
        if (all[i]->state_size <= RANDOM_EXTRA_STATE_MAX)
            atomic_store(&run->has_begun, !all[i]->begin || all[i]->begin(me, run) == TH_OK);
    }
    return extras;
}

void random_extras_free(struct random_extras *extras)
{
    free(extras);
}

void random_extras_act(struct random_extras *extras, th_self *player, uint64_t pick)
{
    uint64_t i = pick % 2 ? extras->favourite : (pick >> 1) % COUNT;
    struct random_extra_run *run = &extras->runs[i];

    if (takes_part(run) && !atomic_load(&run->is_closing))
        all[i]->act(player, run);
}

void random_extras_hear(struct random_extras *extras, th_self *player, const th_msg *msg)
{
    for (int i = 0; i < COUNT; i++)
        if (takes_part(&extras->runs[i]) && all[i]->hear)
            all[i]->hear(player, &extras->runs[i], msg);
}

void random_extras_letter(struct random_extras *extras, const th_msg *msg)
{
    for (int i = 0; i < COUNT; i++)
        if (takes_part(&extras->runs[i]) && all[i]->letter)
            all[i]->letter(&extras->runs[i], msg);
}

void random_extras_close(struct random_extras *extras, th_self *me)
{
    for (int i = 0; i < COUNT; i++) {
        atomic_store(&extras->runs[i].is_closing, true);
        if (takes_part(&extras->runs[i]) && all[i]->close)
            all[i]->close(me, &extras->runs[i]);
    }
}

const char *random_extras_verdict(struct random_extras *extras, bool is_exact)
{
    const char *wrong = NULL;

    for (int i = 0; i < COUNT && !wrong; i++)
        if (takes_part(&extras->runs[i]) && all[i]->verdict)
            wrong = all[i]->verdict(&extras->runs[i], is_exact);
    return wrong;
}

const th_msg *random_extra_unwrap(const th_msg *msg)
{
    return th_poison_of(msg) ? th_poison_of(msg)->message : msg;
}
