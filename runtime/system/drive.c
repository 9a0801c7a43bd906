#include "runtime/system/drive.h"

#include <time.h>

#include "runtime/actor/wakeup.h"

th_err thi_drive_enter(th_system *system)
{
    pthread_mutex_lock(&system->stage.step.lock);
    if (system->in_turn) {
        pthread_mutex_unlock(&system->stage.step.lock);
        return TH_E_NOT_ALLOWED;
    }
    system->stage.step.drivers++;
    return TH_OK;
}

void thi_drive_look(th_system *system)
{
    pthread_mutex_lock(&system->stage.step.lock);
    system->stage.step.drivers++;
}

void thi_drive_leave(th_system *system)
{
    struct thi_stage *stage = &system->stage;

    if (--stage->step.drivers == 0 && stage->is_pumped && stage->watches.poller.is_open)
        thi_poller_set_timer(&stage->watches.poller, thi_timers_await(&stage->timers));
    thi_stage_nudge(stage);
    pthread_mutex_unlock(&stage->step.lock);
}

/* ---- the world outside ---- */

/* Whether a descriptor or signal may bring something. */
static bool has_outside(struct thi_stage *stage)
{
    return stage->watches.poller.is_open && (stage->is_pumped || thi_watches_count(stage) > 0);
}

/* What came, without waiting. */
static bool look_outside(struct thi_stage *stage)
{
    struct thi_watch_news news;

    if (TH_LIKELY(!stage->watches.poller.is_open))
        return false;
    thi_watches_await(stage, 0, &news);
    return thi_watches_take_in(stage, &news);
}

void thi_drive_look_outside(th_system *system)
{
    (void)look_outside(&system->stage);
}

/* Until @deadline_ns (CLOCK_MONOTONIC), by a thread beside the one that waits for descriptors. */
static void wait_beside(struct thi_step *step, uint64_t deadline_ns)
{
    struct timespec until = { (time_t)(deadline_ns / 1000000000u),
                              (long)(deadline_ns % 1000000000u) };

    if (deadline_ns == UINT64_MAX)
        pthread_cond_wait(&step->changed, &step->lock);
    else
        (void)pthread_cond_timedwait(&step->changed, &step->lock, &until);
}

/* At most @timeout_ns in real time, until something happens outside. step.lock is given up
 * meanwhile, so that others may send and drive. */
static void doze(struct thi_stage *stage, uint64_t timeout_ns)
{
    struct thi_step *step = &stage->step;
    struct thi_watch_news news;

    step->drivers--;
    step->sleepers++;
    if (step->is_polled) {
        wait_beside(step, thi_clock_after(thi_clock_monotonic(), timeout_ns));
    } else {
        step->is_polled = true;
        pthread_mutex_unlock(&step->lock);
        thi_watches_await(stage, timeout_ns, &news);
        pthread_mutex_lock(&step->lock);
        step->is_polled = false;
        (void)thi_watches_take_in(stage, &news);
        if (step->sleepers > 1)
            pthread_cond_broadcast(&step->changed); /* one of them is to wait in our place */
    }
    step->sleepers--;
    step->drivers++;
}

/* Nothing is runnable: real time passes until something comes, or to @until_ns or the next timer.
 * Like thi_drive_on(). */
static bool sit_out(th_system *system, uint64_t until_ns)
{
    struct thi_stage *stage = &system->stage;
    struct thi_clock *clock = &stage->clock;
    uint64_t next = thi_timers_await(&stage->timers), now = thi_clock_now(clock), began;
    bool was_ready = stage->step.ready_count > 0;

    next = next < until_ns ? next : until_ns;
    if (next > now && !was_ready) {
        began = thi_clock_monotonic();
        doze(stage, next == UINT64_MAX ? UINT64_MAX : next - now);
        if (clock->is_virtual) {
            now = thi_clock_after(now, thi_clock_monotonic() - began);
            thi_clock_advance_to(clock, now < next ? now : next);
        }
    }
    now = thi_clock_now(clock);
    if (thi_drive_fire(system, now < until_ns ? now : until_ns))
        return true;
    return now < until_ns || (stage->step.ready_count && !was_ready);
}

/* ---- turns ---- */

bool thi_drive_turn(th_system *system)
{
    bool ran;

    /* relaxed: a request, not data */
    if (atomic_exchange_explicit(&system->signalled, false, memory_order_relaxed))
        thi_system_ask_shutdown(system);
    if (!system->stage.step.ready_count || system->moment_turns % TH_CHECK_TURNS == 0)
        (void)look_outside(&system->stage);
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
    if (stage->clock.is_virtual)
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
    if (has_outside(stage) && !(stage->step.ready_count && stage->clock.is_virtual))
        return sit_out(system, until_ns);
    if (thi_drive_fire(system, until_ns))
        return true;
    if (stage->step.ready_count && until_ns == UINT64_MAX)
        return true; /* no limit, and no timer: they may go on */
    if (until_ns != UINT64_MAX &&
        (stage->step.ready_count || thi_timers_next_deadline(&stage->timers) != UINT64_MAX))
        thi_clock_advance_to(&stage->clock, until_ns);
    return false;
}
