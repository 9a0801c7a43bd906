/* runtime/actor/reason.h: why an actor ends.
 *
 * The reason lies in the cell, from when the end is asked for (th_exit(), th_exit_later()) or
 * begins; the error and the words in its extra. The words are a blob of their own, so that the
 * notices to the parent and to whoever watches share it; without memory an end has no words, but
 * always its reason. */
#ifndef THI_ACTOR_REASON_H
#define THI_ACTOR_REASON_H

#include "runtime/actor/stage.h"

/* An exit request was heard: @err and @words [take] are what it gave. If the actor spoke for itself
 * meanwhile, its own reason stands. */
void thi_reason_asked(th_self *self, struct thi_cell *cell, th_exit_reason reason, th_err err,
                      th_blob *words);

/* @cell ends because of another's end, of which @err and @words [lend] tell. */
void thi_reason_linked(th_self *self, struct thi_cell *cell, th_err err, th_blob *words);

/* An init or a handler failed with @err, for good. */
void thi_reason_failed(th_self *self, struct thi_cell *cell, th_err err);

/* Fills in what the parent is told. false: no memory now. */
TH_NODISCARD bool thi_reason_fill(th_self *self, struct thi_cell *cell,
                                  struct th_child_exited *body);

#endif
