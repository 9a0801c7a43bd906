/* A bad argument is answered with a status: watches, links, supervisors. */
#include "tests/support/probe.h"

static th_addr admin_of(struct probe *probe)
{
    return (th_addr){ th_system_id(probe->sys), 0, 1 };
}

static void probe_watch_actor(struct probe *probe)
{
    want(th_watch_actor(NULL, probe->live), TH_E_INVALID);
    want(th_watch_actor(probe->me, probe->none), TH_E_INVALID);
    want(th_watch_actor(probe->me, th_self_addr(probe->me)), TH_E_INVALID);
    want(th_watch_actor(probe->me, probe->foreign), TH_E_FOREIGN);
    want(th_watch_actor(probe->me, admin_of(probe)), TH_E_NOT_ALLOWED);
}

static void probe_unwatch_actor(struct probe *probe)
{
    want(th_unwatch_actor(NULL, probe->live), TH_E_INVALID);
    want(th_unwatch_actor(probe->me, probe->none), TH_E_STATE);
    want(th_unwatch_actor(probe->me, probe->live), TH_E_STATE);
    want(th_unwatch_actor(probe->me, probe->foreign), TH_E_STATE);
}

static void probe_link(struct probe *probe)
{
    want(th_link(NULL, probe->live), TH_E_INVALID);
    if (!probe->is_actor) {
        want(th_link(probe->me, probe->live), TH_E_NOT_HERE);
        return;
    }
    want(th_link(probe->me, probe->none), TH_E_INVALID);
    want(th_link(probe->me, th_self_addr(probe->me)), TH_E_INVALID);
    want(th_link(probe->me, probe->foreign), TH_E_FOREIGN);
    want(th_link(probe->me, admin_of(probe)), TH_E_NOT_ALLOWED);
}

static void probe_unlink(struct probe *probe)
{
    want(th_unlink(NULL, probe->live), TH_E_INVALID);
    want(th_unlink(probe->me, probe->live), probe->is_actor ? TH_E_STATE : TH_E_NOT_HERE);
}

static void probe_trap_links(struct probe *probe)
{
    want(th_trap_links(NULL, true), TH_E_INVALID);
    want(th_trap_links(probe->me, true), probe->is_actor ? TH_OK : TH_E_NOT_HERE);
}

static void probe_supervisor_spawn(struct probe *probe)
{
    const th_child_spec nameless = { .klass = &probe_class };
    th_addr addr = probe_untouched;

    want(th_supervisor_spawn(NULL, &nameless, 1, NULL, &addr), TH_E_INVALID);
    want(th_supervisor_spawn(probe->me, &nameless, 1, NULL, &addr), TH_E_INVALID);
    want(th_supervisor_spawn(probe->me, NULL, 1, NULL, &addr), TH_E_INVALID);
    want(th_supervisor_spawn(probe->me, NULL, 0, NULL, NULL), TH_E_INVALID);
    claim(th_addr_equal(addr, probe_untouched));
}

static void probe_supervisor_spec(struct probe *probe)
{
    const th_supervisor_options upside_down = { .backoff_min_ns = 2, .backoff_max_ns = 1 };
    const th_supervisor_options strange = { .strategy = (th_strategy)99 };
    const th_child_spec twice[2] = { { .id = "x", .klass = &probe_class },
                                     { .id = "x", .klass = &probe_class } };
    th_spawn_options options;

    want(th_supervisor_spec(NULL, NULL, 0, NULL, &options), TH_E_INVALID);
    want(th_supervisor_spec(probe->me, NULL, 0, NULL, NULL), TH_E_INVALID);
    want(th_supervisor_spec(probe->me, NULL, 0, &upside_down, &options), TH_E_INVALID);
    want(th_supervisor_spec(probe->me, NULL, 0, &strange, &options), TH_E_INVALID);
    want(th_supervisor_spec(probe->me, twice, 2, NULL, &options), TH_E_EXISTS);
}

static void probe_supervisor_add(struct probe *probe)
{
    const th_child_spec good = { .id = "x", .klass = &probe_class };
    const th_child_spec classless = { .id = "x" };

    want(th_supervisor_add(NULL, probe->live, &good), TH_E_INVALID);
    want(th_supervisor_add(probe->me, probe->live, NULL), TH_E_INVALID);
    want(th_supervisor_add(probe->me, probe->live, &classless), TH_E_INVALID);
    want(th_supervisor_add(probe->me, probe->none, &good), TH_E_INVALID);
    want(th_supervisor_add(probe->me, probe->dead, &good), TH_OK);
}

/* ---- the table ---- */

#define ROW(name)                                                                                  \
    {                                                                                              \
        "th_" #name, probe_##name                                                                  \
    }
static const struct probe_row rows[] = {
    ROW(watch_actor),      ROW(unwatch_actor),   ROW(link),           ROW(unlink), ROW(trap_links),
    ROW(supervisor_spawn), ROW(supervisor_spec), ROW(supervisor_add),
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

BOTH_BASES(bad_input_ties, every_function_as_an_endpoint)
{
    probe_as_endpoint(ts, rows, ROWS);
}

BOTH_BASES(bad_input_ties, every_function_in_an_actor)
{
    probe_in_actor(ts, rows, ROWS);
}

Test(bad_input_ties, no_function_of_the_headers_is_missing)
{
    static const char *const headers[] = { "ties.h", "supervisor.h", NULL };

    probe_headers(headers, rows, ROWS);
}
