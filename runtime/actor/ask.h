/* runtime/actor/ask.h: one-shot reply addresses.
 *
 * A question carries an address of its own as its sender: an alias, a cell whose inbox word is
 * ALIAS. The first to turn that word into CLOSED decides what the asker gets: an answer
 * (thi_alias_answer), or the news that none will come (thi_alias_give_up: time-out, dead question).
 * Everybody later finds a closed inbox, or another generation: a dead letter. */
#ifndef THI_ACTOR_ASK_H
#define THI_ACTOR_ASK_H

#include "runtime/actor/stage.h"

/* The asker's side. What answerers need is in the cell, which outlives them by a grace period: the
 * asker's address as the cell's parent, and in mail_head the thi_ask_over, made beforehand, so that
 * giving up needs no memory. */
struct thi_alias {
    struct thi_timer timer; /* the time limit; T2 of sched/timer.h says who frees */
    struct thi_cell *cell;
    th_addr addr;   /* the reply address */
    th_answer then; /* actors: what to call */
    uint64_t token;
    struct thi_alias *next, *prev; /* actors: in extra->asks */
    bool is_listed;
};

/* The kinds of timer there are in a system: which struct a timer is in. */
enum thi_timer_kind { THI_TIMER_WAKEUP, THI_TIMER_ALIAS, THI_TIMER_STALL, THI_TIMER_TRANSIENT };

/* A new reply address for @self, armed with a time limit; for an endpoint on the simple base the
 * limit is kept by the caller (pass TH_FOREVER). NULL with *why. */
struct thi_alias *thi_alias_open(th_self *self, uint64_t timeout_ns, th_err *why);

/* By the asker, after the answer or instead of it: no answer can come any more when this returns;
 * the slot is retired. */
void thi_alias_close(th_self *self, struct thi_alias *alias);

/* @msg [take] reached the alias @cell: to the asker, if it is the first. In a read section. */
void thi_alias_answer(th_self *self, struct thi_cell *cell, th_msg *msg);

/* No answer will come to @addr: tells the asker, if it is the first and @addr is an open alias at
 * all. */
void thi_alias_give_up(th_self *self, th_addr addr, th_err err);

/* In the asker's turn: a message whose target is not the actor itself. Calls the continuation. */
th_err thi_ask_answered(th_self *self, struct thi_cell *cell, const th_msg *msg);

/* After the last delivery of such a message: the question is closed. */
void thi_ask_finished(th_self *self, struct thi_cell *cell, const th_msg *msg);

/* At the asker's exit: closes all that are open. */
void thi_asks_close(th_self *self, struct thi_cell *cell);

/* Whether @msg, whose target is not @cell's own address, answers an open question of it. */
bool thi_ask_is_open(th_self *self, const th_msg *msg);

/* A time limit fell due: called by thi_timer_fire() (wakeup.h). */
void thi_alias_fire(struct thi_stage *stage, th_self *self, struct thi_timer *timer);

#endif
