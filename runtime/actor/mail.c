/* runtime/actor/mail.c: the types behind mail.h. */
#include "runtime/actor/mail.h"

#define THI_SYSTEM_TYPE(tag, FIELDS) TH_MESSAGE_TYPE_AS(tag, FIELDS, TH_TYPE_SYSTEM, NULL)

THI_SYSTEM_TYPE(thi_adopt, THI_ADOPT_FIELDS)
THI_SYSTEM_TYPE(thi_new_parent, THI_NEW_PARENT_FIELDS)
THI_SYSTEM_TYPE(thi_letter, THI_LETTER_FIELDS)
THI_SYSTEM_TYPE(thi_letters_to, THI_LETTERS_TO_FIELDS)
THI_SYSTEM_TYPE(thi_ask_over, THI_ASK_OVER_FIELDS)
THI_SYSTEM_TYPE(thi_started, THI_STARTED_FIELDS)
THI_SYSTEM_TYPE(thi_status, THI_STATUS_FIELDS)
THI_SYSTEM_TYPE(thi_probe, THI_PROBE_FIELDS)
TH_SIGNAL_TYPE_AS(thi_ask_status, TH_TYPE_SYSTEM, NULL)
TH_SIGNAL_TYPE_AS(thi_log_ready, TH_TYPE_SYSTEM, NULL)
TH_SIGNAL_TYPE_AS(thi_log_flush, TH_TYPE_SYSTEM, NULL)
TH_SIGNAL_TYPE_AS(thi_released, TH_TYPE_SYSTEM, NULL)

/* the struct of th_child_exited under another name (exit.c turns one into the other) */
static const th_field child_gone_fields[] = { TH_CHILD_EXITED_FIELDS(TH_ROW, th_child_exited) };
const th_type thi_child_gone_type = { "thi_child_gone",
                                      NULL,
                                      child_gone_fields,
                                      (uint32_t)(sizeof(child_gone_fields) /
                                                 sizeof(child_gone_fields[0])),
                                      (uint32_t)sizeof(struct th_child_exited),
                                      TH_TYPE_SYSTEM | TH_TYPE_OWNS,
                                      NULL,
                                      NULL };

/* and that of th_exit_request (receive.c) */
static const th_field exit_fields[] = { TH_EXIT_REQUEST_FIELDS(TH_ROW, th_exit_request) };
#define EXIT(tag)                                                                                  \
    const th_type tag##_type = { #tag,                                                             \
                                 NULL,                                                             \
                                 exit_fields,                                                      \
                                 (uint32_t)(sizeof(exit_fields) / sizeof(exit_fields[0])),         \
                                 (uint32_t)sizeof(struct th_exit_request),                         \
                                 TH_TYPE_SYSTEM | TH_TYPE_OWNS,                                    \
                                 NULL,                                                             \
                                 NULL };
EXIT(thi_exit_with_parent)
EXIT(thi_time_up)
EXIT(thi_recheck)

bool thi_mail_is_urgent_system(const th_type *type)
{
    return type != &th_exit_request_type && type != &thi_child_gone_type &&
           type != &th_poison_type && type != &thi_time_up_type && type != &thi_recheck_type &&
           type != &thi_gone_type && type != &thi_link_gone_type &&
           type != &th_child_started_type && type != &th_fd_ready_type &&
           type != &th_os_signal_type && type != &thi_probe_type && type != &th_ask_handled_type;
}

/* and that of th_actor_gone (tie.c) */
static const th_field tie_fields[] = { TH_ACTOR_GONE_FIELDS(TH_ROW, th_actor_gone) };
#define TIE(tag)                                                                                   \
    const th_type tag##_type = { #tag,                                                             \
                                 NULL,                                                             \
                                 tie_fields,                                                       \
                                 (uint32_t)(sizeof(tie_fields) / sizeof(tie_fields[0])),           \
                                 (uint32_t)sizeof(struct th_actor_gone),                           \
                                 TH_TYPE_SYSTEM | TH_TYPE_OWNS,                                    \
                                 NULL,                                                             \
                                 NULL };
TIE(thi_watch)
TIE(thi_unwatch)
TIE(thi_gone)
TIE(thi_link)
TIE(thi_unlink)
TIE(thi_link_gone)
