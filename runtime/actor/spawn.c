/* runtime/actor/spawn.c: a child here, and its first turn.
 *
 * Past 500 lines: each step of a spawn beside what undoes it when a later one fails. */
#include "runtime/actor/spawn.h"

#include <string.h>

#include "runtime/actor/ask.h"
#include "runtime/actor/classes.h"
#include "runtime/actor/deputy.h"
#include "runtime/actor/events.h"
#include "runtime/actor/credits.h"
#include "runtime/actor/dispatch.h"
#include "runtime/actor/exit.h"
#include "runtime/actor/gate.h"
#include "runtime/actor/initial.h"
#include "runtime/actor/mail.h"
#include "runtime/actor/names.h"
#include "runtime/actor/reason.h"
#include "runtime/actor/record.h"
#include "runtime/actor/send.h"
#include "runtime/actor/transient.h"
#include "runtime/base/trace.h"
#include "mailbox/msg.h"
#include <thespis/assert.h>

/* ---- state: from the worker's blocks when it is small ---- */

static th_err make_state(th_self *self, struct thi_cell *cell)
{
    size_t size = cell->klass->state_size;
    unsigned block = thi_heap_block(size);

    cell->state = NULL;
    if (size == 0)
        return TH_OK;
    if (block) {
        thi_voice_enter(&self->voice);
        cell->state = thi_heap_take(self->voice.heap, block);
        thi_voice_leave(&self->voice);
        if (cell->state)
            memset(cell->state, 0, size);
    } else {
        cell->state = thi_memory_take(&thi_stage_of(self)->memory, size);
    }
    return cell->state ? TH_OK : TH_E_NOMEM;
}

static void free_state(struct thi_heap *heap, struct thi_stage *stage, struct thi_cell *cell)
{
    size_t size = cell->klass->state_size;
    unsigned block = thi_heap_block(size);

    if (!cell->state)
        return;
    if (block)
        thi_heap_give(heap, cell->state, block);
    else
        thi_memory_give(&stage->memory, cell->state, size);
    cell->state = NULL;
}

void thi_state_free(struct thi_stage *stage, struct thi_cell *cell)
{
    free_state(&cell->self.worker->heap, stage, cell);
}

/* ---- making ---- */

static th_err check(th_self *self, const th_spawn_options *options, const th_class **klass_out)
{
    struct thi_stage *stage = thi_stage_of(self);
    th_err err = self->worker ? TH_OK : thi_stage_check(stage);

    if (TH_LIKELY(!err))
        err = thi_classes_choose(stage, options, klass_out);
    if (TH_UNLIKELY(err))
        return err;
    if (TH_UNLIKELY(thi_mailbox_says(&options->mailbox)) && thi_credits_check(&options->mailbox))
        return TH_E_INVALID;
    if (TH_UNLIKELY(thi_mailbox_says(&(*klass_out)->mailbox)) &&
        thi_credits_check(&(*klass_out)->mailbox))
        return TH_E_INVALID;
    if (self->worker) {
        struct thi_cell *cell = thi_cell_of_self(self);

        if (thi_worker_is_blocking(self->worker))
            return TH_E_STATE;
        /* an exiting admin still starts a logger, so that exits can be logged */
        return (thi_cell_life(cell) >= THI_CELL_EXITING && cell->slot != stage->admin.slot) ||
                       (cell->flags & THI_CELL_IN_EXIT)
                   ? TH_E_CLOSED
                   : TH_OK;
    }
    /* relaxed: a spawn that is under way when it turns true is asked to exit by the admin */
    return atomic_load_explicit(&stage->closing, memory_order_relaxed) ? TH_E_CLOSED : TH_OK;
}

/* Whether thi_fitting_make() is worth asking. */
static bool may_need(const th_class *klass, const th_spawn_options *options)
{
    return options->needs || options->requirements || klass->needs || klass->fits || klass->base;
}

