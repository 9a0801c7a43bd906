/* runtime/actor/cell.h: an actor's body, and its states.
 *
 * A cell is 128 bytes in a directory segment and is never freed while its system lives, only used
 * again: after a grace period, under another generation (directory.h). So whoever found a cell
 * inside a read section may push to its inbox; at worst the inbox is closed.
 *
 * C1. A cell is run by one worker at a time: it is in no queue while its inbox is ASLEEP, in one
 * queue or running otherwise.
 * C2. Only the running worker touches what is marked "owner". The inbox's acquire/release and the
 * run queue's carry those
 *     writes to the next worker.
 * C3. States only go forward:
 *       STARTING  thi_spawn()             left by the first turn, which runs init
 *       RUNNING   init succeeded          left by exit request, th_exit(), failure with
 *       TH_ON_FAILURE_STOP
 *       EXITING   waits for its children  left by the last child-exited
 *       DEAD      thi_exit_finish(): inbox CLOSED, mail given to the dead-letter funnel, parent
 *       told, slot retired
 * C4. A child is in its parent's list from thi_spawn() until the parent has handled its
 * child-exited; the list is the
 *     parent's, also the links that lie in the children. */
#ifndef THI_ACTOR_CELL_H
#define THI_ACTOR_CELL_H

#include <stdatomic.h>

#include "runtime/base/reclaim.h"
#include "runtime/sched/worker.h"
#include "mailbox/inbox.h"
#include "mailbox/voice.h"
#include <thespis/actor.h>

struct thi_stage;
struct thi_cell_extra;
struct thi_credits;

/* What code speaks through: one in each cell and in each endpoint. */
struct th_self {
    struct thi_voice voice;    /* first: the heap, for messages. Set at each turn's start. */
    struct thi_worker *worker; /* whose turn it is; NULL for endpoints */
};

enum thi_cell_kind {
    THI_CELL_FREE,     /* in the free list, or in its grace period */
    THI_CELL_ACTOR,    /* runs on the pool */
    THI_CELL_OWN,      /* runs on its own thread */
    THI_CELL_ENDPOINT, /* belongs to a thread that is no actor; woken, never run */
    THI_CELL_ALIAS,    /* a one-shot reply address; its inbox word is ALIAS until answered */
    THI_CELL_PARCEL    /* nobody lives here any more; its state is a thi_parcel to be released */
};

enum thi_cell_state { THI_CELL_STARTING, THI_CELL_RUNNING, THI_CELL_EXITING, THI_CELL_DEAD };

struct thi_cell {
    /* senders write the inbox; the rest of this line changes only at spawn, or is the owner's */
    struct thi_inbox inbox;
    _Atomic uint32_t generation; /* 0 while free; set before the address is known to anybody */
    uint32_t slot;
    struct thi_task task;
    const th_class *klass; /* NULL for endpoints and aliases */
    void *state; /* actor: the user's; endpoint: struct thi_endpoint; alias: struct thi_alias */
    th_msg *mail_head; /* owner: taken, not yet handled, FIFO */
    th_msg *mail_tail;
    _Atomic uint8_t kind;          /* enum thi_cell_kind; constant while the generation is */
    _Atomic uint8_t state_of_life; /* enum thi_cell_state; owner writes, status reads */
    uint16_t flags : 12;           /* owner: enum thi_cell_flags */
    uint16_t exit_reason : 4;      /* owner: th_exit_reason, once EXITING */
    _Atomic uint32_t children;     /* owner writes, status reads */

    /* the owner's line */
    struct th_self self;
    struct thi_cell_extra *extra;       /* owner: what most actors never need; NULL until then */
    _Atomic uint32_t parent_slot;       /* owner writes, status reads: with parent_generation the */
    _Atomic uint32_t parent_generation; /* parent's address; same system */
    uint32_t
        first_child; /* owner: slots; 0 is none, since slot 0 is the admin, who is nobody's child */
    uint32_t next_sibling; /* the parent's */
    uint32_t prev_sibling; /* the parent's */
    uint32_t ask_cursor; /* owner: the child to be asked to exit next, when memory ran out midway */
};

_Static_assert(sizeof(struct thi_cell) <= 192 && sizeof(struct thi_cell) % 64 == 0,
               "an idle actor's price is a promise (docs/design.md, decision 5)");

