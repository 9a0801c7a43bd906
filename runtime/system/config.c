/* runtime/system/config.c: options are checked once, and their defaults filled in. */
#include <sched.h>
#include <signal.h>
#include <string.h>

#include "runtime/system/logging.h"
#include "runtime/system/system.h"

/* The admin, the default endpoint, one actor and one open question. */
enum { ACTORS_LEAST = 4 };

/* Cores this process may run on. */
static uint32_t cores(void)
{
    cpu_set_t allowed;
    int count = 0;

    if (sched_getaffinity(0, sizeof(allowed), &allowed) == 0)
        count = CPU_COUNT(&allowed);
    if (count < 1)
        return 1;
    return count > TH_WORKERS_MAX ? TH_WORKERS_MAX : (uint32_t)count;
}

static const char *find_fault(const th_options *options)
{
    if (options->base != TH_BASE_POOL && options->base != TH_BASE_SIMPLE)
        return "base: neither TH_BASE_POOL nor TH_BASE_SIMPLE";
    if (options->name && (!*options->name || strnlen(options->name, TH_NAME_MAX + 1) > TH_NAME_MAX))
        return "name: empty, or longer than TH_NAME_MAX";
    if (options->pumped && options->base != TH_BASE_SIMPLE)
        return "pumped: only on TH_BASE_SIMPLE";
    if (options->workers > TH_WORKERS_MAX)
        return "workers: more than TH_WORKERS_MAX";
    if (options->signals & ~(uint32_t)(TH_SIGNAL_TERM | TH_SIGNAL_STATUS))
        return "signals: a bit that is not in th_signal_flags";
    if (options->actors_max && options->actors_max < ACTORS_LEAST)
        return "actors_max: no room for the system's own";
    if (options->allocator && (!options->allocator->alloc || !options->allocator->free))
        return "allocator: a function is missing";
    if (options->clock && !options->clock->monotonic)
        return "clock: a function is missing";
    switch (thi_capabilities_check(options->capabilities)) {
    case TH_OK: break;
    case TH_E_NOT_ALLOWED: return "capabilities: a name that begins with \"thespis.\"";
    case TH_E_LIMIT: return "capabilities: more than TH_FACTS_MAX, or past TH_FACTS_SIZE_MAX";
    default: return "capabilities: a name or a value that is malformed";
    }
    if (options->status_fd < 0)
        return "status_fd: negative";
    if (options->watchdog_ns && options->watchdog_ns < TH_WATCHDOG_NS_MIN)
        return "watchdog_ns: less than TH_WATCHDOG_NS_MIN";
    if (options->watchdog_signal &&
        (options->watchdog_signal < SIGRTMIN || options->watchdog_signal > SIGRTMAX))
        return "watchdog_signal: no real-time signal";
    if (thi_tracing_fault(options->trace))
        return thi_tracing_fault(options->trace);
    return thi_logging_fault(options->log);
}

th_err thi_options_fill(const th_options *options, th_options *filled_out, const char **why_out)
{
    th_options filled = { 0 };
    const char *fault;

    if (options)
        filled = *options;
    fault = find_fault(&filled);
    if (why_out)
        *why_out = fault;
    if (fault)
        return TH_E_INVALID;
    if (!filled.name)
        filled.name = "thespis";
    if (!filled.workers)
        filled.workers = TH_WORKERS_DEFAULT ? TH_WORKERS_DEFAULT : cores();
    if (!filled.actors_max)
        filled.actors_max = TH_ACTORS_MAX_DEFAULT;
    if (!filled.timers_max)
        filled.timers_max = TH_TIMERS_MAX_DEFAULT;
    if (!filled.watches_max)
        filled.watches_max = TH_WATCHES_MAX_DEFAULT;
    if (!filled.memory_max)
        filled.memory_max = TH_MEMORY_MAX_DEFAULT;
    *filled_out = filled;
    return TH_OK;
}

th_err th_options_check(const th_options *options, const char **why_out)
{
    th_options filled;

    return thi_options_fill(options, &filled, why_out);
}
