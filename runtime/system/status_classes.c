/* runtime/system/status_classes.c: classes, by name: how many actors of each there are, and how
 * long their messages wait and are handled. */
#include <string.h>

#include "runtime/system/census.h"
#include "runtime/actor/measure.h"
#include <thespis/config.h>

struct tally {
    const char *names[TH_STATUS_CLASSES_MAX];
    uint64_t counts[TH_STATUS_CLASSES_MAX];
    unsigned used;
    uint64_t others;
};

static bool is_in(const struct tally *tally, const char *name, unsigned *at_out)
{
    for (unsigned i = 0; i < tally->used; i++)
        if (tally->names[i] == name || strcmp(tally->names[i], name) == 0) {
            *at_out = i;
            return true;
        }
    return false;
}

static void count(struct tally *tally, const char *name, uint64_t actors)
{
    unsigned at;

    if (is_in(tally, name, &at)) {
        tally->counts[at] += actors;
    } else if (tally->used == TH_STATUS_CLASSES_MAX) {
        tally->others += actors;
    } else {
        tally->names[tally->used] = name;
        tally->counts[tally->used++] = actors;
    }
}

/* One that was sampled; its actors may all be gone. */
static void add_sampled(void *context, const char *name, const struct thi_samples *samples)
{
    (void)samples;
    count(context, name, 0);
}

static void take_census(th_system *system, struct tally *tally)
{
    th_actor_status status;
    uint32_t slot = 0;
    bool is_idle;

    while (thi_census_next(system, &slot, &status, &is_idle))
        count(tally, status.class_name ? status.class_name : "", 1);
    thi_measures_each(&system->stage, add_sampled, tally);
}

th_err th_classes_each(th_system *system,
                       void (*each)(void *context, const th_class_status *status), void *context)
{
    th_err err = thi_system_check(system);
    struct tally tally = { .used = 0 };

    if (err)
        return err;
    if (!each)
        return TH_E_INVALID;
    take_census(system, &tally);
    for (unsigned i = 0; i < tally.used; i++) {
        const struct thi_samples *samples = thi_measures_find(&system->stage, tally.names[i]);
        th_class_status status = { .name = tally.names[i], .actors = tally.counts[i] };

        if (samples) {
            status.waiting = thi_times_of(&samples->waiting);
            status.handling = thi_times_of(&samples->handling);
        }
        each(context, &status);
    }
    if (tally.others)
        each(context, &(th_class_status){ .name = NULL, .actors = tally.others });
    return TH_OK;
}