enum thi_cell_flags {
    THI_CELL_EXIT_ASKED = 1 << 0,    /* th_exit(): when this message is done */
    THI_CELL_KEEP_CHILDREN = 1 << 1, /* at exit the children go to the system instead */
    THI_CELL_BLOCKING = 1 << 2,      /* between th_blocking_begin() and _end() */
    THI_CELL_IN_EXIT = 1 << 3,       /* its exit function runs: no more spawning */
    THI_CELL_STALLED = 1 << 4,       /* its exit lacks memory: to be tried again next turn */
    THI_CELL_EXIT_HEARD = 1 << 10,   /* it handles an exit request, and has not put it off */
    THI_CELL_DETOUR = 1 << 5,        /* deliveries go through detour.c */
    THI_CELL_STASHING = 1 << 6,      /* th_stash(): this message is to be kept */
    THI_CELL_UNSTASHED = 1 << 7,     /* mail is to be put back in front */
    THI_CELL_GATED = 1 << 8,         /* for ever: bounded or sorting, its turns are gate.c's */
    THI_CELL_HELD = 1 << 9           /* no plain mail until thi_released; gate.c, hold.c */
};

/* What a turn must look after once a handler has returned: all but how it was called. */
#define THI_CELL_AFTERCARE (0xfffu & ~(unsigned)THI_CELL_DETOUR)

_Static_assert(TH_EXIT_COUNT <= 16, "an exit reason has 4 bits in a cell");

static inline void thi_cell_raise(struct thi_cell *cell, enum thi_cell_flags flags)
{
    cell->flags = (cell->flags | (unsigned)flags) & 0xfffu;
}

static inline void thi_cell_lower(struct thi_cell *cell, enum thi_cell_flags flags)
{
    cell->flags = cell->flags & ~(unsigned)flags & 0xfffu;
}

/* The wakeups of one actor or endpoint, by id. Under the voice's lock, where there is one. */
struct thi_wakeup_table {
    struct thi_wakeup **buckets; /* a power of two of them; NULL: none yet */
    uint32_t bucket_count;
    uint32_t count;
};

/* Watches and links of one actor or endpoint, by the other's address. Under the voice's lock, where
 * there is one. tie.h */
struct thi_tie_table {
    th_msg **buckets; /* a power of two of them; NULL: none yet, all are in only */
    th_msg *only;
    uint32_t bucket_count;
    uint32_t count;
};

/* What few actors need, made on first use by thi_cell_extra(). The owner's. */
struct thi_cell_extra {
    th_msg *arg;                     /* for init, and for init again after TH_ON_FAILURE_RESTART */
    struct thi_alias *asks;          /* open questions of th_ask_then(), in a list */
    struct thi_wakeup_table wakeups; /* pending; actor/wakeup.c */
    uint32_t watches;                /* slot + 1 of the first; actor/watch.h */
    struct thi_worker *own;          /* kind OWN: its thread */
    struct thi_name *name;           /* its global name, or NULL */
    struct thi_fitting *fitting;     /* what it needs of the system, or NULL */
    struct thi_behaviours *behaviours; /* behaviour.h */
    struct thi_stash *stash;           /* stash.h */
    struct thi_transient *transient;   /* transient.h */
    uint64_t age_ns_max, idle_ns_max;  /* of the spawn options; 0: the class's */
    struct thi_initial *initial;       /* initial.h */
    struct thi_office *office;         /* deputy.h */
    const th_msg *kept;                /* stash.h, S1 */
    struct thi_actor_measure *measure; /* measure.h, M2 */
    th_addr report_to;                 /* th_create(): who waits to hear how init went */
    th_err inject_err; /* testkit: the next inject_times deliveries fail with this */
    uint32_t inject_times;
    bool is_restarting;            /* its init runs again */
    struct thi_credits *credits;   /* bounded actors: constant from spawn to reclaim; credits.h */
    th_msg *passed;                /* while held: the last of the mail that must wait; gate.c */
    th_msg *sorted;                /* the last of the class's urgent mail in mail_head; gate.c */
    bool letters;                  /* registered for dead letters */
    bool traps;                    /* th_trap_links() */
    struct thi_tie_table ties;     /* actor/tie.c */
    th_msg *started;               /* for the parent, once init has succeeded; or NULL */
    th_blob *exit_words;           /* that go with its end, or NULL; actor/reason.c */
    th_err exit_err;               /* what init or the handler returned */
    char details[TH_DETAILS_SIZE]; /* what th_fail() said last */
};

