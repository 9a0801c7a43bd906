/* runtime/system/status_text.c: the fields of a system's status, in one table.
 *
 * Text and JSON are both made from it (page.h). To add a figure: a member in th_system_status
 * (status.h), where it is gathered (status.c), and a row here, beside its like; a new group simply
 * begins. Its key is then part of the interface (docs/guide/status.md lists them all). */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "runtime/system/page.h"
#include <thespis/config.h>

enum as {
    AS_COUNT,   /* a number */
    AS_LIMIT,   /* a number, and the member it may reach (0: no limit) */
    AS_FIXED,   /* a number, and the constant it may reach */
    AS_TEXT,    /* const char * */
    AS_HEX,     /* an id */
    AS_TIME,    /* nanoseconds */
    AS_YES,     /* bool */
    AS_BASE,    /* th_base */
    AS_REASONS, /* a count for each th_dead_reason; text: of those that happened */
};

enum when { ALWAYS, ON_POOL, ON_SIMPLE, WHEN_MEASURED };

struct row {
    const char *group; /* the JSON object it is in; rows of one group stand together */
    const char *key;
    const char *what; /* the words of the text */
    enum as as;
    enum when when;
    uint16_t at; /* in th_system_status */
    uint16_t size;
    uint16_t limit_at; /* AS_LIMIT */
    uint64_t limit;    /* AS_FIXED */
};

