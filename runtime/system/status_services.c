/* runtime/system/status_services.c: actors that say more of themselves than the runtime knows.
 *
 * What a troupe or a router holds is in its state, and its state is its own. So it is asked, in
 * its turn, by what its class gives for the purpose (th_class.status); the answer is a message, and
 * what the status says of it is what its fields are called. */
#include "runtime/system/census.h"
#include "runtime/system/external.h"
#include "runtime/system/report.h"
#include "runtime/actor/mail.h"
#include "runtime/actor/report.h"
#include <thespis/config.h>

struct walk {
    th_system *system;
    void (*each)(void *context, const th_service_status *status);
    void *context;
    int patience; /* how many more may be stuck; 0: nobody is asked */
};

/* Pool: in its own turn. */
static void ask_and_say(struct walk *walk, th_service_status *status)
{
    const struct thi_service *service;
    th_msg *answer = NULL;
    th_err err = TH_E_TIMEOUT;

    if (walk->patience > 0) {
        err = thi_status_ask(walk->system, status->addr, &thi_ask_service_type, &answer);
        walk->patience -= err == TH_E_TIMEOUT;
    }
    service = answer ? thi_service_of(answer) : NULL;
    if (service)
        status->figures = service->figures;
    if (err != TH_E_NO_ACTOR) /* it exited meanwhile */
        walk->each(walk->context, status);
    th_msg_destroy(&walk->system->self->endpoint.self, answer);
}

/* Simple base, under step.lock: nobody runs, so it can be looked at. */
static void look_and_say(struct walk *walk, th_service_status *status)
{
    struct thi_cell *cell = thi_directory_find(&walk->system->stage.directory, status->addr);
    th_msg *figures = thi_report_figures(cell);

    status->figures = figures;
    walk->each(walk->context, status);
    th_msg_destroy(&cell->self, figures);
}

static uint64_t walk_simple(struct walk *walk, uint64_t max)
{
    th_service_status status;
    uint64_t more = 0;
    uint32_t slot = 0;

    pthread_mutex_lock(&walk->system->stage.step.lock);
    for (; thi_census_next_service(walk->system, &slot, &status); more += !max, max -= max > 0)
        if (max)
            look_and_say(walk, &status);
    pthread_mutex_unlock(&walk->system->stage.step.lock);
    return more;
}

th_err thi_services_walk(th_system *system,
                         void (*each)(void *context, const th_service_status *status),
                         void *context, uint64_t max, bool may_ask, uint64_t *more_out)
{
    struct walk walk = { system, each, context, may_ask ? THI_STATUS_PATIENCE : 0 };
    th_service_status status;
    uint32_t slot = 0;

    *more_out = 0;
    if (thi_system_is_simple(system) && may_ask) {
        *more_out = walk_simple(&walk, max);
        return TH_OK;
    }
    /* an actor that asks would keep a worker waiting, perhaps the one it waits for */
    if (thi_system_is_actors_thread(system))
        walk.patience = 0;
    for (; thi_census_next_service(system, &slot, &status); *more_out += !max, max -= max > 0)
        if (max)
            ask_and_say(&walk, &status);
    return TH_OK;
}

th_err th_services_each(th_system *system,
                        void (*each)(void *context, const th_service_status *status), void *context)
{
    th_err err = thi_system_check(system);
    uint64_t more;

    if (err)
        return err;
    return each ? thi_services_walk(system, each, context, UINT64_MAX, true, &more) : TH_E_INVALID;
}
