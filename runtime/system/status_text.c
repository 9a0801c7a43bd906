/* runtime/system/status_text.c: the status as text, one fact a line. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include <thespis/config.h>
#include <thespis/status.h>

struct page {
    char *text;
    size_t size;
    size_t length; /* it has in full */
};

static void say(struct page *page, const char *what, const char *format, ...) TH_PRINTF(3, 4);

/* One line: what, and how it is. */
static void say(struct page *page, const char *what, const char *format, ...)
{
    char line[TH_NAME_MAX + 64];
    int length = snprintf(line, sizeof(line), "  %-28s ", what);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line + length, sizeof(line) - (size_t)length, format, arguments);
    va_end(arguments);
    for (const char *c = line; *c; c++)
        if (++page->length < page->size)
            page->text[page->length - 1] = *c;
    if (++page->length < page->size)
        page->text[page->length - 1] = '\n';
}

static void say_count(struct page *page, const char *what, uint64_t count)
{
    say(page, what, "%" PRIu64, count);
}

/* A counter and the limit it runs against. */
static void say_limit(struct page *page, const char *what, uint64_t count, uint64_t limit)
{
    if (limit)
        say(page, what, "%" PRIu64 " of %" PRIu64, count, limit);
    else
        say(page, what, "%" PRIu64 ", no limit", count);
}

static void say_messages(struct page *page, const th_counts *counts)
{
    char what[96];

    say_count(page, "accepted", counts->accepted);
    say_count(page, "handled", counts->handled);
    say_count(page, "dead", counts->dead);
    for (int i = 0; i < TH_DEAD_COUNT; i++)
        if (counts->dead_by_reason[i]) {
            snprintf(what, sizeof(what), "dead, %s:", th_dead_reason_text((th_dead_reason)i));
            say_count(page, what, counts->dead_by_reason[i]);
        }
    say_count(page, "failed deliveries", counts->failed);
    say_count(page, "poisoned", counts->poisoned);
    say_count(page, "letters dropped", counts->letters_dropped);
    say_count(page, "refused", counts->refused);
}

static void say_pool(struct page *page, const th_pool_status *pool)
{
    say_limit(page, "workers", pool->workers, TH_WORKERS_MAX);
    say_count(page, "workers running", pool->running);
    say_count(page, "workers blocked", pool->blocked);
    say_limit(page, "spare workers", pool->spares, TH_SPARE_WORKERS_MAX);
    say_count(page, "threads of their own", pool->own_threads);
    say_count(page, "turns", pool->turns);
    say_count(page, "steals", pool->steals);
    say_count(page, "parks", pool->parks);
    say_count(page, "wakes", pool->wakes);
    say_count(page, "rescues", pool->rescues);
}

size_t th_system_status_print(const th_system_status *status, char *text, size_t size)
{
    struct page page = { text, text ? size : 0, 0 };

    if (!status) {
        if (page.size)
            *text = '\0';
        return 0;
    }
    say(&page, "system", "%s", status->name ? status->name : "(none)");
    say(&page, "id", "%016" PRIx64, status->id);
    say(&page, "base", "%s", status->base == TH_BASE_SIMPLE ? "simple" : "pool");
    say(&page, "uptime", "%" PRIu64 ".%03u s", status->uptime_ns / 1000000000u,
        (unsigned)(status->uptime_ns / 1000000u % 1000u));
    say(&page, "shutting down", "%s", status->shutting_down ? "yes" : "no");
    say_messages(&page, &status->counts);
    say_limit(&page, "actors", status->actors, status->actors_max);
    say_count(&page, "spawned", status->counts.spawned);
    say_count(&page, "exited", status->counts.exited);
    say_count(&page, "endpoints", status->endpoints);
    say_limit(&page, "classes", status->classes, TH_CLASSES_MAX);
    say_limit(&page, "dead-letter handlers", status->dead_letter_handlers,
              TH_DEAD_LETTER_HANDLERS_MAX);
    say_limit(&page, "wakeups pending", status->wakeups_pending, status->timers_max);
    say_count(&page, "wakeups set", status->counts.wakeups_set);
    say_count(&page, "wakeups fired", status->counts.wakeups_fired);
    say_count(&page, "wakeups cancelled", status->counts.wakeups_cancelled);
    say_limit(&page, "memory, bytes", status->memory_bytes, status->memory_max);
    say_count(&page, "memory at its peak, bytes", status->memory_bytes_peak);
    if (status->base == TH_BASE_POOL)
        say_pool(&page, &status->pool);
    else
        say_count(&page, "turns", status->pool.turns);
    if (page.size)
        text[page.length < page.size ? page.length : page.size - 1] = '\0';
    return page.length;
}
