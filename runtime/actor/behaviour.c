/* runtime/actor/behaviour.c: become and unbecome. */
#include "runtime/actor/behaviour.h"

#include "runtime/actor/detour.h"
#include "runtime/actor/dispatch.h"
#include "runtime/actor/stage.h"

/* ---- deliveries ---- */

th_err thi_behave_as(th_self *self, const th_class *klass, void *state, const th_msg *msg)
{
    const struct thi_cell_extra *extra = thi_cell_of_self(self)->extra;
    const th_behaviour *stack[TH_BEHAVIOURS_MAX];
    uint32_t depth = extra && extra->behaviours ? extra->behaviours->depth : 0;
    th_err err;

    /* a copy: what a handler becomes holds from the next delivery on */
    for (uint32_t i = 0; i < depth; i++)
        stack[i] = extra->behaviours->stack[i];
    while (depth--) {
        err = stack[depth]->receive ? stack[depth]->receive(self, state, msg)
                                    : thi_cases_search(self, state, msg, stack[depth]->cases);
        if (err != TH_SUPER)
            return err;
    }
    return thi_class_receive(self, klass, state, msg);
}

th_err thi_behave(th_self *self, struct thi_cell *cell, const th_msg *msg)
{
    th_err err;

    thi_point_handle_begin(self, msg, cell->klass);
    err = cell->klass->flags & THI_CLASS_WRAPS ? cell->klass->receive(self, cell->state, msg)
                                               : thi_behave_as(self, cell->klass, cell->state, msg);
    thi_point_handle_end(self, msg, (int)err);
    return err;
}

/* ---- life ---- */

static void set_depth(struct thi_cell *cell, uint32_t depth)
{
    cell->extra->behaviours->depth = depth;
    thi_detour_settle(cell);
}

void thi_behaviours_clear(struct thi_cell *cell)
{
    if (thi_behaviour_is_changed(cell))
        set_depth(cell, 0);
}

void thi_behaviours_fini(struct thi_stage *stage, struct thi_cell *cell)
{
    thi_memory_give(&stage->memory, cell->extra->behaviours, sizeof(struct thi_behaviours));
    cell->extra->behaviours = NULL;
}

static struct thi_behaviours *behaviours_of(struct thi_stage *stage, struct thi_cell *cell)
{
    struct thi_cell_extra *extra = thi_cell_extra(stage, cell);

    if (extra && !extra->behaviours)
        extra->behaviours = thi_memory_take(&stage->memory, sizeof(*extra->behaviours));
    return extra ? extra->behaviours : NULL;
}

/* ---- the front door ---- */

/* @replaced: how many of the topmost go, at most; @self is known to be an actor. */
static th_err become(th_self *self, const th_behaviour *behaviour, uint32_t replaced)
{
    struct thi_cell *cell = thi_cell_of_self(self);
    struct thi_behaviours *behaviours = behaviours_of(self->worker->stage, cell);
    uint32_t depth;

    if (!behaviours)
        return TH_E_NOMEM;
    depth = behaviours->depth;
    depth -= replaced < depth ? replaced : depth;
    if (depth == TH_BEHAVIOURS_MAX)
        return TH_E_LIMIT;
    behaviours->stack[depth] = behaviour;
    set_depth(cell, depth + 1);
    return TH_OK;
}

static th_err check(const th_self *self, const th_behaviour *behaviour)
{
    if (!self || !behaviour || (!behaviour->receive && !behaviour->cases))
        return TH_E_INVALID;
    return self->worker ? TH_OK : TH_E_NOT_HERE;
}

th_err th_become(th_self *self, const th_behaviour *behaviour)
{
    th_err err = check(self, behaviour);

    return err ? err : become(self, behaviour, 1);
}

th_err th_become_over(th_self *self, const th_behaviour *behaviour)
{
    th_err err = check(self, behaviour);

    return err ? err : become(self, behaviour, 0);
}

th_err th_unbecome(th_self *self)
{
    struct thi_cell *cell;

    if (!self)
        return TH_E_INVALID;
    if (!self->worker)
        return TH_E_NOT_HERE;
    cell = thi_cell_of_self(self);
    if (!thi_behaviour_is_changed(cell))
        return TH_E_STATE;
    set_depth(cell, cell->extra->behaviours->depth - 1);
    return TH_OK;
}

const th_behaviour *th_self_behaviour(const th_self *self)
{
    const struct thi_cell *cell = self && self->worker ? thi_cell_of_self(self) : NULL;

    if (!cell || !thi_behaviour_is_changed(cell))
        return NULL;
    return cell->extra->behaviours->stack[cell->extra->behaviours->depth - 1];
}
