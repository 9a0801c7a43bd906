/* parrot.h: a hub and connections that only say and repeat bytes, so that a carrier is tested by
 * what it does to them alone. It stands where hub.c and conn.c stand otherwise, so one test program
 * has one or the other.
 *
 * A parrot is a carrier with its hub. What a connection says is a pattern of which every byte's
 * place is known, so that one that is lost, doubled or moved is noticed. */
#ifndef TESTS_TRANSPORT_LINK_PARROT_H
#define TESTS_TRANSPORT_LINK_PARROT_H

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "tests/support/leaks.h"
#include "transport/link/hub.h"
#include "transport/link/tcp.h"

enum { PARROT_CONNS = 80, PARROT_PERIOD = 251, PARROT_ECHO = TH_LINK_READ_SIZE };

enum parrot_mood {
    PARROT_LISTENS, /* checks what comes against the pattern */
    PARROT_REPEATS, /* sends it back, and pauses while it has too much to say */
    PARROT_IGNORES  /* takes anything */
};

struct thi_conn {
    struct parrot *parrot;
    void *stream;
    enum parrot_mood mood;
    uint64_t to_say; /* bytes of the pattern still to be sent */
    uint64_t said, heard;
    size_t bite; /* most bytes it offers at once; 0: all */
    bool is_opened, is_closed, is_final, is_paused, has_greeted;
    bool leaves_when_said; /* closes once it has said all */
    bool has_last_word;    /* when all ends, and closes when it is said */
    char echo[PARROT_ECHO];
    size_t echo_used;
    char why[512];
    struct thi_far_end far;
};

struct parrot {
    struct thi_hub hub; /* first: it is found by it */
    struct thi_tcp tcp;
    struct thi_conn *conns[PARROT_CONNS];
    unsigned count;
    enum parrot_mood mood; /* of those who dial us */
    uint64_t to_say;       /* the same */
    bool refuses;          /* the hub takes nobody */
    unsigned ticks, rings, stops, notes;
    struct thi_conn *idle; /* what thi_hub_shed() closes */
    unsigned shed;
    uint64_t linger_ns;
    char note[512];
};

static struct leaks parrot_before;
static struct thi_memory parrot_memory;
static struct thi_clock parrot_clock; /* virtual, unless a test says otherwise */
static char parrot_words[PARROT_PERIOD + 64 * 1024];

/* ---- the hub ---- */

static struct parrot *parrot_of(struct thi_hub *hub)
{
    return (struct parrot *)(void *)hub;
}

TH_UNUSED static struct thi_conn *parrot_conn(struct parrot *parrot)
{
    struct thi_conn *conn = thi_memory_take(&parrot_memory, sizeof(*conn));

    if (!conn)
        return NULL;
    cr_assert_lt(parrot->count, PARROT_CONNS);
    parrot->conns[parrot->count++] = conn;
    conn->parrot = parrot;
    conn->mood = parrot->mood;
    conn->to_say = parrot->to_say;
    return conn;
}

struct thi_conn *thi_hub_accepted(struct thi_hub *hub, const struct thi_far_end *far, uint64_t now)
{
    struct thi_conn *conn = parrot_of(hub)->refuses ? NULL : parrot_conn(parrot_of(hub));

    (void)now;
    if (conn) {
        conn->is_opened = true;
        conn->far = *far;
    }
    return conn;
}

TH_UNUSED static void parrot_let_go(struct thi_conn *conn)
{
    struct thi_carrier *carrier = &conn->parrot->tcp.carrier;

    if (conn->is_closed)
        return;
    conn->is_closed = true;
    carrier->ops->close(carrier, conn, conn->parrot->linger_ns);
    conn->stream = NULL;
}

bool thi_hub_shed(struct thi_hub *hub, uint64_t now)
{
    struct thi_conn *idle = parrot_of(hub)->idle;

    (void)now;
    if (!idle)
        return false;
    parrot_of(hub)->idle = NULL;
    parrot_of(hub)->shed++;
    parrot_let_go(idle);
    return true;
}

void thi_hub_tick(struct thi_hub *hub, uint64_t now)
{
    (void)now;
    parrot_of(hub)->ticks++;
}

/* ---- connections ---- */

void thi_conn_set_stream(struct thi_conn *conn, void *stream)
{
    conn->stream = stream;
}

