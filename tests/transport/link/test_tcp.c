/* The carrier on real sockets of loopback: what is said arrives, whole and in order, and every way
 * a connection can end is told in words. */
#include "parrot.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

static struct parrot us, them;
static char at[THI_HOSTPORT_SIZE];

static void begin(void)
{
    parrot_begin();
}

static void begin_two(void)
{
    parrot_begin();
    parrot_open(&them, "127.0.0.1:0");
    parrot_open(&us, NULL);
    parrot_at(&them, at);
}

static void end_two(void)
{
    parrot_close(&us);
    parrot_close(&them);
    parrot_end();
}

#define UNTIL(claim) PARROT_UNTIL(&us, &them, claim)

static struct thi_conn *meet(void)
{
    struct thi_conn *conn = parrot_dial(&us, at);

    UNTIL(conn->is_closed || (conn->is_opened && them.count > 0));
    cr_assert(conn->is_opened, "%s", conn->why);
    return conn;
}

/* ---- bytes ---- */

static void talk(void)
{
    struct thi_conn *conn = parrot_dial(&us, at);
    uint64_t size = 3 * TH_LINK_TURN_BYTES + 12345;

    parrot_say(conn, size);
    UNTIL(conn->heard == size);
    cr_assert_eq(them.conns[0]->heard, size);
    cr_assert_eq(us.tcp.figures.bytes_out, size);
    cr_assert_eq(us.tcp.figures.bytes_in, size);
}

Test(tcp, what_is_said_arrives_and_comes_back, .init = begin_two, .fini = end_two)
{
    them.mood = PARROT_REPEATS;
    talk();
    cr_assert_str_eq(us.conns[0]->far.address, at);
    cr_assert_not(us.conns[0]->far.is_authenticated);
}

Test(tcp, both_speak_at_once, .init = begin_two, .fini = end_two)
{
    struct thi_conn *conn;

    them.to_say = 5 * TH_LINK_TURN_BYTES;
    conn = meet();
    parrot_say(conn, 4 * TH_LINK_TURN_BYTES);
    UNTIL(conn->heard == 5 * TH_LINK_TURN_BYTES && them.conns[0]->heard == 4 * TH_LINK_TURN_BYTES);
}

static bool has_ipv6(void)
{
    struct sockaddr_in6 loopback = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has = fd >= 0 && bind(fd, (struct sockaddr *)&loopback, sizeof(loopback)) == 0;

    close(fd);
    if (!has)
        fprintf(stderr, "skipped: this machine has no IPv6\n");
    return has;
}

Test(tcp, speaks_ipv6, .init = begin)
{
    if (has_ipv6()) {
        parrot_open(&them, "[::1]:0");
        parrot_open(&us, NULL);
        parrot_at(&them, at);
        them.mood = PARROT_REPEATS;
        talk();
        parrot_close(&us);
        parrot_close(&them);
    }
    parrot_end();
}

/* N3 */
Test(tcp, no_connection_has_more_than_its_part_of_a_round, .init = begin_two, .fini = end_two)
{
    struct thi_conn *conn = meet();
    uint64_t said = 0, heard = 0, size = 20 * TH_LINK_TURN_BYTES;

    parrot_say(conn, size);
    while (heard < size) {
        thi_tcp_turn(&us.tcp, false);
        /* a turn is two looks at most: one before and none after its wait */
        cr_assert_lt(conn->said - said, 2 * TH_LINK_TURN_BYTES);
        said = conn->said;
        thi_tcp_turn(&them.tcp, false);
        cr_assert_lt(them.conns[0]->heard - heard, TH_LINK_TURN_BYTES + TH_LINK_READ_SIZE);
        heard = them.conns[0]->heard;
    }
}

