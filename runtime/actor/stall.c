#include "runtime/actor/stall.h"

#include "runtime/actor/ask.h"
#include "runtime/actor/send.h"
#include <thespis/config.h>

void thi_stalls_init(struct thi_stalls *stalls)
{
    *stalls = (struct thi_stalls){ .timer = { .kind = THI_TIMER_STALL } };
    pthread_mutex_init(&stalls->lock, NULL);
}

void thi_stalls_fini(struct thi_stalls *stalls)
{
    pthread_mutex_destroy(&stalls->lock);
}

void thi_stall_wait(struct thi_stage *stage, struct thi_cell *cell)
{
    struct thi_stalls *stalls = &stage->stalls;
    bool wakes = false;

    thi_count(&cell->self, THI_STAT_STALLS);
    pthread_mutex_lock(&stalls->lock);
    cell->task.next = NULL;
    if (stalls->last)
        stalls->last->next = &cell->task;
    else
        stalls->first = &cell->task;
    stalls->last = &cell->task;
    if (stalls->first == stalls->last) /* S2 */
        wakes = thi_timers_set_reserved(&stage->timers, &stalls->timer,
                                        thi_clock_after(thi_clock_now(&stage->clock), TH_STALL_NS));
    pthread_mutex_unlock(&stalls->lock);
    if (wakes && stage->base == TH_BASE_POOL)
        thi_alarm_poke(&stage->alarm);
}

void thi_stall_fire(struct thi_stage *stage)
{
    struct thi_stalls *stalls = &stage->stalls;
    struct thi_task *task, *next;

    pthread_mutex_lock(&stalls->lock);
    thi_timers_done_reserved(&stage->timers, &stalls->timer);
    task = stalls->first;
    stalls->first = stalls->last = NULL;
    pthread_mutex_unlock(&stalls->lock);
    for (; task; task = next) {
        next = task->next; /* first: it may run, and be linked elsewhere, at once */
        thi_cell_schedule(&stage->ticker.self, thi_cell_of_task(task));
    }
}
