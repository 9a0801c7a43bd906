/* runtime/actor/report.h: how an actor is, as a message to whoever asks. */
#ifndef THI_ACTOR_REPORT_H
#define THI_ACTOR_REPORT_H

#include "runtime/actor/cell.h"
#include "runtime/actor/mail.h"

/* In @cell's turn: if @question [lend] asks how it is, in any of the ways, it is answered; without
 * memory the sender, if it waits, is told so. false: it is something else. */
bool thi_report_asked(th_self *self, struct thi_cell *cell, const th_msg *question);

/* What only its own turn knows, or who holds the simple base's lock: what was measured; and what it
 * has to say itself [give], or NULL. */
void thi_report_measured(const struct thi_cell *cell, struct thi_status *status_out);
th_msg *thi_report_figures(struct thi_cell *cell);

/* A th_ask_handled [take] is answered in its place of the mail: all that its sender sent before
 * it is handled. The question turns into the answer, which needs no memory. false: @question is
 * something else, and not taken. */
bool thi_report_handled(th_self *self, th_msg *question);

#endif
