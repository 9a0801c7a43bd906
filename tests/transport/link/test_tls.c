/* The carrier over TLS: with certificates that tools/thespis-cert.sh has made, on real sockets. Who
 * is not to be believed is refused, and both sides are told why in words.
 *
 * Past 500 lines: every way to be refused is a test of its own. */
#include "parrot.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "transport/link/tls.h"

static struct parrot us, them;
static struct thi_tls *our_tls, *their_tls;
static char at[THI_HOSTPORT_SIZE];
static char folder[32];
static struct thi_tls_options ours, theirs;

#define UNTIL(claim) PARROT_UNTIL(&us, &them, claim)

/* ---- certificates ---- */

/* "a.pem" of our folder; "other/x.pem" of another authority's. */
static const char *file(const char *name)
{
    static char paths[16][256];
    static unsigned next;
    char *path = paths[next++ % 16];

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static void run(const char *what)
{
    char command[1024];

    snprintf(command, sizeof(command), "%s/tools/thespis-cert.sh %s", TESTS_ROOT, what);
    cr_assert_eq(system(command), 0, "%s", command);
}

static void make_certificates(void)
{
    char what[512];

    snprintf(folder, sizeof(folder), "/tmp/thespis-tls-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(what, sizeof(what), "%s a b c", folder);
    run(what);
    snprintf(what, sizeof(what), "--revoke %s c", folder);
    run(what);
    snprintf(what, sizeof(what), "%s/other x", folder);
    run(what);
}

static struct thi_tls_options bearing(const char *certificate, const char *key)
{
    struct thi_tls_options options = { .certificate = file(certificate),
                                       .key = file(key),
                                       .authorities = file("authority.pem") };
    return options;
}

static void begin(void)
{
    parrot_begin();
    make_certificates();
    ours = bearing("a.pem", "a.key");
    theirs = bearing("b.pem", "b.key");
}

static void end(void)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -rf %s", folder);
    cr_assert_eq(system(command), 0);
    parrot_end();
}

static void open_two(void)
{
    const char *const listen[] = { "127.0.0.1:0", NULL };
    struct thi_tcp_options options = parrot_options(&them);
    char why[256] = "";

    cr_assert_eq(thi_tls_create(&their_tls, &theirs, &parrot_memory, why, sizeof(why)), TH_OK, "%s",
                 why);
    cr_assert_eq(thi_tls_create(&our_tls, &ours, &parrot_memory, why, sizeof(why)), TH_OK, "%s",
                 why);
    options.tls = their_tls;
    options.listen = listen;
    parrot_open_with(&them, &options);
    options = parrot_options(&us);
    options.tls = our_tls;
    parrot_open_with(&us, &options);
    parrot_at(&them, at);
}

static void close_two(void)
{
    parrot_close(&us);
    parrot_close(&them);
    thi_tls_destroy(our_tls);
    thi_tls_destroy(their_tls);
}

static void begin_two(void)
{
    begin();
    open_two();
}

static void end_two(void)
{
    close_two();
    end();
}

static struct thi_conn *meet(void)
{
    struct thi_conn *conn = parrot_dial(&us, at);

    UNTIL(conn->is_closed || (conn->is_opened && them.count > 0));
    cr_assert(conn->is_opened, "%s", conn->why);
    return conn;
}

/* ---- bytes ---- */

Test(tls, what_is_said_arrives_and_each_knows_the_other, .init = begin_two, .fini = end_two)
{
    struct thi_conn *conn;
    uint64_t size = 3 * TH_LINK_TURN_BYTES + 12345;

    them.mood = PARROT_REPEATS;
    conn = meet();
    cr_assert(conn->far.is_authenticated && them.conns[0]->far.is_authenticated);
    cr_assert_str_eq(conn->far.subject, "b");
    cr_assert_str_eq(them.conns[0]->far.subject, "a");
    parrot_say(conn, size);
    UNTIL(conn->heard == size);
    cr_assert_gt(us.tcp.figures.bytes_out, size, "encrypted");
}

Test(tls, both_speak_at_once_in_small_bites_too, .init = begin_two, .fini = end_two)
{
    struct thi_conn *conn;

    them.to_say = 5 * TH_LINK_TURN_BYTES;
    conn = meet();
    conn->bite = 77;
    parrot_say(conn, 100000);
    UNTIL(conn->heard == 5 * TH_LINK_TURN_BYTES && them.conns[0]->heard == 100000);
}

Test(tls, who_pauses_loses_nothing, .init = begin_two, .fini = end_two)
{
    struct thi_conn *conn = meet(), *other = them.conns[0];
    uint64_t size = 40 * TH_LINK_TURN_BYTES;

    parrot_pause(other, true);
    parrot_say(conn, size);
    UNTIL(TAILQ_FIRST(&us.tcp.streams)->rest);
    for (unsigned i = 0; i < 10; i++) {
        thi_tcp_turn(&us.tcp, false);
        cr_assert_leq(TAILQ_FIRST(&us.tcp.streams)->rest_size, TH_LINK_READ_SIZE, "Z1");
    }
    parrot_pause(other, false);
    UNTIL(other->heard == size);
    UNTIL(!TAILQ_FIRST(&us.tcp.streams)->rest);
}

/* ---- the end ---- */

Test(tls, the_last_word_arrives_and_then_the_goodbye, .init = begin_two, .fini = end_two)
{
    struct thi_conn *conn, *other;
    uint64_t size = 20 * TH_LINK_TURN_BYTES; /* more than the kernel takes: some is a rest */

    us.linger_ns = TH_S(5);
    conn = meet();
    other = them.conns[0];
    parrot_say(other, 8 * TH_LINK_TURN_BYTES); /* unread */
    conn->leaves_when_said = true;
    parrot_say(conn, size);
    UNTIL(other->is_closed);
    cr_assert_eq(other->heard, size);
    cr_assert_not_null(strstr(other->why, "closed by the other side"), "%s", other->why);
    UNTIL(TAILQ_EMPTY(&us.tcp.streams));
}

Test(tls, what_is_cut_off_is_no_end, .init = begin_two, .fini = end_two)
{
    struct thi_conn *conn = meet();

    parrot_say(them.conns[0], 1000);
    UNTIL(conn->heard == 1000);
    them.conns[0]->is_closed = true;
    thi_stream_end(them.conns[0]->stream); /* a FIN without TLS's goodbye, as anybody can forge */
    UNTIL(conn->is_closed);
    cr_assert_not_null(strstr(conn->why, "cut off, without the other side's goodbye"), "%s",
                       conn->why);
    cr_assert_not(conn->is_final);
}

/* ---- whom we do not believe ---- */

#define REFUSED "the other side's certificate is refused: "
#define REFUSES "the other side refuses our certificate: "

static void begin_refusal(const char *here, const char *there, bool accepted_refuses)
{
    struct thi_conn *conn;

    open_two();
    conn = parrot_dial(&us, at);
    UNTIL(conn->is_closed && them.tcp.figures.handshakes_failed == 1);
    cr_assert_not_null(strstr(conn->why, here), "we hear: %s", conn->why);
    cr_assert_not_null(strstr(them.note, there), "they hear: %s", them.note);
    cr_assert(conn->is_final);
    cr_assert_eq(conn->is_opened, accepted_refuses,
                 "who dials is through with its part before the other has looked");
    cr_assert_eq(them.count, 0, "the hub never hears of him");
    cr_assert_eq(conn->heard, 0);
    close_two();
}

/* They refuse us. */
static void are_refused(const char *here, const char *there)
{
    begin_refusal(here, there, true);
}

Test(tls, who_signed_himself, .init = begin, .fini = end)
{
    ours = bearing("other/authority.pem", "other/authority.key");
    are_refused(REFUSES "no authority that they believe has signed it", REFUSED "it signed itself");
}

Test(tls, of_another_authority, .init = begin, .fini = end)
{
    ours = bearing("other/x.pem", "other/x.key");
    are_refused(REFUSES "no authority that they believe has signed it",
                REFUSED "no authority that we believe has signed it");
}

Test(tls, expired, .init = begin, .fini = end)
{
    theirs.now_s = (uint64_t)time(NULL) + 1000ull * 24 * 3600;
    are_refused(REFUSES "it has expired, or is not valid yet", REFUSED "it has expired");
}

Test(tls, not_valid_yet, .init = begin, .fini = end)
{
    theirs.now_s = 1;
    are_refused(REFUSES "it", REFUSED "it is not valid yet: is a clock wrong?");
}

Test(tls, of_another_name, .init = begin, .fini = end)
{
    static const char *const names[] = { "b", "aa", "", NULL };

    theirs.names = names;
    are_refused(REFUSES "it is bad, or its name is not among theirs",
                REFUSED "its name is not among those that we talk to");
}

Test(tls, revoked, .init = begin, .fini = end)
{
    ours = bearing("c.pem", "c.key");
    theirs.revoked = file("revoked.pem");
    are_refused(REFUSES "it was revoked", REFUSED "it was revoked");
}

Test(tls, and_who_dials_looks_as_well, .init = begin, .fini = end)
{
    static const char *const names[] = { "a", NULL };

    ours.names = names;
    begin_refusal(REFUSED "its name is not among those that we talk to",
                  REFUSES "it is bad, or its name is not among theirs", false);
}

Test(tls, a_listed_name_that_is_not_revoked_is_let_in, .init = begin, .fini = end)
{
    static const char *const names[] = { "nobody", "a", NULL };

    theirs.names = names;
    theirs.revoked = file("revoked.pem");
    open_two();
    meet();
    close_two();
}

/* ---- who does not even speak it ---- */

static int dial_bare(void)
{
    struct thi_sockaddr to = *thi_tcp_listens(&them.tcp, 0);
    int fd = socket(to.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert_eq(connect(fd, (struct sockaddr *)&to.storage, to.size), 0);
    return fd;
}

/* A client of plain OpenSSL, that speaks at most @version and has no certificate. */
static void dial_openssl(int version)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(context);
    int fd = dial_bare();

    cr_assert_eq(SSL_set_max_proto_version(ssl, version), 1);
    SSL_set_fd(ssl, fd);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    while (them.tcp.figures.handshakes_failed == 0) {
        char byte;

        if (SSL_connect(ssl) == 1)
            cr_assert_leq(SSL_read(ssl, &byte, 1), 0);
        thi_tcp_turn(&them.tcp, false);
    }
    ERR_clear_error();
    SSL_free(ssl);
    SSL_CTX_free(context);
    close(fd);
    cr_assert_eq(them.count, 0);
}

Test(tls, without_a_certificate, .init = begin_two, .fini = end_two)
{
    dial_openssl(TLS1_3_VERSION);
    cr_assert_not_null(strstr(them.note, "the other side has no certificate"), "%s", them.note);
}

Test(tls, of_an_older_version, .init = begin_two, .fini = end_two)
{
    dial_openssl(TLS1_2_VERSION);
    cr_assert_not_null(strstr(them.note, "does not speak TLS 1.3"), "%s", them.note);
}

static void say_bare(const char *bytes, size_t size, const char *words)
{
    int fd = dial_bare();

    cr_assert_eq(send(fd, bytes, size, 0), (ssize_t)size);
    UNTIL(them.tcp.figures.handshakes_failed == 1);
    cr_assert_not_null(strstr(them.note, words), "%s", them.note);
    cr_assert_eq(them.count, 0);
    close(fd);
}

Test(tls, garbage, .init = begin_two, .fini = end_two)
{
    say_bare("nothing that TLS would begin with", 33,
             "what came is not TLS: has the other side no certificates?");
}

Test(tls, http, .init = begin_two, .fini = end_two)
{
    say_bare("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27,
             "what came is not TLS: has the other side no certificates?");
}

Test(tls, we_dial_one_who_does_not_speak_it, .init = begin, .fini = end)
{
    struct parrot plain = { .to_say = 1000, .mood = PARROT_IGNORES };
    struct thi_conn *conn;

    open_two();
    parrot_open(&plain, "127.0.0.1:0");
    conn = parrot_dial(&us, parrot_at(&plain, at));
    PARROT_UNTIL(&us, &plain, conn->is_closed);
    cr_assert_not_null(strstr(conn->why, "what came is not TLS"), "%s", conn->why);
    cr_assert_not(conn->is_final, "it may be given certificates");
    parrot_close(&plain);
    close_two();
}

/* ---- strangers ---- */

Test(tls, who_takes_too_long_is_cut, .init = begin_two, .fini = end_two)
{
    int fds[TH_LINK_STRANGERS_PER_HOST];
    char byte;

    for (unsigned i = 0; i < TH_LINK_STRANGERS_PER_HOST; i++)
        fds[i] = dial_bare();
    UNTIL(them.tcp.stranger_count == TH_LINK_STRANGERS_PER_HOST);
    for (unsigned i = 0; i < TH_LINK_STRANGERS_PER_HOST; i++)
        cr_assert_eq(send(fds[i], "\x16", 1, 0), 1); /* how a handshake begins */
    thi_clock_advance(&parrot_clock, TH_LINK_HANDSHAKE_NS - 1);
    for (unsigned i = 0; i < 5; i++)
        thi_tcp_turn(&them.tcp, false);
    cr_assert_eq(them.tcp.figures.handshakes_failed, 0);
    thi_clock_advance(&parrot_clock, 1);
    UNTIL(them.tcp.figures.handshakes_failed == TH_LINK_STRANGERS_PER_HOST);
    cr_assert_not_null(strstr(them.note, "the handshake took too long"), "%s", them.note);
    cr_assert_eq(them.tcp.stranger_count, 0);
    cr_assert_eq(them.count, 0);
    for (unsigned i = 0; i < TH_LINK_STRANGERS_PER_HOST; i++) {
        cr_assert_leq(recv(fds[i], &byte, 1, 0), 0);
        close(fds[i]);
    }
    meet();
}

/* ---- somebody between ---- */

/* Passes on what one says to the other until they have hung up, and turns over a bit of byte @flip
 * of what we say. */
static void pass_on_flipped(uint64_t flip)
{
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(here);
    int door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one, two;
    char text[THI_HOSTPORT_SIZE], bytes[4096];
    struct thi_conn *conn;
    uint64_t passed = 0;
    unsigned before = them.count;

    cr_assert_lt(us.count, PARROT_CONNS);
    cr_assert_eq(bind(door, (struct sockaddr *)&here, sizeof(here)), 0);
    cr_assert_eq(listen(door, 1), 0);
    getsockname(door, (struct sockaddr *)&here, &size);
    snprintf(text, sizeof(text), "127.0.0.1:%u", ntohs(here.sin_port));
    conn = parrot_dial(&us, text);
    parrot_say(conn, 300);
    UNTIL(TAILQ_FIRST(&us.tcp.streams)->state != THI_STREAM_DIALLING);
    one = accept(door, NULL, NULL);
    two = dial_bare();
    fcntl(one, F_SETFL, O_NONBLOCK);
    fcntl(two, F_SETFL, O_NONBLOCK);
    for (unsigned quiet = 0; !conn->is_closed; quiet++) {
        ssize_t there = recv(one, bytes, sizeof(bytes), 0), back;

        if (there > 0) {
            if (passed <= flip && flip < passed + (uint64_t)there)
                bytes[flip - passed] ^= 1;
            passed += (uint64_t)there;
            (void)send(two, bytes, (size_t)there, MSG_NOSIGNAL);
        }
        back = recv(two, bytes, sizeof(bytes), 0);
        if (back > 0)
            (void)send(one, bytes, (size_t)back, MSG_NOSIGNAL);
        if (back == 0)
            shutdown(one, SHUT_WR);
        if (there > 0 || back > 0)
            quiet = 0;
        if (quiet == 100) /* a length that was turned over: it waits for what never comes */
            thi_clock_advance(&parrot_clock, TH_LINK_HANDSHAKE_NS);
        thi_tcp_turn(&us.tcp, false);
        thi_tcp_turn(&them.tcp, false);
    }
    cr_assert_gt(passed, flip, "the byte was not reached");
    cr_assert_eq(them.count, before, "a byte that was turned over, at %llu, was believed",
                 (unsigned long long)flip);
    close(one);
    close(two);
    close(door);
    while (!TAILQ_EMPTY(&them.tcp.streams) || !TAILQ_EMPTY(&us.tcp.streams)) {
        thi_tcp_turn(&us.tcp, false);
        thi_tcp_turn(&them.tcp, false);
    }
}

Test(tls, a_bit_turned_over_on_the_way_is_noticed, .init = begin_two, .fini = end_two)
{
    /* a record's type and version are not believed by anybody in TLS 1.3 but for their use, so the
     * first bytes of a greeting are left out */
    for (uint64_t flip = 6; flip < 1000; flip += 31)
        pass_on_flipped(flip);
}

/* ---- files ---- */

static void is_refused(const char *what, const char *name, const char *words)
{
    struct thi_tls *tls = NULL;
    char why[400] = "", expected[400];

    snprintf(expected, sizeof(expected), "%s %s: %s", what, name, words);
    cr_assert_neq(thi_tls_create(&tls, &ours, &parrot_memory, why, sizeof(why)), TH_OK);
    cr_assert_str_eq(why, expected);
    ours = bearing("a.pem", "a.key");
}

Test(tls, what_is_wrong_with_a_file_is_said_at_the_start, .init = begin, .fini = end)
{
    struct thi_tls_options none = { 0 };
    struct thi_tls *tls = NULL;
    char why[256], command[512];

    ours.certificate = file("nothere.pem");
    is_refused("certificate", file("nothere.pem"), "No such file or directory");
    ours.certificate = file("a.key");
    is_refused("certificate", file("a.key"),
               "there is nothing of that kind in it (PEM is expected)");
    ours.key = file("nothere.key");
    is_refused("key", file("nothere.key"), "No such file or directory");
    ours.key = file("a.pem");
    is_refused("key", file("a.pem"), "there is nothing of that kind in it (PEM is expected)");
    ours.key = file("b.key");
    is_refused("key", file("b.key"), "it does not belong to the certificate");
    ours.authorities = file("nothere.pem");
    is_refused("authorities", file("nothere.pem"), "No such file or directory");
    ours.revoked = file("nothere.pem");
    is_refused("list of revoked certificates", file("nothere.pem"), "No such file or directory");
    snprintf(command, sizeof(command),
             "openssl ec -in %s -aes128 -passout pass:secret -out %s 2>/dev/null", file("a.key"),
             file("locked.key"));
    cr_assert_eq(system(command), 0);
    ours.key = file("locked.key");
    is_refused("key", file("locked.key"), "it is encrypted");
    cr_assert_eq(thi_tls_create(&tls, &none, &parrot_memory, why, sizeof(why)), TH_E_INVALID);
    cr_assert_str_eq(why, "TLS needs a certificate, its key and an authority");
}

/* ---- without memory ---- */

static bool converse(uint64_t nth)
{
    struct thi_conn *conn;
    const char *why;
    bool tripped;

    open_two();
    conn = parrot_conn(&us);
    thi_memory_inject(&parrot_memory, nth, false);
    if (us.tcp.carrier.ops->dial(&us.tcp.carrier, conn, at, &why) != TH_OK) {
        conn->is_closed = true;
    } else {
        conn->to_say = 1000;
        UNTIL(conn->is_closed || (them.count > 0 && them.conns[0]->heard == 1000));
    }
    tripped = thi_memory_takes(&parrot_memory) >= parrot_memory.fail_at;
    thi_memory_inject(&parrot_memory, 0, false);
    close_two();
    return tripped;
}

Test(tls, each_allocation_may_fail, .init = begin, .fini = end)
{
    uint64_t nth = 1;

    while (converse(nth))
        nth++;
    cr_assert_geq(nth, 6);
}
