/* Who dials us: which doors there are, and what happens when descriptors run out. */
#include "parrot.h"

#include <netinet/in.h>
#include <sys/resource.h>
#include <unistd.h>

static struct parrot us, them;
static char at[THI_HOSTPORT_SIZE];

#define UNTIL(claim) PARROT_UNTIL(&us, &them, claim)

static void begin(void)
{
    parrot_begin();
}

/* ---- which doors ---- */

static void fails(const char *address, bool insecure, th_err expected, const char *words)
{
    struct leaks before = leaks_look();
    const char *const listen[] = { address, NULL };
    struct thi_tcp_options options = parrot_options(&us);
    char why[256] = "";

    options.listen = listen;
    options.insecure = insecure;
    cr_assert_eq(thi_tcp_open(&us.tcp, &options, why, sizeof(why)), expected, "%s: %s", address,
                 why);
    cr_assert_str_eq(why, words);
    leaks_check(before);
}

Test(listen, what_cannot_be_is_said_in_words, .init = begin, .fini = parrot_end)
{
    fails("nonsense", false, TH_E_PARSE,
          "cannot listen on nonsense: there is no port: it is host:port");
    fails("192.0.2.9:0", true, TH_E_THREAD,
          "cannot listen on 192.0.2.9:0: Cannot assign requested address");
    fails("0.0.0.0:0", false, TH_E_NOT_ALLOWED,
          "cannot listen on 0.0.0.0:0: beyond this machine anybody could read and speak: give "
          "certificates, or set insecure");
    fails(":0", false, TH_E_NOT_ALLOWED,
          "cannot listen on [::]:0: beyond this machine anybody could read and speak: give "
          "certificates, or set insecure");
}

Test(listen, a_port_in_use_is_named, .init = begin, .fini = parrot_end)
{
    char words[160];

    parrot_open(&them, "127.0.0.1:0");
    snprintf(words, sizeof(words), "cannot listen on %s: another program has that port",
             parrot_at(&them, at));
    fails(at, false, TH_E_EXISTS, words);
    parrot_close(&them);
}

Test(listen, a_port_is_had_again_at_once, .init = begin, .fini = parrot_end)
{
    struct thi_conn *conn;

    parrot_open(&us, NULL);
    parrot_open(&them, "127.0.0.1:0");
    parrot_at(&them, at);
    conn = parrot_dial(&us, at);
    UNTIL(conn->is_opened && them.count == 1);
    parrot_let_go(them.conns[0]); /* they close first, so the port stays in TIME_WAIT */
    UNTIL(conn->is_closed);
    parrot_close(&them);
    parrot_open(&them, at);
    conn = parrot_dial(&us, at);
    UNTIL(conn->is_opened);
    parrot_close(&us);
    parrot_close(&them);
}

Test(listen, every_address_has_one_port, .init = begin, .fini = parrot_end)
{
    const char *const listen[] = { ":0", "127.0.0.1:0", NULL };
    struct thi_tcp_options options = parrot_options(&them);
    const struct thi_sockaddr *first;
    struct thi_conn *conn;
    unsigned count = 0;

    options.listen = listen;
    options.insecure = true;
    parrot_open_with(&them, &options);
    parrot_open(&us, NULL);
    first = thi_tcp_listens(&them.tcp, 0);
    while (thi_tcp_listens(&them.tcp, count)) {
        const struct thi_sockaddr *door = thi_tcp_listens(&them.tcp, count++);
        struct thi_hostport here = { .host = "127.0.0.1", .port = thi_sockaddr_port(door) };
        unsigned before = them.count;

        cr_assert_gt(here.port, 0);
        if (door->storage.ss_family == AF_INET6)
            snprintf(here.host, sizeof(here.host), "[::1]");
        snprintf(at, sizeof(at), "%.40s:%u", here.host, here.port);
        conn = parrot_dial(&us, at);
        UNTIL(conn->is_closed || them.count > before);
        cr_assert_eq(them.count, before + 1, "%s: %s", at, conn->why);
    }
    cr_assert_geq(count, 2);
    if (count == 3)
        cr_assert_eq(thi_sockaddr_port(first), thi_sockaddr_port(thi_tcp_listens(&them.tcp, 1)));
    else
        fprintf(stderr, "skipped: this machine has no IPv6\n");
    parrot_close(&us);
    parrot_close(&them);
}

/* ---- without descriptors ---- */

/* Uses up every descriptor that is left; how many. */
static unsigned use_up(int *fds, unsigned max)
{
    unsigned count = 0;

    while (count < max && (fds[count] = dup(0)) >= 0)
        count++;
    cr_assert_lt(count, max);
    return count;
}

static void give_back(int *fds, unsigned count)
{
    while (count > 0)
        close(fds[--count]);
}

