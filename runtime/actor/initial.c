#include "runtime/actor/initial.h"

#include <string.h>

#include "runtime/actor/behaviour.h"
#include "runtime/actor/dead_letter.h"
#include "runtime/actor/detour.h"
#include "runtime/actor/dispatch.h"
#include "runtime/actor/send.h"
#include "runtime/actor/stash.h"
#include "mailbox/msg.h"

/* ---- the places ---- */

/* How many types it names; 0: it is broken. */
static uint32_t count_types(const th_initial *wants)
{
    uint32_t count = 0;

    if (!wants->types || !wants->ready)
        return 0;
    for (; wants->types[count]; count++) {
        if (count == TH_INITIAL_TYPES_MAX || wants->types[count]->flags & TH_TYPE_SYSTEM)
            return 0;
        for (uint32_t i = 0; i < count; i++)
            if (wants->types[i] == wants->types[count])
                return 0;
    }
    return count;
}

static bool is_held(const struct thi_initial *initial, const th_msg *msg)
{
    for (uint32_t i = 0; i < initial->count; i++)
        if (initial->got[i] == msg)
            return true;
    return false;
}

/* Each message once, whatever it stands for (F3). */
static bool is_first(th_msg *const *places, uint32_t at)
{
    for (uint32_t i = 0; i < at; i++)
        if (places[i] == places[at])
            return false;
    return places[at] != NULL;
}

/* Puts @msg into each place whose type it is of. false: there is none. */
static bool place(struct thi_initial *initial, const th_msg *msg)
{
    bool fits = false;

    for (uint32_t i = 0; i < initial->count; i++) {
        if (!th_type_is(msg->thi_type, initial->wants->types[i]))
            continue;
        fits = true;
        initial->missing -= initial->got[i] == NULL;
        initial->got[i] = (th_msg *)(uintptr_t)msg;
    }
    return fits;
}

static void take_back(struct thi_initial *initial, th_msg *const *before)
{
    memcpy(initial->got, before, initial->count * sizeof(*before));
    initial->missing = 0;
    for (uint32_t i = 0; i < initial->count; i++)
        initial->missing += before[i] == NULL;
}

/* Those of @places that are in no place of @initial (any more) are handled. */
static void let_go(th_self *self, const struct thi_initial *initial, th_msg *const *places)
{
    for (uint32_t i = initial->count; i-- > 0;) { /* from behind: is_first() looks at the others */
        if (!is_first(places, i) || is_held(initial, places[i]))
            continue;
        if (!initial->is_done) /* else it was counted then (F4) */
            thi_count(self, THI_STAT_HANDLED);
        thi_msg_destroy(&self->worker->heap, places[i]);
    }
}

static void empty(th_self *self, struct thi_initial *initial)
{
    th_msg *before[TH_INITIAL_TYPES_MAX];

    memcpy(before, initial->got, sizeof(before));
    memset(initial->got, 0, sizeof(initial->got));
    let_go(self, initial, before);
}

static void discard(th_self *self, struct thi_cell *cell)
{
    struct thi_stage *stage = self->worker->stage;

    thi_memory_give(&stage->memory, cell->extra->initial, sizeof(*cell->extra->initial));
    cell->extra->initial = NULL;
}

bool thi_initial_holds(const struct thi_cell *cell, const th_msg *msg)
{
    return cell->extra->initial && is_held(cell->extra->initial, msg);
}

uint32_t thi_initial_count(const struct thi_cell *cell)
{
    const struct thi_initial *initial = cell->extra ? cell->extra->initial : NULL;
    uint32_t count = 0;

    for (uint32_t i = 0; initial && !initial->is_done && i < initial->count; i++)
        count += is_first(initial->got, i);
    return count;
}

/* ---- beginning ---- */

th_err thi_initial_start(th_self *self, struct thi_cell *cell, const th_initial *wants)
{
    struct thi_stage *stage = self->worker->stage;
    struct thi_cell_extra *extra = thi_cell_extra(stage, cell);
    uint32_t count = count_types(wants);

    if (count == 0)
        return TH_E_INVALID;
    if (!extra)
        return TH_E_NOMEM;
    if (thi_initial_is_waiting(cell))
        return TH_E_STATE;
    if (extra->initial && extra->is_restarting && extra->initial->wants == wants) {
        extra->initial->is_wanted = true; /* F4 */
        return TH_OK;
    }
    if (extra->initial)
        empty(self, extra->initial);
    else
        extra->initial = thi_memory_take(&stage->memory, sizeof(*extra->initial));
    if (!extra->initial)
        return TH_E_NOMEM;
    *extra->initial = (struct thi_initial){ .wants = wants, .count = count, .missing = count };
    thi_detour_settle(cell);
    return TH_OK;
}

