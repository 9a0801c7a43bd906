/* alloc.c: the library's only malloc, counted and bounded. */
#include "mailbox/alloc.h"

#include <stdlib.h>
#include <string.h>

#include "mailbox/voice.h"

th_err thi_memory_init(struct thi_memory *memory, const th_allocator *hooks, uint64_t max)
{
    if (hooks && (!hooks->alloc || !hooks->free))
        return TH_E_INVALID;
    memset(memory, 0, sizeof(*memory));
    if (hooks)
        memory->hooks = *hooks;
    memory->max = max;
    return TH_OK;
}

uint64_t thi_memory_fini(struct thi_memory *memory)
{
    return thi_memory_bytes(memory);
}

void thi_memory_inject(struct thi_memory *memory, uint64_t nth, bool on)
{
    uint64_t at = nth ? thi_memory_takes(memory) + nth : 0;

    /* relaxed: a test arms it while nothing else runs, or does not care for the exact take */
    atomic_store_explicit(&memory->fail_on, on, memory_order_relaxed);
    atomic_store_explicit(&memory->fail_at, at, memory_order_relaxed);
}

bool thi_memory_trip(struct thi_memory *memory)
{
    /* relaxed, all three: each take gets a number of its own, which is all that is asked */
    uint64_t take = atomic_fetch_add_explicit(&memory->takes, 1, memory_order_relaxed) + 1;
    uint64_t fail_at = atomic_load_explicit(&memory->fail_at, memory_order_relaxed);

    if (TH_LIKELY(fail_at == 0))
        return false;
    return take == fail_at ||
           (take > fail_at && atomic_load_explicit(&memory->fail_on, memory_order_relaxed));
}

/* Books @size bytes, unless that passes the ceiling. */
static bool book(struct thi_memory *memory, size_t size)
{
    /* relaxed, throughout: counters that no other memory depends on */
    uint64_t bytes = atomic_fetch_add_explicit(&memory->bytes, size, memory_order_relaxed) + size;
    uint64_t peak;

    if (memory->max && bytes > memory->max) {
        atomic_fetch_add_explicit(&memory->refused, 1, memory_order_relaxed);
        atomic_fetch_sub_explicit(&memory->bytes, size, memory_order_relaxed);
        return false;
    }
    peak = thi_memory_peak(memory);
    while (bytes > peak &&
           !atomic_compare_exchange_weak_explicit(&memory->peak, &peak, bytes, memory_order_relaxed,
                                                  memory_order_relaxed))
        continue;
    return true;
}

static void *take(struct thi_memory *memory, size_t size, bool zeroed)
{
    void *at;

    if (thi_memory_trip(memory) || size > PTRDIFF_MAX || !book(memory, size))
        return NULL;
    /* one byte at least: a NULL must mean that there is none */
    if (memory->hooks.alloc) {
        at = memory->hooks.alloc(memory->hooks.context, size + !size);
        if (at && zeroed)
            memset(at, 0, size);
    } else {
        /* calloc knows when fresh pages are zero already */
        at = zeroed ? calloc(1, size + !size) : malloc(size + !size);
    }
    if (!at)
        atomic_fetch_sub_explicit(&memory->bytes, size, memory_order_relaxed); /* a counter */
    return at;
}

void *thi_memory_take(struct thi_memory *memory, size_t size)
{
    return take(memory, size, true);
}

void *thi_memory_take_raw(struct thi_memory *memory, size_t size)
{
    return take(memory, size, false);
}

void thi_memory_give(struct thi_memory *memory, void *at, size_t size)
{
    if (!at)
        return;
    if (memory->hooks.free)
        memory->hooks.free(memory->hooks.context, at, size + !size);
    else
        free(at);
    /* relaxed: a counter */
    atomic_fetch_sub_explicit(&memory->bytes, size, memory_order_relaxed);
}

/* ---- the user's own ---- */

void *th_alloc(th_self *self, size_t size)
{
    struct thi_voice *voice = thi_voice_of(self);

    return voice ? thi_memory_take(voice->heap->memory, size) : NULL;
}

void th_free(th_self *self, void *memory, size_t size)
{
    struct thi_voice *voice = thi_voice_of(self);

    if (voice)
        thi_memory_give(voice->heap->memory, memory, size);
}
