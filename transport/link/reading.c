/* What comes on a connection: bytes to frames, and what each frame asks for. */
#include <string.h>

#include <thespis/config.h>
#include <thespis/log.h>

#include "transport/link/link.h"

static void fault(struct thi_conn *conn, const char *words, uint64_t now)
{
    if (conn->link)
        conn->link->counters.faults++;
    if (conn->state != THI_CONN_UP)
        conn->hub->counters.greetings_failed++;
    thi_hub_note(conn->hub, conn->link, TH_LOG_WARN, "%s broke the protocol: %s", conn->far.address,
                 words);
    thi_conn_close(conn, THI_CLOSE_PROTOCOL, words, now);
}

/* The peer closes: what it says of the session, and of whether to dial again. */
static void closed_by_peer(struct thi_conn *conn, const struct thi_frame_close *close, uint64_t now)
{
    struct thi_link *link = conn->link;
    struct thi_fault why;
    bool final = close->reason == THI_CLOSE_VERSION || close->reason == THI_CLOSE_SELF ||
                 close->reason == THI_CLOSE_REFUSED;

    thi_fault_set(&why, "the peer closed (%s): %.*s", thi_close_name(close->reason),
                  (int)close->words.size, close->words.at);
    if (close->reason == THI_CLOSE_PROTOCOL)
        thi_hub_note(conn->hub, link, TH_LOG_WARN, "%s: %s", conn->far.address, why.words);
    if (link && link->conn == conn) {
        if (close->reason == THI_CLOSE_GONE || close->reason == THI_CLOSE_BYE)
            thi_link_end(link, TH_DEAD_LINK_LOST, why.words, now);
        else if (close->reason == THI_CLOSE_IDLE)
            thi_link_lost(link, conn, true, why.words, now);
    }
    thi_conn_cut(conn, why.words, final, now);
}

static void ponged(struct thi_conn *conn, uint64_t token, uint64_t now)
{
    struct thi_link *link = conn->link;

    if (conn->pinged_at == 0 || token != conn->ping)
        return; /* late: it says nothing */
    link->rtt_ns =
        link->rtt_ns ? (7 * link->rtt_ns + (now - conn->pinged_at)) / 8 : now - conn->pinged_at;
    conn->pinged_at = 0;
    conn->progress_at = now;
    thi_inbound_confirmed(link, token);
    if (link->returned) /* there are some that this one did not confirm */
        thi_conn_ask(conn, now);
}

/* What came on a connection that is up. */
static bool link_frame(struct thi_conn *conn, const struct thi_frame *frame,
                       struct thi_fault *words, uint64_t now)
{
    struct thi_link *link = conn->link;
    uint64_t acked = link->flights.acked;
    bool fine = true;

    switch (frame->kind) {
    case THI_FRAME_ACK: fine = thi_settle_acked(link, frame->as.ack.up_to, words); break;
    case THI_FRAME_RETURNED: fine = thi_settle_returned(link, &frame->as.returned, words); break;
    case THI_FRAME_PING:
        conn->pong = frame->as.ping.token;
        thi_conn_kick(conn, THI_DUE_PONG);
        return true;
    case THI_FRAME_PONG: ponged(conn, frame->as.pong.token, now); return true;
    case THI_FRAME_WHERE: thi_hub_heard_where(conn->hub, conn, frame->as.where.system); return true;
    case THI_FRAME_HERE:
        thi_hub_heard_here(conn->hub, frame->as.here.system, frame->as.here.addresses,
                           frame->as.here.address_count, now);
        return true;
    case THI_FRAME_TYPE:
    case THI_FRAME_DATA:
    case THI_FRAME_MORE: link->traffic_at = now; return thi_inbound_frame(link, frame, words);
    case THI_FRAME_CLOSE:
    case THI_FRAME_HELLO:
    case THI_FRAME_RESUME:
        thi_fault_set(words, "%s after the greeting", thi_frame_name(frame->kind));
        return false;
    }
    if (link->flights.acked != acked) { /* what we write arrives */
        conn->progress_at = now;
        if (conn->pinged_at)
            conn->pinged_at = now;
        if (fine && conn->state == THI_CONN_UP && thi_link_has_something(link))
            thi_conn_kick(conn, 0); /* there is room for more */
    }
    return fine;
}

