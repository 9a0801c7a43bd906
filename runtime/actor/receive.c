/* runtime/actor/receive.c: every journey ends: batch, handler, verdict.
 *
 * A turn takes what waits (urgent mail first), handles at most a budget of it, and either sleeps or
 * queues itself again. A handler's verdict is its return value: TH_OK, or an error, and then the
 * message is tried again and goes back as poison.
 *
 * Functions that may end the actor say so: after true the cell is somebody else's. */
/* Past 500 lines: one delivery, its verdict and the turn around it are inlined into each other. */
#include "runtime/actor/receive.h"

#include <string.h>

#include "runtime/actor/ask.h"
#include "runtime/actor/dead_letter.h"
#include "runtime/actor/detour.h"
#include "runtime/actor/dispatch.h"
#include "runtime/actor/events.h"
#include "runtime/actor/exit.h"
#include "runtime/actor/gate.h"
#include "runtime/actor/hold.h"
#include "runtime/actor/initial.h"
#include "runtime/actor/mail.h"
#include "runtime/actor/measure.h"
#include "runtime/actor/poison.h"
#include "runtime/actor/reason.h"
#include "runtime/actor/record.h"
#include "runtime/actor/report.h"
#include "runtime/actor/sample.h"
#include "runtime/actor/send.h"
#include "runtime/actor/spawn.h"
#include "runtime/actor/stash.h"
#include "runtime/actor/transient.h"
#include "runtime/actor/stall.h"
#include "runtime/actor/tie.h"
#include "runtime/actor/wakeup.h"
#include "runtime/base/stack.h"
#include "runtime/base/trace.h"
#include "mailbox/msg.h"
#include <thespis/assert.h>

/* ---- one message ---- */

static void trace(struct thi_worker *worker, const struct thi_cell *cell, const th_msg *msg)
{
    struct thi_stage *stage = worker->stage;

    thi_step_trace(worker->step, thi_clock_now(&stage->clock));
    thi_step_trace(worker->step, (uint64_t)cell->slot << 32 | msg->thi_to.generation);
    thi_step_trace(worker->step, (uint64_t)msg->thi_from.slot << 32 | msg->thi_from.generation);
    for (const char *c = msg->thi_type->name; *c; c++)
        thi_step_trace(worker->step, (uint64_t)*c);
    thi_step_trace(worker->step, msg->thi_size);
}

/* What is left of what the handler began; what the delivery answers. */
static th_err after_handler(th_self *self, struct thi_cell *cell, const th_msg *msg, th_err err)
{
    if (cell->flags & THI_CELL_BLOCKING) { /* it forgot */
        thi_pool_blocking_end(self->worker);
        thi_cell_lower(cell, THI_CELL_BLOCKING);
    }
    return cell->flags & THI_CELL_STASHING ? thi_stash_decide(cell, msg, err) : err;
}

/* One delivery. */
static inline th_err call(th_self *self, struct thi_cell *cell, const th_msg *msg)
{
    th_err err;

    if (TH_UNLIKELY(cell->flags & THI_CELL_DETOUR))
        err = thi_detour(self, cell, msg);
    else if (TH_UNLIKELY(msg->thi_to.slot != cell->slot))
        err = thi_ask_answered(self, cell, msg);
    else
        err = thi_class_handle(self, cell->klass, cell->state, msg);
    if (TH_UNLIKELY(cell->flags & (THI_CELL_BLOCKING | THI_CELL_STASHING)))
        err = after_handler(self, cell, msg, err);
    return err;
}

static void forget_details(struct thi_cell *cell)
{
    if (cell->extra)
        cell->extra->details[0] = '\0';
}