static int dial_bare(void)
{
    struct thi_sockaddr to = *thi_tcp_listens(&them.tcp, 0);
    int fd = socket(to.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert_eq(connect(fd, (struct sockaddr *)&to.storage, to.size), 0);
    return fd;
}

static struct rlimit before;

static void allow_few(void)
{
    struct rlimit few;

    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = 40;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
}

static void allow_many(void)
{
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void limit(void)
{
    parrot_begin();
    allow_few();
    parrot_open(&them, "127.0.0.1:0");
    parrot_open(&us, NULL);
    parrot_at(&them, at);
}

static void end(void)
{
    allow_many();
    parrot_close(&us);
    parrot_close(&them);
    parrot_end();
}

static void turns(struct parrot *parrot, unsigned count)
{
    while (count-- > 0)
        thi_tcp_turn(&parrot->tcp, false);
}

Test(listen, who_comes_when_there_is_no_descriptor_waits_and_is_let_in, .init = limit, .fini = end)
{
    int fds[64], guests[4];
    unsigned used;

    for (unsigned i = 0; i < 4; i++)
        guests[i] = dial_bare();
    used = use_up(fds, 64);
    turns(&them, 10);
    cr_assert_eq(them.count, 1, "by the reserve");
    cr_assert_eq(them.tcp.reserve, -1);
    cr_assert_neq(them.tcp.accept_again_ns, UINT64_MAX, "the doors are closed");
    turns(&them, 100);
    cr_assert_eq(them.tcp.figures.short_of_descriptors, 1, "nothing spins while they are");
    thi_clock_advance(&parrot_clock, TH_LINK_ACCEPT_PAUSE_NS);
    turns(&them, 10);
    cr_assert_eq(them.count, 1, "still none");
    give_back(fds, used);
    thi_clock_advance(&parrot_clock, TH_LINK_ACCEPT_PAUSE_NS);
    turns(&them, 10);
    cr_assert_eq(them.count, 4, "all of them, nobody lost");
    cr_assert_geq(them.tcp.reserve, 0);
    cr_assert_eq(them.tcp.accept_again_ns, UINT64_MAX);
    give_back(guests, 4);
}

Test(listen, an_idle_connection_makes_room, .init = limit, .fini = end)
{
    int fds[64], guests[2];
    unsigned used;

    guests[0] = dial_bare();
    UNTIL(them.count == 1);
    guests[1] = dial_bare();
    used = use_up(fds, 64);
    them.idle = them.conns[0];
    them.linger_ns = TH_S(100);
    UNTIL(them.count == 2);
    cr_assert_eq(them.shed, 1);
    cr_assert_geq(them.tcp.reserve, 0, "it was not needed");
    give_back(fds, used);
    give_back(guests, 2);
}

Test(listen, a_connection_that_ends_opens_the_door, .init = limit, .fini = end)
{
    int fds[64], guests[3];
    unsigned used;

    for (unsigned i = 0; i < 3; i++)
        guests[i] = dial_bare();
    used = use_up(fds, 64);
    turns(&them, 10);
    cr_assert_eq(them.count, 1);
    parrot_let_go(them.conns[0]); /* its descriptor becomes the reserve, and that lets one in */
    UNTIL(them.count == 2);
    give_back(fds, used);
    give_back(guests, 3);
}

Test(listen, a_flood_of_one_host_is_turned_away_by_the_reserve, .init = begin, .fini = parrot_end)
{
    const char *const listen[] = { "127.0.0.1:0", NULL };
    struct thi_tcp_options options = parrot_options(&them);
    int fds[64], guests[6];
    unsigned used;

    allow_few();
    options.listen = listen;
    options.strangers_per_host = 1;
    parrot_open_with(&them, &options);
    for (unsigned i = 0; i < 6; i++)
        guests[i] = dial_bare();
    turns(&them, 1);
    used = use_up(fds, 64);
    while (them.tcp.figures.turned_away < 5)
        turns(&them, 1);
    cr_assert_eq(them.count, 1);
    cr_assert_geq(them.tcp.reserve, 0, "it is ours again");
    cr_assert_eq(them.tcp.accept_again_ns, UINT64_MAX);
    give_back(fds, used);
    give_back(guests, 6);
    allow_many();
    parrot_close(&them);
}

Test(listen, dialling_makes_room_or_says_why_not, .init = limit, .fini = end)
{
    struct thi_conn *first = parrot_dial(&us, at), *second;
    int fds[64];
    unsigned used;

    UNTIL(first->is_opened && them.count == 1);
    used = use_up(fds, 64);
    second = parrot_dial(&us, at);
    while (!second->is_closed)
        turns(&us, 1);
    cr_assert_not_null(strstr(second->why, "Too many open files"), "%s", second->why);
    cr_assert_not(second->is_final);
    us.idle = first;
    second = parrot_dial(&us, at);
    while (!second->is_opened)
        turns(&us, 1);
    cr_assert_eq(us.shed, 1);
    give_back(fds, used);
    UNTIL(them.count == 2);
}
