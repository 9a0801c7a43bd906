/* transport/link/link.h: the session with one peer, which outlives its connections.
 *
 * What goes out: the host's queue -> next() -> `aside`, for what cannot be sent just now -> a
 * number and a record in `flights` -> a frame -> acknowledged. What comes in: a frame with the next
 * number -> pieces gathered -> a message -> deliver().
 *
 * A link is
 *   sought      made by thi_hub_seek() or found in a HELLO; never up yet
 *   up          `conn` is there
 *   lost        wants a connection: dials (dial_at), or is dialled; given up after `patience_ns`
 *   resting     closed because it was idle; dials again when there is something
 *
 * L1. A message taken by next() is in one place: waiting, a transfer, a record. It leaves by one of
 *     acknowledged, undelivered(), poisoned(), each with settled().
 * L2. `received` grows by one; what has a lesser number was seen, what has a greater is a fault.
 * L3. A message that came and could not be read is in `returned` until the peer knows: an
 *     acknowledgement after a resume never passes it.
 * L4. Types that were announced count for the session, not for the connection: TYPE is numbered. */
#ifndef THI_LINK_LINK_H
#define THI_LINK_LINK_H

#include "transport/link/aside.h"
#include "transport/link/backoff.h"
#include "transport/link/connection.h"
#include "transport/link/flight.h"
#include "transport/link/transfer.h"
#include "transport/wire/types.h"

struct thi_link_counters {
    uint64_t frames_in, frames_out; /* of every kind */
    uint64_t bytes_in, bytes_out;
    uint64_t messages_in, messages_out; /* delivered here; numbered for the first time */
    uint64_t acknowledged;              /* messages */
    uint64_t resent;                    /* frames */
    uint64_t duplicates;                /* frames dropped because they had come before */
    uint64_t returned_in,
        returned_out;     /* messages of ours, and of theirs, that could not be read */
    uint64_t unencodable; /* messages of ours that could not be written */
    uint64_t connects, dials;
    uint64_t faults; /* connections closed because the peer broke the protocol */
    uint64_t undelivered[TH_DEAD_COUNT];
};

/* A message of theirs that could not be read. */
struct thi_returned {
    struct thi_returned *next;
    uint64_t number;
    uint64_t
        token; /* a PING with at least this token was written after it; 0: it was not written */
    struct thi_fault why;
};

struct thi_link {
    struct thi_link *next;
    struct thi_link **back;
    struct thi_hub *hub;
    void *data; /* the host's */
    struct thi_conn *conn;

    /* the peer, as its HELLO says */
    uint64_t system;
    char name[TH_NAME_MAX + 1];
    uint32_t admin_slot, admin_generation;
    uint32_t frame_max;
    uint64_t message_max;
    /* how it is dialled: addresses[0] is where it was met, if `is_met_there` */
    char *addresses[TH_WIRE_ADDRESSES_MAX + 1];
    uint32_t address_count;
    bool is_met_there;
    bool is_callable; /* it announced an address */

    bool is_sought; /* the host asked for it */
    bool was_up;    /* told to the host in this session */
    bool is_over;   /* given up; freed at the end of the call */
    bool has_mail;  /* next() may have something */
    bool is_wanted; /* a connection is */
    uint64_t wanted_since;
    uint64_t dial_at; /* UINT64_MAX: not now */
    uint32_t route;   /* the address that is tried next */
    struct thi_backoff backoff;
    char why[160]; /* the last connection ended, or could not be had */

    /* session: docs/protocol.md */
    uint64_t mine;
    uint64_t theirs; /* 0: none yet */
    uint64_t count;  /* the decider's, of the connection that was last up */

    /* out */
    struct thi_flights flights;
    uint64_t told; /* highest number ever written: what is below is sent again */
    struct thi_aside aside;
    struct thi_transfer *transfers; /* pieces of them are not numbered yet; the first is next */
    uint32_t transfer_count;
    uint64_t transfer_bytes;
    uint32_t transfer_id;
    uint32_t small_bytes; /* of messages since the last piece */

