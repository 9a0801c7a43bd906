/* runtime/actor/dead_letter.h: the one way out for what cannot be delivered. */
#ifndef THI_ACTOR_DEAD_LETTER_H
#define THI_ACTOR_DEAD_LETTER_H

#include "runtime/actor/stage.h"

/* Takes @msg, which was accepted and cannot be handled, out of the world: counts it, tells the
 * dead-letter handlers through the admin, and tells whoever asked. Never recursive: a letter that
 * cannot be delivered is only counted. The runtime's own messages go where they are needed, or
 * silently. */
void thi_undeliverable(th_self *self, th_msg *msg, th_dead_reason reason);

/* The same for a message [take] that nobody had accepted: a copy that a troupe kept, say. */
void thi_dead_letter(th_self *self, th_msg *msg, th_dead_reason reason);

#endif
