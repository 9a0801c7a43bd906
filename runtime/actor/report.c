#include "runtime/actor/report.h"

#include <stdio.h>

#include "runtime/actor/ask.h"
#include "runtime/actor/dispatch.h"
#include "runtime/actor/initial.h"
#include "runtime/actor/measure.h"
#include "runtime/actor/send.h"
#include "runtime/actor/stash.h"
#include "runtime/actor/wakeup.h"
#include "mailbox/msg.h"
#include <thespis/status.h>

/* What was taken and not handled yet; what has come since is not seen, and counts next time. */
static void list_waiting(const struct thi_cell *cell, struct th_actor_report *report)
{
    for (const th_msg *msg = cell->mail_head; msg; msg = msg->thi_next) {
        if (report->waiting++ >= TH_ACTOR_REPORT_WAITING)
            continue;
        report->first[report->first_count].sender = msg->thi_from;
        snprintf(report->first[report->first_count].type, TH_WAITING_TYPE_SIZE, "%s",
                 th_type_name(msg->thi_type));
        report->first_count++;
    }
}

static void list_measured(const struct thi_cell *cell, struct th_actor_report *report)
{
    const struct thi_actor_measure *measure = cell->extra ? cell->extra->measure : NULL;

    if (!measure)
        return;
    report->measured = true;
    report->deliveries = measure->deliveries;
    report->failed = measure->failed;
    if (measure->last)
        snprintf(report->last_type, TH_WAITING_TYPE_SIZE, "%s", th_type_name(measure->last));
    report->waiting_times = thi_times_of(&measure->samples.waiting);
    report->handling_times = thi_times_of(&measure->samples.handling);
}

static th_msg *describe(th_self *self, struct thi_cell *cell)
{
    th_msg *answer = thi_msg_create(&self->worker->heap, &th_actor_report_type, 0);
    struct th_actor_report *report;

    if (!answer)
        return NULL;
    report = th_msg_body(answer);
    report->actor = th_self_addr(self);
    report->parent = th_self_parent(self);
    report->class_name = th_blob_text(self, cell->klass->name); /* NULL: without */
    report->exiting = thi_cell_life(cell) == THI_CELL_EXITING;
    report->own_thread = thi_cell_kind(cell) == THI_CELL_OWN;
    report->age_ns = thi_stage_age_ns(thi_stage_of(self), cell->self.voice.born);
    report->children = atomic_load_explicit(&cell->children, memory_order_relaxed); /* our own */
    report->wakeups = thi_wakeups_count(cell);
    list_waiting(cell, report);
    list_measured(cell, report);
    return answer;
}

void thi_report_measured(const struct thi_cell *cell, struct thi_status *status_out)
{
    const struct thi_actor_measure *measure = cell->extra ? cell->extra->measure : NULL;

    if (!measure)
        return;
    status_out->measured = true;
    status_out->deliveries = measure->deliveries;
    status_out->failed = measure->failed;
    status_out->last_type = (uintptr_t)measure->last;
    status_out->waiting_times = thi_times_of(&measure->samples.waiting);
    status_out->handling_times = thi_times_of(&measure->samples.handling);
}

/* For the runtime, which knows the rest. */
static th_msg *describe_inside(th_self *self, struct thi_cell *cell)
{
    th_msg *answer = thi_msg_create(&self->worker->heap, &thi_status_type, 0);
    struct thi_status *status;

    if (!answer)
        return NULL;
    status = th_msg_body(answer);
    status->parent = th_self_parent(self);
    for (const th_msg *msg = cell->mail_head; msg; msg = msg->thi_next)
        status->waiting++;
    status->stashed = thi_stash_count(cell) + thi_initial_count(cell);
    status->waiting += status->stashed;
    status->children = atomic_load_explicit(&cell->children, memory_order_relaxed); /* our own */
    status->wakeups = thi_wakeups_count(cell);
    thi_report_measured(cell, status);
    return answer;
}

th_msg *thi_report_figures(struct thi_cell *cell)
{
    thi_figures say = thi_class_figures(cell->klass);
    enum thi_cell_state life = thi_cell_life(cell);

    return say && (life == THI_CELL_RUNNING || life == THI_CELL_EXITING)
               ? say(&cell->self, cell->state)
               : NULL;
}

static th_msg *describe_service(th_self *self, struct thi_cell *cell)
{
    th_msg *answer = thi_msg_create(&self->worker->heap, &thi_service_type, 0);

    if (answer)
        ((struct thi_service *)th_msg_body(answer))->figures = thi_report_figures(cell);
    return answer;
}

bool thi_report_asked(th_self *self, struct thi_cell *cell, const th_msg *question)
{
    struct thi_stage *stage = thi_stage_of(self);
    const th_type *type = question->thi_type;
    th_msg *answer;

    if (type == &thi_ask_status_type)
        answer = describe_inside(self, cell);
    else if (type == &thi_ask_service_type)
        answer = describe_service(self, cell);
    else if (type == &th_ask_status_type)
        answer =
            cell->slot == stage->admin.slot ? stage->report(self, question) : describe(self, cell);
    else
        return false;
    if (answer)
        thi_post_to(self, thi_self_addr(self), question->thi_from, answer);
    else
        thi_alias_give_up(self, question->thi_from, TH_E_NOMEM);
    return true;
}

bool thi_report_handled(th_self *self, th_msg *question)
{
    if (question->thi_type != &th_ask_handled_type)
        return false;
    thi_count(self, THI_STAT_HANDLED);
    question->thi_type = &th_handled_type;
    thi_post_to(self, thi_self_addr(self), question->thi_from, question);
    return true;
}

/* ---- the front door ---- */

static th_err ask(th_self *self, th_addr whom, th_status_format format, uint32_t parts)
{
    struct th_ask_status question = { .format = (uint32_t)format, .parts = parts };

    if (!self)
        return TH_E_INVALID;
    return th_ask_status_send(self, whom, question);
}

th_err th_ask_actor_status(th_self *self, th_addr actor)
{
    return ask(self, actor, TH_STATUS_TEXT, 0);
}

th_err th_ask_system_status(th_self *self, th_status_format format, uint32_t parts)
{
    if ((format != TH_STATUS_TEXT && format != TH_STATUS_JSON) ||
        (parts & ~(uint32_t)TH_STATUS_ALL))
        return TH_E_INVALID;
    return ask(self, th_system_addr(self), format, parts);
}

th_addr th_system_addr(const th_self *self)
{
    return self ? thi_stage_of(self)->admin : th_addr_none();
}
