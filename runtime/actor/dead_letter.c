/* runtime/actor/dead_letter.c: wrap the undeliverable, post it to the admin, who tells the
 * handlers. */
#include "runtime/actor/dead_letter.h"

#include "runtime/actor/ask.h"
#include "runtime/actor/deputy.h"
#include "runtime/actor/events.h"
#include "runtime/actor/exit.h"
#include "runtime/actor/mail.h"
#include "runtime/actor/measure.h"
#include "runtime/actor/record.h"
#include "runtime/actor/send.h"
#include "runtime/actor/tie.h"
#include "runtime/base/trace.h"
#include "mailbox/msg.h"

static void count_dead(th_self *self, th_dead_reason reason)
{
    if (self->worker)
        thi_stats_add_dead(&self->worker->stats, reason, 1);
    else
        thi_stats_add_dead_shared(&thi_stage_of(self)->stats, reason, 1);
}

/* The runtime's own, of no interest once their target is gone. */
static bool is_moot(const th_type *type)
{
    return type == &thi_released_type || type == &th_writable_type || type == &thi_probe_type ||
           type == &thi_recheck_type || type == &thi_time_up_type || type == &thi_new_parent_type ||
           type == &thi_exit_with_parent_type || type == &thi_ask_over_type ||
           type == &thi_letters_to_type || type == &thi_adopt_type || type == &thi_started_type ||
           type == &thi_status_type || type == &thi_ask_status_type || type == &thi_service_type ||
           type == &thi_ask_service_type || type == &thi_measure_type ||
           type == &th_child_started_type || type == &thi_log_ready_type ||
           type == &thi_log_flush_type || type == &th_ask_handled_type;
}

static bool is_letter(const th_type *type)
{
    return type == &thi_letter_type || type == &th_dead_letter_type;
}

/* Tells the handlers. false: it could not be done, @msg is still ours. */
static bool post_letter(th_self *self, th_msg *msg, th_dead_reason reason)
{
    struct thi_stage *stage = thi_stage_of(self);
    th_msg *letter;
    struct thi_letter *body;

    /* relaxed: whoever knows that a handler registered before this was told so through some
     * message, which carried the count along */
    if (atomic_load_explicit(&stage->letter_handlers, memory_order_relaxed) == 0) {
        th_msg_destroy(self, msg);
        return true;
    }
    if (is_letter(msg->thi_type))
        return false;
    thi_voice_enter(&self->voice);
    letter = thi_msg_create(self->voice.heap, &thi_letter_type, 0);
    thi_voice_leave(&self->voice);
    if (!letter)
        return false;
    body = th_msg_body(letter);
    body->message = msg;
    body->target = msg->thi_to;
    body->reason = reason;
    thi_post_to(self, thi_self_addr(self), stage->admin, letter);
    return true;
}

void thi_undeliverable(th_self *self, th_msg *msg, th_dead_reason reason)
{
    th_addr from = msg->thi_from;

    if (msg->thi_type == &thi_child_gone_type) {
        thi_exit_notice_undeliverable(self, msg);
        return;
    }
    if (thi_tie_undeliverable(self, msg))
        return;
    if (msg->thi_type == &thi_log_ready_type || msg->thi_type == &thi_log_flush_type) {
        th_addr admin = thi_stage_of(self)->admin;

        if (!th_addr_equal(msg->thi_to, admin)) { /* the logger is gone: there will be another */
            msg->thi_to = admin;
            thi_repost(self, msg);
            return;
        }
    }
    if (is_moot(msg->thi_type)) {
        if (msg->thi_type == &thi_ask_status_type || msg->thi_type == &thi_ask_service_type ||
            msg->thi_type == &thi_log_flush_type || msg->thi_type == &th_ask_handled_type)
            thi_alias_give_up(self, msg->thi_from, TH_E_NO_ACTOR);
        thi_count(self, THI_STAT_HANDLED);
        th_msg_destroy(self, msg);
        return;
    }
    thi_point_dead_letter(msg, msg->thi_type, (int)reason);
    if (TH_UNLIKELY(thi_record_is_on(self)))
        thi_record(self, THI_TRACE_DEAD_LETTER, msg->thi_type->name, msg->thi_to, from,
                   (uint64_t)reason);
    count_dead(self, reason);
    if (!is_letter(msg->thi_type))
        thi_event_dead(self, msg, reason);
    if (!post_letter(self, msg, reason)) {
        thi_count(self, THI_STAT_LETTERS_DROPPED);
        th_msg_destroy(self, msg);
    }
    /* Last: a handler that the asker registers once it knows is not told of this. */
    thi_alias_give_up(self, from,
                      reason == TH_DEAD_SHUTDOWN ? TH_E_CLOSED
                      : reason == TH_DEAD_NOMEM  ? TH_E_NOMEM
                      : reason == TH_DEAD_FULL   ? TH_E_FULL
                                                 : TH_E_NO_ACTOR);
}

void thi_dead_letter(th_self *self, th_msg *msg, th_dead_reason reason)
{
    thi_count(self, THI_STAT_ACCEPTED);
    thi_undeliverable(self, msg, reason);
}

/* Registrations count from here on, not from when the admin gets to them: its mailbox keeps the
 * order, so a letter that is posted after a registration finds the handler. The admin takes back
 * what was no news (admin/dead_letters.c). */
static bool reserve(struct thi_stage *stage)
{
    /* relaxed, both: see post_letter(); the message to the admin carries the rest */
    if (atomic_fetch_add_explicit(&stage->letter_handlers, 1, memory_order_relaxed) <
        TH_DEAD_LETTER_HANDLERS_MAX)
        return true;
    atomic_fetch_sub_explicit(&stage->letter_handlers, 1, memory_order_relaxed);
    return false;
}

static th_err post_wish(th_self *self, bool on)
{
    struct thi_stage *stage = thi_stage_of(self);
    struct thi_letters_to *body;
    th_msg *msg;

    thi_voice_enter(&self->voice);
    msg = thi_msg_create(self->voice.heap, &thi_letters_to_type, 0);
    thi_voice_leave(&self->voice);
    if (!msg)
        return TH_E_NOMEM;
    if (on && !reserve(stage)) {
        th_msg_destroy(self, msg);
        return TH_E_LIMIT;
    }
    body = th_msg_body(msg);
    body->actor = thi_self_addr(self);
    body->on = on;
    thi_post_to(self, body->actor, stage->admin, msg);
    return TH_OK;
}

th_err th_dead_letters_to_me(th_self *self, bool on)
{
    struct thi_cell_extra *extra;
    th_err err;

    if (!self)
        return TH_E_INVALID;
    if (!self->worker) {
        err = thi_endpoint_check(self);
        return err ? err : post_wish(self, on);
    }
    extra = thi_cell_extra(thi_stage_of(self), thi_cell_of_self(self));
    if (!extra)
        return TH_E_NOMEM;
    if (extra->letters == on)
        return TH_OK;
    err = post_wish(self, on);
    if (!err)
        extra->letters = on;
    return err;
}
