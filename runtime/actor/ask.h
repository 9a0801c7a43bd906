/* runtime/actor/ask.h: one-shot reply addresses.
 *
 * A question carries an address of its own as its sender: an alias, a cell whose inbox word is ALIAS. The first to turn that
 * word into CLOSED decides what the asker gets: an answer (thi_alias_answer), or the news that none will come
 * (thi_alias_give_up: time-out, dead question). Everybody later finds a closed inbox, or another generation: a dead letter. */
#ifndef THI_ACTOR_ASK_H
#define THI_ACTOR_ASK_H

#include "runtime/actor/stage.h"

struct thi_alias {
    struct thi_timer timer; /* the time limit */
    th_addr owner;          /* who asked: an actor or an endpoint */
    th_addr addr;           /* the reply address */
    th_answer then;         /* actors: what to call */
    uint64_t token;
    th_msg *over; /* made beforehand, so that giving up needs no memory */
    struct thi_alias *next, *prev; /* actors: in extra->asks */
    bool timed;
};

/* A new reply address for @self, armed with a time limit; for an endpoint on the simple base the limit is kept by the caller
 * (pass TH_FOREVER). NULL with *why. */
struct thi_alias *thi_alias_open(th_self *self, uint64_t timeout_ns, th_err *why);

/* By the asker, after the answer or instead of it: no answer can come any more when this returns; the slot is retired. */
void thi_alias_close(th_self *self, struct thi_alias *alias);

/* @msg [take] reached the alias @cell: to the asker, if it is the first. In a read section. */
void thi_alias_answer(th_self *self, struct thi_cell *cell, th_msg *msg);

/* No answer will come to @addr: tells the asker, if it is the first and @addr is an open alias at all. */
void thi_alias_give_up(th_self *self, th_addr addr, th_err err);

/* In the asker's turn: a message whose target is not the actor itself. Calls the continuation. */
th_err thi_ask_answered(th_self *self, struct thi_cell *cell, const th_msg *msg);

/* At the asker's exit: closes all that are open. */
void thi_asks_close(th_self *self, struct thi_cell *cell);

/* The alarm's fire for alias timers. */
void thi_alias_timeout(th_self *self, struct thi_alias *alias);

#endif
