/* Each option at the last value that will do and at the first that will not; and what is filled in
 * where none is given. */
#include "runtime/system/system.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static char longest_name[TH_NAME_MAX + 1], too_long_name[TH_NAME_MAX + 2];

static void make_names(void)
{
    memset(longest_name, 'x', TH_NAME_MAX);
    memset(too_long_name, 'x', TH_NAME_MAX + 1);
}

static void must_do(th_options options)
{
    const char *why = "";

    cr_assert_eq(th_options_check(&options, &why), TH_OK, "%s", why ? why : "");
    cr_assert_null(why);
}

/* The option at fault is named first. */
static void must_not_do(th_options options, const char *culprit)
{
    const char *why = NULL;

    cr_assert_eq(th_options_check(&options, &why), TH_E_INVALID, "%s", culprit);
    cr_assert(why && strncmp(why, culprit, strlen(culprit)) == 0, "%s, not %s", why, culprit);
}

Test(config, options_at_their_limits, .init = make_names)
{
    must_do((th_options){ .name = longest_name });
    must_not_do((th_options){ .name = too_long_name }, "name");
    must_do((th_options){ .workers = TH_WORKERS_MAX });
    must_not_do((th_options){ .workers = TH_WORKERS_MAX + 1 }, "workers");
    must_do((th_options){ .signals = TH_SIGNAL_TERM | TH_SIGNAL_STATUS });
    must_not_do((th_options){ .signals = (TH_SIGNAL_TERM | TH_SIGNAL_STATUS) + 1 }, "signals");
    must_do((th_options){ .actors_max = 4 });
    must_not_do((th_options){ .actors_max = 3 }, "actors_max");
    must_do((th_options){ .watchdog_ns = TH_WATCHDOG_NS_MIN });
    must_not_do((th_options){ .watchdog_ns = TH_WATCHDOG_NS_MIN - 1 }, "watchdog_ns");
    must_do((th_options){ .watchdog_signal = SIGRTMIN });
    must_not_do((th_options){ .watchdog_signal = SIGRTMIN - 1 }, "watchdog_signal");
    must_do((th_options){ .watchdog_signal = SIGRTMAX });
    must_not_do((th_options){ .watchdog_signal = SIGRTMAX + 1 }, "watchdog_signal");
    must_do((th_options){ .status_fd = 0 });
    must_not_do((th_options){ .status_fd = -1 }, "status_fd");
    must_do((th_options){ .base = TH_BASE_SIMPLE, .pumped = true });
    must_not_do((th_options){ .base = TH_BASE_POOL, .pumped = true }, "pumped");
}

static th_options filled(const th_options *options)
{
    th_options out;
    const char *why;

    cr_assert_eq(thi_options_fill(options, &out, &why), TH_OK, "%s", why);
    return out;
}

Test(config, what_is_not_said_is_filled_in)
{
    const th_options empty = { 0 };
    th_options all = filled(&empty), none = filled(NULL);

    cr_assert_str_eq(all.name, "thespis");
    cr_assert_eq(all.actors_max, TH_ACTORS_MAX_DEFAULT);
    cr_assert_eq(all.timers_max, TH_TIMERS_MAX_DEFAULT);
    cr_assert_eq(all.watches_max, TH_WATCHES_MAX_DEFAULT);
    cr_assert_eq(all.memory_max, TH_MEMORY_MAX_DEFAULT);
    cr_assert_geq(all.workers, 1);
    cr_assert_eq(none.workers, all.workers);
    cr_assert_eq(none.actors_max, all.actors_max);
}

Test(config, what_is_said_stays)
{
    const th_options said = { .name = "mine",
                              .workers = 3,
                              .actors_max = 5,
                              .timers_max = 6,
                              .watches_max = 7,
                              .memory_max = 8 << 20 };
    th_options out = filled(&said);

    cr_assert_str_eq(out.name, "mine");
    cr_assert_eq(out.workers, 3);
    cr_assert_eq(out.actors_max, 5);
    cr_assert_eq(out.timers_max, 6);
    cr_assert_eq(out.watches_max, 7);
    cr_assert_eq(out.memory_max, 8 << 20);
}

/* As many workers as the process has cores, not the machine. */
Test(config, workers_are_the_cores_we_may_use)
{
    cpu_set_t before, one;
    int core = 0;

    cr_assert_eq(sched_getaffinity(0, sizeof(before), &before), 0);
    while (!CPU_ISSET(core, &before))
        core++;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    cr_assert_eq(sched_setaffinity(0, sizeof(one), &one), 0);
    cr_assert_eq(filled(NULL).workers, TH_WORKERS_DEFAULT ? TH_WORKERS_DEFAULT : 1);
    cr_assert_eq(sched_setaffinity(0, sizeof(before), &before), 0);
}
