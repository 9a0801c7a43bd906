/* msg.h: messages, and those the system itself sends.
 *
 * A message is an immutable typed value in one envelope, owned by exactly one queue, handler or
 * caller at any time. It is built in place: create, fill the body, send; after th_send() it is no
 * longer yours. In receive it is lent to you: to keep it longer, th_msg_dup() it. */
#ifndef THESPIS_MSG_H
#define THESPIS_MSG_H

#include <string.h>

#include <thespis/type.h>

/** An envelope. Its fields are the runtime's: read them through the functions below. */
struct th_msg {
    th_msg *thi_next; /* the one link a message ever needs */
    const th_type *thi_type;
    void *thi_body; /* behind this header, or in the message it shares with */
    th_addr thi_from;
    th_addr thi_to;
    uint32_t thi_size : 27; /* of the body with its rest, bytes */
    uint32_t thi_block : 5; /* which size class it came from */
    uint32_t thi_refs;      /* how many envelopes share this body; 1 unless shared */
};

TH_BEGIN_C

/** An envelope of @type with a zeroed body [give]. NULL when it cannot be had; then th_send() of
 * that NULL says why: TH_E_NOMEM, TH_E_INVALID (no type), TH_E_NOT_ALLOWED (a type that only the
 * system makes). From the thread that holds @self. */
TH_API th_msg *th_msg_create(th_self *self, const th_type *type);

/** The same with @rest bytes behind the struct. The type must be TH_TYPE_REST, or of size 0: then
 * any `rest` is allowed. TH_E_TOO_BIG: past TH_MESSAGE_SIZE_MAX in all. */
TH_API th_msg *th_msg_create_sized(th_self *self, const th_type *type, size_t rest);

/** Another envelope with the same body, type and sender [give]; a body above TH_MESSAGE_COPY_MAX is
 * shared, not copied. */
TH_API th_msg *th_msg_dup(th_self *self, const th_msg *msg);

/** Frees an envelope that was not sent, or that ask or listen gave [take]. NULL is nothing to do.
 */
TH_API void th_msg_destroy(th_self *self, th_msg *msg);

/** Says what @msg is: `point{x: 1, y: 2}`. As snprintf(); harmless whatever the type's own describe
 * does. */
TH_API size_t th_msg_describe(const th_msg *msg, char *text, size_t size);

static inline const th_type *th_msg_type(const th_msg *msg)
{
    return msg->thi_type;
}

/** The struct, to be read; of @msg you just created, to be written. */
static inline void *th_msg_body(const th_msg *msg)
{
    return msg->thi_body;
}

/** Bytes of struct and rest together. */
static inline size_t th_msg_size(const th_msg *msg)
{
    return msg->thi_size;
}

/** The byte range behind the struct, *@size_out long (may be NULL). */
static inline void *th_msg_rest(const th_msg *msg, size_t *size_out)
{
    if (size_out)
        *size_out = msg->thi_size - msg->thi_type->size;
    return (char *)msg->thi_body + msg->thi_type->size;
}

/** Who sent it first: forwarding keeps the sender. */
static inline th_addr th_msg_sender(const th_msg *msg)
{
    return msg->thi_from;
}

/** Whom it was last sent to. */
static inline th_addr th_msg_target(const th_msg *msg)
{
    return msg->thi_to;
}

/** Sends @msg to @to and returns at once. Messages from one sender to one target arrive in sending
 * order; nothing else is promised. From the thread that holds @self.
 *  @msg [take], also on failure; NULL is answered with what made it NULL.
 *  TH_E_INVALID: @to is no address. TH_E_NOT_ALLOWED: a system message, or to an address of the
 * system's own. A dead target is not an error: the message goes to the dead-letter handlers. So
 * does one to another system's address, as long as nothing links the two. TH_E_FULL: its mailbox
 * has a limit and no room (mailbox.h). */
TH_API TH_NODISCARD th_err th_send(th_self *self, th_addr to, th_msg *msg);

/** Sends what was received on to @to, with its first sender, as th_send(). @msg [lend]. */
TH_API TH_NODISCARD th_err th_forward(th_self *self, th_addr to, const th_msg *msg);

TH_END_C

