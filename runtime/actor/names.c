/* runtime/actor/names.c: one actor per name.
 *
 * A fixed number of buckets, each a list that readers walk while one writer changes it. Names are
 * few beside actors, and a table that grows would need two links in each name, or a thread of its
 * own (liburcu's cds_lfht): with TH_NAMES_MAX names a bucket has eight on the average, told apart
 * by their hashes. The hash is FNV-1a, by Fowler, Noll and Vo. */
#include "runtime/actor/names.h"

#include <thespis/name.h>

#include <string.h>

#include "runtime/actor/deputy.h"
#include "runtime/actor/stage.h"

enum { BUCKETS = 8192 };

typedef _Atomic(struct thi_name *) bucket;

static uint64_t hash_of(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash;
}

static bucket *buckets_of(struct thi_names *names)
{
    /* acquire: the empty lists; pairs with the release in make_buckets() */
    return atomic_load_explicit(&names->buckets, memory_order_acquire);
}

static struct thi_name *follow(bucket *link)
{
    /* acquire: what the name says; pairs with the releases in thi_names_add() and
     * thi_names_remove() */
    return atomic_load_explicit(link, memory_order_acquire);
}

bool thi_name_is_good(const char *text)
{
    return text && *text && strnlen(text, TH_NAME_MAX + 1) <= TH_NAME_MAX;
}

/* ---- looking ---- */

bool thi_names_find(struct thi_stage *stage, const char *text, th_addr *addr_out)
{
    bucket *buckets = buckets_of(&stage->names);
    uint64_t hash = hash_of(text);
    struct thi_name *name;

    if (!buckets)
        return false;
    for (name = follow(&buckets[hash % BUCKETS]); name; name = follow(&name->next)) {
        if (name->hash == hash && strcmp(name->text, text) == 0) {
            *addr_out = name->addr;
            return true;
        }
    }
    return false;
}

/* ---- making ---- */

static bool make_buckets(struct thi_stage *stage)
{
    bucket *made, *none = NULL;

    if (buckets_of(&stage->names))
        return true;
    made = thi_memory_take(&stage->memory, BUCKETS * sizeof(*made)); /* zeroed: empty */
    if (!made)
        return false;
    /* release: the empty lists; pairs with the acquire in buckets_of(), which also follows a
     * failure here */
    if (!atomic_compare_exchange_strong_explicit(&stage->names.buckets, &none, made,
                                                 memory_order_release, memory_order_relaxed))
        thi_memory_give(&stage->memory, made, BUCKETS * sizeof(*made));
    return true;
}

static size_t size_of(size_t length)
{
    return sizeof(struct thi_name) + length + 1;
}

static void release(struct thi_parcel *parcel)
{
    thi_name_unmake((struct thi_name *)((char *)parcel - offsetof(struct thi_name, parcel)));
}

struct thi_name *thi_name_make(struct thi_stage *stage, const char *text)
{
    size_t length = strlen(text);
    struct thi_name *name;

    if (!make_buckets(stage))
        return NULL;
    name = thi_memory_take(&stage->memory, size_of(length));
    if (!name)
        return NULL;
    name->memory = &stage->memory;
    name->parcel.release = release;
    name->hash = hash_of(text);
    name->length = length;
    memcpy(name->text, text, length);
    return name;
}

void thi_name_unmake(struct thi_name *name)
{
    if (name)
        thi_memory_give(name->memory, name, size_of(name->length));
}

/* ---- in and out (N1) ---- */

bool thi_names_has_room(struct thi_stage *stage)
{
    return thi_names_count(&stage->names) < TH_NAMES_MAX;
}

static void count(struct thi_names *names, uint32_t difference)
{
    /* relaxed: written under the lock, shown by status */
    atomic_store_explicit(&names->count, thi_names_count(names) + difference, memory_order_relaxed);
}

void thi_names_add(struct thi_stage *stage, struct thi_name *name, th_addr addr)
{
    bucket *head = &buckets_of(&stage->names)[name->hash % BUCKETS];

    name->addr = addr;
    name->serial = ++stage->names.serial;
    /* relaxed: nobody has it yet */
    atomic_store_explicit(&name->next, follow(head), memory_order_relaxed);
    /* release: the name, and the cell that its address leads to; pairs with the acquire in
     * follow() */
    atomic_store_explicit(head, name, memory_order_release);
    count(&stage->names, 1);
}

void thi_names_remove(struct thi_stage *stage, struct thi_name *name)
{
    bucket *link = &buckets_of(&stage->names)[name->hash % BUCKETS];

    pthread_mutex_lock(&stage->spawn_lock);
    while (follow(link) != name)
        link = &follow(link)->next;
    /* release: the name behind it, for those who come by the new way; pairs with the acquire in
     * follow(). Who stands on @name goes on by its own link, which stays. */
    atomic_store_explicit(link, follow(&name->next), memory_order_release);
    count(&stage->names, (uint32_t)-1);
    pthread_mutex_unlock(&stage->spawn_lock);
}

void thi_names_fini(struct thi_stage *stage)
{
    /* relaxed: no other thread is left, and no actor, so every bucket is empty */
    thi_memory_give(&stage->memory,
                    atomic_exchange_explicit(&stage->names.buckets, NULL, memory_order_relaxed),
                    BUCKETS * sizeof(bucket));
}

/* ---- the front door ---- */

/* TH_OK: @self may look. */
static th_err check(th_self *self)
{
    if (!self)
        return TH_E_INVALID;
    if (self->worker) /* outside the pool for the moment: it reads nothing (R2 of reclaim.h) */
        return self->worker->is_blocking ? TH_E_STATE : TH_OK;
    return thi_outsider_check(self);
}

th_err th_name_find(th_self *self, const char *name, th_addr *addr_out)
{
    th_err err = check(self);
    th_addr addr;
    bool found;

    if (!err && (!addr_out || !thi_name_is_good(name)))
        err = TH_E_INVALID;
    if (err)
        return err;
    thi_stage_enter(thi_stage_of(self));
    found = thi_names_find(thi_stage_of(self), name, &addr);
    thi_stage_leave(thi_stage_of(self));
    if (!found)
        return TH_E_NO_NAME;
    *addr_out = addr;
    return TH_OK;
}

const char *th_self_name(const th_self *self)
{
    const struct thi_cell *cell = self && self->worker ? thi_cell_of_self(self) : NULL;

    return cell && cell->extra && cell->extra->name ? cell->extra->name->text : NULL;
}

/* The next older than *@serial in one bucket, copied. */
static bool next_older(th_self *self, unsigned which, uint64_t *serial, char *text, th_addr *addr)
{
    struct thi_stage *stage = thi_stage_of(self);
    bucket *buckets;
    struct thi_name *name = NULL;

    thi_stage_enter(stage);
    buckets = buckets_of(&stage->names);
    if (buckets)
        name = follow(&buckets[which]);
    while (name && name->serial >= *serial)
        name = follow(&name->next);
    if (name) {
        *serial = name->serial;
        *addr = name->addr;
        memcpy(text, name->text, name->length + 1);
    }
    thi_stage_leave(stage);
    return name != NULL;
}

th_err th_names_each(th_self *self, void (*each)(void *context, const char *name, th_addr addr),
                     void *context)
{
    char text[TH_NAME_MAX + 1];
    th_err err = check(self);
    th_addr addr;

    if (!err && !each)
        err = TH_E_INVALID;
    for (unsigned which = 0; !err && which < BUCKETS; which++) {
        uint64_t serial = UINT64_MAX;

        while (next_older(self, which, &serial, text, &addr))
            each(context, text, addr);
    }
    return err;
}
