/* Whom we dial: names, several addresses, and everything that can come of it, in words. */
#include "parrot.h"

#include <netinet/in.h>
#include <semaphore.h>
#include <unistd.h>

static struct parrot us, them;
static char at[THI_HOSTPORT_SIZE];
static unsigned port;

#define UNTIL(claim) PARROT_UNTIL(&us, &them, claim)

/* ---- a resolver of ours ---- */

static sem_t gate;        /* "slow" waits for it */
static _Atomic int asked; /* how often it was */

static unsigned put(struct thi_sockaddr *out, const char *literal)
{
    struct thi_hostport host = { .port = 0 };

    snprintf(host.host, sizeof(host.host), "%s", literal);
    return thi_hostport_literal(&host, out) ? 1 : 0;
}

static unsigned resolve(void *context, const char *host, struct thi_sockaddr *out, unsigned max,
                        char *why, size_t why_size)
{
    (void)context;
    (void)max;
    asked++;
    if (strncmp(host, "slow", 4) == 0) {
        sem_wait(&gate);
        return put(out, "127.0.0.1");
    }
    if (strcmp(host, "here") == 0)
        return put(out, "127.0.0.1");
    if (strcmp(host, "two") == 0) /* nobody at the first */
        return put(out, "127.0.0.2") + put(out + 1, "127.0.0.1");
    if (strcmp(host, "none") == 0)
        return put(out, "127.0.0.2") + put(out + 1, "127.0.0.3");
    if (strcmp(host, "away") == 0)
        return put(out, "192.0.2.1") + put(out + 1, "2001:db8::1");
    snprintf(why, why_size, "nobody is called that");
    return 0;
}

static void begin(void)
{
    const char *const listen[] = { "127.0.0.1:0", NULL };
    struct thi_tcp_options options;

    parrot_begin();
    asked = 0;
    sem_init(&gate, 0, 0);
    options = parrot_options(&them);
    options.listen = listen;
    parrot_open_with(&them, &options);
    options = parrot_options(&us);
    options.resolve = resolve;
    parrot_open_with(&us, &options);
    parrot_at(&them, at);
    port = thi_sockaddr_port(thi_tcp_listens(&them.tcp, 0));
}

static void end(void)
{
    parrot_close(&us);
    parrot_close(&them);
    parrot_end();
}

static const char *with_port(const char *host)
{
    static char text[4][THI_HOST_SIZE + 8];
    static unsigned next;
    char *out = text[next++ % 4];

    snprintf(out, sizeof(text[0]), "%s:%u", host, port);
    return out;
}

/* ---- names ---- */

Test(dial, a_name_is_looked_up, .init = begin, .fini = end)
{
    struct thi_conn *conn = parrot_dial(&us, with_port("here"));

    UNTIL(conn->is_opened);
    cr_assert_str_eq(conn->far.address, at);
    cr_assert_eq(asked, 1);
}

Test(dial, a_literal_asks_nobody, .init = begin, .fini = end)
{
    struct thi_conn *conn = parrot_dial(&us, at);

    UNTIL(conn->is_opened);
    cr_assert_eq(asked, 0);
}

Test(dial, an_unknown_name_is_told_in_words, .init = begin, .fini = end)
{
    struct thi_conn *conn = parrot_dial(&us, with_port("nowhere.invalid"));

    UNTIL(conn->is_closed);
    cr_assert_str_eq(conn->why, "nowhere.invalid: nobody is called that");
    cr_assert_not(conn->is_final, "it may be known later");
    cr_assert_eq(us.tcp.figures.failed, 1);
}

/* K2 */
Test(dial, one_name_does_not_hold_up_another, .init = begin, .fini = end)
{
    struct thi_conn *slow = parrot_dial(&us, with_port("slow"));
    struct thi_conn *here = parrot_dial(&us, with_port("here"));

    UNTIL(here->is_opened); /* while the other's resolver thinks */
    cr_assert_not(slow->is_opened);
    sem_post(&gate);
    UNTIL(slow->is_opened);
}

