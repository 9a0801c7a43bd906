#include "system.h"

#include <stdio.h>

struct test_system test_system_open_with(const th_options *options)
{
    struct test_system ts = { .base = options ? options->base : TH_BASE_POOL,
                              .before = leaks_look() };
    const char *why = NULL;

    cr_assert_eq(th_options_check(options, &why), TH_OK, "%s", why ? why : "");
    ts.sys = th_system_create(options);
    cr_assert_not_null(ts.sys);
    cr_assert_eq(th_system_start(ts.sys), TH_OK);
    ts.me = th_system_self(ts.sys);
    cr_assert_not_null(ts.me);
    return ts;
}

struct test_system test_system_open(th_base base, uint64_t seed)
{
    th_options options = { .base = base, .workers = 2, .seed = seed };

    return test_system_open_with(&options);
}

static th_err (*listener)(void *context, const th_log_record *record);

static th_err pass_on(void *context, const th_log_record *record)
{
    return record->number ? listener(context, record) : TH_OK;
}

struct test_system test_system_open_logged(th_err (*write)(void *context,
                                                           const th_log_record *record))
{
    const th_log_sink sink = { .kind = TH_LOG_SINK_FUNCTION, .write = pass_on };
    const th_log_options log = { .sinks = &sink, .sink_count = 1, .ignore_environment = true };

    listener = write;
    return test_system_open_with(&(th_options){ .base = TH_BASE_SIMPLE, .seed = 1, .log = &log });
}

th_counts test_system_counts(struct test_system *ts)
{
    th_system_status status;
    th_err err = th_system_status_read(ts->sys, &status);

    cr_assert(err == TH_OK || err == TH_E_CLOSED, "%s", th_strerror(err));
    return status.counts;
}

static void complain(void *context, th_addr actor, const char *class_name, const char *what)
{
    char text[TH_ADDR_TEXT_SIZE];

    (void)context;
    th_addr_print(actor, text, sizeof(text));
    fprintf(stderr, "left: %s %s, %s\n", class_name, text, what);
}

void test_system_end(struct test_system *ts)
{
    th_err err = th_system_shutdown(ts->sys, TEST_PATIENCE, complain, NULL);
    th_counts counts;

    cr_assert(err == TH_OK || err == TH_E_STATE, "shutdown: %s", th_strerror(err));
    counts = test_system_counts(ts);
    cr_assert_eq(counts.accepted, counts.handled + counts.dead,
                 "accepted %llu, handled %llu, dead %llu", (unsigned long long)counts.accepted,
                 (unsigned long long)counts.handled, (unsigned long long)counts.dead);
    cr_assert_eq(counts.spawned, counts.exited, "spawned %llu, exited %llu",
                 (unsigned long long)counts.spawned, (unsigned long long)counts.exited);
    cr_assert_eq(th_system_destroy(ts->sys), TH_OK, "endpoints are open");
}

void test_system_close(struct test_system *ts)
{
    test_system_end(ts);
    leaks_check(ts->before);
}
