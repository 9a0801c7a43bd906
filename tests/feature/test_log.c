/* What is logged arrives, in order and once, at sinks that may do as they like.
 *
 * Past 500 lines: every part looks into the memory of the same sink. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/system.h"
#include "tests/support/talk.h"

/* ---- a sink that remembers ---- */

enum { KEPT = 64 };

struct memory {
    _Atomic int count;
    _Atomic int refuse;        /* so many more are refused */
    th_self *_Atomic talks_as; /* it logs, too */
    char texts[KEPT][160];
    char classes[KEPT][32];
    th_log_level levels[KEPT];
    uint64_t suppressed[KEPT];
    uint64_t last_number;
    bool is_disordered;
};

static th_err remember(void *context, const th_log_record *record)
{
    struct memory *memory = context;
    int i = atomic_load(&memory->count);

    if (atomic_load(&memory->refuse) > 0) {
        atomic_fetch_sub(&memory->refuse, 1);
        return TH_E_FAILED;
    }
    if (atomic_load(&memory->talks_as))
        th_log_error(atomic_load(&memory->talks_as), "and another thing");
    if (i < KEPT) {
        snprintf(memory->texts[i], sizeof(memory->texts[i]), "%s", record->text);
        snprintf(memory->classes[i], sizeof(memory->classes[i]), "%s", record->class_name);
        memory->levels[i] = record->level;
        memory->suppressed[i] = record->suppressed;
    }
    memory->last_number = record->number ? record->number : memory->last_number;
    atomic_store(&memory->count, i + 1);
    return TH_OK;
}

static int find(struct memory *memory, const char *text)
{
    for (int i = 0; i < atomic_load(&memory->count) && i < KEPT; i++)
        if (strstr(memory->texts[i], text))
            return i;
    return -1;
}

struct stage {
    struct test_system ts;
    struct memory *memory;
    th_log_sink sink;
    th_log_options log;
};

static void stage_open(struct stage *stage, th_base base, th_log_level threshold, uint32_t queue)
{
    th_options options = { .base = base, .workers = 2, .seed = base == TH_BASE_SIMPLE };

    stage->memory = calloc(1, sizeof(*stage->memory));
    stage->sink =
        (th_log_sink){ .kind = TH_LOG_SINK_FUNCTION, .write = remember, .context = stage->memory };
    stage->log = (th_log_options){ .threshold = threshold,
                                   .sinks = &stage->sink,
                                   .sink_count = 1,
                                   .queue_max = queue,
                                   .ignore_environment = true };
    options.log = &stage->log;
    stage->ts = test_system_open_with(&options);
}

static th_log_counts log_counts(struct stage *stage)
{
    th_system_status status;
    th_err err = th_system_status_read(stage->ts.sys, &status);

    cr_assert(err == TH_OK || err == TH_E_CLOSED);
    return status.log;
}

static void check_books(struct stage *stage)
{
    th_log_counts counts = log_counts(stage);

    cr_assert_eq(counts.accepted,
                 counts.written + counts.suppressed + counts.dropped + counts.waiting);
}

static void stage_close(struct stage *stage)
{
    test_system_close(&stage->ts);
    free(stage->memory);
}