void *thi_conn_stream(const struct thi_conn *conn)
{
    return conn->stream;
}

bool thi_conn_has_greeted(const struct thi_conn *conn)
{
    return conn->has_greeted;
}

void thi_conn_opened(struct thi_conn *conn, const struct thi_far_end *far, uint64_t now)
{
    (void)now;
    cr_assert_not(conn->is_opened, "opened twice");
    conn->is_opened = true;
    conn->far = *far;
}

static void parrot_pause(struct thi_conn *conn, bool pause)
{
    struct thi_carrier *carrier = &conn->parrot->tcp.carrier;

    conn->is_paused = pause;
    carrier->ops->pause(carrier, conn, pause);
}

bool thi_conn_feed(struct thi_conn *conn, const void *bytes, size_t size, uint64_t now)
{
    struct thi_carrier *carrier = &conn->parrot->tcp.carrier;

    (void)now;
    cr_assert(conn->is_opened && !conn->is_closed && size > 0);
    cr_assert_not(conn->is_paused, "fed while it was paused");
    if (conn->mood == PARROT_LISTENS)
        for (size_t at = 0; at < size;) {
            size_t from = (conn->heard + at) % PARROT_PERIOD;
            size_t piece = sizeof(parrot_words) - from;

            piece = piece < size - at ? piece : size - at;
            cr_assert_eq(memcmp((const char *)bytes + at, parrot_words + from, piece), 0,
                         "another byte than was sent, after %llu", (unsigned long long)conn->heard);
            at += piece;
        }
    conn->heard += size;
    if (conn->mood == PARROT_REPEATS) {
        cr_assert_leq(conn->echo_used + size, sizeof(conn->echo));
        memcpy(conn->echo + conn->echo_used, bytes, size);
        conn->echo_used += size;
        parrot_pause(conn, true); /* a stop and go, so that both are tried often */
        carrier->ops->kick(carrier, conn);
    }
    return true;
}

unsigned thi_conn_pull(struct thi_conn *conn, struct iovec *pieces, unsigned count, uint64_t now)
{
    unsigned used = 0;
    uint64_t left = conn->to_say, from = conn->said;

    (void)now;
    cr_assert(conn->is_opened && !conn->is_closed);
    if (conn->mood == PARROT_REPEATS) {
        pieces[0] = (struct iovec){ conn->echo, conn->echo_used };
        return conn->echo_used > 0;
    }
    if (conn->bite && left > conn->bite)
        left = conn->bite;
    while (used < count && left > 0) {
        size_t at = from % PARROT_PERIOD, piece = 1 + from % 8000;

        piece = piece < left ? piece : (size_t)left;
        pieces[used++] = (struct iovec){ parrot_words + at, piece };
        from += piece;
        left -= piece;
    }
    return used;
}

void thi_conn_pulled(struct thi_conn *conn, size_t size, uint64_t now)
{
    (void)now;
    cr_assert(size > 0 && !conn->is_closed);
    if (conn->mood == PARROT_REPEATS) {
        cr_assert_leq(size, conn->echo_used);
        memmove(conn->echo, conn->echo + size, conn->echo_used - size);
        conn->echo_used -= size;
        if (conn->echo_used == 0)
            parrot_pause(conn, false);
        return;
    }
    cr_assert_leq(size, conn->to_say);
    conn->to_say -= size;
    conn->said += size;
    if (conn->to_say == 0 && conn->leaves_when_said)
        parrot_let_go(conn);
}

void thi_conn_closed(struct thi_conn *conn, const char *why, bool final, uint64_t now)
{
    (void)now;
    cr_assert_not(conn->is_closed, "closed twice");
    conn->is_closed = true;
    conn->is_final = final;
    conn->stream = NULL;
    snprintf(conn->why, sizeof(conn->why), "%s", why);
}

TH_UNUSED static void parrot_say(struct thi_conn *conn, uint64_t size)
{
    conn->to_say += size;
    conn->parrot->tcp.carrier.ops->kick(&conn->parrot->tcp.carrier, conn);
}

/* ---- the parrot ---- */

static void parrot_rung(void *host, uint64_t now)
{
    (void)now;
    ((struct parrot *)host)->rings++;
}

