/* runtime/actor/dead_letter.h: the one way out for what cannot be delivered. */
#ifndef THI_ACTOR_DEAD_LETTER_H
#define THI_ACTOR_DEAD_LETTER_H

#include "runtime/actor/stage.h"

/* Takes @msg out of the world: counts it, tells the dead-letter handlers through the admin, and tells whoever asked. Never
 * recursive: a letter that cannot be delivered is only counted. */
void thi_dead_letter(th_self *self, th_msg *msg, th_dead_reason reason);

#endif
