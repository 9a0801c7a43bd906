/* tests/support/simnet/inside.h: what simnet.c, the network, and host.c, who is on it, share. */
#ifndef TESTS_SUPPORT_SIMNET_INSIDE_H
#define TESTS_SUPPORT_SIMNET_INSIDE_H

#include <thespis/compiler.h>

#include "tests/support/simnet/simnet.h"

#define ACTORS 4 /* of a node */

enum fate { NOTHING, DELIVERED = 1, UNDELIVERED = 2, POISONED = 4, WRITTEN_OFF = 8 };

struct sim_parcels {
    unsigned char *fates; /* by id */
    uint64_t room;
};

/* Turns of a pair of nodes, by actor: of a system's life, so they end with it. */
struct sim_turns {
    uint64_t sent[ACTORS];
    uint64_t seen[ACTORS];
    uint64_t from_system, to_system;
};

struct sim_queue {
    uint64_t system;
    th_msg *first, **last;
    struct sim_queue *next;
};

struct sim_node {
    struct thi_carrier carrier; /* first: it is found by it */
    struct simnet *net;
    struct thi_hub *hub; /* NULL: it does not run */
    unsigned index;
    uint64_t system;
    uint64_t timer; /* UINT64_MAX: none */
    uint64_t stalled_until;
    struct sim_queue *queues;
    char address[32];
    const char *addresses[2];
    struct sim_turns *turns; /* to each node */
};

/* Bytes under way, or the end of them. */
struct sim_chunk {
    struct sim_chunk *next;
    uint64_t when;
    uint32_t size;
    bool is_end;
    uint8_t bytes[];
};

struct sim_end {
    struct thi_conn *conn; /* NULL: let go of */
    unsigned node;
    struct sim_chunk *first, **last; /* of ours under way */
    uint32_t in_flight;              /* bytes of them */
    uint64_t arrives;                /* when the last of them will have */
    bool is_arriving;                /* an event is on its way */
    bool is_swallowed;               /* what we write */
    bool is_pulling;                 /* an event is on its way */
    bool is_paused;
};

struct sim_stream {
    struct sim_stream *next, **back;
    struct sim_end ends[2]; /* 0 dialled */
    uint64_t id;
    uint64_t reset_after; /* bytes; UINT64_MAX: never */
    unsigned events;      /* that know it */
    bool is_open;
    bool is_dead;
};

enum sim_what { SIM_TICK, SIM_OPEN, SIM_PULL, SIM_ARRIVE, SIM_SHUT };

struct sim_event {
    uint64_t when, seq;
    enum sim_what what;
    struct sim_node *node;
    struct sim_stream *stream;
    unsigned end;
};

void simnet_object(struct simnet *net, const char *format, ...) TH_PRINTF(2, 3);
/* Zeroed. */
void *simnet_grab(size_t size);
/* Something happened. */
void simnet_trace(struct simnet *net, uint64_t word);
void simnet_forget_parcels(struct simnet *net);
extern const struct thi_carrier_ops simnet_carrier_ops;

#endif
