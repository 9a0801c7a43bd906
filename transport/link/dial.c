#include "transport/link/tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "transport/link/conn.h"

/* Dialling: a name may have several addresses, and each may answer, refuse or stay silent. They are
 * tried in turn, a new one every TH_LINK_STAGGER_NS or as soon as all those before have refused,
 * beside each other; the first that answers is taken (RFC 8305, "happy eyeballs").
 *
 * A dial belongs to its stream and ends before it does. Its step is when it wants to be looked at:
 * time for the next address, or for giving up. */

/* One address that is being tried. */
struct attempt {
    uv_poll_t poll; /* its data: the dial; NULL: it is over, and libuv has not let go yet */
    struct thi_memory *memory;
    int fd;
    unsigned index; /* of the address */
    struct attempt *next;
};

struct thi_dial {
    struct thi_stream *stream;
    struct thi_lookup lookup;
    struct thi_deadline step;
    uint64_t give_up_ns;
    struct attempt *attempts;
    unsigned next, count; /* of `all`, the addresses to try */
    bool is_forbidden;    /* each so far was one that may not be dialled */
    struct thi_hostport to;
    struct thi_sockaddr all[TH_LINK_ADDRESSES_MAX];
    char why[512]; /* what came of each, so far */
};

/* ---- how it ends ---- */

static void on_attempt_closed(uv_handle_t *handle)
{
    struct attempt *attempt = (struct attempt *)(void *)handle; /* its first member */

    thi_memory_give(attempt->memory, attempt, sizeof(*attempt));
}

/* The socket is the caller's now. */
static int take_socket(struct attempt *attempt)
{
    int fd = attempt->fd;

    attempt->poll.data = NULL;
    uv_close((uv_handle_t *)&attempt->poll, on_attempt_closed);
    return fd;
}

static void drop_attempt(struct thi_dial *dial, struct attempt *attempt)
{
    struct attempt **at = &dial->attempts;

    while (*at != attempt)
        at = &(*at)->next;
    *at = attempt->next;
    (void)close(take_socket(attempt));
}

void thi_dial_cancel(struct thi_stream *stream)
{
    struct thi_tcp *tcp = stream->tcp;
    struct thi_dial *dial = stream->dial;

    stream->dial = NULL;
    thi_lookup_cancel(&dial->lookup);
    thi_deadline_clear(&tcp->dialling, &dial->step);
    while (dial->attempts)
        drop_attempt(dial, dial->attempts);
    thi_memory_give(tcp->options.memory, dial, sizeof(*dial));
}

static void fail(struct thi_dial *dial)
{
    struct thi_stream *stream = dial->stream;
    char why[sizeof(dial->why) + THI_HOST_SIZE + 2];

    (void)snprintf(why, sizeof(why), "%s%s%s", dial->to.host, *dial->to.host ? ": " : "",
                   dial->why);
    stream->tcp->figures.failed++;
    thi_stream_fail(stream, why, dial->is_forbidden);
}

static void say(struct thi_dial *dial, const char *at, const char *what)
{
    size_t used = strlen(dial->why);

    (void)snprintf(dial->why + used, sizeof(dial->why) - used, "%s%s%s%s", used ? "; " : "", at,
                   *at ? ": " : "", what);
}

static void say_errno(struct thi_dial *dial, unsigned index, int error)
{
    char at[THI_HOSTPORT_SIZE];

    thi_sockaddr_print(&dial->all[index], at);
    say(dial, at, strerror(error));
}

static void arrive(struct thi_dial *dial, struct attempt *attempt)
{
    struct thi_stream *stream = dial->stream;
    struct attempt **at = &dial->attempts;
    int fd;

    while (*at != attempt)
        at = &(*at)->next;
    *at = attempt->next;
    stream->far = dial->all[attempt->index];
    fd = take_socket(attempt);
    thi_dial_cancel(stream);
    stream->tcp->figures.dialled++;
    if (thi_stream_adopt(stream, fd) == TH_OK)
        thi_stream_connected(stream);
    else
        thi_stream_fail(stream, "no room to watch another descriptor", false);
}

/* ---- trying ---- */

static void try_next(struct thi_dial *dial);

static void on_attempt(uv_poll_t *poll, int status, int events)
{
    struct attempt *attempt = (struct attempt *)(void *)poll;
    struct thi_dial *dial = poll->data;
    int error = 0;
    socklen_t size = sizeof(error);

    (void)events;
    (void)getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &error, &size); /* it is a socket */
    if (error == 0 && status < 0)
        error = ECONNREFUSED; /* refused, and somebody asked why before us */
    if (error == 0) {
        arrive(dial, attempt);
        return;
    }
    say_errno(dial, attempt->index, error);
    drop_attempt(dial, attempt);
    if (!dial->attempts)
        try_next(dial);
}

static int open_socket(struct thi_tcp *tcp, int family)
{
    for (;;) {
        int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);

        if (fd >= 0 || (errno != EMFILE && errno != ENFILE) || !thi_tcp_make_room(tcp))
            return fd;
    }
}