#define MEMBER(member) ((th_system_status *)0)->member
#define AT(member)     offsetof(th_system_status, member), sizeof(MEMBER(member))
#define ROW(group, key, what, as, when, member)                                                    \
    { group, key, what, AS_##as, when, AT(member), 0, 0 },
#define LIMIT(group, key, what, when, member, max)                                                 \
    { group, key, what, AS_LIMIT, when, AT(member), offsetof(th_system_status, max), 0 },
#define FIXED(group, key, what, when, member, max)                                                 \
    { group, key, what, AS_FIXED, when, AT(member), 0, max },

/* clang-format off */
static const struct row rows[] = {
    ROW("system", "name", "system", TEXT, ALWAYS, name)
    ROW("system", "id", "id", HEX, ALWAYS, id)
    ROW("system", "base", "base", BASE, ALWAYS, base)
    ROW("system", "uptime_ns", "uptime", TIME, ALWAYS, uptime_ns)
    ROW("system", "shutting_down", "shutting down", YES, ALWAYS, shutting_down)

    ROW("messages", "accepted", "accepted", COUNT, ALWAYS, counts.accepted)
    ROW("messages", "handled", "handled", COUNT, ALWAYS, counts.handled)
    ROW("messages", "dead", "dead", COUNT, ALWAYS, counts.dead)
    ROW("messages", "dead_by_reason", "dead", REASONS, ALWAYS, counts.dead_by_reason)
    ROW("messages", "failed", "failed deliveries", COUNT, ALWAYS, counts.failed)
    ROW("messages", "poisoned", "poisoned", COUNT, ALWAYS, counts.poisoned)
    ROW("messages", "letters_dropped", "letters dropped", COUNT, ALWAYS, counts.letters_dropped)
    ROW("messages", "refused", "refused", COUNT, ALWAYS, counts.refused)
    ROW("messages", "stashed", "stashed", COUNT, ALWAYS, counts.stashed)
    ROW("messages", "unstashed", "put back", COUNT, ALWAYS, counts.unstashed)
    ROW("messages", "stash_refused", "not stashed: limit", COUNT, ALWAYS, counts.stash_refused)

    ROW("mailboxes", "full", "sends to full mailboxes", COUNT, ALWAYS, counts.full)
    ROW("mailboxes", "holds", "senders held", COUNT, ALWAYS, counts.holds)
    ROW("mailboxes", "hold_circles", "not held, in a circle", COUNT, ALWAYS, counts.hold_circles)
    ROW("mailboxes", "holds_missed", "not held, without room", COUNT, ALWAYS, counts.holds_missed)

    LIMIT("actors", "alive", "actors", ALWAYS, actors, actors_max)
    ROW("actors", "spawned", "spawned", COUNT, ALWAYS, counts.spawned)
    ROW("actors", "exited", "exited", COUNT, ALWAYS, counts.exited)
    ROW("actors", "endpoints", "endpoints", COUNT, ALWAYS, endpoints)
    ROW("actors", "deputies", "deputies", COUNT, ALWAYS, deputies)
    ROW("actors", "deputies_opened", "opened", COUNT, ALWAYS, counts.deputies_opened)
    ROW("actors", "deputies_refused", "refused: limit", COUNT, ALWAYS, counts.deputies_refused)
    FIXED("actors", "classes", "classes", ALWAYS, classes, TH_CLASSES_MAX)
    FIXED("actors", "dead_letter_handlers", "dead-letter handlers", ALWAYS, dead_letter_handlers,
          TH_DEAD_LETTER_HANDLERS_MAX)
    FIXED("actors", "capabilities", "capabilities", ALWAYS, capabilities, TH_FACTS_MAX)
    ROW("actors", "choosy", "actors that need some", COUNT, ALWAYS, choosy)
    FIXED("actors", "names", "global names", ALWAYS, names, TH_NAMES_MAX)

    ROW("ties", "watches", "watches made", COUNT, ALWAYS, counts.watches)
    ROW("ties", "links", "links made", COUNT, ALWAYS, counts.links)
    ROW("ties", "told", "told of an end by those", COUNT, ALWAYS, counts.gone_told)

    LIMIT("wakeups", "pending", "wakeups pending", ALWAYS, wakeups_pending, timers_max)
    ROW("wakeups", "set", "wakeups set", COUNT, ALWAYS, counts.wakeups_set)
    ROW("wakeups", "fired", "wakeups fired", COUNT, ALWAYS, counts.wakeups_fired)
    ROW("wakeups", "cancelled", "wakeups cancelled", COUNT, ALWAYS, counts.wakeups_cancelled)

    LIMIT("watches", "alive", "watches", ALWAYS, watches, watches_max)
    ROW("watches", "messages", "messages of watches", COUNT, ALWAYS, counts.watch_messages)

    LIMIT("memory", "bytes", "memory, bytes", ALWAYS, memory_bytes, memory_max)
    ROW("memory", "bytes_peak", "memory at its peak, bytes", COUNT, ALWAYS, memory_bytes_peak)
    ROW("memory", "waits", "waits for memory", COUNT, ALWAYS, counts.stalls)
    ROW("memory", "refused", "memory refused, times", COUNT, ALWAYS, memory_refused)

    ROW("log", "accepted", "records accepted", COUNT, ALWAYS, log.accepted)
    ROW("log", "written", "records written", COUNT, ALWAYS, log.written)
    ROW("log", "suppressed", "records suppressed", COUNT, ALWAYS, log.suppressed)
    ROW("log", "dropped", "records dropped", COUNT, ALWAYS, log.dropped)
    LIMIT("log", "waiting", "records waiting", ALWAYS, log.waiting, log_queue_max)
    ROW("log", "refusals", "refused by a sink", COUNT, ALWAYS, log.refusals)
    ROW("log", "loggers", "loggers started", COUNT, ALWAYS, log.loggers)

    ROW("trace", "on", "tracing", YES, ALWAYS, tracing)
    ROW("trace", "events", "events traced", COUNT, ALWAYS, trace_events)
    ROW("trace", "dropped", "events lost", COUNT, ALWAYS, trace_dropped)
    ROW("trace", "bytes", "trace, bytes", COUNT, ALWAYS, trace_bytes)
    ROW("trace", "failed", "trace could not be written", YES, ALWAYS, trace_failed)

    FIXED("pool", "workers", "workers", ON_POOL, pool.workers, TH_WORKERS_MAX)
    ROW("pool", "running", "workers running", COUNT, ON_POOL, pool.running)
    ROW("pool", "blocked", "workers blocked", COUNT, ON_POOL, pool.blocked)
    FIXED("pool", "spares", "spare workers", ON_POOL, pool.spares, TH_SPARE_WORKERS_MAX)
    ROW("pool", "own_threads", "threads of their own", COUNT, ON_POOL, pool.own_threads)
    ROW("pool", "turns", "turns", COUNT, ALWAYS, pool.turns)
    ROW("pool", "steals", "steals", COUNT, ON_POOL, pool.steals)
    ROW("pool", "parks", "parks", COUNT, ON_POOL, pool.parks)
    ROW("pool", "wakes", "wakes", COUNT, ON_POOL, pool.wakes)
    ROW("pool", "rescues", "rescues", COUNT, ON_POOL, pool.rescues)

    ROW("waiting", "samples", "waiting, samples", COUNT, WHEN_MEASURED, waiting.samples)
    ROW("waiting", "p50_ns", "waiting, p50", TIME, WHEN_MEASURED, waiting.p50_ns)
    ROW("waiting", "p90_ns", "waiting, p90", TIME, WHEN_MEASURED, waiting.p90_ns)
    ROW("waiting", "p99_ns", "waiting, p99", TIME, WHEN_MEASURED, waiting.p99_ns)
    ROW("waiting", "p999_ns", "waiting, p99.9", TIME, WHEN_MEASURED, waiting.p999_ns)
    ROW("waiting", "max_ns", "waiting, longest", TIME, WHEN_MEASURED, waiting.max_ns)

    ROW("handling", "samples", "handling, samples", COUNT, WHEN_MEASURED, handling.samples)
    ROW("handling", "p50_ns", "handling, p50", TIME, WHEN_MEASURED, handling.p50_ns)
    ROW("handling", "p90_ns", "handling, p90", TIME, WHEN_MEASURED, handling.p90_ns)
    ROW("handling", "p99_ns", "handling, p99", TIME, WHEN_MEASURED, handling.p99_ns)
    ROW("handling", "p999_ns", "handling, p99.9", TIME, WHEN_MEASURED, handling.p999_ns)
    ROW("handling", "max_ns", "handling, longest", TIME, WHEN_MEASURED, handling.max_ns)

    FIXED("measuring", "classes", "classes measured", WHEN_MEASURED, measured_classes,
          TH_MEASURED_CLASSES_MAX)
    ROW("measuring", "missed", "samples of no class", COUNT, WHEN_MEASURED, measured_classes_missed)
};
/* clang-format on */

static const void *at(const th_system_status *status, unsigned offset)
{
    return (const char *)status + offset;
}

static uint64_t number(const th_system_status *status, const struct row *row)
{
    uint64_t wide;
    uint32_t narrow;

    if (row->size == sizeof(wide)) {
        memcpy(&wide, at(status, row->at), sizeof(wide));
        return wide;
    }
    memcpy(&narrow, at(status, row->at), sizeof(narrow));
    return narrow;
}

static uint64_t limit(const th_system_status *status, const struct row *row)
{
    uint64_t wide;

    if (row->as == AS_FIXED)
        return row->limit;
    memcpy(&wide, at(status, row->limit_at), sizeof(wide));
    return wide;
}

/* "NO_ACTOR" is the key "no_actor". */
static const char *reason_key(th_dead_reason reason, char key[static 32])
{
    static const char *const names[TH_DEAD_COUNT] = {
#define XX(name, text) [TH_DEAD_##name] = #name,
        TH_DEAD_MAP(XX)
#undef XX
    };
    size_t length = 0;

    for (const char *c = names[reason]; *c && length < 31; c++)
        key[length++] = (char)tolower((unsigned char)*c);
    key[length] = '\0';
    return key;
}

static void say_reasons(struct thi_page *page, const struct row *row, const uint64_t *counts)
{
    char key[32], what[96];

    thi_page_open(page, row->key, NULL);
    for (int i = 0; i < TH_DEAD_COUNT; i++) {
        th_dead_reason reason = (th_dead_reason)i;

        if (page->format == TH_STATUS_TEXT && !counts[i])
            continue;
        snprintf(what, sizeof(what), "%s, %s:", row->what, th_dead_reason_text(reason));
        thi_page_count(page, reason_key(reason, key), what, counts[i]);
    }
    thi_page_close(page);
}

static void say_row(struct thi_page *page, const th_system_status *status, const struct row *row)
{
    const void *value = at(status, row->at);

    switch (row->as) {
    case AS_COUNT: thi_page_count(page, row->key, row->what, number(status, row)); return;
    case AS_LIMIT:
    case AS_FIXED:
        thi_page_limit(page, row->key, row->what, number(status, row), limit(status, row));
        return;
    case AS_TEXT: thi_page_text(page, row->key, row->what, *(const char *const *)value); return;
    case AS_HEX: thi_page_hex(page, row->key, row->what, number(status, row)); return;
    case AS_TIME: thi_page_time(page, row->key, row->what, number(status, row)); return;
    case AS_YES: thi_page_yes(page, row->key, row->what, *(const bool *)value); return;
    case AS_BASE:
        thi_page_text(page, row->key, row->what,
                      status->base == TH_BASE_SIMPLE ? "simple" : "pool");
        return;
    case AS_REASONS: say_reasons(page, row, value); return;
    }
}

static bool applies(const th_system_status *status, const struct row *row)
{
    if (row->when == WHEN_MEASURED)
        return status->measured;
    return row->when == ALWAYS || (row->when == ON_POOL) == (status->base == TH_BASE_POOL);
}

void thi_status_say(struct thi_page *page, const th_system_status *status)
{
    const char *group = NULL;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!applies(status, &rows[i]))
            continue;
        if (!group || strcmp(group, rows[i].group) != 0) {
            if (group)
                thi_page_close(page);
            group = rows[i].group;
            thi_page_open(page, group, NULL);
        }
        say_row(page, status, &rows[i]);
    }
    thi_page_close(page);
}

