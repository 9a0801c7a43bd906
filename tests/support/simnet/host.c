/* Who is on the simulated network: hosts with their queues, and the books of all parcels. */
#include "tests/support/simnet/inside.h"

#include <criterion/criterion.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <thespis/type.h>

#include "mailbox/msg.h"
#include "transport/link/link.h"

/* ---- parcels ---- */

#define SIM_PARCEL_FIELDS(F, S)                                                                    \
    F(S, u64, id)                                                                                  \
    F(S, u64, turn) /* among those of its pair, from 1 */
TH_MESSAGE(sim_parcel, SIM_PARCEL_FIELDS);
TH_MESSAGE(sim_parcel_unknown, SIM_PARCEL_FIELDS);
TH_MESSAGE(sim_parcel_local, SIM_PARCEL_FIELDS);
TH_MESSAGE_TYPE_AS(sim_parcel, SIM_PARCEL_FIELDS, TH_TYPE_REST, NULL)
TH_MESSAGE_TYPE_AS(sim_parcel_unknown, SIM_PARCEL_FIELDS, TH_TYPE_REST, NULL)
TH_MESSAGE_LOCAL_TYPE(sim_parcel_local, NULL)

/* ---- hosts ---- */

static struct sim_queue *queue_of(struct sim_node *node, uint64_t system, bool make)
{
    struct sim_queue *queue = node->queues;

    while (queue && queue->system != system)
        queue = queue->next;
    if (!queue && make) {
        queue = simnet_grab(sizeof(*queue));
        queue->system = system;
        queue->last = &queue->first;
        queue->next = node->queues;
        node->queues = queue;
    }
    return queue;
}

static const struct sim_parcel *parcel_of(const th_msg *msg)
{
    return msg->thi_body; /* all three types look alike */
}

static unsigned char *fate_of(struct simnet *net, uint64_t id)
{
    static unsigned char nobody;
    struct sim_parcels *parcels = (struct sim_parcels *)(void *)(net->nodes + net->options.nodes);

    if (id < parcels->room)
        return &parcels->fates[id];
    simnet_object(net, "a parcel %llu that was never sent", (unsigned long long)id);
    return &nobody;
}

static void host_deliver(void *host, struct thi_link *link, th_msg *msg)
{
    struct sim_node *node = host;
    struct simnet *net = node->net;
    const struct sim_parcel *parcel = parcel_of(msg);
    unsigned char *fate = fate_of(net, parcel->id);
    unsigned from = msg->thi_from.slot / ACTORS, actor = msg->thi_from.slot % ACTORS;
    struct sim_turns *turns;
    const unsigned char *rest;
    size_t size, i;

    if (*fate & (DELIVERED | POISONED))
        simnet_object(net, "parcel %llu came twice", (unsigned long long)parcel->id);
    if (msg->thi_to.system != node->system || msg->thi_from.system != link->system ||
        from >= net->options.nodes)
        simnet_object(net, "parcel %llu came to another", (unsigned long long)parcel->id);
    turns = &net->nodes[from % net->options.nodes].turns[node->index];
    if (turns->from_system == link->system && turns->to_system == node->system) {
        if (parcel->turn <= turns->seen[actor])
            simnet_object(net, "parcel %llu came after a later one",
                          (unsigned long long)parcel->id);
        turns->seen[actor] = parcel->turn;
    }
    rest = th_msg_rest(msg, &size);
    for (i = 0; i < size; i += 97) {
        if (rest[i] != (unsigned char)(parcel->id + i))
            simnet_object(net, "parcel %llu came with other bytes", (unsigned long long)parcel->id);
    }
    *fate |= DELIVERED;
    net->books.delivered++;
    simnet_trace(net, parcel->id);
    thi_msg_destroy(&net->heap, msg);
}

static void host_undelivered(void *host, struct thi_link *link, th_msg *msg, th_dead_reason reason)
{
    struct sim_node *node = host;
    struct simnet *net = node->net;
    unsigned char *fate = fate_of(net, parcel_of(msg)->id);

    (void)link;
    if (*fate & (UNDELIVERED | POISONED | WRITTEN_OFF))
        simnet_object(net, "parcel %llu is undelivered twice",
                      (unsigned long long)parcel_of(msg)->id);
    if (*fate & DELIVERED && reason != TH_DEAD_LINK_LOST && reason != TH_DEAD_SHUTDOWN)
        simnet_object(net, "parcel %llu was delivered", (unsigned long long)parcel_of(msg)->id);
    if (!node->hub) {
        *fate |= WRITTEN_OFF;
        net->books.written_off++;
    } else {
        *fate |= UNDELIVERED;
        net->books.undelivered++;
        net->books.dead[reason]++;
    }
    thi_msg_destroy(&net->heap, msg);
}

