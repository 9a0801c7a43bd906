#include "runtime/sched/timer.h"

#include <string.h>

#include <thespis/assert.h>

/* 16 bytes, so four brothers fill one cache line. Equal deadlines are told apart by the timers
 * themselves: rare in nanoseconds. */
struct entry {
    uint64_t deadline;
    struct thi_timer *timer;
};

enum {
    CHUNK_ENTRIES = 4096,
    CHUNK_BYTES = CHUNK_ENTRIES * (int)sizeof(struct entry) + TH_CACHE_LINE,
    ROOM_MIN = 16, /* chunks the table has room for at first: 64 Ki timers */
    ROOT = 3       /* places 4k to 4k + 3 are brothers and share a line; 0 to 2 stay empty */
};

struct thi_timer_chunk {
    struct entry *entries; /* aligned to a cache line, inside: */
    void *block;
};

/* ---- places ---- */

static inline struct entry *at(struct thi_timers *timers, uint32_t place)
{
    return &timers->chunks[place / CHUNK_ENTRIES].entries[place % CHUNK_ENTRIES];
}

static inline uint32_t parent_of(uint32_t place)
{
    return place / 4 + ROOT - 1;
}

static inline bool is_before(const struct entry *a, const struct entry *b)
{
    if (a->deadline != b->deadline)
        return a->deadline < b->deadline;
    return a->timer->seq < b->timer->seq;
}

static inline uint32_t count_locked(const struct thi_timers *timers)
{
    /* relaxed: written under the lock, which we hold */
    return atomic_load_explicit(&timers->count, memory_order_relaxed);
}

static inline void set_count_locked(struct thi_timers *timers, uint32_t count)
{
    /* relaxed: others only want a recent figure */
    atomic_store_explicit(&timers->count, count, memory_order_relaxed);
}

static inline uint32_t end_locked(const struct thi_timers *timers)
{
    return ROOT + count_locked(timers);
}

static inline void put(struct thi_timers *timers, uint32_t place, struct entry entry)
{
    *at(timers, place) = entry;
    entry.timer->index = place;
}

/* ---- sifting: @place is a hole that @entry is to fall into ---- */

static void sift_up(struct thi_timers *timers, uint32_t place, struct entry entry)
{
    while (place > ROOT) {
        uint32_t parent = parent_of(place);
        struct entry *above = at(timers, parent);

        if (!is_before(&entry, above))
            break;
        put(timers, place, *above);
        place = parent;
    }
    put(timers, place, entry);
}

static void sift_down(struct thi_timers *timers, uint32_t place, struct entry entry)
{
    uint32_t end = end_locked(timers);

    for (;;) {
        uint64_t child = (uint64_t)(place - (ROOT - 1)) * 4; /* past 2^30 timers: past 32 bits */
        struct entry *children, *least;
        unsigned brothers;

        if (child >= end)
            break;
        brothers = end - child < 4 ? (unsigned)(end - child) : 4;
        children = least = at(timers, (uint32_t)child);
        for (unsigned i = 1; i < brothers; i++)
            if (is_before(&children[i], least))
                least = &children[i];
        if (!is_before(least, &entry))
            break;
        put(timers, place, *least);
        place = (uint32_t)child + (uint32_t)(least - children);
    }
    put(timers, place, entry);
}

/* ---- room ---- */

static uint32_t chunks_for(uint32_t timers)
{
    return (uint32_t)(((uint64_t)ROOT + timers + CHUNK_ENTRIES - 1) / CHUNK_ENTRIES);
}

static bool grow_table(struct thi_timers *timers)
{
    uint32_t room = timers->chunk_room ? timers->chunk_room * 2 : ROOM_MIN;
    struct thi_timer_chunk *chunks;

    chunks = thi_memory_take(timers->memory, room * sizeof(*chunks));
    if (!chunks)
        return false;
    if (timers->chunks) {
        memcpy(chunks, timers->chunks, timers->chunk_count * sizeof(*chunks));
        thi_memory_give(timers->memory, timers->chunks, timers->chunk_room * sizeof(*chunks));
    }
    timers->chunks = chunks;
    timers->chunk_room = room;
    return true;
}

static bool grow_locked(struct thi_timers *timers)
{
    struct thi_timer_chunk *chunk;
    uintptr_t address;

    if (timers->chunk_count == timers->chunk_room && !grow_table(timers))
        return false;
    chunk = &timers->chunks[timers->chunk_count];
    chunk->block = thi_memory_take_raw(timers->memory, CHUNK_BYTES);
    if (!chunk->block)
        return false;
    address = (uintptr_t)chunk->block;
    chunk->entries = (void *)((address + TH_CACHE_LINE - 1) & ~(uintptr_t)(TH_CACHE_LINE - 1));
    timers->chunk_count++;
    return true;
}

