/* runtime/actor/gate.c: turns of actors whose mail is not simply next in line: of a bounded mailbox
 * (credits.h), of a class with urgent types, and of who is held (hold.h).
 *
 * mail_head is then three runs, each in the order in which it came:
 *
 *     what the system says to the actor | the class's urgent types, to `sorted` | the rest
 *
 * G1. `sorted` is the last message of the second run, NULL when that is empty.
 * G2. While the actor is held, everything up to `passed` has been looked at and has to wait; NULL:
 *     nothing has. So mail is looked at once, however often a held actor wakes. (What comes out of
 *     the stash or is urgent to the class alone goes in before it, and has to wait, too.)
 * G3. A held actor handles what is urgent to the system, answers to its own questions, and other
 *     system mail (an exit request, child-exited, poison) before which no mail of the same sender
 *     waits: so the order of one sender holds. What asks about mail waits like mail: how long it
 *     waits, whether none has come for long, whether all is handled.
 *
 * A plain turn that finds its actor held becomes one of these (go_on() of receive.c). */
#include "runtime/actor/gate.h"

#include "runtime/actor/credits.h"
#include "runtime/actor/mail.h"
#include "runtime/actor/receive.h"
#include "runtime/actor/stall.h"
#include <thespis/assert.h>

/* ---- urgent types ---- */

th_err thi_gate_make(struct thi_stage *stage, struct thi_cell *cell)
{
    if (!cell->klass->urgent)
        return TH_OK;
    if (!thi_cell_extra(stage, cell))
        return TH_E_NOMEM;
    thi_cell_raise(cell, THI_CELL_GATED);
    return TH_OK;
}

bool thi_gate_is_urgent(const struct thi_cell *cell, const th_msg *msg)
{
    const th_type *const *type = cell->klass->urgent;

    if (!type || msg->thi_type->flags & TH_TYPE_SYSTEM || msg->thi_to.slot != cell->slot)
        return false;
    while (*type && !th_type_is(msg->thi_type, *type))
        type++;
    return *type != NULL;
}

/* Where the run of the class's urgent mail begins and ends. */
static th_msg **begin_of_sorted(struct thi_cell *cell)
{
    th_msg **place = &cell->mail_head;

    while (*place && thi_mail_is_urgent((*place)->thi_type))
        place = &(*place)->thi_next;
    return place;
}

static th_msg **end_of_sorted(struct thi_cell *cell)
{
    return cell->extra && cell->extra->sorted ? &cell->extra->sorted->thi_next
                                              : begin_of_sorted(cell);
}

/* Takes the class's urgent mail out of the chain @mail, whose end is *@tail, and gives the chain of
 * it; *@last its end. */
static th_msg *pick(const struct thi_cell *cell, th_msg **mail, th_msg **tail, th_msg **last)
{
    th_msg *picked = NULL, **end = &picked, **place = mail;

    *tail = NULL;
    while (*place) {
        th_msg *msg = *place;

        if (!thi_gate_is_urgent(cell, msg)) {
            *tail = msg;
            place = &msg->thi_next;
            continue;
        }
        *place = msg->thi_next;
        *end = *last = msg;
        end = &msg->thi_next;
    }
    *end = NULL;
    return picked;
}

static void insert(struct thi_cell *cell, th_msg **place, th_msg *first, th_msg *last)
{
    last->thi_next = *place;
    if (!*place)
        cell->mail_tail = last;
    *place = first;
}

void thi_gate_put_back(struct thi_cell *cell, th_msg *mail, th_msg *tail)
{
    th_msg *last = NULL, *picked = cell->klass->urgent ? pick(cell, &mail, &tail, &last) : NULL;

    if (mail)
        insert(cell, end_of_sorted(cell), mail, tail);
    if (!picked)
        return;
    insert(cell, begin_of_sorted(cell), picked, last);
    if (!cell->extra->sorted)
        cell->extra->sorted = last; /* G1 */
}

/* ---- mail ---- */

