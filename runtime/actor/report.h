/* runtime/actor/report.h: how an actor is, as a message to whoever asks. */
#ifndef THI_ACTOR_REPORT_H
#define THI_ACTOR_REPORT_H

#include "runtime/actor/cell.h"

/* In @cell's turn: answers @question, a th_ask_status [lend], to its sender. Without memory the
 * sender, if it waits, is told so. */
void thi_report_answer(th_self *self, struct thi_cell *cell, const th_msg *question);

/* The same for a th_ask_handled [take], in its place of the mail: all that its sender sent before
 * it is handled. The question turns into the answer, which needs no memory. false: @question is
 * something else, and not taken. */
bool thi_report_handled(th_self *self, th_msg *question);

#endif
