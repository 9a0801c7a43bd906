/* runtime/actor/directory.c: address to cell: slots and generations. */
#include "runtime/actor/directory.h"

#include <string.h>

#include <thespis/assert.h>

th_err thi_directory_init(struct thi_directory *directory, struct thi_memory *memory,
                          uint64_t system, uint32_t slots_max)
{
    memset(directory, 0, sizeof(*directory));
    directory->system = system;
    directory->memory = memory;
    directory->slots_max = slots_max;
    directory->segments_max = (slots_max + THI_SEGMENT_CELLS - 1) >> THI_SEGMENT_SHIFT;
    directory->segments =
        thi_memory_take(memory, directory->segments_max * sizeof(*directory->segments));
    if (!directory->segments)
        return TH_E_NOMEM;
    pthread_mutex_init(&directory->lock, NULL);
    return TH_OK;
}

void thi_directory_fini(struct thi_directory *directory)
{
    for (uint32_t i = 0; i < directory->segments_made; i++)
        /* relaxed: no other thread is left */
        thi_memory_give(directory->memory,
                        atomic_load_explicit(&directory->segments[i], memory_order_relaxed),
                        THI_SEGMENT_CELLS * sizeof(struct thi_cell));
    thi_memory_give(directory->memory, directory->segments,
                    directory->segments_max * sizeof(*directory->segments));
    pthread_mutex_destroy(&directory->lock);
}

/* Under the lock. */
static void push(struct thi_directory *directory, struct thi_cell *batch)
{
    batch->task.next = directory->free ? &directory->free->task : NULL;
    directory->free = batch;
}

/* One more segment's cells onto the free list, lowest slot first. Under the lock. */
static th_err grow(struct thi_directory *directory)
{
    struct thi_cell *segment;
    uint32_t first = directory->segments_made << THI_SEGMENT_SHIFT;
    uint32_t count = THI_SEGMENT_CELLS, batch;

    if (directory->segments_made == directory->segments_max)
        return TH_E_LIMIT;
    segment = thi_memory_take(directory->memory, THI_SEGMENT_CELLS * sizeof(*segment));
    if (!segment)
        return TH_E_NOMEM;
    if (count > directory->slots_max - first)
        count = directory->slots_max - first;
    for (uint32_t i = 0; i < count; i++) {
        segment[i].slot = first + i;
        thi_inbox_init(&segment[i].inbox, THI_INBOX_CLOSED);
        /* relaxed: published with the segment */
        atomic_store_explicit(&segment[i].generation, 1, memory_order_relaxed);
    }
    batch = directory->slots_max < THI_CELLS_EXACT_BELOW ? 1 : THI_CELLS_AT_ONCE;
    for (uint32_t end = count; end > 0; end = end > batch ? end - batch : 0) {
        uint32_t start = end > batch ? end - batch : 0;

        for (uint32_t i = start; i + 1 < end; i++)
            segment[i].state = &segment[i + 1];
        push(directory, &segment[start]);
    }
    /* release: the cells' content; pairs with the acquire in thi_directory_find() */
    atomic_store_explicit(&directory->segments[directory->segments_made], segment,
                          memory_order_release);
    directory->segments_made++;
    return TH_OK;
}

struct thi_cell *thi_directory_take(struct thi_directory *directory, th_err *why)
{
    struct thi_cell *batch = NULL;

    pthread_mutex_lock(&directory->lock);
    *why = directory->free ? TH_OK : grow(directory);
    if (!*why) {
        batch = directory->free;
        directory->free = batch->task.next ? thi_cell_of_task(batch->task.next) : NULL;
    }
    pthread_mutex_unlock(&directory->lock);
    return batch;
}

bool thi_directory_expire(struct thi_cell *cell)
{
    /* relaxed: only its owner changes it */
    uint32_t generation = atomic_load_explicit(&cell->generation, memory_order_relaxed);

    generation = ((generation & ~THI_GENERATION_ALIAS) + 1) & ~THI_GENERATION_ALIAS;
    /* The grace period that follows orders it before the reuse. release: who is told that an actor
     * is gone sees what it did; pairs with the acquire in thi_census_find(). */
    atomic_store_explicit(&cell->generation, generation, memory_order_release);
    return generation != 0;
}

void thi_directory_give(struct thi_directory *directory, struct thi_cell *batch)
{
    pthread_mutex_lock(&directory->lock);
    push(directory, batch);
    pthread_mutex_unlock(&directory->lock);
}

uint32_t thi_directory_slots(struct thi_directory *directory)
{
    uint32_t made;

    pthread_mutex_lock(&directory->lock);
    made = directory->segments_made << THI_SEGMENT_SHIFT;
    pthread_mutex_unlock(&directory->lock);
    return made < directory->slots_max ? made : directory->slots_max;
}

struct thi_cell *thi_directory_at(struct thi_directory *directory, uint32_t slot)
{
    struct thi_cell *segment = NULL;

    if (slot >> THI_SEGMENT_SHIFT < directory->segments_max)
        /* acquire: as in thi_directory_find() */
        segment = atomic_load_explicit(&directory->segments[slot >> THI_SEGMENT_SHIFT],
                                       memory_order_acquire);
    return segment ? &segment[slot & (THI_SEGMENT_CELLS - 1)] : NULL;
}
