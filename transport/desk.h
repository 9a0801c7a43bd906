/* transport/desk.h: who wants to dial, and is told what came of it. On the loop. */
#ifndef THI_TRANSPORT_DESK_H
#define THI_TRANSPORT_DESK_H

#include "transport/transport.h"

th_err thi_desk_open(struct thi_transport *transport);
void thi_desk_close(struct thi_transport *transport);

/* It has mail. */
void thi_desk_rung(struct thi_transport *transport, uint64_t now);

/* struct thi_host_ops */
void thi_desk_met(void *host, struct thi_link *link, const char *address);
void thi_desk_unreachable(void *host, const char *address, const char *why);

#endif
