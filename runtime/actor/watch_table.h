/* runtime/actor/watch_table.h: the watches of a system by id, by descriptor, by owner.
 *
 * A slot is used again under another generation, so that the id of a watch that ended is nobody's.
 * All calls are under the lock of who holds the table (watch.h). */
#ifndef THI_ACTOR_WATCH_TABLE_H
#define THI_ACTOR_WATCH_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "mailbox/alloc.h"
#include <thespis/addr.h>

enum thi_watch_kind { THI_WATCH_FREE, THI_WATCH_FD, THI_WATCH_SIGNAL };

/* Left by the functions in brackets; all are in watch.c. */
enum thi_watch_state {
    THI_WATCH_QUIET,   /* waits, or is not to                   [announce] */
    THI_WATCH_SHORT,   /* it is ready, and there was no memory  [announce] */
    THI_WATCH_POSTED,  /* its message is on its way             [thi_watch_arrived] */
    THI_WATCH_HANDLING /* its owner handles it                  [thi_watch_handled] */
};

struct thi_watch {
    th_addr owner;
    uint32_t generation;
    uint32_t next, prev;  /* in the owner's list, or the free one: slot + 1; 0 ends it */
    int number;           /* descriptor or signal */
    uint32_t bits;        /* descriptor: what is waited for, enum thi_poll_bits */
    uint32_t came;        /* descriptor: what came since the last message; signal: count by then */
    uint32_t next_signal; /* in the list of all that watch a signal: slot + 1 */
    uint8_t kind;
    uint8_t state;
    uint8_t mode;   /* descriptor: th_watch_mode */
    bool is_again;  /* ONCE: rearmed while its message was about */
    bool is_closed; /* the descriptor is another's, or nobody's */
};

struct thi_watch_table {
    struct thi_memory *memory;
    struct thi_watch *slots;
    uint32_t room; /* of slots */
    uint32_t used; /* slots that ever were */
    uint32_t max;
    uint32_t free;          /* slot + 1 */
    uint32_t *by_fd;        /* slot + 1 */
    uint32_t fd_room;       /* of by_fd */
    uint32_t signals;       /* slot + 1 of the first that watches one */
    _Atomic uint32_t count; /* alive; written under the lock, read anywhere */
};

/* Takes no memory yet. */
void thi_watch_table_init(struct thi_watch_table *table, struct thi_memory *memory, uint32_t max);
void thi_watch_table_fini(struct thi_watch_table *table);

/* One of @kind in the list that begins at *@first, all else zero; good until the next take, since
 * they move. NULL with *@why: TH_E_LIMIT, TH_E_NOMEM. */
struct thi_watch *thi_watch_take(struct thi_watch_table *table, uint32_t *first,
                                 enum thi_watch_kind kind, int number, th_err *why);

/* Out of every list; its id is nobody's from now on. */
void thi_watch_give(struct thi_watch_table *table, uint32_t *first, struct thi_watch *watch);

/* At least 1 in the upper half: never a token of the poller's own. */
uint64_t thi_watch_id(const struct thi_watch_table *table, const struct thi_watch *watch);

/* NULL: it ended, or never was. */
struct thi_watch *thi_watch_find(struct thi_watch_table *table, uint64_t id);

/* By slot + 1; 0 answers NULL. */
static inline struct thi_watch *thi_watch_at(struct thi_watch_table *table, uint32_t place)
{
    return place ? &table->slots[place - 1] : NULL;
}

/* Who watches @fd; NULL: nobody. */
struct thi_watch *thi_watch_of_fd(struct thi_watch_table *table, int fd);

/* @watch does from now on, whoever did; room for it was made with the watch. */
void thi_watch_own_fd(struct thi_watch_table *table, struct thi_watch *watch);

#endif