/* K1 */
Test(dial, a_name_is_asked_for_once_at_a_time, .init = begin, .fini = end)
{
    struct thi_conn *slow[10];

    for (unsigned i = 0; i < 10; i++)
        slow[i] = parrot_dial(&us, with_port("slow"));
    sem_post(&gate);
    for (unsigned i = 0; i < 10; i++)
        UNTIL(slow[i]->is_opened);
    cr_assert_eq(asked, 1);
    sem_post(&gate);
    slow[0] = parrot_dial(&us, with_port("slow"));
    UNTIL(slow[0]->is_opened);
    cr_assert_eq(asked, 2, "an answer is not kept");
}

Test(dial, names_past_the_limit_wait_their_turn, .init = begin, .fini = end)
{
    struct thi_conn *slow[TH_LINK_LOOKUPS_MAX], *here;
    char name[16];

    for (unsigned i = 0; i < TH_LINK_LOOKUPS_MAX; i++) {
        snprintf(name, sizeof(name), "slow%u", i);
        slow[i] = parrot_dial(&us, with_port(name));
    }
    UNTIL(asked == TH_LINK_LOOKUPS_MAX);
    here = parrot_dial(&us, with_port("here"));
    cr_assert_eq(us.tcp.lookups.under_way, TH_LINK_LOOKUPS_MAX);
    sem_post(&gate);
    UNTIL(here->is_opened);
    for (unsigned i = 0; i < TH_LINK_LOOKUPS_MAX; i++)
        sem_post(&gate);
    for (unsigned i = 0; i < TH_LINK_LOOKUPS_MAX; i++)
        UNTIL(slow[i]->is_opened);
}

Test(dial, who_waits_for_a_name_can_be_let_go, .init = begin, .fini = end)
{
    struct thi_conn *conn = parrot_dial(&us, with_port("slow"));
    struct thi_conn *other = parrot_dial(&us, with_port("slow"));

    parrot_let_go(conn);
    sem_post(&gate);
    UNTIL(other->is_opened);
    cr_assert_not(conn->is_opened);
}

Test(dial, a_name_without_an_answer_is_given_up, .init = begin, .fini = end)
{
    struct thi_conn *conn = parrot_dial(&us, with_port("slow"));

    thi_tcp_turn(&us.tcp, false);
    thi_clock_advance(&parrot_clock, TH_LINK_CONNECT_NS);
    UNTIL(conn->is_closed);
    cr_assert_str_eq(conn->why, "slow: the name was not found in time");
    sem_post(&gate);
}

Test(dial, stopping_waits_for_the_resolver_only, .init = begin, .fini = end)
{
    parrot_dial(&us, with_port("slow"));
    parrot_dial(&us, with_port("slow2"));
    thi_tcp_turn(&us.tcp, false);
    sem_post(&gate);
    sem_post(&gate);
}

/* ---- several addresses ---- */

Test(dial, the_next_address_is_tried_when_one_refuses, .init = begin, .fini = end)
{
    struct thi_conn *conn = parrot_dial(&us, with_port("two"));

    UNTIL(conn->is_opened); /* no time passes for it: the clock stands */
    cr_assert_str_eq(conn->far.address, at);
}

Test(dial, all_that_refused_are_named, .init = begin, .fini = end)
{
    struct thi_conn *conn = parrot_dial(&us, with_port("none"));
    char expected[256];

    snprintf(expected, sizeof(expected),
             "none: 127.0.0.2:%u: Connection refused; 127.0.0.3:%u: Connection refused", port,
             port);
    UNTIL(conn->is_closed);
    cr_assert_str_eq(conn->why, expected);
    cr_assert_not(conn->is_final);
}

