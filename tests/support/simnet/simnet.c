/* The network: events in their order, streams of bytes, and what breaks them.
 *
 * Past 500 lines: an event and what it brings about are read together. */
#include "tests/support/simnet/inside.h"

#include <criterion/criterion.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void simnet_object(struct simnet *net, const char *format, ...)
{
    va_list args;

    if (net->objection[0])
        return;
    va_start(args, format);
    vsnprintf(net->objection, sizeof(net->objection), format, args);
    va_end(args);
}

void *simnet_grab(size_t size)
{
    void *at = calloc(1, size);

    cr_assert_not_null(at);
    return at;
}

/* FNV-1a, a word at a time. */
void simnet_trace(struct simnet *net, uint64_t word)
{
    net->trace = (net->trace ^ word) * UINT64_C(0x100000001b3);
}

/* ---- events: a binary heap ---- */

static bool is_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->when < b->when || (a->when == b->when && a->seq < b->seq);
}

static struct sim_event *event_new(enum sim_what what)
{
    struct sim_event *event = simnet_grab(sizeof(*event));

    event->what = what;
    return event;
}

static void event_add(struct simnet *net, struct sim_event *event, uint64_t when)
{
    unsigned at = net->event_count++;

    event->when = when < net->now ? net->now : when;
    event->seq = net->event_seq++;
    if (event->stream)
        event->stream->events++;
    if (at == net->event_room) {
        net->event_room = net->event_room ? 2 * net->event_room : 64;
        net->events = realloc(net->events, net->event_room * sizeof(struct sim_event *));
        cr_assert_not_null(net->events);
    }
    while (at > 0 && is_before(event, net->events[(at - 1) / 2])) {
        net->events[at] = net->events[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    net->events[at] = event;
}

static struct sim_event *event_take(struct simnet *net)
{
    struct sim_event *first = net->events[0];
    struct sim_event *last = net->events[--net->event_count];
    unsigned at = 0, child;

    while ((child = 2 * at + 1) < net->event_count) {
        if (child + 1 < net->event_count && is_before(net->events[child + 1], net->events[child]))
            child++;
        if (!is_before(net->events[child], last))
            break;
        net->events[at] = net->events[child];
        at = child;
    }
    net->events[at] = last;
    return first;
}

static uint64_t travel(struct simnet *net)
{
    return net->options.delay_ns + thi_random_below(&net->random, net->options.delay_ns);
}

static bool is_cut(const struct simnet *net, unsigned a, unsigned b)
{
    uint64_t bit = (uint64_t)a * net->options.nodes + b;

    return net->cut[bit / 64] >> (bit % 64) & 1;
}

/* ---- streams ---- */

static struct sim_end *end_of(struct thi_conn *conn, struct sim_stream **stream_out)
{
    struct sim_stream *stream = thi_conn_stream(conn);

    *stream_out = stream;
    if (!stream)
        return NULL;
    return &stream->ends[stream->ends[1].conn == conn];
}

static void chunk_free(struct sim_end *end)
{
    struct sim_chunk *chunk = end->first;

    end->first = chunk->next;
    if (!end->first)
        end->last = &end->first;
    free(chunk);
}

static void stream_free_if_done(struct sim_stream *stream, struct simnet *net)
{
    int end;

    if (stream->events > 0 || stream->ends[0].conn || stream->ends[1].conn)
        return;
    *stream->back = stream->next;
    if (stream->next)
        stream->next->back = stream->back;
    net->stream_count--;
    for (end = 0; end < 2; end++) {
        while (stream->ends[end].first)
            chunk_free(&stream->ends[end]);
    }
    free(stream);
}

static void stream_event(struct simnet *net, enum sim_what what, struct sim_stream *stream,
                         unsigned end, uint64_t when)
{
    struct sim_event *event = event_new(what);

    event->stream = stream;
    event->end = end;
    event_add(net, event, when);
}

/* The first of what @end wrote arrives in its time. */
static void want_arrival(struct simnet *net, struct sim_stream *stream, unsigned end)
{
    if (stream->ends[end].is_arriving || !stream->ends[end].first)
        return;
    stream->ends[end].is_arriving = true;
    stream_event(net, SIM_ARRIVE, stream, end, stream->ends[end].first->when);
}

/* @size bytes [lend], or the end, go on their way. */
static void launch(struct simnet *net, struct sim_stream *stream, unsigned index,
                   const struct iovec *pieces, uint32_t size)
{
    struct sim_end *end = &stream->ends[index];
    struct sim_chunk *chunk = simnet_grab(sizeof(*chunk) + size);
    uint32_t part;

    chunk->is_end = size == 0;
    for (; chunk->size < size; chunk->size += part, pieces++) {
        part = size - chunk->size;
        part = pieces->iov_len < part ? (uint32_t)pieces->iov_len : part;
        memcpy(chunk->bytes + chunk->size, pieces->iov_base, part);
    }
    end->in_flight += size;
    if (end->arrives < net->now + net->options.delay_ns)
        end->arrives = net->now + travel(net);
    chunk->when = end->arrives;
    *end->last = chunk;
    end->last = &chunk->next;
    want_arrival(net, stream, index);
}

static void want_pull(struct simnet *net, struct sim_stream *stream, unsigned end)
{
    if (stream->ends[end].is_pulling || !stream->ends[end].conn)
        return;
    stream->ends[end].is_pulling = true;
    stream_event(net, SIM_PULL, stream, end, net->now);
}

static struct sim_node *node_of(struct thi_carrier *carrier)
{
    return (struct sim_node *)(void *)carrier;
}

static th_err carrier_dial(struct thi_carrier *carrier, struct thi_conn *conn, const char *address,
                           const char **why_out)
{
    struct sim_node *node = node_of(carrier);
    struct simnet *net = node->net;
    struct sim_stream *stream;
    unsigned to;

    if (sscanf(address, "node%u:1", &to) != 1 || to >= net->options.nodes) {
        *why_out = "there is no such node";
        return TH_E_PARSE;
    }
    stream = simnet_grab(sizeof(*stream));
    stream->id = net->stream_seq++;
    stream->reset_after = UINT64_MAX;
    stream->ends[0].conn = conn;
    stream->ends[0].node = node->index;
    stream->ends[1].node = to;
    stream->ends[0].last = &stream->ends[0].first;
    stream->ends[1].last = &stream->ends[1].first;
    stream->next = net->streams;
    stream->back = &net->streams;
    if (stream->next)
        stream->next->back = &stream->next;
    net->streams = stream;
    net->stream_count++;
    thi_conn_set_stream(conn, stream);
    stream_event(net, SIM_OPEN, stream, 1, net->now + travel(net));
    return TH_OK;
}

static void carrier_kick(struct thi_carrier *carrier, struct thi_conn *conn)
{
    struct sim_stream *stream;
    struct sim_end *end = end_of(conn, &stream);

    if (stream)
        want_pull(node_of(carrier)->net, stream, (unsigned)(end - stream->ends));
}

static void carrier_pause(struct thi_carrier *carrier, struct thi_conn *conn, bool pause)
{
    struct sim_stream *stream;

    (void)carrier;
    end_of(conn, &stream)->is_paused = pause;
}

static void carrier_close(struct thi_carrier *carrier, struct thi_conn *conn, uint64_t linger_ns)
{
    struct simnet *net = node_of(carrier)->net;
    struct sim_stream *stream;
    struct sim_end *end = end_of(conn, &stream);

    (void)linger_ns;
    if (!stream)
        return;
    end->conn = NULL;
    launch(net, stream, (unsigned)(end - stream->ends), NULL, 0); /* behind what is under way */
}

static void carrier_timer(struct thi_carrier *carrier, uint64_t when)
{
    struct sim_node *node = node_of(carrier);
    struct sim_event *event;

    node->timer = when;
    if (when == UINT64_MAX)
        return;
    event = event_new(SIM_TICK);
    event->node = node;
    event_add(node->net, event, when);
}

const struct thi_carrier_ops simnet_carrier_ops = { carrier_dial, carrier_kick, carrier_pause,
                                                    carrier_close, carrier_timer };

/* The stream ends for @end, which hears @why. */
static void shut(struct simnet *net, struct sim_stream *stream, unsigned end, const char *why)
{
    struct thi_conn *conn = stream->ends[end].conn;

    if (!conn)
        return;
    stream->ends[end].conn = NULL;
    thi_conn_closed(conn, why, false, net->now);
}

static void on_open(struct simnet *net, struct sim_stream *stream)
{
    struct sim_node *from = &net->nodes[stream->ends[0].node];
    struct sim_node *to = &net->nodes[stream->ends[1].node];
    struct thi_far_end far = { .address = "" };
    struct thi_conn *conn;

    if (!stream->ends[0].conn)
        return;
    if (is_cut(net, from->index, to->index)) { /* a SYN is sent again */
        stream_event(net, SIM_OPEN, stream, 1, net->now + 200000000);
        return;
    }
    if (!to->hub) {
        shut(net, stream, 0, "connection refused");
        return;
    }
    snprintf(far.address, sizeof(far.address), "node%u", from->index);
    conn = thi_hub_accepted(to->hub, &far, net->now);
    if (!conn) {
        shut(net, stream, 0, "reset");
        return;
    }
    stream->ends[1].conn = conn;
    thi_conn_set_stream(conn, stream);
    stream->is_open = true;
    want_pull(net, stream, 1);
    snprintf(far.address, sizeof(far.address), "node%u", to->index);
    thi_conn_opened(stream->ends[0].conn, &far, net->now);
    if (stream->ends[0].conn)
        want_pull(net, stream, 0);
}

/* What the end has to write, as far as the window allows, in pieces as the seed cuts them. */
static void on_pull(struct simnet *net, struct sim_stream *stream, unsigned index)
{
    struct sim_end *end = &stream->ends[index];
    struct iovec pieces[4];

    end->is_pulling = false;
    while (end->conn && !stream->is_dead && end->in_flight < net->options.window) {
        unsigned most = 1 + (unsigned)thi_random_below(&net->random, 4);
        unsigned i, count = thi_conn_pull(end->conn, pieces, most, net->now);
        uint64_t size = net->options.window - end->in_flight, there = 0;

        if (count == 0)
            return;
        for (i = 0; i < count; i++)
            there += pieces[i].iov_len;
        if (net->options.fragment)
            there =
                thi_random_below(&net->random,
                                 there < net->options.fragment ? there : net->options.fragment) +
                1;
        size = there < size ? there : size;
        if (end->is_swallowed)
            end->in_flight += (uint32_t)size;
        else
            launch(net, stream, index, pieces, (uint32_t)size);
        thi_conn_pulled(end->conn, size, net->now);
    }
}

/* Resets the stream once so many bytes have arrived. */
static uint32_t count_down(struct sim_stream *stream, uint32_t size)
{
    if (stream->reset_after == UINT64_MAX)
        return size;
    if (size > stream->reset_after)
        size = (uint32_t)stream->reset_after;
    stream->reset_after -= size;
    stream->is_dead = stream->reset_after == 0;
    return size;
}

/* The first that end @index wrote arrives; not yet, if the other does not read, or is cut off. */
static void on_arrive(struct simnet *net, struct sim_stream *stream, unsigned index)
{
    struct sim_end *from = &stream->ends[index], *to = &stream->ends[!index];
    struct sim_chunk *chunk = from->first;
    struct sim_node *node = &net->nodes[to->node];
    uint32_t size;

    from->is_arriving = false;
    if (stream->is_dead)
        return;
    if (is_cut(net, from->node, to->node)) /* it is sent again */
        chunk->when = net->now + 200000000;
    else if (node->stalled_until > net->now)
        chunk->when = node->stalled_until;
    if (chunk->when > net->now) {
        want_arrival(net, stream, index);
        return;
    }
    if (chunk->is_end) {
        shut(net, stream, !index, "closed by peer");
    } else if (!to->conn) { /* nobody is there: a reset comes back */
        shut(net, stream, index, "connection reset by peer");
    } else {
        size = count_down(stream, chunk->size);
        from->in_flight -= chunk->size;
        simnet_trace(net, stream->id << 32 | size);
        if (size > 0 && !thi_conn_feed(to->conn, chunk->bytes, size, net->now))
            cr_assert_null(to->conn);
        want_pull(net, stream, index);
    }
    chunk_free(from);
    if (stream->is_dead) {
        shut(net, stream, 0, "connection reset by peer");
        shut(net, stream, 1, "connection reset by peer");
    }
    want_arrival(net, stream, index);
}

bool simnet_step(struct simnet *net, uint64_t until)
{
    struct sim_event *event;

    if (net->event_count == 0 || net->events[0]->when > until)
        return false;
    event = event_take(net);
    net->now = event->when;
    net->steps++;
    simnet_trace(net, net->now << 3 | event->what);
    switch (event->what) {
    case SIM_TICK:
        if (event->node->hub && event->node->timer <= net->now) {
            event->node->timer = UINT64_MAX;
            thi_hub_tick(event->node->hub, net->now);
        }
        break;
    case SIM_OPEN: on_open(net, event->stream); break;
    case SIM_PULL: on_pull(net, event->stream, event->end); break;
    case SIM_ARRIVE: on_arrive(net, event->stream, event->end); break;
    case SIM_SHUT: shut(net, event->stream, event->end, "connection reset by peer"); break;
    }
    if (event->stream) {
        event->stream->events--;
        stream_free_if_done(event->stream, net);
    }
    free(event);
    return true;
}

void simnet_run(struct simnet *net, uint64_t until)
{
    while (simnet_step(net, until))
        ;
    net->now = until;
}

void simnet_close(struct simnet *net)
{
    unsigned i;

    for (i = 0; i < net->options.nodes; i++)
        simnet_crash(net, i);
    while (net->event_count > 0) {
        struct sim_event *event = event_take(net);

        if (event->stream) {
            event->stream->events--;
            stream_free_if_done(event->stream, net);
        }
        free(event);
    }
    cr_expect_eq(net->stream_count, 0, "%u streams are left", net->stream_count);
    cr_expect_eq(net->books.settled, net->books.taken);
    for (i = 0; i < net->options.nodes; i++)
        free(net->nodes[i].turns);
    simnet_forget_parcels(net);
    free(net->nodes);
    free(net->cut);
    free(net->events);
    thi_heap_fini(&net->heap);
    cr_assert_eq(thi_depot_fini(&net->depot), 0, "blocks are still out");
    cr_assert_eq(thi_memory_fini(&net->memory), 0, "bytes are still out");
}

/* ---- what breaks ---- */

void simnet_partition(struct simnet *net, unsigned a, unsigned b, bool cut)
{
    uint64_t bits[2] = { (uint64_t)a * net->options.nodes + b,
                         (uint64_t)b * net->options.nodes + a };
    int i;

    for (i = 0; i < 2; i++) {
        if (cut)
            net->cut[bits[i] / 64] |= UINT64_C(1) << (bits[i] % 64);
        else
            net->cut[bits[i] / 64] &= ~(UINT64_C(1) << (bits[i] % 64));
    }
}

static int end_at(const struct sim_stream *stream, unsigned a, unsigned b)
{
    if (stream->ends[0].node == a && stream->ends[1].node == b)
        return 0;
    if (stream->ends[1].node == a && stream->ends[0].node == b)
        return 1;
    return -1;
}

void simnet_reset(struct simnet *net, unsigned a, unsigned b, bool only_a)
{
    struct sim_stream *stream;

    for (stream = net->streams; stream; stream = stream->next) {
        int end = end_at(stream, a, b);

        if (end < 0 || !stream->is_open || stream->is_dead)
            continue;
        stream->is_dead = true;
        stream_event(net, SIM_SHUT, stream, (unsigned)end, net->now);
        if (!only_a)
            stream_event(net, SIM_SHUT, stream, !end, net->now);
    }
}

void simnet_reset_after(struct simnet *net, unsigned a, unsigned b, uint64_t bytes)
{
    struct sim_stream *stream = net->streams; /* the newest first */

    while (stream && end_at(stream, a, b) < 0)
        stream = stream->next;
    if (stream)
        stream->reset_after = bytes;
}

void simnet_swallow(struct simnet *net, unsigned a, unsigned b)
{
    struct sim_stream *stream;

    for (stream = net->streams; stream; stream = stream->next) {
        int end = end_at(stream, a, b);

        if (end >= 0)
            stream->ends[end].is_swallowed = true;
    }
}

void simnet_stall(struct simnet *net, unsigned node, uint64_t ns)
{
    net->nodes[node].stalled_until = net->now + ns;
}

void simnet_heal(struct simnet *net)
{
    unsigned i;

    memset(net->cut, 0, ((size_t)net->options.nodes * net->options.nodes / 64 + 1) * 8);
    for (i = 0; i < net->options.nodes; i++) {
        net->nodes[i].stalled_until = 0;
        simnet_start(net, i);
    }
}

/* ---- the verdict ---- */

unsigned simnet_streams(const struct simnet *net)
{
    const struct sim_stream *stream;
    unsigned count = 0;

    for (stream = net->streams; stream; stream = stream->next)
        count += stream->ends[0].conn && stream->ends[1].conn;
    return count;
}
