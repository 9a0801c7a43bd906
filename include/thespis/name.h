/* name.h: one actor per name, found by everybody in its system.
 *
 *     th_spawn_options options = { .klass = &ledger_class, .global_name = "ledger" };
 *     th_spawn_with(self, &options, &ledger);        get it, or create it
 *
 * th_spawn_options.global_name turns a spawn into "get or create", and the address is there at once
 * either way. The name is looked at first: if an actor has it, its address is the answer, whatever
 * else the options say, and however many ask at the same moment, one actor is made. Who asked does
 * not matter afterwards: the actor is the system's child, so it outlives whoever was first, and its
 * end is reported to nobody but the system.
 *
 * A name belongs to its actor until the actor's exit function has returned. While it exits it is
 * still found, and mail to it is a dead letter; so two actors of one name never run side by side.
 * When its mailbox closes the name is free: who hears of its end in any way (a dead letter that was
 * waiting, TH_E_NO_ACTOR, th_actors_each()) can take it again.
 *
 * Names are bytes, 1 to TH_NAME_MAX of them, of which none has a meaning. Finding one takes no lock
 * on the pool. At most TH_NAMES_MAX at once; then TH_E_LIMIT. */
#ifndef THESPIS_NAME_H
#define THESPIS_NAME_H

#include <thespis/actor.h>

TH_BEGIN_C

/** Who has @name now. TH_E_NO_NAME: nobody. TH_E_INVALID: empty or longer than TH_NAME_MAX.
 * TH_E_STATE: inside a blocking call. TH_E_CLOSED: the system is down. *@addr_out is written on
 * TH_OK only. */
TH_API TH_NODISCARD th_err th_name_find(th_self *self, const char *name, th_addr *addr_out);

/** The caller's own name [lend, until its exit function returns]; NULL: it has none, or is an
 * endpoint. */
TH_API const char *th_self_name(const th_self *self);

/** Calls @each once for every name there is, in no order: all that are there throughout are met,
 * those that come or go meanwhile perhaps. @name [lend, for the call]. No lock is held: @each may
 * call anything. Errors as th_name_find(). */
TH_API TH_NODISCARD th_err th_names_each(
    th_self *self, void (*each)(void *context, const char *name, th_addr addr), void *context);

/* ---- another system's names ---- */

/** A question to the admin of any system (th_system_admin(), th_peer.admin): who has that name
 * there? */
#define TH_WHEREIS_FIELDS(F, S) F(S, str, name) F(S, u64, token)
/** The answer: nobody (th_addr_is_none()), or an actor that had it then. */
#define TH_FOUND_FIELDS(F, S) F(S, str, name) F(S, u64, token) F(S, addr, actor)

TH_END_C

TH_MESSAGE(th_whereis, TH_WHEREIS_FIELDS);
TH_MESSAGE(th_found, TH_FOUND_FIELDS);

#endif
