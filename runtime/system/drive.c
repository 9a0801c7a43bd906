#include "runtime/system/drive.h"

#include "runtime/actor/wakeup.h"

th_err thi_drive_enter(th_system *system)
{
    pthread_mutex_lock(&system->stage.step.lock);
    if (system->in_turn) {
        pthread_mutex_unlock(&system->stage.step.lock);
        return TH_E_NOT_ALLOWED;
    }
    return TH_OK;
}

void thi_drive_leave(th_system *system)
{
    pthread_mutex_unlock(&system->stage.step.lock);
}

bool thi_drive_turn(th_system *system)
{
    bool ran;

    /* relaxed: a request, not data */
    if (atomic_exchange_explicit(&system->signalled, false, memory_order_relaxed))
        thi_system_ask_shutdown(system);
    system->in_turn = true;
    ran = thi_step_once(&system->stage.step);
    system->in_turn = false;
    return ran;
}

bool thi_drive_fire(th_system *system, uint64_t until_ns)
{
    struct thi_stage *stage = &system->stage;
    uint64_t next = thi_timers_next_deadline(&stage->timers);
    struct thi_timer *timer;

    if (next == UINT64_MAX || next > until_ns)
        return false;
    thi_clock_advance_to(&stage->clock, next);
    timer = thi_timers_pop_due(&stage->timers, thi_clock_now(&stage->clock));
    if (timer)
        thi_timer_fire(stage, timer);
    return true;
}

/* Actors that chatter without end would hold the moment for ever, and every limit with it. */
static bool is_moment_over(th_system *system)
{
    return ++system->moment_turns > TH_MOMENT_TURNS_MAX;
}

bool thi_drive_on(th_system *system, uint64_t until_ns)
{
    struct thi_stage *stage = &system->stage;

    if (!is_moment_over(system) && thi_drive_turn(system))
        return true;
    system->moment_turns = 0;
    if (thi_drive_fire(system, until_ns))
        return true;
    if (stage->step.ready_count && until_ns == UINT64_MAX)
        return true; /* no limit, and no timer: they may go on */
    if (until_ns != UINT64_MAX &&
        (stage->step.ready_count || thi_timers_next_deadline(&stage->timers) != UINT64_MAX))
        thi_clock_advance_to(&stage->clock, until_ns);
    return false;
}
