/* runtime/actor/mail.c: the types behind mail.h. */
#include "runtime/actor/mail.h"

#define OVERTAKES                    (TH_TYPE_SYSTEM | TH_TYPE_OVERTAKES)
#define THI_SYSTEM_TYPE(tag, FIELDS) TH_MESSAGE_TYPE_AS(tag, FIELDS, OVERTAKES, NULL)

THI_SYSTEM_TYPE(thi_adopt, THI_ADOPT_FIELDS)
THI_SYSTEM_TYPE(thi_new_parent, THI_NEW_PARENT_FIELDS)
THI_SYSTEM_TYPE(thi_letter, THI_LETTER_FIELDS)
THI_SYSTEM_TYPE(thi_letters_to, THI_LETTERS_TO_FIELDS)
THI_SYSTEM_TYPE(thi_ask_over, THI_ASK_OVER_FIELDS)
THI_SYSTEM_TYPE(thi_started, THI_STARTED_FIELDS)
THI_SYSTEM_TYPE(thi_status, THI_STATUS_FIELDS)
THI_SYSTEM_TYPE(thi_service, THI_SERVICE_FIELDS)
TH_MESSAGE_TYPE_AS(thi_probe, THI_PROBE_FIELDS, TH_TYPE_SYSTEM, NULL)
TH_SIGNAL_TYPE_AS(thi_ask_status, OVERTAKES, NULL)
TH_SIGNAL_TYPE_AS(thi_ask_service, OVERTAKES, NULL)
TH_SIGNAL_TYPE_AS(thi_log_ready, OVERTAKES, NULL)
TH_SIGNAL_TYPE_AS(thi_log_flush, OVERTAKES, NULL)
TH_SIGNAL_TYPE_AS(thi_released, OVERTAKES, NULL)

/* a type of the runtime's with the struct of another, which it turns into */
#define ALIAS(tag, body, rows, flags)                                                              \
    const th_type tag##_type = { #tag,                                                             \
                                 NULL,                                                             \
                                 rows,                                                             \
                                 (uint32_t)(sizeof(rows) / sizeof(rows[0])),                       \
                                 (uint32_t)sizeof(struct body),                                    \
                                 (flags) | TH_TYPE_OWNS,                                           \
                                 NULL,                                                             \
                                 NULL };

/* of th_child_exited (exit.c) */
static const th_field gone_rows[] = { TH_CHILD_EXITED_FIELDS(TH_ROW, th_child_exited) };
ALIAS(thi_child_gone, th_child_exited, gone_rows, TH_TYPE_SYSTEM)

/* of th_exit_request (receive.c) */
static const th_field exit_rows[] = { TH_EXIT_REQUEST_FIELDS(TH_ROW, th_exit_request) };
ALIAS(thi_exit_with_parent, th_exit_request, exit_rows, OVERTAKES)
ALIAS(thi_time_up, th_exit_request, exit_rows, TH_TYPE_SYSTEM)
ALIAS(thi_recheck, th_exit_request, exit_rows, TH_TYPE_SYSTEM)

/* of th_actor_gone (tie.c) */
static const th_field tie_rows[] = { TH_ACTOR_GONE_FIELDS(TH_ROW, th_actor_gone) };
ALIAS(thi_watch, th_actor_gone, tie_rows, OVERTAKES)
ALIAS(thi_unwatch, th_actor_gone, tie_rows, OVERTAKES)
ALIAS(thi_gone, th_actor_gone, tie_rows, TH_TYPE_SYSTEM)
ALIAS(thi_link, th_actor_gone, tie_rows, OVERTAKES)
ALIAS(thi_unlink, th_actor_gone, tie_rows, OVERTAKES)
ALIAS(thi_link_gone, th_actor_gone, tie_rows, TH_TYPE_SYSTEM)