/* Listens at 127.0.0.2 with a queue that is full, so that whoever dials it hears nothing. */
static void make_silent(int *fds)
{
    struct sockaddr_in silent = { .sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1) };

    fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(fds[0], (struct sockaddr *)&silent, sizeof(silent)), 0);
    cr_assert_eq(listen(fds[0], 0), 0);
    cr_assert_eq(connect(fds[1], (struct sockaddr *)&silent, sizeof(silent)), 0);
}

Test(dial, an_address_that_is_silent_has_another_beside_it, .init = begin, .fini = end)
{
    struct thi_conn *conn;
    int fds[2];

    make_silent(fds);
    conn = parrot_dial(&us, with_port("two"));
    UNTIL(us.tcp.dialling.first &&
          us.tcp.dialling.first->when_ns == thi_clock_now(&parrot_clock) + TH_LINK_STAGGER_NS);
    cr_assert_not(conn->is_opened);
    thi_clock_advance(&parrot_clock, TH_LINK_STAGGER_NS);
    UNTIL(conn->is_opened);
    cr_assert_str_eq(conn->far.address, at);
    close(fds[0]);
    close(fds[1]);
}

Test(dial, silence_is_given_up_in_time, .init = begin, .fini = end)
{
    struct thi_conn *conn;
    int fds[2];

    make_silent(fds);
    conn = parrot_dial(&us, with_port("127.0.0.2"));
    UNTIL(us.tcp.dialling.first &&
          us.tcp.dialling.first->when_ns > thi_clock_now(&parrot_clock)); /* it is under way */
    thi_clock_advance(&parrot_clock, TH_LINK_CONNECT_NS);
    UNTIL(conn->is_closed);
    cr_assert_str_eq(conn->why, "no answer in time");
    close(fds[0]);
    close(fds[1]);
}

/* ---- what is no address, or not allowed ---- */

static void refused(const char *address, th_err expected, const char *words)
{
    struct thi_conn *conn = parrot_conn(&us);
    const char *why = NULL;

    cr_assert_eq(us.tcp.carrier.ops->dial(&us.tcp.carrier, conn, address, &why), expected, "%s",
                 address);
    cr_assert_str_eq(why, words);
    conn->is_closed = true;
}

#define BEYOND                                                                                     \
    "beyond this machine anybody could read and speak: give certificates, or set insecure"

Test(dial, what_is_no_address_is_refused_at_once, .init = begin, .fini = end)
{
    refused("", TH_E_PARSE, ": there is no port: it is host:port");
    refused("a", TH_E_PARSE, "a: there is no port: it is host:port");
    refused("a:b", TH_E_PARSE, "a:b: the port is a number from 0 to 65535");
    refused(":1900", TH_E_PARSE, ":1900: a host and a port are needed to dial");
    refused("a:0", TH_E_PARSE, "a:0: a host and a port are needed to dial");
    refused("192.0.2.1:1900", TH_E_NOT_ALLOWED, "192.0.2.1:1900: " BEYOND);
    refused("[2001:db8::1]:1", TH_E_NOT_ALLOWED, "[2001:db8::1]:1: " BEYOND);
    cr_assert(TAILQ_EMPTY(&us.tcp.streams));
}

Test(dial, a_name_may_not_lead_out_either, .init = begin, .fini = end)
{
    struct thi_conn *conn = parrot_dial(&us, "away:1900");

    UNTIL(conn->is_closed);
    cr_assert_str_eq(conn->why, "away: 192.0.2.1:1900: " BEYOND "; [2001:db8::1]:1900: " BEYOND);
    cr_assert(conn->is_final, "dialling again cannot help");
}

Test(dial, the_machines_resolver_knows_this_machine, .init = begin, .fini = end)
{
    struct thi_sockaddr found[TH_LINK_ADDRESSES_MAX];
    char why[128] = "";
    unsigned count =
        thi_resolve_system(NULL, "localhost", found, TH_LINK_ADDRESSES_MAX, why, sizeof(why));

    cr_assert_geq(count, 1, "%s", why);
    for (unsigned i = 0; i < count; i++)
        cr_assert(thi_sockaddr_is_loopback(&found[i]));
}