Test(tcp, who_pauses_is_not_fed_and_loses_nothing, .init = begin_two, .fini = end_two)
{
    struct thi_conn *conn = meet(), *other = them.conns[0];
    uint64_t size = 40 * TH_LINK_TURN_BYTES; /* far more than the kernel takes */

    parrot_pause(other, true);
    parrot_say(conn, size);
    for (unsigned i = 0; i < 3; i++) { /* until the kernel is full, for certain */
        UNTIL(TAILQ_FIRST(&us.tcp.streams)->is_full);
    }
    cr_assert_eq(other->heard, 0);
    cr_assert_gt(conn->to_say, 0);
    parrot_pause(other, false);
    UNTIL(other->heard == size);
}

Test(tcp, small_bites_are_put_together_again, .init = begin_two, .fini = end_two)
{
    struct thi_conn *conn = meet();

    conn->bite = 7;
    parrot_say(conn, 10000);
    UNTIL(them.conns[0]->heard == 10000);
}

/* ---- the end ---- */

Test(tcp, the_last_word_arrives_although_there_was_more_to_read, .init = begin_two, .fini = end_two)
{
    struct thi_conn *conn, *other;

    us.linger_ns = TH_S(5);
    conn = meet();
    other = them.conns[0];
    parrot_say(other, 8 * TH_LINK_TURN_BYTES); /* unread: a plain close would send a reset */
    conn->leaves_when_said = true;
    parrot_say(conn, 200000);
    UNTIL(other->is_closed);
    cr_assert_eq(other->heard, 200000);
    cr_assert_not_null(strstr(other->why, "closed by the other side"), "%s", other->why);
    UNTIL(TAILQ_EMPTY(&us.tcp.streams));
}

Test(tcp, who_never_closes_is_waited_for_only_so_long, .init = begin_two, .fini = end_two)
{
    struct thi_conn *conn = meet();

    us.linger_ns = 1000;
    parrot_pause(them.conns[0], true); /* does not see our end */
    parrot_let_go(conn);
    thi_tcp_turn(&us.tcp, false);
    thi_tcp_turn(&us.tcp, false);
    cr_assert_not(TAILQ_EMPTY(&us.tcp.streams));
    thi_clock_advance(&parrot_clock, 1000);
    while (!TAILQ_EMPTY(&us.tcp.streams))
        thi_tcp_turn(&us.tcp, false);
    parrot_pause(them.conns[0], false);
}

Test(tcp, what_is_said_at_the_end_still_arrives, .init = begin_two)
{
    struct thi_conn *conn = meet(), *other = them.conns[0];

    conn->has_last_word = conn->leaves_when_said = true;
    thi_tcp_stop(&us.tcp);
    cr_assert_eq(conn->said, 1000);
    while (!other->is_closed)
        thi_tcp_turn(&them.tcp, false);
    cr_assert_eq(other->heard, 1000);
    end_two();
}

/* ---- a peer that is a bare socket ---- */

static int dial_bare(void)
{
    struct thi_sockaddr to = *thi_tcp_listens(&them.tcp, 0);
    int fd = socket(to.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert_eq(connect(fd, (struct sockaddr *)&to.storage, to.size), 0);
    return fd;
}

static struct thi_conn *last_guest(unsigned count)
{
    UNTIL(them.count == count);
    return them.conns[count - 1];
}

static void reset(int fd)
{
    struct linger at_once = { .l_onoff = 1 };

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd);
}

Test(tcp, a_half_closed_peer_is_gone, .init = begin_two, .fini = end_two)
{
    int fd = dial_bare();
    struct thi_conn *guest = last_guest(1);

    shutdown(fd, SHUT_WR);
    UNTIL(guest->is_closed);
    cr_assert_not_null(strstr(guest->why, "closed by the other side"), "%s", guest->why);
    cr_assert_not(guest->is_final);
    close(fd);
}

