#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* Sorts @values. The lower of two middle ones, so that every figure printed was measured. */
static double median(double *values, uint32_t count)
{
    qsort(values, count, sizeof(*values), compare_doubles);
    return values[(count - 1) / 2];
}

static double ns_per_message(const struct bench_result *result)
{
    return result->messages ? (double)result->ns / (double)result->messages : 0;
}

/* The median of one of the further figures; all runs have the same ones in the same order. */
static double figure_median(const struct bench_runs *runs, uint32_t figure)
{
    double values[BENCH_RUNS_MAX];

    for (uint32_t i = 0; i < runs->count; i++)
        values[i] = runs->result[i].figures[figure].value;
    return median(values, runs->count);
}

/* Of what the scheduler counted, @offset bytes into its status. */
static double pool_median(const struct bench_runs *runs, size_t offset)
{
    double values[BENCH_RUNS_MAX];

    for (uint32_t i = 0; i < runs->count; i++) {
        uint64_t value;

        memcpy(&value, (const char *)&runs->result[i].pool + offset, sizeof(value));
        values[i] = (double)value;
    }
    return median(values, runs->count);
}

static double copy_median(const double *from, uint32_t count)
{
    double values[BENCH_RUNS_MAX];

    memcpy(values, from, count * sizeof(*values));
    return median(values, count);
}

static void cpu_name(char *name, size_t size)
{
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[256];

    snprintf(name, size, "unknown processor");
    while (file && fgets(line, sizeof(line), file)) {
        char *colon = strchr(line, ':');

        if (strncmp(line, "model name", 10) == 0 && colon) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(name, size, "%s", colon + 2);
            break;
        }
    }
    if (file)
        fclose(file);
}

void bench_report_head(uint32_t runs)
{
    struct utsname system;
    time_t now = time(NULL);
    struct tm today;
    char cpu[128];

    uname(&system);
    cpu_name(cpu, sizeof(cpu));
    localtime_r(&now, &today);
    printf("%04d-%02d-%02d  %s, %ld cores, %s %s, gcc %s, libthespis %s; %u runs, median "
           "[min-max]\n",
           today.tm_year + 1900, today.tm_mon + 1, today.tm_mday, cpu,
           sysconf(_SC_NPROCESSORS_ONLN), system.sysname, system.release, __VERSION__, th_version(),
           runs);
    printf("%-16s %3s %11s %9s  %-28s %9s %7s %7s\n", "bench", "wrk", "messages", "unit", "ns each",
           "M/s", "cpu s", "MB");
}

void bench_report_text(const struct bench_runs *runs)
{
    const struct bench_result *first = &runs->result[0];
    double each[BENCH_RUNS_MAX], middle;
    char span[64];

    for (uint32_t i = 0; i < runs->count; i++)
        each[i] = ns_per_message(&runs->result[i]);
    middle = median(each, runs->count);
    snprintf(span, sizeof(span), "%.1f [%.1f-%.1f]", middle, each[0], each[runs->count - 1]);
    printf("%-16s %3u %11" PRIu64 " %9s  %-28s %9.3f %7.2f %7.0f\n", runs->bench->name,
           runs->workers, first->messages, runs->bench->unit, span, middle > 0 ? 1000 / middle : 0,
           copy_median(runs->cpu_seconds, runs->count), copy_median(runs->rss_mb, runs->count));
    for (uint32_t i = 0; i < first->figure_count; i++)
        printf("%s%s %.1f", i ? "  " : "    ", first->figures[i].name, figure_median(runs, i));
    if (first->figure_count)
        printf("\n");
    fflush(stdout);
}

void bench_report_json(const struct bench_runs *runs)
{
    const struct bench_result *first = &runs->result[0];
    double each[BENCH_RUNS_MAX], seconds[BENCH_RUNS_MAX], sorted[BENCH_RUNS_MAX];

    for (uint32_t i = 0; i < runs->count; i++) {
        sorted[i] = each[i] = ns_per_message(&runs->result[i]);
        seconds[i] = (double)runs->result[i].ns / 1e9;
    }
    printf("{\"bench\":\"%s\",\"workers\":%u,\"unit\":\"%s\",\"messages\":%" PRIu64
           ",\"seconds\":%.6f,\"ns_per_message\":%.3f,\"runs\":[",
           runs->bench->name, runs->workers, runs->bench->unit, first->messages,
           median(seconds, runs->count), median(sorted, runs->count));
    for (uint32_t i = 0; i < runs->count; i++)
        printf("%s%.3f", i ? "," : "", each[i]);
    printf("],\"cpu_seconds\":%.3f,\"peak_rss_mb\":%.1f",
           copy_median(runs->cpu_seconds, runs->count), copy_median(runs->rss_mb, runs->count));
    printf(",\"turns\":%.0f,\"steals\":%.0f,\"parks\":%.0f,\"wakes\":%.0f,\"rescues\":%.0f",
           pool_median(runs, offsetof(th_pool_status, turns)),
           pool_median(runs, offsetof(th_pool_status, steals)),
           pool_median(runs, offsetof(th_pool_status, parks)),
           pool_median(runs, offsetof(th_pool_status, wakes)),
           pool_median(runs, offsetof(th_pool_status, rescues)));
    for (uint32_t i = 0; i < first->figure_count; i++)
        printf(",\"%s\":%.3f", first->figures[i].name, figure_median(runs, i));
    printf("}\n");
    fflush(stdout);
}