/* One chunk is kept spare, so that a count that hovers at a border takes and gives nothing; the
 * first is kept for good. */
static void shrink_locked(struct thi_timers *timers)
{
    uint32_t needed = chunks_for(count_locked(timers) + timers->firing);

    while (timers->chunk_count > needed + 1)
        thi_memory_give(timers->memory, timers->chunks[--timers->chunk_count].block, CHUNK_BYTES);
}

/* ---- in and out ---- */

static void insert_locked(struct thi_timers *timers, struct thi_timer *timer, uint64_t deadline)
{
    uint32_t place = end_locked(timers);

    timer->deadline = deadline;
    timer->seq = timers->next_seq++;
    timer->state = THI_TIMER_PENDING;
    set_count_locked(timers, count_locked(timers) + 1);
    sift_up(timers, place, (struct entry){ deadline, timer });
}

static void remove_locked(struct thi_timers *timers, struct thi_timer *timer)
{
    uint32_t hole = timer->index, last = end_locked(timers) - 1;
    struct entry entry = *at(timers, last);

    set_count_locked(timers, count_locked(timers) - 1);
    if (hole == last)
        return;
    if (hole > ROOT && is_before(&entry, at(timers, parent_of(hole))))
        sift_up(timers, hole, entry);
    else
        sift_down(timers, hole, entry);
}

static bool is_reserved_first_locked(struct thi_timers *timers)
{
    return timers->reserved &&
           (count_locked(timers) == 0 || timers->reserved->deadline <= at(timers, ROOT)->deadline);
}

static struct thi_timer *pop_locked(struct thi_timers *timers, uint64_t now)
{
    struct entry *root;
    struct thi_timer *timer;

    if (TH_UNLIKELY(is_reserved_first_locked(timers)) && timers->reserved->deadline <= now) {
        timer = timers->reserved;
        timers->reserved = NULL;
        timer->state = THI_TIMER_FIRING;
        return timer;
    }
    if (count_locked(timers) == 0)
        return NULL;
    root = at(timers, ROOT);
    if (root->deadline > now || root->deadline == UINT64_MAX)
        return NULL;
    timer = root->timer;
    remove_locked(timers, timer);
    timer->state = THI_TIMER_FIRING;
    timers->firing++;
    return timer;
}

/* True: the sleeper must be told; it counts as awake from now on. */
static bool rouse_locked(struct thi_timers *timers, uint64_t deadline)
{
    if (deadline >= timers->awaited)
        return false;
    timers->awaited = 0;
    return true;
}

/* ---- the public ones ---- */

th_err thi_timers_init(struct thi_timers *timers, struct thi_memory *memory, uint32_t max)
{
    pthread_mutexattr_t attributes;
    int failed;

    memset(timers, 0, sizeof(*timers));
    timers->memory = memory;
    timers->max = max;
    /* A section is a fraction of a microsecond, sleeping for it many: so it spins a little. */
    if (pthread_mutexattr_init(&attributes))
        return TH_E_NOMEM;
    (void)pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP);
    failed = pthread_mutex_init(&timers->lock, &attributes);
    (void)pthread_mutexattr_destroy(&attributes);
    return failed ? TH_E_NOMEM : TH_OK;
}

void thi_timers_fini(struct thi_timers *timers)
{
    TH_ASSERT(timers->firing == 0);
    while (timers->chunk_count > 0)
        thi_memory_give(timers->memory, timers->chunks[--timers->chunk_count].block, CHUNK_BYTES);
    thi_memory_give(timers->memory, timers->chunks,
                    timers->chunk_room * sizeof(struct thi_timer_chunk));
    (void)pthread_mutex_destroy(&timers->lock);
}

th_err thi_timers_add(struct thi_timers *timers, struct thi_timer *timer, uint64_t deadline,
                      bool *wakes_out)
{
    th_err err = TH_OK;
    uint32_t used;

    *wakes_out = false;
    (void)pthread_mutex_lock(&timers->lock);
    TH_ASSERT(timer->state == THI_TIMER_GONE);
    used = count_locked(timers) + timers->firing;
    if (used >= timers->max) {
        err = TH_E_LIMIT;
    } else if (chunks_for(used + 1) > timers->chunk_count && !grow_locked(timers)) {
        err = TH_E_NOMEM;
    } else {
        insert_locked(timers, timer, deadline);
        *wakes_out = rouse_locked(timers, deadline);
    }
    (void)pthread_mutex_unlock(&timers->lock);
    return err;
}

