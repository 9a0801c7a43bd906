/* runtime/actor/initial.h: an actor that waits for its first messages.
 *
 * What has come is held in `got`, by type; the rest is in the stash. Holding is like stashing: a
 * held message is accepted and neither handled nor dead.
 *
 * F1. A delivery takes hold of its message or changes nothing: when it fails, `got` is what it was
 *     before.
 * F2. The delivery that completes the set is an ordinary one: its message is handled when it
 *     returns. The others are counted as handled there, once ready() has returned TH_OK.
 * F3. A message may stand for several types (it descends from them); it is let go when none holds
 *     it any more.
 * F4. Where a restart may want them again (TH_ON_FAILURE_RESTART) the messages stay, the last one
 *     as a copy, counted as handled: the runtime's own then, like the argument of init. */
#ifndef THI_ACTOR_INITIAL_H
#define THI_ACTOR_INITIAL_H

#include "runtime/actor/cell.h"

#include <thespis/behaviour.h>
#include <thespis/config.h>

/* In thi_cell_extra, while there is any to hold. The owner's. */
struct thi_initial {
    const th_initial *wants;
    uint32_t count;   /* of types */
    uint32_t missing; /* of them */
    bool is_done;     /* F4 */
    bool is_wanted;   /* by the init of the restart that is under way: ready() is to run again */
    th_msg *got[TH_INITIAL_TYPES_MAX];
};

static inline bool thi_initial_is_waiting(const struct thi_cell *cell)
{
    return cell->extra && cell->extra->initial && !cell->extra->initial->is_done;
}

/* In a turn. TH_E_INVALID, TH_E_STATE, TH_E_NOMEM. */
th_err thi_initial_start(th_self *self, struct thi_cell *cell, const th_initial *wants);

/* A delivery to an actor that waits; not of a system message or an answer. */
th_err thi_initial_deliver(th_self *self, struct thi_cell *cell, const th_msg *msg);

/* Whether @msg is one that is waited for, and held. */
bool thi_initial_holds(const struct thi_cell *cell, const th_msg *msg);

/* After the init of a restart: ready() once more, if it ran and this init wants the same. */
th_err thi_initial_restart(th_self *self, struct thi_cell *cell);

/* How many are held and not handled, for status. */
uint32_t thi_initial_count(const struct thi_cell *cell);

/* At the actor's end: dead letters. */
void thi_initial_fini(th_self *self, struct thi_cell *cell, th_dead_reason reason);

#endif
