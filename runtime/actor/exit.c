/* runtime/actor/exit.c: children first, then child-exited.
 *
 * X1. Each exit ends in one thi_child_gone to the parent; sent undeliverable it goes to the admin,
 * the parent of last resort, and if
 *     the admin is gone too, the system is at its end and the slot is simply retired.
 * X2. The slot is retired by whoever consumes the notice, after taking the child out of its list:
 * until then the links in
 *     the child's cell are in use (C4).
 * X3. Nothing on this way is skipped for want of memory: the step is tried again a little later
 * (THI_CELL_STALLED, stall.h).
 * X4. Children are given away all at once, with the list that they are in. So an actor without
 * children that is told of a child's end gave that child away, and the admin, who has it in
 * its list by then, is to be told instead. */
#include "runtime/actor/exit.h"

#include <string.h>

#include "runtime/actor/ask.h"
#include "runtime/actor/credits.h"
#include "runtime/actor/dead_letter.h"
#include "runtime/actor/deputy.h"
#include "runtime/actor/detour.h"
#include "runtime/actor/dispatch.h"
#include "runtime/actor/mail.h"
#include "runtime/actor/measure.h"
#include "runtime/actor/names.h"
#include "runtime/actor/reason.h"
#include "runtime/actor/record.h"
#include "runtime/actor/send.h"
#include "runtime/actor/spawn.h"
#include "runtime/actor/tie.h"
#include "runtime/actor/transient.h"
#include "runtime/actor/wakeup.h"
#include "runtime/base/trace.h"
#include "mailbox/msg.h"
#include <thespis/assert.h>

/* ---- the list of children ---- */

static uint32_t children_count(struct thi_cell *parent)
{
    /* relaxed, here and below: written by the parent's turn only, shown by status */
    return atomic_load_explicit(&parent->children, memory_order_relaxed);
}

static th_addr cell_addr(struct thi_stage *stage, struct thi_cell *cell)
{
    /* relaxed: a child's generation moves on only when we, its parent, retire it (X2) */
    th_addr addr = { stage->id, cell->slot,
                     atomic_load_explicit(&cell->generation, memory_order_relaxed) };

    return addr;
}

void thi_children_add(struct thi_stage *stage, struct thi_cell *parent, struct thi_cell *child)
{
    child->prev_sibling = 0;
    child->next_sibling = parent->first_child;
    if (parent->first_child)
        thi_directory_at(&stage->directory, parent->first_child)->prev_sibling = child->slot;
    parent->first_child = child->slot;
    atomic_store_explicit(&parent->children, children_count(parent) + 1, memory_order_relaxed);
}

static void children_remove(struct thi_stage *stage, struct thi_cell *parent,
                            struct thi_cell *child)
{
    if (child->prev_sibling)
        thi_directory_at(&stage->directory, child->prev_sibling)->next_sibling =
            child->next_sibling;
    else
        parent->first_child = child->next_sibling;
    if (child->next_sibling)
        thi_directory_at(&stage->directory, child->next_sibling)->prev_sibling =
            child->prev_sibling;
    if (parent->ask_cursor == child->slot)
        parent->ask_cursor = child->next_sibling;
    child->next_sibling = child->prev_sibling = 0;
    atomic_store_explicit(&parent->children, children_count(parent) - 1, memory_order_relaxed);
}

static bool is_listed(struct thi_cell *parent, struct thi_cell *child)
{
    return child->prev_sibling || child->next_sibling || parent->first_child == child->slot;
}

/* Sends a notice [take] that is the admin's to handle on to it. */
static void pass_on(th_self *self, th_msg *notice)
{
    notice->thi_to = thi_stage_of(self)->admin;
    thi_repost(self, notice);
}

