/* timers.c: one actor, many one-shot wakeups over 1 to 1000 ms: what arming and firing costs, and
 * how late they come. */
#include "registry.h"

#define FIRST_NS TH_MS(1)
#define LAST_NS  TH_MS(1000)

struct alarms {
    struct bench_watch watch;
    uint64_t count;
    uint64_t step_ns;  /* between two delays: each delay is used once, and so names its wakeup */
    uint64_t *due_ns;  /* by delay */
    uint64_t *late_ns; /* by arrival */
    uint64_t arm_ns;   /* to arm them all */
    uint64_t fired;
};

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    return b ? common_divisor(b, a % b) : a;
}

static th_err arm(th_self *self, struct alarms *alarms)
{
    uint64_t stride = alarms->count * 5 / 8 + 1; /* scatters the delays, hitting each once */
    uint64_t start = bench_now();

    while (common_divisor(stride, alarms->count) != 1)
        stride++;
    for (uint64_t i = 0, at = 0; i < alarms->count; i++, at = (at + stride) % alarms->count) {
        uint64_t delay = FIRST_NS + at * alarms->step_ns;

        BENCH_CHECK(alarms->due_ns[at] == 0);
        alarms->due_ns[at] = th_now(self) + delay;
        BENCH_MUST(th_wakeup_after(self, delay, NULL, NULL));
    }
    alarms->arm_ns = bench_now() - start;
    return TH_OK;
}

static th_err sleeper_receive(th_self *self, void *state, const th_msg *msg)
{
    struct bench_actor *me = state;
    struct alarms *alarms = me->shared;
    const struct th_wakeup *wakeup = th_wakeup_of(msg);
    uint64_t now, due;

    if (bench_go_of(msg))
        return arm(self, alarms);
    if (!wakeup)
        return TH_OK;
    now = th_now(self);
    due = alarms->due_ns[(wakeup->delay_ns - FIRST_NS) / alarms->step_ns];
    BENCH_CHECK(now >= due); /* never early */
    alarms->late_ns[alarms->fired++] = now - due;
    return alarms->fired < alarms->count ? TH_OK : bench_finish(self, &alarms->watch);
}

static const th_class sleeper_class = {
    .name = "sleeper",
    .state_size = sizeof(struct bench_actor),
    .init = bench_actor_init,
    .receive = sleeper_receive,
};

static void run_alarms(const struct bench_setup *setup, struct bench_result *result, uint64_t count)
{
    struct alarms alarms = { .count = bench_scaled(setup, count, 1) };
    th_system *system;
    uint64_t cpu;

    alarms.step_ns = (LAST_NS - FIRST_NS) / alarms.count;
    system = bench_system_start(setup);
    alarms.due_ns = bench_array(system, alarms.count, sizeof(uint64_t));
    alarms.late_ns = bench_array(system, alarms.count, sizeof(uint64_t));
    cpu = bench_cpu_now();
    result->ns = bench_play(system, &alarms.watch, bench_spawn(system, &sleeper_class, &alarms, 0));
    cpu = bench_cpu_now() - cpu;
    result->messages = alarms.count;
    bench_figure_add(result, "arm_ns", (double)alarms.arm_ns / (double)alarms.count);
    bench_figure_add(result, "cpu_ns", (double)cpu / (double)alarms.count);
    bench_percentiles_add(result, "late_us", alarms.late_ns, alarms.count);
    bench_array_free(system, alarms.due_ns, alarms.count, sizeof(uint64_t));
    bench_array_free(system, alarms.late_ns, alarms.count, sizeof(uint64_t));
    bench_system_stop(system, result);
}

static void run_timers(const struct bench_setup *setup, struct bench_result *result)
{
    run_alarms(setup, result, 100000);
}

static void run_timers1m(const struct bench_setup *setup, struct bench_result *result)
{
    run_alarms(setup, result, 1000000);
}

const struct bench bench_timers = { "timers", "100k one-shot wakeups over 1 to 1000 ms", "wakeup",
                                    run_timers };
const struct bench bench_timers1m = { "timers1m", "1M one-shot wakeups over 1 to 1000 ms", "wakeup",
                                      run_timers1m };
