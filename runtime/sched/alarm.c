#include "runtime/sched/alarm.h"

#include "runtime/base/reclaim.h"
#include "runtime/base/thread.h"
#include <thespis/config.h>

#include <sys/prctl.h>

/* Timers popped under one lock: enough that the lock is not felt, few enough that a cancel finds
 * most of a burst still pending. */
enum { BATCH = 32 };

static bool is_stopping(struct thi_alarm *alarm)
{
    /* acquire: pairs with the release in thi_alarm_stop() */
    return atomic_load_explicit(&alarm->stop, memory_order_acquire);
}

/* Fires all that is due now, or soon enough to be due when the rest is done. Whether it was any. */
static bool fire_due(struct thi_alarm *alarm)
{
    struct thi_timer *due[BATCH];
    unsigned count;
    bool any = false;

    do {
        count = thi_timers_pop_batch(alarm->timers, thi_clock_now(alarm->clock), due, BATCH);
        for (unsigned i = 0; i < count; i++)
            alarm->fire(alarm->context, due[i]);
        any = any || count > 0;
        thi_reclaim_quiescent();
    } while (count > 0 && !is_stopping(alarm));
    return any;
}

/* The moment on CLOCK_MONOTONIC to sleep until, for what is due at @next on the alarm's own. */
static uint64_t until(struct thi_alarm *alarm, uint64_t next)
{
    uint64_t now, delay;

    if (alarm->clock->is_virtual || next == UINT64_MAX)
        return UINT64_MAX;
    if (!alarm->clock->is_users)
        return next;
    now = thi_clock_now(alarm->clock);
    delay = next > now ? next - now : 0;
    if (delay > TH_CLOCK_LOOK_NS)
        delay = TH_CLOCK_LOOK_NS;
    return thi_clock_monotonic() + delay;
}

static void *run(void *context)
{
    struct thi_alarm *alarm = context;

    /* The kernel may add 50 us to any sleep, to gather wake-ups; not to ours. */
    (void)prctl(PR_SET_TIMERSLACK, 1ul, 0ul, 0ul, 0ul);
    thi_reclaim_thread_begin();
    while (!is_stopping(alarm)) {
        bool any = fire_due(alarm);
        uint64_t next = thi_timers_await(alarm->timers);

        if (any) { /* a round costs two wake-ups: what follows closely is gathered for the next */
            uint64_t soonest = thi_clock_now(alarm->clock) + TH_TIMER_GATHER_NS;

            next = next > soonest ? next : soonest;
        }
        thi_reclaim_offline();
        (void)thi_bell_wait(&alarm->bell, until(alarm, next));
        thi_reclaim_online();
    }
    thi_reclaim_thread_end();
    return NULL;
}

th_err thi_alarm_start(struct thi_alarm *alarm, struct thi_timers *timers, struct thi_clock *clock,
                       thi_fire fire, void *context)
{
    alarm->timers = timers;
    alarm->clock = clock;
    alarm->fire = fire;
    alarm->context = context;
    thi_bell_init(&alarm->bell);
    atomic_init(&alarm->stop, false);
    return thi_thread_start(&alarm->thread, "thespis/alarm", run, alarm);
}

void thi_alarm_poke(struct thi_alarm *alarm)
{
    thi_bell_ring(&alarm->bell);
}

void thi_alarm_stop(struct thi_alarm *alarm)
{
    /* release: pairs with the acquire in is_stopping() */
    atomic_store_explicit(&alarm->stop, true, memory_order_release);
    thi_bell_ring(&alarm->bell);
    (void)pthread_join(alarm->thread, NULL); /* cannot fail: it is ours, and joined once */
}
