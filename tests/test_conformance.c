/* tests/conformance.tsv and tests/faults.tsv name tests: do those exist, and run?
 *
 * Every program of the suite is a ctest test and runs all it has, so a test that its program lists
 * is a test that ran. The programs stand beside this one, and are asked with --list; those that the
 * two tables name have to be built before this is run. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <criterion/criterion.h>

enum { LINE_SIZE = 1024, COLUMNS_MAX = 6, PROGRAMS_MAX = 128, LIST_MAX = 64 * 1024 };

/* ---- what a program has ---- */

struct program {
    char path[256];      /* of its source, as the tables name it */
    char list[LIST_MAX]; /* "suite/name\n", each behind a '\n' too; empty: it could not be asked */
};

static struct program programs[PROGRAMS_MAX];
static int program_count;

/* tests/feature/test_actors.c is test.feature.actors beside us. */
static void program_name(const char *source, char *name, size_t size)
{
    char self[256];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    const char *from = strncmp(source, "tests/", 6) == 0 ? source + 6 : source;
    const char *file = strrchr(from, '/') ? strrchr(from, '/') + 1 : from;
    int folder = (int)(file - from), stem;

    self[length > 0 ? length : 0] = '\0';
    if (strrchr(self, '/'))
        *strrchr(self, '/') = '\0';
    if (strncmp(file, "test_", 5) == 0)
        file += 5;
    stem = (int)strcspn(file, ".");
    snprintf(name, size, "%s/test.%.*s%.*s", self, folder, from, stem, file);
    for (char *c = name + strlen(self) + 1; *c; c++)
        *c = *c == '/' ? '.' : *c;
}

/* Criterion prints "suite: 2 tests" and a tree of names under it; our own header "suite/name". */
static void add_line(char *line, char *suite, size_t suite_size, char *list)
{
    char *name = line, *end;
    size_t used = strlen(list);

    while (*name && !isalnum((unsigned char)*name) && *name != '_')
        name++; /* branches of the tree, drawn as the locale allows */
    end = name + strcspn(name, "\n");
    *end = '\0';
    if (strstr(name, ": ") && strstr(name, " test")) {
        snprintf(suite, suite_size, "%.*s", (int)strcspn(name, ":"), name);
        return;
    }
    if (!*name || strchr(name, ' ')) /* nothing, or "(disabled)", which does not run */
        return;
    if (strchr(name, '/'))
        snprintf(list + used, LIST_MAX - used, "%s\n", name);
    else
        snprintf(list + used, LIST_MAX - used, "%s/%s\n", suite, name);
}

static void ask(struct program *program)
{
    char name[512], command[600], line[LINE_SIZE], suite[128] = "";
    FILE *pipe;

    strcpy(program->list, "\n");
    program_name(program->path, name, sizeof(name));
    if (access(name, X_OK) != 0)
        return;
    /* without our environment, by which Criterion would take it for one of its own processes */
    snprintf(command, sizeof(command), "env -i '%s' --list 2>/dev/null", name);
    pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    while (fgets(line, sizeof(line), pipe))
        add_line(line, suite, sizeof(suite), program->list);
    pclose(pipe);
}

static const struct program *program_of(const char *source)
{
    int i = 0;

    while (i < program_count && strcmp(programs[i].path, source) != 0)
        i++;
    if (i == program_count) {
        cr_assert_lt(program_count, PROGRAMS_MAX);
        snprintf(programs[i].path, sizeof(programs[i].path), "%s", source);
        ask(&programs[i]);
        program_count++;
    }
    return &programs[i];
}

static bool lists(const struct program *program, const char *test, const char *suffix)
{
    char wanted[256];

    snprintf(wanted, sizeof(wanted), "\n%s%s\n", test, suffix);
    return strstr(program->list, wanted) != NULL;
}

/* NULL, or what is wrong with "suite/name in tests/file.c". */
static const char *problem_with(const char *reference)
{
    const char *in = strstr(reference, " in ");
    const struct program *program;
    char test[256];

    if (!in || !memchr(reference, '/', (size_t)(in - reference)))
        return "is not of the form 'suite/name in tests/file.c'";
    snprintf(test, sizeof(test), "%.*s", (int)(in - reference), reference);
    program = program_of(in + 4);
    if (strcmp(program->list, "\n") == 0)
        return "names a program that is not built";
    if (lists(program, test, "") ||
        (lists(program, test, "_pool") && lists(program, test, "_simple")))
        return NULL;
    return "names a test that its program does not have";
}

/* ---- the tables ---- */

static FILE *open_table(const char *name)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof(path), TESTS_ROOT "/tests/%s", name);
    file = fopen(path, "r");
    cr_assert_not_null(file, "no %s", path);
    return file;
}