bool thi_exit_child_gone(th_self *self, struct thi_cell *parent, th_msg *notice)
{
    struct thi_stage *stage = self->worker->stage;
    struct thi_cell *child;

    if (!parent->first_child) { /* X4 */
        pass_on(self, notice);
        return false;
    }
    child = thi_directory_find(&stage->directory,
                               ((struct th_child_exited *)th_msg_body(notice))->child);
    TH_ASSERT(child); /* X2: nobody retired it before us */
    TH_ASSERT(is_listed(parent, child));
    children_remove(stage, parent, child);
    thi_cell_retire(self, child);
    return true;
}

void thi_exit_notice_undeliverable(th_self *self, th_msg *notice)
{
    struct thi_stage *stage = thi_stage_of(self);
    struct th_child_exited *body = th_msg_body(notice);

    if (!th_addr_equal(notice->thi_to, stage->admin)) {
        pass_on(self, notice);
        return;
    }
    thi_cell_retire(self, thi_directory_find(&stage->directory, body->child));
    thi_count(self, THI_STAT_HANDLED);
    th_msg_destroy(self, notice);
}

/* ---- an exit ---- */

void thi_exit_begin(th_self *self, struct thi_cell *cell, th_exit_reason reason)
{
    if (thi_cell_life(cell) >= THI_CELL_EXITING)
        return;
    thi_cell_set_life(cell, THI_CELL_EXITING);
    thi_cell_lower(cell, THI_CELL_EXIT_ASKED);
    cell->exit_reason = (unsigned)reason & 15u;
    cell->ask_cursor = cell->first_child;
    if (!cell->extra)
        return; /* nothing of what follows is its own */
    thi_transient_stop(self, cell);
    thi_office_leave(cell);
    thi_wakeups_clear(self, cell); /* they would only become dead letters */
    thi_ties_drop(self, cell);
    thi_credits_close(self, cell);
    thi_watches_clear(self, cell);
}

/* The admin asks the logger when all others are gone, so that their exits can be logged. */
static bool is_last_child(struct thi_stage *stage, struct thi_cell *parent, uint32_t slot)
{
    return parent->slot == stage->admin.slot && slot != 0 && slot == stage->last_child;
}

/* Whether only that child is left, and is to be asked now. */
static bool is_last_turn(struct thi_stage *stage, struct thi_cell *cell)
{
    if (children_count(cell) != 1 || !is_last_child(stage, cell, cell->first_child))
        return false;
    cell->ask_cursor = stage->last_child;
    stage->last_child = 0;
    return true;
}

/* Asks the children that were not asked yet. false: no memory now. */
static bool ask_children(th_self *self, struct thi_cell *cell)
{
    struct thi_stage *stage = self->worker->stage;

    while (cell->ask_cursor) {
        struct thi_cell *child = thi_directory_at(&stage->directory, cell->ask_cursor);
        th_msg *msg;

        if (is_last_child(stage, cell, child->slot)) {
            cell->ask_cursor = child->next_sibling;
            continue;
        }
        msg = thi_msg_create(&self->worker->heap, &thi_exit_with_parent_type, 0);

        if (!msg)
            return false;
        cell->ask_cursor = child->next_sibling;
        thi_post_to(self, thi_self_addr(self), cell_addr(stage, child), msg);
    }
    return true;
}

static void destroy_chain(th_self *self, th_msg *chain)
{
    th_msg *next;

    for (; chain; chain = next) {
        next = chain->thi_next;
        thi_msg_destroy(&self->worker->heap, chain);
    }
}

/* What each child is to be told: a chain, addressed. NULL: no memory now. */
static th_msg *make_tidings(th_self *self, struct thi_cell *cell)
{
    struct thi_stage *stage = self->worker->stage;
    struct thi_cell *child;
    th_msg *chain = NULL;

    for (uint32_t slot = cell->first_child; slot; slot = child->next_sibling) {
        th_msg *tell = thi_msg_create(&self->worker->heap, &thi_new_parent_type, 0);

        if (!tell) {
            destroy_chain(self, chain);
            return NULL;
        }
        child = thi_directory_at(&stage->directory, slot);
        ((struct thi_new_parent *)th_msg_body(tell))->parent = stage->admin;
        tell->thi_to = cell_addr(stage, child);
        tell->thi_next = chain;
        chain = tell;
    }
    return chain;
}

