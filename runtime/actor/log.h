/* runtime/actor/log.h: a record from who logs it to the logger's queue.
 *
 * A record is one envelope: a th_log_record with all it points to behind it, made from the
 * speaker's heap and freed by the logger. It waits in a queue of the system's own, of the kind
 * every actor has, and not in the logger's mailbox, so that the logger's death costs no record:
 * the next one goes on where it ended.
 *
 * L1. A handle's gate (voice.log_gate) is its threshold, or 0: nobody asked yet. It is worked out
 *     under `lock`, and whoever changes a threshold sets, under `lock`, all gates back to 0. So a
 *     gate is never older than the last change. Handles that cannot be found by who changes
 *     thresholds are never given a gate, and ask each time.
 * L2. `queue` has one owner, the logger alive now; the admin starts the next only after it heard of
 *     the last one's end. It sleeps only when a logger put it to sleep, and whoever wakes it sends
 *     thi_log_ready: to the logger, or while there is none to the admin, who then starts one.
 * L3. `waiting` is raised before a record is queued and lowered after it was counted as written or
 *     dropped, so a record is always counted somewhere.
 * L4. What the logger's thread logs while it writes is suppressed, so no sink can feed itself. */
#ifndef THI_ACTOR_LOG_H
#define THI_ACTOR_LOG_H

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>

#include "runtime/base/log_rate.h"
#include "runtime/base/log_rules.h"
#include "runtime/base/log_sink.h"
#include "mailbox/inbox.h"

struct thi_stage;

struct thi_log {
    /* constant from create on */
    const char *system;
    bool is_off; /* no sink: nothing is worth logging */
    uint32_t queue_max;
    uint32_t rate_max;
    uint32_t sink_count;
    char complaint[128]; /* what of the environment could not be read, or "" */

    /* the logger's, one after the other (L2) */
    struct thi_log_sink sinks[TH_LOG_SINKS_MAX];
    uint64_t missed[TH_LOG_SINKS_MAX]; /* records each could not take since it last took one */

    pthread_mutex_t lock; /* L1 */
    struct thi_log_rules rules;

    struct thi_log_rate rate;

    _Alignas(TH_CACHE_LINE) struct thi_inbox queue;
    _Atomic uint64_t waiting;
    _Atomic uint64_t number;  /* of the last record */
    _Atomic uint64_t lost;    /* dropped by who logged, and not said yet */
    _Atomic uint64_t logger;  /* slot << 32 | generation of the logger alive; 0: none */
    _Atomic uintptr_t thread; /* that writes now; 0: none */
    _Atomic bool is_unheard;  /* nobody could be told that there is mail: to be tried again */
};

/* @options are checked (config.c). @system [keep]. */
void thi_log_init(struct thi_log *log, const th_log_options *options, const char *system);
void thi_log_fini(struct thi_log *log);

/* Ready for the first start, or another. No logger lives. */
void thi_log_open(struct thi_log *log);

/* No record is taken any more; what waits is dropped. When no thread of the system's is left. */
void thi_log_close(struct thi_stage *stage);

/* An envelope in the queue. */
extern const th_type thi_log_entry_type;

/* What one record says beside its text. */
struct thi_log_what {
    th_log_level level;
    const th_log_site *site; /* may be NULL */
    uint64_t key;            /* of its rate; 0: the site's, or by actor and text */
    const char *label;       /* with a key: what is held, in words */
    uint32_t per_second;     /* 0: the site's, or the system's */
    const th_log_field *fields;
    uint32_t field_count;
};

th_err thi_log_put(th_self *self, const struct thi_log_what *what, const char *format, va_list args)
    TH_PRINTF(3, 0);

/* The threshold of @self. TRACE to OFF. */
th_log_level thi_log_gate(th_self *self);

/* Whether the runtime's own word of @level, said by @self, is worth making. */
static inline bool thi_log_is_on(th_self *self, th_log_level level);

/* All gates of actors ask again. Under log->lock. */
void thi_log_forget_gates(struct thi_stage *stage);

/* Tells the logger, or the admin, that there is something to do. */
void thi_log_wake(th_self *self);

/* The logger alive now; none. */
th_addr thi_log_logger(struct thi_stage *stage);

static inline bool thi_log_is_on(th_self *self, th_log_level level)
{
    if (!th_log_is_on(self, level))
        return false;
    return level >= thi_log_gate(self);
}

#endif
