/* transport/transport.h: the context of this floor: one for each system that talks to others.
 *
 *     ways.c      an address becomes the box of its system's peer      any thread
 *     peer.c       a link's box, and who is tied to whom over it         the loop
 *     arrival.c    what came in is looked at, and posted                 the loop
 *     desk.c       who wants to dial, and is told what came of it        the loop
 *     transport.c  opens and closes all of it with its system
 *
 * T1. The loop is tcp's thread. What is marked "loop" is touched by it only, and by who closes once
 *     that thread has ended.
 * T2. A peer is on the loop's list of those that rang at most once (is_rung), from the push that
 *     ended its box's sleep until the loop looks at it.
 * T3. The transport outlives its system's actors: it is closed when the last has exited, and freed
 *     with the system.
 * T4. A peer that is gone may still be on that list, and be put on it by a sender that found its
 *     box before. So when a grace period has passed it is put there once more, and the loop, or who
 *     frees the transport, frees it when it comes to it. */
#ifndef THI_TRANSPORT_H
#define THI_TRANSPORT_H

#include <ck_stack.h>

#include "transport/ties.h"
#include "transport/link/hub.h"
#include "transport/link/tcp.h"
#include "runtime/actor/box.h"
#include "runtime/actor/route.h"
#include <thespis/transport.h>

/* Who rings the loop: T2. */
struct thi_ring {
    ck_stack_entry_t entry; /* first */
    _Atomic bool is_rung;
};

/* What another system is to us. */
struct thi_peer {
    struct thi_box box; /* first: mail that waits for it */
    struct thi_transport *transport;
    uint64_t system;
    struct thi_ring ring;
    _Atomic bool is_released; /* nobody else can have it any more: the loop frees it (T4) */

    /* loop */
    struct thi_link *link; /* NULL: it is gone */
    struct thi_peer *next;
    th_msg *mail;      /* taken from the box, and not asked for by the link yet */
    uint64_t unbilled; /* taken without a credit, and not settled yet */
    int64_t departed;  /* settled, less those that were counted when they came to nothing */
    struct thi_ties ties;
};

/* A slot of the table of ways.h: which system has which box. */
struct thi_way {
    _Atomic uint64_t system; /* 0: none yet */
    _Atomic uint64_t box;    /* slot << 32 | generation */
};

struct thi_transport {
    struct thi_route route; /* first: what the floors below have of us */
    struct thi_stage *stage;
    th_system *system;
    struct thi_tcp tcp;
    struct thi_tls *tls; /* NULL: none */
    struct thi_hub hub;
    struct thi_heap heap;                             /* the loop's */
    struct thi_endpoint speaker;                      /* who posts what came in */
    char (*texts)[THI_HOSTPORT_SIZE];                 /* where we listen */
    const char *addresses[TH_LINK_LISTENERS_MAX + 1]; /* of those, what others can dial */
    uint32_t text_count;
    uint32_t soft_max, hard_max;
    struct thi_way *ways; /* a power of two of them; written on the loop, read by anybody */
    uint32_t way_count;
    ck_stack_t rung; /* T2 */
    struct thi_box desk;
    struct thi_ring desk_ring;

    /* loop */
    struct thi_peer *peers;
    th_msg *dials; /* asked for, and not answered yet */
    bool is_closing;

    /* who wants something of the loop waits until it has looked */
    _Atomic bool is_watched; /* somebody did, ever */
    pthread_mutex_t look_lock;
    pthread_cond_t looked;                                   /* on CLOCK_MONOTONIC */
    void (*each)(void *context, const th_link_status *link); /* NULL: nobody looks at the links */
    void *each_context;
    bool awaits_quiet; /* until all that can be sent is settled */
    bool is_over;      /* the loop has ended */
};

/* The loop is to look at who has @ring. Any thread; a peer's in a read section. */
void thi_transport_ring(struct thi_transport *transport, struct thi_ring *ring);

/* Something was settled. On the loop. */
void thi_transport_settled(struct thi_transport *transport);

/* TH_E_STATE: it has none; errors of thi_system_check(). */
th_err thi_transport_of(th_system *system, struct thi_transport **transport_out);

#endif