#define TH_MESSAGE_VERBS(tag, bytes)                                                               \
    extern TH_API const th_type tag##_type;                                                        \
    TH_UNUSED static inline const struct tag *tag##_of(const th_msg *msg)                          \
    {                                                                                              \
        return th_msg_type(msg) == &tag##_type ? (const struct tag *)th_msg_body(msg) : NULL;      \
    }                                                                                              \
    TH_UNUSED static inline th_msg *tag##_new(th_self *self, struct tag **body_out)                \
    {                                                                                              \
        th_msg *msg_ = th_msg_create(self, &tag##_type);                                           \
        if (body_out)                                                                              \
            *body_out = msg_ ? (struct tag *)th_msg_body(msg_) : NULL;                             \
        return msg_;                                                                               \
    }                                                                                              \
    TH_UNUSED TH_NODISCARD static inline th_err tag##_send(th_self *self, th_addr to,              \
                                                           struct tag value)                       \
    {                                                                                              \
        th_msg *msg_ = th_msg_create(self, &tag##_type);                                           \
        if (msg_)                                                                                  \
            memcpy(th_msg_body(msg_), &value, bytes);                                              \
        return th_send(self, to, msg_);                                                            \
    }                                                                                              \
    /* so that a program may declare more than it uses */                                          \
    struct tag##_needs_a_semicolon

/* ---- why an actor ended, why a letter is dead ---- */

#define TH_EXIT_MAP(XX)                                                                            \
    XX(NORMAL, "it ended itself")                                                                  \
    XX(REQUESTED, "it was asked to exit")                                                          \
    XX(PARENT, "its parent exited")                                                                \
    XX(INIT, "its init failed")                                                                    \
    XX(FAILED, "its handler failed, and its class stops on failure")                               \
    XX(SHUTDOWN, "its system shut down")                                                           \
    XX(TRANSIENT, "its time was up, by its age or for want of work")                               \
    XX(CAPABILITY, "its system lost a capability that it needs")                                   \
    XX(ERROR, "it ended itself, for an error")                                                     \
    XX(CONDEMNED, "it was asked to exit, for an error")                                            \
    XX(LINK, "an actor that it was linked to ended badly")                                         \
    XX(GONE, "it was gone before; why is not known")

typedef enum th_exit_reason {
#define XX(name, text) TH_EXIT_##name,
    TH_EXIT_MAP(XX)
#undef XX
        TH_EXIT_COUNT
} th_exit_reason;

#define TH_DEAD_MAP(XX)                                                                            \
    XX(NO_ACTOR, "no live actor has that address")                                                 \
    XX(EXITING, "the actor is exiting and takes no more work")                                     \
    XX(WAITING, "it was waiting when the actor exited")                                            \
    XX(INIT, "the actor's init failed")                                                            \
    XX(LATE, "an answer after its question was answered or given up")                              \
    XX(FILTERED, "a system message that ask and listen do not show")                               \
    XX(FAILED, "its handler failed and it has no sender to tell")                                  \
    XX(POISON, "its handler failed on a poison message")                                           \
    XX(NO_ROUTEE, "its router has nobody to pass it to")                                           \
    XX(FULL, "a queue on its way is at its limit")                                                 \
    XX(NOMEM, "there was no memory to deliver it")                                                 \
    XX(FOREIGN, "its target belongs to a system that nothing links to this one")                   \
    XX(SHUTDOWN, "the system shut down")                                                           \
    XX(LINK_LOST, "the link to its system was given up; whether it arrived is not known")          \
    XX(EXPIRED, "it waited too long for the link to its system")

typedef enum th_dead_reason {
#define XX(name, text) TH_DEAD_##name,
    TH_DEAD_MAP(XX)
#undef XX
        TH_DEAD_COUNT
} th_dead_reason;

TH_BEGIN_C
/** A sentence for each; never NULL. */
TH_API const char *th_exit_reason_text(th_exit_reason reason);
/** Whether an end for @reason is a failure: INIT, FAILED, CAPABILITY, ERROR, CONDEMNED, LINK,
 * GONE. The others are orderly. */
TH_API bool th_exit_is_failure(th_exit_reason reason);
/** All that is known of an end as one sentence: the reason, the error's text unless @err is TH_OK,
 * @details unless NULL. As snprintf(). */
TH_API size_t th_exit_describe(th_exit_reason reason, th_err err, const char *details, char *text,
                               size_t size);
TH_API const char *th_dead_reason_text(th_dead_reason reason);
TH_END_C

/* ---- what the system sends. Anybody may send th_exit_request and th_ask_handled. ---- */

/** Please exit: children first, unless not recursive; then the children go to the system. The
 * handler sees it, may clean up, and may answer th_exit_keep_children(self) or th_exit_later(self).
 * Else, whatever it returns, the actor exits. With an err the end is TH_EXIT_CONDEMNED. */
#define TH_EXIT_REQUEST_FIELDS(F, S)                                                               \
    F(S, bool_, keep_children)                                                                     \
    F(S, u32, err)     /* th_err for which it is to exit, or TH_OK */                              \
    F(S, str, details) /* words that go with it, or NULL */
TH_MESSAGE(th_exit_request, TH_EXIT_REQUEST_FIELDS);

/** To the parent, exactly once for each child, whatever the cause. */
#define TH_CHILD_EXITED_FIELDS(F, S)                                                               \
    F(S, addr, child)                                                                              \
    F(S, u32, reason)  /* th_exit_reason */                                                        \
    F(S, u32, err)     /* th_err that init or the handler returned, or whoever ended it gave */    \
    F(S, str, details) /* what th_fail() or whoever ended it said, or NULL */
TH_MESSAGE(th_child_exited, TH_CHILD_EXITED_FIELDS);

/** To a parent that asked for it (th_spawn_options.tell_started): the child's init succeeded. */
#define TH_CHILD_STARTED_FIELDS(F, S) F(S, addr, child)
TH_MESSAGE(th_child_started, TH_CHILD_STARTED_FIELDS);

/** To who watches an actor, or is linked to it and traps (ties.h). Its sender is the actor. */
#define TH_ACTOR_GONE_FIELDS(F, S)                                                                 \
    F(S, addr, actor)                                                                              \
    F(S, u32, reason)   /* th_exit_reason */                                                       \
    F(S, u32, err)      /* as in th_child_exited */                                                \
    F(S, bool_, linked) /* by a link, not a watch */                                               \
    F(S, str, details)
TH_MESSAGE(th_actor_gone, TH_ACTOR_GONE_FIELDS);

/** To the sender of a message that failed each delivery. The sender of this message is the actor
 * that failed. */
#define TH_POISON_FIELDS(F, S)                                                                     \
    F(S, msg, message) /* as it was */                                                             \
    F(S, u32, err)     /* th_err the handler returned */                                           \
    F(S, u32, deliveries)                                                                          \
    F(S, str, details) /* what th_fail() said, or the text of err */
TH_MESSAGE(th_poison, TH_POISON_FIELDS);

/** A wakeup that fell due. Its sender is the actor itself. */
#define TH_WAKEUP_FIELDS(F, S)                                                                     \
    F(S, u64, id)       /* what th_wakeup_after() gave */                                          \
    F(S, u64, delay_ns) /* what was asked for */                                                   \
    F(S, u64, count)    /* 1, or which firing of a periodic one */                                 \
    F(S, msg, payload)  /* what was given, or NULL */
TH_MESSAGE(th_wakeup, TH_WAKEUP_FIELDS);

/** To each dead-letter handler. */
#define TH_DEAD_LETTER_FIELDS(F, S)                                                                \
    F(S, msg, message) /* as it was, its sender inside */                                          \
    F(S, addr, target) /* where it was going */                                                    \
    F(S, u32, reason)  /* th_dead_reason */
TH_MESSAGE(th_dead_letter, TH_DEAD_LETTER_FIELDS);

/** A question anybody may send to an actor: is all handled that I sent before this? The runtime
 * answers in its turn, with th_handled and the same token, and needs no memory for it; no handler
 * sees the question. To an actor that is gone: no answer, and no dead letter; an ask ends. */
#define TH_HANDLED_FIELDS(F, S) F(S, u64, token)
TH_MESSAGE(th_ask_handled, TH_HANDLED_FIELDS);
TH_MESSAGE(th_handled, TH_HANDLED_FIELDS);

#endif
