#include "transport/link/tcp.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "transport/link/hub.h"
#include <thespis/log.h>

const char thi_tcp_not_beyond_loopback[] =
    "beyond this machine anybody could read and speak: give certificates, or set insecure";

/* ---- carrier.h ---- */

static struct thi_tcp *of_carrier(struct thi_carrier *carrier)
{
    return (struct thi_tcp *)(void *)carrier; /* its first member */
}

static th_err carrier_dial(struct thi_carrier *carrier, struct thi_conn *conn, const char *address,
                           const char **why_out)
{
    return thi_dial_begin(of_carrier(carrier), conn, address, why_out);
}

/* Before it has a stream there is nothing to be kicked: it will be asked for output anyway. */
static void carrier_kick(struct thi_carrier *carrier, struct thi_conn *conn)
{
    (void)carrier;
    if (thi_conn_stream(conn))
        thi_stream_kick(thi_conn_stream(conn));
}

static void carrier_pause(struct thi_carrier *carrier, struct thi_conn *conn, bool pause)
{
    (void)carrier;
    if (thi_conn_stream(conn))
        thi_stream_pause(thi_conn_stream(conn), pause);
}

static void carrier_close(struct thi_carrier *carrier, struct thi_conn *conn, uint64_t linger_ns)
{
    (void)carrier;
    if (thi_conn_stream(conn))
        thi_stream_let_go(thi_conn_stream(conn), linger_ns);
}

static void carrier_timer(struct thi_carrier *carrier, uint64_t when_ns)
{
    of_carrier(carrier)->hub_when_ns = when_ns;
}

static const struct thi_carrier_ops carrier_ops = { .dial = carrier_dial,
                                                    .kick = carrier_kick,
                                                    .pause = carrier_pause,
                                                    .close = carrier_close,
                                                    .timer = carrier_timer };

/* ---- on the loop ---- */

static void stop_now(struct thi_tcp *tcp)
{
    struct thi_stream *next;

    tcp->is_stopping = true;
    thi_listen_close(tcp);
    tcp->options.stopping(tcp->options.host, thi_loop_now(&tcp->loop));
    for (struct thi_stream *at = TAILQ_FIRST(&tcp->streams); at; at = next) {
        next = TAILQ_NEXT(at, of_tcp);
        if (at->state == THI_STREAM_SHAKING && !at->conn)
            thi_stream_end(at); /* a stranger: nobody else will */
    }
    thi_lookups_close(&tcp->lookups);
}