/* False: it came to nothing at once, and why is said. */
static bool try_one(struct thi_dial *dial, unsigned index)
{
    struct thi_tcp *tcp = dial->stream->tcp;
    const struct thi_sockaddr *at = &dial->all[index];
    struct attempt *attempt;
    int fd, on = 1;

    if (!thi_tcp_may_reach(tcp, at)) {
        char text[THI_HOSTPORT_SIZE];

        thi_sockaddr_print(at, text);
        say(dial, text, thi_tcp_not_beyond_loopback);
        return false;
    }
    dial->is_forbidden = false;
    fd = open_socket(tcp, at->storage.ss_family);
    if (fd < 0) {
        say_errno(dial, index, errno);
        return false;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(fd, (const struct sockaddr *)&at->storage, at->size) != 0 && errno != EINPROGRESS &&
        errno != EINTR) { /* interrupted: it goes on by itself */
        say_errno(dial, index, errno);
        (void)close(fd);
        return false;
    }
    attempt = thi_memory_take(tcp->options.memory, sizeof(*attempt));
    if (!attempt || uv_poll_init(&tcp->loop.uv, &attempt->poll, fd) != 0) {
        say_errno(dial, index, ENOMEM);
        thi_memory_give(tcp->options.memory, attempt, sizeof(*attempt));
        (void)close(fd);
        return false;
    }
    attempt->memory = tcp->options.memory;
    attempt->fd = fd;
    attempt->index = index;
    attempt->poll.data = dial;
    attempt->next = dial->attempts;
    dial->attempts = attempt;
    (void)uv_poll_start(&attempt->poll, UV_WRITABLE, on_attempt);
    return true;
}

/* May end the dial. */
static void try_next(struct thi_dial *dial)
{
    struct thi_tcp *tcp = dial->stream->tcp;
    uint64_t step = UINT64_MAX;

    while (dial->next < dial->count)
        if (try_one(dial, dial->next++)) {
            if (dial->next < dial->count)
                step = thi_clock_after(thi_loop_now(&tcp->loop), tcp->options.stagger_ns);
            break;
        }
    if (!dial->attempts) {
        fail(dial);
        return;
    }
    thi_deadline_set(&tcp->dialling, &dial->step,
                     step < dial->give_up_ns ? step : dial->give_up_ns);
}

static void on_answer(struct thi_lookup *lookup, const struct thi_sockaddr *all, unsigned count,
                      const char *why)
{
    struct thi_dial *dial =
        (struct thi_dial *)(void *)((char *)lookup - offsetof(struct thi_dial, lookup));

    if (count == 0) {
        dial->is_forbidden = false;
        say(dial, "", why);
        fail(dial);
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        dial->all[i] = all[i];
        thi_sockaddr_set_port(&dial->all[i], dial->to.port);
    }
    dial->count = count;
    thi_sockaddr_interleave(dial->all, count);
    try_next(dial);
}

static void step(struct thi_dial *dial, uint64_t now)
{
    if (now < dial->give_up_ns) {
        try_next(dial);
        return;
    }
    dial->is_forbidden = false;
    say(dial, "", dial->lookup.question ? "the name was not found in time" : "no answer in time");
    fail(dial);
}

void thi_dial_due(struct thi_tcp *tcp, uint64_t now)
{
    struct thi_deadline *due;

    while ((due = thi_deadlines_take(&tcp->dialling, now)) != NULL)
        step((struct thi_dial *)(void *)((char *)due - offsetof(struct thi_dial, step)), now);
}

/* ---- how it begins ---- */

static th_err refuse(struct thi_tcp *tcp, const char *address, const char *why, th_err err,
                     const char **why_out)
{
    (void)snprintf(tcp->why, sizeof(tcp->why), "%.128s: %s", address, why);
    *why_out = tcp->why;
    return err;
}

/* Only now, when nothing can fail any more, does the stream belong to @conn. */
static void begin(struct thi_stream *stream, struct thi_conn *conn, const struct thi_dial *parsed)
{
    struct thi_tcp *tcp = stream->tcp;
    struct thi_dial *dial = stream->dial;
    uint64_t now = thi_loop_now(&tcp->loop);

    dial->give_up_ns = thi_clock_after(now, tcp->options.connect_ns);
    /* a literal is tried from the loop, not from here: N2 */
    thi_deadline_set(&tcp->dialling, &dial->step, parsed->count ? now : dial->give_up_ns);
    stream->conn = conn;
    thi_conn_set_stream(conn, stream);
}

th_err thi_dial_begin(struct thi_tcp *tcp, struct thi_conn *conn, const char *address,
                      const char **why_out)
{
    struct thi_dial parsed = { .is_forbidden = true };
    struct thi_stream *stream;
    const char *why;

    if (thi_hostport_parse(&parsed.to, address, &why) != TH_OK)
        return refuse(tcp, address, why, TH_E_PARSE, why_out);
    if (!*parsed.to.host || parsed.to.port == 0)
        return refuse(tcp, address, "a host and a port are needed to dial", TH_E_PARSE, why_out);
    if (thi_hostport_literal(&parsed.to, &parsed.all[0])) {
        parsed.count = 1;
        if (!thi_tcp_may_reach(tcp, &parsed.all[0]))
            return refuse(tcp, address, thi_tcp_not_beyond_loopback, TH_E_NOT_ALLOWED, why_out);
        *parsed.to.host = '\0'; /* the address says it all */
    }
    stream = thi_stream_create(tcp, THI_STREAM_DIALLING);
    if (!stream)
        return refuse(tcp, address, th_strerror(TH_E_NOMEM), TH_E_NOMEM, why_out);
    stream->dial = thi_memory_take(tcp->options.memory, sizeof(*stream->dial));
    if (stream->dial) {
        *stream->dial = parsed;
        stream->dial->stream = stream;
        stream->dial->lookup.answered = on_answer;
    }
    if (!stream->dial || (parsed.count == 0 && thi_lookup_ask(&tcp->lookups, &stream->dial->lookup,
                                                              parsed.to.host) != TH_OK)) {
        thi_stream_end(stream);
        return refuse(tcp, address, th_strerror(TH_E_NOMEM), TH_E_NOMEM, why_out);
    }
    begin(stream, conn, &parsed);
    return TH_OK;
}
