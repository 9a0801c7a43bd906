/* runtime/actor/mail.h: the messages by which the runtime talks to itself. No user ever sees or
 * sends one. */
#ifndef THI_ACTOR_MAIL_H
#define THI_ACTOR_MAIL_H

#include <thespis/msg.h>
#include <thespis/status.h>
#include <thespis/watch.h>

/* A child is gone; its slot is ours to retire once it is out of our list. Shown to the handler as
 * th_child_exited, whose struct it shares. Undeliverable, it goes to the admin. */
extern const th_type thi_child_gone_type;

/* To a child, because its parent exits. Shown to the handler as th_exit_request, whose struct it
 * shares. */
extern const th_type thi_exit_with_parent_type;

/* To an actor from its own timer: its time may be up. Shown to the handler as th_exit_request,
 * whose struct it shares. */
extern const th_type thi_time_up_type;

/* To an actor, because the system's capabilities changed: see whether you still fit. If not it is
 * shown to the handler as th_exit_request, whose struct it shares. */
extern const th_type thi_recheck_type;

/* To the admin: @child is yours now, with all siblings behind it in its list. To be pushed before
 * what could make the admin hear of their end. */
#define THI_ADOPT_FIELDS(F, S) F(S, addr, child)
TH_MESSAGE(thi_adopt, THI_ADOPT_FIELDS);

/* To a child: report to @parent from now on. */
#define THI_NEW_PARENT_FIELDS(F, S) F(S, addr, parent)
TH_MESSAGE(thi_new_parent, THI_NEW_PARENT_FIELDS);

/* To the admin: tell the dead-letter handlers. */
#define THI_LETTER_FIELDS(F, S) F(S, msg, message) F(S, addr, target) F(S, u32, reason)
TH_MESSAGE(thi_letter, THI_LETTER_FIELDS);

/* To the admin: @actor wants dead letters, or no more. */
#define THI_LETTERS_TO_FIELDS(F, S) F(S, addr, actor) F(S, bool_, on)
TH_MESSAGE(thi_letters_to, THI_LETTERS_TO_FIELDS);

/* To whoever asked: no answer will come to the reply address this is sent to. */
#define THI_ASK_OVER_FIELDS(F, S) F(S, u32, err)
TH_MESSAGE(thi_ask_over, THI_ASK_OVER_FIELDS);

/* To whoever waits in th_create(): how init went. */
#define THI_STARTED_FIELDS(F, S) F(S, addr, actor) F(S, u32, err) F(S, str, details)
TH_MESSAGE(thi_started, THI_STARTED_FIELDS);

/* To the logger, or to the admin while there is none: records wait, or are to be said. */
TH_SIGNAL(thi_log_ready);

/* A question to the admin, who hands it on to the logger: the answer (thi_log_ready) comes when all
 * records before it are written. */
TH_SIGNAL(thi_log_flush);

/* To an actor that is held: its target has drained, or is gone. */
TH_SIGNAL(thi_released);

/* Answered by the runtime, also while exiting; the answer goes to the sender. */
TH_SIGNAL(thi_ask_status);
/* clang-format off: one field a line */
#define THI_STATUS_FIELDS(F, S)                                                                    \
    F(S, addr, parent)                                                                             \
    F(S, u64, waiting)                                                                             \
    F(S, u32, children)                                                                            \
    F(S, u32, wakeups)                                                                             \
    F(S, u32, stashed)                                                                             \
    F(S, bool_, measured) /* what follows is known */                                              \
    F(S, u64, deliveries)                                                                          \
    F(S, u64, failed)                                                                              \
    F(S, u64, last_type) /* a const th_type * */                                                   \
    F(S, nested, th_times, waiting_times)                                                          \
    F(S, nested, th_times, handling_times)
/* clang-format on */
TH_MESSAGE(thi_status, THI_STATUS_FIELDS);

/* The same, of what the actor has to say itself (th_class.status). */
TH_SIGNAL(thi_ask_service);
#define THI_SERVICE_FIELDS(F, S) F(S, msg, figures) /* NULL: nothing now */
TH_MESSAGE(thi_service, THI_SERVICE_FIELDS);

/* Measures how long mail waits (sample.h), in whose place it stands. */
#define THI_PROBE_FIELDS(F, S) F(S, u64, cycles)
TH_MESSAGE(thi_probe, THI_PROBE_FIELDS);
/* Ties; see tie.h. All have the body of th_actor_gone, which the two notices turn into. */
extern const th_type thi_watch_type;
extern const th_type thi_unwatch_type;
extern const th_type thi_gone_type;
extern const th_type thi_link_type;
extern const th_type thi_unlink_type;
extern const th_type thi_link_gone_type;

/* Mail that a user sees keeps its place among all else from the same sender: an exit request does
 * not overtake the work sent before it, child-exited not the child's last words, poison not the
 * answers before it; and a descriptor that is always ready must not keep the rest waiting. The rest
 * of the system's mail is the runtime's own business, and urgent: TH_TYPE_OVERTAKES. */
static inline bool thi_mail_is_urgent(const th_type *type)
{
    return TH_UNLIKELY(type->flags & TH_TYPE_OVERTAKES);
}

#endif
