/* runtime/system/mailbox_read.c: how full a mailbox with a limit is. */
#include <thespis/mailbox.h>

#include "runtime/system/census.h"
#include "runtime/actor/credits.h"

void thi_mailbox_look(struct thi_stage *stage, struct thi_cell *cell, th_mailbox_state *state_out)
{
    struct thi_credits *credits = thi_credits_of(cell);

    *state_out = (th_mailbox_state){ 0 };
    if (credits) {
        uint64_t word = thi_credits_look(credits);

        state_out->limit = credits->limit;
        state_out->low = credits->low;
        state_out->high = credits->high;
        state_out->when_full = credits->when_full;
        state_out->used = word & THI_CREDITS_CLOSED ? 0 : thi_credits_used(word);
        pthread_mutex_lock(&stage->hold_lock);
        state_out->waiters = credits->waiter_count;
        state_out->is_held = !th_addr_is_none(credits->held_on);
        pthread_mutex_unlock(&stage->hold_lock);
    }
    if (stage->base == TH_BASE_SIMPLE) /* nobody runs, so an owner's flag can be seen */
        state_out->is_held = (cell->flags & THI_CELL_HELD) != 0;
}

th_err th_mailbox_read(th_system *system, th_addr actor, th_mailbox_state *state_out)
{
    th_err err = thi_system_check(system);
    th_actor_status status;
    bool found;

    if (err)
        return err;
    if (!state_out || th_addr_is_none(actor))
        return TH_E_INVALID;
    if (actor.system != system->stage.id)
        return TH_E_FOREIGN;
    thi_stage_enter(&system->stage);
    found = thi_census_find(system, actor, &status);
    thi_stage_leave(&system->stage);
    if (found)
        *state_out = status.mailbox;
    return found ? TH_OK : TH_E_NO_ACTOR;
}
