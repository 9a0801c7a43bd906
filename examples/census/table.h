/* table.h: how often each name occurs.
 *
 * Entries lie densely in the order they came, names in one arena, and a hash table of their
 * indices (open addressing) finds them. So a pass and a clear cost what is in the table, not what
 * once was. All three grow by doubling and never shrink. All memory is the system's: its status
 * shows it and its ceiling holds here. */
#ifndef CENSUS_TABLE_H
#define CENSUS_TABLE_H

#include <thespis/thespis.h>

struct table_entry {
    uint64_t count;
    size_t name; /* offset in the arena */
    uint32_t length;
    uint32_t hash;
};

struct table {
    struct table_entry *entry;
    size_t used;
    size_t room;
    uint32_t *slot;   /* index of an entry plus 1, or 0 */
    size_t slot_room; /* a power of two, at least twice used; or 0 */
    char *arena;
    size_t arena_used;
    size_t arena_room;
};

/** A hash whose low bits place an entry and whose high bits choose a tally. */
uint32_t table_hash(const char *name, size_t length);

/** Counts @name @times more. TH_E_NOMEM: the table is as it was. TH_E_TOO_BIG: a name of 4 GiB, or
 * as many names. */
th_err table_add(struct table *table, th_self *self, const char *name, size_t length,
                 uint64_t times);

/** Forgets the names, keeps the memory. */
void table_clear(struct table *table);
void table_fini(struct table *table, th_self *self);

static inline const char *table_name(const struct table *table, const struct table_entry *entry)
{
    return table->arena + entry->name;
}

#endif
