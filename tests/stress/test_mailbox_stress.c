/* Mailboxes that hold their senders, under load: nothing is lost, nobody waits for ever, and memory
 * stays small however much is sent. */
#include <sched.h>
#include <stdatomic.h>

#include "tests/support/system.h"
#include "tests/support/talk.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { MESSAGES = 200000, SEEDS = 20 };
#else
enum { MESSAGES = 10000000, SEEDS = 200 };
#endif

enum { PRODUCERS = 8, RELAYS = 3, BYTES_MAX = 32 * 1024 * 1024 };

/* Sends its share, one number each time it is run; or passes on what it gets. */
struct stage {
    th_addr next;
    int64_t left;
};

static th_err produce(th_self *self, void *state, const th_msg *msg)
{
    struct stage *stage = state;
    th_err err;

    if (talk_whom_of(msg))
        stage->next = talk_whom_of(msg)->addr;
    else if (talk_number_of(msg))
        stage->left = talk_number_of(msg)->value;
    else if (!talk_word_of(msg))
        return TH_OK;
    if (stage->left == 0)
        return TH_OK;
    err = talk_count(self, stage->next, -stage->left--);
    return err ? err : talk_say(self, th_self_addr(self), "on");
}

static const th_class producer = { .name = "producer",
                                   .state_size = sizeof(struct stage),
                                   .receive = produce };

static th_err pass_on(th_self *self, void *state, const th_msg *msg)
{
    struct stage *stage = state;

    if (talk_whom_of(msg))
        stage->next = talk_whom_of(msg)->addr;
    return talk_number_of(msg) ? th_forward(self, stage->next, msg) : TH_OK;
}

static const th_class relay = { .name = "relay",
                                .state_size = sizeof(struct stage),
                                .receive = pass_on };

/* The last of a chain. Its first number waits for @gate, so that those before it fill. */
struct end {
    struct talk_waiter waiter;
    int64_t count;
    const atomic_bool *gate;
};

static th_err end_init(th_self *self, void *state, const th_msg *arg)
{
    struct end *end = state;

    end->gate = (const atomic_bool *)(intptr_t)talk_number_of(arg)->value;
    return TH_OK;
}

static th_err end_receive(th_self *self, void *state, const th_msg *msg)
{
    struct end *end = state;
    const struct talk_number *number = talk_number_of(msg);

    if (!number)
        return TH_OK;
    if (number->value > 0) /* from the test */
        return talk_waiter_set(self, &end->waiter, msg, end->count);
    while (!atomic_load(end->gate))
        sched_yield();
    end->count++;
    return talk_waiter_check(self, &end->waiter, end->count);
}

static const th_class end_class = {
    .name = "end", .state_size = sizeof(struct end), .init = end_init, .receive = end_receive
};

static th_addr make(th_self *me, const th_class *klass, uint32_t limit, th_msg *arg)
{
    th_spawn_options options = { .klass = klass,
                                 .arg = arg,
                                 .mailbox = { .limit = limit, .when_full = TH_WHEN_FULL_HOLD } };
    th_addr addr;

    must(th_create(me, &options, TALK_PATIENCE, &addr, NULL));
    return addr;
}

static uint64_t holds(struct test_system *ts)
{
    th_system_status status;

    must(th_system_status_read(ts->sys, &status));
    return status.counts.holds;
}

/* @messages through a chain of mailboxes of @limit. */
static void run_chain(struct test_system *ts, uint32_t limit, int64_t messages)
{
    atomic_bool gate = test_is_simple(ts); /* its seeds fill a mailbox without help */
    struct talk_number *body;
    th_msg *question = talk_number_new(ts->me, &body), *answer;
    th_system_status status;
    th_addr end, to;
    th_err err;

    body->value = (intptr_t)&gate;
    to = end = make(ts->me, &end_class, limit, question);
    for (int i = 0; i < RELAYS; i++) {
        th_addr stage = make(ts->me, &relay, limit, NULL);

        must(talk_whom_send(ts->me, stage, (struct talk_whom){ to }));
        to = stage;
    }
    for (int i = 0; i < PRODUCERS; i++) {
        th_addr addr = talk_create(ts->me, &producer);

        must(talk_whom_send(ts->me, addr, (struct talk_whom){ to }));
        must(talk_count(ts->me, addr, messages / PRODUCERS));
    }
    while (!atomic_load(&gate))
        atomic_store(&gate, holds(ts) > 0);
    for (;;) { /* the question is refused while the mailbox is full */
        question = talk_number_new(ts->me, &body);
        body->value = messages;
        err = th_ask(ts->me, end, question, TH_S(600), &answer);
        if (err != TH_E_FULL)
            break;
        if (test_is_simple(ts))
            (void)!th_run_until_idle(ts->sys, 7, NULL);
        else
            sched_yield();
    }
    must(err);
    cr_assert_eq(talk_number_of(answer)->value, messages);
    th_msg_destroy(ts->me, answer);
    must(th_system_status_read(ts->sys, &status));
    cr_assert_leq(status.memory_bytes_peak, BYTES_MAX);
    cr_assert_gt(status.counts.holds, 0); /* on the pool: that the gate waited for */
    cr_assert_eq(status.counts.hold_circles, 0);
}

Test(mailbox_stress, millions_through_a_chain, .timeout = 600)
{
    struct test_system ts =
        test_system_open_with(&(th_options){ .base = TH_BASE_POOL, .workers = 4 });

    run_chain(&ts, 256, MESSAGES);
    test_system_close(&ts);
}

Test(mailbox_stress, small_limits, .timeout = 600)
{
    for (uint32_t limit = 1; limit <= 3; limit++) {
        struct test_system ts =
            test_system_open_with(&(th_options){ .base = TH_BASE_POOL, .workers = 4 });

        run_chain(&ts, limit, MESSAGES / 50);
        test_system_close(&ts);
    }
}

Test(mailbox_stress, seeds, .timeout = 600)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct test_system ts = test_system_open(TH_BASE_SIMPLE, seed);

        run_chain(&ts, 1 + seed % 5, 160);
        test_system_close(&ts);
    }
}

/* ---- the ceiling ---- */

/* A flood at an unbounded mailbox under a ceiling: refused cleanly, and in the end all balances. */
static void run_flood(th_base base)
{
    th_options options = { .base = base, .workers = 2, .seed = 3, .memory_max = 4 * 1024 * 1024 };
    struct test_system ts = test_system_open_with(&options);
    th_addr sink = talk_create(ts.me, &talk_counter);
    th_system_status status;
    uint64_t refused = 0;

    for (int i = 0; i < 400000; i++)
        refused += talk_say(ts.me, sink, "flood") == TH_E_NOMEM;
    must(th_system_status_read(ts.sys, &status));
    cr_assert_leq(status.memory_bytes_peak, options.memory_max + 128 * 1024);
    if (base == TH_BASE_SIMPLE) { /* nobody drained it */
        cr_assert_gt(refused, 0);
        cr_assert_geq(status.memory_refused, refused);
    }
    test_system_close(&ts);
}

Test(mailbox_stress, a_flood_under_a_ceiling, .timeout = 600)
{
    run_flood(TH_BASE_SIMPLE);
    run_flood(TH_BASE_POOL);
}
