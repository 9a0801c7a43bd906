/* A bad argument is answered with a status: systems, endpoints, status; and so is any call after
 * the end. */
#include <stdio.h>

#include "tests/support/probe.h"

static const th_class nameless = { .name = NULL };

/* ---- system.h ---- */

static void probe_system_create(struct probe *probe)
{
    claim(th_system_create(&(th_options){ .base = (th_base)7 }) == NULL);
    claim(th_system_create(&(th_options){ .workers = TH_WORKERS_MAX + 1 }) == NULL);
}

static void probe_options_check(struct probe *probe)
{
    static char long_name[TH_NAME_MAX + 2];
    const th_allocator half = { 0 };
    const th_options bad[] = { { .base = (th_base)7 },    { .workers = TH_WORKERS_MAX + 1 },
                               { .workers = UINT32_MAX }, { .signals = 1u << 31 },
                               { .name = long_name },     { .allocator = &half } };
    const char *why = NULL;

    memset(long_name, 'n', sizeof(long_name) - 1);
    want(th_options_check(NULL, NULL), TH_OK);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        why = NULL;
        want(th_options_check(&bad[i], &why), TH_E_INVALID);
        claim(why && why[0]);
        want(th_options_check(&bad[i], NULL), TH_E_INVALID);
    }
}

static void probe_system_start(struct probe *probe)
{
    want(th_system_start(NULL), TH_E_INVALID);
    want(th_system_start(probe->sys), TH_E_STATE);
}

static void probe_system_shutdown(struct probe *probe)
{
    th_system *fresh = th_system_create(&(th_options){ .base = TH_BASE_SIMPLE });

    want(th_system_shutdown(NULL, 0, NULL, NULL), TH_E_INVALID);
    want(th_system_shutdown(fresh, 0, NULL, NULL), TH_E_STATE);
    want(th_system_destroy(fresh), TH_OK);
    if (probe->is_actor)
        want(th_system_shutdown(probe->sys, 0, NULL, NULL), TH_E_NOT_ALLOWED);
}

static void probe_system_wait(struct probe *probe)
{
    want(th_system_wait(NULL, 0), TH_E_INVALID);
}

static void probe_system_destroy(struct probe *probe)
{
    want(th_system_destroy(NULL), TH_OK);
    want(th_system_destroy(probe->sys), TH_E_STATE);
}

static void probe_class_register(struct probe *probe)
{
    static char long_name[TH_NAME_MAX + 2];
    const th_class too_long = { .name = long_name };
    const th_class empty = { .name = "" };

    memset(long_name, 'n', sizeof(long_name) - 1);
    want(th_class_register(NULL, &probe_class), TH_E_INVALID);
    want(th_class_register(probe->sys, NULL), TH_E_INVALID);
    want(th_class_register(probe->sys, &nameless), TH_E_INVALID);
    want(th_class_register(probe->sys, &empty), TH_E_INVALID);
    want(th_class_register(probe->sys, &too_long), TH_E_INVALID);
}

static void probe_type_register(struct probe *probe)
{
    static const th_type unnamed = { .name = NULL };
    static const th_type local = { .name = "local", .flags = TH_TYPE_LOCAL };

    want(th_type_register(NULL, &talk_word_type), TH_E_INVALID);
    want(th_type_register(probe->sys, NULL), TH_E_INVALID);
    want(th_type_register(probe->sys, &unnamed), TH_E_INVALID);
    want(th_type_register(probe->sys, &local), TH_E_INVALID);
}

static void probe_system_admin(struct probe *probe)
{
    th_system *fresh = th_system_create(&(th_options){ .base = TH_BASE_SIMPLE });

    claim(th_addr_is_none(th_system_admin(NULL)));
    claim(th_addr_is_none(th_system_admin(fresh)));
    claim(th_system_admin(probe->sys).system == th_system_id(probe->sys));
    want(th_system_destroy(fresh), TH_OK);
}

static void probe_system_id(struct probe *probe)
{
    claim(th_system_id(NULL) == 0);
}