/* @frame [lend] came, whole. */
static void take_frame(struct thi_conn *conn, const struct thi_frame *frame, uint64_t now)
{
    struct thi_fault words = { "" };

    if (conn->link)
        conn->link->counters.frames_in++;
    if (frame->kind == THI_FRAME_CLOSE) {
        closed_by_peer(conn, &frame->as.close, now);
    } else if (conn->state == THI_CONN_UP) {
        if (!link_frame(conn, frame, &words, now) && conn->state == THI_CONN_UP)
            fault(conn, words.words, now);
    } else {
        conn->greeting_size += frame->size;
        if (conn->greeting_size > TH_WIRE_GREETING_MAX)
            fault(conn, "a greeting without end", now);
        else if (!thi_greeting_frame(conn, frame, &words, now) && conn->state < THI_CONN_CLOSING)
            fault(conn, words.words, now);
    }
}

/* Keeps @size bytes [lend] more of a frame of which in_need are needed. false: no memory. */
static bool keep(struct thi_conn *conn, const uint8_t *bytes, size_t size)
{
    struct thi_memory *memory = conn->hub->options.memory;
    size_t room = conn->in_room ? conn->in_room * 2 : 256;
    uint8_t *in;

    if (conn->in_size + size > conn->in_room) {
        while (room < conn->in_size + size)
            room *= 2;
        in = thi_memory_take_raw(memory, room);
        if (!in)
            return false;
        if (conn->in_size > 0)
            memcpy(in, conn->in, conn->in_size);
        thi_memory_give(memory, conn->in, conn->in_room);
        conn->in = in;
        conn->in_room = room;
    }
    memcpy(conn->in + conn->in_size, bytes, size);
    conn->in_size += size;
    return true;
}

/* A frame is over: room that only a large one needs goes. */
static void keep_nothing(struct thi_conn *conn)
{
    conn->in_size = 0;
    if (conn->in_room > TH_WIRE_GREETING_MAX) {
        thi_memory_give(conn->hub->options.memory, conn->in, conn->in_room);
        conn->in = NULL;
        conn->in_room = 0;
    }
}

/* Takes what it can from @bytes; answers how many were used up, 0: the connection has ended, or all
 * is used up. */
static size_t take_some(struct thi_conn *conn, const uint8_t *bytes, size_t size, uint64_t now)
{
    const uint8_t *at = bytes;
    size_t have = size, need = 0, used = size;
    struct thi_frame frame;
    struct thi_fault words;

    if (conn->in_size > 0) { /* the rest of one that has begun */
        used = conn->in_need - conn->in_size < size ? conn->in_need - conn->in_size : size;
        if (!keep(conn, bytes, used)) {
            thi_conn_close(conn, THI_CLOSE_LIMIT, "no memory", now);
            return size;
        }
        at = conn->in;
        have = conn->in_size;
        if (have < conn->in_need)
            return used;
    }
    switch (thi_frame_read(at, have, &conn->limits, &frame, &need, &words)) {
    case THI_FRAME_WHOLE:
        take_frame(conn, &frame, now);
        if (at == bytes)
            return frame.size;
        keep_nothing(conn);
        return used;
    case THI_FRAME_SHORT:
        conn->in_need = need;
        if (at == bytes && !keep(conn, bytes, size))
            thi_conn_close(conn, THI_CLOSE_LIMIT, "no memory", now);
        return used;
    case THI_FRAME_BAD: break;
    }
    fault(conn, words.words, now);
    return size;
}

/* Whether what came is to be acknowledged at once, or with the next frame that goes, or later. */
static void consider_ack(struct thi_link *link, uint64_t now)
{
    uint64_t count = link->received - link->ack_told;
    bool is_back = link->returned && link->returned->token == 0;

    if (count >= TH_LINK_ACK_FRAMES || is_back) {
        thi_conn_kick(link->conn, THI_DUE_ACK);
    } else if (count > 0 && link->ack_at == UINT64_MAX) {
        link->ack_at = now + TH_LINK_ACK_NS;
        thi_hub_alarm(link->hub, link->ack_at);
    }
}

bool thi_conn_feed(struct thi_conn *conn, const void *bytes, size_t size, uint64_t now)
{
    struct thi_hub *hub = conn->hub;
    const uint8_t *at = bytes;
    bool is_there;

    thi_hub_enter(hub, now);
    conn->heard_at = now;
    if (conn->link)
        conn->link->counters.bytes_in += size;
    while (size > 0 && conn->state < THI_CONN_CLOSING) {
        size_t used = take_some(conn, at, size, now);

        at += used;
        size -= used;
    }
    if (conn->state == THI_CONN_UP)
        consider_ack(conn->link, now);
    is_there = conn->state != THI_CONN_CLOSED;
    thi_hub_leave(hub);
    return is_there;
}
