#include "runtime/actor/deputy.h"

#include "runtime/actor/send.h"

#include <thespis/config.h>

struct deputy {
    struct thi_endpoint endpoint; /* first */
    struct thi_heap heap;
    struct thi_voice_lock shared;
};

/* ---- the office ---- */

static struct thi_office *office_of(struct thi_stage *stage, struct thi_cell *cell)
{
    struct thi_cell_extra *extra = thi_cell_extra(stage, cell);
    struct thi_office *office;

    if (!extra || extra->office)
        return extra ? extra->office : NULL;
    office = thi_memory_take(&stage->memory, sizeof(*office));
    if (!office)
        return NULL;
    if (pthread_mutex_init(&office->lock, NULL)) {
        thi_memory_give(&stage->memory, office, sizeof(*office));
        return NULL;
    }
    office->klass = cell->klass;
    /* relaxed: nobody else knows it yet */
    atomic_store_explicit(&office->refs, 1, memory_order_relaxed);
    return extra->office = office;
}

static void unref(struct thi_stage *stage, struct thi_office *office)
{
    /* acq_rel: who frees it comes after all that the others did with it */
    if (atomic_fetch_sub_explicit(&office->refs, 1, memory_order_acq_rel) != 1)
        return;
    pthread_mutex_destroy(&office->lock);
    thi_memory_give(&stage->memory, office, sizeof(*office));
}

static void set_life(struct thi_office *office, enum thi_office_life life)
{
    pthread_mutex_lock(&office->lock);
    /* release: pairs with the acquire in thi_office_life() */
    atomic_store_explicit(&office->life, (uint8_t)life, memory_order_release);
    pthread_mutex_unlock(&office->lock);
}

void thi_office_leave(struct thi_cell *cell)
{
    if (cell->extra && cell->extra->office)
        set_life(cell->extra->office, THI_OFFICE_LEAVING);
}

void thi_office_close(struct thi_stage *stage, struct thi_cell *cell)
{
    struct thi_office *office = cell->extra->office;

    if (!office)
        return;
    set_life(office, THI_OFFICE_OVER);
    cell->extra->office = NULL;
    unref(stage, office);
}

/* ---- a deputy ---- */

static struct deputy *make(struct thi_stage *stage, struct thi_office *office, th_addr addr)
{
    struct deputy *deputy = thi_memory_take(&stage->memory, sizeof(*deputy));

    if (!deputy)
        return NULL;
    if (thi_voice_lock_init(&deputy->shared)) {
        thi_memory_give(&stage->memory, deputy, sizeof(*deputy));
        return NULL;
    }
    thi_heap_init(&deputy->heap, &stage->memory, &stage->depot);
    deputy->endpoint.stage = stage;
    deputy->endpoint.addr = addr;
    deputy->endpoint.office = office;
    deputy->endpoint.self.voice.heap = &deputy->heap;
    deputy->endpoint.self.voice.lock = &deputy->shared;
    /* relaxed, all: the actor, who counts up, holds a reference; the rest are figures */
    atomic_fetch_add_explicit(&office->refs, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&office->open, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&stage->open_deputies, 1, memory_order_relaxed);
    return deputy;
}

th_err th_deputy_open(th_self *self, th_self **deputy_out)
{
    struct thi_office *office;
    struct deputy *deputy;

    if (!self || !deputy_out)
        return TH_E_INVALID;
    if (!self->worker)
        return TH_E_NOT_HERE;
    if (thi_cell_life(thi_cell_of_self(self)) >= THI_CELL_EXITING)
        return TH_E_CLOSED;
    office = office_of(self->worker->stage, thi_cell_of_self(self));
    if (!office)
        return TH_E_NOMEM;
    /* relaxed: only we count up */
    if (atomic_load_explicit(&office->open, memory_order_relaxed) >= TH_DEPUTIES_MAX) {
        thi_count(self, THI_STAT_DEPUTIES_REFUSED);
        return TH_E_LIMIT;
    }
    deputy = make(self->worker->stage, office, thi_self_addr(self));
    if (!deputy)
        return TH_E_NOMEM;
    thi_count(self, THI_STAT_DEPUTIES_OPENED);
    *deputy_out = &deputy->endpoint.self;
    return TH_OK;
}

th_err th_deputy_close(th_self *self)
{
    struct thi_office *office;
    struct thi_stage *stage;
    struct deputy *deputy;

    if (!self)
        return TH_E_INVALID;
    office = thi_office_of_self(self);
    if (!office)
        return TH_E_NOT_HERE;
    stage = thi_stage_of(self);
    if (thi_stage_check(stage) == TH_E_FORKED)
        return TH_E_FORKED;
    deputy = (struct deputy *)(void *)thi_endpoint_of_self(self);
    thi_heap_fini(&deputy->heap);
    thi_voice_lock_fini(&deputy->shared);
    thi_memory_give(&stage->memory, deputy, sizeof(*deputy));
    /* relaxed: a bound that may be a moment old */
    atomic_fetch_sub_explicit(&office->open, 1, memory_order_relaxed);
    unref(stage, office);
    /* release: th_system_destroy() frees what we used; pairs with its acquire */
    atomic_fetch_sub_explicit(&stage->open_deputies, 1, memory_order_release);
    return TH_OK;
}

bool th_self_is_deputy(const th_self *self)
{
    return self && thi_office_of_self(self);
}