/* A limited mailbox, urgent types: what gate.c sees to. */
static th_err make_gate(struct thi_stage *stage, struct thi_cell *cell,
                        const th_spawn_options *options)
{
    const th_mailbox *mailbox = options->mailbox.limit ? &options->mailbox : &cell->klass->mailbox;
    th_err err;

    if (TH_LIKELY(!mailbox->limit && !cell->klass->urgent))
        return TH_OK;
    err = thi_credits_make(stage, cell, mailbox);
    return err ? err : thi_gate_make(stage, cell);
}

static th_err make_extra(th_self *self, struct thi_cell *cell, const th_spawn_options *options,
                         th_addr report_to)
{
    struct thi_stage *stage = thi_stage_of(self);
    bool tells = options->tell_started && self->worker && !options->global_name;
    bool wants_own = (options->own_thread || (cell->klass->flags & TH_CLASS_OWN_THREAD)) &&
                     stage->base == TH_BASE_POOL;
    struct thi_fitting *fitting = NULL;
    th_err err = TH_OK;

    cell->extra = NULL;
    if (TH_UNLIKELY(may_need(cell->klass, options)))
        err = thi_fitting_make(stage, cell->klass, options, &fitting);
    if (!err)
        err = make_gate(stage, cell, options);
    if (err) {
        thi_fitting_free(fitting);
        return err;
    }
    if (!wants_own && !fitting && !options->arg && !options->global_name && !tells &&
        !options->age_ns_max && !options->idle_ns_max && th_addr_is_none(report_to))
        return TH_OK;
    if (!thi_cell_extra(stage, cell)) {
        thi_fitting_free(fitting);
        return TH_E_NOMEM;
    }
    cell->extra->fitting = fitting;
    cell->extra->report_to = report_to;
    cell->extra->age_ns_max = options->age_ns_max;
    cell->extra->idle_ns_max = options->idle_ns_max;
    if (options->global_name && !(cell->extra->name = thi_name_make(stage, options->global_name)))
        return TH_E_NOMEM;
    if (tells &&
        !(cell->extra->started = thi_msg_create(self->voice.heap, &th_child_started_type, 0)))
        return TH_E_NOMEM;
    if (wants_own) {
        err = thi_pool_own_begin(&stage->pool, &cell->task, &cell->extra->own);
        if (err)
            return err;
    }
    cell->extra->arg = options->arg; /* last: before it, the caller still owns it */
    return TH_OK;
}

/* What make_extra() made, but for the argument. */
static void drop_extra(th_self *self, struct thi_cell *cell)
{
    struct thi_stage *stage = thi_stage_of(self);

    if (!cell->extra)
        return;
    if (cell->extra->own)
        thi_pool_own_abandon(cell->extra->own);
    thi_name_unmake(cell->extra->name);
    thi_fitting_leave(stage, cell->extra->fitting);
    thi_fitting_free(cell->extra->fitting);
    th_msg_destroy(self, cell->extra->started);
    if (cell->extra->credits)
        return; /* B5 of credits.h: it goes with the cell */
    thi_memory_give(&stage->memory, cell->extra, sizeof(*cell->extra));
    cell->extra = NULL;
}

/* The cell of a new actor, ready to run and unknown to everybody. */
static th_err make(th_self *self, const th_class *klass, const th_spawn_options *options,
                   th_addr report_to, struct thi_cell **cell_out)
{
    struct thi_stage *stage = thi_stage_of(self);
    struct thi_cell *cell;
    th_err err;

    cell = thi_cell_take(self, THI_CELL_FREE, &err); /* until show() */
    if (!cell)
        return err;
    cell->klass = klass;
    cell->self.voice.born = thi_stage_moment(self);
    err = make_state(self, cell);
    if (!err)
        err = make_extra(self, cell, options, report_to);
    if (err) {
        drop_extra(self, cell);
        thi_voice_enter(&self->voice);
        free_state(self->voice.heap, stage, cell);
        thi_voice_leave(&self->voice);
        thi_cell_retire(self, cell);
        return err;
    }
    thi_cell_set_life(cell, THI_CELL_STARTING);
    if (cell->extra && cell->extra->credits)
        thi_credits_show(cell);
    else
        thi_inbox_init(&cell->inbox, THI_INBOX_EMPTY); /* awake: we queue it below */
    *cell_out = cell;
    return TH_OK;
}