static void probe_version(struct probe *probe)
{
    claim(th_version() && strchr(th_version(), '.'));
}

/* ---- external.h ---- */

static void probe_system_self(struct probe *probe)
{
    th_system *fresh = th_system_create(&(th_options){ .base = TH_BASE_SIMPLE });

    claim(th_system_self(NULL) == NULL);
    claim(th_system_self(fresh) == NULL);
    want(th_system_destroy(fresh), TH_OK);
}

static void probe_endpoint_open(struct probe *probe)
{
    th_self *self = NULL;

    want(th_endpoint_open(NULL, &self), TH_E_INVALID);
    want(th_endpoint_open(probe->sys, NULL), TH_E_INVALID);
    claim(self == NULL);
}

static void probe_endpoint_close(struct probe *probe)
{
    want_or(th_endpoint_close(NULL), TH_E_INVALID, TH_OK);
    want(th_endpoint_close(probe->me), TH_E_NOT_HERE);
    want(th_endpoint_close(th_system_self(probe->sys)), TH_E_NOT_HERE);
}

static void probe_tell(struct probe *probe)
{
    want(th_tell(NULL, probe->live, NULL), TH_E_INVALID);
    if (probe->is_actor) {
        want(th_tell(probe->me, probe->live, probe_word(probe)), TH_E_NOT_HERE);
        return;
    }
    want(th_tell(probe->me, probe->none, probe_word(probe)), TH_E_INVALID);
    want(th_tell(probe->me, probe->dead, probe_word(probe)), TH_OK);
}

static void probe_ask(struct probe *probe)
{
    th_self *me = probe->me;
    th_msg *answer = NULL;

    want(th_ask(NULL, probe->live, NULL, 0, &answer), TH_E_INVALID);
    if (probe->is_actor) {
        want(th_ask(me, probe->live, probe_word(probe), 0, &answer), TH_E_NOT_HERE);
        return;
    }
    want_or(th_ask(me, probe->live, NULL, 0, &answer), TH_E_INVALID, TH_E_NOMEM);
    want(th_ask(me, probe->none, probe_word(probe), 0, &answer), TH_E_INVALID);
    want(th_ask(me, probe->live, probe_word(probe), 0, NULL), TH_E_INVALID);
    want(th_ask(me, probe->dead, probe_word(probe), TH_FOREVER, &answer), TH_E_NO_ACTOR);
    want(th_ask(me, probe->nowhere, probe_word(probe), TH_FOREVER, &answer), TH_E_NO_ACTOR);
    want_or(th_ask(me, probe->foreign, probe_word(probe), TH_FOREVER, &answer), TH_E_NO_ACTOR,
            TH_E_FOREIGN);
    claim(answer == NULL);
}

static void probe_listen(struct probe *probe)
{
    th_msg *msg = NULL;

    want(th_listen(NULL, 0, &msg), TH_E_INVALID);
    if (probe->is_actor)
        want(th_listen(probe->me, 0, &msg), TH_E_NOT_HERE);
    else
        want(th_listen(probe->me, 0, NULL), TH_E_INVALID);
    claim(msg == NULL);
}

static void probe_create(struct probe *probe)
{
    th_spawn_options options = { .klass = &probe_class }, unknown = { .class_name = "nobody" };
    th_addr addr = probe_untouched;

    want(th_create(NULL, &options, TH_S(1), &addr, NULL), TH_E_INVALID);
    if (probe->is_actor) {
        want(th_create(probe->me, &options, TH_S(1), &addr, NULL), TH_E_NOT_HERE);
        return;
    }
    want(th_create(probe->me, NULL, TH_S(1), &addr, NULL), TH_E_INVALID);
    want(th_create(probe->me, &options, TH_S(1), NULL, NULL), TH_E_INVALID);
    unknown.arg = probe_word(probe);
    want(th_create(probe->me, &unknown, TH_S(1), &addr, NULL), TH_E_NO_CLASS);
    want(th_create(probe->me, &(th_spawn_options){ 0 }, TH_S(1), &addr, NULL), TH_E_INVALID);
}

