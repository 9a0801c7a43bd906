/* A bad argument is answered with a status: routers. */
#include "tests/support/probe.h"

static void probe_router_check(struct probe *probe)
{
    const char *why = NULL;

    want(th_router_check(NULL, NULL), TH_E_INVALID);
    want(th_router_check(NULL, &why), TH_E_INVALID);
    claim(why != NULL);
    want(th_router_check(&(th_router_options){ .children = 1 }, NULL), TH_E_INVALID);
}

static void probe_router_spawn(struct probe *probe)
{
    const th_router_options good = { .klass = &probe_class };
    th_addr addr = probe_untouched;

    want(th_router_spawn(NULL, &good, &addr), TH_E_INVALID);
    want(th_router_spawn(probe->me, NULL, &addr), TH_E_INVALID);
    want(th_router_spawn(probe->me, &good, NULL), TH_E_INVALID);
    want(th_router_spawn(probe->me,
                         &(th_router_options){ .routing = TH_ROUTE_BY_KEY,
                                               .klass = &probe_class,
                                               .arg = probe_word(probe) },
                         &addr),
         TH_E_INVALID); /* and the argument is gone */
    want(th_router_spawn(probe->me, &(th_router_options){ .arg = probe_word(probe) }, &addr),
         TH_E_INVALID);
    claim(th_addr_equal(addr, probe_untouched));
}

static void probe_router_spec(struct probe *probe)
{
    const th_router_options good = { .klass = &probe_class };
    th_spawn_options spawn;

    want(th_router_spec(NULL, &good, &spawn), TH_E_INVALID);
    want(th_router_spec(probe->me, NULL, &spawn), TH_E_INVALID);
    want(th_router_spec(probe->me, &good, NULL), TH_E_INVALID);
}

static void probe_router_key(struct probe *probe)
{
    claim(th_router_key(NULL, 7) == 0);
    claim(th_router_key(NULL, 0) == th_router_key("", 0));
    claim(th_router_key("a", 1) != th_router_key("b", 1));
}

/* ---- the table ---- */

#define ROW(name)                                                                                  \
    {                                                                                              \
        "th_" #name, probe_##name                                                                  \
    }
static const struct probe_row rows[] = {
    ROW(router_check),
    ROW(router_spawn),
    ROW(router_spec),
    ROW(router_key),
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

BOTH_BASES(bad_input_router, every_function_as_an_endpoint)
{
    probe_as_endpoint(ts, rows, ROWS);
}

BOTH_BASES(bad_input_router, every_function_in_an_actor)
{
    probe_in_actor(ts, rows, ROWS);
}

Test(bad_input_router, no_function_of_the_headers_is_missing)
{
    static const char *const headers[] = { "router.h", NULL };

    probe_headers(headers, rows, ROWS);
}
