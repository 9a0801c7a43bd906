/* A bad argument is answered with a status: logging. */
#include "tests/support/probe.h"

/* ---- log.h ---- */

static void probe_log_enabled(struct probe *probe)
{
    claim(!th_log_enabled(NULL, TH_LOG_ERROR));
    claim(!th_log_enabled(probe->me, TH_LOG_DEFAULT));
    claim(!th_log_enabled(probe->me, TH_LOG_OFF));
    claim(!th_log_enabled(probe->me, (th_log_level)-1));
}

static void probe_log_write(struct probe *probe)
{
    want(th_log_write(NULL, TH_LOG_WARN, NULL, NULL, 0, "x"), TH_E_INVALID);
    want(th_log_write(probe->me, TH_LOG_DEFAULT, NULL, NULL, 0, "x"), TH_E_INVALID);
    want(th_log_write(probe->me, TH_LOG_OFF, NULL, NULL, 0, "x"), TH_E_INVALID);
    want(th_log_write(probe->me, TH_LOG_WARN, NULL, NULL, 1, "x"), TH_E_INVALID);
    want(th_log_write(probe->me, TH_LOG_TRACE, NULL, NULL, 0, "x"), TH_OK);
}

static void probe_log_threshold(struct probe *probe)
{
    want(th_log_threshold(NULL, TH_LOG_WARN), TH_E_INVALID);
    want(th_log_threshold(probe->sys, TH_LOG_DEFAULT), TH_E_INVALID);
    want(th_log_threshold(probe->sys, (th_log_level)99), TH_E_INVALID);
    want(th_log_threshold(probe->sys, TH_LOG_WARN), TH_OK);
}

static void probe_log_rules(struct probe *probe)
{
    want(th_log_rules(NULL, ""), TH_E_INVALID);
    want(th_log_rules(probe->sys, NULL), TH_E_INVALID);
    want(th_log_rules(probe->sys, "loud"), TH_E_PARSE);
    want(th_log_rules(probe->sys, "a=default"), TH_E_PARSE);
    want(th_log_rules(probe->sys, " , ,"), TH_OK);
}

static void probe_log_actor_threshold(struct probe *probe)
{
    want(th_log_actor_threshold(NULL, probe->live, TH_LOG_WARN), TH_E_INVALID);
    want(th_log_actor_threshold(probe->sys, probe->none, TH_LOG_WARN), TH_E_INVALID);
    want(th_log_actor_threshold(probe->sys, probe->live, (th_log_level)99), TH_E_INVALID);
    want(th_log_actor_threshold(probe->sys, probe->foreign, TH_LOG_WARN), TH_E_FOREIGN);
    want(th_log_actor_threshold(probe->sys, probe->dead, TH_LOG_DEFAULT), TH_OK);
}

static void probe_log_flush(struct probe *probe)
{
    want(th_log_flush(NULL, 0), TH_E_INVALID);
    want(th_log_flush(probe->sys, 0), probe->is_actor ? TH_E_NOT_ALLOWED : TH_OK);
}

static void probe_log_record_print(struct probe *probe)
{
    th_log_record empty = { 0 };
    char text[256] = "before";

    claim(th_log_record_print(NULL, TH_LOG_FORMAT_TEXT, text, sizeof(text)) == 0);
    claim(text[0] == '\0');
    claim(th_log_record_print(&empty, TH_LOG_FORMAT_TEXT, NULL, 0) > 0);
    claim(th_log_record_print(&empty, TH_LOG_FORMAT_JSON, text, 1) > 0);
    claim(text[0] == '\0');
}

static void probe_log_level_name(struct probe *probe)
{
    claim(strcmp(th_log_level_name((th_log_level)-1), "unknown") == 0);
    claim(strcmp(th_log_level_name(TH_LOG_CRITICAL), "critical") == 0);
}

static void probe_log_level_parse(struct probe *probe)
{
    th_log_level level = TH_LOG_OFF;

    want(th_log_level_parse(NULL, &level), TH_E_INVALID);
    want(th_log_level_parse("warn", NULL), TH_E_INVALID);
    want(th_log_level_parse("", &level), TH_E_PARSE);
    want(th_log_level_parse("unknown", &level), TH_E_PARSE);
    claim(level == TH_LOG_OFF);
    want(th_log_level_parse("WARNING", &level), TH_OK);
    claim(level == TH_LOG_WARN);
}

/* ---- the table ---- */

#define ROW(name)                                                                                  \
    {                                                                                              \
        "th_" #name, probe_##name                                                                  \
    }
static const struct probe_row rows[] = {
    ROW(log_enabled), ROW(log_write),        ROW(log_threshold),
    ROW(log_rules),   ROW(log_record_print), ROW(log_actor_threshold),
    ROW(log_flush),   ROW(log_level_name),   ROW(log_level_parse),
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

BOTH_BASES(bad_input_log, every_function_as_an_endpoint)
{
    probe_as_endpoint(ts, rows, ROWS);
}

BOTH_BASES(bad_input_log, every_function_in_an_actor)
{
    probe_in_actor(ts, rows, ROWS);
}

Test(bad_input_log, no_function_of_the_headers_is_missing)
{
    static const char *const headers[] = { "log.h", NULL };

    probe_headers(headers, rows, ROWS);
}
