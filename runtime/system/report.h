/* runtime/system/report.h: a status that is written without asking any actor: from a signal, and by
 * the system's own actor, who must not wait. */
#ifndef THI_SYSTEM_REPORT_H
#define THI_SYSTEM_REPORT_H

#include <thespis/status.h>

/* As th_status_write(), asking nobody: what only an actor's own worker knows is unknown. */
void thi_status_report(th_system *system, th_status_format format, uint32_t parts,
                       th_status_put put, void *context);

/* status.c: asks @actor a question of the runtime's, of @type: it answers between two messages, or
 * is stuck in a handler: TH_E_TIMEOUT. Else as th_ask(). Not from an actor's thread. */
th_err thi_status_ask(th_system *system, th_addr actor, const th_type *type, th_msg **answer_out);

/* How many that are stuck a walk over all waits for, before it stops asking. */
enum { THI_STATUS_PATIENCE = 8 };

/* status_services.c: as th_services_each(), of the first @max; @more_out: how many there are
 * beside. @may_ask: else nobody is asked. */
th_err thi_services_walk(th_system *system,
                         void (*each)(void *context, const th_service_status *status),
                         void *context, uint64_t max, bool may_ask, uint64_t *more_out);

/* status_endpoints.c: as th_endpoints_each(); without @may_wait what others hold is unknown. */
th_err thi_endpoints_walk(th_system *system,
                          void (*each)(void *context, const th_endpoint_status *status),
                          void *context, bool may_wait, uint64_t *more_out);

/* report_message.c: the stage's seam: what the admin answers to a th_ask_status. */
th_msg *thi_status_answer(th_self *self, const th_msg *question);

#endif
