/*
 * tidy: the house rules a compiler does not check.
 *
 *     tidy ROOT [FLOORS]        FLOORS defaults to ROOT/cmake/floors.cmake
 *
 * Prints `path:line: rule: why` for each finding and exits 1 if there was one, 2 if it could not
 * look.  Each rule below has a bad tree in tests/tools/tidy_cases that must be reported.
 *
 * How: a file is read once into three views of equal length, so that an offset means the same in
 * each: the raw bytes, the code (comments and literals blanked) and the notes (all but comments
 * blanked).  Every rule then is a plain search in the view where it cannot be fooled.
 *
 * Past 500 lines: a tool is one file, and the rules have nothing to share but these views.
 */
#include <ctype.h>
#include <dirent.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COLUMNS_MAX           100
#define FILE_LINES_ARGUED     500
#define FILE_LINES_MAX        800
#define FUNCTION_LINES_MAX    70
#define README_LINES_MAX      40
#define SEQ_CST_COMMENT_LINES 8

#define TEXT_BYTES_MAX (1 << 20)
#define LINES_MAX      (1 << 15)
#define FLOORS_MAX     32
#define FLOOR_NAME_MAX 64
#define PATH_BYTES_MAX 1024

struct floor_list {
    char name[FLOORS_MAX][FLOOR_NAME_MAX];
    int count;
};

static struct {
    size_t root_length;           /* of the path walked, with its slash */
    struct floor_list floors;     /* lowest first */
    struct floor_list front_door; /* see <thespis/...> and themselves only */
    struct floor_list back_door;  /* headers that those of them which are floors may see too */
    int findings;
    bool failed;

    const char *path; /* of the file at hand, from the root */
    size_t size;
    char raw[TEXT_BYTES_MAX];
    char code[TEXT_BYTES_MAX];
    char notes[TEXT_BYTES_MAX];
    size_t line_start[LINES_MAX]; /* offsets; line 1 is [0], one past the end closes it */
    int lines;
} tidy;

static void report(int line, const char *rule, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void report(int line, const char *rule, const char *format, ...)
{
    va_list args;

    printf("%s:%d: %s: ", tidy.path, line, rule);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    tidy.findings++;
}

/* ---- paths -------------------------------------------------------------------------------- */

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);

    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool is_c(const char *path)
{
    return ends_with(path, ".c") || ends_with(path, ".h");
}

/* Is @path inside the folder @folder? */
static bool is_in(const char *path, const char *folder)
{
    return starts_with(path, folder) && path[strlen(folder)] == '/';
}

static int floor_of(const struct floor_list *list, const char *path)
{
    for (int i = 0; i < list->count; i++) {
        if (is_in(path, list->name[i]))
            return i;
    }
    return -1;
}

static bool is_listed(const struct floor_list *list, const char *path)
{
    int i = 0;

    while (i < list->count && strcmp(list->name[i], path) != 0)
        i++;
    return i < list->count;
}

/* ---- the three views ---------------------------------------------------------------------- */

/* One past the end of the literal that opens at @at. */
static size_t literal_end(size_t at)
{
    char quote = tidy.raw[at++];

    while (at < tidy.size && tidy.raw[at] != quote && tidy.raw[at] != '\n')
        at += tidy.raw[at] == '\\' ? 2 : 1;
    return at < tidy.size ? at + 1 : tidy.size;
}

/* One past the end of the comment that opens at @at. */
static size_t comment_end(size_t at)
{
    const char *end;

    if (tidy.raw[at + 1] == '/') {
        end = strchr(tidy.raw + at, '\n');
        return end ? (size_t)(end - tidy.raw) : tidy.size;
    }
    end = strstr(tidy.raw + at + 2, "*/");
    return end ? (size_t)(end - tidy.raw) + 2 : tidy.size;
}

static bool opens_comment(size_t at)
{
    return tidy.raw[at] == '/' && (tidy.raw[at + 1] == '/' || tidy.raw[at + 1] == '*');
}

static void blank(char *view, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (view[i] != '\n')
            view[i] = ' ';
    }
}

static void split_views(void)
{
    size_t at = 0;

    memcpy(tidy.code, tidy.raw, tidy.size + 1);
    memcpy(tidy.notes, tidy.raw, tidy.size + 1);
    while (at < tidy.size) {
        size_t end = at + 1;

        if (opens_comment(at)) {
            end = comment_end(at);
            blank(tidy.code, at, end);
        } else {
            if (tidy.raw[at] == '"' || tidy.raw[at] == '\'') {
                end = literal_end(at);
                blank(tidy.code, at, end);
            }
            blank(tidy.notes, at, end);
        }
        at = end;
    }
}

