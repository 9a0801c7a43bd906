/* runtime/actor/directory.h: from an address to a cell, and back to free slots.
 *
 * Cells live in segments of 512 that are never moved or freed while the system lives; a table of
 * segment pointers makes a look-up two dependent loads. A slot is used again after a grace period,
 * under the next generation:
 *
 * D1. thi_directory_find() is called inside a read section (a worker between two quiescent points,
 * or
 *     thi_reclaim_enter()); the cell it returns stays this actor's, or closed, until the section
 *     ends.
 * D2. A generation is never 0 and never given twice for a slot (2^31 reuses retire the slot for
 * good).
 * D3. The generation moves on when the slot is retired, before the grace period: who still found
 * the old one is waited
 *     for, and nobody finds it after. Moving it on at reuse would let a late reader push to the
 *     next tenant. */
#ifndef THI_ACTOR_DIRECTORY_H
#define THI_ACTOR_DIRECTORY_H

#include <pthread.h>

#include "runtime/actor/cell.h"

/* Set in the generation of a one-shot reply address, and in no actor's: an answer that comes when
 * the address is gone can be told from mail for a dead actor. */
#define THI_GENERATION_ALIAS 0x80000000u

enum { THI_SEGMENT_SHIFT = 9, THI_SEGMENT_CELLS = 1 << THI_SEGMENT_SHIFT };

struct thi_directory {
    uint64_t system;
    uint32_t segments_max; /* length of the table */
    uint32_t slots_max;    /* by options */
    _Atomic(struct thi_cell *) *segments;
    struct thi_memory *memory;

    pthread_mutex_t lock; /* what follows */
    uint32_t segments_made;
    struct thi_cell *free; /* linked by task.next */
};

th_err thi_directory_init(struct thi_directory *directory, struct thi_memory *memory,
                          uint64_t system, uint32_t slots_max);
void thi_directory_fini(struct thi_directory *directory);

/* Cells a thread takes at once, so that the lock is taken once for many spawns. Small systems take
 * one, to be exact about their limit. */
enum { THI_CELLS_AT_ONCE = 64, THI_CELLS_EXACT_BELOW = 65536 };

/* A free cell's link within its batch: its state is of no other use then. */
static inline struct thi_cell *thi_cell_next_free(const struct thi_cell *cell)
{
    return cell->state;
}

/* A batch of free cells: closed, with a generation nobody knows yet, otherwise as their last
 * tenants left them. NULL with *why: TH_E_NOMEM, TH_E_LIMIT. */
struct thi_cell *thi_directory_take(struct thi_directory *directory, th_err *why);

/* The slot's next generation (D3). The inbox is closed. From here on the address names nobody.
 * false: D2, the slot is used up and must not be given back. */
bool thi_directory_expire(struct thi_cell *cell);

/* A batch back; a grace period has passed since each was expired, or nobody was ever told its
 * address. */
void thi_directory_give(struct thi_directory *directory, struct thi_cell *batch);

/* The @index-th slot's cell, whoever lives there, or NULL: past what was ever made. For walks. */
struct thi_cell *thi_directory_at(struct thi_directory *directory, uint32_t slot);
uint32_t thi_directory_slots(struct thi_directory *directory);

/* D1. NULL: foreign, never made, or another generation. */
static inline struct thi_cell *thi_directory_find(struct thi_directory *directory, th_addr addr)
{
    struct thi_cell *segment, *cell;
    uint32_t index = addr.slot >> THI_SEGMENT_SHIFT;

    if (TH_UNLIKELY(addr.system != directory->system || index >= directory->segments_max))
        return NULL;
    /* acquire: the segment's first content; pairs with the release in thi_directory_take() */
    segment = atomic_load_explicit(&directory->segments[index], memory_order_acquire);
    if (TH_UNLIKELY(!segment))
        return NULL;
    cell = &segment[addr.slot & (THI_SEGMENT_CELLS - 1)];
    /* relaxed: whoever told us the address carried the cell's content along; a stale one never
     * matches (D2) */
    if (TH_UNLIKELY(atomic_load_explicit(&cell->generation, memory_order_relaxed) !=
                    addr.generation))
        return NULL;
    return cell;
}

#endif