static void host_poisoned(void *host, struct thi_link *link, th_msg *msg, const char *why)
{
    struct sim_node *node = host;
    struct simnet *net = node->net;
    unsigned char *fate = fate_of(net, parcel_of(msg)->id);

    (void)link;
    if (*fate || !why[0] || (msg->thi_type == &sim_parcel_type && !strstr(why, "no memory")))
        simnet_object(net, "parcel %llu is poison: %s", (unsigned long long)parcel_of(msg)->id,
                      why);
    *fate |= POISONED;
    net->books.poisoned++;
    thi_msg_destroy(&net->heap, msg);
}

static void host_settled(void *host, struct thi_link *link, uint32_t count)
{
    struct sim_node *node = host;

    (void)link;
    node->net->books.settled += count;
}

static th_msg *host_next(void *host, struct thi_link *link)
{
    struct sim_node *node = host;
    struct sim_queue *queue = queue_of(node, link->system, false);
    th_msg *msg = queue ? queue->first : NULL;

    if (!msg)
        return NULL;
    queue->first = msg->thi_next;
    if (!queue->first)
        queue->last = &queue->first;
    msg->thi_next = NULL;
    node->net->books.taken++;
    return msg;
}

static void host_up(void *host, struct thi_link *link)
{
    struct sim_node *node = host;

    node->net->books.ups++;
    simnet_trace(node->net, link->system);
}

static void host_gone(void *host, struct thi_link *link, const char *why)
{
    struct sim_node *node = host;

    (void)why;
    node->net->books.gones++;
    simnet_trace(node->net, ~link->system);
}

static void host_unreachable(void *host, const char *address, const char *why)
{
    struct sim_node *node = host;

    (void)address;
    (void)why;
    node->net->books.unreachables++;
}

static void host_met(void *host, struct thi_link *link, const char *address)
{
    struct sim_node *node = host;

    (void)link;
    (void)address;
    node->net->books.mets++;
}

static const th_type *host_find_type(void *host, const char *name)
{
    (void)host;
    return strcmp(name, "sim_parcel") == 0 ? &sim_parcel_type : NULL;
}

static void host_note(void *host, struct thi_link *link, int level, const char *text)
{
    struct sim_node *node = host;

    (void)link;
    (void)level;
    if (getenv("TH_SIM_LOUD"))
        fprintf(stderr, "%12.6f node%u: %s\n", (double)node->net->now / 1e9, node->index, text);
}

static const struct thi_host_ops host_ops = {
    .deliver = host_deliver,
    .undelivered = host_undelivered,
    .poisoned = host_poisoned,
    .settled = host_settled,
    .next = host_next,
    .up = host_up,
    .gone = host_gone,
    .unreachable = host_unreachable,
    .met = host_met,
    .find_type = host_find_type,
    .note = host_note,
};

/* ---- life ---- */

static uint64_t draw_system(struct simnet *net)
{
    return thi_random_next(&net->random) | 1;
}

void simnet_start(struct simnet *net, unsigned index)
{
    struct sim_node *node = &net->nodes[index];
    struct thi_hub_options options = net->options.hub;

    if (node->hub)
        return;
    node->system = draw_system(net);
    node->timer = UINT64_MAX;
    node->hub = simnet_grab(sizeof(*node->hub));
    options.host = node;
    options.host_ops = &host_ops;
    options.carrier = &node->carrier;
    options.memory = &net->memory;
    options.heap = &net->heap;
    options.system = node->system;
    options.name = node->address;
    options.addresses = net->options.no_addresses ? NULL : node->addresses;
    options.seed = thi_random_next(&net->random);
    cr_assert_eq(thi_hub_init(node->hub, &options, net->now), TH_OK);
}

void simnet_crash(struct simnet *net, unsigned index)
{
    struct sim_node *node = &net->nodes[index];
    struct thi_hub *hub = node->hub;

    if (!hub)
        return;
    node->hub = NULL; /* so the host knows that nobody hears of it */
    thi_hub_fini(hub, net->now);
    free(hub);
    while (node->queues) {
        struct sim_queue *queue = node->queues;

        while (queue->first) {
            th_msg *msg = queue->first;

            queue->first = msg->thi_next;
            net->books.taken++;
            net->books.settled++;
            host_undelivered(node, NULL, msg, TH_DEAD_SHUTDOWN);
        }
        node->queues = queue->next;
        free(queue);
    }
}

bool simnet_is_running(struct simnet *net, unsigned node)
{
    return net->nodes[node].hub != NULL;
}

static struct sim_parcels *parcels_of(struct simnet *net)
{
    return (struct sim_parcels *)(void *)(net->nodes + net->options.nodes);
}

