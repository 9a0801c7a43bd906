/* runtime/system/shutdown.c: the end of a system: asked for, waited for, reached. */
#include "runtime/system/system.h"

#include <errno.h>
#include <time.h>

#include "runtime/system/census.h"
#include "runtime/system/drive.h"
#include "runtime/system/external.h"
#include "runtime/actor/log.h"
#include "runtime/actor/route.h"
#include "runtime/actor/send.h"
#include "runtime/actor/spawn.h"
#include "runtime/actor/stall.h"

void thi_system_ask_shutdown(th_system *system)
{
    struct thi_stage *stage = &system->stage;
    th_msg *request;

    thi_spawn_close(stage);
    pthread_mutex_lock(&system->lock);
    request = system->exit_request;
    system->exit_request = NULL;
    system->asked = true;
    pthread_cond_broadcast(&system->changed);
    pthread_mutex_unlock(&system->lock);
    if (request)
        thi_post_to(&system->self->endpoint.self, th_addr_none(), stage->admin, request);
}

struct is_worker {
    pthread_t thread;
    bool found;
};

static void compare_thread(void *context, struct thi_worker *worker)
{
    struct is_worker *search = context;

    search->found = search->found || pthread_equal(search->thread, worker->thread);
}

bool thi_system_is_actors_thread(th_system *system)
{
    struct is_worker search = { pthread_self(), false };

    if (thi_system_is_simple(system)) {
        if (thi_drive_enter(system))
            return true;
        thi_drive_leave(system);
        return false;
    }
    pthread_mutex_lock(&system->figures_lock);
    if (!system->pool_stopped)
        thi_pool_each(&system->stage.pool, compare_thread, &search);
    pthread_mutex_unlock(&system->figures_lock);
    return search.found;
}

/* False: @deadline_ns has passed. */
static bool wait_changed(th_system *system, uint64_t deadline_ns)
{
    struct timespec until = { (time_t)(deadline_ns / 1000000000u),
                              (long)(deadline_ns % 1000000000u) };

    if (deadline_ns == UINT64_MAX)
        return pthread_cond_wait(&system->changed, &system->lock) == 0;
    return pthread_cond_timedwait(&system->changed, &system->lock, &until) != ETIMEDOUT;
}

/* Nobody is left to send anything but outsiders, and they are told so. */
static void go_down(th_system *system)
{
    struct thi_stage *stage = &system->stage;

    thi_route_close(stage);
    thi_status_signal_stop(system);
    thi_system_stop_hearing(system);
    if (!thi_system_is_simple(system))
        thi_system_stop_pool(system);
    thi_tracing_end(system);
    thi_stalls_clear(&system->stage, &system->self->endpoint.self);
    thi_log_close(stage);
    /* release: pairs with the acquire in thi_stage_is_down() */
    atomic_store_explicit(&stage->origin->is_up, false, memory_order_release);
    pthread_mutex_lock(&system->lock);
    thi_system_set_state(system, THI_SYSTEM_DOWN);
    for (struct thi_external *external = system->externals; external; external = external->next)
        thi_external_hang_up(external);
    pthread_cond_broadcast(&system->changed);
    pthread_mutex_unlock(&system->lock);
    thi_external_empty(system->self);
}

static th_err shutdown_pool(th_system *system, uint64_t deadline)
{
    bool in_time = true;

    pthread_mutex_lock(&system->lock);
    while (in_time && !system->admin_gone)
        in_time = wait_changed(system, deadline);
    /* somebody else may be at it; then wait for them instead */
    while (in_time && system->ending && thi_system_state(system) != THI_SYSTEM_DOWN)
        in_time = wait_changed(system, deadline);
    if (!in_time || system->ending) {
        pthread_mutex_unlock(&system->lock);
        return in_time ? TH_OK : TH_E_TIMEOUT;
    }
    system->ending = true;
    pthread_mutex_unlock(&system->lock);
    go_down(system);
    return TH_OK;
}

/* Under step.lock. */
static th_err shutdown_simple(th_system *system, uint64_t deadline)
{
    while (!system->admin_gone && thi_drive_on(system, deadline))
        continue;
    if (!system->admin_gone)
        return TH_E_TIMEOUT;
    if (!system->ending) {
        system->ending = true;
        go_down(system);
    }
    return TH_OK;
}

th_err th_system_shutdown(th_system *system, uint64_t timeout_ns, th_leftover leftover,
                          void *context)
{
    th_err err = thi_system_check(system);
    uint64_t deadline;

    if (err)
        return err == TH_E_CLOSED ? TH_E_STATE : err;
    if (thi_system_is_actors_thread(system))
        return TH_E_NOT_ALLOWED;
    deadline = thi_clock_after(thi_clock_steady(&system->stage.clock), timeout_ns);
    if (thi_system_is_simple(system)) {
        err = thi_drive_enter(system);
        if (err)
            return err;
        thi_system_ask_shutdown(system);
        err = shutdown_simple(system, deadline);
        thi_drive_leave(system);
    } else {
        thi_system_ask_shutdown(system);
        err = shutdown_pool(system, deadline);
    }
    if (err == TH_E_TIMEOUT && leftover)
        thi_census_leftovers(system, leftover, context);
    return err;
}

static th_err wait_simple(th_system *system, uint64_t deadline)
{
    th_err err = thi_drive_enter(system);

    if (err)
        return err;
    while (!system->asked && thi_system_state(system) == THI_SYSTEM_RUNNING &&
           thi_drive_on(system, deadline))
        continue;
    err = thi_system_check(system);
    if (!err && !system->asked)
        err = TH_E_TIMEOUT;
    thi_drive_leave(system);
    return err;
}

th_err th_system_wait(th_system *system, uint64_t timeout_ns)
{
    th_err err = thi_system_check(system);
    uint64_t deadline;
    bool in_time = true;

    if (err)
        return err;
    if (thi_system_is_actors_thread(system))
        return TH_E_NOT_ALLOWED;
    deadline = thi_clock_after(thi_clock_steady(&system->stage.clock), timeout_ns);
    if (thi_system_is_simple(system))
        return wait_simple(system, deadline);
    pthread_mutex_lock(&system->lock);
    while (in_time && !system->asked)
        in_time = wait_changed(system, deadline);
    err = thi_system_check(system);
    if (!err && !system->asked)
        err = TH_E_TIMEOUT;
    pthread_mutex_unlock(&system->lock);
    return err;
}
