/* roster.h: who of a troupe is idle, busy, lingering or leaving, and which job is whose.
 *
 * A pure state machine: events go in by the functions below, actions come out of
 * thi_roster_next(), to be drained after each event. It knows no actors: a job is an opaque
 * pointer, a worker an index and an address, time an argument. Times are nanoseconds.
 *
 *     spawn -> STARTING -ready-> BUSY -done-> IDLE, or past the idle floor LINGERING
 *     IDLE, LINGERING -next job-> BUSY                    LINGERING -linger_ns-> LEAVING
 *     BUSY -dropped-> RESTARTING -ready-> IDLE            any -exited-> out of the roster
 *
 * A worker of STARTING has its job already, but the job is not sent before the worker is ready: a
 * job never waits in the mailbox of a worker whose init may fail. */
#ifndef THI_TROUPE_ROSTER_H
#define THI_TROUPE_ROSTER_H

#include <thespis/addr.h>
#include <thespis/alloc.h>
#include <thespis/error.h>

struct thi_roster_limits {
    uint32_t workers_max;
    uint32_t idle_max;
    uint32_t pending_max;
    uint32_t kills_max;
    uint64_t linger_ns;
    uint64_t backoff_min_ns;
    uint64_t backoff_max_ns;
};

/** What befell the jobs: jobs = done + poisoned + refused + pending + busy, always. */
struct thi_roster_counts {
    uint64_t jobs;
    uint64_t done;
    uint64_t retried;
    uint64_t poisoned;
    uint64_t refused;
    uint64_t deaths; /* workers that ended without being dismissed */
};

enum thi_roster_state {
    THI_ROSTER_STARTING,
    THI_ROSTER_IDLE,
    THI_ROSTER_BUSY,
    THI_ROSTER_RESTARTING,
    THI_ROSTER_LINGERING,
    THI_ROSTER_LEAVING
};

struct thi_roster_job {
    struct thi_roster_job *next;
    void *work;
    uint64_t id;
    uint32_t kills; /* workers that died of it */
};

struct thi_roster_worker {
    struct thi_roster_worker *next, *prev; /* in the idle or the lingering list */
    struct thi_roster_job *job;
    void *keepsake; /* the owner's, for when it exits */
    th_addr addr;
    uint64_t until_ns; /* lingering: when it leaves */
    uint32_t index;
    enum thi_roster_state state;
    bool fresh;     /* never finished a job */
    bool gone;      /* has exited; its last reports may still be under way */
    bool dropped;   /* the pause for its death was counted when it dropped its job */
    bool dismissed; /* leaves because it was asked to */
};

struct thi_roster_list {
    struct thi_roster_worker *head, *tail;
    uint32_t count;
};

struct thi_roster {
    th_allocator *allocator; /* the owner's */
    struct thi_roster_limits limits;
    struct thi_roster_counts counts;

    struct thi_roster_worker **workers; /* by index; NULL: free */
    uint32_t capacity;
    uint32_t vacant;                   /* where the search for a free index starts */
    uint32_t cursor;                   /* where the last search by address ended */
    uint32_t live;                     /* all in the roster, the leaving ones included */
    uint32_t leaving;                  /* of those */
    uint32_t busy;                     /* workers with a job, starting ones included */
    struct thi_roster_list idle;       /* FIFO: the round-robin */
    struct thi_roster_list lingering;  /* FIFO: by until_ns */
    struct thi_roster_worker *opening; /* became ready for the job it was spawned for */

    struct thi_roster_job *pending, *pending_tail;
    uint64_t pending_count;
    struct thi_roster_job *spare; /* job records to be used again */
    uint32_t spare_count;
    uint64_t last_id;

    uint64_t backoff_ns;     /* the next pause after a death */
    uint64_t spawn_after_ns; /* no worker is made before this */
    uint64_t armed_ns;       /* when the owner's one timer fires; UINT64_MAX: not armed */
};

enum thi_roster_do {
    THI_ROSTER_GIVE,    /* send job @id, @work [lend] to worker @index at @addr */
    THI_ROSTER_SPAWN,   /* make worker @index; answer thi_roster_spawned() or _unspawned() */
    THI_ROSTER_DISMISS, /* ask @addr to exit; or thi_roster_undismissed() */
    THI_ROSTER_ARM      /* have thi_roster_timer() called in @delay_ns, instead of before */
};

