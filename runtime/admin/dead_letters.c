#include "runtime/admin/dead_letters.h"

#include <string.h>

#include "runtime/actor/mail.h"
#include "runtime/actor/send.h"
#include "mailbox/msg.h"

static uint32_t find(const struct thi_dead_letters *letters, th_addr actor)
{
    uint32_t i = 0;

    while (i < letters->count && !th_addr_equal(letters->handlers[i], actor))
        i++;
    return i;
}

/* stage.letter_handlers counts registrations from the moment they are asked for, so that no letter
 * is thrown away while the admin has not got round to them; this takes one back. */
static void uncount(th_self *self)
{
    /* relaxed: a hint to whoever has a dead letter; the admin keeps who */
    atomic_fetch_sub_explicit(&thi_stage_of(self)->letter_handlers, 1, memory_order_relaxed);
}

static void drop(struct thi_dead_letters *letters, th_self *self, uint32_t i)
{
    letters->count--;
    memmove(&letters->handlers[i], &letters->handlers[i + 1],
            (letters->count - i) * sizeof(letters->handlers[0]));
    uncount(self);
}

void thi_dead_letters_register(struct thi_dead_letters *letters, th_self *self, const th_msg *msg)
{
    const struct thi_letters_to *wish = thi_letters_to_of(msg);
    uint32_t i = find(letters, wish->actor);

    if (!wish->on) {
        if (i < letters->count)
            drop(letters, self, i);
    } else if (i < letters->count || letters->count == TH_DEAD_LETTER_HANDLERS_MAX) {
        uncount(self); /* registered before; or the limit, which the caller was told of */
    } else {
        letters->handlers[letters->count++] = wish->actor;
    }
}

static bool is_alive(th_self *self, th_addr actor)
{
    return thi_directory_find(&thi_stage_of(self)->directory, actor) != NULL;
}

/* Sends @letter on to @handler. false: no memory. */
static bool tell(th_self *self, th_addr handler, const struct thi_letter *letter)
{
    struct th_dead_letter *body;
    th_msg *copy = thi_msg_create(self->voice.heap, &th_dead_letter_type, 0);

    if (!copy)
        return false;
    body = th_msg_body(copy);
    body->message = th_msg_dup(self, letter->message);
    body->target = letter->target;
    body->reason = letter->reason;
    if (!body->message) {
        th_msg_destroy(self, copy);
        return false;
    }
    thi_post_to(self, thi_self_addr(self), handler, copy);
    return true;
}

void thi_dead_letters_tell(struct thi_dead_letters *letters, th_self *self, const th_msg *msg)
{
    const struct thi_letter *letter = thi_letter_of(msg);
    uint32_t i = 0;

    if (!letter->message)
        return;
    while (i < letters->count) {
        if (!is_alive(self, letters->handlers[i])) {
            drop(letters, self, i); /* it exited without the memory to say so */
            continue;
        }
        if (!tell(self, letters->handlers[i], letter))
            thi_count(self, THI_STAT_LETTERS_DROPPED);
        i++;
    }
}
