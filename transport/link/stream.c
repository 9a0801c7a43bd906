#include "transport/link/tcp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "transport/link/hub.h"
#include "transport/link/tls.h"
#include <thespis/log.h>

/* ---- life ---- */

struct thi_stream *thi_stream_create(struct thi_tcp *tcp, enum thi_stream_state state)
{
    struct thi_stream *stream = thi_memory_take(tcp->options.memory, sizeof(*stream));

    if (!stream)
        return NULL;
    stream->tcp = tcp;
    stream->state = state;
    stream->fd = -1;
    stream->poll.data = stream;
    TAILQ_INSERT_TAIL(&tcp->streams, stream, of_tcp);
    return stream;
}

/* N4: it leaves the list only now, so that the loop does not end before. */
static void forget(struct thi_stream *stream)
{
    struct thi_tcp *tcp = stream->tcp;

    TAILQ_REMOVE(&tcp->streams, stream, of_tcp);
    if (stream->rest)
        thi_secret_forget_rest(stream);
    if (stream->tls)
        thi_tls_close(stream->tls);
    thi_memory_give(tcp->options.memory, stream, sizeof(*stream));
}

static void on_closed(uv_handle_t *handle)
{
    forget(handle->data);
}

void thi_stream_end(struct thi_stream *stream)
{
    struct thi_tcp *tcp = stream->tcp;

    if (stream->state == THI_STREAM_CLOSED)
        return;
    if (stream->dial)
        thi_dial_cancel(stream);
    thi_deadline_clear(stream->state == THI_STREAM_SHAKING ? &tcp->shaking : &tcp->lingering,
                       &stream->deadline);
    stream->state = THI_STREAM_CLOSED;
    stream->conn = NULL;
    if (stream->is_kicked)
        TAILQ_REMOVE(&tcp->kicked, stream, of_kicked);
    if (stream->is_stranger) {
        TAILQ_REMOVE(&tcp->strangers, stream, of_strangers);
        tcp->stranger_count--;
    }
    if (stream->fd < 0) {
        forget(stream);
        return;
    }
    uv_close((uv_handle_t *)&stream->poll, on_closed);
    (void)close(stream->fd); /* libuv lets go of the number in uv_close() */
    stream->fd = -1;
    tcp->figures.ended++;
    thi_listen_again(tcp);
}

void thi_stream_fail(struct thi_stream *stream, const char *why, bool is_final)
{
    struct thi_tcp *tcp = stream->tcp;
    struct thi_conn *conn = stream->conn;

    if (stream->state == THI_STREAM_SHAKING) {
        tcp->figures.handshakes_failed++;
        if (!conn)
            thi_tcp_note(tcp, TH_LOG_WARN, "%s", why); /* nobody else hears of it */
    }
    thi_stream_end(stream);
    if (conn)
        thi_conn_closed(conn, why, is_final, thi_loop_now(&tcp->loop));
}

static void say_and_fail(struct thi_stream *stream, const char *what)
{
    char far[THI_HOSTPORT_SIZE], why[THI_HOSTPORT_SIZE + 128];

    thi_sockaddr_print(&stream->far, far);
    (void)snprintf(why, sizeof(why), "%s: %s", far, what);
    thi_stream_fail(stream, why, false);
}

/* ---- what is waited for ---- */

static void on_ready(uv_poll_t *poll, int status, int events);
static void end_writing(struct thi_stream *stream);

static void watch(struct thi_stream *stream)
{
    int wanted = (stream->is_paused ? 0 : UV_READABLE) | (stream->is_full ? UV_WRITABLE : 0);

    if (wanted == stream->watched)
        return;
    stream->watched = wanted;
    if (wanted)
        (void)uv_poll_start(&stream->poll, wanted, on_ready); /* fails on a closing handle only */
    else
        (void)uv_poll_stop(&stream->poll);
}

th_err thi_stream_adopt(struct thi_stream *stream, int fd)
{
    if (uv_poll_init(&stream->tcp->loop.uv, &stream->poll, fd) == 0) {
        stream->fd = fd;
        stream->poll.data = stream;
        return TH_OK;
    }
    (void)close(fd);
    return TH_E_THREAD;
}

