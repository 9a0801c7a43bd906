/* A bad argument is answered with a status: what an actor can do. */
#include <signal.h>

#include "tests/support/probe.h"

static const th_class huge = { .name = "huge", .state_size = SIZE_MAX / 2 };

static th_err answer_nothing(th_self *self, void *state, const th_msg *answer, th_err err,
                             uint64_t token)
{
    return TH_OK;
}

/* ---- actor.h ---- */

static void probe_spawn(struct probe *probe)
{
    th_addr addr = probe_untouched;

    want(th_spawn(NULL, &probe_class, NULL, &addr), TH_E_INVALID);
    want(th_spawn(probe->me, NULL, probe_word(probe), &addr), TH_E_INVALID);
    want(th_spawn(probe->me, &probe_class, probe_word(probe), NULL), TH_E_INVALID);
    want(th_spawn(probe->me, &huge, probe_word(probe), &addr), TH_E_NOMEM);
}

static void probe_spawn_with(struct probe *probe)
{
    th_addr addr = probe_untouched;
    th_spawn_options nothing = { 0 }, unknown = { .class_name = "nobody" };

    want(th_spawn_with(NULL, &unknown, &addr), TH_E_INVALID);
    want(th_spawn_with(probe->me, NULL, &addr), TH_E_INVALID);
    want(th_spawn_with(probe->me, &unknown, NULL), TH_E_INVALID);
    nothing.arg = probe_word(probe);
    want(th_spawn_with(probe->me, &nothing, &addr), TH_E_INVALID);
    unknown.arg = probe_word(probe);
    want(th_spawn_with(probe->me, &unknown, &addr), TH_E_NO_CLASS);
}

static void probe_stop(struct probe *probe)
{
    want(th_stop(NULL, probe->live), TH_E_INVALID);
    want(th_stop(probe->me, probe->none), TH_E_INVALID);
    want(th_stop(probe->me, probe->dead), TH_OK);
    want(th_stop(probe->me, probe->foreign), TH_OK);
    want(th_stop(probe->me, probe->nowhere), TH_OK);
}

static void probe_exit(struct probe *probe)
{
    want(th_exit(NULL), TH_E_INVALID);
    if (!probe->is_actor)
        want(th_exit(probe->me), TH_E_NOT_HERE);
}

static void probe_exit_keep_children(struct probe *probe)
{
    want(th_exit_keep_children(NULL), TH_E_INVALID);
    if (!probe->is_actor)
        want(th_exit_keep_children(probe->me), TH_E_NOT_HERE);
}

static void probe_exit_because(struct probe *probe)
{
    want(th_exit_because(NULL, TH_E_FAILED, "nobody"), TH_E_INVALID);
    if (!probe->is_actor)
        want(th_exit_because(probe->me, TH_E_FAILED, NULL), TH_E_NOT_HERE);
}

static void probe_stop_because(struct probe *probe)
{
    want(th_stop_because(NULL, probe->live, TH_OK, "nobody"), TH_E_INVALID);
    want(th_stop_because(probe->me, probe->none, TH_OK, NULL), TH_E_INVALID);
    want(th_stop_because(probe->me, probe->dead, (th_err)9999, "%0900d", 1), TH_OK);
    want(th_stop_because(probe->me, probe->foreign, TH_OK, NULL), TH_OK);
}

static void probe_exit_later(struct probe *probe)
{
    want(th_exit_later(NULL), TH_E_INVALID);
    want(th_exit_later(probe->me), probe->is_actor ? TH_E_STATE : TH_E_NOT_HERE);
}

static void probe_exit_why(struct probe *probe)
{
    th_exit_info info;

    want(th_exit_why(NULL, &info), TH_E_INVALID);
    want(th_exit_why(probe->me, NULL), probe->is_actor ? TH_E_INVALID : TH_E_NOT_HERE);
    want(th_exit_why(probe->me, &info), probe->is_actor ? TH_E_STATE : TH_E_NOT_HERE);
}

static void probe_request_shutdown(struct probe *probe)
{
    want(th_request_shutdown(NULL), TH_E_INVALID);
}

static void probe_fail(struct probe *probe)
{
    want(th_fail(NULL, TH_E_PARSE, "nobody"), TH_E_PARSE);
    want(th_fail(probe->me, (th_err)9999, "%s", ""), (th_err)9999);
    want(th_fail(probe->me, TH_OK, "%0300d", 1), TH_OK);
}

static void probe_self_addr(struct probe *probe)
{
    claim(th_addr_is_none(th_self_addr(NULL)));
    claim(!th_addr_is_none(th_self_addr(probe->me)));
}

