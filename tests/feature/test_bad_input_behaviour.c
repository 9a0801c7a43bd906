/* A bad argument is answered with a status: how an actor behaves. */
#include "tests/support/probe.h"

/* ---- dispatch.h ---- */

static th_err handle_nothing(th_self *self, void *state, const th_msg *msg)
{
    return TH_OK;
}

static void probe_dispatch(struct probe *probe)
{
    const th_case cases[] = { { &talk_word_type, handle_nothing }, { NULL, NULL } };
    const th_case hollow[] = { { &talk_word_type, NULL }, { NULL, NULL } };
    th_msg *msg = probe_word(probe);

    want(th_dispatch(NULL, NULL, msg, cases), TH_E_INVALID);
    want(th_dispatch(probe->me, NULL, NULL, cases), TH_E_INVALID);
    want(th_dispatch(probe->me, NULL, msg, NULL), TH_E_INVALID);
    want(th_dispatch(probe->me, NULL, msg, cases), TH_OK);
    want_or(th_dispatch(probe->me, NULL, msg, hollow), TH_OK, TH_E_INVALID);
    th_msg_destroy(probe->me, msg);
}

static void probe_dispatch_class(struct probe *probe)
{
    static const th_class small = { .name = "small" }, large = { .name = "large", .state_size = 8 };
    th_class heir = { .name = "heir", .base = &large }, circle = { .name = "circle" };
    th_msg *msg = probe_word(probe);

    circle.base = &circle;
    want(th_dispatch_class(NULL, &small, NULL, msg), TH_E_INVALID);
    want(th_dispatch_class(probe->me, NULL, NULL, msg), TH_E_INVALID);
    want(th_dispatch_class(probe->me, &small, NULL, NULL), TH_E_INVALID);
    want(th_dispatch_class(probe->me, &heir, NULL, msg), TH_E_INVALID);
    want(th_dispatch_class(probe->me, &circle, NULL, msg), TH_E_INVALID);
    want(th_dispatch_class(probe->me, &small, NULL, msg), TH_OK);
    th_msg_destroy(probe->me, msg);
}

/* ---- the table ---- */

#define ROW(name)                                                                                  \
    {                                                                                              \
        "th_" #name, probe_##name                                                                  \
    }
static const struct probe_row rows[] = {
    ROW(dispatch),
    ROW(dispatch_class),
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

BOTH_BASES(bad_input_behaviour, every_function_as_an_endpoint)
{
    probe_as_endpoint(ts, rows, ROWS);
}

BOTH_BASES(bad_input_behaviour, every_function_in_an_actor)
{
    probe_in_actor(ts, rows, ROWS);
}

Test(bad_input_behaviour, no_function_of_the_headers_is_missing)
{
    static const char *const headers[] = { "dispatch.h", NULL };

    probe_headers(headers, rows, ROWS);
}