static void restart(th_self *self, struct thi_cell *cell)
{
    const th_class *klass = cell->klass;
    thi_init init = thi_class_init(klass);
    thi_exit leave = thi_class_exit(klass);
    th_err err;

    thi_watches_clear(self, cell); /* the descriptors were the state's, and exit() closes them */
    if (leave)
        leave(self, cell->state);
    if (klass->state_size)
        memset(cell->state, 0, klass->state_size);
    thi_detour_restart_begin(cell);
    err = init ? init(self, cell->state, cell->extra ? cell->extra->arg : NULL) : TH_OK;
    err = thi_detour_restart_end(self, cell, err);
    if (err) {
        thi_reason_failed(self, cell, err);
        thi_exit_begin(self, cell, TH_EXIT_INIT);
    }
}

/* All deliveries failed. */
static void give_up(th_self *self, struct thi_cell *cell, th_msg *msg, th_err err)
{
    char details[TH_DETAILS_SIZE] = "";

    if (cell->extra)
        memcpy(details, cell->extra->details, sizeof(details));
    thi_event_failed(self, cell, msg, err, details[0] ? details : NULL);
    thi_poison_back(self, msg, err, details[0] ? details : NULL);
    if (thi_cell_life(cell) != THI_CELL_RUNNING) {
        forget_details(cell);
        return;
    }
    switch (cell->klass->on_failure) {
    case TH_ON_FAILURE_KEEP: break;
    case TH_ON_FAILURE_RESTART: restart(self, cell); break;
    case TH_ON_FAILURE_STOP:
        thi_reason_failed(self, cell, err);
        thi_exit_begin(self, cell, TH_EXIT_FAILED);
        return; /* the details go to the parent */
    }
    forget_details(cell);
}

/* After @msg's [take] deliveries, the last of which ended in @err. */
static void settle(th_self *self, struct thi_cell *cell, th_msg *msg, th_err err)
{
    thi_stats_add(&self->worker->stats, THI_STAT_HANDLED, 1);
    if (TH_UNLIKELY(msg->thi_to.slot != cell->slot))
        thi_ask_finished(self, cell, msg);
    if (TH_LIKELY(!err) || msg->thi_type == &th_exit_request_type)
        thi_msg_destroy(&self->worker->heap, msg);
    else
        give_up(self, cell, msg, err);
}

/* Delivers @msg [take], at most @deliveries times until it succeeds, and sees to the
 * consequences. */
static inline void handle(th_self *self, struct thi_cell *cell, th_msg *msg, unsigned deliveries)
{
    th_err err = TH_OK;

    while (deliveries--) {
        err = call(self, cell, msg);
        if (TH_LIKELY(!err))
            break;
        if (thi_stash_takes(self, cell, msg))
            return;
        thi_count(self, THI_STAT_FAILED);
    }
    if (TH_LIKELY(!err &&
                  msg->thi_to.slot == cell->slot)) { /* settle(), for nearly every message */
        thi_stats_add(&self->worker->stats, THI_STAT_HANDLED, 1);
        thi_msg_destroy(&self->worker->heap, msg);
        return;
    }
    settle(self, cell, msg, err);
}

/* What a handler has left to be done: mail to be put back, an exit. true: the cell is dead. */
static bool see_to_rest(th_self *self, struct thi_cell *cell)
{
    if (cell->flags & THI_CELL_UNSTASHED)
        thi_stash_put_back(cell);
    if (cell->flags & THI_CELL_EXIT_ASKED)
        thi_exit_begin(self, cell, (th_exit_reason)cell->exit_reason);
    return thi_cell_life(cell) == THI_CELL_EXITING && thi_exit_advance(self, cell);
}

/* After a message of a plain turn. true: the turn is over, and the cell not ours any more. */
static inline bool go_on(th_self *self, struct thi_cell *cell)
{
    if (TH_LIKELY(!(cell->flags & THI_CELL_AFTERCARE) && thi_cell_life(cell) == THI_CELL_RUNNING))
        return false;
    if (see_to_rest(self, cell))
        return true;
    if (!(cell->flags & THI_CELL_HELD))
        return false;
    thi_gate_turn(self, cell); /* the rest of the turn */
    return true;
}

