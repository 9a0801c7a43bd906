/* runtime/actor/self.c: what an actor can say of itself, and small verbs of the front door. */
#include <stdarg.h>
#include <stdio.h>

#include "runtime/actor/deputy.h"
#include "runtime/actor/send.h"
#include "runtime/actor/stage.h"
#include <thespis/assert.h>

/* An actor's own cell; NULL for endpoints and NULL. */
static struct thi_cell *cell_of(const th_self *self)
{
    return self && self->worker ? thi_cell_of_self(self) : NULL;
}

th_addr th_self_addr(const th_self *self)
{
    return self ? thi_self_addr(self) : th_addr_none();
}

th_addr th_self_parent(const th_self *self)
{
    struct thi_cell *cell = cell_of(self);
    th_addr parent = cell ? thi_cell_parent(cell, self->worker->system) : th_addr_none();

    return parent.generation ? parent : th_addr_none();
}

th_system *th_self_system(const th_self *self)
{
    return self ? thi_stage_of(self)->system : NULL;
}

const th_class *th_self_class(const th_self *self)
{
    struct thi_cell *cell = cell_of(self);

    return cell ? cell->klass : NULL;
}

void *th_self_state(const th_self *self)
{
    struct thi_cell *cell = cell_of(self);

    return cell ? cell->state : NULL;
}

uint64_t th_now(const th_self *self)
{
    return self ? thi_clock_now(&thi_stage_of(self)->clock) : 0;
}

/* An endpoint's number on the simple base: from the seed too, or one seed had two histories. */
static uint64_t draw(struct thi_step *step)
{
    uint64_t number;

    pthread_mutex_lock(&step->lock);
    number = thi_random_next(&step->choices);
    pthread_mutex_unlock(&step->lock);
    return number;
}

uint64_t th_random(th_self *self)
{
    if (!self)
        return 0;
    if (self->worker)
        return thi_random_next(self->worker->step ? &self->worker->step->choices
                                                  : &self->worker->random);
    return thi_stage_of(self)->base == TH_BASE_SIMPLE ? draw(&thi_stage_of(self)->step)
                                                      : thi_random_fresh();
}

th_err th_fail(th_self *self, th_err err, const char *format, ...)
{
    struct thi_cell *cell = cell_of(self);
    struct thi_cell_extra *extra;
    va_list args;

    if (!cell || !format || !(extra = thi_cell_extra(self->worker->stage, cell)))
        return err; /* without memory: without words */
    va_start(args, format);
    vsnprintf(extra->details, sizeof(extra->details), format, args);
    va_end(args);
    return err;
}

th_err th_request_shutdown(th_self *self)
{
    struct thi_stage *stage;
    th_err err;

    if (!self)
        return TH_E_INVALID;
    stage = thi_stage_of(self);
    err = self->worker ? thi_stage_check(stage) : thi_outsider_check(self);
    if (err)
        return err;
    stage->shutdown_asked(stage->system);
    return TH_OK;
}

th_err th_blocking_begin(th_self *self)
{
    struct thi_cell *cell = cell_of(self);

    if (!self)
        return TH_E_INVALID;
    if (!cell)
        return TH_E_NOT_HERE;
    if (cell->flags & THI_CELL_BLOCKING)
        return TH_E_STATE;
    thi_cell_raise(cell, THI_CELL_BLOCKING);
    thi_pool_blocking_begin(self->worker);
    return TH_OK;
}

th_err th_blocking_end(th_self *self)
{
    struct thi_cell *cell = cell_of(self);

    if (!self)
        return TH_E_INVALID;
    if (!cell)
        return TH_E_NOT_HERE;
    if (!(cell->flags & THI_CELL_BLOCKING))
        return TH_E_STATE;
    thi_pool_blocking_end(self->worker);
    thi_cell_lower(cell, THI_CELL_BLOCKING);
    return TH_OK;
}
