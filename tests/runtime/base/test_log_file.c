/* A log file at its limit, and in a folder where others are at work. */
#include "runtime/base/log_sink.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char line[THI_LOG_LINE_SIZE];
static char folder[64], path[100];
static struct thi_log_sink sink;

static void begin(void)
{
    snprintf(folder, sizeof(folder), "/tmp/thespis-file-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/log", folder);
}

static void open_sink(uint64_t size_max, uint32_t keep)
{
    const th_log_sink options = {
        .kind = TH_LOG_SINK_FILE, .path = path, .size_max = size_max, .keep = keep
    };

    cr_assert_null(thi_log_sink_fault(&options));
    thi_log_sink_init(&sink, &options);
}

static void end(void)
{
    char command[100];

    thi_log_sink_close(&sink);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    cr_assert_eq(system(command), 0);
}

static bool put(const char *text)
{
    th_log_record record = { .number = 1,
                             .level = TH_LOG_WARN,
                             .class_name = "",
                             .system = "test",
                             .worker = -1,
                             .text = text,
                             .text_size = strlen(text) };

    return thi_log_sink_write(&sink, &record, line);
}

/* path, path.1, ... */
static const char *name_of(unsigned number)
{
    static char name[120];

    snprintf(name, sizeof(name), number ? "%s.%u" : "%s", path, number);
    return name;
}

/* -1: there is none. */
static long size_of(unsigned number)
{
    struct stat is;

    return stat(name_of(number), &is) == 0 ? (long)is.st_size : -1;
}

static bool has(unsigned number, const char *text)
{
    static char content[2 * TH_LOG_FILE_SIZE_LEAST];
    FILE *file = fopen(name_of(number), "r");
    size_t size = file ? fread(content, 1, sizeof(content) - 1, file) : 0;

    if (file)
        fclose(file);
    content[size] = '\0';
    return strstr(content, text) != NULL;
}

/* ---- the limit ---- */

/* What a line takes, its end included. */
static uint64_t size_of_a_line(void)
{
    long size;

    open_sink(TH_LOG_FILE_SIZE_LEAST, 1);
    cr_assert(put("a line"));
    size = size_of(0);
    thi_log_sink_close(&sink);
    cr_assert_eq(unlink(path), 0);
    return (uint64_t)size;
}

Test(log_file, never_grows_past_its_limit_and_keeps_so_many, .init = begin, .fini = end)
{
    uint64_t each = size_of_a_line(), fit = TH_LOG_FILE_SIZE_LEAST / each;
    char text[16];

    open_sink(TH_LOG_FILE_SIZE_LEAST, 2);
    for (uint64_t i = 0; i < 5 * fit; i++) {
        cr_assert(put("a line"));
        cr_assert_leq(size_of(0), TH_LOG_FILE_SIZE_LEAST);
    }
    snprintf(text, sizeof(text), "the last");
    cr_assert(put(text));
    cr_assert(has(0, text));
    for (unsigned i = 1; i <= 2; i++) {
        cr_assert_leq(size_of(i), TH_LOG_FILE_SIZE_LEAST);
        cr_assert_gt(size_of(i), TH_LOG_FILE_SIZE_LEAST - 3 * each, "a whole one");
    }
    cr_assert_eq(size_of(3), -1);
}

/* One that is there already counts with what is in it. */
Test(log_file, goes_on_with_what_is_there, .init = begin, .fini = end)
{
    FILE *file = fopen(path, "w");

    cr_assert_not_null(file);
    for (int i = 0; i < TH_LOG_FILE_SIZE_LEAST - 10; i++)
        fputc('x', file);
    fclose(file);
    open_sink(TH_LOG_FILE_SIZE_LEAST, 1);
    cr_assert(put("a line"));
    cr_assert(has(0, "a line"));
    cr_assert_eq(size_of(1), TH_LOG_FILE_SIZE_LEAST - 10);
}

/* A file that cannot be moved away is not added to; when it can, all goes on. */
Test(log_file, refuses_where_it_cannot_rotate, .init = begin, .fini = end)
{
    uint64_t fit = TH_LOG_FILE_SIZE_LEAST / size_of_a_line();
    char blocking[140];

    open_sink(TH_LOG_FILE_SIZE_LEAST, 1);
    snprintf(blocking, sizeof(blocking), "%s/inside", name_of(1));
    cr_assert_eq(mkdir(name_of(1), 0700), 0);
    cr_assert_eq(mkdir(blocking, 0700), 0);
    for (uint64_t i = 0; i < 2 * fit; i++)
        (void)put("a line");
    cr_assert_not(put("a line"));
    cr_assert_leq(size_of(0), TH_LOG_FILE_SIZE_LEAST);
    cr_assert_eq(rmdir(blocking), 0);
    cr_assert_eq(rmdir(name_of(1)), 0);
    cr_assert(put("the next"));
    cr_assert(has(0, "the next"));
    cr_assert_not(has(1, "the next"));
}

/* ---- others ---- */

Test(log_file, is_opened_anew_when_somebody_moves_it, .init = begin, .fini = end)
{
    char moved[120];

    open_sink(TH_LOG_FILE_SIZE_LEAST, 1);
    cr_assert(put("the first"));
    snprintf(moved, sizeof(moved), "%s.moved", path);
    cr_assert_eq(rename(path, moved), 0);
    cr_assert(put("the second"));
    cr_assert(has(0, "the second"));
    cr_assert_not(has(0, "the first"));
    cr_assert_eq(unlink(path), 0);
    cr_assert(put("the third"));
    cr_assert(has(0, "the third"));
}

Test(log_file, is_no_link_no_folder_and_no_pipe, .init = begin, .fini = end)
{
    char target[100];
    struct stat is;

    open_sink(TH_LOG_FILE_SIZE_LEAST, 1);
    snprintf(target, sizeof(target), "%s/target", folder);
    cr_assert_eq(symlink(target, path), 0);
    cr_assert_not(put("a line"));
    cr_assert_neq(stat(target, &is), 0);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(mkdir(path, 0700), 0);
    cr_assert_not(put("a line"));
    cr_assert_eq(rmdir(path), 0);
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_assert_not(put("a line"), "nobody reads it, and nobody waits");
    cr_assert_eq(unlink(path), 0);
    cr_assert(put("a line"));
    cr_assert_eq(stat(path, &is), 0);
    cr_assert_eq(is.st_mode & 0137, 0, "nobody else writes it, nor do strangers read it");
}