void thi_status_say_times(struct thi_page *page, const char *key, const char *what,
                          const th_times *times)
{
    bool is_json = page->format == TH_STATUS_JSON;

    if (is_json)
        thi_page_open(page, key, NULL);
    thi_page_count(page, "samples", what, times->samples);
    thi_page_time(page, "p50_ns", "p50", times->p50_ns);
    thi_page_time(page, "p90_ns", "p90", times->p90_ns);
    thi_page_time(page, "p99_ns", "p99", times->p99_ns);
    thi_page_time(page, "p999_ns", "p99.9", times->p999_ns);
    thi_page_time(page, "max_ns", "longest", times->max_ns);
    if (is_json)
        thi_page_close(page);
}

static size_t print(const th_system_status *status, th_status_format format, char *text,
                    size_t size)
{
    struct thi_page_memory memory = { text, text ? size : 0, 0 };
    struct thi_page page;

    thi_page_begin(&page, format, thi_page_to_memory, &memory);
    if (status) {
        thi_page_open(&page, NULL, NULL);
        thi_status_say(&page, status);
        thi_page_close(&page);
    }
    thi_page_end(&page);
    return thi_page_memory_end(&memory);
}

size_t th_system_status_print(const th_system_status *status, char *text, size_t size)
{
    return print(status, TH_STATUS_TEXT, text, size);
}

size_t th_system_status_json(const th_system_status *status, char *text, size_t size)
{
    return print(status, TH_STATUS_JSON, text, size);
}
