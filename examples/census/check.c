/* check.c: lets find, grep, sort and uniq count again, and compares.
 *
 * The directory travels in the environment, so no name needs quoting. Both lists are sorted by
 * byte value, so one pass finds every name that only one side has, or that they count
 * differently. */
#include "check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX 10 /* differences */

/* -H: a link is followed when it is the start itself, and only then. grep and find complain about
 * what they cannot read; we have said so ourselves. */
#define COUNT_NAMES                                                                                \
    "export LC_ALL=C; find -H \"$CENSUS_ROOT\" -type f -exec"                                      \
    " grep -oahE '[A-Za-z_][A-Za-z0-9_]*' {} + 2>/dev/null | sort | uniq -c"
#define COUNT_FILES                                                                                \
    "export LC_ALL=C; find -H \"$CENSUS_ROOT\" -type f -readable -printf '%s\\n' 2>/dev/null"      \
    " | awk '{ files++; bytes += $1 } END { printf \"%d %.0f\\n\", files, bytes }'"

struct comparison {
    const struct result *result;
    th_self *self;
    char *line; /* grows to the longest there is */
    size_t room;
    size_t at; /* in the table, which is sorted */
    uint64_t differences;
};

static void differ(struct comparison *comparison, const char *name, size_t length, uint64_t ours,
                   uint64_t theirs)
{
    if (comparison->differences++ < SHOWN_MAX)
        printf("differs: %.*s: census %" PRIu64 ", coreutils %" PRIu64 "\n", (int)length, name,
               ours, theirs);
}

/* One line of uniq; what we have before it in order, they do not have. */
static void compare_line(struct comparison *comparison, const char *name, size_t length,
                         uint64_t theirs)
{
    const struct result *result = comparison->result;

    for (; comparison->at < result->table.used; comparison->at++) {
        const struct table_entry *entry = &result->table.entry[comparison->at];
        const char *ours = table_name(&result->table, entry);
        size_t shorter = entry->length < length ? entry->length : length;
        int order = memcmp(ours, name, shorter);

        if (order == 0)
            order = (entry->length > length) - (entry->length < length);
        if (order > 0)
            break;
        if (order == 0) {
            if (entry->count != theirs)
                differ(comparison, name, length, entry->count, theirs);
            comparison->at++;
            return;
        }
        differ(comparison, ours, entry->length, entry->count, 0);
    }
    differ(comparison, name, length, 0, theirs);
}

/* The next line without its end, of any length; false at the end of @file, or without memory. */
static bool read_line(struct comparison *comparison, FILE *file)
{
    size_t length = 0;

    while (!comparison->room ||
           fgets(comparison->line + length, (int)(comparison->room - length), file)) {
        size_t room = comparison->room ? comparison->room * 2 : 256;
        char *line;

        if (comparison->room) {
            length += strlen(comparison->line + length);
            if (length > 0 && comparison->line[length - 1] == '\n') {
                comparison->line[length - 1] = '\0';
                return true;
            }
            if (length + 1 < comparison->room)
                continue;
        }
        line = th_alloc(comparison->self, room);
        if (!line)
            return false;
        if (comparison->room)
            memcpy(line, comparison->line, length);
        th_free(comparison->self, comparison->line, comparison->room);
        comparison->line = line;
        comparison->room = room;
    }
    return false;
}

static bool compare_names(struct comparison *comparison)
{
    FILE *pipe = popen(COUNT_NAMES, "r");

    if (!pipe)
        return false;
    while (read_line(comparison, pipe)) {
        char *name = NULL;
        uint64_t count = strtoull(comparison->line, &name, 10);

        if (*name == ' ')
            compare_line(comparison, name + 1, strlen(name + 1), count);
    }
    th_free(comparison->self, comparison->line, comparison->room);
    while (comparison->at < comparison->result->table.used) {
        const struct table_entry *entry = &comparison->result->table.entry[comparison->at++];

        differ(comparison, table_name(&comparison->result->table, entry), entry->length,
               entry->count, 0);
    }
    return pclose(pipe) == 0;
}

static bool compare_files(struct comparison *comparison)
{
    const struct result *result = comparison->result;
    FILE *pipe = popen(COUNT_FILES, "r");
    uint64_t files = 0, bytes = 0;
    bool read;

    if (!pipe)
        return false;
    read = fscanf(pipe, "%" SCNu64 " %" SCNu64, &files, &bytes) == 2;
    if (pclose(pipe) != 0 || !read)
        return false;
    if (files != result->files)
        differ(comparison, "(files)", 7, result->files, files);
    if (bytes != result->bytes)
        differ(comparison, "(bytes)", 7, result->bytes, bytes);
    return true;
}

enum check_verdict check(const struct result *result, th_self *self, const char *root)
{
    struct comparison comparison = { .result = result, .self = self };

    if (setenv("CENSUS_ROOT", root, 1) != 0 || !compare_names(&comparison) ||
        !compare_files(&comparison)) {
        fprintf(stderr, "census: coreutils could not count again\n");
        return CHECK_IMPOSSIBLE;
    }
    printf("check: %zu identifiers compared, %" PRIu64 " differences\n", result->table.used,
           comparison.differences);
    return comparison.differences ? CHECK_DIFFERS : CHECK_EQUAL;
}
