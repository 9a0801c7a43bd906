#include "transport/link/connection.h"

#include <thespis/config.h>
#include <thespis/log.h>

#include "transport/link/link.h"

/* ---- life ---- */

struct thi_conn *thi_conn_create(struct thi_hub *hub, enum thi_conn_state state, uint64_t now)
{
    struct thi_conn *conn = thi_memory_take(hub->options.memory, sizeof(*conn));

    if (!conn)
        return NULL;
    conn->hub = hub;
    conn->state = state;
    conn->limits.frame = TH_WIRE_GREETING_MAX;
    conn->limits.message = TH_WIRE_MESSAGE_MAX;
    conn->heard_at = conn->progress_at = now;
    conn->retry_at = UINT64_MAX;
    thi_spool_init(&conn->out, hub->options.memory);
    conn->next = hub->conns;
    conn->back = &hub->conns;
    if (conn->next)
        conn->next->back = &conn->next;
    hub->conns = conn;
    return conn;
}

void thi_conn_free(struct thi_conn *conn)
{
    struct thi_memory *memory = conn->hub->options.memory;

    thi_memory_give(memory, conn->in, conn->in_room);
    thi_spool_fini(&conn->out);
    thi_memory_give(memory, conn, sizeof(*conn));
}

/* From the list of those that there are to that of those that are to be freed. */
static void bury(struct thi_conn *conn)
{
    struct thi_hub *hub = conn->hub;

    conn->state = THI_CONN_CLOSED;
    *conn->back = conn->next;
    if (conn->next)
        conn->next->back = conn->back;
    conn->next = hub->dead_conns;
    hub->dead_conns = conn;
}

/* Whoever waited for it hears that it ends. */
static void detach(struct thi_conn *conn, const char *why, bool final, bool is_rest, uint64_t now)
{
    struct thi_link *link = conn->link;

    if (conn->is_stranger) {
        conn->is_stranger = false;
        conn->hub->stranger_count--;
    }
    if (conn->dial)
        thi_hub_dial_failed(conn->hub, conn, why, final, now);
    conn->link = NULL;
    if (!link)
        return;
    if (link->conn == conn)
        thi_link_lost(link, conn, is_rest, why, now);
    else if (conn->is_ours && !link->conn)
        thi_link_dial_failed(link, why, now);
    thi_link_forget_if_unused(link, now);
}

void thi_conn_never(struct thi_conn *conn, const char *why, bool final, uint64_t now)
{
    detach(conn, why, final, false, now);
    bury(conn);
}

void thi_conn_cut(struct thi_conn *conn, const char *why, bool final, uint64_t now)
{
    struct thi_carrier *carrier = conn->hub->options.carrier;

    if (conn->state == THI_CONN_CLOSED)
        return;
    detach(conn, why, final, false, now);
    bury(conn);
    carrier->ops->close(carrier, conn, 0);
}

void thi_conn_close(struct thi_conn *conn, enum thi_close reason, const char *words, uint64_t now)
{
    if (conn->state >= THI_CONN_CLOSING)
        return;
    if (conn->state == THI_CONN_DIALLING) { /* there is nobody to tell */
        thi_conn_cut(conn, words, false, now);
        return;
    }
    conn->state = THI_CONN_CLOSING;
    conn->until = now + TH_LINK_CLOSE_NS;
    conn->close_reason = reason;
    thi_fault_set(&conn->close_words, "%s", words);
    detach(conn, words, reason == THI_CLOSE_SELF || reason == THI_CLOSE_VERSION,
           reason == THI_CLOSE_IDLE, now);
    thi_hub_alarm(conn->hub, conn->until);
    thi_conn_kick(conn, THI_DUE_CLOSE);
}

void thi_conn_kick(struct thi_conn *conn, uint32_t due)
{
    struct thi_carrier *carrier = conn->hub->options.carrier;

    conn->due |= due;
    if (conn->is_dry) {
        conn->is_dry = false;
        carrier->ops->kick(carrier, conn);
    }
}

