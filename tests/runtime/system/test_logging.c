/* What the environment says of logging, what the options say before it, and what comes of both. */
#include "runtime/system/logging.h"
#include "runtime/system/system.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/talk.h"
#include <thespis/external.h>

static const char *const names[] = { "THESPIS_LOG",        "THESPIS_LOG_THRESHOLD",
                                     "THESPIS_LOG_SINK",   "THESPIS_LOG_FILE",
                                     "THESPIS_LOG_FORMAT", "THESPIS_LOG_FILE_MAXSIZE" };

static void forget_environment(void)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unsetenv(names[i]);
}

static void say(const char *name, const char *value)
{
    cr_assert_eq(setenv(name, value, 1), 0);
}

/* What a system made now would log, and where to. */
static th_system *create(const th_log_options *log)
{
    th_system *sys = th_system_create(&(th_options){ .base = TH_BASE_SIMPLE, .log = log });

    cr_assert_not_null(sys);
    return sys;
}

static th_log_level threshold_of(th_system *sys, const char *class_name)
{
    return thi_log_rules_find(&sys->stage.log.rules, th_addr_none(), class_name);
}

static th_log_level threshold_by(const th_log_options *log, const char *class_name)
{
    th_system *sys = create(log);
    th_log_level level = threshold_of(sys, class_name);

    must(th_system_destroy(sys));
    return level;
}

/* The sinks' kinds as digits, and what is complained of: "12 THESPIS_LOG_SINK cannot be read". */
static const char *sinks_by(const th_log_options *log)
{
    static char text[256];
    th_system *sys = create(log);
    struct thi_log *its = &sys->stage.log;
    size_t at = 0;

    for (uint32_t i = 0; i < its->sink_count; i++)
        text[at++] = (char)('0' + (int)its->sinks[i].options.kind);
    snprintf(text + at, sizeof(text) - at, "%s%s", *its->complaint ? " " : "", its->complaint);
    must(th_system_destroy(sys));
    return text;
}

Test(logging, without_a_word_it_is_warn_to_stderr, .init = forget_environment)
{
    cr_assert_eq(threshold_by(NULL, "any"), TH_LOG_WARN);
    cr_assert_str_eq(sinks_by(NULL), "1");
    cr_assert_str_eq(sinks_by(&(th_log_options){ .ignore_environment = true }), "1");
}

Test(logging, thresholds_come_from_two_names, .init = forget_environment)
{
    say("THESPIS_LOG_THRESHOLD", "WARNING");
    cr_assert_eq(threshold_by(NULL, "any"), TH_LOG_WARN);
    say("THESPIS_LOG_THRESHOLD", "CRITICAL");
    cr_assert_eq(threshold_by(NULL, "any"), TH_LOG_CRITICAL);
    say("THESPIS_LOG", "counter=debug,net.*=trace");
    cr_assert_eq(threshold_by(NULL, "any"), TH_LOG_CRITICAL);
    cr_assert_eq(threshold_by(NULL, "counter"), TH_LOG_DEBUG);
    cr_assert_eq(threshold_by(NULL, "net.link"), TH_LOG_TRACE);
    say("THESPIS_LOG", "info,counter=off"); /* its own level is the nearer word */
    cr_assert_eq(threshold_by(NULL, "any"), TH_LOG_INFO);
    cr_assert_eq(threshold_by(NULL, "counter"), TH_LOG_OFF);
}

Test(logging, options_come_before_the_environment, .init = forget_environment)
{
    th_log_sink none = { .kind = TH_LOG_SINK_NONE };
    th_log_options options = { .threshold = TH_LOG_ERROR, .sinks = &none, .sink_count = 1 };

    say("THESPIS_LOG", "counter=debug");
    say("THESPIS_LOG_THRESHOLD", "info");
    say("THESPIS_LOG_SINK", "stderr,syslog");
    cr_assert_eq(threshold_by(&options, "any"), TH_LOG_ERROR);
    cr_assert_eq(threshold_by(&options, "counter"), TH_LOG_DEBUG, "of rules they say nothing");
    cr_assert_str_eq(sinks_by(&options), "0");
    options.rules = "counter=trace";
    cr_assert_eq(threshold_by(&options, "counter"), TH_LOG_TRACE);
    options = (th_log_options){ .ignore_environment = true };
    cr_assert_eq(threshold_by(&options, "counter"), TH_LOG_WARN);
    cr_assert_str_eq(sinks_by(&options), "1");
}

Test(logging, sinks_are_named, .init = forget_environment)
{
    say("THESPIS_LOG_SINK", "none");
    cr_assert_str_eq(sinks_by(NULL), "0");
    say("THESPIS_LOG_SINK", "stderr,file,syslog,journald");
    cr_assert_str_eq(sinks_by(NULL), "1234");
    say("THESPIS_LOG_FILE", "/tmp/some.log");
    unsetenv("THESPIS_LOG_SINK");
    cr_assert_str_eq(sinks_by(NULL), "2", "a path alone means a file");
    say("THESPIS_LOG_SINK", "syslog");
    cr_assert_str_eq(sinks_by(NULL), "3", "unless something else is said");
    say("THESPIS_LOG_SINK", "stderr,stderr,stderr,stderr,stderr,stderr,stderr,stderr,stderr");
    cr_assert_str_eq(sinks_by(NULL), "11111111", "TH_LOG_SINKS_MAX");
}