/* Closes the mailbox of one that nobody knew but the changes of capabilities, if it joined them. */
static void drain(th_self *self, struct thi_cell *cell)
{
    th_msg *lanes[2], *tail, *next;

    lanes[1] = thi_inbox_reverse(thi_cell_close_owner(cell), &lanes[0], &tail);
    for (int lane = 0; lane < 2; lane++)
        for (th_msg *msg = lanes[lane]; msg; msg = next) {
            next = msg->thi_next;
            thi_count(self, THI_STAT_HANDLED);
            th_msg_destroy(self, msg);
        }
}

/* Undoes make(). */
static void unmake(th_self *self, struct thi_cell *cell)
{
    struct thi_stage *stage = thi_stage_of(self);

    if (cell->extra)
        th_msg_destroy(self, cell->extra->arg);
    drop_extra(self, cell);
    thi_voice_enter(&self->voice);
    free_state(self->voice.heap, stage, cell);
    thi_voice_leave(&self->voice);
    drain(self, cell);
    thi_cell_retire(self, cell);
}

static th_addr addr_of(struct thi_stage *stage, struct thi_cell *cell)
{
    /* relaxed: ours until it runs */
    th_addr addr = { stage->id, cell->slot,
                     atomic_load_explicit(&cell->generation, memory_order_relaxed) };

    return addr;
}

void thi_spawn_close(struct thi_stage *stage)
{
    pthread_mutex_lock(&stage->spawn_lock);
    /* relaxed: give_to_admin() reads it under the lock, the others as a hint */
    atomic_store_explicit(&stage->closing, true, memory_order_relaxed);
    pthread_mutex_unlock(&stage->spawn_lock);
}

/* From here on who walks the directory may describe it. */
static void show_kind(struct thi_cell *cell)
{
    bool has_own = cell->extra && cell->extra->own;

    /* release: the class and what else is constant; pairs with the acquire in
     * thi_cell_kind_shown() */
    atomic_store_explicit(&cell->kind, has_own ? THI_CELL_OWN : THI_CELL_ACTOR,
                          memory_order_release);
}

/* N1: under spawn_lock. The cell's name, if it has one, is its own from here on. TH_E_EXISTS: it is
 * that of *@addr_out. */
static th_err take_name(struct thi_stage *stage, struct thi_cell *cell, th_addr *addr_out)
{
    struct thi_name *name = cell->extra ? cell->extra->name : NULL;

    if (!name)
        return TH_OK;
    if (thi_names_find(stage, name->text, addr_out))
        return TH_E_EXISTS;
    if (!thi_names_has_room(stage))
        return TH_E_LIMIT;
    show_kind(cell); /* who finds it by its name may look at it */
    thi_names_add(stage, name, addr_of(stage, cell));
    return TH_OK;
}

/* A child of the admin, who is told before the child can run, and before it is itself asked to
 * exit. */
static th_err give_to_admin(th_self *self, struct thi_cell *cell, th_addr *addr_out)
{
    struct thi_stage *stage = thi_stage_of(self);
    th_msg *adopt;
    th_err err;

    thi_voice_enter(&self->voice);
    adopt = thi_msg_create(self->voice.heap, &thi_adopt_type, 0);
    thi_voice_leave(&self->voice);
    if (!adopt)
        return TH_E_NOMEM;
    thi_cell_set_parent(cell, stage->admin);
    ((struct thi_adopt *)th_msg_body(adopt))->child = addr_of(stage, cell);
    pthread_mutex_lock(&stage->spawn_lock);
    /* relaxed: under the lock */
    err = atomic_load_explicit(&stage->closing, memory_order_relaxed)
              ? TH_E_CLOSED
              : take_name(stage, cell, addr_out);
    if (!err)
        thi_post_to(self, thi_self_addr(self), stage->admin, adopt);
    pthread_mutex_unlock(&stage->spawn_lock);
    if (err)
        th_msg_destroy(self, adopt);
    return err;
}

