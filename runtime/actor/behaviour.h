/* runtime/actor/behaviour.h: what an actor has become. */
#ifndef THI_ACTOR_BEHAVIOUR_H
#define THI_ACTOR_BEHAVIOUR_H

#include "runtime/actor/cell.h"

#include <thespis/behaviour.h>
#include <thespis/config.h>

/* In thi_cell_extra, made by the first become and kept. The owner's. */
struct thi_behaviours {
    uint32_t depth;
    const th_behaviour *stack[TH_BEHAVIOURS_MAX]; /* the last one is the present one */
};

/* Such a class calls thi_behave_as() itself: it stands between the runtime and a class of the
 * user's. */
#define THI_CLASS_WRAPS (UINT32_C(1) << 31)

static inline bool thi_behaviour_is_changed(const struct thi_cell *cell)
{
    return cell->extra && cell->extra->behaviours && cell->extra->behaviours->depth > 0;
}

/* @msg to what @self has become, and at last to @klass. */
th_err thi_behave_as(th_self *self, const th_class *klass, void *state, const th_msg *msg);

/* A delivery to an actor with behaviours. */
th_err thi_behave(th_self *self, struct thi_cell *cell, const th_msg *msg);

/* The class's own again, at a restart. */
void thi_behaviours_clear(struct thi_cell *cell);

/* At the actor's end. */
void thi_behaviours_fini(struct thi_stage *stage, struct thi_cell *cell);

#endif