/* ---- the system's lane ---- */

static void take_exit_request(th_self *self, struct thi_cell *cell, th_msg *msg,
                              th_exit_reason reason)
{
    const struct th_exit_request *request = th_exit_request_of(msg);
    th_err err = (th_err)request->err;
    th_blob *words = th_blob_ref(request->details);

    if (request->keep_children)
        thi_cell_raise(cell, THI_CELL_KEEP_CHILDREN);
    thi_cell_raise(cell, THI_CELL_EXIT_HEARD);
    handle(self, cell, msg, 1);
    thi_reason_asked(self, cell, reason, err, words);
    if (!(cell->flags & THI_CELL_EXIT_HEARD))
        return; /* th_exit_later() */
    thi_cell_lower(cell, THI_CELL_EXIT_HEARD);
    thi_exit_begin(self, cell, (th_exit_reason)cell->exit_reason);
}

/* What a watch has to say [take]. false: it is a message like any other, and not taken. */
static bool take_watch(th_self *self, struct thi_cell *cell, th_msg *msg)
{
    uint64_t id = *(const uint64_t *)th_msg_body(msg); /* both types begin with it */

    switch (thi_watches_arrived(self, cell, msg)) {
    case THI_ARRIVAL_OTHERS: return false;
    case THI_ARRIVAL_OURS:
        handle(self, cell, msg, TH_DELIVERIES_MAX);
        thi_watches_handled(self, cell, id);
        return true;
    case THI_ARRIVAL_NONE: break;
    }
    thi_stats_add(&self->worker->stats, THI_STAT_HANDLED, 1);
    thi_msg_destroy(&self->worker->heap, msg);
    return true;
}

static bool is_of_a_watch(const th_type *type)
{
    return type == &th_fd_ready_type || type == &th_os_signal_type;
}

/* An actor is asked to exit in several ways; its handler sees one kind [take]. false: it is
 * something else, and not taken. */
static bool take_exit(th_self *self, struct thi_cell *cell, th_msg *msg)
{
    struct thi_stage *stage = self->worker->stage;
    const th_type *type = msg->thi_type;
    th_exit_reason reason;

    if (type == &th_exit_request_type) {
        reason = TH_EXIT_REQUESTED;
    } else if (type == &thi_exit_with_parent_type) {
        reason = th_addr_equal(msg->thi_from, stage->admin) ? TH_EXIT_SHUTDOWN : TH_EXIT_PARENT;
    } else if (type == &thi_time_up_type) {
        if (!thi_transient_is_up(self, cell, msg))
            return true;
        reason = TH_EXIT_TRANSIENT;
    } else if (type == &thi_recheck_type) {
        if (thi_cell_life(cell) == THI_CELL_EXITING || thi_fitting_holds(stage, cell))
            return false;
        reason = TH_EXIT_CAPABILITY;
    } else {
        return false;
    }
    msg->thi_type = &th_exit_request_type;
    take_exit_request(self, cell, msg, reason);
    if (reason == TH_EXIT_TRANSIENT && thi_cell_life(cell) == THI_CELL_RUNNING)
        thi_transient_goes_on(self, cell);
    return true;
}

/* What becomes of children, watched actors and descriptors, and whether all before it is handled
 * [take]. false: it is something else, and not taken. */
static bool take_news(th_self *self, struct thi_cell *cell, th_msg *msg)
{
    if (msg->thi_type == &thi_child_gone_type) {
        if (!thi_exit_child_gone(self, cell, msg))
            return true;
        msg->thi_type = &th_child_exited_type;
        handle(self, cell, msg, TH_DELIVERIES_MAX);
        return true;
    }
    switch (thi_tie_arrived(self, cell, msg)) {
    case THI_TIE_NONE: break;
    case THI_TIE_DONE: return true;
    case THI_TIE_GONE: handle(self, cell, msg, TH_DELIVERIES_MAX); return true;
    }
    return (is_of_a_watch(msg->thi_type) && take_watch(self, cell, msg)) ||
           thi_report_handled(self, msg);
}

