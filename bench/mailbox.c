/* mailbox.c: the inbox alone, with the decision to wake its owner, on one core and on two.
 *
 * The only benchmark that looks behind the front door: it measures one floor, so that a change
 * there is seen before the rest of the runtime blurs it. */
#include "registry.h"

#include "mailbox/inbox.h"

#include <pthread.h>
#include <sched.h>

#define MESSAGES 10000000
#define WINDOW   1024 /* messages in flight on two cores: what a busy mailbox holds */

/* A message that nobody created: inbox.h only looks at its link. */
struct letter {
    th_msg msg;
    uint64_t n;
} __attribute__((aligned(TH_CACHE_LINE)));

/* A conversation's way: pushed while asleep (so the push says WOKE), taken, asleep again. */
static void run_one_core(const struct bench_setup *setup, struct bench_result *result)
{
    uint64_t messages = bench_scaled(setup, MESSAGES, 1), woken = 0, start;
    struct letter letter = { 0 };
    struct thi_inbox inbox;

    thi_inbox_init(&inbox, THI_INBOX_ASLEEP);
    start = bench_now();
    for (uint64_t i = 0; i < messages; i++) {
        th_msg *urgent, *tail, *taken;

        letter.n = i;
        woken += thi_inbox_push(&inbox, &letter.msg, false) == THI_PUSH_WOKE;
        taken = thi_inbox_reverse(thi_inbox_take_owner(&inbox), &urgent, &tail);
        BENCH_CHECK(taken == &letter.msg && ((struct letter *)taken)->n == i);
        BENCH_CHECK(thi_inbox_sleep_owner(&inbox));
    }
    result->ns = bench_now() - start;
    result->messages = messages;
    BENCH_CHECK(woken == messages);
}

/* ---- two cores: a producer with a window, a consumer that never really sleeps ---- */

struct tube {
    struct thi_inbox inbox;
    char apart[TH_CACHE_LINE];
    _Atomic uint64_t consumed; /* written by the consumer, a batch at a time */
    char apart_too[TH_CACHE_LINE];
    struct letter letter[WINDOW];
    uint64_t messages;
    uint64_t wakes;
    uint64_t batches;
};

static void *produce(void *context)
{
    struct tube *tube = context;
    uint64_t consumed = 0;

    for (uint64_t i = 0; i < tube->messages; i++) {
        struct letter *letter = &tube->letter[i % WINDOW];

        while (i - consumed >= WINDOW)
            /* acquire: the letter is written anew; pairs with the release in consume() */
            consumed = atomic_load_explicit(&tube->consumed, memory_order_acquire);
        letter->n = i;
        tube->wakes += thi_inbox_push(&tube->inbox, &letter->msg, false) == THI_PUSH_WOKE;
    }
    return NULL;
}

static void consume(struct tube *tube)
{
    for (uint64_t seen = 0; seen < tube->messages;) {
        th_msg *urgent, *tail;
        th_msg *msg = thi_inbox_reverse(thi_inbox_take_owner(&tube->inbox), &urgent, &tail);

        if (!msg) {
            /* what a worker does when a box is empty: sleep, and be woken by the push; here the
             * consumer looks until it is, since parking is not the inbox's affair */
            if (thi_inbox_sleep_owner(&tube->inbox))
                while (!thi_inbox_has_mail(&tube->inbox)) {
                }
            continue;
        }
        tube->batches++;
        for (; msg; msg = msg->thi_next, seen++)
            BENCH_CHECK(((struct letter *)msg)->n == seen);
        /* release: done reading; pairs with the acquire in produce() */
        atomic_store_explicit(&tube->consumed, seen, memory_order_release);
    }
}

/* Best effort: without two cores the figure still says what it is worth. */
static void pin(int core)
{
    cpu_set_t cores;

    CPU_ZERO(&cores);
    CPU_SET(core, &cores);
    (void)pthread_setaffinity_np(pthread_self(), sizeof(cores), &cores);
}

static void *pinned_produce(void *context)
{
    pin(1);
    return produce(context);
}

static void run_two_cores(const struct bench_setup *setup, struct bench_result *result)
{
    static struct tube tube; /* in the process of this run only, and too large for some stacks */
    pthread_t producer;
    uint64_t start;

    tube.messages = bench_scaled(setup, MESSAGES, 1);
    thi_inbox_init(&tube.inbox, THI_INBOX_ASLEEP);
    pin(0);
    start = bench_now();
    BENCH_CHECK(pthread_create(&producer, NULL, pinned_produce, &tube) == 0);
    while (!thi_inbox_has_mail(&tube.inbox)) {
    }
    consume(&tube);
    result->ns = bench_now() - start;
    result->messages = tube.messages;
    BENCH_CHECK(pthread_join(producer, NULL) == 0);
    bench_figure_add(result, "messages_per_take", (double)tube.messages / (double)tube.batches);
    bench_figure_add(result, "wakes_per_1000", 1000.0 * (double)tube.wakes / (double)tube.messages);
}

const struct bench bench_mailbox_1core = { "mailbox-1core",
                                           "10M times push, take, sleep on one core", "message",
                                           run_one_core };
const struct bench bench_mailbox_2core = { "mailbox-2core",
                                           "10M messages from one core to another, 1024 in flight",
                                           "message", run_two_cores };
