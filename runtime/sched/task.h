/* runtime/sched/task.h: what a worker runs.
 *
 * The scheduler knows no actors. Whoever wants to be run embeds a thi_task; the pool is started
 * with one function that runs any of them. A task is in at most one queue at a time: its owner
 * submits it only after it ended its sleep (I1 of mailbox/inbox.h), or from its own turn. */
#ifndef THI_SCHED_TASK_H
#define THI_SCHED_TASK_H

struct thi_worker;

struct thi_task {
    struct thi_task *next; /* the one link: in the submission queue or a backlog, never both */
};

/* One turn, on @worker's thread. The task queues itself again (thi_worker_requeue) or sleeps before
 * it returns; after that it must not be touched, since another worker may have it. */
typedef void (*thi_turn)(struct thi_worker *worker, struct thi_task *task);

/* seam: filled in by actor/receive.c */
struct thi_task_ops {
    thi_turn run;         /* as long as thi_pool_set_turn() says nothing else */
    thi_turn run_sampled; /* one that is to be measured; NULL: none is */
    /* Around a worker thread's life, on it: whatever the floor above keeps per worker. */
    void (*worker_begin)(struct thi_worker *worker);
    void (*worker_end)(struct thi_worker *worker);
    /* Before the worker parks: hand over what it was keeping to itself. */
    void (*worker_idle)(struct thi_worker *worker);
};

#endif