bool thi_conn_has_greeted(const struct thi_conn *conn)
{
    return conn->state >= THI_CONN_UP;
}

void thi_conn_set_stream(struct thi_conn *conn, void *stream)
{
    conn->stream = stream;
}

void *thi_conn_stream(const struct thi_conn *conn)
{
    return conn->stream;
}

/* A PING is due, if none is unanswered. From now on it is waited for, however long it takes to be
 * written. */
void thi_conn_ask(struct thi_conn *conn, uint64_t now)
{
    if (conn->pinged_at)
        return;
    conn->ping++;
    conn->pinged_at = now;
    thi_conn_kick(conn, THI_DUE_PING);
}

/* ---- the stream ---- */

void thi_conn_opened(struct thi_conn *conn, const struct thi_far_end *far, uint64_t now)
{
    struct thi_hub *hub = conn->hub;

    thi_hub_enter(hub, now);
    conn->far = *far;
    conn->state = THI_CONN_GREETING;
    conn->until = now + hub->options.greeting_ns;
    conn->heard_at = now;
    conn->due |= THI_DUE_HELLO;
    thi_hub_alarm(hub, conn->until);
    thi_hub_leave(hub);
}

void thi_conn_closed(struct thi_conn *conn, const char *why, bool final, uint64_t now)
{
    struct thi_hub *hub = conn->hub;

    thi_hub_enter(hub, now);
    if (conn->state != THI_CONN_CLOSED) {
        if (conn->state == THI_CONN_GREETING || conn->state == THI_CONN_MEETING)
            hub->counters.greetings_failed++;
        detach(conn, why, final, false, now);
        bury(conn);
    }
    thi_hub_leave(hub);
}

/* ---- time ---- */

uint64_t thi_conn_deadline(const struct thi_conn *conn)
{
    uint64_t ping = conn->hub->options.ping_ns;
    uint64_t when;

    switch (conn->state) {
    case THI_CONN_DIALLING:
    case THI_CONN_GREETING:
    case THI_CONN_MEETING: return conn->until;
    case THI_CONN_CLOSING: return conn->is_dry ? 0 : conn->until;
    case THI_CONN_CLOSED: return UINT64_MAX;
    case THI_CONN_UP: break;
    }
    if (conn->pinged_at)
        when = conn->pinged_at + 2 * ping;
    else
        when = conn->heard_at + ping;
    if (!conn->pinged_at && thi_flights_count(&conn->link->flights) > 0 &&
        conn->progress_at + ping < when)
        when = conn->progress_at + ping;
    return when < conn->retry_at ? when : conn->retry_at;
}

static void tick_up(struct thi_conn *conn, uint64_t now)
{
    if (conn->retry_at <= now) {
        conn->retry_at = UINT64_MAX;
        thi_conn_kick(conn, 0);
    }
    if (thi_conn_deadline(conn) > now)
        return;
    if (!conn->pinged_at) {
        thi_conn_ask(conn, now);
    } else {
        thi_hub_note(conn->hub, conn->link, TH_LOG_INFO, "%s does not answer", conn->far.address);
        thi_conn_cut(conn, "it does not answer", false, now);
    }
}

void thi_conn_tick(struct thi_conn *conn, uint64_t now)
{
    if (thi_conn_deadline(conn) > now)
        return;
    switch (conn->state) {
    case THI_CONN_DIALLING: thi_conn_cut(conn, "nobody answers there", false, now); break;
    case THI_CONN_GREETING:
    case THI_CONN_MEETING:
        conn->hub->counters.greetings_failed++;
        thi_conn_cut(conn, "it does not greet in time", false, now);
        break;
    case THI_CONN_UP: tick_up(conn, now); break;
    case THI_CONN_CLOSING: thi_conn_cut(conn, "closed", false, now); break;
    case THI_CONN_CLOSED: break;
    }
}
