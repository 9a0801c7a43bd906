/* A bad argument is answered with a status: names. */
#include "tests/support/probe.h"

/* ---- name.h ---- */

static void probe_name_find(struct probe *probe)
{
    char longest[TH_NAME_MAX + 2] = "";
    th_addr addr = probe_untouched;

    memset(longest, 'x', TH_NAME_MAX + 1);
    want(th_name_find(NULL, "name", &addr), TH_E_INVALID);
    want(th_name_find(probe->me, NULL, &addr), TH_E_INVALID);
    want(th_name_find(probe->me, "", &addr), TH_E_INVALID);
    want(th_name_find(probe->me, longest, &addr), TH_E_INVALID);
    want(th_name_find(probe->me, "name", NULL), TH_E_INVALID);
    want(th_name_find(probe->me, "nobody's", &addr), TH_E_NO_NAME);
    claim(th_addr_equal(addr, probe_untouched));
    if (!probe->is_actor || probe->is_simple)
        return;
    want(th_blocking_begin(probe->me), TH_OK);
    want(th_name_find(probe->me, "nobody's", &addr), TH_E_STATE);
    want(th_blocking_end(probe->me), TH_OK);
}

static void probe_self_name(struct probe *probe)
{
    claim(th_self_name(NULL) == NULL);
    claim(th_self_name(probe->me) == NULL);
}

static void note_nothing(void *context, const char *name, th_addr addr)
{
}

static void probe_names_each(struct probe *probe)
{
    want(th_names_each(NULL, note_nothing, NULL), TH_E_INVALID);
    want(th_names_each(probe->me, NULL, NULL), TH_E_INVALID);
    want(th_names_each(probe->me, note_nothing, NULL), TH_OK);
}

/* ---- the table ---- */

#define ROW(name)                                                                                  \
    {                                                                                              \
        "th_" #name, probe_##name                                                                  \
    }
static const struct probe_row rows[] = {
    ROW(name_find),
    ROW(self_name),
    ROW(names_each),
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

BOTH_BASES(bad_input_names, every_function_as_an_endpoint)
{
    probe_as_endpoint(ts, rows, ROWS);
}

BOTH_BASES(bad_input_names, every_function_in_an_actor)
{
    probe_in_actor(ts, rows, ROWS);
}

Test(bad_input_names, no_function_of_the_headers_is_missing)
{
    static const char *const headers[] = { "name.h", NULL };

    probe_headers(headers, rows, ROWS);
}
