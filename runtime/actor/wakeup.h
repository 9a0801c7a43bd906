/* runtime/actor/wakeup.h: th_wakeup_after(), with payload.
 *
 * A wakeup is a timer, the message it will send (made when asked for, so that firing needs no memory) and a link in its actor's list. */
#ifndef THI_ACTOR_WAKEUP_H
#define THI_ACTOR_WAKEUP_H

#include "runtime/actor/stage.h"

/* At the actor's exit: cancels what is pending, releases the payloads. */
void thi_wakeups_clear(th_self *self, struct thi_cell *cell);

/* The alarm's (or the step's) fire function for every timer of a system: wakeups and question time limits; @context is the
 * stage, the timer's kind says which. @speaker is the self of the thread that fires. */
void thi_timer_fire(void *context, struct thi_timer *timer);

#endif