static void parrot_stopping(void *host, uint64_t now)
{
    struct parrot *parrot = host;

    (void)now;
    parrot->stops++;
    for (unsigned i = 0; i < parrot->count; i++) {
        struct thi_conn *conn = parrot->conns[i];

        if (conn->has_last_word && !conn->is_closed)
            parrot_say(conn, 1000);
        else
            parrot_let_go(conn);
    }
}

static void parrot_note(void *host, int level, const char *text)
{
    struct parrot *parrot = host;

    (void)level;
    parrot->notes++;
    snprintf(parrot->note, sizeof(parrot->note), "%s", text);
}

/* What a test may change before parrot_open_with(). */
TH_UNUSED static struct thi_tcp_options parrot_options(struct parrot *parrot)
{
    struct thi_tcp_options options = { .memory = &parrot_memory,
                                       .clock = &parrot_clock,
                                       .host = parrot,
                                       .rung = parrot_rung,
                                       .stopping = parrot_stopping,
                                       .note = parrot_note };
    return options;
}

static void parrot_work(uv_work_t *work)
{
    (void)work;
}

/* libuv keeps a pipe and four threads for the process from their first use on. */
static void parrot_start_libuv(void)
{
    uv_loop_t loop;
    uv_work_t work;

    uv_loop_init(&loop);
    uv_queue_work(&loop, &work, parrot_work, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
}

/* Before the first parrot. */
TH_UNUSED static void parrot_begin(void)
{
    parrot_start_libuv();
    parrot_before = leaks_look();
    cr_assert_eq(thi_memory_init(&parrot_memory, NULL, 0), TH_OK);
    thi_clock_init_virtual(&parrot_clock, 1);
    for (size_t i = 0; i < sizeof(parrot_words); i++)
        parrot_words[i] = (char)(i % PARROT_PERIOD);
}

/* After the last one: everything is back. */
TH_UNUSED static void parrot_end(void)
{
    cr_assert_eq(thi_memory_fini(&parrot_memory), 0, "bytes are still out");
    leaks_check(parrot_before);
}

TH_UNUSED static void parrot_open_with(struct parrot *parrot, const struct thi_tcp_options *options)
{
    char why[256] = "";

    cr_assert_eq(thi_tcp_open(&parrot->tcp, options, why, sizeof(why)), TH_OK, "%s", why);
    thi_tcp_start_here(&parrot->tcp, &parrot->hub);
}

/* Listens on @at (NULL: nowhere), and runs in the test's own turns. */
TH_UNUSED static void parrot_open(struct parrot *parrot, const char *at)
{
    const char *const listen[] = { at, NULL };
    struct thi_tcp_options options = parrot_options(parrot);

    options.listen = listen;
    parrot_open_with(parrot, &options);
}

TH_UNUSED static void parrot_close(struct parrot *parrot)
{
    thi_tcp_stop(&parrot->tcp);
    cr_assert_eq(parrot->stops, 1);
    thi_tcp_close(&parrot->tcp);
    for (unsigned i = 0; i < parrot->count; i++) {
        cr_assert(parrot->conns[i]->is_closed);
        thi_memory_give(&parrot_memory, parrot->conns[i], sizeof(*parrot->conns[i]));
    }
    memset(parrot, 0, sizeof(*parrot)); /* for the next test, where it has the same process */
}

/* "127.0.0.1:40123": where it is dialled. */
TH_UNUSED static const char *parrot_at(struct parrot *parrot, char *text)
{
    thi_sockaddr_print(thi_tcp_listens(&parrot->tcp, 0), text);
    return text;
}

TH_UNUSED static struct thi_conn *parrot_dial(struct parrot *parrot, const char *address)
{
    struct thi_conn *conn = parrot_conn(parrot);
    const char *why = "";

    cr_assert_eq(parrot->tcp.carrier.ops->dial(&parrot->tcp.carrier, conn, address, &why), TH_OK,
                 "%s", why);
    cr_assert_not(conn->is_opened || conn->is_closed, "called up from inside dial()");
    return conn;
}

/* Rounds of both until @claim is so; a test that waits for nothing hangs, and is stopped. */
#define PARROT_UNTIL(a, b, claim)                                                                  \
    while (!(claim)) {                                                                             \
        thi_tcp_turn(&(a)->tcp, false);                                                            \
        thi_tcp_turn(&(b)->tcp, false);                                                            \
    }

#endif
