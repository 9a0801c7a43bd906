/* runtime/actor/classes.h: what can be played, by name. A short array under a lock: names are
 * looked up when an actor is created by name, never on the way of a message. */
#ifndef THI_ACTOR_CLASSES_H
#define THI_ACTOR_CLASSES_H

#include "runtime/actor/stage.h"

th_err thi_classes_add(struct thi_stage *stage, const th_class *klass);
/* The class that @options name: TH_E_INVALID, TH_E_NO_CLASS. */
th_err thi_classes_choose(struct thi_stage *stage, const th_spawn_options *options,
                          const th_class **klass_out);
const th_class *thi_classes_find(struct thi_stage *stage, const char *name);
void thi_classes_fini(struct thi_stage *stage);

#endif
