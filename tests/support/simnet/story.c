#include "tests/support/simnet/story.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <thespis/config.h>

#include "transport/link/link.h"

#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

/* A story's own periods: shorter, so that more happens in one. */
#define PING     (1 * S)
#define GREETING (1 * S)
#define PATIENCE (12 * S)
#define IDLE     (8 * S)

/* After healing: a half-open connection is found (3 pings), its link waits (the longest pause),
 * dials into a stream that is about to end (greeting, the pause again), and greets. Who is sought
 * is asked for when those who know are up again (two more pauses). A partition that ends holds
 * bytes back for another 200 ms. In a gentle story patience is longer than that. */
#define UP_AGAIN (3 * PING + 4 * TH_LINK_PAUSE_MAX_NS + 2 * GREETING + TH_LINK_DIAL_NS + 2 * S)

struct teller {
    struct simnet net;
    struct thi_random random; /* of the story, not of the network */
    bool is_harsh;
    bool has_large;
    struct simnet_verdict *verdict;
};

static uint64_t below(struct teller *teller, uint64_t bound)
{
    return thi_random_below(&teller->random, bound);
}

static void object(struct teller *teller, const char *format, ...) TH_PRINTF(2, 3);
static void object(struct teller *teller, const char *format, ...)
{
    va_list args;

    if (teller->net.objection[0])
        return;
    va_start(args, format);
    vsnprintf(teller->net.objection, sizeof(teller->net.objection), format, args);
    va_end(args);
}

static void open_net(struct teller *teller, const struct simnet_story *story)
{
    static const uint32_t fragments[] = { 0, 0, 1, 7, 100, 5000 };
    static const uint32_t windows[] = { 64, 1000, 65536, 1 << 20 };
    static const uint32_t unacked[] = { 1, 2, 3, 16, 0 };
    struct simnet_options options = { .seed = story->seed };

    teller->is_harsh = story->seed % 2 == 1;
    options.nodes = story->nodes ? story->nodes : 2 + (unsigned)below(teller, 4);
    options.fragment = fragments[below(teller, 6)];
    options.window = windows[below(teller, 4)];
    options.delay_ns = below(teller, 4) ? 100000 : 1 + below(teller, 50 * MS);
    options.hub.unacked_max = unacked[below(teller, 5)];
    options.hub.ping_ns = PING;
    options.hub.greeting_ns = GREETING;
    options.hub.idle_ns = IDLE;
    options.hub.patience_ns = teller->is_harsh ? PATIENCE : 1000 * S;
    if (options.delay_ns > 10 * MS) { /* slow enough: not by a byte at a time, too */
        options.fragment = 0;
        options.window = 65536;
        options.hub.unacked_max = 0;
    }
    teller->has_large = options.fragment != 1 && options.window >= 65536 &&
                        options.delay_ns <= 100000 &&
                        (options.hub.unacked_max == 0 || options.hub.unacked_max > 2);
    simnet_open(&teller->net, &options);
}

/* ---- what happens ---- */

static void send(struct teller *teller, unsigned a, unsigned b)
{
    unsigned i, count = 1 + (unsigned)below(teller, 12);
    enum sim_kind kind;
    size_t size;

    for (i = 0; i < count; i++) {
        size = below(teller, 200);
        kind = SIM_PLAIN;
        if (below(teller, 40) == 0)
            kind = below(teller, 3) ? SIM_UNKNOWN : SIM_LOCAL;
        if (teller->has_large && below(teller, 30) == 0)
            size = below(teller, 400000);
        simnet_send(&teller->net, a, b, (unsigned)below(teller, 4), size, kind);
    }
}

static void crash_or_start(struct teller *teller, unsigned node)
{
    if (!teller->is_harsh)
        return;
    if (simnet_is_running(&teller->net, node))
        simnet_crash(&teller->net, node);
    else
        simnet_start(&teller->net, node);
}

static void break_something(struct teller *teller, unsigned a, unsigned b)
{
    struct simnet *net = &teller->net;

    switch (below(teller, 8)) {
    case 0: simnet_reset(net, a, b, false); break;
    case 1: simnet_reset(net, a, b, true); break;
    case 2: simnet_swallow(net, a, b); break;
    case 3: simnet_partition(net, a, b, true); break;
    case 4: simnet_partition(net, a, b, false); break;
    case 5: simnet_stall(net, a, below(teller, 2 * S)); break;
    case 6: simnet_reset_after(net, a, b, 1 + below(teller, 2000)); break;
    case 7: crash_or_start(teller, a); break;
    }
}

static void let_time_pass(struct teller *teller)
{
    uint64_t ns = below(teller, 20 * MS);

    if (below(teller, 10) == 0)
        ns = below(teller, 3 * S);
    if (teller->is_harsh && below(teller, 40) == 0)
        ns = below(teller, 20 * S);
    simnet_run(&teller->net, teller->net.now + ns);
}

