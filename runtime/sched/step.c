/* runtime/sched/step.c: one seeded thread in place of the workers. */
#include "runtime/sched/step.h"

#include <string.h>
#include <time.h>

#include "mailbox/alloc.h"
#include <thespis/assert.h>

th_err thi_step_start(struct thi_step *step, const struct thi_task_ops *ops,
                      struct thi_memory *memory, struct thi_depot *depot, uint64_t system,
                      void *stage, uint64_t seed)
{
    pthread_mutexattr_t recursive;
    pthread_condattr_t monotonic;

    memset(step, 0, sizeof(*step));
    step->ops = ops;
    step->run = ops->run;
    step->memory = memory;
    step->seed = seed;
    step->trace = UINT64_C(0xcbf29ce484222325); /* FNV-1a's start */
    thi_random_init(&step->choices, seed);
    step->worker.step = step;
    step->worker.stage = stage;
    step->worker.system = system;
    step->worker.kind = THI_WORKER_STEP;
    step->worker.alone = true;
    thi_random_init(&step->worker.random, ~seed);
    thi_heap_init(&step->worker.heap, memory, depot);
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&step->lock, &recursive);
    pthread_mutexattr_destroy(&recursive);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&step->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    ops->worker_begin(&step->worker);
    return TH_OK;
}

void thi_step_stop(struct thi_step *step)
{
    step->ops->worker_end(&step->worker);
    thi_heap_fini(&step->worker.heap);
    pthread_cond_destroy(&step->changed);
    pthread_mutex_destroy(&step->lock);
}

/* Runnable tasks are a list; the link is the task's own, so that being runnable needs no memory. */
void thi_step_submit(struct thi_step *step, struct thi_task *task)
{
    task->next = NULL;
    if (step->ready_last)
        step->ready_last->next = task;
    else
        step->ready_first = task;
    step->ready_last = task;
    step->ready_count++;
}

/* The first, or whichever of the first few the seed picks: a bounded choice still reaches every
 * interleaving, since a task that is passed over moves up. */
static struct thi_task *pick(struct thi_step *step)
{
    enum { REACH = 64 };
    size_t reach = step->ready_count < REACH ? step->ready_count : REACH;
    size_t nth = step->seed ? (size_t)thi_random_below(&step->choices, reach) : 0;
    struct thi_task *before = NULL, *task = step->ready_first;

    while (nth--) {
        before = task;
        task = task->next;
    }
    if (before)
        before->next = task->next;
    else
        step->ready_first = task->next;
    if (step->ready_last == task)
        step->ready_last = before;
    step->ready_count--;
    return task;
}

bool thi_step_once(struct thi_step *step)
{
    struct thi_task *task;

    if (!step->ready_count)
        return false;
    step->steps++;
    task = pick(step);
    /* relaxed: a figure, and nobody else runs meanwhile */
    atomic_store_explicit(&step->worker.current, task, memory_order_relaxed);
    atomic_fetch_add_explicit(&step->worker.turn, 1, memory_order_relaxed);
    step->run(&step->worker, task);
    atomic_fetch_add_explicit(&step->worker.turn, 1, memory_order_relaxed);
    step->ops->worker_idle(&step->worker);
    return true;
}

unsigned thi_step_budget(struct thi_step *step)
{
    enum { SMALL = 8 };

    if (!step->seed)
        return TH_TURN_MESSAGES_MAX;
    /* mostly a message or a few, so that turns interleave; sometimes the whole batch, as on the
     * pool */
    if (thi_random_below(&step->choices, 4) == 0)
        return TH_TURN_MESSAGES_MAX;
    return 1 + (unsigned)thi_random_below(&step->choices, SMALL);
}

void thi_step_trace(struct thi_step *step, uint64_t word)
{
    /* FNV-1a, by Fowler, Noll and Vo, a word at a time, with a final mix of its high half */
    step->trace = (step->trace ^ word) * UINT64_C(0x100000001b3);
    step->trace ^= step->trace >> 32;
}
