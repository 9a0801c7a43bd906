/* runtime/actor/capabilities.h: what the system can do, and who needs it.
 *
 * K1. The current set is one pointer. Who reads it is in a read section and takes no lock; a set
 *     that was replaced is freed after a grace period (simple base: not before the next change in
 *     another turn), or when the last hold ends.
 * K2. Who changes the set, joins the list of the choosy or leaves it holds `lock`. An actor joins
 *     only while the set that it was found to fit is still the current one, so a change finds in
 * the list everybody that it may concern. K3. Each of them that a change may concern is sent
 * thi_recheck, and judges itself in its own turn, by what is current then. The messages are made
 * before the change: it is told to all or it did not happen. */
#ifndef THI_ACTOR_CAPABILITIES_H
#define THI_ACTOR_CAPABILITIES_H

#include <pthread.h>

#include "runtime/base/facts.h"
#include <thespis/actor.h>

struct thi_stage;
struct thi_cell;

/* What one actor needs, and what it was told; only those have one that need or were told
 * something. */
struct thi_fitting {
    const th_class *klass;
    struct thi_memory *memory;
    struct thi_needs *needs; /* of its spawn, or NULL */
    th_facts *requirements;
    bool is_choosy; /* there is anything to be met */
    bool is_listed; /* K2, as are the rest */
    th_addr addr;
    struct thi_fitting *next, *prev;
};

struct thi_capabilities {
    _Atomic(th_facts *) current;
    pthread_mutex_t lock;
    struct thi_fitting *choosy;
    _Atomic uint32_t choosy_count;
    th_facts *replaced; /* simple base: */
    uint64_t replaced_step;
};

/* The first set, of the system's own @standard and the user's @facts (either may be NULL). */
th_err thi_capabilities_init(struct thi_stage *stage, const th_fact *standard,
                             const th_fact *facts);
void thi_capabilities_fini(struct thi_stage *stage);

/* Whether a user may set these at all: also TH_E_NOT_ALLOWED. */
th_err thi_capabilities_check(const th_fact *facts);

/* Number of capabilities now, for status. */
uint32_t thi_capabilities_count(struct thi_stage *stage);

/* What an actor of @klass needs and is told: *@made_out [give], NULL when there is nothing.
 * TH_E_INVALID, TH_E_LIMIT, TH_E_NOMEM. */
th_err thi_fitting_make(struct thi_stage *stage, const th_class *klass,
                        const th_spawn_options *options, struct thi_fitting **made_out);

/* [take], not in the list (any more). NULL is nothing to do. */
void thi_fitting_free(struct thi_fitting *fitting);

/* In a read section: the actor of @addr, which is still unknown to everybody, needs what it needs.
 * TH_E_UNFIT: it is not there. */
th_err thi_fitting_join(struct thi_stage *stage, struct thi_fitting *fitting, th_addr addr);
void thi_fitting_leave(struct thi_stage *stage, struct thi_fitting *fitting);

/* In the actor's turn: whether it still fits (K3). */
bool thi_fitting_holds(struct thi_stage *stage, const struct thi_cell *cell);

#endif
