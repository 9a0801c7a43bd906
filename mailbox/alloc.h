/* alloc.h: where memory comes from: the system's, and each worker's.
 *
 *     thi_memory   one per system: the allocator's hooks, a byte count, a ceiling     alloc.c
 *     thi_depot    one per system: batches of free blocks, and every slab             heap.c
 *     thi_heap     one per worker or endpoint: free lists by size class               heap.c
 *
 * The problem: a message lives for some tens of nanoseconds, and often dies on another worker than
 * it was born on. So taking and giving are a pop and a push on the owner's plain list, and what
 * gathers on one worker and lacks on another travels in whole batches: one atomic operation per
 * batch, none at all as long as a worker frees about as much as it takes.
 *
 * A heap's list of one class is two: `first`, which is worked on, and `spare`, either empty or one
 * batch. Dry: the spare becomes the first; only without one is the depot asked, then the slab.
 * Full: the first becomes the spare; only if there is one already does that go to the depot. So at
 * least a batch of operations lies between two visits to the depot, whatever the pattern.
 *
 * M1. A heap is used by one thread at a time; the depot and the memory by any.
 * M2. A block belongs to a class, not to a heap: it may be given to any heap of the same depot.
 * M3. Slabs go back when the depot ends, not before: a system's blocks never exceed their peak.
 * M4. Blocks of size classes that are multiples of 64 do not share a cache line with neighbours.
 * M5. A block is as the last user left it, except for its first two words; it is not zeroed.
 *
 * Under AddressSanitizer a free block is poisoned behind its first word; in checked builds its
 * second word says that it is free, so that a double free and a write after free are caught. */
#ifndef MAILBOX_ALLOC_H
#define MAILBOX_ALLOC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <thespis/alloc.h>
#include <thespis/assert.h>
#include <thespis/compiler.h>
#include <thespis/error.h>

#include <ck_stack.h>

#if defined(__SANITIZE_ADDRESS__)
#define THI_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define THI_ASAN 1
#endif
#endif
#ifdef THI_ASAN
#include <sanitizer/asan_interface.h>
#define THI_POISON(at, size)   ASAN_POISON_MEMORY_REGION(at, size)
#define THI_UNPOISON(at, size) ASAN_UNPOISON_MEMORY_REGION(at, size)
#elif defined(THI_MEMCHECK)
#include <valgrind/memcheck.h>
#define THI_POISON(at, size)   VALGRIND_MAKE_MEM_NOACCESS(at, size)
#define THI_UNPOISON(at, size) VALGRIND_MAKE_MEM_DEFINED(at, size)
#define THI_FORGET(at, size)   VALGRIND_MAKE_MEM_UNDEFINED(at, size)
#else
#define THI_POISON(at, size)   ((void)0)
#define THI_UNPOISON(at, size) ((void)0)
#endif
#ifndef THI_FORGET
#define THI_FORGET(at, size) ((void)0) /* what is there may not be relied on */
#endif

/* ---- the system's memory ---- */

struct thi_memory {
    th_allocator hooks; /* alloc NULL: malloc, calloc and free themselves */
    uint64_t max;       /* bytes, 0: no ceiling */

    /* written by whoever takes or gives */
    _Atomic uint64_t bytes;
    _Atomic uint64_t peak;
    _Atomic uint64_t takes;   /* attempts, those that failed included */
    _Atomic uint64_t refused; /* those past the ceiling */

    /* failure injection, for tests */
    _Atomic uint64_t fail_at; /* the value of takes that fails; 0: none */
    _Atomic bool fail_on;     /* and every later one */
};

/** @hooks [lend], copied; NULL: malloc and free. @max: bytes, 0: no ceiling.
 *  TH_E_INVALID: one of the hooks is NULL. */
TH_NODISCARD th_err thi_memory_init(struct thi_memory *memory, const th_allocator *hooks,
                                    uint64_t max);

/** Bytes that were never given back: a leak, unless 0. */
uint64_t thi_memory_fini(struct thi_memory *memory);