/* Hands the children to the admin, all or none (X4). false: no memory now. */
static bool keep_children(th_self *self, struct thi_cell *cell)
{
    struct thi_stage *stage = self->worker->stage;
    th_msg *adopt, *tell, *next;

    if (!cell->first_child)
        return true;
    adopt = thi_msg_create(&self->worker->heap, &thi_adopt_type, 0);
    tell = adopt ? make_tidings(self, cell) : NULL;
    if (!tell) {
        thi_msg_destroy(&self->worker->heap, adopt);
        return false;
    }
    ((struct thi_adopt *)th_msg_body(adopt))->child =
        cell_addr(stage, thi_directory_at(&stage->directory, cell->first_child));
    cell->first_child = cell->ask_cursor = 0;
    atomic_store_explicit(&cell->children, 0, memory_order_relaxed); /* as above */
    thi_post_to(self, thi_self_addr(self), stage->admin, adopt);
    for (; tell; tell = next) { /* after the adoption: what it leads to finds the admin prepared */
        next = tell->thi_next;
        thi_post_to(self, thi_self_addr(self), tell->thi_to, tell);
    }
    return true;
}

static void refuse(th_self *self, th_msg *msg, th_dead_reason reason,
                   const struct th_child_exited *why)
{
    if (!thi_tie_refused(self, msg, why))
        thi_undeliverable(self, msg, reason);
}

/* What is waiting goes to the funnel; afterwards nothing can arrive any more. */
static void close_mailbox(th_self *self, struct thi_cell *cell, const struct th_child_exited *why)
{
    th_dead_reason reason = cell->exit_reason == TH_EXIT_INIT ? TH_DEAD_INIT : TH_DEAD_WAITING;
    th_msg *lanes[2], *tail, *next;

    for (th_msg *msg = cell->mail_head; msg; msg = next) {
        next = msg->thi_next;
        refuse(self, msg, reason, why);
    }
    cell->mail_head = NULL;
    lanes[1] = thi_inbox_reverse(thi_cell_close_owner(cell), &lanes[0], &tail);
    for (int lane = 0; lane < 2; lane++)
        for (th_msg *msg = lanes[lane]; msg; msg = next) {
            next = msg->thi_next;
            refuse(self, msg, reason, why);
        }
}

static void free_extra(th_self *self, struct thi_cell *cell, th_dead_reason reason)
{
    struct thi_stage *stage = self->worker->stage;

    if (!cell->extra)
        return;
    thi_asks_close(self, cell);
    thi_wakeups_clear(self, cell);
    thi_office_close(stage, cell);
    thi_detour_fini(self, cell, reason);
    if (cell->extra->letters && th_dead_letters_to_me(self, false))
        cell->extra->letters =
            false; /* no memory to say so: the admin finds out by the next letter */
    thi_fitting_leave(stage, cell->extra->fitting);
    thi_fitting_free(cell->extra->fitting);
    if (cell->extra->own)
        thi_pool_own_end(cell->extra->own);
    thi_msg_destroy(&self->worker->heap, cell->extra->arg);
    thi_msg_destroy(&self->worker->heap, cell->extra->started);
    th_blob_unref(cell->extra->exit_words);
    thi_actor_measure_free(cell->extra->measure);
    if (cell->extra->credits)
        return; /* B5: senders may be looking at it, so it goes with the cell */
    thi_memory_give(&stage->memory, cell->extra, sizeof(*cell->extra));
    cell->extra = NULL;
}