static void on_rung(void *context)
{
    struct thi_tcp *tcp = context;

    tcp->options.rung(tcp->options.host, thi_loop_now(&tcp->loop));
    /* acquire: pairs with the release in thi_tcp_stop() */
    if (!tcp->is_stopping && atomic_load_explicit(&tcp->stop, memory_order_acquire))
        stop_now(tcp);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t next_deadline(const struct thi_tcp *tcp)
{
    uint64_t when =
        earlier(thi_deadlines_next(&tcp->lingering), thi_deadlines_next(&tcp->dialling));

    when = earlier(when, thi_deadlines_next(&tcp->shaking));
    return earlier(when, earlier(tcp->accept_again_ns, tcp->hub_when_ns));
}

static void do_what_is_due(struct thi_tcp *tcp, uint64_t now)
{
    thi_stream_due(tcp, now);
    thi_dial_due(tcp, now);
    if (tcp->accept_again_ns <= now)
        thi_listen_again(tcp);
    if (tcp->hub_when_ns <= now) {
        tcp->hub_when_ns = UINT64_MAX;
        thi_hub_tick(tcp->hub, now);
    }
}

static bool on_look(void *context)
{
    struct thi_tcp *tcp = context;
    uint64_t now = thi_loop_now(&tcp->loop);
    bool has_more = next_deadline(tcp) <= now;

    if (has_more)
        do_what_is_due(tcp, now);
    has_more |= thi_stream_flush_all(tcp);
    thi_loop_set_timer(&tcp->loop, next_deadline(tcp));
    if (tcp->is_stopping && TAILQ_EMPTY(&tcp->streams) && !tcp->lookups.first) {
        tcp->has_ended = true;
        thi_loop_end(&tcp->loop);
    }
    return has_more || tcp->has_ended;
}

static const struct thi_loop_ops loop_ops = { on_rung, on_look };

/* ---- between its files ---- */

void thi_tcp_note(struct thi_tcp *tcp, int level, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    tcp->options.note(tcp->options.host, level, text);
}

bool thi_tcp_may_reach(const struct thi_tcp *tcp, const struct thi_sockaddr *at)
{
    return tcp->options.insecure || tcp->options.tls || thi_sockaddr_is_loopback(at);
}

/* What lingers has said its last word to the kernel; idle connections are had again when they are
 * needed. The hub may let go only after a last word of its own: then there is room later, and
 * thi_listen_again() hears of it. */
bool thi_tcp_make_room(struct thi_tcp *tcp)
{
    uint64_t before = tcp->figures.ended;

    if (tcp->figures.short_of_descriptors++ == 0)
        thi_tcp_note(tcp, TH_LOG_WARN,
                     "out of descriptors (ulimit -n): idle connections are closed");
    if (!tcp->lingering.first && !thi_hub_shed(tcp->hub, thi_loop_now(&tcp->loop)))
        return false;
    return thi_stream_end_lingering(tcp) || tcp->figures.ended != before;
}

/* ---- from outside ---- */

static uint64_t or_default(uint64_t value, uint64_t otherwise)
{
    return value ? value : otherwise;
}

static void set_up(struct thi_tcp *tcp, const struct thi_tcp_options *options)
{
    struct thi_tcp_options *own = &tcp->options;

    *tcp = (struct thi_tcp){ .carrier.ops = &carrier_ops,
                             .options = *options,
                             .hub_when_ns = UINT64_MAX,
                             .accept_again_ns = UINT64_MAX,
                             .reserve = -1 };
    own->resolve = own->resolve ? own->resolve : thi_resolve_system;
    own->strangers_max = (uint32_t)or_default(own->strangers_max, TH_LINK_STRANGERS_MAX);
    own->strangers_per_host =
        (uint32_t)or_default(own->strangers_per_host, TH_LINK_STRANGERS_PER_HOST);
    own->connect_ns = or_default(own->connect_ns, TH_LINK_CONNECT_NS);
    own->stagger_ns = or_default(own->stagger_ns, TH_LINK_STAGGER_NS);
    own->handshake_ns = or_default(own->handshake_ns, TH_LINK_HANDSHAKE_NS);
    own->accept_pause_ns = or_default(own->accept_pause_ns, TH_LINK_ACCEPT_PAUSE_NS);
    TAILQ_INIT(&tcp->streams);
    TAILQ_INIT(&tcp->kicked);
    TAILQ_INIT(&tcp->strangers);
}

static void give_buffers(struct thi_tcp *tcp)
{
    thi_memory_give(tcp->options.memory, tcp->in, TH_LINK_READ_SIZE);
    thi_memory_give(tcp->options.memory, tcp->plain, TH_LINK_READ_SIZE);
    thi_memory_give(tcp->options.memory, tcp->cipher, TH_LINK_READ_SIZE);
}

static bool take_buffers(struct thi_tcp *tcp)
{
    bool has_tls = tcp->options.tls != NULL;

    tcp->in = thi_memory_take_raw(tcp->options.memory, TH_LINK_READ_SIZE);
    if (has_tls) {
        tcp->plain = thi_memory_take_raw(tcp->options.memory, TH_LINK_READ_SIZE);
        tcp->cipher = thi_memory_take_raw(tcp->options.memory, TH_LINK_READ_SIZE);
    }
    if (tcp->in && (!has_tls || (tcp->plain && tcp->cipher)))
        return true;
    give_buffers(tcp);
    return false;
}

th_err thi_tcp_open(struct thi_tcp *tcp, const struct thi_tcp_options *options, char *why,
                    size_t why_size)
{
    th_err err;

    set_up(tcp, options);
    (void)snprintf(why, why_size, "%s", th_strerror(TH_E_NOMEM));
    if (!take_buffers(tcp))
        return TH_E_NOMEM;
    err = thi_loop_open(&tcp->loop, &loop_ops, tcp, options->clock);
    if (err) {
        (void)snprintf(why, why_size, "%s", th_strerror(err));
        give_buffers(tcp);
        return err;
    }
    thi_lookups_init(&tcp->lookups, &tcp->loop.uv, options->memory, tcp->options.resolve,
                     options->resolve_context);
    for (const char *const *at = options->listen; at && *at && !err; at++)
        err = thi_listen_open(tcp, *at, why, why_size);
    if (err)
        thi_tcp_close(tcp);
    return err;
}

const struct thi_sockaddr *thi_tcp_listens(const struct thi_tcp *tcp, unsigned index)
{
    return index < tcp->listener_count ? &tcp->listeners[index].at : NULL;
}

void thi_tcp_start_here(struct thi_tcp *tcp, struct thi_hub *hub)
{
    tcp->hub = hub;
    thi_listen_start(tcp);
}

th_err thi_tcp_start(struct thi_tcp *tcp, struct thi_hub *hub)
{
    thi_tcp_start_here(tcp, hub);
    return thi_loop_start(&tcp->loop);
}

void thi_tcp_turn(struct thi_tcp *tcp, bool waits)
{
    thi_loop_turn(&tcp->loop, waits);
}

void thi_tcp_ring(struct thi_tcp *tcp)
{
    thi_loop_ring(&tcp->loop);
}

void thi_tcp_stop(struct thi_tcp *tcp)
{
    if (!tcp->hub || tcp->has_ended)
        return;
    /* release: pairs with the acquire in on_rung() */
    atomic_store_explicit(&tcp->stop, true, memory_order_release);
    thi_loop_ring(&tcp->loop);
    if (tcp->loop.is_running)
        thi_loop_join(&tcp->loop);
    while (!tcp->has_ended)
        thi_loop_turn(&tcp->loop, true);
}

void thi_tcp_close(struct thi_tcp *tcp)
{
    thi_listen_close(tcp);
    thi_loop_close(&tcp->loop);
    give_buffers(tcp);
}
