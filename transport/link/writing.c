/* What goes on a connection: what is due, then its link's frames, as the carrier can take them. */
#include <thespis/config.h>

#include "transport/link/link.h"

/* How soon it is tried again to write what there was no memory for. */
#define RETRY_NS 10000000

/* Writes @frame, of at most @most bytes. false: no memory. */
static bool put(struct thi_conn *conn, const struct thi_frame *frame, size_t most)
{
    size_t room, size;
    uint8_t *at = thi_spool_room(&conn->out, most, &room);

    if (!at)
        return false;
    size = thi_frame_write(at, room, frame);
    TH_ASSERT(size <= room);
    thi_spool_wrote(&conn->out, size);
    if (conn->link)
        conn->link->counters.frames_out++;
    return true;
}

static bool put_returned(struct thi_conn *conn, uint64_t now)
{
    struct thi_frame frame = { .kind = THI_FRAME_RETURNED };
    struct thi_returned *returned;

    for (returned = conn->link->returned; returned; returned = returned->next) {
        if (returned->token != 0)
            continue;
        frame.as.returned.up_to = returned->number;
        frame.as.returned.words = thi_text_of(returned->why.words);
        if (!put(conn, &frame, TH_WIRE_WORDS_MAX + 64))
            return false;
        /* if one is unanswered, it may have been written before this: the next one counts */
        thi_conn_ask(conn, now);
        returned->token = conn->due & THI_DUE_PING ? conn->ping : conn->ping + 1;
    }
    return true;
}

static bool put_ack(struct thi_conn *conn, uint64_t now)
{
    struct thi_frame frame = { .kind = THI_FRAME_ACK };
    struct thi_link *link = conn->link;

    if (!put_returned(conn, now))
        return false;
    frame.as.ack.up_to = link->received;
    if (!put(conn, &frame, 64))
        return false;
    link->ack_told = link->received;
    link->ack_at = UINT64_MAX;
    return true;
}

static bool put_token(struct thi_conn *conn, enum thi_frame_kind kind, uint64_t token)
{
    struct thi_frame frame = { .kind = kind };

    frame.as.ping.token = token;
    return put(conn, &frame, 64);
}

static bool put_where(struct thi_conn *conn)
{
    struct thi_frame frame = { .kind = THI_FRAME_WHERE };

    frame.as.where.system = conn->where;
    conn->hub->counters.asked++;
    return put(conn, &frame, 64);
}

static bool put_here(struct thi_conn *conn)
{
    struct thi_frame frame = { .kind = THI_FRAME_HERE };
    struct thi_link *link = thi_hub_find(conn->hub, conn->here);
    uint32_t i;

    frame.as.here.system = conn->here;
    for (i = 0; link && i < link->address_count && i < TH_WIRE_ADDRESSES_MAX; i++)
        frame.as.here.addresses[i] = thi_text_of(link->addresses[i]);
    frame.as.here.address_count = i;
    return put(conn, &frame, TH_WIRE_ADDRESSES_MAX * (TH_WIRE_ADDRESS_MAX + 3) + 64);
}

static bool put_close(struct thi_conn *conn)
{
    struct thi_frame frame = { .kind = THI_FRAME_CLOSE };

    frame.as.close.reason = conn->close_reason;
    frame.as.close.words = thi_text_of(conn->close_words.words);
    return put(conn, &frame, TH_WIRE_WORDS_MAX + 64);
}

static bool write_one_due(struct thi_conn *conn, enum thi_conn_due due, uint64_t now)
{
    switch (due) {
    case THI_DUE_HELLO:
    case THI_DUE_RESUME: return thi_greeting_write(conn, due);
    case THI_DUE_PONG: return put_token(conn, THI_FRAME_PONG, conn->pong);
    case THI_DUE_ACK: return put_ack(conn, now);
    case THI_DUE_PING: return put_token(conn, THI_FRAME_PING, conn->ping);
    case THI_DUE_HERE: return put_here(conn);
    case THI_DUE_WHERE: return put_where(conn);
    case THI_DUE_CLOSE: return put_close(conn);
    }
    return true;
}

/* Everything that is due, in the order of enum thi_conn_due. false: no memory. */
static bool write_due(struct thi_conn *conn, uint64_t now)
{
    if (conn->state == THI_CONN_CLOSING) /* what was due before concerns nobody any more */
        conn->due &= THI_DUE_HELLO | THI_DUE_CLOSE;
    while (conn->due) {
        uint32_t due = conn->due & (0u - conn->due);

        if (!write_one_due(conn, (enum thi_conn_due)due, now))
            return false;
        conn->due &= ~due;
    }
    return true;
}

static void fill(struct thi_conn *conn, uint64_t now)
{
    struct thi_link *link = conn->link;
    bool is_up = conn->state == THI_CONN_UP;
    size_t size = conn->out.size;

    /* an acknowledgement rides along */
    if (is_up && link->received > link->ack_told && thi_link_has_something(link))
        conn->due |= THI_DUE_ACK;
    if (!write_due(conn, now)) {
        conn->retry_at = now + RETRY_NS;
        thi_hub_alarm(conn->hub, conn->retry_at);
    }
    while (is_up && conn->out.size < TH_LINK_AHEAD && conn->state == THI_CONN_UP) {
        if (!thi_outbound_write(link, conn, now))
            break;
    }
    if (conn->state == THI_CONN_UP)
        link->counters.bytes_out += conn->out.size - size;
}

unsigned thi_conn_pull(struct thi_conn *conn, struct iovec *pieces, unsigned count, uint64_t now)
{
    struct thi_hub *hub = conn->hub;
    unsigned pulled = 0;

    thi_hub_enter(hub, now);
    if (conn->out.size < TH_LINK_AHEAD / 2)
        fill(conn, now);
    if (conn->state != THI_CONN_CLOSED)
        pulled = thi_spool_pull(&conn->out, pieces, count);
    conn->is_dry = pulled == 0;
    if (conn->is_dry && conn->state == THI_CONN_UP &&
        conn->link->flights.sent < conn->link->flights.last) { /* for want of memory */
        conn->retry_at = now + RETRY_NS;
        thi_hub_alarm(hub, conn->retry_at);
    }
    if (conn->is_dry && conn->state == THI_CONN_CLOSING)
        thi_hub_alarm(hub, now); /* that was all: a tick lets go of it */
    thi_hub_leave(hub);
    return pulled;
}

void thi_conn_pulled(struct thi_conn *conn, size_t size, uint64_t now)
{
    (void)now;
    thi_spool_pulled(&conn->out, size);
}
