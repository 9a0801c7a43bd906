/* transport/ways.h: which box is the way to which system.
 *
 * A table of open addressing, written on the loop and read by any thread without a lock. A slot
 * that was left is used again, so a reader may find the box of another system than it looked for:
 * who takes mail from a box looks at where it is going (peer.c). And a box that is gone is not
 * found any more by its address (directory.h). */
#ifndef THI_TRANSPORT_WAYS_H
#define THI_TRANSPORT_WAYS_H

#include "transport/transport.h"

/* Room for @links_max of them. TH_E_NOMEM. */
th_err thi_ways_init(struct thi_transport *transport, uint32_t links_max);
void thi_ways_fini(struct thi_transport *transport);

/* On the loop. */
void thi_ways_add(struct thi_transport *transport, uint64_t system, th_addr box);
void thi_ways_remove(struct thi_transport *transport, uint64_t system, th_addr box);

/* struct thi_route */
struct thi_cell *thi_ways_find(struct thi_route *route, uint64_t system);

#endif