static void probe_self_parent(struct probe *probe)
{
    claim(th_addr_is_none(th_self_parent(NULL)));
    claim(th_addr_is_none(th_self_parent(probe->me)) != probe->is_actor);
}

static void probe_self_system(struct probe *probe)
{
    claim(th_self_system(NULL) == NULL);
    claim(th_self_system(probe->me) == probe->sys);
}

static void probe_self_class(struct probe *probe)
{
    claim(th_self_class(NULL) == NULL);
    claim((th_self_class(probe->me) != NULL) == probe->is_actor);
}

static void probe_self_state(struct probe *probe)
{
    claim(th_self_state(NULL) == NULL);
    claim((th_self_state(probe->me) != NULL) == probe->is_actor);
}

static void probe_now(struct probe *probe)
{
    claim(th_now(NULL) == 0);
    claim(th_now(probe->me) <= th_now(probe->me));
}

static void probe_random(struct probe *probe)
{
    claim(th_random(NULL) == 0);
    claim(th_random(probe->me) != th_random(probe->me));
}

static void probe_ask_then(struct probe *probe)
{
    th_self *me = probe->me;

    want(th_ask_then(NULL, probe->live, NULL, TH_S(1), answer_nothing, 0), TH_E_INVALID);
    if (!probe->is_actor) {
        want(th_ask_then(me, probe->live, probe_word(probe), 0, answer_nothing, 0), TH_E_NOT_HERE);
        return;
    }
    want_or(th_ask_then(me, probe->live, NULL, 0, answer_nothing, 0), TH_E_INVALID, TH_E_NOMEM);
    want(th_ask_then(me, probe->none, probe_word(probe), 0, answer_nothing, 0), TH_E_INVALID);
    want(th_ask_then(me, probe->live, probe_word(probe), 0, NULL, 0), TH_E_INVALID);
    want(th_ask_then(me, probe->dead, probe_word(probe), 0, answer_nothing, 0), TH_OK);
    want(th_ask_then(me, probe->foreign, probe_word(probe), TH_FOREVER, answer_nothing, 0), TH_OK);
}

static void probe_wakeup_after(struct probe *probe)
{
    want(th_wakeup_after(NULL, 0, NULL, NULL), TH_E_INVALID);
    want(th_wakeup_after(probe->me, TH_FOREVER, probe_word(probe), NULL), TH_OK);
}

static void probe_wakeup_every(struct probe *probe)
{
    want(th_wakeup_every(NULL, TH_S(1), NULL, NULL), TH_E_INVALID);
    want(th_wakeup_every(probe->me, 0, probe_word(probe), NULL), TH_E_INVALID);
    want(th_wakeup_every(probe->me, 999, probe_word(probe), NULL), TH_E_INVALID);
    want_or(th_wakeup_every(probe->me, TH_FOREVER, probe_word(probe), NULL), TH_E_INVALID, TH_OK);
}

static void probe_wakeup_cancel(struct probe *probe)
{
    want(th_wakeup_cancel(NULL, 1), TH_E_INVALID);
    want(th_wakeup_cancel(probe->me, 0), TH_E_NO_TIMER);
    want(th_wakeup_cancel(probe->me, UINT64_MAX), TH_E_NO_TIMER);
}

static void probe_dead_letters_to_me(struct probe *probe)
{
    want(th_dead_letters_to_me(NULL, true), TH_E_INVALID);
    want(th_dead_letters_to_me(probe->me, false), TH_OK); /* never said true */
}

static void probe_blocking_begin(struct probe *probe)
{
    want(th_blocking_begin(NULL), TH_E_INVALID);
    if (!probe->is_actor) {
        want(th_blocking_begin(probe->me), TH_E_NOT_HERE);
        return;
    }
    want(th_blocking_begin(probe->me), TH_OK);
    want(th_blocking_begin(probe->me), TH_E_STATE);
    want(th_blocking_end(probe->me), TH_OK);
}

static void probe_blocking_end(struct probe *probe)
{
    want(th_blocking_end(NULL), TH_E_INVALID);
    want(th_blocking_end(probe->me), probe->is_actor ? TH_E_STATE : TH_E_NOT_HERE);
}

/* ---- the table ---- */

/* ---- watch.h ---- */

static void probe_watch_fd(struct probe *probe)
{
    uint64_t id = 77;

    want(th_watch_fd(NULL, 0, TH_FD_READABLE, TH_WATCH_LEVEL, &id), TH_E_INVALID);
    if (!probe->is_actor) {
        want(th_watch_fd(probe->me, 0, TH_FD_READABLE, TH_WATCH_LEVEL, &id), TH_E_NOT_HERE);
        return;
    }
    want(th_watch_fd(probe->me, -1, TH_FD_READABLE, TH_WATCH_LEVEL, &id), TH_E_BAD_FD);
    want(th_watch_fd(probe->me, INT32_MIN, TH_FD_READABLE, TH_WATCH_LEVEL, NULL), TH_E_BAD_FD);
    want(th_watch_fd(probe->me, 0, UINT32_MAX, TH_WATCH_LEVEL, &id), TH_E_INVALID);
    want(th_watch_fd(probe->me, 0, TH_FD_READABLE, (th_watch_mode)99, &id), TH_E_INVALID);
    claim(id == 77);
}