/* From here on it may run. */
static void show(th_self *self, struct thi_cell *cell)
{
    show_kind(cell);
    /* relaxed: nobody else has it yet */
    thi_point_spawn(&cell->self, cell->klass, self, cell->slot,
                    atomic_load_explicit(&cell->generation, memory_order_relaxed));
    if (TH_UNLIKELY(thi_record_is_on(self)))
        thi_record_spawn(self, cell);
    thi_count(self, THI_STAT_SPAWNED);
    thi_cell_schedule(self, cell);
}

/* Whether another has the name that @options ask for. */
static th_err look_up(th_self *self, const th_spawn_options *options, th_addr *addr_out)
{
    if (!options->global_name)
        return TH_OK;
    if (!thi_name_is_good(options->global_name))
        return TH_E_INVALID;
    if (self->worker && self->worker->is_blocking)
        return TH_E_STATE;
    return thi_names_find(thi_stage_of(self), options->global_name, addr_out) ? TH_E_EXISTS : TH_OK;
}

/* TH_E_EXISTS: nothing was made, *@addr_out has the name. */
static th_err spawn(th_self *self, const th_spawn_options *options, th_addr report_to,
                    th_addr *addr_out)
{
    struct thi_stage *stage = thi_stage_of(self);
    const th_class *klass;
    struct thi_cell *cell;
    th_err err = look_up(self, options, addr_out);

    if (!err)
        err = check(self, options, &klass);
    if (!err)
        err = make(self, klass, options, report_to, &cell);
    if (err) {
        th_msg_destroy(self, options->arg);
        return err;
    }
    if (TH_UNLIKELY(cell->extra && cell->extra->fitting) &&
        (err = thi_fitting_join(stage, cell->extra->fitting, addr_of(stage, cell)))) {
        unmake(self, cell);
        return err;
    }
    if (self->worker && !options->global_name) {
        struct thi_cell *parent = thi_cell_of_self(self);

        thi_cell_set_parent(cell, thi_self_addr(self));
        thi_children_add(stage, parent, cell);
    } else if ((err = give_to_admin(self, cell, addr_out))) {
        unmake(self, cell);
        return err;
    }
    *addr_out = addr_of(stage, cell);
    show(self, cell);
    return TH_OK;
}

/* In a read section. */
static enum thi_spawned found(struct thi_stage *stage, th_addr addr)
{
    struct thi_cell *cell = thi_directory_find(&stage->directory, addr);

    return cell && thi_cell_life(cell) == THI_CELL_STARTING ? THI_SPAWNED_FOUND_STARTING
                                                            : THI_SPAWNED_FOUND;
}

th_err thi_spawn(th_self *self, const th_spawn_options *options, th_addr report_to,
                 th_addr *addr_out, enum thi_spawned *spawned_out)
{
    struct thi_stage *stage = thi_stage_of(self);
    enum thi_spawned spawned = THI_SPAWNED_NEW;
    th_err err;

    if (self->worker) {
        err = spawn(self, options, report_to, addr_out);
        return err == TH_E_EXISTS ? TH_OK : err;
    }
    err = thi_endpoint_check(self);
    if (err == TH_E_FORKED || err == TH_E_NOT_HERE) { /* before any lock */
        th_msg_destroy(self, options ? options->arg : NULL);
        return err;
    }
    thi_stage_enter(stage);
    err = spawn(self, options, report_to, addr_out);
    if (err == TH_E_EXISTS) {
        spawned = found(stage, *addr_out);
        err = TH_OK;
    }
    thi_stage_leave(stage);
    if (spawned_out)
        *spawned_out = spawned;
    return err;
}

th_err thi_spawn_admin(th_self *self, const th_class *klass)
{
    struct thi_stage *stage = thi_stage_of(self);
    th_spawn_options options = { .klass = klass };
    struct thi_cell *cell;
    th_err err = make(self, klass, &options, th_addr_none(), &cell);

    if (err)
        return err;
    TH_ASSERT(cell->slot == 0);
    stage->admin = addr_of(stage, cell);
    show(self, cell);
    return TH_OK;
}