bool thi_stream_introduce(struct thi_stream *stream, const char *subject)
{
    struct thi_tcp *tcp = stream->tcp;
    uint64_t now = thi_loop_now(&tcp->loop);
    struct thi_far_end far = { .is_authenticated = stream->tls != NULL };

    (void)snprintf(far.subject, sizeof(far.subject), "%s", subject);
    thi_sockaddr_print(&stream->far, far.address);
    thi_deadline_clear(&tcp->shaking, &stream->deadline);
    stream->state = THI_STREAM_OPEN;
    if (stream->conn) {
        thi_conn_opened(stream->conn, &far, now);
    } else {
        stream->conn = thi_hub_accepted(tcp->hub, &far, now);
        if (!stream->conn) {
            tcp->figures.turned_away++;
            thi_stream_end(stream);
            return false;
        }
        tcp->figures.accepted++;
        thi_conn_set_stream(stream->conn, stream);
    }
    thi_stream_kick(stream);
    return stream->state == THI_STREAM_OPEN;
}

void thi_stream_connected(struct thi_stream *stream)
{
    if (!stream->tcp->options.tls)
        (void)thi_stream_introduce(stream, "");
    else if (thi_secret_begin(stream) != TH_OK)
        thi_stream_fail(stream, th_strerror(TH_E_NOMEM), false);
    if (stream->state == THI_STREAM_OPEN || stream->state == THI_STREAM_SHAKING)
        watch(stream);
}

/* ---- in ---- */

/* False: the stream is nobody's any more. */
static bool take_in(struct thi_stream *stream, size_t size)
{
    struct thi_tcp *tcp = stream->tcp;

    tcp->figures.bytes_in += size;
    if (stream->state == THI_STREAM_LINGERING)
        return true; /* nobody is there to read it */
    if (stream->tls)
        return thi_secret_take_in(stream, tcp->in, size);
    return thi_conn_feed(stream->conn, tcp->in, size, thi_loop_now(&tcp->loop));
}

void thi_stream_far_end_is_through(struct thi_stream *stream)
{
    say_and_fail(stream, "closed by the other side");
}

/* The end of the bytes. Over TLS a proper end was said before, and anybody can cut a connection. */
static void come_to_the_end(struct thi_stream *stream)
{
    if (!stream->tls || stream->state == THI_STREAM_LINGERING)
        thi_stream_far_end_is_through(stream);
    else if (stream->state == THI_STREAM_SHAKING)
        say_and_fail(stream, "TLS: hung up before the handshake was complete");
    else
        say_and_fail(stream, "TLS: cut off, without the other side's goodbye");
}

static void read_in(struct thi_stream *stream)
{
    /* with what is left of a record that was not whole, decrypted it still fits into one buffer */
    size_t most = stream->tls ? TH_LINK_READ_SIZE - THI_TLS_ROOM : TH_LINK_READ_SIZE;
    size_t left = TH_LINK_TURN_BYTES;

    while (!stream->is_paused) {
        ssize_t got = recv(stream->fd, stream->tcp->in, most, 0);

        if (got == 0) {
            come_to_the_end(stream);
            return;
        }
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            if (errno != EAGAIN)
                say_and_fail(stream, strerror(errno));
            return;
        }
        if (!take_in(stream, (size_t)got))
            return;
        /* N3; a buffer that was not filled was all there was */
        if ((size_t)got < most || left <= (size_t)got)
            return;
        left -= (size_t)got;
    }
}

/* ---- out ---- */

size_t thi_stream_write(struct thi_stream *stream, struct iovec *pieces, unsigned count)
{
    /* not writev(): a broken pipe is an error of ours, not a signal of the program's */
    struct msghdr message = { .msg_iov = pieces, .msg_iovlen = count };
    ssize_t put;

    do {
        put = sendmsg(stream->fd, &message, MSG_NOSIGNAL);
    } while (put < 0 && errno == EINTR);
    if (put >= 0) {
        stream->tcp->figures.bytes_out += (size_t)put;
        return (size_t)put;
    }
    if (errno == EAGAIN)
        return 0;
    say_and_fail(stream, strerror(errno));
    return SIZE_MAX;
}

/* Pulls and writes until there is nothing more, the kernel is full, or others are to have their
 * turn: true then. */
static bool flush(struct thi_stream *stream)
{
    struct thi_tcp *tcp = stream->tcp;
    size_t left = TH_LINK_TURN_BYTES;

    for (;;) {
        struct iovec pieces[TH_LINK_PIECES];
        uint64_t now = thi_loop_now(&tcp->loop);
        unsigned count = thi_conn_pull(stream->conn, pieces, TH_LINK_PIECES, now);
        size_t size = 0, put;

        if (count == 0)
            return false;
        for (unsigned i = 0; i < count; i++)
            size += pieces[i].iov_len;
        put = thi_stream_write(stream, pieces, count);
        if (put == SIZE_MAX)
            return false;
        stream->is_full = put < size;
        if (put > 0)
            thi_conn_pulled(stream->conn, put, now);
        if (stream->state != THI_STREAM_OPEN || stream->is_full)
            return false; /* that was its last word; or the kernel's */
        if (left <= put)
            return true;
        left -= put;
    }
}

