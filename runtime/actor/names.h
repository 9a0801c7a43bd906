/* runtime/actor/names.h: one actor per name.
 *
 * On this floor and not in the admin, because the address has to be there when th_spawn_with()
 * returns, and because the name has to be free at a certain step of the exit (finish() of exit.c):
 * a question to the admin would be late for both.
 *
 * N1. Who adds or takes out holds stage.spawn_lock. So under it "nobody has the name", "the system
 *     is not closing" and "there is room" stay true until the name is in, and what follows cannot
 *     fail: an address that was found is never that of an actor that did not come to be.
 * N2. Who looks takes no lock: it walks a bucket's list inside a read section. A name that was
 * taken out stays readable for a grace period; its actor's cell carries it there (struct
 * thi_parcel). N3. A name is in its bucket from before anybody else knows the actor's address until
 * the actor's exit function has returned. */
#ifndef THI_ACTOR_NAMES_H
#define THI_ACTOR_NAMES_H

#include <pthread.h>

#include "runtime/base/reclaim.h"
#include "mailbox/alloc.h"
#include <thespis/addr.h>

struct thi_stage;

struct thi_name {
    _Atomic(struct thi_name *) next; /* in its bucket */
    struct thi_parcel parcel;        /* how it waits for its grace period */
    struct thi_memory *memory;
    uint64_t hash;
    uint64_t serial; /* later ones are larger, and nearer to their bucket's head */
    th_addr addr;
    size_t length;
    char text[]; /* and a NUL */
};

struct thi_names {
    _Atomic(_Atomic(struct thi_name *) *) buckets; /* made with the first name */
    _Atomic uint32_t count;
    uint64_t serial; /* N1 */
};

void thi_names_fini(struct thi_stage *stage);

/* Whether it may be a name at all. */
bool thi_name_is_good(const char *text);

/* A name [give] for thi_names_add(); NULL: no memory. */
struct thi_name *thi_name_make(struct thi_stage *stage, const char *text);

/* One that was never added [take]. NULL is nothing to do. */
void thi_name_unmake(struct thi_name *name);

/* N2, in a read section (simple base: under step.lock). */
bool thi_names_find(struct thi_stage *stage, const char *text, th_addr *addr_out);

/* N1: there is room. */
bool thi_names_has_room(struct thi_stage *stage);

/* N1: nobody has it, and there is room. From here on it is found. */
void thi_names_add(struct thi_stage *stage, struct thi_name *name, th_addr addr);

/* Takes stage.spawn_lock. From here on it is free; @name itself is to be carried by its cell
 * (thi_cell_carry()). */
void thi_names_remove(struct thi_stage *stage, struct thi_name *name);

static inline uint32_t thi_names_count(struct thi_names *names)
{
    /* relaxed: a figure; those who decide by it hold the lock */
    return atomic_load_explicit(&names->count, memory_order_relaxed);
}

#endif
