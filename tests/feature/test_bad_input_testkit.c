/* A bad argument is answered with a status: systems driven by hand. */
#include "tests/support/probe.h"

/* ---- testkit.h ---- */

/* Inside a handler the system is being driven already; there only null is tried. */
static void probe_step(struct probe *probe)
{
    bool ran;

    want(th_step(NULL, &ran), TH_E_INVALID);
    if (!probe->is_actor)
        want(th_step(probe->sys, NULL), probe->is_simple ? TH_OK : TH_E_WRONG_BASE);
}

static void probe_run_until_idle(struct probe *probe)
{
    want(th_run_until_idle(NULL, 0, NULL), TH_E_INVALID);
    if (!probe->is_actor)
        want(th_run_until_idle(probe->sys, 0, NULL), probe->is_simple ? TH_OK : TH_E_WRONG_BASE);
}

static void probe_advance(struct probe *probe)
{
    want(th_advance(NULL, 0), TH_E_INVALID);
    if (!probe->is_actor)
        want(th_advance(probe->sys, 0), probe->is_simple ? TH_OK : TH_E_WRONG_BASE);
}

static void probe_virtual_now(struct probe *probe)
{
    uint64_t ns;

    want(th_virtual_now(NULL, &ns), TH_E_INVALID);
    want(th_virtual_now(probe->sys, NULL), probe->is_simple ? TH_E_INVALID : TH_E_WRONG_BASE);
    want(th_virtual_now(probe->sys, &ns), probe->is_simple ? TH_OK : TH_E_WRONG_BASE);
}

static void probe_mailbox_depth(struct probe *probe)
{
    size_t depth;

    want(th_mailbox_depth(NULL, probe->live, &depth), TH_E_INVALID);
    if (!probe->is_simple) {
        want(th_mailbox_depth(probe->sys, probe->live, &depth), TH_E_WRONG_BASE);
        return;
    }
    want(th_mailbox_depth(probe->sys, probe->live, NULL), TH_E_INVALID);
    want(th_mailbox_depth(probe->sys, probe->dead, &depth), TH_E_NO_ACTOR);
    want_or(th_mailbox_depth(probe->sys, probe->foreign, &depth), TH_E_FOREIGN, TH_E_NO_ACTOR);
}

static void probe_mailbox_peek(struct probe *probe)
{
    const th_msg *msg;

    want(th_mailbox_peek(NULL, probe->live, 0, &msg), TH_E_INVALID);
    if (!probe->is_simple) {
        want(th_mailbox_peek(probe->sys, probe->live, 0, &msg), TH_E_WRONG_BASE);
        return;
    }
    want(th_mailbox_peek(probe->sys, probe->live, 0, NULL), TH_E_INVALID);
    want(th_mailbox_peek(probe->sys, probe->live, SIZE_MAX, &msg), TH_E_LIMIT);
    want(th_mailbox_peek(probe->sys, probe->dead, 0, &msg), TH_E_NO_ACTOR);
}

static void probe_inject_failure(struct probe *probe)
{
    want(th_inject_failure(NULL, probe->live, TH_E_FAILED, 1), TH_E_INVALID);
    if (!probe->is_simple) {
        want(th_inject_failure(probe->sys, probe->live, TH_E_FAILED, 1), TH_E_WRONG_BASE);
        return;
    }
    want(th_inject_failure(probe->sys, probe->dead, TH_E_FAILED, 1), TH_E_NO_ACTOR);
    want(th_inject_failure(probe->sys, probe->live, TH_E_FAILED, 0), TH_OK);
}

static void probe_inject_nomem(struct probe *probe)
{
    want(th_inject_nomem(NULL, 1, false), TH_E_INVALID);
    want(th_inject_nomem(probe->sys, 0, false), TH_OK);
}

static void probe_allocations(struct probe *probe)
{
    uint64_t count;

    want(th_allocations(NULL, &count), TH_E_INVALID);
    want(th_allocations(probe->sys, NULL), TH_E_INVALID);
}

static void probe_trace_hash(struct probe *probe)
{
    uint64_t hash;

    want(th_trace_hash(NULL, &hash), TH_E_INVALID);
    want(th_trace_hash(probe->sys, NULL), probe->is_simple ? TH_E_INVALID : TH_E_WRONG_BASE);
}

/* ---- pump.h ---- */

static void probe_system_fd(struct probe *probe)
{
    claim(th_system_fd(NULL) == -1);
    claim(th_system_fd(probe->sys) == -1);
}

static void probe_pump(struct probe *probe)
{
    uint64_t turns = 77;

    want(th_pump(NULL, 0, &turns), TH_E_INVALID);
    want(th_pump(probe->sys, 0, &turns), TH_E_WRONG_BASE);
    want(th_pump(probe->sys, UINT64_MAX, NULL), TH_E_WRONG_BASE);
    claim(turns == 77);
}

/* ---- the table ---- */

#define ROW(name)                                                                                  \
    {                                                                                              \
        "th_" #name, probe_##name                                                                  \
    }
static const struct probe_row rows[] = {
    ROW(step),          ROW(run_until_idle), ROW(advance),        ROW(virtual_now),
    ROW(mailbox_depth), ROW(mailbox_peek),   ROW(inject_failure), ROW(inject_nomem),
    ROW(allocations),   ROW(trace_hash),     ROW(system_fd),      ROW(pump),
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

BOTH_BASES(bad_input_testkit, every_function_as_an_endpoint)
{
    probe_as_endpoint(ts, rows, ROWS);
}

BOTH_BASES(bad_input_testkit, every_function_in_an_actor)
{
    probe_in_actor(ts, rows, ROWS);
}

Test(bad_input_testkit, no_function_of_the_headers_is_missing)
{
    static const char *const headers[] = { "testkit.h", "pump.h", NULL };

    probe_headers(headers, rows, ROWS);
}
