/* tests/support/pair.h: two systems in this process that talk over TCP on loopback. */
#ifndef TESTS_SUPPORT_PAIR_H
#define TESTS_SUPPORT_PAIR_H

#include <thespis/transport.h>

#include "tests/support/system.h"

/* `far` listens, `near` has dialled it. */
struct pair {
    struct test_system near, far;
    char address[64]; /* where far listens */
    th_addr admin;    /* far's */
};

/* Both know the types of talk.h. @options [lend] go to both transports, but for `listen`; NULL:
 * none. */
struct pair pair_open_with(const th_transport_options *options);
struct pair pair_open(void);

/* far first. Fails the test as test_system_close() does. */
void pair_close(struct pair *pair);

/* libuv keeps a pipe for the process once a loop was made: before descriptors are counted. */
void pair_prepare(void);

/* A system that listens on loopback, on a port of its own. */
struct test_system pair_listen(const th_transport_options *options, char address[64]);

/* The actor that has @name in the system with @admin, asked for by @me. */
th_addr pair_find(th_self *me, th_addr admin, const char *name);

/* One link of @ts, or, if there is none, zeros. */
th_link_status pair_link(struct test_system *ts);

#endif
