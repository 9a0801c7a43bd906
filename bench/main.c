/* main.c: thespis-bench NAME... runs each benchmark several times, every run in a process of its
 * own. */
#include "registry.h"
#include "report.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUNS_DEFAULT    5
#define RUN_SECONDS_MAX 300 /* a run past this hangs */

static const char usage[] =
    "usage: thespis-bench NAME... [--workers N] [--runs N] [--json] [--scale F] [--measure]\n"
    "       thespis-bench --list\n"
    "  NAME          a benchmark, or all\n"
    "  --workers N   worker threads (default: one a core)\n"
    "  --runs N      how often; the median counts (default 5)\n"
    "  --json        one object a line\n"
    "  --scale F     multiplies every size (default 1)\n"
    "  --measure     while some messages are timed (th_options.measure)\n";

struct request {
    struct bench_setup setup;
    uint32_t runs;
    bool json;
    bool list;
};

static int complain(const char *what, const char *which)
{
    fprintf(stderr, "thespis-bench: %s%s\n%s", what, which, usage);
    return 2;
}

static const struct bench *find(const char *name)
{
    for (const struct bench *const *bench = bench_all; *bench; bench++)
        if (strcmp((*bench)->name, name) == 0)
            return *bench;
    return NULL;
}

/* The child: its result travels through the pipe, its costs come from wait4(). */
static void run_and_tell(const struct bench *bench, const struct bench_setup *setup, int out)
{
    struct bench_result result = { 0 };

    alarm(RUN_SECONDS_MAX);
    bench->run(setup, &result);
    if (write(out, &result, sizeof(result)) != (ssize_t)sizeof(result))
        bench_fail(__FILE__, __LINE__, bench->name, "the result could not be handed over");
    _Exit(0);
}

static bool run_once(const struct bench *bench, const struct bench_setup *setup,
                     struct bench_runs *runs)
{
    uint32_t at = runs->count;
    struct rusage usage_of_child;
    int ends[2], status = 0;
    bool whole;
    pid_t child;

    if (pipe(ends) != 0)
        return false;
    fflush(stdout);
    child = fork();
    if (child < 0)
        return false;
    if (child == 0)
        run_and_tell(bench, setup, ends[1]);
    close(ends[1]);
    whole = read(ends[0], &runs->result[at], sizeof(runs->result[at])) ==
            (ssize_t)sizeof(runs->result[at]);
    close(ends[0]);
    wait4(child, &status, 0, &usage_of_child);
    if (!whole || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        if (WIFSIGNALED(status))
            fprintf(stderr, "thespis-bench: %s: %s\n", bench->name, strsignal(WTERMSIG(status)));
        return false;
    }
    runs->cpu_seconds[at] =
        (double)(usage_of_child.ru_utime.tv_sec + usage_of_child.ru_stime.tv_sec) +
        (double)(usage_of_child.ru_utime.tv_usec + usage_of_child.ru_stime.tv_usec) / 1e6;
    runs->rss_mb[at] = (double)usage_of_child.ru_maxrss / 1024;
    runs->count++;
    return true;
}

static bool run_all(const struct bench *bench, const struct request *request)
{
    static struct bench_runs runs; /* too large for some stacks */

    runs = (struct bench_runs){ .bench = bench, .workers = request->setup.workers };
    for (uint32_t i = 0; i < request->runs; i++) {
        if (!run_once(bench, &request->setup, &runs)) {
            fprintf(stderr, "thespis-bench: %s with %u workers failed\n", bench->name,
                    request->setup.workers);
            return false;
        }
    }
    if (request->json)
        bench_report_json(&runs);
    else
        bench_report_text(&runs);
    return true;
}

static int parse(int argc, char **argv, struct request *request)
{
    static const struct option options[] = {
        { "workers", required_argument, NULL, 'w' }, { "runs", required_argument, NULL, 'r' },
        { "json", no_argument, NULL, 'j' },          { "list", no_argument, NULL, 'l' },
        { "scale", required_argument, NULL, 's' },   { "measure", no_argument, NULL, 'm' },
        { "help", no_argument, NULL, 'h' },          { NULL, 0, NULL, 0 },
    };
    char *end = NULL;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'w':
            request->setup.workers = (uint32_t)strtoul(optarg, &end, 10);
            if (*end || request->setup.workers < 1 || request->setup.workers > TH_WORKERS_MAX)
                return complain("not a number of workers: ", optarg);
            break;
        case 'r':
            request->runs = (uint32_t)strtoul(optarg, &end, 10);
            if (*end || request->runs < 1 || request->runs > BENCH_RUNS_MAX)
                return complain("not a number of runs: ", optarg);
            break;
        case 's':
            request->setup.scale = strtod(optarg, &end);
            if (*end || !(request->setup.scale > 0 && request->setup.scale <= 1000))
                return complain("not a scale: ", optarg);
            break;
        case 'j': request->json = true; break;
        case 'l': request->list = true; break;
        case 'm': request->setup.measure = true; break;
        case 'h': fputs(usage, stdout); exit(0);
        default: return complain("see below", "");
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct request request = { .runs = RUNS_DEFAULT, .setup = { .scale = 1 } };
    bool good = true;

    if (parse(argc, argv, &request) != 0)
        return 2;
    if (request.list) {
        for (const struct bench *const *bench = bench_all; *bench; bench++)
            printf("%-16s %s\n", (*bench)->name, (*bench)->sizes);
        return 0;
    }
    if (optind == argc)
        return complain("which benchmark? --list shows them", "");
    for (int i = optind; i < argc; i++)
        if (strcmp(argv[i], "all") != 0 && !find(argv[i]))
            return complain("no such benchmark: ", argv[i]);
    if (request.setup.workers == 0)
        request.setup.workers = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
    request.setup.loops_per_us = bench_calibrate();
    if (!request.json)
        bench_report_head(request.runs);
    for (int i = optind; i < argc; i++) {
        if (strcmp(argv[i], "all") != 0) {
            good &= run_all(find(argv[i]), &request);
            continue;
        }
        for (const struct bench *const *bench = bench_all; *bench; bench++)
            good &= run_all(*bench, &request);
    }
    return good ? 0 : 1;
}
