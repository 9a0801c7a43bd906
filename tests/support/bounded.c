#include "tests/support/bounded.h"

#include <sched.h>
#include <semaphore.h>

#include <thespis/testkit.h>

#include "tests/support/talk.h"

TH_SIGNAL(bounded_order);
TH_SIGNAL_TYPE(bounded_order)

static struct {
    sem_t begun, may_go_on;
    int count;
} stopped;

static void await(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0) /* a signal came */
        continue;
}

bool bounded_stops_here(const th_msg *msg)
{
    if (th_msg_type(msg) != &bounded_order_type)
        return false;
    sem_post(&stopped.begun);
    await(&stopped.may_go_on);
    return true;
}

th_addr bounded_create(struct test_system *ts, const th_class *klass, th_mailbox mailbox)
{
    const th_spawn_options options = { .klass = klass, .mailbox = mailbox };
    th_addr addr;

    must(th_create(ts->me, &options, TALK_PATIENCE, &addr, NULL));
    return addr;
}

void bounded_stop(struct test_system *ts, th_addr actor)
{
    if (test_is_simple(ts))
        return;
    if (stopped.count++ == 0) {
        sem_init(&stopped.begun, 0, 0);
        sem_init(&stopped.may_go_on, 0, 0);
    }
    must(bounded_order_send(ts->me, actor, (struct bounded_order){ 0 }));
    await(&stopped.begun);
}

void bounded_go_on(struct test_system *ts)
{
    for (; stopped.count; stopped.count--)
        sem_post(&stopped.may_go_on);
}

th_mailbox_state bounded_look(struct test_system *ts, th_addr actor)
{
    th_mailbox_state state;

    must(th_mailbox_read(ts->sys, actor, &state));
    return state;
}

void bounded_let_run(struct test_system *ts)
{
    if (test_is_simple(ts))
        must(th_run_until_idle(ts->sys, 0, NULL));
    else
        sched_yield();
}

void bounded_wait_for_waiters(struct test_system *ts, th_addr actor, uint32_t count)
{
    while (!test_is_simple(ts) && bounded_look(ts, actor).waiters < count)
        bounded_let_run(ts);
}

void bounded_wait_until_held(struct test_system *ts, th_addr actor)
{
    while (!test_is_simple(ts) && !bounded_look(ts, actor).is_held)
        bounded_let_run(ts);
}

void bounded_wait_until_gone(struct test_system *ts, th_addr actor)
{
    th_mailbox_state state;

    while (th_mailbox_read(ts->sys, actor, &state) == TH_OK)
        bounded_let_run(ts);
}
