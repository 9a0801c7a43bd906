#include "transport/link/tcp.h"

#include <stdio.h>
#include <string.h>

#include "transport/link/hub.h"
#include "transport/link/tls.h"

/* A stream over TLS: what is read is decrypted before it is fed, what is pulled is encrypted before
 * it is written.
 *
 *   Z1. What is encrypted is gone from its owner, so it is ours until the kernel has it: `rest`. As
 *       long as there is a rest nothing more is pulled, so it stays below what one round writes.
 *   Z2. All streams encrypt into one buffer, tcp->cipher, one at a time: whoever begins with it
 *       writes it out (or keeps the rest) before anybody else may. A goodbye that falls due
 *       meanwhile has a small one of its own. */

/* ---- out: what is encrypted ---- */

static bool keep(struct thi_stream *stream, const char *bytes, size_t size)
{
    struct thi_memory *memory = stream->tcp->options.memory;
    size_t left = stream->rest_size - stream->rest_at;
    char *room = thi_memory_take_raw(memory, left + size);

    if (!room)
        return false;
    if (left > 0)
        memcpy(room, stream->rest + stream->rest_at, left);
    memcpy(room + left, bytes, size);
    thi_secret_forget_rest(stream);
    stream->rest = room;
    stream->rest_size = left + size;
    return true;
}

void thi_secret_forget_rest(struct thi_stream *stream)
{
    thi_memory_give(stream->tcp->options.memory, stream->rest, stream->rest_size);
    stream->rest = NULL;
    stream->rest_at = stream->rest_size = 0;
}

/* Writes what the session has put into @room. False: the stream has ended. */
static bool write_out(struct thi_stream *stream, char *room)
{
    size_t size = thi_tls_out(stream->tls), put = 0;

    thi_tls_put_out(stream->tls, NULL, 0);
    if (size == 0)
        return true;
    if (!stream->rest) {
        put = thi_stream_write(stream, &(struct iovec){ room, size }, 1);
        if (put == SIZE_MAX)
            return false;
    }
    stream->is_full = put < size;
    if (!stream->is_full || keep(stream, room + put, size - put))
        return true;
    thi_stream_fail(stream, th_strerror(TH_E_NOMEM), false);
    return false;
}

bool thi_secret_write_rest(struct thi_stream *stream)
{
    struct iovec rest = { stream->rest + stream->rest_at, stream->rest_size - stream->rest_at };
    size_t put = thi_stream_write(stream, &rest, 1);

    if (put == SIZE_MAX)
        return false;
    stream->rest_at += put;
    if (stream->rest_at == stream->rest_size)
        thi_secret_forget_rest(stream);
    else
        stream->is_full = true;
    return true;
}

/* ---- out: what is pulled ---- */

/* Some of @pieces, put together into @plain: one record's worth. */
static size_t gather(char *plain, const struct iovec *pieces, unsigned count)
{
    size_t used = 0;

    for (unsigned i = 0; i < count && used < THI_TLS_RECORD; i++) {
        size_t room = THI_TLS_RECORD - used;
        size_t size = pieces[i].iov_len < room ? pieces[i].iov_len : room;

        memcpy(plain + used, pieces[i].iov_base, size);
        used += size;
    }
    return used;
}

/* Pulls and encrypts until the buffer is full or there is no more. False: the stream has ended, or
 * is its owner's no more, who has seen to what was encrypted. */
static bool encrypt(struct thi_stream *stream, bool *has_more_out)
{
    struct thi_tcp *tcp = stream->tcp;

    *has_more_out = true;
    while (TH_LINK_READ_SIZE - thi_tls_out(stream->tls) >= 2 * THI_TLS_ROOM) {
        struct iovec pieces[TH_LINK_PIECES];
        uint64_t now = thi_loop_now(&tcp->loop);
        unsigned count = thi_conn_pull(stream->conn, pieces, TH_LINK_PIECES, now);
        size_t size;

        *has_more_out = count > 0;
        if (count == 0)
            return true;
        size = gather(tcp->plain, pieces, count);
        if (thi_tls_write(stream->tls, tcp->plain, size) != THI_TLS_DONE) {
            thi_stream_fail(stream, thi_tls_why(stream->tls), thi_tls_is_final(stream->tls));
            return false;
        }
        thi_conn_pulled(stream->conn, size, now);
        if (stream->state != THI_STREAM_OPEN)
            return false;
    }
    return true;
}

