/* A bad argument is answered with a status: troupes. */
#include "tests/support/probe.h"

static void probe_troupe_spawn(struct probe *probe)
{
    const th_troupe_options upside_down = { .workers_max = 1, .idle_max = 2 };
    th_addr addr = probe_untouched;

    want(th_troupe_spawn(NULL, &probe_class, NULL, NULL, &addr), TH_E_INVALID);
    want(th_troupe_spawn(probe->me, NULL, probe_word(probe), NULL, &addr), TH_E_INVALID);
    want(th_troupe_spawn(probe->me, &probe_class, probe_word(probe), NULL, NULL), TH_E_INVALID);
    want(th_troupe_spawn(probe->me, &probe_class, probe_word(probe), &upside_down, &addr),
         TH_E_INVALID);
}

static void probe_troupe_hold(struct probe *probe)
{
    want(th_troupe_hold(NULL), TH_E_INVALID);
    want(th_troupe_hold(probe->me), TH_E_NOT_HERE);
}

static void probe_troupe_done(struct probe *probe)
{
    want(th_troupe_done(NULL), TH_E_INVALID);
    want_or(th_troupe_done(probe->me), TH_E_NOT_HERE, TH_E_STATE);
}

static void probe_troupe_job_of(struct probe *probe)
{
    th_msg *word = probe_word(probe);

    claim(th_troupe_job_of(NULL) == NULL);
    claim(th_troupe_job_of(word) == NULL);
    th_msg_destroy(probe->me, word);
}

/* ---- the table ---- */

#define ROW(name)                                                                                  \
    {                                                                                              \
        "th_" #name, probe_##name                                                                  \
    }
static const struct probe_row rows[] = {
    ROW(troupe_spawn),
    ROW(troupe_hold),
    ROW(troupe_done),
    ROW(troupe_job_of),
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

BOTH_BASES(bad_input_troupe, every_function_as_an_endpoint)
{
    probe_as_endpoint(ts, rows, ROWS);
}

BOTH_BASES(bad_input_troupe, every_function_in_an_actor)
{
    probe_in_actor(ts, rows, ROWS);
}

Test(bad_input_troupe, no_function_of_the_headers_is_missing)
{
    static const char *const headers[] = { "troupe.h", NULL };

    probe_headers(headers, rows, ROWS);
}
