#include "runtime/actor/watch_table.h"

#include <string.h>

#include <thespis/assert.h>

enum { FIRST_ROOM = 16 };

void thi_watch_table_init(struct thi_watch_table *table, struct thi_memory *memory, uint32_t max)
{
    memset(table, 0, sizeof(*table));
    table->memory = memory;
    table->max = max;
}

void thi_watch_table_fini(struct thi_watch_table *table)
{
    thi_memory_give(table->memory, table->slots, table->room * sizeof(*table->slots));
    thi_memory_give(table->memory, table->by_fd, table->fd_room * sizeof(*table->by_fd));
    table->slots = NULL;
    table->by_fd = NULL;
    table->room = table->fd_room = 0;
}

/* An array of @room items of @size in place of *@at, for item @needed; false: no memory. */
static bool grow(struct thi_memory *memory, void **at, uint32_t *room, size_t size, uint32_t needed)
{
    uint32_t wanted = *room ? *room : FIRST_ROOM;
    void *larger;

    while (wanted <= needed)
        wanted *= 2;
    larger = thi_memory_take(memory, wanted * size);
    if (!larger)
        return false;
    if (*room)
        memcpy(larger, *at, *room * size);
    thi_memory_give(memory, *at, *room * size);
    *at = larger;
    *room = wanted;
    return true;
}

static bool make_room(struct thi_watch_table *table, enum thi_watch_kind kind, int number)
{
    void *slots = table->slots, *by_fd = table->by_fd;
    bool is_made = true;

    if (!table->free && table->used == table->room)
        is_made = grow(table->memory, &slots, &table->room, sizeof(*table->slots), table->used);
    table->slots = slots;
    if (is_made && kind == THI_WATCH_FD && (uint32_t)number >= table->fd_room)
        is_made =
            grow(table->memory, &by_fd, &table->fd_room, sizeof(*table->by_fd), (uint32_t)number);
    table->by_fd = by_fd;
    return is_made;
}

static uint32_t place_of(const struct thi_watch_table *table, const struct thi_watch *watch)
{
    return (uint32_t)(watch - table->slots) + 1;
}

static uint32_t alive(const struct thi_watch_table *table)
{
    /* relaxed, here and below: written under the lock, which is ours */
    return atomic_load_explicit(&table->count, memory_order_relaxed);
}

static struct thi_watch *take_slot(struct thi_watch_table *table)
{
    struct thi_watch *watch = thi_watch_at(table, table->free);
    uint32_t generation;

    if (watch)
        table->free = watch->next;
    else
        watch = &table->slots[table->used++];
    generation = watch->generation + 1;
    memset(watch, 0, sizeof(*watch));
    watch->generation = generation ? generation : 1; /* 0 would look like a token of the poller's */
    return watch;
}

struct thi_watch *thi_watch_take(struct thi_watch_table *table, uint32_t *first,
                                 enum thi_watch_kind kind, int number, th_err *why)
{
    struct thi_watch *watch;

    *why = TH_OK;
    if (alive(table) >= table->max)
        *why = TH_E_LIMIT;
    else if (!make_room(table, kind, number))
        *why = TH_E_NOMEM;
    if (*why)
        return NULL;
    watch = take_slot(table);
    watch->kind = (uint8_t)kind;
    watch->number = number;
    watch->next = *first;
    if (watch->next)
        thi_watch_at(table, watch->next)->prev = place_of(table, watch);
    *first = place_of(table, watch);
    if (kind == THI_WATCH_SIGNAL) {
        watch->next_signal = table->signals;
        table->signals = place_of(table, watch);
    }
    atomic_store_explicit(&table->count, alive(table) + 1, memory_order_relaxed);
    return watch;
}

static void leave_signals(struct thi_watch_table *table, const struct thi_watch *watch)
{
    uint32_t place = place_of(table, watch), *link = &table->signals;

    while (*link != place)
        link = &thi_watch_at(table, *link)->next_signal;
    *link = watch->next_signal;
}

void thi_watch_give(struct thi_watch_table *table, uint32_t *first, struct thi_watch *watch)
{
    uint32_t place = place_of(table, watch);

    if (watch->prev)
        thi_watch_at(table, watch->prev)->next = watch->next;
    else
        *first = watch->next;
    if (watch->next)
        thi_watch_at(table, watch->next)->prev = watch->prev;
    if (watch->kind == THI_WATCH_SIGNAL)
        leave_signals(table, watch);
    else if (table->by_fd[watch->number] == place)
        table->by_fd[watch->number] = 0;
    watch->kind = THI_WATCH_FREE;
    watch->next = table->free;
    table->free = place;
    atomic_store_explicit(&table->count, alive(table) - 1, memory_order_relaxed);
}

uint64_t thi_watch_id(const struct thi_watch_table *table, const struct thi_watch *watch)
{
    return (uint64_t)watch->generation << 32 | (uint64_t)(watch - table->slots);
}

struct thi_watch *thi_watch_find(struct thi_watch_table *table, uint64_t id)
{
    uint32_t slot = (uint32_t)id, generation = (uint32_t)(id >> 32);
    struct thi_watch *watch;

    if (slot >= table->used)
        return NULL;
    watch = &table->slots[slot];
    return watch->kind != THI_WATCH_FREE && watch->generation == generation ? watch : NULL;
}

struct thi_watch *thi_watch_of_fd(struct thi_watch_table *table, int fd)
{
    return fd >= 0 && (uint32_t)fd < table->fd_room ? thi_watch_at(table, table->by_fd[fd]) : NULL;
}

void thi_watch_own_fd(struct thi_watch_table *table, struct thi_watch *watch)
{
    TH_ASSERT((uint32_t)watch->number < table->fd_room);
    table->by_fd[watch->number] = place_of(table, watch);
}
