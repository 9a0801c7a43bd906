/* The pool with four workers and more chance than any seed: the random program again and again, and
 * threads that come and go while actors do. What is checked is what the model checks, and that each
 * system's books balance when it is gone. */
#include <pthread.h>
#include <sched.h>

#include "tests/support/random_actors.h"
#include "tests/support/system.h"
#include "tests/support/talk.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { RUNS = 100, ROUNDS = 200 };
#else
enum { RUNS = 1000, ROUNDS = 2000 };
#endif

static struct random_ledger ledger;

Test(pool_stress, random_actors, .timeout = 300)
{
    uint64_t balls = 0;

    for (uint32_t i = 0; i < RUNS; i++) {
        const struct random_plan plan = {
            .base = TH_BASE_POOL, .workers = 4, .openings = 8 + i % 57, .fuel = 3 + i % 5
        };
        struct random_result result = random_actors_run(&plan, &ledger);

        cr_assert_null(result.wrong, "run %u: %s (%u players, %u balls)", i, result.wrong,
                       result.players, result.balls);
        balls += result.balls;
    }
    cr_assert_gt(balls, RUNS * 20ull);
}

/* ---- foreign threads ---- */

enum { THREADS = 6, SHARED = 32 };

/* Addresses that threads hand each other, so that they speak to the others' actors too; an address
 * is three words and read as they are, torn ones included: nobody, or somebody, but no crash. */
struct stage {
    th_system *sys;
    _Atomic uint64_t slots[SHARED];
    _Atomic uint64_t told, answered;
};

struct visitor {
    struct stage *stage;
    unsigned number;
    pthread_t thread;
    const char *failed_at;
};

static th_err child_receive(th_self *self, void *state, const th_msg *msg)
{
    return talk_number_of(msg) ? talk_count(self, th_msg_sender(msg), talk_number_of(msg)->value)
                               : TH_OK;
}

static const th_class child = { .name = "child", .receive = child_receive };

/* Has children of its own that live as long as it does. */
static th_err host_init(th_self *self, void *state, const th_msg *arg)
{
    th_addr addr;
    th_err err = th_spawn(self, &child, NULL, &addr);

    return err ? err : th_spawn(self, &child, NULL, &addr);
}

static const th_class host = { .name = "host", .init = host_init, .receive = child_receive };

static th_addr unpack(struct stage *stage, uint64_t word)
{
    th_addr addr = { th_system_id(stage->sys), (uint32_t)word, (uint32_t)(word >> 32) };

    return addr;
}

static const char *visit_once(struct stage *stage, th_self *me, uint64_t chance)
{
    _Atomic uint64_t *slot = &stage->slots[chance % SHARED];
    th_addr other = unpack(stage, atomic_load(slot)), made;
    struct talk_number *body;
    th_msg *question, *answer = NULL;
    th_err err;

    if (th_spawn(me, chance & 64 ? &host : &child, NULL, &made))
        return "spawn";
    other = unpack(stage, atomic_exchange(slot, made.slot | (uint64_t)made.generation << 32));
    if (other.generation == 0)
        return NULL;
    if (talk_count(me, other, 1))
        return "tell";
    atomic_fetch_add(&stage->told, 1);
    if (chance & 128) {
        question = talk_number_new(me, &body);
        if (!question)
            return "new";
        err = th_ask(me, other, question, TALK_PATIENCE, &answer);
        th_msg_destroy(me, answer);
        if (err != TH_OK && err != TH_E_NO_ACTOR)
            return "ask";
        atomic_fetch_add(&stage->answered, err == TH_OK);
    }
    return th_stop(me, other) ? "stop" : NULL;
}