bool thi_secret_flush(struct thi_stream *stream)
{
    struct thi_tcp *tcp = stream->tcp;
    size_t left = TH_LINK_TURN_BYTES;
    bool has_more = true;

    while (!stream->is_full && has_more) {
        size_t size;

        thi_tls_put_out(stream->tls, tcp->cipher, TH_LINK_READ_SIZE);
        if (!encrypt(stream, &has_more))
            return false;
        size = thi_tls_out(stream->tls);
        if (!write_out(stream, tcp->cipher))
            return false;
        if (left <= size)
            break;
        left -= size;
    }
    return has_more && !stream->is_full;
}

void thi_secret_goodbye(struct thi_stream *stream)
{
    char room[THI_TLS_ROOM];

    if (thi_tls_out(stream->tls) > 0) { /* Z2: it is this stream's turn with the buffer */
        thi_tls_goodbye(stream->tls);
        (void)write_out(stream, stream->tcp->cipher);
        return;
    }
    thi_tls_put_out(stream->tls, room, sizeof(room));
    thi_tls_goodbye(stream->tls);
    (void)write_out(stream, room);
}

/* ---- in ---- */

static bool fail(struct thi_stream *stream)
{
    char why[THI_HOSTPORT_SIZE + 300], far[THI_HOSTPORT_SIZE];
    bool is_final = thi_tls_is_final(stream->tls);

    thi_sockaddr_print(&stream->far, far);
    (void)snprintf(why, sizeof(why), "%s: TLS: %s", far, thi_tls_why(stream->tls));
    if (thi_tls_out(stream->tls) > 0 && !write_out(stream, stream->tcp->cipher)) /* the alert */
        return false;
    thi_stream_fail(stream, why, is_final);
    return false;
}

static bool shake(struct thi_stream *stream)
{
    enum thi_tls_answer answer = thi_tls_shake(stream->tls);

    switch (answer) {
    case THI_TLS_DONE: break;
    case THI_TLS_WANTS_INPUT: return write_out(stream, stream->tcp->cipher);
    case THI_TLS_ENDED:
    case THI_TLS_FAILED: return fail(stream);
    }
    if (!write_out(stream, stream->tcp->cipher))
        return false;
    return thi_stream_introduce(stream, thi_tls_subject(stream->tls));
}

/* All that the input has, decrypted, in one piece: more than the buffer is never read. What came
 * before a failure was whole, and is fed. */
static bool read_all(struct thi_stream *stream)
{
    struct thi_tcp *tcp = stream->tcp;
    enum thi_tls_answer answer;
    size_t used = 0, got;

    thi_tls_put_out(stream->tls, tcp->cipher, TH_LINK_READ_SIZE);
    do {
        answer = thi_tls_read(stream->tls, tcp->plain + used, TH_LINK_READ_SIZE - used, &got);
        used += got;
    } while (answer == THI_TLS_DONE);
    if (!write_out(stream, tcp->cipher)) /* an alert, or a key that was asked to be changed */
        return false;
    if (used > 0 && !thi_conn_feed(stream->conn, tcp->plain, used, thi_loop_now(&tcp->loop)))
        return false;
    if (answer == THI_TLS_FAILED)
        return fail(stream);
    if (answer == THI_TLS_ENDED)
        thi_stream_far_end_is_through(stream);
    return answer == THI_TLS_WANTS_INPUT;
}

bool thi_secret_take_in(struct thi_stream *stream, const char *bytes, size_t size)
{
    struct thi_tcp *tcp = stream->tcp;

    thi_tls_put_in(stream->tls, bytes, size);
    if (stream->state == THI_STREAM_SHAKING) {
        thi_tls_put_out(stream->tls, tcp->cipher, TH_LINK_READ_SIZE);
        if (!shake(stream) || stream->state == THI_STREAM_SHAKING)
            return stream->state == THI_STREAM_SHAKING;
    }
    return read_all(stream);
}

th_err thi_secret_begin(struct thi_stream *stream)
{
    struct thi_tcp *tcp = stream->tcp;

    stream->tls = thi_tls_open(tcp->options.tls, stream->conn != NULL);
    if (!stream->tls)
        return TH_E_NOMEM;
    stream->state = THI_STREAM_SHAKING;
    thi_deadline_set(&tcp->shaking, &stream->deadline,
                     thi_clock_after(thi_loop_now(&tcp->loop), tcp->options.handshake_ns));
    if (!stream->conn)
        return TH_OK; /* who dialled speaks first */
    thi_tls_put_out(stream->tls, tcp->cipher, TH_LINK_READ_SIZE);
    (void)shake(stream);
    return TH_OK;
}
