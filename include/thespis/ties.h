/* ties.h: who hears of whose end.
 *
 * A parent always hears of its children (th_child_exited). Anybody else watches: one th_actor_gone
 * for each watch, however the actor ends. Two actors that are linked share a failure: when one ends
 * badly (th_exit_is_failure()), so does the other, unless it asked to be told instead. */
#ifndef THESPIS_TIES_H
#define THESPIS_TIES_H

#include <thespis/actor.h>

TH_BEGIN_C

/** Has the caller, an actor or an endpoint, get exactly one th_actor_gone when @actor has ended,
 * after all that @actor sent it. One that is gone already is told of at once, as TH_EXIT_GONE. Once
 * more for the same actor: TH_OK, and still one notice. Ends with the caller; goes on when @actor
 * is started afresh in place (TH_ON_FAILURE_RESTART).
 * TH_E_INVALID: no address, or the caller's own. TH_E_NO_ACTOR: an endpoint's, or a question's.
 * TH_E_FOREIGN: of a system that nothing links to this one. TH_E_NOT_ALLOWED: the system's own.
 * TH_E_CLOSED: the caller is exiting, or the system is down. TH_E_LIMIT: TH_TIES_MAX.
 * TH_E_NOMEM. */
TH_API TH_NODISCARD th_err th_watch_actor(th_self *self, th_addr actor);

/** Takes it back: after TH_OK no notice comes, not even one that was waiting in the mailbox.
 * TH_E_STATE: not watched; never was, or the notice has come. */
TH_API TH_NODISCARD th_err th_unwatch_actor(th_self *self, th_addr actor);

/** Ties the calling actor and @actor to each other: when one of them ends by a failure, the other
 * exits, too, with TH_EXIT_LINK, its err and its details; its handler is not asked, its exit
 * function runs. An orderly end only ends the link. One that is gone already counts as failed
 * (TH_EXIT_GONE). Errors as th_watch_actor(); TH_E_NOT_HERE: an endpoint. */
TH_API TH_NODISCARD th_err th_link(th_self *self, th_addr actor);

/** Undoes it, for both. After TH_OK the caller hears no more of @actor by a link. TH_E_STATE: not
 * linked. */
TH_API TH_NODISCARD th_err th_unlink(th_self *self, th_addr actor);

/** While on, the calling actor gets a th_actor_gone (linked) for each end of one it is linked to,
 * an orderly one as well, instead of sharing it. TH_E_NOMEM. */
TH_API TH_NODISCARD th_err th_trap_links(th_self *self, bool on);

TH_END_C
#endif