static void find_lines(void)
{
    tidy.lines = 0;
    tidy.line_start[0] = 0;
    for (size_t i = 0; i < tidy.size && tidy.lines < LINES_MAX - 1; i++) {
        if (tidy.raw[i] == '\n' || i + 1 == tidy.size)
            tidy.line_start[++tidy.lines] = i + 1;
    }
}

static int line_at(size_t offset)
{
    int low = 0, high = tidy.lines;

    while (high - low > 1) {
        int middle = (low + high) / 2;

        if (tidy.line_start[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return low + 1;
}

static bool load(const char *path)
{
    FILE *file = fopen(path, "rb");

    if (!file)
        return false;
    tidy.size = fread(tidy.raw, 1, TEXT_BYTES_MAX - 2, file);
    tidy.raw[tidy.size] = '\0';
    fclose(file);
    find_lines();
    return true;
}

/* ---- rules for any text ------------------------------------------------------------------- */

static bool is_word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool is_word_at(const char *view, size_t at, const char *word)
{
    return starts_with(view + at, word) && !is_word_char(view[at + strlen(word)]) &&
           (at == 0 || !is_word_char(view[at - 1]));
}

static void check_banned_words(void)
{
    /* In two halves, so that this file does not report itself. */
    static const char *const words[] = { "TO"
                                         "DO",
                                         "FIX"
                                         "ME",
                                         "XX"
                                         "X" };

    for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++) {
        const char *hit = tidy.raw;

        while ((hit = strstr(hit, words[w])) != NULL) {
            size_t at = (size_t)(hit - tidy.raw);

            if (is_word_at(tidy.raw, at, words[w]))
                report(line_at(at), "banned-word", "%s: do it or drop it", words[w]);
            hit++;
        }
    }
}

static void check_file_name(void)
{
    static const char *const names[] = { "util",   "utils",   "common",  "misc",
                                         "helper", "helpers", "manager", "data" };
    const char *base = base_name(tidy.path);

    for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
        const char *hit = strstr(base, names[n]);
        char after = hit ? hit[strlen(names[n])] : '\0';

        if (hit && (hit == base || hit[-1] == '_') && (after == '.' || after == '_'))
            report(1, "file-name", "'%s' says nothing about what is inside", names[n]);
    }
}

static void check_widths(void)
{
    for (int line = 1; line <= tidy.lines; line++) {
        int columns = 0;

        for (size_t i = tidy.line_start[line - 1]; i < tidy.line_start[line]; i++) {
            char c = tidy.raw[i];

            /* Bytes that continue a UTF-8 character take no column of their own. */
            if (c != '\n' && ((unsigned char)c & 0xc0) != 0x80)
                columns++;
            if (c == '\t' && is_c(tidy.path))
                report(line, "tab", "indent with four spaces");
        }
        if (columns > COLUMNS_MAX)
            report(line, "width", "%d columns, at most %d", columns, COLUMNS_MAX);
    }
}

static void check_readme(void)
{
    if (strchr(tidy.path, '/') && tidy.lines > README_LINES_MAX)
        report(tidy.lines, "long-readme", "%d lines, at most %d", tidy.lines, README_LINES_MAX);
}

/* ---- rules for C -------------------------------------------------------------------------- */

static void check_length(void)
{
    if (tidy.lines > FILE_LINES_MAX)
        report(tidy.lines, "long-file", "%d lines, at most %d", tidy.lines, FILE_LINES_MAX);
    else if (tidy.lines > FILE_LINES_ARGUED && !strstr(tidy.notes, "Past 500 lines:"))
        report(tidy.lines, "long-file", "%d lines; a comment 'Past 500 lines:' must argue why",
               tidy.lines);
}

/* A body is what stands between a brace in the first column and the next one that closes there. */
static void check_functions(void)
{
    int opened = 0;

    for (int line = 1; line <= tidy.lines; line++) {
        char first = tidy.code[tidy.line_start[line - 1]];

        if (first == '{')
            opened = line;
        if (first != '}' || opened == 0)
            continue;
        if (line - opened + 1 > FUNCTION_LINES_MAX)
            report(opened, "long-function", "%d lines, at most %d", line - opened + 1,
                   FUNCTION_LINES_MAX);
        opened = 0;
    }
}

static bool has_note_above(int line)
{
    int first = line > SEQ_CST_COMMENT_LINES ? line - SEQ_CST_COMMENT_LINES : 1;

    for (size_t i = tidy.line_start[first - 1]; i < tidy.line_start[line]; i++) {
        if (!isspace((unsigned char)tidy.notes[i]))
            return true;
    }
    return false;
}

static bool is_bare_atomic(const char *word)
{
    return (starts_with(word, "atomic_load") || starts_with(word, "atomic_store") ||
            starts_with(word, "atomic_exchange") || starts_with(word, "atomic_fetch_") ||
            starts_with(word, "atomic_compare_exchange_") ||
            starts_with(word, "atomic_flag_test_and_set") ||
            starts_with(word, "atomic_flag_clear")) &&
           !ends_with(word, "_explicit");
}

static bool is_one_of(const char *word, const char *const *words)
{
    for (; *words; words++) {
        if (strcmp(word, *words) == 0)
            return true;
    }
    return false;
}

/* @is_call: an opening parenthesis follows.  @is_member: it was reached through . or ->. */
static void check_word(int line, const char *word, bool is_call, bool is_member)
{
    static const char *const heap[] = {
        "malloc",  "calloc",        "realloc",        "free",         "strdup",
        "strndup", "aligned_alloc", "posix_memalign", "reallocarray", NULL
    };
    static const char *const sleeps[] = { "sleep",           "usleep",     "nanosleep",
                                          "clock_nanosleep", "thrd_sleep", NULL };
    bool in_tests = is_in(tidy.path, "tests");

    /* A test is not tuned: what it shares by a bare atomic is ordered as strongly as can be. */
    if (is_call && !in_tests && is_bare_atomic(word))
        report(line, "bare-atomic", "%s: name the order with %s_explicit", word, word);
    if (strcmp(word, "atomic_thread_fence") == 0 || strcmp(word, "__sync_synchronize") == 0)
        report(line, "fence", "put the order on the access; sanitizers do not see fences");
    else if (starts_with(word, "__sync_") || starts_with(word, "__atomic_"))
        report(line, "builtin-atomic", "%s: use <stdatomic.h>", word);
    if (strcmp(word, "memory_order_seq_cst") == 0 && !has_note_above(line))
        report(line, "seq-cst", "say why no weaker order will do, within %d lines above",
               SEQ_CST_COMMENT_LINES);
    if (is_call && !is_member && !in_tests && is_one_of(word, heap) &&
        strcmp(tidy.path, "mailbox/alloc.c") != 0)
        report(line, "heap", "%s: memory comes from th_alloc()", word);
    if (is_call && !is_member && in_tests && is_one_of(word, sleeps))
        report(line, "sleep", "%s: wait for the event, not for a while", word);
}

static void check_words(void)
{
    char word[128];
    size_t at = 0;

    while (at < tidy.size) {
        size_t start = at, length, after, before = at;

        while (is_word_char(tidy.code[at]))
            at++;
        length = at - start;
        if (length == 0) {
            at++;
            continue;
        }
        if (length >= sizeof(word))
            continue;
        memcpy(word, tidy.code + start, length);
        word[length] = '\0';
        for (after = at; isspace((unsigned char)tidy.code[after]);)
            after++;
        while (before > 0 && isspace((unsigned char)tidy.code[before - 1]))
            before--;
        check_word(line_at(start), word, tidy.code[after] == '(',
                   before > 0 && (tidy.code[before - 1] == '.' || tidy.code[before - 1] == '>'));
    }
}

/* ---- includes ----------------------------------------------------------------------------- */

/* @target is what stands between the quotes. */
static void check_quoted(int line, const char *target)
{
    int own = floor_of(&tidy.floors, tidy.path);
    int other = floor_of(&tidy.floors, target);
    int front = floor_of(&tidy.front_door, tidy.path);
    bool excused = own >= 0 && is_listed(&tidy.back_door, target);

    /* One benchmark measures the inbox alone; all others are users. */
    if (is_in(tidy.path, "tests") || strcmp(tidy.path, "bench/mailbox.c") == 0)
        return;
    if (is_in(tidy.path, "include")) {
        report(line, "include", "the front door includes <thespis/...> only");
    } else if (front >= 0) {
        if (strchr(target, '/') && !is_in(target, tidy.front_door.name[front]) && !excused)
            report(line, "include", "%s uses the front door only: <thespis/...>",
                   tidy.front_door.name[front]);
    } else if (other < 0) {
        report(line, "include", "\"%s\" is on no floor; write paths from the root", target);
    } else if (other > own) {
        report(line, "include", "upward: %s may not know %s", tidy.floors.name[own],
               tidy.floors.name[other]);
    }
}

static void check_includes(void)
{
    for (int line = 1; line <= tidy.lines; line++) {
        const char *text = tidy.raw + tidy.line_start[line - 1];
        char target[256];

        if (tidy.code[tidy.line_start[line - 1]] != '#')
            continue;
        if (sscanf(text, "# include \"%255[^\"\n]\"", target) == 1)
            check_quoted(line, target);
        else if (sscanf(text, "# include <%255[^>\n]>", target) == 1 &&
                 floor_of(&tidy.floors, target) >= 0)
            report(line, "include", "<%s> is ours: in quotes", target);
    }
}

/* ---- the walk ----------------------------------------------------------------------------- */

static void check_c(void)
{
    split_views();
    if (floor_of(&tidy.floors, tidy.path) < 0 && floor_of(&tidy.front_door, tidy.path) < 0 &&
        !is_in(tidy.path, "tests") && !is_in(tidy.path, "include"))
        report(1, "no-floor", "this folder is not in cmake/floors.cmake");
    else
        check_includes();
    check_length();
    check_functions();
    check_words();
}

static void check_file(const char *full_path)
{
    const char *base = base_name(full_path);
    bool is_readme = strcmp(base, "README.md") == 0;
    bool is_build_file = ends_with(base, ".cmake") || strcmp(base, "CMakeLists.txt") == 0 ||
                         strcmp(base, "Makefile") == 0 || ends_with(base, ".sh") ||
                         ends_with(base, ".pml");

    if (!is_c(base) && !is_build_file && !ends_with(base, ".md"))
        return;
    if (!load(full_path)) {
        fprintf(stderr, "tidy: cannot read %s\n", full_path);
        tidy.failed = true;
        return;
    }
    check_banned_words();
    if (is_readme)
        check_readme();
    if (!ends_with(base, ".md")) {
        check_file_name();
        check_widths();
    }
    if (is_c(base))
        check_c();
}

/* include/thespis is explained one folder up, where it is not installed; a folder under tests/ that
 * mirrors a floor by that floor's README and the one of tests/. */
static bool is_explained_elsewhere(const char *path)
{
    char inside[PATH_BYTES_MAX];

    if (!is_in(path, "tests"))
        return strcmp(path, "include/thespis") == 0;
    snprintf(inside, sizeof(inside), "%s/", path + strlen("tests/"));
    return floor_of(&tidy.floors, inside) >= 0;
}

static void check_folder(const char *full_path)
{
    DIR *folder = opendir(full_path);
    const struct dirent *entry;
    bool has_files = false, has_readme = false;

    if (!folder)
        return;
    while ((entry = readdir(folder)) != NULL) {
        has_files = has_files || entry->d_type == DT_REG;
        has_readme = has_readme || strcmp(entry->d_name, "README.md") == 0;
    }
    closedir(folder);
    if (has_files && !has_readme && !is_explained_elsewhere(tidy.path))
        report(1, "no-readme", "a folder says what it is for in README.md");
}

/* Hidden folders, build trees and the bad trees of tidy's own test are not the house. */
static bool is_elsewhere(const char *path)
{
    return base_name(path)[0] == '.' || strcmp(path, "build") == 0 ||
           strcmp(path, "tests/tools/tidy_cases") == 0;
}

static int visit(const char *full_path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about;
    if (where->level == 0)
        return FTW_CONTINUE;
    tidy.path = full_path + tidy.root_length;
    if (is_elsewhere(tidy.path))
        return kind == FTW_D ? FTW_SKIP_SUBTREE : FTW_CONTINUE;
    if (kind == FTW_D)
        check_folder(full_path);
    else if (kind == FTW_F)
        check_file(full_path);
    return FTW_CONTINUE;
}

/* ---- the list of floors ------------------------------------------------------------------- */

/* Reads `set(NAME  word word ...)` out of the loaded file. */
static void read_list(const char *name, struct floor_list *list)
{
    char opening[FLOOR_NAME_MAX];
    const char *at;
    int taken = 0;

    snprintf(opening, sizeof(opening), "set(%s", name);
    at = strstr(tidy.raw, opening);
    if (!at)
        return;
    at += strlen(opening);
    while (list->count < FLOORS_MAX &&
           sscanf(at, " %63[a-z/_.]%n", list->name[list->count], &taken) == 1) {
        at += taken;
        list->count++;
    }
}

int main(int argc, char **argv)
{
    char floors_path[PATH_BYTES_MAX];

    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: tidy ROOT [FLOORS]\n");
        return 2;
    }
    snprintf(floors_path, sizeof(floors_path), "%s/cmake/floors.cmake", argv[1]);
    if (!load(argc == 3 ? argv[2] : floors_path)) {
        fprintf(stderr, "tidy: no list of floors\n");
        return 2;
    }
    read_list("THESPIS_FLOORS", &tidy.floors);
    read_list("THESPIS_FRONT_DOOR", &tidy.front_door);
    read_list("THESPIS_BACK_DOOR", &tidy.back_door);
    tidy.root_length = strlen(argv[1]) + 1;
    if (tidy.floors.count == 0 || nftw(argv[1], visit, 16, FTW_ACTIONRETVAL | FTW_PHYS) != 0 ||
        tidy.failed) {
        fprintf(stderr, "tidy: could not look at %s\n", argv[1]);
        return 2;
    }
    printf("%d findings\n", tidy.findings);
    return tidy.findings > 0;
}
