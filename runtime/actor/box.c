#include "runtime/actor/box.h"

#include "runtime/actor/credits.h"
#include "runtime/actor/dead_letter.h"

static th_self *speaker(struct thi_box *box)
{
    return &box->endpoint.self;
}

th_err thi_box_open(struct thi_box *box, struct thi_stage *stage,
                    const struct thi_box_options *options)
{
    struct thi_endpoint *endpoint = &box->endpoint;
    th_mailbox mailbox = { .limit = options->limit, .when_full = TH_WHEN_FULL_HOLD };
    struct thi_cell *cell;
    th_err err;

    *endpoint =
        (struct thi_endpoint){ .stage = stage, .wake = options->wake, .release = options->release };
    endpoint->self.voice.heap = options->heap;
    cell = thi_cell_take(&endpoint->self, THI_CELL_ENDPOINT, &err);
    if (!cell)
        return err;
    cell->state = endpoint;
    endpoint->cell = cell;
    /* relaxed: nobody else knows the cell yet */
    endpoint->addr = (th_addr){ stage->id, cell->slot,
                                atomic_load_explicit(&cell->generation, memory_order_relaxed) };
    err = thi_credits_make(stage, cell, &mailbox);
    if (err) {
        cell->state = NULL; /* not to be released */
        thi_inbox_init(&cell->inbox, THI_INBOX_CLOSED);
        thi_cell_retire(&endpoint->self, cell);
        return err;
    }
    cell->extra->credits->most = options->most;
    thi_credits_show(cell);
    return TH_OK;
}

static th_msg *chain(uintptr_t taken)
{
    th_msg *urgent, *tail, *last;
    th_msg *plain = thi_inbox_reverse(taken, &urgent, &tail);

    if (!urgent)
        return plain;
    for (last = urgent; last->thi_next; last = last->thi_next)
        continue;
    last->thi_next = plain;
    return urgent;
}

th_msg *thi_box_take(struct thi_box *box)
{
    struct thi_inbox *inbox = &box->endpoint.cell->extra->credits->inbox;

    if (!thi_inbox_has_mail(inbox) && (thi_inbox_sleep_owner(inbox) || !thi_inbox_has_mail(inbox)))
        return NULL; /* it sleeps, or did */
    return chain(thi_inbox_take_owner(inbox));
}

void thi_box_settle(struct thi_box *box, uint32_t count)
{
    if (count)
        thi_credits_give(speaker(box), box->endpoint.cell, count);
}

void thi_box_close(struct thi_box *box, th_dead_reason reason)
{
    th_self *self = speaker(box);
    struct thi_cell *cell = box->endpoint.cell;
    th_msg *msg, *next;

    thi_credits_close(self, cell);
    for (msg = chain(thi_cell_close_owner(cell)); msg; msg = next) {
        next = msg->thi_next;
        thi_undeliverable(self, msg, reason);
    }
    thi_cell_retire(self, cell);
}