/* ---- status.h ---- */

static void probe_system_status_read(struct probe *probe)
{
    th_system_status status;

    want(th_system_status_read(NULL, &status), TH_E_INVALID);
    want(th_system_status_read(probe->sys, NULL), TH_E_INVALID);
}

static void probe_actor_status_read(struct probe *probe)
{
    th_actor_status status;

    want(th_actor_status_read(NULL, probe->live, &status), TH_E_INVALID);
    want(th_actor_status_read(probe->sys, probe->live, NULL), TH_E_INVALID);
    want_or(th_actor_status_read(probe->sys, probe->none, &status), TH_E_INVALID, TH_E_NO_ACTOR);
    want(th_actor_status_read(probe->sys, probe->dead, &status), TH_E_NO_ACTOR);
    want(th_actor_status_read(probe->sys, probe->nowhere, &status), TH_E_NO_ACTOR);
    want(th_actor_status_read(probe->sys, probe->foreign, &status), TH_E_FOREIGN);
}

static void each_nothing(void *context, const th_actor_status *status)
{
}

static void probe_actors_each(struct probe *probe)
{
    want(th_actors_each(NULL, each_nothing, NULL), TH_E_INVALID);
    want(th_actors_each(probe->sys, NULL, NULL), TH_E_INVALID);
}

static void probe_system_status_print(struct probe *probe)
{
    const th_system_status empty = { 0 };
    char text[16] = "###############";

    th_system_status_print(NULL, text, sizeof(text));
    claim(memchr(text, 0, sizeof(text)) != NULL);
    claim(th_system_status_print(&empty, NULL, 0) > 0);
    claim(th_system_status_print(&empty, text, sizeof(text)) > 0);
    claim(memchr(text, 0, sizeof(text)) != NULL);
}

static void probe_system_status_json(struct probe *probe)
{
    const th_system_status empty = { 0 };
    char text[16] = "###############";

    th_system_status_json(NULL, text, sizeof(text));
    claim(memchr(text, 0, sizeof(text)) != NULL);
    claim(th_system_status_json(&empty, NULL, 0) > 0);
    claim(th_system_status_json(&empty, text, sizeof(text)) > 0);
    claim(memchr(text, 0, sizeof(text)) != NULL);
}

static void never_a_worker(void *context, const th_worker_status *status)
{
    (void)context;
    (void)status;
}

static void never_a_block(void *context, const th_block_status *status)
{
    (void)context;
    (void)status;
}

static void never_bytes(void *context, const char *bytes, size_t size)
{
    (void)context;
    (void)bytes;
    (void)size;
}

static void probe_workers_each(struct probe *probe)
{
    want(th_workers_each(NULL, never_a_worker, NULL), TH_E_INVALID);
    want(th_workers_each(probe->sys, NULL, NULL), TH_E_INVALID);
}

static void probe_blocks_each(struct probe *probe)
{
    want(th_blocks_each(NULL, never_a_block, NULL), TH_E_INVALID);
    want(th_blocks_each(probe->sys, NULL, NULL), TH_E_INVALID);
}

static void never_a_class(void *context, const th_class_status *status)
{
}
static void never_a_service(void *context, const th_service_status *status)
{
}
static void never_an_endpoint(void *context, const th_endpoint_status *status)
{
}

static void probe_classes_each(struct probe *probe)
{
    want(th_classes_each(NULL, never_a_class, NULL), TH_E_INVALID);
    want(th_classes_each(probe->sys, NULL, NULL), TH_E_INVALID);
}

static void probe_services_each(struct probe *probe)
{
    want(th_services_each(NULL, never_a_service, NULL), TH_E_INVALID);
    want(th_services_each(probe->sys, NULL, NULL), TH_E_INVALID);
}

static void probe_endpoints_each(struct probe *probe)
{
    want(th_endpoints_each(NULL, never_an_endpoint, NULL, NULL), TH_E_INVALID);
    want(th_endpoints_each(probe->sys, NULL, NULL, NULL), TH_E_INVALID);
}