Test(tcp, a_reset_is_told_in_words, .init = begin_two, .fini = end_two)
{
    int fd = dial_bare();
    struct thi_conn *guest = last_guest(1);

    reset(fd);
    UNTIL(guest->is_closed);
    cr_assert_not_null(strstr(guest->why, "Connection reset by peer"), "%s", guest->why);
    cr_assert_eq(strncmp(guest->why, "127.0.0.1:", 10), 0, "%s", guest->why);
}

Test(tcp, a_reset_while_we_write_is_the_end, .init = begin_two, .fini = end_two)
{
    int fd = dial_bare();
    struct thi_conn *guest = last_guest(1);

    parrot_say(guest, 1000 * TH_LINK_TURN_BYTES);
    while (guest->said < TH_LINK_TURN_BYTES / 4)
        thi_tcp_turn(&them.tcp, false);
    reset(fd);
    UNTIL(guest->is_closed);
    cr_assert_neq(guest->why[0], '\0');
}

Test(tcp, a_broken_pipe_is_no_signal, .init = begin_two, .fini = end_two)
{
    int fd = dial_bare();
    struct thi_conn *guest = last_guest(1);

    parrot_pause(guest, true); /* so that we learn of it by writing */
    shutdown(fd, SHUT_WR);
    reset(fd);
    parrot_say(guest, 1000);
    UNTIL(guest->is_closed);
    cr_assert_not_null(strstr(guest->why, "Broken pipe"), "%s", guest->why);
}

Test(tcp, a_reset_before_we_accept_disturbs_nobody, .init = begin_two, .fini = end_two)
{
    for (unsigned i = 0; i < 5; i++)
        reset(dial_bare());
    us.mood = PARROT_LISTENS;
    meet();
}

Test(tcp, a_reset_of_one_that_lingers_ends_it, .init = begin_two, .fini = end_two)
{
    int fd = dial_bare();
    struct thi_conn *guest = last_guest(1);

    them.linger_ns = TH_S(100);
    parrot_let_go(guest);
    reset(fd);
    while (!TAILQ_EMPTY(&them.tcp.streams))
        thi_tcp_turn(&them.tcp, false);
}

/* ---- strangers ---- */

Test(tcp, one_host_has_so_many_strangers, .init = begin)
{
    const char *const listen[] = { "127.0.0.1:0", NULL };
    struct thi_tcp_options options = parrot_options(&them);
    int fds[4];
    char byte;

    options.listen = listen;
    options.strangers_per_host = 2;
    parrot_open_with(&them, &options);
    parrot_open(&us, NULL);
    for (unsigned i = 0; i < 4; i++)
        fds[i] = dial_bare();
    UNTIL(them.tcp.figures.turned_away == 2);
    cr_assert_eq(them.count, 2);
    cr_assert_eq(recv(fds[2], &byte, 1, 0), 0, "closed without a byte");
    cr_assert_eq(recv(fds[3], &byte, 1, 0), 0);
    cr_assert_not_null(strstr(them.note, "was turned away: too many connections"), "%s", them.note);
    them.conns[0]->has_greeted = true; /* no stranger any more: there is room for one */
    reset(fds[2]);
    fds[2] = dial_bare();
    UNTIL(them.count == 3);
    reset(fds[1]); /* nor is one that has left */
    UNTIL(them.conns[1]->is_closed);
    fds[1] = dial_bare();
    UNTIL(them.count == 4);
    for (unsigned i = 0; i < 4; i++)
        close(fds[i]);
    parrot_close(&us);
    parrot_close(&them);
    parrot_end();
}

Test(tcp, whom_the_hub_refuses_is_closed, .init = begin_two, .fini = end_two)
{
    char byte;
    int fd;

    them.refuses = true;
    fd = dial_bare();
    UNTIL(them.tcp.figures.turned_away == 1);
    cr_assert_eq(recv(fd, &byte, 1, 0), 0);
    close(fd);
}

/* ---- time, other threads, signals ---- */

