/* report.h: medians of runs, as a table or as JSON. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "bench.h"

#define BENCH_RUNS_MAX 101

/* One benchmark's runs, and what the operating system says they cost. */
struct bench_runs {
    const struct bench *bench;
    uint32_t workers; /* as asked for; 0 is one a core */
    uint32_t count;
    struct bench_result result[BENCH_RUNS_MAX];
    double cpu_seconds[BENCH_RUNS_MAX];
    double rss_mb[BENCH_RUNS_MAX]; /* peak */
};

/** Machine, date, how many runs. */
void bench_report_head(uint32_t runs);

/** One line, or two when there are further figures. */
void bench_report_text(const struct bench_runs *runs);

/** One object on one line. */
void bench_report_json(const struct bench_runs *runs);

#endif
