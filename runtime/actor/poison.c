/* runtime/actor/poison.c: a failed message goes back, with why. */
#include "runtime/actor/poison.h"

#include "runtime/actor/dead_letter.h"
#include "runtime/actor/record.h"
#include "runtime/actor/send.h"
#include "runtime/base/trace.h"
#include "mailbox/msg.h"

/* What has no way back: poison (it would go round for ever) and letters (they are the last way
 * already). */
static bool is_final(const th_type *type)
{
    return type == &th_poison_type || type == &th_dead_letter_type;
}

void thi_poison_back(th_self *self, th_msg *message, th_err err, const char *details)
{
    thi_poison_from(self, thi_self_addr(self), message, err, details);
}

void thi_poison_from(th_self *self, th_addr by, th_msg *message, th_err err, const char *details)
{
    th_blob *text;
    th_msg *msg;
    struct th_poison *poison;
    th_addr sender = message->thi_from;

    thi_point_poison(self, message->thi_type, (int)err);
    if (is_final(message->thi_type)) {
        thi_dead_letter(self, message, TH_DEAD_POISON);
        return;
    }
    if (th_addr_is_none(sender)) {
        thi_dead_letter(self, message, TH_DEAD_FAILED);
        return;
    }
    thi_voice_enter(&self->voice);
    msg = thi_msg_create(self->voice.heap, &th_poison_type, 0);
    thi_voice_leave(&self->voice);
    text = th_blob_text(self, details ? details : th_strerror(err));
    if (!msg || !text) {
        th_blob_unref(text);
        th_msg_destroy(self, msg);
        thi_dead_letter(self, message, TH_DEAD_NOMEM);
        return;
    }
    poison = th_msg_body(msg);
    poison->message = message;
    poison->err = err;
    poison->deliveries = TH_DELIVERIES_MAX;
    poison->details = text;
    if (TH_UNLIKELY(thi_record_is_on(self)))
        thi_record(self, THI_TRACE_POISON, message->thi_type->name, by, sender, (uint64_t)err);
    thi_count(self, THI_STAT_POISONED);
    thi_post_to(self, by, sender, msg);
}
