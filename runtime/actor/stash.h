/* runtime/actor/stash.h: messages that were taken and are kept for later.
 *
 * Two ways lead into the stash: th_stash(), and a message that comes while the actor waits for its
 * first ones (initial.h). Both are decided in the delivery and carried out after it: a message that
 * is handled where it lies in the inbox may not be linked anywhere before it has been taken out.
 *
 * S1. A delivery that ends with the message to be kept answers THI_KEPT, and extra->kept is that
 *     message; who called it asks thi_stash_takes(), and after true the message is not its own any
 *     more. No answer of a handler's can pretend that: extra->kept decides.
 * S2. What th_unstash_all() gives back is in `back` until the handler has returned; then it goes in
 *     front of what waits, behind the urgent (THI_CELL_UNSTASHED, see_to_rest() of receive.c), and
 *     takes again the credits that it gave back when it was begun (credits.h).
 * S3. stashed - unstashed of the counters is what is in `kept` now, over all actors; what is in
 *     `back` is mail again. */
#ifndef THI_ACTOR_STASH_H
#define THI_ACTOR_STASH_H

#include "runtime/actor/cell.h"

#include <thespis/behaviour.h>

/* From a delivery, where errors are: none. */
#define THI_KEPT ((th_err)TH_ERR_COUNT)

struct thi_chain {
    th_msg *head, *tail;
    uint32_t count;
};

/* In thi_cell_extra, made by the first message kept. The owner's. */
struct thi_stash {
    struct thi_chain kept;
    struct thi_chain back;
    const th_msg *asked; /* th_stash() was called with it, in this delivery */
};

/* Right after a handler, with THI_CELL_STASHING: what the delivery of @msg answers. */
th_err thi_stash_decide(struct thi_cell *cell, const th_msg *msg, th_err err);

/* Whether there is room for one more. TH_E_LIMIT (counted), TH_E_NOMEM. */
th_err thi_stash_room(th_self *self, struct thi_cell *cell);

/* After a delivery of @msg that did not answer TH_OK: true, it is kept [take]. */
bool thi_stash_takes(th_self *self, struct thi_cell *cell, th_msg *msg);

/* What is kept is to be handled next. How many. */
uint32_t thi_stash_return(th_self *self, struct thi_cell *cell);

/* With THI_CELL_UNSTASHED: the second half of that. */
void thi_stash_put_back(struct thi_cell *cell);

/* How many are kept, for status. */
uint32_t thi_stash_count(const struct thi_cell *cell);

/* In the handler: th_stash() was called with @inner, which came inside @outer: that is to be kept.
 * false: it was not. */
bool thi_stash_asked(const th_self *self, const th_msg *inner, const th_msg *outer);

/* At the actor's end: dead letters. */
void thi_stash_fini(th_self *self, struct thi_cell *cell, th_dead_reason reason);

#endif
