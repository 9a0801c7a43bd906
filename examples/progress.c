/* progress.c: an actor with a thread that computes, reports how far it is, and can be called off.
 *
 *     progress [NUMBER] [STOP_AT_PERCENT]
 *
 * The thread counts the primes below NUMBER. It knows nothing of the actor but a deputy, the handle
 * by which it speaks in its name, and one word that says "enough"; the actor answers questions all
 * the while. It exits when the thread has said its last. */
#include <thespis/thespis.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT_FIELDS(F, S) F(S, u64, below)
TH_MESSAGE(count, COUNT_FIELDS);
TH_MESSAGE_TYPE(count, COUNT_FIELDS)

#define PROGRESS_FIELDS(F, S) F(S, u32, percent) F(S, u64, found) F(S, bool_, is_last)
TH_MESSAGE(progress, PROGRESS_FIELDS);
TH_MESSAGE_TYPE(progress, PROGRESS_FIELDS)

/* What the actor and its thread share. */
struct job {
    th_self *deputy; /* the thread's */
    uint64_t below;
    _Atomic bool is_enough;
};

struct counter {
    struct job job;
    pthread_t thread;
    bool is_busy;
    th_addr client;
};

/* ---- the thread ---- */

static bool is_prime(uint64_t number)
{
    for (uint64_t i = 2; i * i <= number; i++)
        if (number % i == 0)
            return false;
    return number >= 2;
}

static void *count_primes(void *arg)
{
    struct job *job = arg;
    struct progress progress = { 0 };
    th_err err = TH_OK;

    /* relaxed: a wish; nothing else goes with it */
    for (uint64_t i = 0;
         i < job->below && !err && !atomic_load_explicit(&job->is_enough, memory_order_relaxed);
         i++) {
        uint32_t percent = (uint32_t)(100 * i / job->below);

        progress.found += is_prime(i);
        if (percent == progress.percent)
            continue;
        progress.percent = percent;
        err = progress_send(job->deputy, th_self_addr(job->deputy), progress);
    }
    progress.is_last = true;
    if (!err)
        err = progress_send(job->deputy, th_self_addr(job->deputy), progress);
    if (err)
        th_log_error(job->deputy, "cannot report: %s", th_strerror(err));
    th_deputy_close(job->deputy);
    return NULL;
}

/* ---- the actor ---- */

static th_err begin(th_self *self, void *state, const th_msg *msg)
{
    struct counter *counter = state;
    th_err err;

    if (counter->is_busy)
        return th_fail(self, TH_E_STATE, "one count at a time");
    err = th_deputy_open(self, &counter->job.deputy);
    if (err)
        return err;
    counter->job.below = count_of(msg)->below;
    counter->client = th_msg_sender(msg);
    if (pthread_create(&counter->thread, NULL, count_primes, &counter->job)) {
        th_deputy_close(counter->job.deputy);
        return TH_E_THREAD;
    }
    counter->is_busy = true;
    return TH_OK;
}

/* From the thread, and so from ourselves. */
static th_err pass_on(th_self *self, void *state, const th_msg *msg)
{
    struct counter *counter = state;

    if (progress_of(msg)->is_last) {
        pthread_join(counter->thread, NULL); /* it only has to close its deputy */
        counter->is_busy = false;
        if (atomic_load_explicit(&counter->job.is_enough, memory_order_relaxed) && th_exit(self))
            return TH_E_STATE;
    }
    return progress_send(self, counter->client, *progress_of(msg));
}

/* The thread uses our state, so it comes first. */
static th_err leave(th_self *self, void *state, const th_msg *msg)
{
    struct counter *counter = state;

    atomic_store_explicit(&counter->job.is_enough, true, memory_order_relaxed);
    return counter->is_busy ? th_exit_later(self) : TH_OK;
}

static const th_case counter_cases[] = {
    { &progress_type, pass_on },
    { &count_type, begin },
    { &th_exit_request_type, leave },
    { NULL, NULL },
};
static const th_class counter_class = { .name = "counter",
                                        .state_size = sizeof(struct counter),
                                        .cases = counter_cases };

/* ---- the program ---- */

int main(int argc, char **argv)
{
    struct count order = { argc > 1 ? strtoull(argv[1], NULL, 10) : 2000000 };
    unsigned stop_at = argc > 2 ? (unsigned)atoi(argv[2]) : 1000;
    th_system *sys = th_system_create(NULL);
    struct progress progress = { 0 };
    th_addr counter;
    th_msg *msg;
    th_self *me;

    if (!sys || th_system_start(sys))
        return 1;
    me = th_system_self(sys);
    if (th_spawn(me, &counter_class, NULL, &counter) || count_send(me, counter, order))
        return 1;
    while (!progress.is_last && th_listen(me, TH_S(60), &msg) == TH_OK) {
        if (progress_of(msg))
            progress = *progress_of(msg);
        th_msg_destroy(me, msg);
        if (progress.percent % 25 == 0 && !progress.is_last)
            printf("%u %%: %llu primes\n", progress.percent, (unsigned long long)progress.found);
        if (progress.percent >= stop_at && !progress.is_last && th_stop(me, counter))
            return 1;
    }
    printf("%s: %llu primes\n", progress.percent < 99 ? "called off" : "done",
           (unsigned long long)progress.found);
    return th_system_shutdown(sys, TH_S(10), NULL, NULL) || th_system_destroy(sys);
}