/** @size bytes, zeroed [give], aligned for any type; NULL: none to be had, or past the ceiling. */
void *thi_memory_take(struct thi_memory *memory, size_t size);

/** The same, with whatever was in it. */
void *thi_memory_take_raw(struct thi_memory *memory, size_t size);

/** @size: what it was taken with. NULL is nothing to do. */
void thi_memory_give(struct thi_memory *memory, void *at, size_t size);

/** The @nth take from now fails (1: the next), and with @on every one after it. 0: none any more.
 * In checked builds a block of a heap counts as a take. */
void thi_memory_inject(struct thi_memory *memory, uint64_t nth, bool on);

/** Counts one take, as thi_memory_take() does. True: it is to fail. */
bool thi_memory_trip(struct thi_memory *memory);

static inline uint64_t thi_memory_bytes(struct thi_memory *memory)
{
    /* relaxed, here and below: a figure for status, ordered with nothing */
    return atomic_load_explicit(&memory->bytes, memory_order_relaxed);
}

static inline uint64_t thi_memory_peak(struct thi_memory *memory)
{
    return atomic_load_explicit(&memory->peak, memory_order_relaxed);
}

static inline uint64_t thi_memory_takes(struct thi_memory *memory)
{
    return atomic_load_explicit(&memory->takes, memory_order_relaxed);
}

/** How many takes the ceiling did not allow. */
static inline uint64_t thi_memory_refused(struct thi_memory *memory)
{
    return atomic_load_explicit(&memory->refused, memory_order_relaxed);
}

/** Whether a take is set to fail: what a checked heap asks before each block. */
static inline bool thi_memory_is_armed(struct thi_memory *memory)
{
    return atomic_load_explicit(&memory->fail_at, memory_order_relaxed) != 0;
}

/* ---- blocks ---- */

#define THI_BLOCKS         17   /* size classes 1 to 16; 0 is "not a block" */
#define THI_BLOCK_SIZE_MAX 8192 /* of the last one */

extern const uint16_t thi_heap_block_sizes[THI_BLOCKS];
extern const uint8_t thi_heap_small_blocks[33]; /* by size in units of 32, up to 1024 */

/** The size class that holds @size bytes; 0: larger than any, take it from the memory. */
static inline unsigned thi_heap_block(size_t size)
{
    unsigned exponent;

    if (TH_LIKELY(size <= 1024))
        return thi_heap_small_blocks[(size + 31) / 32];
    if (size > THI_BLOCK_SIZE_MAX)
        return 0;
    if (size > 4096)
        return 16;
    /* 1024 < size <= 4096: each power of two is halved once, 1536 and 3072 */
    exponent = 63u - (unsigned)__builtin_clzll((unsigned long long)size - 1);
    return 12 + 2 * (exponent - 10) + (unsigned)((size - 1) >> (exponent - 1) & 1);
}

/* A free block. As the head of a batch in the depot it carries the batch, too. */
struct thi_free {
    struct thi_free *next;
    uintptr_t canary; /* checked builds: its own address, scrambled */
    struct ck_stack_entry in_depot;
    size_t count; /* blocks of the batch, this one included; of a remnant: its bytes */
};

#define THI_BLOCK_CANARY ((uintptr_t)0x7ab1e5c0ffee5afeull)

/* What a block goes through on its way into a free list. */
static inline void thi_block_free(struct thi_free *block, unsigned class)
{
#if THI_CHECKED
#ifdef THI_MEMCHECK
    THI_UNPOISON(block, sizeof(*block)); /* the owner need not have written there */
#endif
    /* a second free finds the first one's mark; with AddressSanitizer the poison is first */
    TH_ASSERT(block->canary != (THI_BLOCK_CANARY ^ (uintptr_t)block));
    THI_UNPOISON(block, thi_heap_block_sizes[class]);
    block->canary = THI_BLOCK_CANARY ^ (uintptr_t)block;
#endif
    THI_POISON(&block->canary, thi_heap_block_sizes[class] - sizeof(void *));
    (void)class;
}

