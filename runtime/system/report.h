/* runtime/system/report.h: a status that is written without asking any actor: from a signal, and by
 * the system's own actor, who must not wait. */
#ifndef THI_SYSTEM_REPORT_H
#define THI_SYSTEM_REPORT_H

#include <thespis/status.h>

/* As th_status_write(), asking nobody: what only an actor's own worker knows is unknown. */
void thi_status_report(th_system *system, th_status_format format, uint32_t parts,
                       th_status_put put, void *context);

/* report_message.c: the stage's seam: what the admin answers to a th_ask_status. */
th_msg *thi_status_answer(th_self *self, const th_msg *question);

#endif
