/* The figures of classes, found by name, written by several, bounded. */
#include "puppet.h"

#include "runtime/actor/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A worker and a cell that only measure. */
struct bench {
    struct test_system ts;
    struct thi_stage *stage;
    struct thi_worker *worker;
    struct thi_cell cell;
    th_class klass;
    char name[64]; /* of the class; written again and again, as if it were freed */
};

static void bench_open(struct bench *bench)
{
    bench->ts = test_system_open(TH_BASE_POOL, 0);
    bench->stage = thi_stage_of(bench->ts.me);
    bench->worker = calloc(1, sizeof(*bench->worker));
    bench->worker->samples = calloc(1, sizeof(*bench->worker->samples));
    bench->worker->pool = &bench->stage->pool;
    bench->worker->stage = bench->stage;
    bench->klass = (th_class){ .name = bench->name };
    bench->cell = (struct thi_cell){ .klass = &bench->klass };
}

static void bench_close(struct bench *bench)
{
    free(bench->worker->samples);
    free(bench->worker);
    test_system_close(&bench->ts);
}

static void be(struct bench *bench, const char *kind, int number)
{
    snprintf(bench->name, sizeof(bench->name), "%s %d", kind, number);
}

static uint64_t handled_of(struct bench *bench, const char *name)
{
    const struct thi_samples *samples = thi_measures_find(bench->stage, name);

    return samples ? thi_histogram_count(&samples->handling) : 0;
}

static void count_one(void *context, const char *name, const struct thi_samples *samples)
{
    (void)name;
    *(uint64_t *)context += thi_histogram_count(&samples->handling);
}

/* Two systems' tests in one: past the limit a sample is the system's alone, and counted. */
Test(measure, has_so_many_classes_and_says_what_it_missed)
{
    enum { MORE = 5, EACH = 3 };
    struct bench bench;
    uint64_t sum = 0;

    bench_open(&bench);
    for (int round = 0; round < EACH; round++)
        for (int i = 0; i < TH_MEASURED_CLASSES_MAX + MORE; i++) {
            be(&bench, "class", i);
            thi_measure_handled(bench.worker, &bench.cell, 1000);
        }
    cr_assert_eq(atomic_load(&bench.stage->measures.count), TH_MEASURED_CLASSES_MAX);
    cr_assert_eq(atomic_load(&bench.stage->measures.missed), MORE * EACH);
    for (int i = 0; i < TH_MEASURED_CLASSES_MAX + MORE; i++) {
        be(&bench, "class", i);
        cr_assert_eq(handled_of(&bench, bench.name), i < TH_MEASURED_CLASSES_MAX ? EACH : 0);
    }
    thi_measures_each(bench.stage, count_one, &sum);
    cr_assert_eq(sum, TH_MEASURED_CLASSES_MAX * EACH);
    cr_assert_eq(thi_histogram_count(&bench.worker->samples->handling),
                 (TH_MEASURED_CLASSES_MAX + MORE) * EACH, "the system's has them all");
    bench_close(&bench);
}

Test(measure, waits_and_deliveries_are_kept_apart)
{
    struct bench bench;
    const struct thi_samples *samples;

    bench_open(&bench);
    be(&bench, "clerk", 1);
    thi_measure_waited(bench.worker, &bench.cell, 1000);
    thi_measure_waited(bench.worker, &bench.cell, 5000);
    thi_measure_handled(bench.worker, &bench.cell, 1000);
    samples = thi_measures_find(bench.stage, "clerk 1");
    cr_assert_eq(thi_times_of(&samples->waiting).samples, 2);
    cr_assert_eq(thi_times_of(&samples->handling).samples, 1);
    cr_assert_gt(thi_times_of(&samples->waiting).max_ns, thi_times_of(&samples->handling).max_ns);
    cr_assert_null(thi_measures_find(bench.stage, "clerk 2"));
    cr_assert_null(thi_measures_find(bench.stage, NULL));
    bench_close(&bench);
}

Test(measure, without_memory_the_sample_is_the_systems)
{
    struct bench bench;

    bench_open(&bench);
    be(&bench, "clerk", 1);
    thi_memory_inject(&bench.stage->memory, 1, true);
    thi_measure_handled(bench.worker, &bench.cell, 1000);
    thi_memory_inject(&bench.stage->memory, 0, false);
    cr_assert_eq(atomic_load(&bench.stage->measures.missed), 1);
    cr_assert_eq(thi_histogram_count(&bench.worker->samples->handling), 1);
    thi_measure_handled(bench.worker, &bench.cell, 1000);
    cr_assert_eq(handled_of(&bench, "clerk 1"), 1, "and the next one finds some");
    bench_close(&bench);
}

/* ---- several write ---- */

enum { WRITERS = 4, WRITES = 300000 };

static pthread_barrier_t start; /* so that they write at once */

static void *write_some(void *context)
{
    pthread_barrier_wait(&start);
    for (uint64_t i = 0; i < WRITES; i++)
        thi_histogram_add_shared(context, i % 100);
    return NULL;
}

Test(measure, of_several_writers_none_is_lost)
{
    struct thi_histogram *histogram = calloc(1, sizeof(*histogram));
    pthread_t writers[WRITERS];

    pthread_barrier_init(&start, NULL, WRITERS);
    for (int i = 0; i < WRITERS; i++)
        cr_assert_eq(pthread_create(&writers[i], NULL, write_some, histogram), 0);
    for (int i = 0; i < WRITERS; i++)
        pthread_join(writers[i], NULL);
    cr_assert_eq(thi_histogram_count(histogram), WRITERS * WRITES);
    cr_assert_eq(thi_histogram_percentile(histogram, 1000), 99);
    pthread_barrier_destroy(&start);
    free(histogram);
}