/* The columns of the next line that says something; 0: no more. */
static int next_row(FILE *file, char *line, char *columns[COLUMNS_MAX])
{
    int count = 0;

    do {
        if (!fgets(line, LINE_SIZE, file))
            return 0;
    } while (line[0] == '#');
    line[strcspn(line, "\n")] = '\0';
    for (char *at = line; at && count < COLUMNS_MAX; at = strchr(at, '\t')) {
        if (count > 0)
            *at++ = '\0';
        columns[count++] = at;
    }
    return count;
}

Test(conformance, every_scenario_that_is_done_has_its_test, .timeout = 100)
{
    FILE *file = open_table("conformance.tsv");
    char line[LINE_SIZE], *column[COLUMNS_MAX];
    int rows = 0, done = 0;

    cr_assert_eq(next_row(file, line, column), 6, "the heading");
    while (next_row(file, line, column) == 6) {
        rows++;
        cr_expect(strcmp(column[2], "yes") == 0 || strcmp(column[2], "no") == 0 ||
                      strcmp(column[2], "part") == 0,
                  "%s carries: %s", column[1], column[2]);
        if (strcmp(column[4], "done") == 0) {
            const char *problem = problem_with(column[3]);

            done++;
            cr_expect_null(problem, "%s %s: '%s' %s", column[0], column[1], column[3], problem);
            cr_expect_str_eq(column[2], "yes", "%s is done and does not carry over", column[1]);
        } else {
            cr_expect_str_eq(column[3], "", "%s is not done and has a test", column[1]);
            cr_expect_str_eq(column[4], strcmp(column[2], "no") == 0 ? "no" : "open", "%s",
                             column[1]);
            cr_expect_neq(column[5][0], '\0', "%s: no reason is given", column[1]);
        }
    }
    fclose(file);
    cr_assert_eq(rows, 611, "%d of Thespian's 611 test functions", rows);
    cr_assert_gt(done, 0);
}

Test(conformance, every_fault_has_its_test_or_its_floor, .timeout = 100)
{
    FILE *file = open_table("faults.tsv");
    char line[LINE_SIZE], *column[COLUMNS_MAX];
    int rows = 0;

    cr_assert_eq(next_row(file, line, column), 4, "the heading");
    while (next_row(file, line, column) == 4) {
        const char *problem = NULL;

        rows++;
        if (strncmp(column[3], "later: ", 7) != 0)
            problem = problem_with(column[3]);
        cr_expect_null(problem, "%s %s: '%s' %s", column[0], column[1], column[3], problem);
        cr_expect_neq(column[2][0], '\0');
    }
    fclose(file);
    cr_assert_eq(rows, 168, "%d of Thespian's 168 faults", rows);
}

/* ---- that the tables can be wrong ---- */

static void expect_problem(const char *reference, const char *expected)
{
    const char *problem = problem_with(reference);

    cr_assert_not_null(problem, "'%s' passes", reference);
    cr_assert_str_eq(problem, expected, "'%s' %s", reference, problem);
}

Test(conformance, a_name_without_a_test_is_noticed)
{
    static const char *const missing = "names a test that its program does not have";
    static const char *const unbuilt = "names a program that is not built";
    static const char *const malformed = "is not of the form 'suite/name in tests/file.c'";

    cr_assert_null(problem_with("conformance/a_name_without_a_test_is_noticed "
                                "in tests/test_conformance.c"));
    cr_assert_null(problem_with("simple_actor/an_asked_actor_answers "
                                "in tests/feature/test_simple_actor.c"));
    expect_problem("simple_actor/an_asked_actor_answer in tests/feature/test_simple_actor.c",
                   missing);
    expect_problem("simple_actor/asked_actor_answers in tests/feature/test_simple_actor.c",
                   missing);
    expect_problem("simple/an_asked_actor_answers in tests/feature/test_simple_actor.c", missing);
    expect_problem("simple_actor/an_asked_actor_answers in tests/feature/test_actors.c", missing);
    expect_problem("simple_actor/an_asked_actor_answers in tests/feature/test_nowhere.c", unbuilt);
    expect_problem("an_asked_actor_answers in tests/feature/test_simple_actor.c", malformed);
    expect_problem("", malformed);
}

Test(conformance, both_ways_of_listing_are_read)
{
    static char list[LIST_MAX] = "\n";
    char suite[128] = "";
    char lines[][64] = { "times: 1 test\n",
                         "`-- passes\n",
                         "sums: 2 tests\n",
                         "\xe2\x94\x9c\xe2\x94\x80\xe2\x94\x80 adds\n",
                         "\xe2\x94\x94\xe2\x94\x80\xe2\x94\x80 rests (disabled)\n",
                         "other/takes\n" };

    for (int i = 0; i < 6; i++)
        add_line(lines[i], suite, sizeof(suite), list);
    cr_assert_str_eq(list, "\ntimes/passes\nsums/adds\nother/takes\n");
}
