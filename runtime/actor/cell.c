/* runtime/actor/cell.c: cells taken and retired, in batches per worker. */
#include "runtime/actor/cell.h"

#include "runtime/actor/credits.h"
#include "runtime/actor/stage.h"
#include "mailbox/msg.h"
#include <thespis/assert.h>

struct thi_cell_extra *thi_cell_extra(struct thi_stage *stage, struct thi_cell *cell)
{
    if (!cell->extra)
        cell->extra = thi_memory_take(&stage->memory, sizeof(*cell->extra));
    return cell->extra;
}

/* Everything zero again but the generation. By who takes it, not by who frees it: the reclaimer
 * would only drag the lines to another core. */
static void clear(struct thi_cell *cell)
{
    cell->klass = NULL;
    cell->state = NULL;
    cell->mail_head = cell->mail_tail = NULL;
    cell->flags = cell->exit_reason = 0;
    cell->self = (th_self){ 0 };
    thi_cell_set_parent(cell, th_addr_none());
    cell->first_child = cell->next_sibling = cell->prev_sibling = cell->ask_cursor = 0;
    /* relaxed, both: nobody knows the address; who tells it publishes the cell */
    atomic_store_explicit(&cell->children, 0, memory_order_relaxed);
    atomic_store_explicit(&cell->state_of_life, THI_CELL_STARTING, memory_order_relaxed);
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
        *spare = thi_cell_next_free(cell);
    if (!self->worker)
        pthread_mutex_unlock(&stage->cells_lock);
    if (!cell)
        return NULL;
    *why = TH_OK;
    clear(cell);
    /* relaxed: as in clear() */
    atomic_store_explicit(&cell->kind, (uint8_t)kind, memory_order_relaxed);
    return cell;
}

/* ---- back ---- */

static struct thi_cell *head_of(struct thi_retired *item)
{
    /* a batch waits for its grace period by its first cell's task, which is of no other use then */
    return thi_cell_of_task((struct thi_task *)(void *)item);
}

_Static_assert(sizeof(struct thi_task) == sizeof(struct thi_retired) &&
                   offsetof(struct thi_task, next) == offsetof(struct thi_retired, next),
               "a retired cell's link is its task's");

/* Those whose state is needed until then are retired one by one: it is no link. Bounded actors too,
 * since their extra is (B5 of credits.h). */
static bool is_alone(const struct thi_cell *cell)
{
    return thi_cell_kind(cell) == THI_CELL_ENDPOINT || thi_cell_kind(cell) == THI_CELL_PARCEL ||
           cell->extra;
}

/* A batch whose grace period is over. */
static void reclaimed(struct thi_stage *stage, struct thi_cell *head)
{
    if (thi_cell_kind(head) >= THI_CELL_ENDPOINT && is_alone(head)) {
        bool is_endpoint = thi_cell_kind(head) == THI_CELL_ENDPOINT;
        void *state = head->state;

        head->state = NULL;
        if (state && is_endpoint)
            ((struct thi_endpoint *)state)->release(state);
        else if (state)
            ((struct thi_parcel *)state)->release(state);
    }
    if (head->extra) { /* of a bounded actor */
        thi_credits_free(stage, head->extra->credits);
        thi_memory_give(&stage->memory, head->extra, sizeof(*head->extra));
        head->extra = NULL;
    }
    thi_directory_give(&stage->directory, head);
}

void thi_cells_reclaimed(void *context, struct thi_retired *list)
{
    struct thi_retired *next;

    for (; list; list = next) {
        next = list->next;
        reclaimed(context, head_of(list));
    }
}

static void flush(struct thi_stage *stage, struct thi_cell_batch *batch)
{
    struct thi_cell *head = batch->first;

    if (!head)
        return;
    *batch = (struct thi_cell_batch){ 0 };
    if (stage->base == TH_BASE_SIMPLE)
        reclaimed(stage, head);
    else
        thi_reclaimer_retire(&stage->reclaimer, (struct thi_retired *)(void *)&head->task,
                             (struct thi_retired *)(void *)&head->task);
}

/* Others may still be using it, so without a grace period it waits for the end. */
static void keep_alone(struct thi_stage *stage, struct thi_cell *cell)
{
    cell->task.next = stage->late ? &stage->late->task : NULL;
    stage->late = cell;
}

static void add(struct thi_stage *stage, struct thi_cell_batch *batch, struct thi_cell *cell,
                unsigned at_once, bool may_flush)
{
    struct thi_cell_batch alone = { cell, 1 };

    if (is_alone(cell)) {
        if (may_flush)
            flush(stage, &alone);
        else
            keep_alone(stage, cell);
        return;
    }
    cell->state = batch->first;
    batch->first = cell;
    if (++batch->count >= at_once && may_flush)
        flush(stage, batch);
}

void thi_cell_carry(struct thi_cell *cell, struct thi_parcel *parcel)
{
    cell->state = parcel;
    /* release: as in thi_cell_retire(), which finds the kind changed already */
    atomic_store_explicit(&cell->kind, THI_CELL_PARCEL, memory_order_release);
}

void thi_cell_retire(th_self *self, struct thi_cell *cell)
{
    enum { AT_ONCE = 512, AT_ONCE_SHARED = 128 };
    struct thi_stage *stage = thi_stage_of(self);
    bool is_small = stage->directory.slots_max < THI_CELLS_EXACT_BELOW;

    if (!thi_directory_expire(cell))
        return; /* D2: used up */
    /* release: as in thi_directory_expire(); pairs with the acquire in thi_cell_kind_shown().
     * Before the grace period, so that nobody who walks takes a cell for an actor while it is
     * cleared. (Of an endpoint or alias the kind is still needed, and walkers skip them.) */
    if (thi_cell_kind(cell) <= THI_CELL_OWN)
        atomic_store_explicit(&cell->kind, THI_CELL_FREE, memory_order_release);
    /* a small system has no slots to keep back */
    if (self->worker) {
        add(stage, &self->worker->retired, cell, is_small ? 1 : AT_ONCE, true);
        return;
    }
    pthread_mutex_lock(&stage->cells_lock);
    add(stage, &stage->retired, cell, is_small ? 1 : AT_ONCE_SHARED, !stage->is_late);
    pthread_mutex_unlock(&stage->cells_lock);
}

void thi_cells_flush_worker(struct thi_worker *worker)
{
    flush(worker->stage, &worker->retired);
}

void thi_cells_flush_last(struct thi_stage *stage)
{
    pthread_mutex_lock(&stage->cells_lock);
    flush(stage, &stage->retired);
    stage->is_late = true;
    pthread_mutex_unlock(&stage->cells_lock);
}

void thi_cells_fini(struct thi_stage *stage)
{
    struct thi_cell *late;

    while ((late = stage->late)) {
        stage->late = late->task.next ? thi_cell_of_task(late->task.next) : NULL;
        late->task.next = NULL;
        reclaimed(stage, late);
    }
    stage->is_late = false;
    if (stage->retired.first)
        thi_directory_give(&stage->directory, stage->retired.first);
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
