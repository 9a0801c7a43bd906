/* heap.c: what a heap does when its lists are dry or full, and the depot between heaps.
 *
 * A dry heap looks, in this order, at its spare, the depot's batches, its slab, the depot's
 * remnants, and the system's memory.
 *
 * Popping from the depot is behind a lock since two poppers of one ck_stack suffer ABA; pushing is
 * not. Nobody waits for the lock long: it is held for a few instructions, so a popper that finds it
 * taken tries again for about as long as a cache line takes to move, then lets the holder have the
 * core, and only then carves new blocks. Giving up at once was tried on paper and rejected: blocks
 * carved while others lie free stay for good, so a worker that only allocates and one that only
 * frees would grow the system a little with each collision, for ever. */
#include <sched.h>
#include <string.h>

#include "mailbox/alloc.h"

#include <ck_pr.h>

#define SLAB_SIZE       ((size_t)64 * 1024)
#define SLAB_SIZE_FIRST ((size_t)8 * 1024) /* most endpoints never need more */

/* A batch: enough blocks that the depot's atomic operations cost nothing per message, and few
 * enough that what heaps hoard stays small: at most 2 x 32 KiB in one class. */
#define BATCH_BYTES      ((size_t)8 * 1024)
#define BATCH_BLOCKS_MIN 4
#define BATCH_BLOCKS_MAX 64

#define POP_SPINS  64  /* pauses of some 10 to 40 ns: a moved cache line or two */
#define POP_YIELDS 256 /* the holder was preempted: let it on */

struct slab {
    struct ck_stack_entry in_depot;
    size_t size;
};

const uint16_t thi_heap_block_sizes[THI_BLOCKS] = { 0,    64,   96,   128,  160, 192,
                                                    256,  320,  384,  512,  768, 1024,
                                                    1536, 2048, 3072, 4096, 8192 };

const uint8_t thi_heap_small_blocks[33] = {
    1,  1,  1,  2,  3,  4,  5,      /* to 0, 32, 64, 96, 128, 160, 192 */
    6,  6,                          /* to 256 */
    7,  7,                          /* to 320 */
    8,  8,                          /* to 384 */
    9,  9,  9,  9,                  /* to 512 */
    10, 10, 10, 10, 10, 10, 10, 10, /* to 768 */
    11, 11, 11, 11, 11, 11, 11, 11
}; /* to 1024 */

CK_CC_CONTAINER(struct ck_stack_entry, struct thi_free, in_depot, batch_of)
CK_CC_CONTAINER(struct ck_stack_entry, struct slab, in_depot, slab_of)

/* ---- the depot ---- */

void thi_depot_init(struct thi_depot *depot, struct thi_memory *memory)
{
    memset(depot, 0, sizeof(*depot));
    depot->memory = memory;
}

/* Puts @count blocks (or a remnant of @count bytes) on a shelf. */
static void shelve(struct thi_depot *depot, unsigned shelf, struct thi_free *batch, size_t count)
{
    THI_UNPOISON(batch, sizeof(*batch));
    batch->count = count;
    /* relaxed: a figure; before the push, so that who pops it cannot subtract first */
    if (shelf)
        atomic_fetch_add_explicit(&depot->shelves[shelf].shelved, (uint32_t)count,
                                  memory_order_relaxed);
    /* CK: the store fence in push publishes the batch; pairs with the load fence in pop */
    ck_stack_push_mpmc(&depot->shelves[shelf].batches, &batch->in_depot);
}

static bool lock_to_pop(struct thi_depot_shelf *shelf)
{
    int tries;

    for (tries = 0; tries < POP_SPINS + POP_YIELDS; tries++) {
        /* acquire: the popper before us is done with the stack; pairs with the release in
         * unshelve(). The relaxed look first keeps the line shared while it is taken. */
        if (atomic_load_explicit(&shelf->popping, memory_order_relaxed) == 0 &&
            atomic_exchange_explicit(&shelf->popping, 1, memory_order_acquire) == 0)
            return true;
        if (tries < POP_SPINS)
            ck_pr_stall();
        else
            sched_yield();
    }
    return false;
}

static struct thi_free *unshelve(struct thi_depot *depot, unsigned at)
{
    struct thi_depot_shelf *shelf = &depot->shelves[at];
    struct ck_stack_entry *entry;

    if (!ck_pr_load_ptr(&shelf->batches.head) || !lock_to_pop(shelf))
        return NULL;
    entry = ck_stack_pop_upmc(&shelf->batches);
    /* release: pairs with the acquire in lock_to_pop() */
    atomic_store_explicit(&shelf->popping, 0, memory_order_release);
    if (!entry)
        return NULL;
    if (at)
        atomic_fetch_sub_explicit(&shelf->shelved, (uint32_t)batch_of(entry)->count,
                                  memory_order_relaxed); /* as in shelve() */
    return batch_of(entry);
}

struct thi_block_figures thi_depot_figures(struct thi_depot *depot, unsigned block)
{
    /* relaxed, both: figures */
    return (struct thi_block_figures){
        atomic_load_explicit(&depot->shelves[block].carved, memory_order_relaxed),
        atomic_load_explicit(&depot->shelves[block].shelved, memory_order_relaxed)
    };
}