/* A new endpoint now and then, so that those come and go as well. */
static void *visit(void *arg)
{
    struct visitor *visitor = arg;
    uint64_t chance = 88172645463325252ull + visitor->number;
    th_self *me = NULL;

    for (int i = 0; i < ROUNDS && !visitor->failed_at; i++) {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        if (!me && th_endpoint_open(visitor->stage->sys, &me))
            visitor->failed_at = "open";
        else
            visitor->failed_at = visit_once(visitor->stage, me, chance >> 20);
        if (me && i % 50 == 49) {
            if (th_endpoint_close(me))
                visitor->failed_at = "close";
            me = NULL;
        }
    }
    if (me)
        (void)th_endpoint_close(me);
    return NULL;
}

static void run_visitors(th_base base, uint32_t workers)
{
    struct test_system ts =
        test_system_open_with(&(th_options){ .base = base, .workers = workers, .seed = 5 });
    static struct stage stage;
    static struct visitor visitors[THREADS];

    memset(&stage, 0, sizeof(stage));
    stage.sys = ts.sys;
    for (unsigned i = 0; i < THREADS; i++) {
        visitors[i] = (struct visitor){ .stage = &stage, .number = i };
        cr_assert_eq(pthread_create(&visitors[i].thread, NULL, visit, &visitors[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(visitors[i].thread, NULL);
    for (unsigned i = 0; i < THREADS; i++)
        cr_assert_null(visitors[i].failed_at, "thread %u: %s", i, visitors[i].failed_at);
    cr_assert_gt(atomic_load(&stage.told), 0);
    cr_assert_gt(atomic_load(&stage.answered), 0);
    test_system_close(&ts);
}

Test(pool_stress, foreign_threads_while_actors_start_and_stop, .timeout = 300)
{
    run_visitors(TH_BASE_POOL, 4);
    run_visitors(TH_BASE_POOL, 1);
}

Test(pool_stress, foreign_threads_on_the_simple_base, .timeout = 300)
{
    run_visitors(TH_BASE_SIMPLE, 0);
}

/* Threads speak while the system shuts down under them: each call answers, none hangs. */
struct speaker {
    th_system *sys;
    th_addr target;
    pthread_t thread;
    _Atomic bool speaks;
    th_err last;
};

static void *speak(void *arg)
{
    struct speaker *speaker = arg;
    th_self *me = NULL;

    speaker->last = th_endpoint_open(speaker->sys, &me);
    atomic_store(&speaker->speaks, true);
    while (!speaker->last) {
        th_addr made;

        speaker->last = talk_count(me, speaker->target, 1);
        if (!speaker->last)
            speaker->last = th_spawn(me, &child, NULL, &made);
        if (!speaker->last) {
            struct talk_number *body;
            th_msg *answer = NULL;

            speaker->last = th_ask(me, made, talk_number_new(me, &body), TALK_PATIENCE, &answer);
            th_msg_destroy(me, answer);
            if (speaker->last == TH_E_NO_ACTOR) /* asked in vain: the shutdown was first */
                speaker->last = TH_OK;
        }
    }
    if (me)
        (void)th_endpoint_close(me);
    return NULL;
}

Test(pool_stress, a_shutdown_under_everybodys_feet, .timeout = 300)
{
    for (int round = 0; round < 50; round++) {
        struct test_system ts =
            test_system_open_with(&(th_options){ .base = TH_BASE_POOL, .workers = 4 });
        static struct speaker speakers[THREADS];
        th_addr target = talk_create(ts.me, &child);

        for (int i = 0; i < THREADS; i++) {
            memset(&speakers[i], 0, sizeof(speakers[i]));
            speakers[i].sys = ts.sys;
            speakers[i].target = target;
            cr_assert_eq(pthread_create(&speakers[i].thread, NULL, speak, &speakers[i]), 0);
        }
        for (int i = 0; i < THREADS; i++)
            while (!atomic_load(&speakers[i].speaks))
                sched_yield();
        must(th_system_shutdown(ts.sys, TALK_PATIENCE, NULL, NULL));
        for (int i = 0; i < THREADS; i++)
            pthread_join(speakers[i].thread, NULL);
        for (int i = 0; i < THREADS; i++)
            cr_assert_eq(speakers[i].last, TH_E_CLOSED, "%s", th_err_name(speakers[i].last));
        test_system_close(&ts);
    }
}
