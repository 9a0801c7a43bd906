/* runtime/sched/step.h: the simple base: one worker, no thread, a seed for every choice.
 *
 * The worker's turns run on whichever thread drives the system, under one lock. Runnable tasks
 * stand in a list; the seed picks which runs next and how much mail it may handle; seed 0 takes the
 * first. Nothing here reads a clock or a random source but the seeded one. */
#ifndef THI_SCHED_STEP_H
#define THI_SCHED_STEP_H

#include <pthread.h>

#include "runtime/sched/worker.h"
#include <thespis/error.h>

struct thi_step {
    struct thi_worker worker;
    const struct thi_task_ops *ops;
    thi_turn run; /* how turns are run; under the lock */
    struct thi_memory *memory;
    pthread_mutex_t lock;   /* recursive: held by whoever drives; what follows is under it */
    pthread_cond_t changed; /* on CLOCK_MONOTONIC: somebody who drove has left */
    unsigned drivers;       /* threads that hold the lock in order to run tasks */
    unsigned sleepers;      /* threads that gave it up until something happens outside */
    bool is_polled;         /* one of those waits for descriptors, the rest for `changed` */
    uint64_t seed;
    struct thi_random choices;                 /* seeded; every choice comes from here */
    struct thi_task *ready_first, *ready_last; /* runnable tasks */
    size_t ready_count;
    uint64_t steps; /* turns so far */
    uint64_t trace; /* hash over every delivery so far */
};

th_err thi_step_start(struct thi_step *step, const struct thi_task_ops *ops,
                      struct thi_memory *memory, struct thi_depot *depot, uint64_t system,
                      void *stage, uint64_t seed);
void thi_step_stop(struct thi_step *step);

/* @task has something to do. From the driving thread, lock held. */
void thi_step_submit(struct thi_step *step, struct thi_task *task);

/* One turn of one task. false: nothing is runnable. */
bool thi_step_once(struct thi_step *step);

/* How many messages this turn may handle: TH_TURN_MESSAGES_MAX, or what the seed says. */
unsigned thi_step_budget(struct thi_step *step);

/* Folds one word into the trace hash. */
void thi_step_trace(struct thi_step *step, uint64_t word);

#endif