/* What the parent is told; NULL: no memory now. */
static th_msg *make_notice(th_self *self, struct thi_cell *cell)
{
    th_msg *notice = thi_msg_create(&self->worker->heap, &thi_child_gone_type, 0);
    struct th_child_exited *body;

    if (!notice)
        return NULL;
    body = th_msg_body(notice);
    body->child = thi_self_addr(self);
    if (!thi_reason_fill(self, cell, body)) {
        thi_msg_destroy(&self->worker->heap, notice);
        return NULL;
    }
    return notice;
}

static void finish(th_self *self, struct thi_cell *cell, th_msg *notice)
{
    struct thi_stage *stage = self->worker->stage;
    th_addr me = thi_self_addr(self);
    th_addr parent = thi_cell_parent(cell, stage->id);
    bool is_admin = th_addr_equal(me, stage->admin);
    thi_exit leave = thi_class_exit(cell->klass);
    bool is_stillborn = cell->exit_reason == TH_EXIT_INIT;
    struct thi_name *name = cell->extra ? cell->extra->name : NULL;
    th_msg *ties;

    thi_cell_raise(cell, THI_CELL_IN_EXIT);
    if (leave)
        leave(self, cell->state);
    if (name) /* N3: no more of its code runs, and nobody knows of its end yet */
        thi_names_remove(stage, name);
    ties = cell->extra ? thi_ties_take(self, cell) : NULL;
    free_extra(self, cell, is_stillborn ? TH_DEAD_INIT : TH_DEAD_WAITING);
    close_mailbox(self, cell, th_msg_body(notice));
    thi_state_free(stage, cell);
    if (name)
        thi_cell_carry(cell, &name->parcel);
    thi_point_exit(self, cell->klass, (int)cell->exit_reason);
    if (TH_UNLIKELY(thi_record_is_on(self)))
        thi_record_exit(self, cell);
    thi_count(self, THI_STAT_EXITED);
    /* Last, and release: who sees it finds the books in order; pairs with the acquire in describe()
     * of system/census.c. */
    atomic_store_explicit(&cell->state_of_life, THI_CELL_DEAD, memory_order_release);
    if (ties)
        thi_ties_tell(self, ties, th_msg_body(notice));
    if (is_admin) {
        thi_msg_destroy(&self->worker->heap, notice);
        thi_cell_retire(self, cell);
        stage->admin_gone(stage);
        return;
    }
    thi_post_to(self, me, parent, notice);
}

bool thi_exit_advance(th_self *self, struct thi_cell *cell)
{
    th_msg *notice;

    thi_cell_lower(cell, THI_CELL_STALLED);
    if (cell->flags & THI_CELL_KEEP_CHILDREN
            ? !keep_children(self, cell)
            : !ask_children(self, cell) ||
                  (is_last_turn(self->worker->stage, cell) && !ask_children(self, cell))) {
        thi_cell_raise(cell, THI_CELL_STALLED);
        return false;
    }
    if (children_count(cell))
        return false;
    notice = make_notice(self, cell);
    if (!notice) {
        thi_cell_raise(cell, THI_CELL_STALLED);
        return false;
    }
    finish(self, cell, notice);
    return true;
}

bool thi_exit_is_asked(const th_self *self)
{
    return self->worker && (thi_cell_of_self(self)->flags & THI_CELL_EXIT_ASKED) != 0;
}

/* ---- the front door ---- */

th_err th_stop(th_self *self, th_addr to)
{
    return th_send(self, to, self ? th_msg_create(self, &th_exit_request_type) : NULL);
}

th_err th_exit(th_self *self)
{
    if (!self)
        return TH_E_INVALID;
    if (!self->worker)
        return TH_E_NOT_HERE;
    thi_cell_raise(thi_cell_of_self(self), THI_CELL_EXIT_ASKED);
    return TH_OK;
}

th_err th_exit_keep_children(th_self *self)
{
    if (!self)
        return TH_E_INVALID;
    if (!self->worker)
        return TH_E_NOT_HERE;
    thi_cell_raise(thi_cell_of_self(self), THI_CELL_KEEP_CHILDREN);
    return TH_OK;
}
