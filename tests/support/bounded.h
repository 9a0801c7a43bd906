/* bounded.h: mailboxes with a limit, full for certain.
 *
 * On the pool an actor is stopped in its handler, until the test has it go on; what is sent to it
 * meanwhile waits. On the simple base nothing is handled between two waits anyway, and nobody is
 * stopped. */
#ifndef TESTS_SUPPORT_BOUNDED_H
#define TESTS_SUPPORT_BOUNDED_H

#include "tests/support/system.h"

#include <thespis/mailbox.h>

/* First thing in a handler. true: @msg was the order to stop, and the stop is over. */
bool bounded_stops_here(const th_msg *msg);

/* An actor of @klass with that mailbox, whose init has run. */
th_addr bounded_create(struct test_system *ts, const th_class *klass, th_mailbox mailbox);

/* @actor stops, and its mailbox is as it was. With more than one, and with as many as there are
 * workers, each needs a thread of its own. */
void bounded_stop(struct test_system *ts, th_addr actor);

/* All that were stopped go on. */
void bounded_go_on(struct test_system *ts);

/* How full it is. */
th_mailbox_state bounded_look(struct test_system *ts, th_addr actor);

/* Lets others run. */
void bounded_let_run(struct test_system *ts);

/* Where somebody is stopped: until so many wait for room at @actor; until @actor itself is held,
 * which shows where its own mailbox has a limit. */
void bounded_wait_for_waiters(struct test_system *ts, th_addr actor, uint32_t count);
void bounded_wait_until_held(struct test_system *ts, th_addr actor);

/* On both bases: until @actor is gone. */
void bounded_wait_until_gone(struct test_system *ts, th_addr actor);

#endif