static char *path_by_environment(void)
{
    static char path[THI_LOG_PATH_SIZE];
    th_system *sys = create(NULL);

    cr_assert_eq(sys->stage.log.sink_count, 1);
    snprintf(path, sizeof(path), "%s", sys->stage.log.sinks[0].path);
    must(th_system_destroy(sys));
    return path;
}

Test(logging, a_file_has_a_place_and_a_size, .init = forget_environment)
{
    th_system *sys;

    say("THESPIS_LOG_SINK", "file");
    say("TMPDIR", "/var/tmp");
    cr_assert_str_eq(path_by_environment(), "/var/tmp/thespis.log");
    unsetenv("TMPDIR");
    cr_assert_str_eq(path_by_environment(), "/tmp/thespis.log");
    say("THESPIS_LOG_FILE", "/tmp/elsewhere.log");
    cr_assert_str_eq(path_by_environment(), "/tmp/elsewhere.log");
    say("THESPIS_LOG_FILE_MAXSIZE", "20480");
    say("THESPIS_LOG_FORMAT", "json");
    sys = create(NULL);
    cr_assert_eq(sys->stage.log.sinks[0].options.size_max, 20480);
    cr_assert_eq(sys->stage.log.sinks[0].options.format, TH_LOG_FORMAT_JSON);
    must(th_system_destroy(sys));
    say("THESPIS_LOG_FILE_MAXSIZE", "10239"); /* TH_LOG_FILE_SIZE_LEAST - 1 */
    cr_assert_str_eq(sinks_by(NULL), "", "so small means none");
}

/* The first that cannot be read is said, and the system does as if it were not there. */
Test(logging, what_cannot_be_read_is_said_and_ignored, .init = forget_environment)
{
    static const struct {
        const char *name, *value, *sinks;
    } rows[] = {
        { "THESPIS_LOG", "counter=loud", "2 THESPIS_LOG cannot be read" },
        { "THESPIS_LOG_THRESHOLD", "loud", "2 THESPIS_LOG_THRESHOLD cannot be read" },
        { "THESPIS_LOG_SINK", "file,paper", "2 THESPIS_LOG_SINK cannot be read" },
        { "THESPIS_LOG_FORMAT", "xml", "2 THESPIS_LOG_FORMAT cannot be read" },
        { "THESPIS_LOG_FILE_MAXSIZE", "5M", "2 THESPIS_LOG_FILE_MAXSIZE cannot be read" },
        { "THESPIS_LOG_FILE_MAXSIZE", "-1", "2 THESPIS_LOG_FILE_MAXSIZE cannot be read" },
    };
    static char endless[THI_LOG_PATH_SIZE + 100];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        forget_environment();
        say("THESPIS_LOG_FILE", "/tmp/some.log");
        say(rows[i].name, rows[i].value);
        cr_assert_str_eq(sinks_by(NULL), rows[i].sinks);
        cr_assert_eq(threshold_by(NULL, "counter"), TH_LOG_WARN);
    }
    forget_environment();
    memset(endless, 'x', sizeof(endless) - 1);
    say("THESPIS_LOG_FILE", endless);
    cr_assert_str_eq(sinks_by(NULL), " THESPIS_LOG_FILE cannot be read");
}

Test(logging, an_empty_value_is_none, .init = forget_environment)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        say(names[i], "");
    cr_assert_eq(threshold_by(NULL, "any"), TH_LOG_WARN);
    cr_assert_str_eq(sinks_by(NULL), "1");
}

/* From the environment to the file, and the complaint with it. */
Test(logging, a_file_by_the_environment_is_written, .init = forget_environment)
{
    char folder[] = "/tmp/thespis-logging-XXXXXX", path[64], text[4096] = "";
    struct stat is;
    th_system *sys;
    FILE *file;

    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/its.log", folder);
    say("THESPIS_LOG_FILE", path);
    say("THESPIS_LOG_THRESHOLD", "loud");
    sys = create(NULL);
    must(th_system_start(sys));
    th_log_warn(th_system_self(sys), "by hand");
    th_log_info(th_system_self(sys), "below");
    must(th_system_shutdown(sys, TALK_PATIENCE, NULL, NULL));
    must(th_system_destroy(sys));
    cr_assert_eq(stat(path, &is), 0);
    cr_assert_eq(is.st_mode & 07, 0, "nobody else reads it");
    file = fopen(path, "r");
    cr_assert_gt(fread(text, 1, sizeof(text) - 1, file), 0);
    cr_assert_eq(fclose(file), 0);
    cr_assert_not_null(strstr(text, "environment: THESPIS_LOG_THRESHOLD cannot be read"), "%s",
                       text);
    cr_assert_not_null(strstr(text, "by hand"), "%s", text);
    cr_assert_null(strstr(text, "below"), "%s", text);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(rmdir(folder), 0);
}