/* And out of it. */
static inline void thi_block_use(struct thi_free *block, unsigned class)
{
    THI_UNPOISON(block, thi_heap_block_sizes[class]);
#if THI_CHECKED
    TH_ASSERT(block->canary == (THI_BLOCK_CANARY ^ (uintptr_t)block)); /* written after free */
    block->canary = 0;
#endif
    THI_FORGET(block, thi_heap_block_sizes[class]);
    (void)class;
}

/* ---- what all heaps of a system share ---- */

struct thi_depot_shelf {
    struct ck_stack
        batches; /* pushed by any; popped by who holds the lock, which makes it ABA-free */
    _Atomic uint32_t popping;
    _Atomic uint32_t shelved; /* blocks here; a figure */
    _Atomic uint64_t carved;  /* blocks cut out of slabs for this class */
    char pad[TH_CACHE_LINE - sizeof(struct ck_stack) - 2 * sizeof(uint32_t) - sizeof(uint64_t)];
};

struct thi_depot {
    struct thi_depot_shelf shelves[THI_BLOCKS]; /* 0: remnants, slabs not carved to the end */
    struct ck_stack slabs;                      /* every one, only pushed until fini */
    struct thi_memory *memory;
};

/** @memory [keep] */
void thi_depot_init(struct thi_depot *depot, struct thi_memory *memory);

/** Returns every slab. After the last heap. Answers how many blocks were never given back: a leak,
 * unless 0. */
uint64_t thi_depot_fini(struct thi_depot *depot);

/* How many blocks of class @block there are, and how many of them wait in the depot; the rest is in
 * use, or at hand in a heap. From any thread. */
struct thi_block_figures {
    uint64_t carved;
    uint64_t shelved;
};
struct thi_block_figures thi_depot_figures(struct thi_depot *depot, unsigned block);

/* ---- a worker's own ---- */

struct thi_heap_class {
    struct thi_free *first; /* the list worked on */
    struct thi_free *spare; /* a batch, or NULL */
    uint32_t count;         /* of first */
    uint32_t spare_count;
    uint32_t full; /* blocks of a batch */
};

struct thi_heap {
    struct thi_heap_class classes[THI_BLOCKS];
    struct thi_memory *memory;
    struct thi_depot *depot;
    char *slab; /* what is not carved yet */
    size_t slab_left;
    size_t slab_size; /* of the next one */
};

/** @memory [keep], @depot [keep]. Takes nothing yet. */
void thi_heap_init(struct thi_heap *heap, struct thi_memory *memory, struct thi_depot *depot);

/** Hands all free blocks to the depot. Blocks still out may be given to any other heap. */
void thi_heap_fini(struct thi_heap *heap);

void *thi_heap_take_slow(struct thi_heap *heap, unsigned block);
void thi_heap_stash(struct thi_heap *heap, unsigned block);

/** A block of class @block [give], not zeroed; NULL: none to be had. Aligned to 32 bytes. */
static inline void *thi_heap_take(struct thi_heap *heap, unsigned block)
{
    struct thi_heap_class *class = &heap->classes[block];
    struct thi_free *first = class->first;

#if THI_CHECKED
    TH_ASSERT(block > 0 && block < THI_BLOCKS);
    if (TH_UNLIKELY(thi_memory_is_armed(heap->memory)) && thi_memory_trip(heap->memory))
        return NULL;
#endif
    if (TH_UNLIKELY(!first))
        return thi_heap_take_slow(heap, block);
    class->first = first->next;
    class->count--;
    thi_block_use(first, block);
    return first;
}

/** Returns @at [take], a block of class @block from any heap of the same depot. */
static inline void thi_heap_give(struct thi_heap *heap, void *at, unsigned block)
{
    struct thi_heap_class *class = &heap->classes[block];
    struct thi_free *freed = at;

#if THI_CHECKED
    TH_ASSERT(block > 0 && block < THI_BLOCKS);
#endif
    if (TH_UNLIKELY(class->count == class->full))
        thi_heap_stash(heap, block);
    thi_block_free(freed, block);
    freed->next = class->first;
    class->first = freed;
    class->count++;
}

#endif
