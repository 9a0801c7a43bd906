/* runtime/actor/cell.c: cells taken and retired, in batches per worker. */
#include "runtime/actor/cell.h"

#include "runtime/actor/stage.h"
#include "mailbox/msg.h"
#include <thespis/assert.h>

struct thi_cell_extra *thi_cell_extra(struct thi_stage *stage, struct thi_cell *cell)
{
    if (!cell->extra)
        cell->extra = thi_memory_take(&stage->memory, sizeof(*cell->extra));
    return cell->extra;
}

struct thi_cell *thi_cell_take(th_self *self, enum thi_cell_kind kind, th_err *why)
{
    struct thi_stage *stage = thi_stage_of(self);
    struct thi_cell **spare = self->worker ? &self->worker->cells : &stage->cells;
    struct thi_cell *cell;

    if (!self->worker)
        pthread_mutex_lock(&stage->cells_lock);
    if (!*spare)
        *spare = thi_directory_take(&stage->directory, why);
    cell = *spare;
    if (cell)
        *spare = cell->task.next ? thi_cell_of_task(cell->task.next) : NULL;
    if (!self->worker)
        pthread_mutex_unlock(&stage->cells_lock);
    if (!cell)
        return NULL;
    *why = TH_OK;
    /* relaxed: the address is not known yet; who tells it publishes the cell */
    atomic_store_explicit(&cell->kind, (uint8_t)kind, memory_order_relaxed);
    return cell;
}

/* Everything zero again but the generation. */
static void clear(struct thi_cell *cell)
{
    struct thi_endpoint *endpoint = cell->state;

    if (thi_cell_kind(cell) == THI_CELL_ENDPOINT && endpoint)
        endpoint->release(endpoint);
    cell->klass = NULL;
    cell->state = NULL;
    cell->mail_head = cell->mail_tail = NULL;
    cell->flags = cell->exit_reason = 0;
    cell->self = (th_self){ 0 };
    cell->parent_slot = cell->parent_generation = 0;
    cell->first_child = cell->next_sibling = cell->prev_sibling = cell->ask_cursor = 0;
    /* relaxed, all: the free list's lock publishes them */
    atomic_store_explicit(&cell->children, 0, memory_order_relaxed);
    atomic_store_explicit(&cell->kind, THI_CELL_FREE, memory_order_relaxed);
    atomic_store_explicit(&cell->state_of_life, THI_CELL_STARTING, memory_order_relaxed);
}

static void free_chain(struct thi_stage *stage, struct thi_task *first)
{
    for (struct thi_task *task = first; task; task = task->next)
        clear(thi_cell_of_task(task));
    if (first)
        thi_directory_give(&stage->directory, thi_cell_of_task(first));
}

void thi_cells_reclaimed(void *context, struct thi_retired *list)
{
    /* a cell's place in the chain is its task.next, which is where the chain's links are */
    free_chain(context, (struct thi_task *)(void *)list);
}

_Static_assert(sizeof(struct thi_task) == sizeof(struct thi_retired) &&
                   offsetof(struct thi_task, next) == offsetof(struct thi_retired, next),
               "a retired cell's link is its task's");

static void flush(struct thi_stage *stage, struct thi_cell_batch *batch)
{
    struct thi_task *first = batch->first, *last = batch->last;

    if (!first)
        return;
    batch->first = batch->last = NULL;
    batch->count = 0;
    if (stage->base == TH_BASE_SIMPLE) {
        last->next = NULL;
        free_chain(stage, first);
    } else {
        thi_reclaimer_retire(&stage->reclaimer, (struct thi_retired *)(void *)first,
                             (struct thi_retired *)(void *)last);
    }
}

static void add(struct thi_cell_batch *batch, struct thi_cell *cell)
{
    cell->task.next = NULL;
    if (batch->last)
        batch->last->next = &cell->task;
    else
        batch->first = &cell->task;
    batch->last = &cell->task;
    batch->count++;
}

void thi_cell_retire(th_self *self, struct thi_cell *cell)
{
    enum { AT_ONCE = 1024, AT_ONCE_SHARED = 128 };
    struct thi_stage *stage = thi_stage_of(self);
    /* a small system has no slots to keep back */
    uint32_t at_once = stage->directory.slots_max < THI_CELLS_EXACT_BELOW ? 1 : AT_ONCE_SHARED;

    thi_directory_expire(cell);
    /* relaxed: ordered by the grace period. Before it, so that nobody who walks the directory takes
     * a cell for an actor while it is being cleared. (Of an endpoint or alias the kind is still
     * needed, and walkers skip them.) */
    if (thi_cell_kind(cell) <= THI_CELL_OWN)
        atomic_store_explicit(&cell->kind, THI_CELL_FREE, memory_order_relaxed);
    if (self->worker) {
        add(&self->worker->retired, cell);
        if (self->worker->retired.count >= AT_ONCE)
            flush(stage, &self->worker->retired);
        return;
    }
    pthread_mutex_lock(&stage->cells_lock);
    add(&stage->retired, cell);
    /* relaxed: without a reclaimer they wait for thi_cells_fini() */
    if (stage->retired.count >= at_once &&
        !atomic_load_explicit(&stage->down, memory_order_relaxed))
        flush(stage, &stage->retired);
    pthread_mutex_unlock(&stage->cells_lock);
}

void thi_cells_flush_worker(struct thi_worker *worker)
{
    flush(worker->stage, &worker->retired);
}

void thi_cells_flush_shared(struct thi_stage *stage)
{
    pthread_mutex_lock(&stage->cells_lock);
    flush(stage, &stage->retired);
    pthread_mutex_unlock(&stage->cells_lock);
}

void thi_cells_fini(struct thi_stage *stage)
{
    if (stage->retired.first) {
        stage->retired.last->next = NULL;
        free_chain(stage, stage->retired.first);
    }
    stage->retired = (struct thi_cell_batch){ 0 };
    if (stage->cells)
        thi_directory_give(&stage->directory, stage->cells);
    stage->cells = NULL;
}

void thi_cells_give_back(struct thi_worker *worker)
{
    struct thi_stage *stage = worker->stage;

    if (worker->cells)
        thi_directory_give(&stage->directory, worker->cells);
    worker->cells = NULL;
}
