/* behaviour.h: an actor that changes how it takes its messages.
 *
 * A behaviour is a receive function or a table (dispatch.h). It stands before the actor's class:
 * what it does not take, or passes on with TH_SUPER, goes to the behaviour it was put on, at last
 * to the class. All verbs here are the actor's own, from its own handlers (and init), and answer
 * TH_E_NOT_HERE to any other handle. */
#ifndef THESPIS_BEHAVIOUR_H
#define THESPIS_BEHAVIOUR_H

#include <thespis/dispatch.h>

/** Static and immutable. One of the two; with both, receive counts. */
typedef struct th_behaviour {
    const char *name; /* for people; may be NULL */
    th_err (*receive)(th_self *self, void *state, const th_msg *msg);
    const th_case *cases;
} th_behaviour;

TH_BEGIN_C

/* ---- become ----
 *
 * The change holds from the next delivery on; when the present message fails, its next try is one.
 * Everything goes to the behaviour that goes to receive, the system's messages too; answers to
 * th_ask_then() go to their function. TH_ON_FAILURE_RESTART returns to the class's own. */

/** From now on @behaviour [keep], in place of the present one. TH_E_INVALID: it is empty.
 * TH_E_NOMEM. */
TH_API TH_NODISCARD th_err th_become(th_self *self, const th_behaviour *behaviour);

/** The same on top of the present one, which th_unbecome() returns to. TH_E_LIMIT:
 * TH_BEHAVIOURS_MAX. */
TH_API TH_NODISCARD th_err th_become_over(th_self *self, const th_behaviour *behaviour);

/** Back to what the present behaviour was put on. TH_E_STATE: it is the class's own already. */
TH_API TH_NODISCARD th_err th_unbecome(th_self *self);

/** The present behaviour; NULL: the class's own, or @self is no actor. */
TH_API const th_behaviour *th_self_behaviour(const th_self *self);

/* ---- stash ----
 *
 * A stashed message waits outside the mailbox, in the order of stashing: accepted, neither handled
 * nor dead, and counted as waiting. When the actor exits it is a dead letter like what waits in the
 * mailbox; a restart puts it back. Stashed, it takes no credit of a mailbox with a limit. */

/** Keeps @msg, which is the message being handled, for later; the handler then returns TH_OK. When
 * it returns an error the message has failed and is not kept. TH_E_LIMIT: TH_STASH_MAX wait now.
 * TH_E_NOT_ALLOWED: a message of the system's. TH_E_STATE: not mail of the mailbox, such as the
 * answer to a question, or while the actor waits for its first messages. A message that is not the
 * one being handled makes the delivery fail with TH_E_INVALID. TH_E_NOMEM. */
TH_API TH_NODISCARD th_err th_stash(th_self *self, const th_msg *msg);

/** Puts all that was stashed before back in front of the mailbox, in its order; it is handled after
 * this handler. *@count_out (may be NULL): how many. */
TH_API TH_NODISCARD th_err th_unstash_all(th_self *self, uint32_t *count_out);

/** How many are stashed now; 0 when @self is no actor. */
TH_API uint32_t th_stashed(const th_self *self);

/* ---- first messages ---- */

/** What an actor must have been sent before it does its work; static and immutable. A message is
 * one of @types if it is of that type or descends from it; of several for one type the last counts.
 * Messages of the system and answers to th_ask_then() are handled as ever. Others wait, stashed,
 * and once each type has come and @ready has returned TH_OK, they are handled in the order in which
 * they came, each once whatever becomes of the others. */
struct th_initial {
    const th_type *const *types; /* ended by NULL, at most TH_INITIAL_TYPES_MAX; none twice, none
                                    of the system's */
    /** @got [lend] has a message for each type, in the order of @types; th_msg_sender() of each
     * says who sent it. Runs as the actor. Not TH_OK: the message that came last failed, and its
     * type is waited for again. Runs again when TH_ON_FAILURE_RESTART starts afresh, with the same
     * messages; then failing is what a failing init is. */
    th_err (*ready)(th_self *self, void *state, const th_msg *const *got);
    bool shown; /* the handler sees these messages too, each as it comes, before @ready */
};

/** From now on the actor waits so, as th_class.initial has it do from its start. @initial [keep].
 * TH_E_INVALID: no types, too many, or no ready. TH_E_STATE: it is waiting already. TH_E_NOMEM. */
TH_API TH_NODISCARD th_err th_initial_begin(th_self *self, const th_initial *initial);

TH_END_C
#endif
