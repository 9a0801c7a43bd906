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

/* Under the lock, before something is added. true: poke the alarm. */
static bool arm_locked(struct thi_stage *stage)
{
    struct thi_stalls *stalls = &stage->stalls;

    if (stalls->first || stalls->mail) /* S2 */
        return false;
    return thi_timers_set_reserved(&stage->timers, &stalls->timer,
                                   thi_clock_after(thi_clock_now(&stage->clock), TH_STALL_NS)) &&
           stage->base == TH_BASE_POOL;
}

void thi_stall_wait(struct thi_stage *stage, struct thi_cell *cell)
{
    struct thi_stalls *stalls = &stage->stalls;
    bool wakes;

    thi_count(&cell->self, THI_STAT_STALLS);
    pthread_mutex_lock(&stalls->lock);
    wakes = arm_locked(stage);
    cell->task.next = NULL;
    if (stalls->last)
        stalls->last->next = &cell->task;
    else
        stalls->first = &cell->task;
    stalls->last = &cell->task;
    pthread_mutex_unlock(&stalls->lock);
    if (wakes)
        thi_alarm_poke(&stage->alarm);
}

void thi_stall_post(struct thi_stage *stage, th_msg *msg)
{
    struct thi_stalls *stalls = &stage->stalls;
    bool wakes;

    pthread_mutex_lock(&stalls->lock);
    wakes = arm_locked(stage);
    msg->thi_next = stalls->mail;
    stalls->mail = msg;
    pthread_mutex_unlock(&stalls->lock);
    if (wakes)
        thi_alarm_poke(&stage->alarm);
}

static void post_again(th_self *self, th_msg *newest_first)
{
    th_msg *chain = NULL, *msg;

    while ((msg = newest_first)) {
        newest_first = msg->thi_next;
        msg->thi_next = chain;
        chain = msg;
    }
    while ((msg = chain)) {
        chain = msg->thi_next;
        thi_repost(self, msg);
    }
}

void thi_stall_fire(struct thi_stage *stage)
{
    struct thi_stalls *stalls = &stage->stalls;
    struct thi_task *task, *next;
    th_msg *mail;

    pthread_mutex_lock(&stalls->lock);
    thi_timers_done_reserved(&stage->timers, &stalls->timer);
    task = stalls->first;
    mail = stalls->mail;
    stalls->first = stalls->last = NULL;
    stalls->mail = NULL;
    pthread_mutex_unlock(&stalls->lock);
    post_again(&stage->ticker.self, mail);
    for (; task; task = next) {
        next = task->next; /* first: it may run, and be linked elsewhere, at once */
        thi_cell_schedule(&stage->ticker.self, thi_cell_of_task(task));
    }
}

void thi_stalls_clear(struct thi_stage *stage, th_self *self)
{
    th_msg *mail = stage->stalls.mail;

    stage->stalls.mail = NULL;
    post_again(self, mail); /* to closed mailboxes */
}
