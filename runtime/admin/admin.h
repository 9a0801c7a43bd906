/* runtime/admin/admin.h: the system's own actor.
 *
 * Parent of those that no actor spawned, and of orphans; keeper of who hears of dead letters. It is
 * the first actor to live and the last to exit: asked to, it asks its children, and its end is the
 * end of the shutdown (stage.admin_gone). */
#ifndef THI_ADMIN_ADMIN_H
#define THI_ADMIN_ADMIN_H

#include <thespis/actor.h>

/* For thi_spawn_admin(). */
extern const th_class thi_admin_class;

#endif
