#include "runtime/actor/stash.h"

#include "runtime/actor/credits.h"
#include "runtime/actor/dead_letter.h"
#include "runtime/actor/gate.h"
#include "runtime/actor/initial.h"
#include "runtime/actor/send.h"

#include <thespis/config.h>

static struct thi_stash *stash_of(struct thi_stage *stage, struct thi_cell *cell)
{
    struct thi_cell_extra *extra = thi_cell_extra(stage, cell);

    if (extra && !extra->stash)
        extra->stash = thi_memory_take(&stage->memory, sizeof(*extra->stash));
    return extra ? extra->stash : NULL;
}

/* ---- in ---- */

static void append(struct thi_chain *chain, th_msg *msg)
{
    msg->thi_next = NULL;
    if (chain->head)
        chain->tail->thi_next = msg;
    else
        chain->head = msg;
    chain->tail = msg;
    chain->count++;
}

th_err thi_stash_room(th_self *self, struct thi_cell *cell)
{
    struct thi_stash *stash = stash_of(self->worker->stage, cell);

    if (!stash)
        return TH_E_NOMEM;
    if (stash->kept.count < TH_STASH_MAX)
        return TH_OK;
    thi_count(self, THI_STAT_STASH_REFUSED);
    return TH_E_LIMIT;
}

th_err thi_stash_decide(struct thi_cell *cell, const th_msg *msg, th_err err)
{
    struct thi_stash *stash = cell->extra->stash;
    const th_msg *asked = stash->asked;

    thi_cell_lower(cell, THI_CELL_STASHING);
    stash->asked = NULL;
    if (err)
        return err;
    if (asked != msg || msg->thi_to.slot != cell->slot)
        return TH_E_INVALID;
    cell->extra->kept = msg; /* S1 */
    return THI_KEPT;
}

bool thi_stash_takes(th_self *self, struct thi_cell *cell, th_msg *msg)
{
    if (!cell->extra || cell->extra->kept != msg)
        return false;
    cell->extra->kept = NULL;
    if (thi_initial_holds(cell, msg))
        return true;
    append(&cell->extra->stash->kept, msg);
    thi_count(self, THI_STAT_STASHED);
    return true;
}

/* ---- out ---- */

uint32_t thi_stash_return(th_self *self, struct thi_cell *cell)
{
    struct thi_stash *stash = cell->extra ? cell->extra->stash : NULL;
    uint32_t count = stash ? stash->kept.count : 0;

    if (count == 0)
        return 0;
    if (stash->back.head)
        stash->back.tail->thi_next = stash->kept.head;
    else
        stash->back.head = stash->kept.head;
    stash->back.tail = stash->kept.tail;
    stash->back.count += count;
    stash->kept = (struct thi_chain){ 0 };
    thi_stats_add(&self->worker->stats, THI_STAT_UNSTASHED, count);
    thi_cell_raise(cell, THI_CELL_UNSTASHED);
    return count;
}

void thi_stash_put_back(struct thi_cell *cell)
{
    struct thi_chain *back = &cell->extra->stash->back;

    thi_cell_lower(cell, THI_CELL_UNSTASHED);
    thi_credits_again(cell, back->count);
    thi_gate_put_back(cell, back->head, back->tail);
    *back = (struct thi_chain){ 0 };
}

void thi_stash_fini(th_self *self, struct thi_cell *cell, th_dead_reason reason)
{
    struct thi_stage *stage = self->worker->stage;
    struct thi_stash *stash = cell->extra->stash;
    th_msg *next;

    if (!stash)
        return;
    (void)thi_stash_return(self, cell);
    thi_cell_lower(cell, THI_CELL_UNSTASHED);
    for (th_msg *msg = stash->back.head; msg; msg = next) {
        next = msg->thi_next;
        thi_undeliverable(self, msg, reason);
    }
    thi_memory_give(&stage->memory, stash, sizeof(*stash));
    cell->extra->stash = NULL;
}

/* ---- questions ---- */

uint32_t thi_stash_count(const struct thi_cell *cell)
{
    return cell->extra && cell->extra->stash ? cell->extra->stash->kept.count : 0;
}

bool thi_stash_asked(const th_self *self, const th_msg *inner, const th_msg *outer)
{
    struct thi_cell *cell = thi_cell_of_self(self);

    if (!(cell->flags & THI_CELL_STASHING) || cell->extra->stash->asked != inner)
        return false;
    cell->extra->stash->asked = outer;
    return true;
}

/* ---- the front door ---- */

th_err th_stash(th_self *self, const th_msg *msg)
{
    struct thi_cell *cell;
    th_err err;

    if (!self || !msg)
        return TH_E_INVALID;
    if (!self->worker)
        return TH_E_NOT_HERE;
    cell = thi_cell_of_self(self);
    if (msg->thi_type->flags & TH_TYPE_SYSTEM)
        return TH_E_NOT_ALLOWED;
    if (msg->thi_to.generation & THI_GENERATION_ALIAS || thi_initial_is_waiting(cell) ||
        thi_cell_life(cell) != THI_CELL_RUNNING)
        return TH_E_STATE;
    err = thi_stash_room(self, cell);
    if (err)
        return err;
    cell->extra->stash->asked = msg;
    thi_cell_raise(cell, THI_CELL_STASHING);
    return TH_OK;
}

th_err th_unstash_all(th_self *self, uint32_t *count_out)
{
    uint32_t count;

    if (count_out)
        *count_out = 0;
    if (!self)
        return TH_E_INVALID;
    if (!self->worker)
        return TH_E_NOT_HERE;
    if (thi_initial_is_waiting(thi_cell_of_self(self)))
        return TH_E_STATE;
    count = thi_stash_return(self, thi_cell_of_self(self));
    if (count_out)
        *count_out = count;
    return TH_OK;
}

uint32_t th_stashed(const th_self *self)
{
    return self && self->worker ? thi_stash_count(thi_cell_of_self(self)) : 0;
}