/* What the runtime does itself, at an actor's place in the order of its mail. false: it is not of
 * that kind. */
static bool see_to(th_self *self, struct thi_cell *cell, th_msg *msg)
{
    const th_type *type = msg->thi_type;

    if (type == &th_wakeup_type)
        return !thi_wakeup_arrived(self, cell, msg); /* cancelled: that is all there is to do */
    if (type == &thi_recheck_type)
        return true; /* it fits still */
    if (type == &thi_new_parent_type)
        thi_cell_set_parent(cell, thi_new_parent_of(msg)->parent);
    else if (type == &thi_probe_type)
        thi_sample_arrived(self, cell, msg);
    else if (type == &thi_measure_type)
        thi_measure_arrived(self, cell, msg);
    else if (type == &thi_released_type)
        thi_hold_released(self, cell, msg->thi_from);
    else
        return thi_report_asked(self, cell, msg);
    return true;
}

/* One message of the system's lane [take]. */
static void handle_system(th_self *self, struct thi_cell *cell, th_msg *msg)
{
    struct thi_stage *stage = self->worker->stage;

    if (take_exit(self, cell, msg) || take_news(self, cell, msg))
        return;
    if (see_to(self, cell, msg)) {
        thi_stats_add(&self->worker->stats, THI_STAT_HANDLED, 1);
        thi_msg_destroy(&self->worker->heap, msg);
    } else if (thi_cell_life(cell) == THI_CELL_EXITING && msg->thi_type != &th_child_exited_type &&
               cell->slot != stage->admin.slot) {
        thi_undeliverable(self, msg, TH_DEAD_EXITING);
    } else if (msg->thi_to.slot != cell->slot && !thi_ask_is_open(self, msg)) {
        thi_undeliverable(self, msg, TH_DEAD_LATE);
    } else {
        handle(self, cell, msg, TH_DELIVERIES_MAX);
    }
}

/* ---- a turn ---- */

static bool is_system(const th_msg *msg)
{
    return msg->thi_type->flags & TH_TYPE_SYSTEM;
}

/* Puts what the inbox gave behind what is already waiting; urgent mail before all that is not. */
static void file(struct thi_cell *cell, th_msg *mail, th_msg *tail, th_msg *urgent)
{
    th_msg **place = &cell->mail_head, *last = NULL;

    if (mail) {
        if (cell->mail_head)
            cell->mail_tail->thi_next = mail;
        else
            cell->mail_head = mail;
        cell->mail_tail = tail;
    }
    if (TH_LIKELY(!urgent))
        return;
    while (*place && thi_mail_is_urgent((*place)->thi_type))
        place = &(*place)->thi_next;
    for (last = urgent; last->thi_next; last = last->thi_next)
        ;
    last->thi_next = *place;
    if (!*place)
        cell->mail_tail = last;
    *place = urgent;
}

/* Takes what has come. @only, if not NULL, is the oldest of it, and out of the box now. */
static void take_mail(struct thi_cell *cell, th_msg *only)
{
    th_msg *urgent, *tail;
    th_msg *mail = thi_inbox_reverse(thi_inbox_take_owner(&cell->inbox), &urgent, &tail);

    if (only) {
        TH_ASSERT(mail == only);
        mail = only->thi_next;
    }
    file(cell, mail, tail, urgent);
}

void thi_receive_file(struct thi_cell *cell, th_msg *mail, th_msg *tail, th_msg *urgent)
{
    file(cell, mail, tail, urgent);
}