uint64_t thi_depot_fini(struct thi_depot *depot)
{
    struct ck_stack_entry *entry;
    uint64_t out = 0;
    unsigned block;

    for (block = 1; block < THI_BLOCKS; block++) {
        /* relaxed: the last heap is gone, and whatever told us so ordered its writes before us */
        out += atomic_load_explicit(&depot->shelves[block].carved, memory_order_relaxed);
        while ((entry = ck_stack_pop_npsc(&depot->shelves[block].batches)))
            out -= batch_of(entry)->count;
    }
    while ((entry = ck_stack_pop_npsc(&depot->slabs))) {
        struct slab *slab = slab_of(entry);

        THI_UNPOISON(slab, slab->size);
        thi_memory_give(depot->memory, slab, slab->size);
    }
    return out;
}

/* ---- slabs ---- */

/* Moves the start of what is left up to a cache line. False: nothing is left. */
static bool slab_align(struct thi_heap *heap)
{
    size_t skip = (size_t)(-(uintptr_t)heap->slab & (TH_CACHE_LINE - 1));

    if (heap->slab_left <= skip) {
        heap->slab_left = 0;
        return false;
    }
    heap->slab += skip;
    heap->slab_left -= skip;
    return true;
}

/* Shelves what is left of the slab for whoever needs one next. */
static void slab_drop(struct thi_heap *heap)
{
    if (slab_align(heap) && heap->slab_left >= THI_BLOCK_SIZE_MAX / 8)
        shelve(heap->depot, 0, (struct thi_free *)(void *)heap->slab, heap->slab_left);
    heap->slab = NULL;
    heap->slab_left = 0;
}

/* Gets room for one block of @size at least. */
static bool slab_renew(struct thi_heap *heap, size_t size)
{
    struct thi_free *remnant;
    struct slab *slab;

    slab_drop(heap);
    remnant = size <= THI_BLOCK_SIZE_MAX / 8 ? unshelve(heap->depot, 0) : NULL;
    if (remnant) {
        heap->slab = (char *)remnant;
        heap->slab_left = remnant->count;
        return true;
    }
    if (heap->slab_size < size + 2 * TH_CACHE_LINE)
        heap->slab_size = SLAB_SIZE;
    slab = thi_memory_take_raw(heap->memory, heap->slab_size);
    if (!slab)
        return false;
    slab->size = heap->slab_size;
    ck_stack_push_mpmc(&heap->depot->slabs, &slab->in_depot);
    heap->slab = (char *)(slab + 1);
    heap->slab_left = slab->size - sizeof(*slab);
    heap->slab_size = SLAB_SIZE;
    return slab_align(heap);
}

/* Cuts a batch, or what there is room for, into an empty list. */
static bool carve(struct thi_heap *heap, unsigned block)
{
    struct thi_heap_class *class = &heap->classes[block];
    size_t size = thi_heap_block_sizes[block];
    uint32_t count = 0;

    if (!slab_align(heap) || heap->slab_left < size) {
        if (!slab_renew(heap, size))
            return false;
    }
    while (count < class->full && heap->slab_left >= size) {
        struct thi_free *fresh = (struct thi_free *)(void *)heap->slab;

#if THI_CHECKED
        fresh->canary = 0;
#endif
        heap->slab += size;
        heap->slab_left -= size;
        thi_block_free(fresh, block);
        fresh->next = class->first;
        class->first = fresh;
        count++;
    }
    class->count = count;
    /* relaxed: a counter, read after the last heap is gone */
    atomic_fetch_add_explicit(&heap->depot->shelves[block].carved, count, memory_order_relaxed);
    return true;
}

/* ---- the heap ---- */

void thi_heap_init(struct thi_heap *heap, struct thi_memory *memory, struct thi_depot *depot)
{
    unsigned block;

    memset(heap, 0, sizeof(*heap));
    heap->memory = memory;
    heap->depot = depot;
    heap->slab_size = SLAB_SIZE_FIRST;
    for (block = 1; block < THI_BLOCKS; block++) {
        size_t full = BATCH_BYTES / thi_heap_block_sizes[block];

        if (full < BATCH_BLOCKS_MIN)
            full = BATCH_BLOCKS_MIN;
        if (full > BATCH_BLOCKS_MAX)
            full = BATCH_BLOCKS_MAX;
        heap->classes[block].full = (uint32_t)full;
    }
}

void thi_heap_fini(struct thi_heap *heap)
{
    unsigned block;

    for (block = 1; block < THI_BLOCKS; block++) {
        struct thi_heap_class *class = &heap->classes[block];

        if (class->first)
            shelve(heap->depot, block, class->first, class->count);
        if (class->spare)
            shelve(heap->depot, block, class->spare, class->spare_count);
        class->first = NULL;
        class->spare = NULL;
        class->count = 0;
    }
    slab_drop(heap);
}

void *thi_heap_take_slow(struct thi_heap *heap, unsigned block)
{
    struct thi_heap_class *class = &heap->classes[block];
    struct thi_free *first, *batch;

    if (class->spare) {
        class->first = class->spare;
        class->count = class->spare_count;
        class->spare = NULL;
    } else if ((batch = unshelve(heap->depot, block))) {
        class->first = batch;
        class->count = (uint32_t)batch->count;
        THI_POISON(&batch->canary, sizeof(*batch) - offsetof(struct thi_free, canary));
    } else if (!carve(heap, block)) {
        return NULL;
    }
    first = class->first;
    class->first = first->next;
    class->count--;
    thi_block_use(first, block);
    return first;
}

/* Empties a full list: into the spare, and a spare that is there already to the depot. */
void thi_heap_stash(struct thi_heap *heap, unsigned block)
{
    struct thi_heap_class *class = &heap->classes[block];

    if (class->spare)
        shelve(heap->depot, block, class->spare, class->spare_count);
    class->spare = class->first;
    class->spare_count = class->count;
    class->first = NULL;
    class->count = 0;
}