Test(tcp, the_hubs_deadline_comes, .init = begin_two, .fini = end_two)
{
    us.tcp.carrier.ops->timer(&us.tcp.carrier, thi_clock_now(&parrot_clock) + TH_S(1000));
    thi_tcp_turn(&us.tcp, false);
    thi_clock_advance(&parrot_clock, TH_S(1000) - 1);
    thi_tcp_turn(&us.tcp, false);
    cr_assert_eq(us.ticks, 0);
    thi_clock_advance(&parrot_clock, 1);
    thi_tcp_turn(&us.tcp, false);
    cr_assert_eq(us.ticks, 1);
    thi_tcp_turn(&us.tcp, false);
    cr_assert_eq(us.ticks, 1, "once");
}

Test(tcp, a_real_deadline_ends_a_wait, .init = begin)
{
    struct thi_tcp_options options;
    struct thi_clock real;

    thi_clock_init_real(&real);
    options = parrot_options(&us);
    options.clock = &real;
    parrot_open_with(&us, &options);
    us.tcp.carrier.ops->timer(&us.tcp.carrier, thi_clock_now(&real) + TH_MS(3));
    while (us.ticks == 0)
        thi_tcp_turn(&us.tcp, true);
    parrot_close(&us);
    parrot_end();
}

static _Atomic unsigned rings_seen;

static void count_ring(void *host, uint64_t now)
{
    (void)host;
    (void)now;
    rings_seen++;
}

Test(tcp, a_thread_of_its_own_hears_every_ring, .init = begin)
{
    struct thi_tcp_options options = parrot_options(&us);
    struct thi_clock real;
    char why[256];

    thi_clock_init_real(&real);
    options.clock = &real;
    options.rung = count_ring;
    cr_assert_eq(thi_tcp_open(&us.tcp, &options, why, sizeof(why)), TH_OK);
    cr_assert_eq(thi_tcp_start(&us.tcp, &us.hub), TH_OK);
    for (unsigned i = 0; i < 1000; i++) {
        unsigned before = rings_seen;

        thi_tcp_ring(&us.tcp);
        while (rings_seen == before) /* each is heard after it was rung */
            ;
    }
    parrot_close(&us);
    parrot_end();
}

static void ignore(int sig)
{
    (void)sig;
}

Test(tcp, a_storm_of_signals_costs_nothing, .init = begin_two, .fini = end_two)
{
    struct sigaction action = { .sa_handler = ignore }; /* no SA_RESTART: every call may fail */
    struct itimerval often = { { 0, 1000 }, { 0, 1000 } }, never = { { 0, 0 }, { 0, 0 } };

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    them.mood = PARROT_REPEATS;
    talk();
    setitimer(ITIMER_REAL, &never, NULL);
}

/* ---- without memory ---- */

static bool converse(uint64_t nth)
{
    struct thi_conn *conn;
    const char *why;
    bool tripped;

    parrot_open(&them, "127.0.0.1:0");
    parrot_open(&us, NULL);
    parrot_at(&them, at);
    conn = parrot_conn(&us);
    thi_memory_inject(&parrot_memory, nth, false);
    if (us.tcp.carrier.ops->dial(&us.tcp.carrier, conn, at, &why) != TH_OK) {
        conn->is_closed = true;
    } else {
        parrot_say(conn, 1000);
        UNTIL(conn->is_closed || (them.count > 0 && them.conns[0]->heard == 1000));
    }
    tripped = !thi_memory_is_armed(&parrot_memory) ||
              thi_memory_takes(&parrot_memory) >= parrot_memory.fail_at;
    thi_memory_inject(&parrot_memory, 0, false);
    parrot_close(&us);
    parrot_close(&them);
    return tripped;
}

Test(tcp, each_allocation_may_fail, .init = begin, .fini = parrot_end)
{
    uint64_t nth = 1;

    while (converse(nth))
        nth++;
    cr_assert_geq(nth, 4, "a stream, a dial and an attempt of ours, a stream of theirs");
}