static inline void take(th_self *self, struct thi_cell *cell, th_msg *msg)
{
    if (TH_UNLIKELY(self->worker->step != NULL))
        trace(self->worker, cell, msg);
    if (TH_UNLIKELY(is_system(msg)))
        handle_system(self, cell, msg);
    else if (TH_UNLIKELY(thi_cell_life(cell) == THI_CELL_EXITING))
        thi_undeliverable(self, msg, TH_DEAD_EXITING);
    else if (TH_UNLIKELY(msg->thi_to.slot != cell->slot) && !thi_ask_is_open(self, msg))
        thi_undeliverable(self, msg, TH_DEAD_LATE);
    else
        handle(self, cell, msg, TH_DELIVERIES_MAX);
}

static bool take_one(th_self *self, struct thi_cell *cell)
{
    th_msg *msg = cell->mail_head;

    cell->mail_head = msg->thi_next;
    take(self, cell, msg);
    return go_on(self, cell);
}

bool thi_receive_one(th_self *self, struct thi_cell *cell, th_msg *msg)
{
    take(self, cell, msg);
    return see_to_rest(self, cell);
}

/* A conversation's turn: one plain message and nothing else. It is handled where it lies (I6 of
 * mailbox/inbox.h). true: the turn is over. false: it was handled and the turn goes on. */
static inline bool take_only(th_self *self, struct thi_worker *worker, struct thi_cell *cell,
                             th_msg *only)
{
    th_err err;

    if (TH_UNLIKELY(worker->step != NULL))
        trace(worker, cell, only);
    err = call(self, cell, only);
    if (TH_LIKELY(!err && !(cell->flags & THI_CELL_AFTERCARE))) {
        if (TH_LIKELY(thi_inbox_sleep_after_owner(&cell->inbox, only))) {
            /* asleep: the cell is no longer ours, the message is */
            thi_stats_add(&worker->stats, THI_STAT_HANDLED, 1);
            thi_msg_destroy(&worker->heap, only);
            return true;
        }
        take_mail(cell, only);
        settle(self, cell, only, TH_OK);
        thi_worker_requeue(worker, &cell->task);
        return true;
    }
    take_mail(cell, only);
    if (err && thi_stash_takes(self, cell, only)) {
        /* kept: it is not ours any more */
    } else if (err) {
        thi_count(self, THI_STAT_FAILED);
        handle(self, cell, only, TH_DELIVERIES_MAX - 1);
    } else {
        settle(self, cell, only, TH_OK);
    }
    return go_on(self, cell);
}

static inline bool is_time_up(struct thi_worker *worker, uint64_t *start)
{
    uint64_t now;

    if (worker->step)
        return false; /* no clock decides anything there */
    now = thi_cycles();
    if (!*start)
        *start = now;
    return now > *start && thi_cycles_to_ns(&worker->pool->rate, now - *start) > TH_TURN_NS_MAX;
}

bool thi_receive_is_time_up(struct thi_worker *worker, uint64_t *start)
{
    return is_time_up(worker, start);
}

/* true: there is a message that take_only() may have. */
static inline th_msg *find_only(struct thi_cell *cell)
{
    th_msg *only;

    if (cell->mail_head || thi_cell_life(cell) != THI_CELL_RUNNING)
        return NULL;
    only = thi_inbox_only_owner(&cell->inbox);
    return only && only->thi_to.slot == cell->slot && !is_system(only) ? only : NULL;
}

/* true: the cell is dead, or its turn over, and must not be touched any more. */
static bool run_batch(th_self *self, struct thi_worker *worker, struct thi_cell *cell)
{
    unsigned budget = worker->step ? thi_step_budget(worker->step) : TH_TURN_MESSAGES_MAX;
    uint64_t start = 0;

    take_mail(cell, NULL);
    while (cell->mail_head) {
        if (take_one(self, cell))
            return true;
        if (TH_UNLIKELY(--budget == 0) ||
            (TH_UNLIKELY(budget % TH_TURN_CLOCK_MESSAGES == 0) && is_time_up(worker, &start)))
            break;
        if (TH_UNLIKELY(thi_inbox_has_urgent(&cell->inbox)))
            take_mail(cell, NULL);
    }
    return false;
}