#define ON_BOTH(name, threshold)                                                                   \
    static void name##_body(struct stage *stage);                                                  \
    Test(log, name##_pool)                                                                         \
    {                                                                                              \
        struct stage stage;                                                                        \
        stage_open(&stage, TH_BASE_POOL, threshold, 0);                                            \
        name##_body(&stage);                                                                       \
        stage_close(&stage);                                                                       \
    }                                                                                              \
    Test(log, name##_simple)                                                                       \
    {                                                                                              \
        struct stage stage;                                                                        \
        stage_open(&stage, TH_BASE_SIMPLE, threshold, 0);                                          \
        name##_body(&stage);                                                                       \
        stage_close(&stage);                                                                       \
    }                                                                                              \
    static void name##_body(struct stage *stage)

/* ---- an actor that logs wherever it can ---- */

static th_err chatty_init(th_self *self, void *state, const th_msg *arg)
{
    th_log_warn(self, "in init");
    return TH_OK;
}

static th_err chatty_receive(th_self *self, void *state, const th_msg *msg)
{
    if (talk_is(msg, "block")) {
        if (th_blocking_begin(self))
            return TH_E_FAILED;
        th_log_warn(self, "while blocking");
        return th_blocking_end(self);
    }
    if (talk_is(msg, "trace")) {
        th_log_trace(self, "a trace");
        return TH_OK;
    }
    if (talk_is(msg, "fail"))
        return th_fail(self, TH_E_FAILED, "as it is told");
    if (talk_is(msg, "ping"))
        return talk_say(self, th_msg_sender(msg), "pong");
    th_log_with(self, TH_LOG_WARN, "received", th_kv_str("type", th_type_name(th_msg_type(msg))));
    return TH_OK;
}

static void chatty_exit(th_self *self, void *state)
{
    th_log_warn(self, "in exit");
}

static const th_class chatty = {
    .name = "chatty", .init = chatty_init, .receive = chatty_receive, .exit = chatty_exit
};

ON_BOTH(records_come_from_everywhere, TH_LOG_WARN)
{
    struct memory *memory = stage->memory;
    th_addr actor = talk_create(stage->ts.me, &chatty);

    th_log_warn(stage->ts.me, "from an endpoint");
    must(talk_say(stage->ts.me, actor, "hello"));
    must(talk_say(stage->ts.me, actor, "block"));
    talk_expect(stage->ts.me, actor, "ping", "pong");
    must(th_system_shutdown(stage->ts.sys, TEST_PATIENCE, NULL, NULL));
    cr_assert_geq(find(memory, "from an endpoint"), 0);
    cr_assert_geq(find(memory, "in init"), 0);
    cr_assert_geq(find(memory, "received"), 0);
    cr_assert_geq(find(memory, "while blocking"), 0);
    cr_assert_geq(find(memory, "in exit"), 0);
    cr_assert_lt(find(memory, "in init"), find(memory, "in exit"));
    cr_assert_str_eq(memory->classes[find(memory, "in exit")], "chatty");
    cr_assert_str_eq(memory->classes[find(memory, "from an endpoint")], "");
    check_books(stage);
    cr_assert_eq(log_counts(stage).dropped, 0);
    cr_assert_eq(th_log_write(stage->ts.me, TH_LOG_ERROR, NULL, NULL, 0, "too late"), TH_E_CLOSED);
    check_books(stage);
}

static int evaluated;

static int evaluate(void)
{
    return ++evaluated;
}

ON_BOTH(arguments_of_what_is_filtered_are_not_evaluated, TH_LOG_WARN)
{
    th_self *me = stage->ts.me;

    evaluated = 0;
    th_log_error(me, "%d", evaluate()); /* the gate is worked out now */
    cr_assert_eq(evaluated, 1);
    th_log_info(me, "%d", evaluate());
    cr_assert_eq(evaluated, 1);
    cr_assert_not(th_log_enabled(me, TH_LOG_INFO));
    must(th_log_threshold(stage->ts.sys, TH_LOG_INFO));
    th_log_info(me, "%d", evaluate());
    cr_assert_eq(evaluated, 2);
    must(th_log_threshold(stage->ts.sys, TH_LOG_OFF));
    th_log_critical(me, "%d", evaluate());
    cr_assert_not(th_log_enabled(me, TH_LOG_CRITICAL));
    must(th_log_flush(stage->ts.sys, TEST_PATIENCE));
    cr_assert_eq(atomic_load(&stage->memory->count), 2);
    cr_assert_eq(log_counts(stage).written, 2);
    cr_assert_eq(log_counts(stage).accepted, 2);
}

ON_BOTH(thresholds_hold_by_class_and_by_actor, TH_LOG_ERROR)
{
    th_self *me = stage->ts.me;
    th_addr one = talk_create(me, &chatty), two = talk_create(me, &chatty);

    must(talk_say(me, one, "trace"));
    talk_expect(me, one, "ping", "pong");
    cr_assert_eq(log_counts(stage).accepted, 0);
    must(th_log_rules(stage->ts.sys, "other=off, cha*y = trace"));
    must(talk_say(me, one, "trace"));
    talk_expect(me, one, "ping", "pong");
    cr_assert_eq(log_counts(stage).accepted, 1);
    must(th_log_rules(stage->ts.sys, ""));
    must(th_log_actor_threshold(stage->ts.sys, two, TH_LOG_TRACE));
    must(talk_say(me, one, "trace"));
    must(talk_say(me, two, "trace"));
    talk_expect(me, one, "ping", "pong");
    talk_expect(me, two, "ping", "pong");
    cr_assert_eq(log_counts(stage).accepted, 2);
    must(th_log_actor_threshold(stage->ts.sys, two, TH_LOG_DEFAULT));
    must(talk_say(me, two, "trace"));
    talk_expect(me, two, "ping", "pong");
    cr_assert_eq(log_counts(stage).accepted, 2);
}

ON_BOTH(a_flood_is_counted_and_said, TH_LOG_WARN)
{
    struct memory *memory = stage->memory;

    for (int i = 0; i < 50; i++)
        th_log_limited(stage->ts.me, TH_LOG_WARN, 3, "again %d", i);
    must(th_system_shutdown(stage->ts.sys, TEST_PATIENCE, NULL, NULL));
    cr_assert_eq(log_counts(stage).accepted, 50);
    cr_assert_geq(log_counts(stage).suppressed, 1);
    cr_assert_geq(find(memory, "suppressed"), 0, "nobody said it");
    check_books(stage);
}

Test(log, what_does_not_fit_is_counted)
{
    struct stage stage;

    stage_open(&stage, TH_BASE_SIMPLE, TH_LOG_WARN, 4);
    for (int i = 0; i < 10; i++)
        th_log_warn(stage.ts.me, "%d", i);
    cr_assert_eq(log_counts(&stage).waiting, 4);
    cr_assert_eq(log_counts(&stage).dropped, 6);
    must(th_log_flush(stage.ts.sys, TEST_PATIENCE));
    cr_assert_eq(log_counts(&stage).written, 4);
    cr_assert_geq(find(stage.memory, "6 records suppressed: the queue of 4 was full"), 0);
    check_books(&stage);
    stage_close(&stage);
}

ON_BOTH(a_sink_that_logs_does_not_feed_itself, TH_LOG_WARN)
{
    atomic_store(&stage->memory->talks_as, stage->ts.me);
    th_log_warn(stage->ts.me, "one");
    must(th_log_flush(stage->ts.sys, TEST_PATIENCE));
    atomic_store(&stage->memory->talks_as, NULL);
    cr_assert_eq(log_counts(stage).written, 1);
    cr_assert_eq(log_counts(stage).suppressed, 1);
    check_books(stage);
}

ON_BOTH(a_sink_that_refuses_costs_its_records_only, TH_LOG_WARN)
{
    atomic_store(&stage->memory->refuse, 2);
    for (int i = 0; i < 3; i++)
        th_log_warn(stage->ts.me, "%d", i);
    must(th_log_flush(stage->ts.sys, TEST_PATIENCE));
    cr_assert_eq(log_counts(stage).refusals, 2);
    cr_assert_eq(log_counts(stage).dropped, 2);
    cr_assert_eq(log_counts(stage).written, 1);
    cr_assert_geq(find(stage->memory, "2 records before this"), 0);
    check_books(stage);
}

/* ---- the logger's death ---- */

struct search {
    th_addr logger;
};

static void look(void *context, const th_actor_status *status)
{
    struct search *search = context;

    if (strcmp(status->class_name, "thespis.logger") == 0)
        search->logger = status->addr;
}

ON_BOTH(a_logger_that_died_is_replaced, TH_LOG_WARN)
{
    struct search search = { { 0, 0, 0 } };

    th_log_warn(stage->ts.me, "before");
    must(th_log_flush(stage->ts.sys, TEST_PATIENCE));
    must(th_actors_each(stage->ts.sys, look, &search));
    cr_assert_not(th_addr_is_none(search.logger));
    must(th_stop(stage->ts.me, search.logger));
    for (int i = 0; i < 10; i++)
        th_log_warn(stage->ts.me, "after %d", i);
    must(th_log_flush(stage->ts.sys, TEST_PATIENCE));
    if (test_is_simple(&stage->ts)) {
        must(th_advance(stage->ts.sys, TH_S(1)));
        cr_assert_eq(log_counts(stage).loggers, 2);
    }
    th_log_warn(stage->ts.me, "at last");
    must(th_system_shutdown(stage->ts.sys, TEST_PATIENCE, NULL, NULL));
    cr_assert_geq(find(stage->memory, "at last"), 0);
    cr_assert_eq(log_counts(stage).written, 12);
    check_books(stage);
}

/* It ends the logger when it is ended itself, and has a last word after that. */
static void grudge_exit(th_self *self, void *state)
{
    th_addr *logger = state;

    if (!th_addr_is_none(*logger) && th_stop(self, *logger) == TH_OK)
        th_log_warn(self, "after the logger");
}

static th_err grudge_receive(th_self *self, void *state, const th_msg *msg)
{
    if (talk_whom_of(msg))
        *(th_addr *)state = talk_whom_of(msg)->addr;
    return talk_is(msg, "ping") ? talk_say(self, th_msg_sender(msg), "pong") : TH_OK;
}

static const th_class grudge = {
    .name = "grudge", .state_size = sizeof(th_addr), .receive = grudge_receive, .exit = grudge_exit
};

/* The shutdown ends, the last word is written, and nobody starts loggers for ever. */
ON_BOTH(a_logger_that_ends_in_a_shutdown_does_not_keep_it, TH_LOG_WARN)
{
    struct search search = { { 0, 0, 0 } };
    th_addr actor = talk_create(stage->ts.me, &grudge);

    th_log_warn(stage->ts.me, "before");
    must(th_log_flush(stage->ts.sys, TEST_PATIENCE));
    must(th_actors_each(stage->ts.sys, look, &search));
    must(talk_whom_send(stage->ts.me, actor, (struct talk_whom){ .addr = search.logger }));
    talk_expect(stage->ts.me, actor, "ping", "pong");
    must(th_system_shutdown(stage->ts.sys, TEST_PATIENCE, NULL, NULL));
    cr_assert_geq(find(stage->memory, "after the logger"), 0);
    cr_assert_eq(log_counts(stage).written, 2);
    cr_assert_leq(log_counts(stage).loggers, 3);
    check_books(stage);
}

/* ---- the runtime's own ---- */

ON_BOTH(failures_and_dead_letters_are_logged, TH_LOG_INFO)
{
    th_self *me = stage->ts.me;
    th_addr actor = talk_create(me, &chatty);

    must(talk_say(me, actor, "fail"));
    talk_expect(me, actor, "ping", "pong");
    must(th_stop(me, actor));
    talk_expect_gone(me, actor, "ping");
    must(th_system_shutdown(stage->ts.sys, TEST_PATIENCE, NULL, NULL));
    cr_assert_geq(find(stage->memory, "system started"), 0);
    cr_assert_geq(find(stage->memory, "a message failed all its deliveries"), 0);
    cr_assert_geq(find(stage->memory, "dead letter"), 0);
    cr_assert_geq(find(stage->memory, "system stopped"), 0);
    check_books(stage);
}

/* ---- files ---- */

static void folder_make(char *folder, size_t size)
{
    snprintf(folder, size, "/tmp/thespis-log-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
}

static long size_of(const char *path)
{
    struct stat is;

    return stat(path, &is) == 0 ? (long)is.st_size : -1;
}

static struct test_system file_system(th_log_sink *sink)
{
    th_log_options log = { .threshold = TH_LOG_WARN,
                           .sinks = sink,
                           .sink_count = 1,
                           .rate_max = UINT32_MAX,
                           .ignore_environment = true };
    th_options options = { .base = TH_BASE_POOL, .workers = 1, .log = &log };

    return test_system_open_with(&options);
}

Test(log, a_file_is_rotated_and_never_past_its_limit)
{
    char folder[64], path[96], old[128];
    th_log_sink sink = {
        .kind = TH_LOG_SINK_FILE, .path = path, .size_max = TH_LOG_FILE_SIZE_LEAST, .keep = 2
    };
    struct test_system ts;
    th_system_status status;

    folder_make(folder, sizeof(folder));
    snprintf(path, sizeof(path), "%s/a.log", folder);
    ts = file_system(&sink);
    for (int i = 0; i < 1000; i++)
        th_log_warn(ts.me, "record %d of a file that is to be rotated", i);
    must(th_log_flush(ts.sys, TEST_PATIENCE));
    (void)unlink(path); /* somebody takes it away */
    th_log_warn(ts.me, "the last");
    must(th_log_flush(ts.sys, TEST_PATIENCE));
    must(th_system_status_read(ts.sys, &status));
    cr_assert_eq(status.log.written, 1001);
    cr_assert_gt(size_of(path), 0);
    cr_assert_leq(size_of(path), 200);
    for (int i = 1; i <= 2; i++) {
        snprintf(old, sizeof(old), "%s.%d", path, i);
        cr_assert_gt(size_of(old), TH_LOG_FILE_SIZE_LEAST / 2);
        cr_assert_leq(size_of(old), TH_LOG_FILE_SIZE_LEAST);
        (void)unlink(old);
    }
    snprintf(old, sizeof(old), "%s.3", path);
    cr_assert_eq(size_of(old), -1);
    test_system_close(&ts);
    (void)unlink(path);
    (void)rmdir(folder);
}

Test(log, a_full_disk_costs_records_and_nothing_else)
{
    th_log_sink sink = { .kind = TH_LOG_SINK_FILE, .path = "/dev/full" };
    struct test_system ts = file_system(&sink);
    th_system_status status;

    for (int i = 0; i < 10; i++)
        th_log_warn(ts.me, "%d", i);
    must(th_log_flush(ts.sys, TEST_PATIENCE));
    must(th_system_status_read(ts.sys, &status));
    cr_assert_eq(status.log.accepted, 10);
    cr_assert_eq(status.log.dropped, 10);
    cr_assert_eq(status.log.refusals, 10);
    test_system_close(&ts);
}

Test(log, a_link_is_not_followed)
{
    char folder[64], path[96];
    th_log_sink sink = { .kind = TH_LOG_SINK_FILE, .path = path };
    struct test_system ts;
    th_system_status status;

    folder_make(folder, sizeof(folder));
    snprintf(path, sizeof(path), "%s/link", folder);
    cr_assert_eq(symlink("victim", path), 0);
    ts = file_system(&sink);
    th_log_warn(ts.me, "not there");
    must(th_log_flush(ts.sys, TEST_PATIENCE));
    must(th_system_status_read(ts.sys, &status));
    cr_assert_eq(status.log.dropped, 1);
    test_system_close(&ts);
    (void)unlink(path);
    cr_assert_eq(rmdir(folder), 0);
}

/* ---- bad input ---- */

ON_BOTH(bad_input_is_answered, TH_LOG_WARN)
{
    th_system *sys = stage->ts.sys;
    th_self *me = stage->ts.me;
    th_addr foreign = { th_system_id(sys) + 1, 1, 1 };
    th_log_level level = TH_LOG_OFF;

    th_log_warn(NULL, "nobody");
    cr_assert_not(th_log_enabled(NULL, TH_LOG_ERROR));
    cr_assert_not(th_log_enabled(me, TH_LOG_DEFAULT));
    cr_assert_not(th_log_enabled(me, TH_LOG_OFF));
    cr_assert_eq(th_log_write(NULL, TH_LOG_WARN, NULL, NULL, 0, "x"), TH_E_INVALID);
    cr_assert_eq(th_log_write(me, TH_LOG_OFF, NULL, NULL, 0, "x"), TH_E_INVALID);
    cr_assert_eq(th_log_write(me, TH_LOG_DEFAULT, NULL, NULL, 0, "x"), TH_E_INVALID);
    cr_assert_eq(th_log_write(me, TH_LOG_WARN, NULL, NULL, 3, "x"), TH_E_INVALID);
    must_be(th_log_threshold(NULL, TH_LOG_WARN), TH_E_INVALID);
    must_be(th_log_threshold(sys, TH_LOG_DEFAULT), TH_E_INVALID);
    must_be(th_log_threshold(sys, (th_log_level)99), TH_E_INVALID);
    must_be(th_log_rules(NULL, ""), TH_E_INVALID);
    must_be(th_log_rules(sys, NULL), TH_E_INVALID);
    must_be(th_log_rules(sys, "a=b"), TH_E_PARSE);
    must_be(th_log_rules(sys, "loud"), TH_E_PARSE);
    must_be(th_log_actor_threshold(sys, th_addr_none(), TH_LOG_WARN), TH_E_INVALID);
    must_be(th_log_actor_threshold(sys, foreign, TH_LOG_WARN), TH_E_FOREIGN);
    must_be(th_log_flush(NULL, 0), TH_E_INVALID);
    must_be(th_log_level_parse("louder", &level), TH_E_PARSE);
    must_be(th_log_level_parse(NULL, &level), TH_E_INVALID);
    must(th_log_level_parse("WARNING", &level));
    cr_assert_eq(level, TH_LOG_WARN);
    cr_assert_str_eq(th_log_level_name((th_log_level)77), "unknown");
    cr_assert_eq(log_counts(stage).accepted, 0);
}

Test(log, options_are_checked)
{
    th_log_sink sink = { .kind = TH_LOG_SINK_FILE };
    th_log_options log = { .sinks = &sink, .sink_count = 1 };
    th_options options = { .log = &log };
    const char *why = NULL;

    must_be(th_options_check(&options, &why), TH_E_INVALID);
    cr_assert_str_eq(why, "log: a file without a path");
    sink = (th_log_sink){ .kind = TH_LOG_SINK_FUNCTION };
    must_be(th_options_check(&options, &why), TH_E_INVALID);
    sink = (th_log_sink){ .kind = (th_log_sink_kind)99 };
    must_be(th_options_check(&options, &why), TH_E_INVALID);
    sink = (th_log_sink){ .kind = TH_LOG_SINK_STDERR, .size_max = 1 };
    must_be(th_options_check(&options, &why), TH_E_INVALID);
    sink = (th_log_sink){ .kind = TH_LOG_SINK_STDERR };
    log.rules = "x=";
    must_be(th_options_check(&options, &why), TH_E_INVALID);
    log.rules = NULL;
    must(th_options_check(&options, &why));
    cr_assert_null(th_system_create(&(th_options){ .log = &(th_log_options){ .sink_count = 1 } }));
}
