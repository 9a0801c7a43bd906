/* tests/support/simnet/simnet.h: a network in memory: hubs, carriers between them, and one clock.
 *
 * Everything that happens is an event at a time; the seed says how long bytes travel, how they are
 * cut, and what breaks. No thread, no descriptor, no clock of the machine's: the same seed gives
 * the same history, `trace` tells two apart.
 *
 * What it takes from TCP: bytes of one direction arrive in order or not at all; a writer is stopped
 * by what the reader has not read; a partition holds bytes back, and nobody hears of it; what an
 * end that is gone receives comes back as a reset.
 *
 * Every message is a parcel with its place in the order of its pair of actors. The books say what
 * became of each, and object at once to one that comes twice, or too early. */
#ifndef TESTS_SUPPORT_SIMNET_H
#define TESTS_SUPPORT_SIMNET_H

#include <stdbool.h>
#include <stdint.h>

#include "mailbox/alloc.h"
#include "runtime/base/random.h"
#include "transport/link/hub.h"

struct sim_event;
struct sim_node;
struct sim_stream;

/* What a parcel's type is to be. */
enum sim_kind {
    SIM_PLAIN,
    SIM_UNKNOWN, /* that only the sender knows: it comes back */
    SIM_LOCAL    /* that cannot travel */
};

struct simnet_options {
    uint64_t seed;
    unsigned nodes;
    uint64_t delay_ns;          /* 0: 100 us; doubled at random */
    uint32_t fragment;          /* bytes that arrive at once are 1 to so many; 0: as they come */
    uint32_t window;            /* bytes under way in one direction; 0: 64 KiB */
    bool no_addresses;          /* nobody announces where it is dialled */
    struct thi_hub_options hub; /* limits and periods */
};

/* What became of parcels, all nodes together. */
struct simnet_books {
    uint64_t sent, delivered, undelivered, poisoned;
    uint64_t written_off; /* their sender crashed with them */
    uint64_t expected;    /* of their kind to come back */
    uint64_t dead[TH_DEAD_COUNT];
    uint64_t settled, taken;
    uint64_t ups, gones, mets, unreachables;
};

struct simnet {
    struct simnet_options options;
    struct thi_random random;
    struct thi_memory memory;
    struct thi_depot depot;
    struct thi_heap heap;
    uint64_t now;
    uint64_t trace;
    uint64_t steps;
    struct sim_event **events;
    unsigned event_count, event_room;
    uint64_t event_seq;
    struct sim_node *nodes;
    struct sim_stream *streams;
    unsigned stream_count;
    uint64_t stream_seq;
    uint64_t *cut; /* a bit for each pair of nodes that do not reach each other */
    struct simnet_books books;
    char objection[256]; /* "": none */
};

void simnet_open(struct simnet *net, const struct simnet_options *options);
/* Everything must be back. */
void simnet_close(struct simnet *net);

/* Runs what is to happen until @until, which it is then. */
void simnet_run(struct simnet *net, uint64_t until);
/* The next event; false: none before @until. */
bool simnet_step(struct simnet *net, uint64_t until);

/* ---- what nodes do ---- */

/* @from dials @to until it is there. */
void simnet_dial(struct simnet *net, unsigned from, unsigned to);
/* An actor of @from, one of @actors, sends to one of @to's a parcel of about @size bytes. */
void simnet_send(struct simnet *net, unsigned from, unsigned to, unsigned actor, size_t size,
                 enum sim_kind kind);
/* The same, but without memory for the message itself nothing is sent. */
void simnet_send_unless_short(struct simnet *net, unsigned from, unsigned to, unsigned actor,
                              size_t size, enum sim_kind kind);
struct thi_hub *simnet_hub(struct simnet *net, unsigned node);
/* @from's link to the system that @to is now; NULL: none. */
struct thi_link *simnet_link(struct simnet *net, unsigned from, unsigned to);
bool simnet_is_up(struct simnet *net, unsigned from, unsigned to);
/* Who is at @node: changes with each start. */
uint64_t simnet_system(struct simnet *net, unsigned node);

/* ---- what breaks ---- */

void simnet_partition(struct simnet *net, unsigned a, unsigned b, bool cut);
/* All streams between the two: a reset at both ends; or only at @a's, and @b hears nothing. */
void simnet_reset(struct simnet *net, unsigned a, unsigned b, bool only_a);
/* From now on what @a writes to @b on the streams that there are vanishes. */
void simnet_swallow(struct simnet *net, unsigned a, unsigned b);
/* @node does not read for so long. */
void simnet_stall(struct simnet *net, unsigned node, uint64_t ns);
void simnet_crash(struct simnet *net, unsigned node);
void simnet_start(struct simnet *net, unsigned node);
bool simnet_is_running(struct simnet *net, unsigned node);
/* A stream between the two, the newest, is reset when @bytes more bytes have arrived on it, both
 * directions together. */
void simnet_reset_after(struct simnet *net, unsigned a, unsigned b, uint64_t bytes);
/* All of it ends: every node runs, every pair reaches each other. */
void simnet_heal(struct simnet *net);

/* ---- the verdict ---- */

/* Parcels that are neither here nor there. */
uint64_t simnet_waiting(const struct simnet *net);
/* Streams that are open at both ends. */
unsigned simnet_streams(const struct simnet *net);

#endif