static void probe_watch_rearm(struct probe *probe)
{
    want(th_watch_rearm(NULL, 1, TH_FD_READABLE), TH_E_INVALID);
    if (!probe->is_actor) {
        want(th_watch_rearm(probe->me, 1, TH_FD_READABLE), TH_E_NOT_HERE);
        return;
    }
    want(th_watch_rearm(probe->me, 0, TH_FD_READABLE), TH_E_NO_WATCH);
    want(th_watch_rearm(probe->me, UINT64_MAX, TH_FD_READABLE), TH_E_NO_WATCH);
    want(th_watch_rearm(probe->me, 1, UINT32_MAX), TH_E_INVALID);
}

static void probe_watch_signal(struct probe *probe)
{
    static const int absurd[] = { 0, -1, 1000, INT32_MAX, SIGKILL, SIGSTOP, SIGSEGV };
    uint64_t id = 77;

    want(th_watch_signal(NULL, SIGUSR2, &id), TH_E_INVALID);
    if (!probe->is_actor) {
        want(th_watch_signal(probe->me, SIGUSR2, &id), TH_E_NOT_HERE);
        return;
    }
    for (unsigned i = 0; i < sizeof(absurd) / sizeof(absurd[0]); i++)
        want(th_watch_signal(probe->me, absurd[i], &id), TH_E_INVALID);
    claim(id == 77);
}

static void probe_unwatch(struct probe *probe)
{
    want(th_unwatch(NULL, 1), TH_E_INVALID);
    want_or(th_unwatch(probe->me, 0), TH_E_NO_WATCH, TH_E_NOT_HERE);
    want_or(th_unwatch(probe->me, UINT64_MAX), TH_E_NO_WATCH, TH_E_NOT_HERE);
}

/* ---- deputy.h ---- */

static void probe_deputy_open(struct probe *probe)
{
    th_self *deputy = NULL;

    want(th_deputy_open(NULL, &deputy), TH_E_INVALID);
    want(th_deputy_open(probe->me, NULL), TH_E_INVALID);
    claim(!deputy);
    if (!probe->is_actor) {
        want(th_deputy_open(probe->me, &deputy), TH_E_NOT_HERE);
        claim(!deputy);
    }
}

static void probe_deputy_close(struct probe *probe)
{
    want(th_deputy_close(NULL), TH_E_INVALID);
    want(th_deputy_close(probe->me), TH_E_NOT_HERE);
}

static void probe_self_is_deputy(struct probe *probe)
{
    claim(!th_self_is_deputy(NULL));
    claim(!th_self_is_deputy(probe->me));
}

#define ROW(name)                                                                                  \
    {                                                                                              \
        "th_" #name, probe_##name                                                                  \
    }
static const struct probe_row rows[] = {
    ROW(spawn),
    ROW(spawn_with),
    ROW(stop),
    ROW(exit),
    ROW(exit_keep_children),
    ROW(exit_because),
    ROW(stop_because),
    ROW(exit_later),
    ROW(exit_why),
    ROW(request_shutdown),
    ROW(fail),
    ROW(self_addr),
    ROW(self_parent),
    ROW(self_system),
    ROW(self_class),
    ROW(self_state),
    ROW(now),
    ROW(random),
    ROW(ask_then),
    ROW(wakeup_after),
    ROW(wakeup_every),
    ROW(wakeup_cancel),
    ROW(dead_letters_to_me),
    ROW(blocking_begin),
    ROW(blocking_end),
    ROW(watch_fd),
    ROW(watch_rearm),
    ROW(watch_signal),
    ROW(unwatch),
    ROW(deputy_open),
    ROW(deputy_close),
    ROW(self_is_deputy),
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

BOTH_BASES(bad_input_actors, every_function_as_an_endpoint)
{
    probe_as_endpoint(ts, rows, ROWS);
}

BOTH_BASES(bad_input_actors, every_function_in_an_actor)
{
    probe_in_actor(ts, rows, ROWS);
}

Test(bad_input_actors, no_function_of_the_headers_is_missing)
{
    static const char *const headers[] = { "actor.h", "watch.h", "deputy.h", NULL };

    probe_headers(headers, rows, ROWS);
}
