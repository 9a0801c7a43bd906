/* log.c: what a record costs its speaker: one that its threshold leaves out, and one that is
 * taken, with the logger writing beside it. */
#include "registry.h"

/* Fewer than the queue holds, so that what is measured is never a drop. */
enum { BATCH = TH_LOG_QUEUE_DEFAULT / 2 };

struct speech {
    struct bench_watch watch;
    uint64_t count;
    uint64_t said;
    uint64_t written; /* the sink's */
};

static th_err count_record(void *context, const th_log_record *record)
{
    *(uint64_t *)context += record->number != 0;
    return TH_OK;
}

/* Filtered out: a million are a matter of a millisecond, so in one go. */
static th_err hush_receive(th_self *self, void *state, const th_msg *msg)
{
    struct bench_actor *me = state;
    struct speech *speech = me->shared;

    if (!bench_go_of(msg))
        return TH_OK;
    for (uint64_t i = 0; i < speech->count; i++)
        th_log_debug(self, "record %llu", (unsigned long long)i);
    return bench_finish(self, &speech->watch);
}

/* Accepted, a batch at a time; between two the thread that waits has the queue written. */
static th_err speak_receive(th_self *self, void *state, const th_msg *msg)
{
    struct bench_actor *me = state;
    struct speech *speech = me->shared;

    if (!bench_go_of(msg))
        return TH_OK;
    for (uint64_t i = 0; i < BATCH; i++)
        th_log_with(self, TH_LOG_WARN, "a record", th_kv_u64("number", speech->said + i),
                    th_kv_str("kind", "benchmark"));
    speech->said += BATCH;
    return bench_finish(self, &speech->watch);
}

static const th_class hush_class = { .name = "hush",
                                     .state_size = sizeof(struct bench_actor),
                                     .init = bench_actor_init,
                                     .receive = hush_receive };
static const th_class speak_class = { .name = "speak",
                                      .state_size = sizeof(struct bench_actor),
                                      .init = bench_actor_init,
                                      .receive = speak_receive };

static th_system *start(const struct bench_setup *setup, struct speech *speech)
{
    th_log_sink sink = { .kind = TH_LOG_SINK_FUNCTION,
                         .write = count_record,
                         .context = &speech->written };
    th_log_options log = {
        .sinks = &sink, .sink_count = 1, .rate_max = UINT32_MAX, .ignore_environment = true
    };
    th_options options = { .name = "bench", .workers = setup->workers, .log = &log };
    th_system *system = th_system_create(&options);

    BENCH_CHECK(system);
    BENCH_MUST(th_system_start(system));
    return system;
}

static void run_filtered(const struct bench_setup *setup, struct bench_result *result)
{
    struct speech speech = { .count = bench_scaled(setup, 10000000, 1) };
    th_system *system = start(setup, &speech);

    result->ns = bench_play(system, &speech.watch, bench_spawn(system, &hush_class, &speech, 0));
    result->messages = speech.count;
    bench_system_stop(system, result);
    BENCH_CHECK(speech.written == 0);
}

static void run_log(const struct bench_setup *setup, struct bench_result *result)
{
    struct speech speech = { .count = bench_scaled(setup, 100, 1) * BATCH };
    th_system *system = start(setup, &speech);
    th_addr speaker = bench_spawn(system, &speak_class, &speech, 0);
    uint64_t cpu = bench_cpu_now();

    while (speech.said < speech.count) {
        result->ns += bench_play(system, &speech.watch, speaker);
        BENCH_MUST(th_log_flush(system, TH_S(60)));
    }
    cpu = bench_cpu_now() - cpu;
    result->messages = speech.count;
    bench_figure_add(result, "cpu_ns", (double)cpu / (double)speech.count);
    bench_system_stop(system, result);
    BENCH_CHECK(speech.written == speech.count);
}

const struct bench bench_log = { "log", "410k records with two fields to a sink that counts",
                                 "record", run_log };
const struct bench bench_log_filtered = { "log-filtered", "10M records below the threshold",
                                          "record", run_filtered };
