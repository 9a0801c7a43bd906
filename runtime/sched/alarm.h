/* alarm.h: the thread that fires timers on the pool base.
 *
 * It sleeps until the earliest deadline, or for ever when there is none, and fires what is due in
 * order, never early. While it sleeps it uses no processor, and only a timer that is earlier than
 * all before it wakes it: thi_timers_add() says so, and its caller pokes.
 *
 * On a user's clock (thespis/clock.h) it cannot know when a deadline comes, so it looks every
 * TH_CLOCK_LOOK_NS while there is one, and when it is poked.
 *
 * On a virtual clock it does not sleep until a deadline but until a poke, which is then for whoever
 * advances the clock to give. */
#ifndef THI_SCHED_ALARM_H
#define THI_SCHED_ALARM_H

#include "runtime/sched/timer.h"
#include "runtime/base/bell.h"
#include "runtime/base/clock.h"
#include <thespis/compiler.h>
#include <thespis/error.h>

#include <pthread.h>
#include <stdatomic.h>

/* Called for each due timer, on the alarm's thread, holding no lock, inside a read section
 * (base/reclaim.h); it must end in thi_timers_done() or thi_timers_again(): T2 of timer.h. */
typedef void (*thi_fire)(void *context, struct thi_timer *timer);

struct thi_alarm {
    /* constant while it runs */
    struct thi_timers *timers;
    struct thi_clock *clock;
    thi_fire fire;
    void *context;
    pthread_t thread;

    /* written by whoever pokes or stops */
    _Alignas(TH_CACHE_LINE) struct thi_bell bell;
    _Atomic bool stop;
};

/* @alarm must stay where it is. @timers [keep], @clock [keep]. TH_E_THREAD. */
TH_NODISCARD th_err thi_alarm_start(struct thi_alarm *alarm, struct thi_timers *timers,
                                    struct thi_clock *clock, thi_fire fire, void *context);

/* From any thread: look at the timers again. */
void thi_alarm_poke(struct thi_alarm *alarm);

/* What was popped is fired to the end, then the thread ends; what is pending stays pending. Not
 * from fire, and not from a thread that is online (base/reclaim.h) in a way that fire waits for. */
void thi_alarm_stop(struct thi_alarm *alarm);

#endif
