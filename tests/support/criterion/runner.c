/* Runs every registered test of this program in order.  See criterion.h. */
#include "criterion.h"

#include <fnmatch.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/time.h>
#include <unistd.h>

/* A sanitizer slows a test down by about this much, so its own .timeout is stretched by it. */
#define SHIM_SLOWDOWN  8.0
#define SHIM_TIMEOUT_S 30.0

static struct {
    struct shim_test *first;
    struct shim_test **last;
    const char *volatile suite; /* of the running test; the watchdog prints it */
    const char *volatile name;
    _Atomic unsigned failures;
} shim;

void shim_register(struct shim_test *test)
{
    if (!shim.last)
        shim.last = &shim.first;
    *shim.last = test;
    shim.last = &test->next;
}

void shim_fail(bool is_fatal, const char *file, int line, const char *what, const char *format, ...)
{
    va_list args;

    flockfile(stderr);
    fprintf(stderr, "%s:%d: %s/%s failed: %s:", file, line, shim.suite, shim.name, what);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    funlockfile(stderr);

    /* relaxed: a count, read by main() after it joined or outlived whoever failed. */
    atomic_fetch_add_explicit(&shim.failures, 1, memory_order_relaxed);
    if (is_fatal) {
        fflush(NULL);
        _exit(1);
    }
}

static void say(const char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        ssize_t written = write(STDERR_FILENO, text, left);

        if (written <= 0)
            return;
        text += written;
        left -= (size_t)written;
    }
}

/* Signal handler.  abort() rather than _exit(): a core or a debugger shows where everyone stood. */
static void on_alarm(int signal_number)
{
    (void)signal_number;
    say("timed out: ");
    say(shim.suite);
    say("/");
    say(shim.name);
    say("\n");
    signal(SIGABRT, SIG_DFL);
    abort();
}

static void watch_for(double seconds)
{
    struct itimerval timer = { .it_value.tv_sec = (time_t)seconds };

    if (seconds > 0 && timer.it_value.tv_sec == 0)
        timer.it_value.tv_sec = 1;
    setitimer(ITIMER_REAL, &timer, NULL);
}

static bool is_wanted(const struct shim_test *test, const char *filter)
{
    char full_name[256];

    if (!filter)
        return true;
    snprintf(full_name, sizeof(full_name), "%s/%s", test->suite, test->name);
    return fnmatch(filter, full_name, 0) == 0;
}

static void run(const struct shim_test *test)
{
    shim.suite = test->suite;
    shim.name = test->name;
    printf("%s/%s\n", test->suite, test->name);
    fflush(stdout);

    watch_for((test->timeout > 0 ? test->timeout : SHIM_TIMEOUT_S) * SHIM_SLOWDOWN);
    if (test->init)
        test->init();
    test->run();
    if (test->fini)
        test->fini();
    watch_for(0);
}

static const char *filter_of(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--filter") == 0 && i + 1 < argc)
            return argv[i + 1];
        if (strncmp(argv[i], "--filter=", strlen("--filter=")) == 0)
            return argv[i] + strlen("--filter=");
    }
    return NULL;
}

/* What there is, for those who check that a test exists. */
static int list(const char *filter)
{
    for (const struct shim_test *test = shim.first; test; test = test->next)
        if (is_wanted(test, filter))
            printf("%s/%s\n", test->suite, test->name);
    return 0;
}

int main(int argc, char **argv)
{
    const char *filter = filter_of(argc, argv);
    unsigned ran = 0;
    unsigned failures;

    if (argc > 1 && strcmp(argv[1], "--list") == 0)
        return list(filter);
    signal(SIGALRM, on_alarm);
    for (const struct shim_test *test = shim.first; test; test = test->next) {
        if (!is_wanted(test, filter))
            continue;
        run(test);
        ran++;
    }

    /* relaxed: see shim_fail(). */
    failures = atomic_load_explicit(&shim.failures, memory_order_relaxed);
    printf("%u tests, %u failures\n", ran, failures);
    return failures > 0 || ran == 0; /* a program that ran nothing proved nothing */
}