    /* in */
    uint64_t received;
    uint64_t ack_told;
    uint64_t ack_at; /* UINT64_MAX: nothing to acknowledge */
    struct thi_assemblies assemblies;
    struct thi_returned *returned; /* by number */
    uint32_t returned_count;

    struct thi_types types; /* both ways: L4 */
    uint64_t traffic_at;    /* the last numbered frame either way */
    uint64_t rtt_ns;        /* smoothed; 0: not known */
    struct thi_link_counters counters;
};

/* ---- life: link.c ---- */

struct thi_link *thi_link_create(struct thi_hub *hub, uint64_t system, uint64_t now);
/* Its connection has ended: for want of anything to do (@is_rest), or it wants another. */
void thi_link_lost(struct thi_link *link, const struct thi_conn *conn, bool is_rest,
                   const char *why, uint64_t now);
/* A connection that it dialled came to nothing. */
void thi_link_dial_failed(struct thi_link *link, const char *why, uint64_t now);
void thi_link_up(struct thi_link *link, struct thi_conn *conn, uint64_t now);
/* Everything it holds is undelivered, gone() is told; no CLOSE is written. */
void thi_link_end(struct thi_link *link, th_dead_reason reason, const char *why, uint64_t now);
/* Frees it, at the end of the call (H2). */
void thi_link_free(struct thi_link *link);
void thi_link_tick(struct thi_link *link, uint64_t now);
uint64_t thi_link_deadline(const struct thi_link *link);
/* Wants a connection, if it rests. */
void thi_link_rouse(struct thi_link *link, uint64_t now);
/* There may be frames of it to be written. */
bool thi_link_has_something(const struct thi_link *link);
/* Neither side waits for the other, so its connection is not needed. */
bool thi_link_is_idle(const struct thi_link *link);
/* Forgets one that never was up if no connection is about to make it so. One that has told its
 * session is kept as long as any: the peer may have accepted it, and sent messages which are lost
 * if we appear with another. */
void thi_link_forget_if_unused(struct thi_link *link, uint64_t now);
/* Learns an address; @front: it was met there. What is known is only moved. */
void thi_link_learn(struct thi_link *link, struct thi_text address, bool front);

/* ---- session.c: two sessions meet, or meet again ---- */

/* What our RESUME says. */
void thi_session_resume(struct thi_link *link, struct thi_frame_resume *out);
/* Theirs was read. false: it cannot be, @fault says why. */
bool thi_session_meet(struct thi_link *link, const struct thi_frame_resume *resume, bool we_decide,
                      struct thi_fault *fault);
/* Numbers begin at 1; what was numbered and is not acknowledged is undelivered. */
void thi_session_restart(struct thi_link *link);
/* The number up to which all is acknowledged, as a RESUME says it: L3. */
uint64_t thi_session_settled(const struct thi_link *link);

/* ---- outbound.c ---- */

/* Writes one more frame of the link's. false: there is none, or no room for one. */
bool thi_outbound_write(struct thi_link *link, struct thi_conn *conn, uint64_t now);
/* Gives up what waited too long, and sets a time to what the host still has. */
void thi_outbound_expire(struct thi_link *link, uint64_t now);

/* ---- settle.c ---- */

/* ACK or RETURNED. false: @fault. */
bool thi_settle_acked(struct thi_link *link, uint64_t up_to, struct thi_fault *fault);
bool thi_settle_returned(struct thi_link *link, const struct thi_frame_returned *returned,
                         struct thi_fault *fault);
void thi_settle_poisoned(struct thi_link *link, th_msg *msg, const char *why);
void thi_settle_undelivered(struct thi_link *link, th_msg *msg, th_dead_reason reason);
/* What is numbered; what waits, and what next() still has. */
void thi_settle_drop_numbered(struct thi_link *link, th_dead_reason reason);
void thi_settle_drop_waiting(struct thi_link *link, th_dead_reason reason);

/* ---- inbound.c ---- */

/* TYPE, DATA or MORE. false: @fault. */
bool thi_inbound_frame(struct thi_link *link, const struct thi_frame *frame,
                       struct thi_fault *fault);
/* A PING with that token was answered. */
void thi_inbound_confirmed(struct thi_link *link, uint64_t token);
void thi_inbound_clear(struct thi_link *link);

#endif
