/* The logger and its keeper: who starts it, when, and how long a record waits for that. */
#include "runtime/admin/logger.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/system.h"
#include "tests/support/talk.h"

static struct {
    unsigned records;
    char last[64];
} sunk;

static th_err sink_record(void *context, const th_log_record *record)
{
    sunk.records++;
    snprintf(sunk.last, sizeof(sunk.last), "%s", record->text);
    return TH_OK;
}

static struct test_system ts;

static void open_system(void)
{
    memset(&sunk, 0, sizeof(sunk));
    ts = test_system_open_logged(sink_record);
}

static void close_system(void)
{
    test_system_close(&ts);
}

static void look(void *context, const th_actor_status *status)
{
    if (strcmp(status->class_name, thi_logger_class.name) == 0)
        *(th_addr *)context = status->addr;
}

static th_addr logger_now(void)
{
    th_addr addr = th_addr_none();

    must(th_actors_each(ts.sys, look, &addr));
    return addr;
}

static uint64_t loggers_so_far(void)
{
    th_system_status status;

    must(th_system_status_read(ts.sys, &status));
    return status.log.loggers;
}

/* Virtual time from the end of the logger there is to the record that the next one writes. */
static uint64_t replace(void)
{
    uint64_t before, after;

    must(th_stop(ts.me, logger_now()));
    must(th_advance(ts.sys, 0));
    cr_assert(th_addr_is_none(logger_now()));
    must(th_virtual_now(ts.sys, &before));
    th_log_warn(ts.me, "for the next one");
    must(th_log_flush(ts.sys, TALK_PATIENCE));
    must(th_virtual_now(ts.sys, &after));
    return after - before;
}

Test(logger, a_silent_system_has_none, .init = open_system, .fini = close_system)
{
    th_log_info(ts.me, "below the threshold");
    must(th_advance(ts.sys, TH_S(10)));
    cr_assert(th_addr_is_none(logger_now()));
    cr_assert_eq(loggers_so_far(), 0);
    th_log_warn(ts.me, "a word");
    must(th_log_flush(ts.sys, TALK_PATIENCE));
    cr_assert_not(th_addr_is_none(logger_now()));
    cr_assert_eq(sunk.records, 1);
}

/* One that dies again and again is not started in a circle. */
Test(logger, pauses_double_up_to_a_limit, .init = open_system, .fini = close_system)
{
    uint64_t pause = TH_LOG_BACKOFF_MIN_NS;

    th_log_warn(ts.me, "the first");
    must(th_log_flush(ts.sys, TALK_PATIENCE));
    for (unsigned i = 0; i < 12; i++) {
        cr_assert_eq(replace(), pause, "at restart %u", i + 1);
        cr_assert_eq(sunk.records, i + 2, "nothing is lost meanwhile");
        cr_assert_eq(loggers_so_far(), i + 2);
        pause = pause * 2 < TH_LOG_BACKOFF_MAX_NS ? pause * 2 : TH_LOG_BACKOFF_MAX_NS;
    }
    cr_assert_eq(pause, TH_LOG_BACKOFF_MAX_NS);
}

Test(logger, a_long_life_is_forgiven, .init = open_system, .fini = close_system)
{
    th_log_warn(ts.me, "the first");
    must(th_log_flush(ts.sys, TALK_PATIENCE));
    for (int i = 0; i < 4; i++)
        (void)replace();
    must(th_advance(ts.sys, TH_LOG_BACKOFF_MAX_NS + 1));
    cr_assert_eq(replace(), TH_LOG_BACKOFF_MIN_NS);
}

/* A shutdown does not wait for the pause, and what waits for the logger is written. */
Test(logger, a_shutdown_in_a_pause_starts_one_at_once, .init = open_system)
{
    th_log_warn(ts.me, "the first");
    must(th_log_flush(ts.sys, TALK_PATIENCE));
    for (int i = 0; i < 10; i++)
        (void)replace();
    must(th_stop(ts.me, logger_now()));
    must(th_advance(ts.sys, 0));
    th_log_warn(ts.me, "the last");
    cr_assert_eq(sunk.records, 11);
    close_system();
    cr_assert_eq(sunk.records, 12);
    cr_assert_str_eq(sunk.last, "the last");
}

/* Mail of others is none of its business. */
Test(logger, it_bears_any_message, .init = open_system, .fini = close_system)
{
    th_log_warn(ts.me, "the first");
    must(th_log_flush(ts.sys, TALK_PATIENCE));
    must(talk_say(ts.me, logger_now(), "are you there?"));
    must(th_advance(ts.sys, 0));
    cr_assert_eq(loggers_so_far(), 1);
}
