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

/* ---- behaviour.h ---- */

static const th_behaviour nothing = { .name = "nothing" };
static const th_behaviour something = { .name = "something", .receive = handle_nothing };

static void probe_become(struct probe *probe)
{
    want(th_become(NULL, &something), TH_E_INVALID);
    want(th_become(probe->me, NULL), TH_E_INVALID);
    want(th_become(probe->me, &nothing), TH_E_INVALID);
    if (!probe->is_actor)
        want(th_become(probe->me, &something), TH_E_NOT_HERE);
}

static void probe_become_over(struct probe *probe)
{
    want(th_become_over(NULL, &something), TH_E_INVALID);
    want(th_become_over(probe->me, NULL), TH_E_INVALID);
    want(th_become_over(probe->me, &nothing), TH_E_INVALID);
    if (!probe->is_actor)
        want(th_become_over(probe->me, &something), TH_E_NOT_HERE);
}

static void probe_unbecome(struct probe *probe)
{
    want(th_unbecome(NULL), TH_E_INVALID);
    want(th_unbecome(probe->me), probe->is_actor ? TH_E_STATE : TH_E_NOT_HERE);
}

static void probe_self_behaviour(struct probe *probe)
{
    claim(th_self_behaviour(NULL) == NULL);
    claim(th_self_behaviour(probe->me) == NULL);
}

static void probe_stash(struct probe *probe)
{
    th_msg *msg = probe_word(probe), *exit = th_msg_create(probe->me, &th_exit_request_type);

    want(th_stash(NULL, msg), TH_E_INVALID);
    want(th_stash(probe->me, NULL), TH_E_INVALID);
    if (probe->is_actor)
        want(th_stash(probe->me, exit), TH_E_NOT_ALLOWED);
    else
        want(th_stash(probe->me, msg), TH_E_NOT_HERE);
    th_msg_destroy(probe->me, msg);
    th_msg_destroy(probe->me, exit);
}

static void probe_unstash_all(struct probe *probe)
{
    uint32_t count = 77;

    want(th_unstash_all(NULL, &count), TH_E_INVALID);
    claim(count == 0);
    want(th_unstash_all(probe->me, NULL), probe->is_actor ? TH_OK : TH_E_NOT_HERE);
}

static void probe_stashed(struct probe *probe)
{
    claim(th_stashed(NULL) == 0);
    claim(th_stashed(probe->me) == 0);
}

static th_err ready(th_self *self, void *state, const th_msg *const *got)
{
    return TH_OK;
}

static void probe_initial_begin(struct probe *probe)
{
    static const th_type *const types[] = { &talk_word_type, NULL };
    static const th_initial hollow = { .ready = ready }, unready = { .types = types };

    want(th_initial_begin(NULL, &hollow), TH_E_INVALID);
    want(th_initial_begin(probe->me, NULL), TH_E_INVALID);
    want(th_initial_begin(probe->me, &hollow), probe->is_actor ? TH_E_INVALID : TH_E_NOT_HERE);
    want(th_initial_begin(probe->me, &unready), probe->is_actor ? TH_E_INVALID : TH_E_NOT_HERE);
}

/* ---- the table ---- */

#define ROW(name)                                                                                  \
    {                                                                                              \
        "th_" #name, probe_##name                                                                  \
    }
static const struct probe_row rows[] = {
    ROW(dispatch), ROW(dispatch_class), ROW(become), ROW(become_over),
    ROW(unbecome), ROW(self_behaviour), ROW(stash),  ROW(unstash_all),
    ROW(stashed),  ROW(initial_begin),
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
    static const char *const headers[] = { "dispatch.h", "behaviour.h", NULL };

    probe_headers(headers, rows, ROWS);
}