bool thi_timers_set_reserved(struct thi_timers *timers, struct thi_timer *timer, uint64_t deadline)
{
    bool wakes;

    (void)pthread_mutex_lock(&timers->lock);
    TH_ASSERT(timer->state == THI_TIMER_GONE);
    TH_ASSERT(!timers->reserved);
    timer->deadline = deadline;
    timer->state = THI_TIMER_PENDING;
    timers->reserved = timer;
    wakes = rouse_locked(timers, deadline);
    (void)pthread_mutex_unlock(&timers->lock);
    return wakes;
}

void thi_timers_done_reserved(struct thi_timers *timers, struct thi_timer *timer)
{
    (void)pthread_mutex_lock(&timers->lock);
    TH_ASSERT(timer->state == THI_TIMER_FIRING);
    timer->state = THI_TIMER_GONE;
    (void)pthread_mutex_unlock(&timers->lock);
}

bool thi_timers_move(struct thi_timers *timers, struct thi_timer *timer, uint64_t deadline)
{
    bool wakes;

    (void)pthread_mutex_lock(&timers->lock);
    TH_ASSERT(timer->state == THI_TIMER_PENDING);
    remove_locked(timers, timer);
    insert_locked(timers, timer, deadline);
    wakes = rouse_locked(timers, deadline);
    (void)pthread_mutex_unlock(&timers->lock);
    return wakes;
}

enum thi_cancel thi_timers_cancel(struct thi_timers *timers, struct thi_timer *timer)
{
    enum thi_cancel answer = THI_CANCEL_GONE;

    (void)pthread_mutex_lock(&timers->lock);
    switch ((enum thi_timer_state)timer->state) {
    case THI_TIMER_PENDING:
        remove_locked(timers, timer);
        timer->state = THI_TIMER_GONE;
        shrink_locked(timers);
        answer = THI_CANCEL_TAKEN;
        break;
    case THI_TIMER_FIRING:
        timer->state = THI_TIMER_REVOKED;
        answer = THI_CANCEL_REVOKED;
        break;
    case THI_TIMER_REVOKED: TH_NEVER("a timer is cancelled twice");
    case THI_TIMER_GONE: break;
    }
    (void)pthread_mutex_unlock(&timers->lock);
    return answer;
}

struct thi_timer *thi_timers_pop_due(struct thi_timers *timers, uint64_t now)
{
    struct thi_timer *timer = NULL;

    (void)thi_timers_pop_batch(timers, now, &timer, 1);
    return timer;
}

unsigned thi_timers_pop_batch(struct thi_timers *timers, uint64_t now, struct thi_timer **due,
                              unsigned max)
{
    unsigned count = 0;

    (void)pthread_mutex_lock(&timers->lock);
    timers->awaited = 0;
    while (count < max && (due[count] = pop_locked(timers, now)))
        count++;
    (void)pthread_mutex_unlock(&timers->lock);
    return count;
}

bool thi_timers_done(struct thi_timers *timers, struct thi_timer *timer)
{
    bool is_ours;

    (void)pthread_mutex_lock(&timers->lock);
    TH_ASSERT(timer->state == THI_TIMER_FIRING || timer->state == THI_TIMER_REVOKED);
    is_ours = timer->state == THI_TIMER_FIRING;
    timer->state = THI_TIMER_GONE;
    timers->firing--;
    shrink_locked(timers);
    (void)pthread_mutex_unlock(&timers->lock);
    return is_ours;
}

bool thi_timers_again(struct thi_timers *timers, struct thi_timer *timer, uint64_t deadline)
{
    bool is_ours;

    (void)pthread_mutex_lock(&timers->lock);
    TH_ASSERT(timer->state == THI_TIMER_FIRING || timer->state == THI_TIMER_REVOKED);
    is_ours = timer->state == THI_TIMER_FIRING;
    timer->state = THI_TIMER_GONE;
    timers->firing--;
    if (is_ours)
        insert_locked(timers, timer, deadline); /* T5; whoever fires is awake */
    (void)pthread_mutex_unlock(&timers->lock);
    return is_ours;
}

static uint64_t next_locked(struct thi_timers *timers)
{
    if (TH_UNLIKELY(is_reserved_first_locked(timers)))
        return timers->reserved->deadline;
    return count_locked(timers) == 0 ? UINT64_MAX : at(timers, ROOT)->deadline;
}

uint64_t thi_timers_next_deadline(struct thi_timers *timers)
{
    uint64_t next;

    (void)pthread_mutex_lock(&timers->lock);
    next = next_locked(timers);
    (void)pthread_mutex_unlock(&timers->lock);
    return next;
}

uint64_t thi_timers_await(struct thi_timers *timers)
{
    uint64_t next;

    (void)pthread_mutex_lock(&timers->lock);
    timers->awaited = next = next_locked(timers);
    (void)pthread_mutex_unlock(&timers->lock);
    return next;
}

uint32_t thi_timers_count(const struct thi_timers *timers)
{
    return count_locked(timers);
}
