/* Two carriers in network namespaces of their own, and a line between them that loses, delays,
 * reorders, doubles and is cut. Where namespaces are not permitted it says so and does nothing. */
#include "tests/support/tunrelay.h"
#include "tests/transport/link/parrot.h"

#include <stdio.h>

static struct parrot us, them;
static struct tunrelay relay;

#define UNTIL(claim) PARROT_UNTIL(&us, &them, claim)

/* Us at 10.77.0.1, them at 10.77.0.2. Sockets stay where they were made: one thread serves both. */
static bool open_all(void)
{
    const char *const listen[] = { "10.77.0.2:1900", NULL };
    struct thi_tcp_options options;
    const char *why;

    if (!tunrelay_open(&relay, 1, &why) || !tunrelay_start(&relay)) {
        fprintf(stderr, "skipped: %s\n", why);
        tunrelay_close(&relay);
        return false;
    }
    parrot_begin();
    options = parrot_options(&them);
    options.listen = listen;
    options.insecure = true;
    cr_assert(tunrelay_enter(&relay, 1));
    parrot_open_with(&them, &options);
    cr_assert(tunrelay_enter(&relay, 0));
    options = parrot_options(&us);
    options.insecure = true;
    parrot_open_with(&us, &options);
    return true;
}

static void close_all(void)
{
    parrot_close(&us);
    parrot_close(&them);
    parrot_end();
    tunrelay_close(&relay);
}

static struct thi_conn *meet(void)
{
    struct thi_conn *conn = parrot_dial(&us, "10.77.0.2:1900");

    UNTIL(conn->is_closed || (conn->is_opened && them.count > 0));
    cr_assert(conn->is_opened, "%s", conn->why);
    return conn;
}

Test(bad_line, everything_arrives_once_and_in_order)
{
    struct thi_conn *conn;

    if (!open_all())
        return;
    relay.line.lost = 20;
    relay.line.doubled = 50;
    relay.line.delayed = 200;
    relay.line.delay_us = 200;
    relay.line.jitter_us = 2000;
    them.to_say = 100000;
    conn = meet();
    parrot_say(conn, 100000);
    UNTIL(conn->heard == 100000 && them.conns[0]->heard == 100000);
    cr_assert_gt(relay.carried, 100);
    close_all();
}

Test(bad_line, what_was_cut_goes_on_when_it_is_whole_again)
{
    struct thi_conn *conn;
    uint64_t dropped;

    if (!open_all())
        return;
    conn = meet();
    parrot_say(conn, 1000000);
    UNTIL(them.conns[0]->heard > 10000);
    relay.line.is_cut[0] = relay.line.is_cut[1] = true;
    dropped = relay.dropped;
    parrot_say(conn, 1000); /* something is under way, whatever is through already */
    UNTIL(relay.dropped > dropped);
    relay.line.is_cut[0] = relay.line.is_cut[1] = false;
    UNTIL(them.conns[0]->heard == 1001000);
    cr_assert_not(conn->is_closed);
    close_all();
}

/* A black hole answers nothing: the dial gives up by its own clock, and a later one is through. */
Test(bad_line, a_dial_into_a_black_hole_is_given_up)
{
    struct thi_conn *conn;
    uint64_t dropped;

    if (!open_all())
        return;
    relay.line.is_cut[0] = true;
    dropped = relay.dropped;
    conn = parrot_dial(&us, "10.77.0.2:1900");
    UNTIL(relay.dropped > dropped);
    thi_clock_advance(&parrot_clock, TH_LINK_CONNECT_NS);
    UNTIL(conn->is_closed);
    cr_assert_not(conn->is_opened);
    cr_assert_not_null(strstr(conn->why, "no answer in time"), "%s", conn->why);
    relay.line.is_cut[0] = false;
    conn = meet();
    close_all();
}

Test(bad_line, a_host_that_is_not_there_is_named)
{
    struct thi_conn *conn;

    if (!open_all())
        return;
    conn = parrot_dial(&us, "192.0.2.1:1900"); /* no route at all */
    UNTIL(conn->is_closed);
    cr_assert_not_null(strstr(conn->why, "Network is unreachable"), "%s", conn->why);
    conn = parrot_dial(&us, "10.77.0.2:1901");
    UNTIL(conn->is_closed);
    cr_assert_not_null(strstr(conn->why, "Connection refused"), "%s", conn->why);
    close_all();
}
