/* transport/arrival.h: a message that came in: may it be, and to whom. On the loop. */
#ifndef THI_TRANSPORT_ARRIVAL_H
#define THI_TRANSPORT_ARRIVAL_H

#include "transport/transport.h"

/* struct thi_host_ops: posts @msg [take] as if its sender had sent it here. What another system may
 * not say is refused and counted:
 *
 * I1. It is for somebody of ours.
 * I2. A message of the runtime's own comes from the system that the link leads to: nobody speaks
 *     for a third. (What users send may be forwarded, with its first sender.)
 * I3. Of those only what can do no more than its sender could locally: ties between actors, a
 *     request to exit to an actor that is not the system's own, poison, the end of a question. */
void thi_arrival(void *host, struct thi_link *link, th_msg *msg);

#endif
