/* runtime/actor/poison.h: a failed message goes back, with why. */
#ifndef THI_ACTOR_POISON_H
#define THI_ACTOR_POISON_H

#include "runtime/actor/stage.h"

/* Sends th_poison for @message [take] to its first sender, from @self; poison, letters and messages
 * without a living sender become dead letters instead. @details may be NULL: the text of @err. */
void thi_poison_back(th_self *self, th_msg *message, th_err err, const char *details);

/* The same as if the actor @by, of another system, had sent it; @self only carries it. */
void thi_poison_from(th_self *self, th_addr by, th_msg *message, th_err err, const char *details);

#endif
