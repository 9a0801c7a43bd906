/* fib_troupe.c: the same jobs through one worker and through several.
 *
 * A troupe is one address in front of workers of one class: whoever sends it jobs need not know how
 * many there are. Computes fib(N) JOBS times, first with 1 worker, then with 4:
 *     fib_troupe [N] [JOBS] */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <thespis/thespis.h>

#define NUMBER_FIELDS(F, S) F(S, u64, n)
TH_MESSAGE(number, NUMBER_FIELDS);
TH_MESSAGE_TYPE(number, NUMBER_FIELDS)

static uint64_t fib(uint64_t n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

/* The worker sees the job with its first sender, so it answers directly; when its handler returns
 * the job is done and the troupe hands it the next. */
static th_err compute(th_self *self, void *state, const th_msg *msg)
{
    const struct number *job = number_of(msg);

    return job ? number_send(self, th_msg_sender(msg), (struct number){ fib(job->n) }) : TH_OK;
}

static const th_class worker = { .name = "fib worker", .receive = compute };

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Sends all jobs, then listens for as many answers; false when one did not come. */
static bool run(th_self *self, uint32_t workers, uint64_t n, uint64_t jobs)
{
    th_troupe_options options = { .workers_max = workers, .idle_max = workers };
    double start = seconds_now();
    uint64_t sum = 0;
    th_addr troupe;

    if (th_troupe_spawn(self, &worker, NULL, &options, &troupe) != TH_OK)
        return false;
    for (uint64_t i = 0; i < jobs; i++)
        if (number_send(self, troupe, (struct number){ n }) != TH_OK)
            return false;
    for (uint64_t i = 0; i < jobs; i++) {
        th_msg *answer;

        if (th_listen(self, TH_S(60), &answer) != TH_OK)
            return false;
        if (number_of(answer))
            sum += number_of(answer)->n;
        th_msg_destroy(self, answer);
    }
    printf("%u worker%s: %.3f s, sum %" PRIu64 "\n", workers, workers == 1 ? "" : "s",
           seconds_now() - start, sum);
    return th_stop(self, troupe) == TH_OK;
}

int main(int argc, char **argv)
{
    uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 30;
    uint64_t jobs = argc > 2 ? strtoull(argv[2], NULL, 10) : 100;
    th_system *system = th_system_create(NULL);
    th_self *self;

    if (th_system_start(system) != TH_OK)
        return 1;
    self = th_system_self(system);
    if (!run(self, 1, n, jobs) || !run(self, 4, n, jobs))
        return 1;
    return th_system_shutdown(system, TH_S(5), NULL, NULL) || th_system_destroy(system);
}
