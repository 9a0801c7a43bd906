#include "table.h"

#include <string.h>

#define FIRST_ROOM  512
#define FIRST_ARENA 8192

uint32_t table_hash(const char *name, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a, then mixed so that high bits are good too */

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)name[i]) * 0x100000001b3u;
    hash ^= hash >> 32;
    return (uint32_t)(hash * 0x9e3779b97f4a7c15u >> 32);
}

/* Moves @old into an array with room for @room elements of @size; NULL: as it was. */
static void *regrow(th_self *self, void *old, size_t used, size_t old_room, size_t room,
                    size_t size)
{
    void *array = th_alloc(self, room * size);

    if (!array)
        return NULL;
    if (used)
        memcpy(array, old, used * size);
    th_free(self, old, old_room * size);
    return array;
}

static void place(struct table *table, size_t index)
{
    size_t at = table->entry[index].hash & (table->slot_room - 1);

    while (table->slot[at])
        at = (at + 1) & (table->slot_room - 1);
    table->slot[at] = (uint32_t)index + 1;
}

static bool grow_slots(struct table *table, th_self *self)
{
    size_t room = table->slot_room ? table->slot_room * 2 : FIRST_ROOM * 2;
    uint32_t *slot = th_alloc(self, room * sizeof(*slot));

    if (!slot)
        return false;
    th_free(self, table->slot, table->slot_room * sizeof(*slot));
    table->slot = slot;
    table->slot_room = room;
    for (size_t i = 0; i < table->used; i++)
        place(table, i);
    return true;
}

static bool grow_entries(struct table *table, th_self *self)
{
    size_t room = table->room ? table->room * 2 : FIRST_ROOM;
    struct table_entry *entry =
        regrow(self, table->entry, table->used, table->room, room, sizeof(*entry));

    if (!entry)
        return false;
    table->entry = entry;
    table->room = room;
    return true;
}

static bool grow_arena(struct table *table, th_self *self, size_t needed)
{
    size_t room = table->arena_room ? table->arena_room : FIRST_ARENA;
    char *arena;

    while (room < needed)
        room *= 2;
    arena = regrow(self, table->arena, table->arena_used, table->arena_room, room, 1);
    if (!arena)
        return false;
    table->arena = arena;
    table->arena_room = room;
    return true;
}

static bool make_room(struct table *table, th_self *self, size_t length)
{
    if (table->used == table->room && !grow_entries(table, self))
        return false;
    if (table->used >= table->slot_room / 2 && !grow_slots(table, self))
        return false;
    return table->arena_used + length <= table->arena_room ||
           grow_arena(table, self, table->arena_used + length);
}

static struct table_entry *find(struct table *table, const char *name, size_t length, uint32_t hash)
{
    size_t mask = table->slot_room - 1;

    if (table->slot_room == 0)
        return NULL;
    for (size_t at = hash & mask; table->slot[at]; at = (at + 1) & mask) {
        struct table_entry *entry = &table->entry[table->slot[at] - 1];

        if (entry->hash == hash && entry->length == length &&
            memcmp(table_name(table, entry), name, length) == 0)
            return entry;
    }
    return NULL;
}

th_err table_add(struct table *table, th_self *self, const char *name, size_t length,
                 uint64_t times)
{
    uint32_t hash = table_hash(name, length);
    struct table_entry *entry = find(table, name, length, hash);

    if (entry) {
        entry->count += times;
        return TH_OK;
    }
    if (length > UINT32_MAX || table->used >= UINT32_MAX - 1)
        return TH_E_TOO_BIG;
    if (!make_room(table, self, length))
        return TH_E_NOMEM;
    memcpy(table->arena + table->arena_used, name, length);
    table->entry[table->used] = (struct table_entry){
        .count = times, .name = table->arena_used, .length = (uint32_t)length, .hash = hash
    };
    table->arena_used += length;
    place(table, table->used++);
    return TH_OK;
}

void table_clear(struct table *table)
{
    size_t mask = table->slot_room - 1;

    /* newest first, so that no other's way to its slot leads over one freed already */
    for (size_t i = table->used; i-- > 0;) {
        size_t at = table->entry[i].hash & mask;

        while (table->slot[at] != i + 1)
            at = (at + 1) & mask;
        table->slot[at] = 0;
    }
    table->used = 0;
    table->arena_used = 0;
}

void table_fini(struct table *table, th_self *self)
{
    th_free(self, table->entry, table->room * sizeof(*table->entry));
    th_free(self, table->slot, table->slot_room * sizeof(*table->slot));
    th_free(self, table->arena, table->arena_room);
    *table = (struct table){ 0 };
}