void simnet_open(struct simnet *net, const struct simnet_options *options)
{
    unsigned i, nodes = options->nodes;

    memset(net, 0, sizeof(*net));
    net->options = *options;
    if (net->options.delay_ns == 0)
        net->options.delay_ns = 100000;
    if (net->options.window == 0)
        net->options.window = 65536;
    net->now = 1000000000;
    net->trace = UINT64_C(0xcbf29ce484222325);
    thi_random_init(&net->random, options->seed);
    cr_assert_eq(thi_memory_init(&net->memory, NULL, 0), TH_OK);
    thi_depot_init(&net->depot, &net->memory);
    thi_heap_init(&net->heap, &net->memory, &net->depot);
    net->cut = simnet_grab(((size_t)nodes * nodes / 64 + 1) * 8);
    net->nodes = simnet_grab(nodes * sizeof(struct sim_node) + sizeof(struct sim_parcels));
    for (i = 0; i < nodes; i++) {
        struct sim_node *node = &net->nodes[i];

        node->net = net;
        node->index = i;
        node->carrier.ops = &simnet_carrier_ops;
        snprintf(node->address, sizeof(node->address), "node%u:1", i);
        node->addresses[0] = node->address;
        node->turns = simnet_grab(nodes * sizeof(*node->turns));
        simnet_start(net, i);
    }
}

/* ---- what nodes do ---- */

struct thi_hub *simnet_hub(struct simnet *net, unsigned node)
{
    return net->nodes[node].hub;
}

uint64_t simnet_system(struct simnet *net, unsigned node)
{
    return net->nodes[node].system;
}

struct thi_link *simnet_link(struct simnet *net, unsigned from, unsigned to)
{
    struct thi_hub *hub = net->nodes[from].hub;

    return hub ? thi_hub_find(hub, net->nodes[to].system) : NULL;
}

bool simnet_is_up(struct simnet *net, unsigned from, unsigned to)
{
    struct thi_link *link = simnet_link(net, from, to);

    return link && link->conn;
}

void simnet_dial(struct simnet *net, unsigned from, unsigned to)
{
    if (net->nodes[from].hub)
        cr_assert_eq(thi_hub_dial(net->nodes[from].hub, net->nodes[to].address, net->now), TH_OK);
}

static uint64_t new_parcel(struct simnet *net)
{
    struct sim_parcels *parcels = parcels_of(net);
    uint64_t id = net->books.sent++;

    if (id == parcels->room) {
        uint64_t room = parcels->room ? 2 * parcels->room : 256;

        parcels->fates = realloc(parcels->fates, room);
        cr_assert_not_null(parcels->fates);
        memset(parcels->fates + parcels->room, 0, room - parcels->room);
        parcels->room = room;
    }
    return id;
}

void simnet_send_unless_short(struct simnet *net, unsigned from, unsigned to, unsigned actor,
                              size_t size, enum sim_kind kind)
{
    static const th_type *const types[] = { &sim_parcel_type, &sim_parcel_unknown_type,
                                            &sim_parcel_local_type };
    struct sim_node *node = &net->nodes[from];
    struct sim_turns *turns = &node->turns[to];
    struct thi_link *link;
    struct sim_queue *queue;
    struct sim_parcel *parcel;
    unsigned char *rest;
    size_t i;
    th_msg *msg;

    actor %= ACTORS;
    if (!node->hub)
        return;
    if (turns->from_system != node->system || turns->to_system != net->nodes[to].system) {
        memset(turns, 0, sizeof(*turns));
        turns->from_system = node->system;
        turns->to_system = net->nodes[to].system;
    }
    link = simnet_link(net, from, to);
    if (!link)
        link = thi_hub_seek(node->hub, net->nodes[to].system, net->now);
    msg = thi_msg_create(&net->heap, types[kind], kind == SIM_LOCAL ? 0 : size);
    if (!msg)
        return;
    parcel = msg->thi_body;
    parcel->id = new_parcel(net);
    parcel->turn = ++turns->sent[actor];
    if (kind != SIM_LOCAL) {
        rest = th_msg_rest(msg, &size);
        for (i = 0; i < size; i++)
            rest[i] = (unsigned char)(parcel->id + i);
    }
    net->books.expected += kind != SIM_PLAIN;
    msg->thi_from = (th_addr){ node->system, from * ACTORS + actor, 1 };
    msg->thi_to = (th_addr){ net->nodes[to].system, to * ACTORS + actor, 1 };
    if (!link) { /* no room for one */
        host_undelivered(node, NULL, msg, TH_DEAD_FOREIGN);
        return;
    }
    queue = queue_of(node, net->nodes[to].system, true);
    *queue->last = msg;
    queue->last = &msg->thi_next;
    thi_link_ready(link, net->now);
}

void simnet_send(struct simnet *net, unsigned from, unsigned to, unsigned actor, size_t size,
                 enum sim_kind kind)
{
    uint64_t sent = net->books.sent;

    simnet_send_unless_short(net, from, to, actor, size, kind);
    cr_assert(net->books.sent > sent || !net->nodes[from].hub, "no memory");
}

uint64_t simnet_waiting(const struct simnet *net)
{
    const struct sim_parcels *parcels =
        (const struct sim_parcels *)(const void *)(net->nodes + net->options.nodes);
    uint64_t id, count = 0;

    for (id = 0; id < net->books.sent; id++)
        count += parcels->fates[id] == NOTHING;
    return count;
}

void simnet_forget_parcels(struct simnet *net)
{
    free(parcels_of(net)->fates);
}