/* A turn that begins with more than mail. true: it is over. */
static bool run_aside(th_self *self, struct thi_cell *cell)
{
    if (cell->flags & THI_CELL_STALLED && see_to_rest(self, cell))
        return true;
    if (!(cell->flags & THI_CELL_GATE))
        return false;
    thi_gate_turn(self, cell);
    return true;
}

static inline __attribute__((always_inline)) void take_turn(struct thi_worker *worker,
                                                            struct thi_task *task,
                                                            struct thi_cell *cell, th_self *self)
{
    th_msg *only;

    self->worker = worker;
    self->voice.heap = &worker->heap;
    thi_stats_add(&worker->stats, THI_STAT_TURNS, 1);
    if (TH_UNLIKELY(thi_cell_life(cell) == THI_CELL_STARTING) && thi_spawn_start(self, cell))
        return;
    if (TH_UNLIKELY(cell->flags & (THI_CELL_STALLED | THI_CELL_GATE)) && run_aside(self, cell))
        return;
    only = find_only(cell);
    if (TH_LIKELY(only != NULL) && take_only(self, worker, cell, only))
        return;
    if (run_batch(self, worker, cell))
        return;
    if (TH_UNLIKELY(cell->flags & THI_CELL_STALLED)) {
        thi_stall_wait(worker->stage, cell);
        return;
    }
    if (!cell->mail_head && thi_inbox_sleep_owner(&cell->inbox))
        return; /* asleep: no longer ours */
    thi_worker_requeue(worker, task);
}

static void run(struct thi_worker *worker, struct thi_task *task)
{
    struct thi_cell *cell = thi_cell_of_task(task);

    thi_point_turn_begin(&cell->self);
    take_turn(worker, task, cell, &cell->self);
    thi_point_turn_end(&cell->self);
}

void thi_receive_watched(struct thi_worker *worker, struct thi_task *task)
{
    thi_cell_raise(thi_cell_of_task(task), THI_CELL_DETOUR);
    run(worker, task);
}

void thi_receive_traced(struct thi_worker *worker, struct thi_task *task)
{
    struct thi_trace_event event;

    thi_worker_heed(worker, THI_HEED_TRACE, true);
    thi_cell_raise(thi_cell_of_task(task), THI_CELL_DETOUR);
    thi_record_turn(worker, thi_cell_of_task(task), &event);
    run(worker, task);
    thi_record_end(worker, &event); /* of what was noted before: the cell may be gone */
}

static void run_sampled(struct thi_worker *worker, struct thi_task *task)
{
    /* relaxed: see thi_pool_set_turn() */
    worker->run = atomic_load_explicit(&worker->pool->run, memory_order_relaxed);
    thi_sample_begin(worker);
    thi_cell_raise(thi_cell_of_task(task), THI_CELL_DETOUR);
    worker->run(worker, task);
}

const th_type *thi_receive_now(struct thi_worker *worker)
{
    /* relaxed: types are constant, and this is a figure */
    return atomic_load_explicit(&worker->handles, memory_order_relaxed);
}

/* ---- a worker's life ---- */

static void worker_begin(struct thi_worker *worker)
{
    struct thi_stage *stage = worker->stage;

    if (stage->stack_signal)
        thi_stack_allow(stage->stack_signal);
}

static void worker_idle(struct thi_worker *worker)
{
    thi_cells_flush_worker(worker);
}

static void worker_end(struct thi_worker *worker)
{
    thi_cells_flush_worker(worker);
    thi_cells_give_back(worker);
}

const struct thi_task_ops thi_receive_ops = {
    .run = run,
    .run_sampled = run_sampled,
    .worker_begin = worker_begin,
    .worker_end = worker_end,
    .worker_idle = worker_idle,
};
