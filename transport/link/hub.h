/* transport/link/hub.h: all links of one system, and the connections that are nobody's yet.
 *
 * The host is what is above: the system, through transport.c, or a test. On the loop, all of it. */
#ifndef THI_LINK_HUB_H
#define THI_LINK_HUB_H

#include "transport/link/conn.h"
#include "mailbox/msg.h"

struct thi_link;
struct thi_hub;

/* What the host is told and asked. */
struct thi_host_ops {
    /* A message came, in order; @msg [give] has its sender and target. */
    void (*deliver)(void *host, struct thi_link *link, th_msg *msg);
    /* One that will not arrive, as far as we know. @msg [give] */
    void (*undelivered)(void *host, struct thi_link *link, th_msg *msg, th_dead_reason reason);
    /* The peer could not make sense of @msg [give], or it cannot be encoded: @why in words. */
    void (*poisoned)(void *host, struct thi_link *link, th_msg *msg, const char *why);
    /* @count messages that were taken from the link's queue are settled: acknowledged, undelivered
     * or poisoned. Their senders' credits come back. */
    void (*settled)(void *host, struct thi_link *link, uint32_t count);
    /* Next message for @link [give], or NULL: none waits. Called when there is room for it. */
    th_msg *(*next)(void *host, struct thi_link *link);
    /* The peer is known and reachable: once per session. */
    void (*up)(void *host, struct thi_link *link);
    /* A session ended for good: given up, closed by the peer, replaced. Everything it held has been
     * told before. */
    void (*gone)(void *host, struct thi_link *link, const char *why);
    /* A dial that thi_hub_dial() asked for came to nothing for good. */
    void (*unreachable)(void *host, const char *address, const char *why);
    /* The type of that name, or NULL. */
    const th_type *(*find_type)(void *host, const char *name);
    /* Something worth a line in the log (th_log_level). @link may be NULL. */
    void (*note)(void *host, struct thi_link *link, int level, const char *text);
};

/* What a hub is made with. All of it outlives the hub. */
struct thi_hub_options {
    void *host;
    const struct thi_host_ops *host_ops;
    struct thi_carrier *carrier;
    struct thi_memory *memory; /* the system's: buffers are counted in it */
    struct thi_heap *heap;     /* the loop's: messages come from it and go to it */
    uint64_t system;           /* who we are */
    const char *name;
    uint32_t admin_slot, admin_generation;
    const char *const *addresses; /* where we are dialled, ended by NULL */
    uint64_t seed;                /* jitter, session numbers */
    /* limits and periods, 0: the default in config.h */
    uint32_t links_max, strangers_max, unacked_max;
    uint64_t greeting_ns, ping_ns, patience_ns;
};

th_err thi_hub_init(struct thi_hub *hub, const struct thi_hub_options *options, uint64_t now);
/* Every link is given up, every connection closed. */
void thi_hub_fini(struct thi_hub *hub, uint64_t now);

/* ---- from the host ---- */

/* Dials @address until a link to whoever is there is up, or it is hopeless: ends in up() or
 * unreachable(). */
th_err thi_hub_dial(struct thi_hub *hub, const char *address, uint64_t now);
/* The link to that system; NULL: nobody we know. */
struct thi_link *thi_hub_find(struct thi_hub *hub, uint64_t system);
/* next() has something for @link that was empty. */
void thi_link_ready(struct thi_link *link, uint64_t now);

/* ---- from the carrier ---- */

/* Somebody dialled us. NULL: refused, a stranger too many; close the stream. */
struct thi_conn *thi_hub_accepted(struct thi_hub *hub, const struct thi_far_end *far, uint64_t now);
/* Descriptors run short: close the connection that was idle longest. false: none is idle. */
bool thi_hub_shed(struct thi_hub *hub, uint64_t now);
/* Its deadline, that ops->timer() told, is over. */
void thi_hub_tick(struct thi_hub *hub, uint64_t now);

#endif
