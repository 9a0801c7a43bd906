/* Bad arguments to every function of trace.h and clock.h; what makes no sense of a good one is in
 * test_trace.c and test_clock.c. */
#include "tests/support/probe.h"
#include "tests/support/system.h"
#include "tests/support/talk.h"

static void probe_trace_start(struct probe *probe)
{
    th_trace_options where = { .path = "/dev/null" }, none = { 0 };
    th_system *system = th_self_system(probe->me);

    want(th_trace_start(NULL, &where), TH_E_INVALID);
    want(th_trace_start(system, NULL), TH_E_INVALID);
    want(th_trace_start(system, &none), TH_E_INVALID);
}

static void probe_trace_stop(struct probe *probe)
{
    want(th_trace_stop(NULL), TH_E_INVALID);
    want_or(th_trace_stop(th_self_system(probe->me)), TH_E_STATE, TH_E_NOT_ALLOWED);
}

static void probe_clock_moved(struct probe *probe)
{
    want(th_clock_moved(NULL), TH_E_INVALID);
    want(th_clock_moved(th_self_system(probe->me)), TH_E_STATE);
}

static const struct probe_row rows[] = {
    { "th_clock_moved", probe_clock_moved },
    { "th_trace_start", probe_trace_start },
    { "th_trace_stop", probe_trace_stop },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

BOTH_BASES(bad_input_trace, every_function_as_an_endpoint)
{
    probe_as_endpoint(ts, rows, ROWS);
}

BOTH_BASES(bad_input_trace, every_function_in_an_actor)
{
    probe_in_actor(ts, rows, ROWS);
}

Test(bad_input_trace, no_function_of_the_headers_is_missing)
{
    static const char *const headers[] = { "trace.h", "clock.h", NULL };

    probe_headers(headers, rows, ROWS);
}