static inline struct thi_cell *thi_cell_of_task(struct thi_task *task)
{
    return (struct thi_cell *)((char *)task - offsetof(struct thi_cell, task));
}

/* Only of handles that are an actor's: self->worker is not NULL. */
static inline struct thi_cell *thi_cell_of_self(const th_self *self)
{
    return (struct thi_cell *)((char *)(uintptr_t)self - offsetof(struct thi_cell, self));
}

static inline enum thi_cell_kind thi_cell_kind(const struct thi_cell *cell)
{
    /* relaxed: constant for the generation that the reader found the cell by */
    return (enum thi_cell_kind)atomic_load_explicit(&cell->kind, memory_order_relaxed);
}

/* The same for who found the cell by walking the directory: for an actor all that is constant can
 * be read. */
static inline enum thi_cell_kind thi_cell_kind_shown(const struct thi_cell *cell)
{
    /* acquire: pairs with the release in show() of spawn.c */
    return (enum thi_cell_kind)atomic_load_explicit(&cell->kind, memory_order_acquire);
}

static inline enum thi_cell_state thi_cell_life(const struct thi_cell *cell)
{
    /* relaxed: the owner reads its own writes; others only show it */
    return (enum thi_cell_state)atomic_load_explicit(&cell->state_of_life, memory_order_relaxed);
}

static inline void thi_cell_set_life(struct thi_cell *cell, enum thi_cell_state life)
{
    atomic_store_explicit(&cell->state_of_life, (uint8_t)life, memory_order_relaxed); /* as above */
}

/* The parent's slot and generation; system 0 without a parent. */
static inline th_addr thi_cell_parent(const struct thi_cell *cell, uint64_t system)
{
    /* relaxed: the owner reads its own writes; to status a pair that is half old is a moment's
     * mistake */
    th_addr parent = { 0, atomic_load_explicit(&cell->parent_slot, memory_order_relaxed),
                       atomic_load_explicit(&cell->parent_generation, memory_order_relaxed) };

    parent.system = parent.generation ? system : 0;
    return parent;
}

static inline void thi_cell_set_parent(struct thi_cell *cell, th_addr parent)
{
    /* relaxed: as above */
    atomic_store_explicit(&cell->parent_slot, parent.slot, memory_order_relaxed);
    atomic_store_explicit(&cell->parent_generation, parent.generation, memory_order_relaxed);
}

/* The extra of @cell, made if need be; NULL: no memory. */
struct thi_cell_extra *thi_cell_extra(struct thi_stage *stage, struct thi_cell *cell);

/* A free cell of @kind, its inbox CLOSED and its address known to nobody. NULL with *why:
 * TH_E_NOMEM, TH_E_LIMIT. */
struct thi_cell *thi_cell_take(th_self *self, enum thi_cell_kind kind, th_err *why);

/* A dead actor's cell takes @parcel [take] along through its grace period: from here on it is
 * retired alone, and @parcel is released afterwards. */
void thi_cell_carry(struct thi_cell *cell, struct thi_parcel *parcel);

/* Its inbox is closed, nobody needs it any more: it is used again after a grace period. */
void thi_cell_retire(th_self *self, struct thi_cell *cell);

/* The reclaimer's free_batch; @context is the stage. */
void thi_cells_reclaimed(void *context, struct thi_retired *list);

/* What was kept back to be retired in batches goes to the reclaimer (simple base: is freed at
 * once). */
void thi_cells_flush_worker(struct thi_worker *worker);

/* The same, before the reclaimer stops: nothing is handed to it from now on, whoever still closes
 * an endpoint. */
void thi_cells_flush_last(struct thi_stage *stage);

/* At the end, when no other thread is left: what is still kept back is freed. */
void thi_cells_fini(struct thi_stage *stage);

/* At the worker's end: its spare cells go back to the directory. */
void thi_cells_give_back(struct thi_worker *worker);

#endif
