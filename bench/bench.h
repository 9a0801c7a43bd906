/* bench.h: what every benchmark shares.
 *
 * A benchmark is a run function: it starts a system, plays, stops it, checks what came out and
 * fills in a result. Each run has a process of its own, so neither a warm allocator nor a leaked
 * thread carries over; main.c forks them, takes the median and prints. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <thespis/thespis.h>

#define BENCH_FIGURES_MAX 8

/* What the command line decides. */
struct bench_setup {
    uint32_t workers;
    double scale;          /* multiplies every size */
    uint64_t loops_per_us; /* of bench_compute(), measured at the start */
    bool measure;          /* th_options.measure */
};

/* A figure beside the time per message. */
struct bench_figure {
    char name[24];
    double value;
};

struct bench_result {
    uint64_t messages;
    uint64_t ns;         /* of the measured part */
    th_pool_status pool; /* at its end */
    uint32_t figure_count;
    struct bench_figure figures[BENCH_FIGURES_MAX];
};

struct bench {
    const char *name;
    const char *sizes; /* one line, for --list */
    const char *unit;  /* what is counted as a message */
    void (*run)(const struct bench_setup *setup, struct bench_result *result);
};

/** Every benchmark, in the order they are run; ends with NULL. */
extern const struct bench *const bench_all[];

/* ---- a run that cannot be trusted ends at once ---- */

void bench_fail(const char *file, int line, const char *what, const char *why)
    __attribute__((noreturn, cold));

#define BENCH_CHECK(claim)                                                                         \
    do {                                                                                           \
        if (!(claim))                                                                              \
            bench_fail(__FILE__, __LINE__, #claim, "is not so");                                   \
    } while (0)

#define BENCH_MUST(call)                                                                           \
    do {                                                                                           \
        th_err bench_err_ = (call);                                                                \
        if (bench_err_)                                                                            \
            bench_fail(__FILE__, __LINE__, #call, th_strerror(bench_err_));                        \
    } while (0)

/* ---- messages ---- */

/* An actor's argument: the run it is part of, and which of several it is. */
struct bench_part {
    void *shared;
    uint64_t index;
};
TH_MESSAGE_LOCAL(bench_part);

TH_SIGNAL(bench_go);   /* begin */
TH_SIGNAL(bench_on);   /* to oneself: go on sending */
TH_SIGNAL(bench_over); /* to the thread that waits */

#define BENCH_BALL_FIELDS(F, S) F(S, u64, n) F(S, u64, who)
TH_MESSAGE(bench_ball, BENCH_BALL_FIELDS);

/* ---- playing ---- */

/* Who waits for the end, and when what happened. First member of a run's shared state. */
struct bench_watch {
    th_addr waiting;
    uint64_t start_ns;
    uint64_t end_ns;
};

/** What most actors keep: their part. An actor with more state has this first. */
struct bench_actor {
    void *shared;
    uint64_t index;
};

/** Fills in a struct bench_actor from the argument. */
th_err bench_actor_init(th_self *self, void *state, const th_msg *arg);

/** @size times the scale, at least @least. */
uint64_t bench_scaled(const struct bench_setup *setup, uint64_t size, uint64_t least);

th_system *bench_system_start(const struct bench_setup *setup);
void bench_system_stop(th_system *system, struct bench_result *result);

/** An argument for a child of @self [give]. */
th_msg *bench_part_create(th_self *self, void *shared, uint64_t index);

/** An actor whose init has run. */
th_addr bench_spawn(th_system *system, const th_class *klass, void *shared, uint64_t index);

/** @count zeroed elements of the system's memory [give]; give them back with the same figures. */
void *bench_array(th_system *system, size_t count, size_t size);
void bench_array_free(th_system *system, void *array, size_t count, size_t size);

/** Tells @first to go, waits until some actor called bench_finish(). Returns the time between. */
uint64_t bench_play(th_system *system, struct bench_watch *watch, th_addr first);

/** Stamps the end and wakes bench_play(). */
th_err bench_finish(th_self *self, struct bench_watch *watch);

void bench_figure_add(struct bench_result *result, const char *name, double value);

/** Sorts @ns and adds its 50th, 90th, 99th and 99.9th percentile and maximum, in microseconds, as
 * @prefix_p50 and so on. */
void bench_percentiles_add(struct bench_result *result, const char *prefix, uint64_t *ns,
                           size_t count);

uint64_t bench_now(void);     /* monotonic, ns */
uint64_t bench_cpu_now(void); /* of the whole process, ns */
uint64_t bench_rss_bytes(void);
uint64_t bench_random(uint64_t *seed);

/** Computes without touching memory; @loops is loops_per_us times microseconds. */
void bench_compute(uint64_t loops);

/** How many loops take a microsecond here. */
uint64_t bench_calibrate(void);

#endif
