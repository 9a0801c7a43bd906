#include "runtime/actor/events.h"

#include <stdio.h>

#include "runtime/actor/log.h"

static void event(th_self *self, const struct thi_log_what *what, const char *format, ...)
    TH_PRINTF(3, 4);

static void event(th_self *self, const struct thi_log_what *what, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)thi_log_put(self, what, format, args);
    va_end(args);
}

#define COUNT(array) (uint32_t)(sizeof(array) / sizeof((array)[0]))

static uint64_t mix_addr(uint64_t key, th_addr addr)
{
    return thi_log_rate_mix(key, (uint64_t)addr.slot << 32 | addr.generation);
}

static const char *name_of(const struct thi_cell *cell)
{
    return cell->klass->name ? cell->klass->name : "(no name)";
}

void thi_event_failed(th_self *self, const struct thi_cell *cell, const th_msg *msg, th_err err,
                      const char *details)
{
    char label[THI_LOG_LABEL_SIZE];

    if (!thi_log_is_on(self, TH_LOG_WARN))
        return;
    snprintf(label, sizeof(label), "failed messages of type %s in class %s", msg->thi_type->name,
             name_of(cell));
    const th_log_field fields[] = {
        th_kv_str("type", msg->thi_type->name),
        th_kv_addr("from", msg->thi_from),
        th_kv_str("error", th_err_name(err)),
        th_kv_str("details", details ? details : th_strerror(err)),
    };
    const struct thi_log_what what = {
        .level = TH_LOG_WARN,
        .key = thi_log_rate_mix(thi_log_rate_mix(2, (uint64_t)(uintptr_t)cell->klass),
                                (uint64_t)(uintptr_t)msg->thi_type),
        .label = label,
        .per_second = TH_LOG_RATE_EVENTS,
        .fields = fields,
        .field_count = COUNT(fields),
    };
    event(self, &what, "a message failed all its deliveries");
}

void thi_event_init_failed(th_self *self, const struct thi_cell *cell, th_err err)
{
    const char *details =
        cell->extra && cell->extra->details[0] ? cell->extra->details : th_strerror(err);
    char label[THI_LOG_LABEL_SIZE];

    if (!thi_log_is_on(self, TH_LOG_WARN))
        return;
    snprintf(label, sizeof(label), "failed inits of class %s", name_of(cell));
    const th_log_field fields[] = { th_kv_str("error", th_err_name(err)),
                                    th_kv_str("details", details) };
    const struct thi_log_what what = {
        .level = TH_LOG_WARN,
        .key = thi_log_rate_mix(3, (uint64_t)(uintptr_t)cell->klass),
        .label = label,
        .per_second = TH_LOG_RATE_EVENTS,
        .fields = fields,
        .field_count = COUNT(fields),
    };
    event(self, &what, "an actor's init failed");
}

void thi_event_dead(th_self *self, const th_msg *msg, th_dead_reason reason)
{
    struct thi_stage *stage = thi_stage_of(self);
    /* relaxed: which of two levels it is */
    bool is_end =
        reason == TH_DEAD_SHUTDOWN || atomic_load_explicit(&stage->closing, memory_order_relaxed);
    th_log_level level = is_end ? TH_LOG_DEBUG : TH_LOG_INFO;
    char label[THI_LOG_LABEL_SIZE];

    if (TH_LIKELY(!thi_log_is_on(self, level)))
        return;
    snprintf(label, sizeof(label), "dead letters of type %s", msg->thi_type->name);
    const th_log_field fields[] = {
        th_kv_str("type", msg->thi_type->name),
        th_kv_addr("from", msg->thi_from),
        th_kv_addr("to", msg->thi_to),
        th_kv_str("reason", th_dead_reason_text(reason)),
    };
    const struct thi_log_what what = {
        .level = level,
        .key = thi_log_rate_mix(mix_addr(mix_addr(is_end ? 4 : 5, msg->thi_from), msg->thi_to),
                                (uint64_t)(uintptr_t)msg->thi_type),
        .label = label,
        .per_second = TH_LOG_RATE_EVENTS,
        .fields = fields,
        .field_count = COUNT(fields),
    };
    event(self, &what, "dead letter");
}

void thi_event_link(th_self *self, th_log_level level, const char *peer, const char *text)
{
    const th_log_field fields[] = { th_kv_str("peer", peer) };
    const struct thi_log_what what = {
        .level = level,
        .key = thi_log_rate_mix(7, (uint64_t)level),
        .label = "notes on links to other systems",
        .per_second = TH_LOG_RATE_EVENTS,
        .fields = fields,
        .field_count = peer[0] ? COUNT(fields) : 0,
    };

    if (thi_log_is_on(self, level))
        event(self, &what, "%s", text);
}