/* ---- the first turn ---- */

static void report(th_self *self, struct thi_cell *cell, th_err err)
{
    th_addr to = cell->extra ? cell->extra->report_to : th_addr_none();
    struct thi_started *body;
    th_msg *msg;

    if (th_addr_is_none(to))
        return;
    cell->extra->report_to = th_addr_none();
    msg = thi_msg_create(&self->worker->heap, &thi_started_type, 0);
    if (!msg) {
        thi_alias_give_up(self, to, err ? err : TH_E_NOMEM);
        return;
    }
    body = th_msg_body(msg);
    body->actor = thi_self_addr(self);
    body->err = err;
    if (cell->extra->details[0])
        body->details = th_blob_text(self, cell->extra->details); /* NULL: without */
    thi_post_to(self, body->actor, to, msg);
}

static void tell_parent(th_self *self, struct thi_cell *cell)
{
    th_msg *started = cell->extra->started;

    if (!started)
        return;
    cell->extra->started = NULL;
    ((struct th_child_started *)th_msg_body(started))->child = thi_self_addr(self);
    thi_post_to(self, thi_self_addr(self), th_self_parent(self), started);
}

/* What the options say, else the class; a limit of TH_FOREVER is none. */
static th_err start_limits(th_self *self, struct thi_cell *cell)
{
    const struct thi_cell_extra *extra = cell->extra;
    uint64_t age = thi_class_age(cell->klass), idle = thi_class_idle(cell->klass);

    if (extra && extra->age_ns_max)
        age = extra->age_ns_max;
    if (extra && extra->idle_ns_max)
        idle = extra->idle_ns_max;
    if (TH_LIKELY(age % TH_FOREVER == 0 && idle % TH_FOREVER == 0))
        return TH_OK;
    return thi_transient_start(self, cell, age, idle);
}

bool thi_spawn_start(th_self *self, struct thi_cell *cell)
{
    const th_class *klass = cell->klass;
    thi_init init = thi_class_init(klass);
    const th_initial *initial;
    th_err err = TH_OK;

    if (init)
        err = init(self, cell->state, cell->extra ? cell->extra->arg : NULL);
    initial = thi_class_initial(klass);
    if (!err && TH_UNLIKELY(initial != NULL) && !thi_initial_is_waiting(cell))
        err = thi_initial_start(self, cell, initial);
    if (!err)
        err = start_limits(self, cell);
    if (!err) /* before the report: who was waiting for it may look at once */
        thi_cell_set_life(cell, THI_CELL_RUNNING);
    report(self, cell, err);
    if (err) {
        thi_event_init_failed(self, cell, err);
        thi_reason_failed(self, cell, err);
        thi_exit_begin(self, cell, TH_EXIT_INIT);
        return thi_exit_advance(self, cell);
    }
    if (cell->extra) {
        cell->extra->details[0] = '\0';
        tell_parent(self, cell);
        if (klass->on_failure != TH_ON_FAILURE_RESTART) {
            thi_msg_destroy(&self->worker->heap, cell->extra->arg);
            cell->extra->arg = NULL;
        }
    }
    if (!(cell->flags & THI_CELL_EXIT_ASKED))
        return false;
    thi_exit_begin(self, cell, (th_exit_reason)cell->exit_reason);
    return thi_exit_advance(self, cell);
}

/* ---- the front door ---- */

th_err th_spawn_with(th_self *self, const th_spawn_options *options, th_addr *addr_out)
{
    if (!self || !options)
        return TH_E_INVALID;
    if (!addr_out) {
        th_msg_destroy(self, options->arg);
        return TH_E_INVALID;
    }
    return thi_spawn(self, options, th_addr_none(), addr_out, NULL);
}

th_err th_spawn(th_self *self, const th_class *klass, th_msg *arg, th_addr *addr_out)
{
    th_spawn_options options = { .klass = klass, .arg = arg };

    return th_spawn_with(self, &options, addr_out);
}
