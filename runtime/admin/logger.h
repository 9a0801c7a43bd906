/* runtime/admin/logger.h: the logger, and the admin's care for it.
 *
 * The logger is an actor with a thread of its own and a child of the admin: started with the first
 * record, started again when it died, after a pause that doubles, and asked to exit when all
 * others are gone (stage.last_child). The records are not in its mailbox but in the system's queue
 * (actor/log.h), so whoever is the logger next goes on with them. */
#ifndef THI_ADMIN_LOGGER_H
#define THI_ADMIN_LOGGER_H

#include <thespis/actor.h>

enum { THI_LOGGER_ASKERS = 8, THI_LOGGER_LATE_STARTS = 3 };

/* The admin's, used in its turns only. */
struct thi_logger_keeper {
    th_addr logger; /* alive, or its exit not heard of yet; none */
    uint64_t started_ns;
    uint64_t pause_ns;
    uint64_t wakeup;                   /* at the end of the pause; 0: no pause */
    unsigned late;                     /* started while the system shuts down */
    th_addr askers[THI_LOGGER_ASKERS]; /* who wait for a flush, and there is no logger */
    uint32_t asker_count;
};

/* One message of the admin's: that records wait, a flush, the logger's exit, the end of a pause;
 * any other is no concern of ours. */
void thi_logger_keep(struct thi_logger_keeper *keeper, th_self *self, const th_msg *msg);

extern const th_class thi_logger_class;

#endif