/* ---- done ---- */

static th_err run_ready(th_self *self, struct thi_cell *cell)
{
    struct thi_initial *initial = cell->extra->initial;

    return initial->wants->ready(self, cell->state, (const th_msg *const *)initial->got);
}

/* ready() has said yes to @last, of which @copy stays; NULL: nothing does. */
static void finish(th_self *self, struct thi_cell *cell, const th_msg *last, th_msg *copy)
{
    struct thi_initial *initial = cell->extra->initial;

    for (uint32_t i = 0; i < initial->count; i++)
        if (initial->got[i] == last)
            initial->got[i] = copy; /* F2: the last is its delivery's */
    if (copy) {
        for (uint32_t i = 0; i < initial->count; i++)
            if (is_first(initial->got, i) && initial->got[i] != copy)
                thi_count(self, THI_STAT_HANDLED);
        initial->is_done = true;
    } else {
        empty(self, initial);
        discard(self, cell);
    }
    (void)thi_stash_return(self, cell);
    thi_detour_settle(cell);
}

/* Nothing is missing any more, thanks to @last, which took the place of what was @before. */
static th_err complete(th_self *self, struct thi_cell *cell, const th_msg *last,
                       th_msg *const *before)
{
    bool stays = cell->klass->on_failure == TH_ON_FAILURE_RESTART;
    th_msg *copy = stays ? thi_msg_dup(&self->worker->heap, last) : NULL;
    th_err err = stays && !copy ? TH_E_NOMEM : run_ready(self, cell);

    if (err) {
        thi_msg_destroy(&self->worker->heap, copy);
        return err;
    }
    let_go(self, cell->extra->initial, before);
    finish(self, cell, last, copy);
    return TH_OK;
}

/* ---- deliveries ---- */

static th_err keep_for_later(th_self *self, struct thi_cell *cell, const th_msg *msg)
{
    th_err err = thi_stash_room(self, cell);

    if (err)
        return th_fail(self, err, "it waits for its first messages, and no more than %u others",
                       (unsigned)TH_STASH_MAX);
    cell->extra->kept = msg;
    return THI_KEPT;
}

th_err thi_initial_deliver(th_self *self, struct thi_cell *cell, const th_msg *msg)
{
    struct thi_initial *initial = cell->extra->initial;
    th_msg *before[TH_INITIAL_TYPES_MAX];
    th_err err = TH_OK;

    memcpy(before, initial->got, sizeof(before));
    if (!place(initial, msg))
        return keep_for_later(self, cell, msg);
    if (initial->wants->shown)
        err = thi_behave(self, cell, msg);
    if (!err && initial->missing == 0)
        err = complete(self, cell, msg, before);
    else if (!err) {
        let_go(self, initial, before);
        cell->extra->kept = msg;
        return THI_KEPT;
    }
    if (err)
        take_back(initial, before); /* F1 */
    return err;
}

/* ---- again, and the end ---- */

th_err thi_initial_restart(th_self *self, struct thi_cell *cell)
{
    struct thi_initial *initial = cell->extra->initial;

    if (!initial || !initial->is_done)
        return TH_OK;
    if (initial->is_wanted) {
        initial->is_wanted = false;
        return run_ready(self, cell);
    }
    empty(self, initial);
    discard(self, cell);
    return TH_OK;
}

void thi_initial_fini(th_self *self, struct thi_cell *cell, th_dead_reason reason)
{
    struct thi_initial *initial = cell->extra->initial;

    if (!initial)
        return;
    if (initial->is_done)
        empty(self, initial);
    for (uint32_t i = initial->count; i-- > 0;)
        if (is_first(initial->got, i))
            thi_undeliverable(self, initial->got[i], reason);
    discard(self, cell);
}

/* ---- the front door ---- */

th_err th_initial_begin(th_self *self, const th_initial *initial)
{
    if (!self || !initial)
        return TH_E_INVALID;
    if (!self->worker)
        return TH_E_NOT_HERE;
    return thi_initial_start(self, thi_cell_of_self(self), initial);
}
