/* transport/peer.h: what another system is to us: a box for mail, a link, ties. On the loop. */
#ifndef THI_TRANSPORT_PEER_H
#define THI_TRANSPORT_PEER_H

#include "transport/transport.h"

/* @link is up: from here on mail for its system finds a box. NULL: no memory. */
struct thi_peer *thi_peer_open(struct thi_transport *transport, struct thi_link *link);

/* Its link is gone: what waits is undelivered for @reason, who is tied to somebody there is told.
 * Freed after a grace period. */
void thi_peer_close(struct thi_peer *peer, th_dead_reason reason);

/* The box of the peer with @ring has mail, or it is to be freed. */
void thi_peer_rung(struct thi_ring *ring, uint64_t now);

/* Nothing waits, and all that was sent is settled. */
bool thi_peer_is_settled(const struct thi_peer *peer);

/* struct thi_host_ops, of a link whose data is the peer. */
th_msg *thi_peer_next(void *host, struct thi_link *link);
void thi_peer_settled(void *host, struct thi_link *link, uint32_t count);
void thi_peer_undelivered(void *host, struct thi_link *link, th_msg *msg, th_dead_reason reason);
void thi_peer_poisoned(void *host, struct thi_link *link, th_msg *msg, const char *why);

#endif
