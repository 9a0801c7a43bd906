/* runtime/actor/type_names.h: which type a name means, for what comes from elsewhere.
 *
 * A short sorted array under a lock: a name is looked up once per link, never on the way of a
 * message. */
#ifndef THI_ACTOR_TYPE_NAMES_H
#define THI_ACTOR_TYPE_NAMES_H

#include "runtime/actor/stage.h"

/* TH_E_INVALID: a bad table, or one that cannot be sent (TH_TYPE_LOCAL). TH_E_EXISTS: the name
 * means another type. TH_E_LIMIT: TH_TYPES_MAX. TH_E_NOMEM. */
th_err thi_type_names_add(struct thi_stage *stage, const th_type *type);

/* The type of that name: registered, or one of the runtime's that may come from elsewhere. NULL:
 * nobody knows it. Any thread. */
const th_type *thi_type_names_find(struct thi_stage *stage, const char *name);

void thi_type_names_fini(struct thi_stage *stage);

#endif