struct thi_roster_action {
    enum thi_roster_do what;
    uint32_t index;
    th_addr addr;
    uint64_t id;
    void *work;
    uint64_t delay_ns;
};

enum thi_roster_take { THI_ROSTER_TAKEN, THI_ROSTER_FULL, THI_ROSTER_NOMEM };

/* ---- life ---- */

/** @allocator [keep]. @limits are valid: thi_roster_limits_check(). */
void thi_roster_init(struct thi_roster *roster, th_allocator *allocator,
                     const struct thi_roster_limits *limits);

/** Takes out the next job there is [give], pending ones first, or NULL. *@sent_out: a worker may
 * have it. For the end only: nothing else may follow but this and thi_roster_fini(). */
void *thi_roster_clear(struct thi_roster *roster, bool *sent_out);

/** After that: strikes out workers, until one had a keepsake [give]; NULL: none is left. */
void *thi_roster_strike(struct thi_roster *roster);

/** Frees the roster's own memory; jobs and workers must have been taken out. */
void thi_roster_fini(struct thi_roster *roster);

bool thi_roster_limits_check(const struct thi_roster_limits *limits);

/* ---- events. A `void *` result is the job [give] that has to be poisoned now, or NULL, unless
 * said otherwise. Workers are named by index and address: a report of one that left is nothing. */

/** @work [take] if THI_ROSTER_TAKEN. THI_ROSTER_NOMEM: not counted. */
enum thi_roster_take thi_roster_job(struct thi_roster *roster, void *work);

/** @keepsake [take]: any pointer, given back by thi_roster_farewell(). */
void thi_roster_spawned(struct thi_roster *roster, uint32_t index, th_addr addr, void *keepsake);
void *thi_roster_unspawned(struct thi_roster *roster, uint32_t index, uint64_t now_ns);
void *thi_roster_unsent(struct thi_roster *roster, uint32_t index, uint64_t now_ns);
void thi_roster_undismissed(struct thi_roster *roster, uint32_t index, uint64_t now_ns);

/** It can take work; after its start, or again after a restart. */
void thi_roster_ready(struct thi_roster *roster, uint32_t index, th_addr addr, uint64_t now_ns);

/** Job @id is done: the job [give], to be freed, or NULL: the worker has no such job. @stops: the
 * worker is about to exit, and gets no other. */
void *thi_roster_done(struct thi_roster *roster, uint32_t index, th_addr addr, uint64_t id,
                      bool stops, uint64_t now_ns);

/** Job @id failed all its deliveries: as thi_roster_done(). */
void *thi_roster_failed(struct thi_roster *roster, uint32_t index, th_addr addr, uint64_t id,
                        bool stops, uint64_t now_ns);

/** The worker's state went, and job @id with it: a death of the job, if perhaps not the worker's.
 */
void *thi_roster_dropped(struct thi_roster *roster, uint32_t index, th_addr addr, uint64_t id,
                         uint64_t now_ns);

/** The worker at @addr has exited: it gets no more jobs. Its keepsake [give], or NULL: no worker
 * has that address. */
void *thi_roster_farewell(struct thi_roster *roster, th_addr addr);

/** Whether reports of that worker may still be under way: then thi_roster_exited() has to wait for
 * them. */
bool thi_roster_talkative(const struct thi_roster *roster, uint32_t index);

/** And has nothing more to say. @failed: by its init, or by its class's choice. */
void *thi_roster_exited(struct thi_roster *roster, uint32_t index, th_addr addr, bool failed,
                        uint64_t now_ns);

/** The timer fired, or could not be armed. */
void thi_roster_timer(struct thi_roster *roster);

/** New limits, zero leaves one. False: they make no sense together, nothing changed. */
bool thi_roster_set(struct thi_roster *roster, uint32_t workers_max, uint32_t idle_max,
                    uint32_t pending_max, uint64_t now_ns);

/* ---- actions ---- */

/** What to do next; false: nothing, until the next event. */
bool thi_roster_next(struct thi_roster *roster, uint64_t now_ns, struct thi_roster_action *action);

#endif