static void probe_actor_measure(struct probe *probe)
{
    want(th_actor_measure(NULL, probe->live, true), TH_E_INVALID);
    want_or(th_actor_measure(probe->sys, probe->none, true), TH_E_INVALID, TH_E_NO_ACTOR);
    want(th_actor_measure(probe->sys, probe->dead, true), TH_E_NO_ACTOR);
    want(th_actor_measure(probe->sys, probe->nowhere, true), TH_E_NO_ACTOR);
    want(th_actor_measure(probe->sys, probe->foreign, true), TH_E_FOREIGN);
}

static void probe_status_write(struct probe *probe)
{
    want(th_status_write(NULL, TH_STATUS_TEXT, 0, never_bytes, NULL), TH_E_INVALID);
    want(th_status_write(probe->sys, TH_STATUS_TEXT, 0, NULL, NULL), TH_E_INVALID);
    want(th_status_write(probe->sys, (th_status_format)7, 0, never_bytes, NULL), TH_E_INVALID);
    want(th_status_write(probe->sys, TH_STATUS_JSON, ~0u, never_bytes, NULL), TH_E_INVALID);
}

static void probe_ask_actor_status(struct probe *probe)
{
    want(th_ask_actor_status(NULL, probe->live), TH_E_INVALID);
    want(th_ask_actor_status(probe->me, probe->none), TH_E_INVALID);
    want(th_ask_actor_status(probe->me, probe->dead), TH_OK);
    want(th_ask_actor_status(probe->me, probe->foreign), TH_OK);
    want(th_ask_actor_status(probe->me, probe->nowhere), TH_OK);
}

static void probe_ask_system_status(struct probe *probe)
{
    want(th_ask_system_status(NULL, TH_STATUS_TEXT, 0), TH_E_INVALID);
    want(th_ask_system_status(probe->me, (th_status_format)7, 0), TH_E_INVALID);
    want(th_ask_system_status(probe->me, TH_STATUS_TEXT, ~0u), TH_E_INVALID);
}

static void probe_system_addr(struct probe *probe)
{
    claim(th_addr_is_none(th_system_addr(NULL)));
    claim(th_system_addr(probe->me).system == th_system_id(probe->sys));
}

/* ---- the table ---- */

#define ROW(name)                                                                                  \
    {                                                                                              \
        "th_" #name, probe_##name                                                                  \
    }
