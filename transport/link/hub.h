/* transport/link/hub.h: all links of one system, and the connections that are nobody's yet.
 *
 * The host is what is above: the system, through transport.c, or a test. On the loop, all of it.
 *
 * H1. Nothing happens but in a call: bytes, messages and the time go in. What is to happen later is
 * a deadline, and thi_hub_tick() finds it by looking at every link and connection: some tens of
 *     nanoseconds each, and seldom.
 * H2. The host may call back into the hub from each of its functions but next(). A connection or a
 *     link that ends is freed when the outermost call returns (depth).
 * H3. Dialling happens in thi_hub_tick() alone, so no chain of failures is a chain of calls. */
#ifndef THI_LINK_HUB_H
#define THI_LINK_HUB_H

#include "transport/link/conn.h"
#include "runtime/base/random.h"
#include "mailbox/msg.h"
#include "transport/wire/text.h"

struct thi_link;

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
    /* A dial that thi_hub_dial() asked for found @link, which is up. */
    void (*met)(void *host, struct thi_link *link, const char *address);
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
    uint64_t greeting_ns, ping_ns, patience_ns, idle_ns, expiry_ns;
};

/* Somebody asked for whoever is at an address. */
struct thi_errand;

struct thi_hub_counters {
    uint64_t strangers_refused; /* one too many */
    uint64_t greetings_failed;  /* nonsense, silence, no version in common */
    uint64_t links_refused;     /* one too many */
    uint64_t dials, dials_failed;
    uint64_t asked, answered; /* WHERE that we sent, HERE that helped */
    uint64_t shed;
};

struct thi_hub {
    struct thi_hub_options options;
    struct thi_random random;
    struct thi_link *links;
    struct thi_conn *conns;
    struct thi_errand *dials;
    struct thi_conn *dead_conns; /* H2 */
    struct thi_link *dead_links;
    struct thi_errand *dead_dials;
    uint32_t link_count;
    uint32_t stranger_count; /* connections that have not greeted, of others' dialling */
    uint32_t depth;
    uint64_t accepted; /* docs/protocol.md: the decider's count */
    uint64_t now;      /* of the call */
    uint64_t deadline; /* as told to the carrier */
    bool is_stopping;
    struct thi_hub_counters counters;
};

/* @options [lend], what it points to [keep]. */
th_err thi_hub_init(struct thi_hub *hub, const struct thi_hub_options *options, uint64_t now);
/* The end is near: every link is given up and its peer is told so; no dial, no stranger any more.
 */
void thi_hub_stop(struct thi_hub *hub, uint64_t now);
/* Whether every connection has closed. */
bool thi_hub_is_quiet(const struct thi_hub *hub);
/* Stops, and closes every connection however it stands. */
void thi_hub_fini(struct thi_hub *hub, uint64_t now);

/* ---- from the host ---- */

/* Dials @address until a link to whoever is there is up, or it is hopeless: ends in met() or
 * unreachable(), later. TH_E_NOMEM, TH_E_TOO_BIG: no address is so long; TH_E_CLOSED. */
th_err thi_hub_dial(struct thi_hub *hub, const char *address, uint64_t now);
/* The link to that system; NULL: nobody we know. */
struct thi_link *thi_hub_find(struct thi_hub *hub, uint64_t system);
/* The same, but a link is made, and all peers are asked how that system is reached. Who cannot be
 * found within `patience` is gone(). NULL: no memory, one too many, our own id, stopping. */
struct thi_link *thi_hub_seek(struct thi_hub *hub, uint64_t system, uint64_t now);
/* next() has something for @link that was empty. */
void thi_link_ready(struct thi_link *link, uint64_t now);
/* Gives @link up: its peer is told, everything it holds is undelivered, gone() comes. */
void thi_link_give_up(struct thi_link *link, const char *why, uint64_t now);
/* The host's own, on a link: NULL until set. */
void thi_link_set_data(struct thi_link *link, void *data);
void *thi_link_data(const struct thi_link *link);

/* ---- from the carrier ---- */

/* Somebody dialled us. NULL: refused, a stranger too many; close the stream. */
struct thi_conn *thi_hub_accepted(struct thi_hub *hub, const struct thi_far_end *far, uint64_t now);
/* Descriptors run short: close the connection that was idle longest. false: none is idle. */
bool thi_hub_shed(struct thi_hub *hub, uint64_t now);
/* Its deadline, that ops->timer() told, is over. */
void thi_hub_tick(struct thi_hub *hub, uint64_t now);

/* ---- within this folder ---- */

/* Around everything that comes from outside: H2. */
static inline void thi_hub_enter(struct thi_hub *hub, uint64_t now)
{
    hub->now = now;
    hub->depth++;
}
void thi_hub_leave(struct thi_hub *hub);
/* Something is to be done at @when: a tick will come. */
void thi_hub_alarm(struct thi_hub *hub, uint64_t when);
void thi_hub_note(struct thi_hub *hub, struct thi_link *link, int level, const char *format, ...)
    TH_PRINTF(4, 5);
/* Dials @address for @link, or, with @link NULL, for @dial. What comes of it is told later. */
void thi_hub_begin_dial(struct thi_hub *hub, struct thi_link *link, struct thi_errand *dial,
                        const char *address, uint64_t now);
/* Asks every peer how @system is reached. */
void thi_hub_ask(struct thi_hub *hub, uint64_t system);
/* @conn, which a dial asked for, found @link up or made it so. */
void thi_hub_dial_met(struct thi_hub *hub, struct thi_conn *conn, struct thi_link *link);
/* It came to nothing. */
void thi_hub_dial_failed(struct thi_hub *hub, struct thi_conn *conn, const char *why, bool final,
                         uint64_t now);
/* A peer asks where @system is; a peer says so. */
void thi_hub_heard_where(struct thi_hub *hub, struct thi_conn *conn, uint64_t system);
void thi_hub_heard_here(struct thi_hub *hub, uint64_t system, const struct thi_text *addresses,
                        unsigned count, uint64_t now);

#endif
