/* runtime/actor/tie.h: who hears of whose end: watches and links.
 *
 * A tie is a message, in flight or kept in the table of one of the two it joins, under the address
 * of the other (its thi_to). All have the body of th_actor_gone, so that each can turn into the
 * notice it is for: an end needs no memory.
 *
 *     thi_watch    watcher -> watched, kept there      at the end: thi_gone to the watcher
 *     thi_unwatch  kept with the watcher               unwatched, or the watcher exits: sent to
 *                                                      the watched, which drops its thi_watch
 *     thi_link     to the other, and kept with both    at the end: thi_link_gone to the other;
 *                                                      unlinked: thi_unlink to the other
 *
 * W1. The watcher's table has the last word: a thi_gone for which there is no thi_unwatch in it was
 *     called off on its way, and goes no further. So there is one th_actor_gone for each watch, and
 *     none after th_unwatch_actor(). The same holds for thi_link_gone and thi_link.
 * W2. A watch that finds its target's mailbox closed, or is in it when it closes, turns into the
 *     notice there and then. The target's last words are in the watcher's mailbox by then.
 * W3. A watch for which the watched one has no memory is tried again later (stall.h). An unwatch
 *     may overtake it then; what is kept in vain for that is dropped by W1.
 * W4. Links may be asked for from both sides at once, and undone meanwhile. One side may then keep
 *     a thi_link that the other has not; by W1 nothing comes of it, and to link anew puts it right,
 *     since th_link() always tells the other side.
 *
 * Between systems the same messages would go by the transport; nothing here looks into the other's
 * cell. */
#ifndef THI_ACTOR_TIE_H
#define THI_ACTOR_TIE_H

#include "runtime/actor/stage.h"

/* What a message of this floor's ties asks of handle_system(). */
enum thi_tie_news {
    THI_TIE_NONE, /* it is no tie */
    THI_TIE_DONE, /* it was taken care of [taken] */
    THI_TIE_GONE  /* it is a th_actor_gone now, to be handled */
};

/* @msg reached the running actor. */
enum thi_tie_news thi_tie_arrived(th_self *self, struct thi_cell *cell, th_msg *msg);

/* A thi_gone reached an endpoint. false: it was called off (W1), drop it; else it is a
 * th_actor_gone now. */
bool thi_tie_shown(th_self *self, struct thi_cell *cell, th_msg *msg);

/* @msg could not be delivered: if it is a tie it is taken care of [take], and true. */
bool thi_tie_undeliverable(th_self *self, th_msg *msg);

/* The same in the mailbox of an actor that has just closed it; @why is what its parent is told. */
bool thi_tie_refused(th_self *self, th_msg *msg, const struct th_child_exited *why);

/* When the exit begins, or the endpoint closes: its own watches are called off. */
void thi_ties_drop(th_self *self, struct thi_cell *cell);

/* At the end: the notices that are due, in a chain; the table is empty then. */
th_msg *thi_ties_take(th_self *self, struct thi_cell *cell);

/* Sends them, with @why [lend]. */
void thi_ties_tell(th_self *self, th_msg *chain, const struct th_child_exited *why);

#endif