static void step(struct teller *teller)
{
    unsigned nodes = teller->net.options.nodes;
    unsigned a = (unsigned)below(teller, nodes);
    unsigned b = (a + 1 + (unsigned)below(teller, nodes - 1)) % nodes;

    switch (below(teller, 8)) {
    case 0: break_something(teller, a, b); break;
    case 1:
        if (below(teller, 4) == 0)
            simnet_dial(&teller->net, a, b);
        else if (below(teller, 4) == 0 && simnet_is_running(&teller->net, a))
            thi_hub_shed(simnet_hub(&teller->net, a), teller->net.now);
        break;
    case 2:
    case 3:
    case 4: send(teller, a, b); break;
    default: let_time_pass(teller); break;
    }
}

/* ---- the verdict ---- */

static void check_links(struct teller *teller)
{
    unsigned node;
    struct thi_link *link;

    for (node = 0; node < teller->net.options.nodes; node++) {
        for (link = simnet_hub(&teller->net, node)->links; link; link = link->next) {
            if (link->is_wanted)
                object(teller,
                       "node %u: a link is down although all is well: %s, %u addresses, %s sought, "
                       "dials in %lld ms, wanted for %llu ms",
                       node, link->why, link->address_count, link->is_sought ? "" : "not",
                       (long long)(link->dial_at - teller->net.now) / 1000000,
                       (unsigned long long)(teller->net.now - link->wanted_since) / 1000000);
            if (link->conn && !thi_link_is_idle(link))
                object(
                    teller,
                    "node %u: a link is busy although all is done: %llu under way, %u set aside, "
                    "%s transfer, %u assemblies, %s returned, %llu of %llu acknowledged, %s mail",
                    node, (unsigned long long)thi_flights_count(&link->flights), link->aside.count,
                    link->transfers ? "a" : "no", link->assemblies.count,
                    link->returned ? "some" : "none", (unsigned long long)link->ack_told,
                    (unsigned long long)link->received, link->has_mail ? "has" : "no");
        }
    }
}

static uint64_t frames(struct teller *teller)
{
    unsigned node;
    struct thi_link *link;
    uint64_t count = 0;

    for (node = 0; node < teller->net.options.nodes; node++) {
        for (link = simnet_hub(&teller->net, node)->links; link; link = link->next)
            count += link->counters.frames_out;
    }
    return count;
}

static void check_books(struct teller *teller)
{
    const struct simnet_books *books = &teller->net.books;
    uint64_t waiting = simnet_waiting(&teller->net);

    if (waiting > 0)
        object(teller, "%llu parcels wait although all is well", (unsigned long long)waiting);
    if (teller->is_harsh)
        return;
    if (books->undelivered > 0)
        object(teller, "%llu parcels were given up", (unsigned long long)books->undelivered);
    if (books->poisoned != books->expected || books->delivered + books->poisoned != books->sent)
        object(teller, "of %llu sent, %llu were delivered and %llu poison",
               (unsigned long long)books->sent, (unsigned long long)books->delivered,
               (unsigned long long)books->poisoned);
}

/* When all is done, only pings go, and in the end nothing: connections rest. */
static void check_quiet(struct teller *teller)
{
    struct simnet *net = &teller->net;
    uint64_t before = frames(teller), after;
    unsigned pairs = net->options.nodes * (net->options.nodes - 1);

    simnet_run(net, net->now + 4 * PING);
    after = frames(teller);
    if (after - before > (uint64_t)pairs * 2 * 5)
        object(teller, "%llu frames although nothing is to do",
               (unsigned long long)(after - before));
    simnet_run(net, net->now + IDLE + 4 * S);
    if (simnet_streams(net) > 0)
        object(teller, "%u connections do not rest", simnet_streams(net));
}

void simnet_story_run(const struct simnet_story *story, struct simnet_verdict *verdict)
{
    static struct teller teller;
    unsigned i, steps;

    memset(&teller, 0, sizeof(teller));
    memset(verdict, 0, sizeof(*verdict));
    thi_random_init(&teller.random, story->seed ^ UINT64_C(0x5707159));
    open_net(&teller, story);
    steps = story->steps ? story->steps : 20 + (unsigned)below(&teller, 150);
    for (i = 1; i < teller.net.options.nodes; i++)
        simnet_dial(&teller.net, 0, i);
    if (below(&teller, 2))
        simnet_run(&teller.net, teller.net.now + 1 * S);
    for (i = 0; i < steps && !teller.net.objection[0]; i++)
        step(&teller);
    simnet_heal(&teller.net);
    simnet_run(&teller.net, teller.net.now + UP_AGAIN + (teller.is_harsh ? PATIENCE : 0));
    check_links(&teller);
    check_books(&teller);
    check_quiet(&teller);
    verdict->trace = teller.net.trace;
    verdict->events = teller.net.steps;
    verdict->books = teller.net.books;
    memcpy(verdict->objection, teller.net.objection, sizeof(verdict->objection));
    simnet_close(&teller.net);
}
