/* play.c: starting a system, letting its actors play, and the clocks around that. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

TH_MESSAGE_LOCAL_TYPE(bench_part, NULL)
TH_SIGNAL_TYPE(bench_go)
TH_SIGNAL_TYPE(bench_on)
TH_SIGNAL_TYPE(bench_over)
TH_MESSAGE_TYPE(bench_ball, BENCH_BALL_FIELDS)

void bench_fail(const char *file, int line, const char *what, const char *why)
{
    fprintf(stderr, "thespis-bench: %s:%d: %s: %s\n", file, line, what, why);
    _Exit(1);
}

th_err bench_actor_init(th_self *self, void *state, const th_msg *arg)
{
    const struct bench_part *part = bench_part_of(arg);
    struct bench_actor *me = state;

    me->shared = part->shared;
    me->index = part->index;
    return TH_OK;
}

uint64_t bench_scaled(const struct bench_setup *setup, uint64_t size, uint64_t least)
{
    uint64_t scaled = (uint64_t)((double)size * setup->scale);

    return scaled > least ? scaled : least;
}

th_system *bench_system_start(const struct bench_setup *setup)
{
    th_options options = { .name = "bench", .workers = setup->workers, .measure = setup->measure };
    th_system *system = th_system_create(&options);

    if (!system)
        bench_fail(__FILE__, __LINE__, "th_system_create", "no system");
    BENCH_MUST(th_system_start(system));
    return system;
}

void bench_system_stop(th_system *system, struct bench_result *result)
{
    th_system_status status;

    BENCH_MUST(th_system_status_read(system, &status));
    result->pool = status.pool;
    if (status.measured) {
        bench_figure_add(result, "waits_sampled", (double)status.waiting.samples);
        bench_figure_add(result, "deliveries_sampled", (double)status.handling.samples);
    }
    BENCH_MUST(th_system_shutdown(system, TH_S(60), NULL, NULL));
    BENCH_MUST(th_system_destroy(system));
}

th_msg *bench_part_create(th_self *self, void *shared, uint64_t index)
{
    struct bench_part *part;
    th_msg *msg = bench_part_new(self, &part);

    if (msg) {
        part->shared = shared;
        part->index = index;
    }
    return msg;
}

th_addr bench_spawn(th_system *system, const th_class *klass, void *shared, uint64_t index)
{
    th_self *self = th_system_self(system);
    th_spawn_options options = { .klass = klass, .arg = bench_part_create(self, shared, index) };
    th_addr addr;

    BENCH_MUST(th_create(self, &options, TH_S(10), &addr, NULL));
    return addr;
}

void *bench_array(th_system *system, size_t count, size_t size)
{
    void *array = th_alloc(th_system_self(system), count * size);

    BENCH_CHECK(array);
    return array;
}

void bench_array_free(th_system *system, void *array, size_t count, size_t size)
{
    th_free(th_system_self(system), array, count * size);
}

uint64_t bench_play(th_system *system, struct bench_watch *watch, th_addr first)
{
    th_self *self = th_system_self(system);
    th_msg *msg = NULL;

    watch->waiting = th_self_addr(self);
    watch->start_ns = bench_now();
    BENCH_MUST(bench_go_send(self, first, (struct bench_go){ 0 }));
    BENCH_MUST(th_listen(self, TH_FOREVER, &msg));
    BENCH_CHECK(bench_over_of(msg));
    th_msg_destroy(self, msg);
    return watch->end_ns - watch->start_ns;
}

th_err bench_finish(th_self *self, struct bench_watch *watch)
{
    watch->end_ns = bench_now();
    return bench_over_send(self, watch->waiting, (struct bench_over){ 0 });
}

void bench_figure_add(struct bench_result *result, const char *name, double value)
{
    struct bench_figure *figure = &result->figures[result->figure_count++];

    BENCH_CHECK(result->figure_count <= BENCH_FIGURES_MAX);
    snprintf(figure->name, sizeof(figure->name), "%s", name);
    figure->value = value;
}

static int compare_ns(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

void bench_percentiles_add(struct bench_result *result, const char *prefix, uint64_t *ns,
                           size_t count)
{
    static const struct {
        const char *name;
        double share;
    } points[] = {
        { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p99.9", 0.999 }, { "max", 1 }
    };
    char name[24];

    BENCH_CHECK(count > 0);
    qsort(ns, count, sizeof(*ns), compare_ns);
    for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
        size_t at = (size_t)((double)(count - 1) * points[i].share);

        snprintf(name, sizeof(name), "%s_%s", prefix, points[i].name);
        bench_figure_add(result, name, (double)ns[at] / 1000.0);
    }
}

uint64_t bench_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t bench_cpu_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t bench_rss_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;

    if (!file || fscanf(file, "%*u %lu", &pages) != 1)
        bench_fail(__FILE__, __LINE__, "/proc/self/statm", "cannot be read");
    fclose(file);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t bench_random(uint64_t *seed)
{
    uint64_t x = *seed; /* xorshift64: enough to pick a neighbour */

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *seed = x;
}

void bench_compute(uint64_t loops)
{
    uint64_t x = loops | 1;

    for (uint64_t i = 0; i < loops; i++)
        x = x * 6364136223846793005u + 1442695040888963407u;
    __asm__ volatile("" : : "r"(x)); /* the result is wanted, as far as the compiler knows */
}

uint64_t bench_calibrate(void)
{
    const uint64_t loops = 2000000;
    uint64_t best = UINT64_MAX;

    for (int i = 0; i < 9; i++) {
        uint64_t start = bench_now();

        bench_compute(loops);
        uint64_t took = bench_now() - start;
        best = took < best ? took : best;
    }
    return loops * 1000 / (best ? best : 1) + 1;
}
