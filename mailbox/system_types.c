/* system_types.c: the tables behind the messages that the system itself sends. */
#include <thespis/msg.h>
#include <thespis/status.h>

TH_MESSAGE_TYPE_AS(th_exit_request, TH_EXIT_REQUEST_FIELDS, TH_TYPE_SYSTEM, NULL)
TH_MESSAGE_TYPE_AS(th_child_exited, TH_CHILD_EXITED_FIELDS, TH_TYPE_SYSTEM, NULL)
TH_MESSAGE_TYPE_AS(th_poison, TH_POISON_FIELDS, TH_TYPE_SYSTEM, NULL)
TH_MESSAGE_TYPE_AS(th_wakeup, TH_WAKEUP_FIELDS, TH_TYPE_SYSTEM, NULL)
TH_MESSAGE_TYPE_AS(th_dead_letter, TH_DEAD_LETTER_FIELDS, TH_TYPE_SYSTEM, NULL)

TH_MESSAGE_TYPE_AS(th_ask_status, TH_ASK_STATUS_FIELDS, TH_TYPE_SYSTEM, NULL)
TH_MESSAGE_TYPE(th_waiting, TH_WAITING_FIELDS)
TH_MESSAGE_TYPE(th_actor_report, TH_ACTOR_REPORT_FIELDS)
TH_MESSAGE_TYPE(th_system_report, TH_SYSTEM_REPORT_FIELDS)