static const struct probe_row rows[] = {
    ROW(system_create),
    ROW(options_check),
    ROW(system_start),
    ROW(system_shutdown),
    ROW(system_wait),
    ROW(system_destroy),
    ROW(class_register),
    ROW(type_register),
    ROW(system_admin),
    ROW(system_id),
    ROW(version),
    ROW(system_self),
    ROW(endpoint_open),
    ROW(endpoint_close),
    ROW(tell),
    ROW(ask),
    ROW(listen),
    ROW(create),
    ROW(system_status_read),
    ROW(actor_status_read),
    ROW(actors_each),
    ROW(system_status_print),
    ROW(system_status_json),
    ROW(workers_each),
    ROW(blocks_each),
    ROW(classes_each),
    ROW(services_each),
    ROW(endpoints_each),
    ROW(actor_measure),
    ROW(status_write),
    ROW(ask_actor_status),
    ROW(ask_system_status),
    ROW(system_addr),
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

BOTH_BASES(bad_input_systems, every_function_as_an_endpoint)
{
    probe_as_endpoint(ts, rows, ROWS);
}

BOTH_BASES(bad_input_systems, every_function_in_an_actor)
{
    probe_in_actor(ts, rows, ROWS);
}

Test(bad_input_systems, no_function_of_the_headers_is_missing)
{
    static const char *const headers[] = { "system.h", "external.h", "status.h", NULL };

    probe_headers(headers, rows, ROWS);
}

/* Whether one of the files beside this one reads @header. */
static bool is_probed(const char *header)
{
    static const char *const files[] = { "messages", "actors",  "behaviour", "names", "mailbox",
                                         "systems",  "ties",    "log",       "trace", "router",
                                         "topic",    "testkit", "troupe" };
    char path[128], quoted[80];
    bool found = false;

    snprintf(quoted, sizeof(quoted), "\"%s\"", header);
    for (size_t i = 0; !found && i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(path, sizeof(path), "tests/feature/test_bad_input_%s.c", files[i]);
        found = strstr(probe_file_text(path), quoted) != NULL;
    }
    return found;
}

/* All these files together have read every header that the umbrella names. */
Test(bad_input_systems, no_header_is_missing)
{
    static char umbrella[64 * 1024];
    const char *at = umbrella;
    char header[64];

    snprintf(umbrella, sizeof(umbrella), "%s", probe_header_text("thespis.h"));
    while ((at = strstr(at, "#include <thespis/"))) {
        at += strlen("#include <thespis/");
        snprintf(header, sizeof(header), "%.*s", (int)strcspn(at, ">"), at);
        /* these declare nothing */
        if (strcmp(header, "compiler.h") != 0 && strcmp(header, "config.h") != 0)
            cr_assert(is_probed(header), "nobody probes %s", header);
    }
}

/* ---- after the end ---- */

static th_err closed_ask(th_self *me, th_addr to)
{
    th_msg *answer = NULL;

    return th_ask(me, to, talk_word(me, "?"), TALK_PATIENCE, &answer);
}

BOTH_BASES(bad_input_systems, every_call_after_a_shutdown_says_closed)
{
    th_self *me = ts->me, *own = NULL, *late = NULL;
    th_addr actor = talk_create(me, &probe_class), addr;
    th_actor_status status;
    th_msg *msg = NULL;

    must(th_endpoint_open(ts->sys, &own));
    must(th_system_shutdown(ts->sys, TALK_PATIENCE, NULL, NULL));
    for (int i = 0; i < 2; i++, me = own) {
        must_be(th_send(me, actor, talk_word(me, "hello")), TH_E_CLOSED);
        must_be(th_tell(me, actor, talk_word(me, "hello")), TH_E_CLOSED);
        must_be(closed_ask(me, actor), TH_E_CLOSED);
        must_be(th_listen(me, TALK_PATIENCE, &msg), TH_E_CLOSED);
        must_be(th_stop(me, actor), TH_E_CLOSED);
        must_be(th_spawn(me, &probe_class, NULL, &addr), TH_E_CLOSED);
        must_be(
            th_create(me, &(th_spawn_options){ .klass = &probe_class }, TALK_PATIENCE, &addr, NULL),
            TH_E_CLOSED);
        must_be(th_wakeup_after(me, 0, NULL, NULL), TH_E_CLOSED);
        must_be(th_dead_letters_to_me(me, true), TH_E_CLOSED);
        must_be(th_request_shutdown(me), TH_E_CLOSED);
    }
    must_be(th_endpoint_open(ts->sys, &late), TH_E_CLOSED);
    must_be(th_system_wait(ts->sys, 0), TH_E_CLOSED);
    must_be(th_actor_status_read(ts->sys, actor, &status), TH_E_CLOSED);
    must_be(th_system_start(ts->sys), TH_E_STATE);
    must_be(th_system_destroy(ts->sys), TH_E_STATE); /* an endpoint is open */
    must(th_endpoint_close(own));
}

Test(bad_input_systems, a_system_that_never_started)
{
    th_system *sys = th_system_create(NULL);
    th_self *self = NULL;
    th_addr addr = { 1, 1, 1 };
    th_actor_status status;

    cr_assert_not_null(sys);
    cr_assert_null(th_system_self(sys));
    cr_assert_neq(th_endpoint_open(sys, &self), TH_OK);
    cr_assert_null(self);
    cr_assert_neq(th_system_wait(sys, TH_S(1)), TH_OK);
    cr_assert_neq(th_actor_status_read(sys, addr, &status), TH_OK);
    must(th_class_register(sys, &probe_class));
    must(th_system_destroy(sys));
}
