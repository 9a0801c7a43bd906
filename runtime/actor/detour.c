/* runtime/actor/detour.c: deliveries to actors of which something more is asked.
 *
 * The way of nearly every message tests one word of flags and calls the class's handler. What few
 * actors want beside that stands here, in the order in which it applies, behind THI_CELL_DETOUR;
 * the flag is up as long as any of it is wanted. */
#include "runtime/actor/detour.h"

#include "runtime/actor/ask.h"
#include "runtime/actor/dispatch.h"
#include "runtime/actor/stage.h"

/* Whether anything here is still wanted. */
static void settle(struct thi_cell *cell)
{
    if (cell->extra && cell->extra->inject_times)
        thi_cell_raise(cell, THI_CELL_DETOUR);
    else
        thi_cell_lower(cell, THI_CELL_DETOUR);
}

th_err thi_detour_inject(struct thi_stage *stage, struct thi_cell *cell, th_err err, uint32_t times)
{
    struct thi_cell_extra *extra = times ? thi_cell_extra(stage, cell) : cell->extra;

    if (!extra)
        return times ? TH_E_NOMEM : TH_OK;
    extra->inject_err = err;
    extra->inject_times = times;
    settle(cell);
    return TH_OK;
}

th_err thi_detour(th_self *self, struct thi_cell *cell, const th_msg *msg)
{
    struct thi_cell_extra *extra = cell->extra;

    if (extra->inject_times) {
        extra->inject_times--;
        settle(cell);
        return extra->inject_err;
    }
    if (msg->thi_to.slot != cell->slot)
        return thi_ask_answered(self, cell, msg);
    return thi_class_receive(self, cell->klass, cell->state, msg);
}