static void take_mail(struct thi_cell *cell, struct thi_inbox *inbox)
{
    th_msg *urgent, *tail, *last = NULL, *picked = NULL;
    th_msg *mail;

    if (!thi_inbox_has_mail(inbox))
        return;
    mail = thi_inbox_reverse(thi_inbox_take_owner(inbox), &urgent, &tail);
    if (cell->klass->urgent)
        picked = pick(cell, &mail, &tail, &last);
    thi_receive_file(cell, mail, tail, urgent);
    if (!picked)
        return;
    insert(cell, end_of_sorted(cell), picked, last);
    cell->extra->sorted = last; /* G1 */
}

/* Whether mail of @msg's sender waits before it. */
static bool is_first_of_sender(const struct thi_cell *cell, const th_msg *msg)
{
    const th_msg *before = cell->mail_head;

    while (before != msg && !th_addr_equal(before->thi_from, msg->thi_from))
        before = before->thi_next;
    return before == msg;
}

static bool asks_about_mail(const th_type *type)
{
    return type == &thi_time_up_type || type == &thi_probe_type || type == &th_ask_handled_type;
}

/* G3 */
static bool may_pass(const struct thi_cell *cell, const th_msg *msg)
{
    if (msg->thi_to.slot != cell->slot)
        return true;
    if (!(msg->thi_type->flags & TH_TYPE_SYSTEM) || asks_about_mail(msg->thi_type))
        return false;
    return thi_mail_is_urgent(msg->thi_type) || is_first_of_sender(cell, msg);
}

/* The next message that may be handled now, unlinked; NULL: none. */
static th_msg *next(struct thi_cell *cell)
{
    struct thi_cell_extra *extra = cell->extra;
    th_msg **place = &cell->mail_head, *msg = cell->mail_head;

    if (cell->flags & THI_CELL_HELD && msg && !thi_mail_is_urgent(msg->thi_type)) {
        if (extra->passed)
            place = &extra->passed->thi_next;
        while ((msg = *place) && !may_pass(cell, msg)) {
            extra->passed = msg; /* G2 */
            place = &msg->thi_next;
        }
    }
    if (!msg)
        return NULL;
    *place = msg->thi_next;
    if (cell->mail_tail == msg && cell->mail_head)
        cell->mail_tail = extra->passed; /* it was not the first, so something was passed */
    if (extra->sorted == msg)
        extra->sorted = NULL;
    return msg;
}

/* ---- a turn ---- */

/* true: the cell is dead. */
static bool handle_some(th_self *self, struct thi_cell *cell, struct thi_inbox *inbox)
{
    struct thi_worker *worker = self->worker;
    unsigned budget = worker->step ? thi_step_budget(worker->step) : TH_TURN_MESSAGES_MAX;
    bool is_bounded = cell->extra->credits != NULL;
    uint64_t start = 0;
    th_msg *msg;

    for (;;) {
        /* what is urgent has to be seen at once; for all else it is time when there is no more */
        if (cell->klass->urgent || thi_inbox_has_urgent(inbox))
            take_mail(cell, inbox);
        msg = next(cell);
        if (!msg && thi_inbox_has_mail(inbox)) {
            take_mail(cell, inbox);
            msg = next(cell);
        }
        if (!msg)
            return false;
        if (is_bounded && thi_credits_count(cell, msg))
            thi_credits_begin(self, cell);
        if (thi_receive_one(self, cell, msg))
            return true;
        if (--budget == 0 ||
            (budget % TH_TURN_CLOCK_MESSAGES == 0 && thi_receive_is_time_up(worker, &start)))
            return false;
    }
}

void thi_gate_turn(th_self *self, struct thi_cell *cell)
{
    struct thi_worker *worker = self->worker;
    struct thi_inbox *inbox = thi_cell_inbox(cell);
    bool has_more;

    if (handle_some(self, cell, inbox))
        return;
    if (cell->extra->credits)
        thi_credits_settle(self, cell);
    if (TH_UNLIKELY(cell->flags & THI_CELL_STALLED)) {
        thi_stall_wait(worker->stage, cell);
        return;
    }
    has_more = cell->flags & THI_CELL_HELD
                   ? cell->mail_head && (thi_mail_is_urgent(cell->mail_head->thi_type) ||
                                         cell->extra->passed != cell->mail_tail)
                   : cell->mail_head != NULL;
    if (!has_more && thi_inbox_sleep_owner(inbox))
        return; /* asleep: no longer ours */
    thi_worker_requeue(worker, &cell->task);
}