void thi_stream_kick(struct thi_stream *stream)
{
    if (stream->is_kicked || stream->state != THI_STREAM_OPEN)
        return;
    stream->is_kicked = true;
    stream->round = stream->tcp->round;
    TAILQ_INSERT_TAIL(&stream->tcp->kicked, stream, of_kicked);
}

/* Who is kicked again by this is for the next round. */
bool thi_stream_flush_all(struct thi_tcp *tcp)
{
    struct thi_stream *stream;

    tcp->round++;
    while ((stream = TAILQ_FIRST(&tcp->kicked)) != NULL && stream->round != tcp->round) {
        TAILQ_REMOVE(&tcp->kicked, stream, of_kicked);
        stream->is_kicked = false;
        /* full: it goes on when the kernel says so */
        if (stream->state != THI_STREAM_OPEN || stream->is_full)
            continue;
        if (stream->tls ? thi_secret_flush(stream) : flush(stream))
            thi_stream_kick(stream);
        if (stream->state == THI_STREAM_OPEN)
            watch(stream);
    }
    return !TAILQ_EMPTY(&tcp->kicked);
}

static void go_on_writing(struct thi_stream *stream)
{
    stream->is_full = false;
    if (stream->rest && !thi_secret_write_rest(stream))
        return;
    if (stream->state == THI_STREAM_OPEN)
        thi_stream_kick(stream);
    else if (stream->state == THI_STREAM_LINGERING && !stream->rest)
        end_writing(stream);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct thi_stream *stream = poll->data;

    if (status < 0) { /* libuv saw an error on it and stopped; which, reading tells */
        stream->watched = 0;
        events = UV_READABLE;
        stream->is_paused = false;
    }
    if (events & UV_WRITABLE)
        go_on_writing(stream);
    if (events & UV_READABLE && stream->state != THI_STREAM_CLOSED)
        read_in(stream);
    if (stream->state != THI_STREAM_CLOSED)
        watch(stream);
}

void thi_stream_pause(struct thi_stream *stream, bool pause)
{
    stream->is_paused = pause;
    if (stream->state == THI_STREAM_OPEN)
        watch(stream);
}

/* ---- the end ---- */

void thi_stream_let_go(struct thi_stream *stream, uint64_t linger_ns)
{
    struct thi_tcp *tcp = stream->tcp;

    if (stream->state != THI_STREAM_OPEN || linger_ns == 0) {
        thi_stream_end(stream);
        return;
    }
    /* A socket that is closed with input unread sends a reset, which can overtake what was written
     * last. So: no more from us, and read until the far end has closed, too. */
    stream->conn = NULL;
    if (stream->tls)
        thi_secret_goodbye(stream);
    if (stream->state == THI_STREAM_CLOSED)
        return;
    stream->state = THI_STREAM_LINGERING;
    stream->is_paused = false;
    stream->is_full = stream->rest != NULL;
    thi_deadline_set(&tcp->lingering, &stream->deadline,
                     thi_clock_after(thi_loop_now(&tcp->loop), linger_ns));
    if (!stream->rest)
        end_writing(stream);
    if (stream->state == THI_STREAM_LINGERING)
        watch(stream);
}

static void end_writing(struct thi_stream *stream)
{
    if (shutdown(stream->fd, SHUT_WR) != 0)
        thi_stream_end(stream); /* the far end has gone */
}

static struct thi_stream *of_deadline(struct thi_deadline *deadline)
{
    return (struct thi_stream *)(void *)((char *)deadline - offsetof(struct thi_stream, deadline));
}

bool thi_stream_end_lingering(struct thi_tcp *tcp)
{
    if (!tcp->lingering.first)
        return false;
    thi_stream_end(of_deadline(tcp->lingering.first));
    return true;
}

void thi_stream_due(struct thi_tcp *tcp, uint64_t now)
{
    struct thi_deadline *due;

    while ((due = thi_deadlines_take(&tcp->lingering, now)) != NULL)
        thi_stream_end(of_deadline(due));
    while ((due = thi_deadlines_take(&tcp->shaking, now)) != NULL)
        say_and_fail(of_deadline(due), "TLS: the handshake took too long");
}
