/* Threads that are no actors: each with an endpoint of its own, all at once, and answers that go to
 * the one that asked. */
#include <pthread.h>

#include "tests/support/system.h"
#include "tests/support/talk.h"

enum { ASKS = 20 };

static th_err computer_receive(th_self *self, void *state, const th_msg *msg)
{
    return talk_number_of(msg)
               ? talk_count(self, th_msg_sender(msg), talk_number_of(msg)->value * 2)
               : TH_OK;
}

static const th_class computer = { .name = "computer", .receive = computer_receive };

struct asker {
    th_system *sys;
    th_addr finished; /* told "done" at the end, unless none */
    int64_t first;    /* asks for numbers nobody else asks for */
    pthread_t thread;
    const char *failed_at; /* NULL: all went well */
};

/* Assertions belong to the main thread, so this one reports. */
static const char *ask_all(struct asker *asker, th_self *me)
{
    th_addr target;

    if (th_create(me, &(th_spawn_options){ .klass = &computer }, TALK_PATIENCE, &target, NULL))
        return "create";
    for (int64_t i = asker->first; i < asker->first + ASKS; i++) {
        struct talk_number *body;
        th_msg *question = talk_number_new(me, &body), *answer = NULL;

        if (!question)
            return "new";
        body->value = i;
        if (th_ask(me, target, question, TALK_PATIENCE, &answer))
            return "ask";
        if (!talk_number_of(answer) || talk_number_of(answer)->value != 2 * i) {
            th_msg_destroy(me, answer);
            return "somebody else's answer";
        }
        th_msg_destroy(me, answer);
    }
    if (!th_addr_is_none(asker->finished) && talk_say(me, asker->finished, "done"))
        return "tell";
    return th_stop(me, target) ? "stop" : NULL;
}

static void *run_asker(void *arg)
{
    struct asker *asker = arg;
    th_self *me = NULL;

    if (th_endpoint_open(asker->sys, &me)) {
        asker->failed_at = "open";
        return NULL;
    }
    asker->failed_at = ask_all(asker, me);
    if (th_endpoint_close(me))
        asker->failed_at = "close";
    return NULL;
}

static void run_askers(struct test_system *ts, int count, bool ask_main)
{
    static struct asker askers[100];
    th_addr finished = th_addr_none(), target;

    if (ask_main)
        finished = talk_create(ts->me, &talk_counter);
    for (int i = 0; i < count; i++) {
        askers[i] = (struct asker){ .sys = ts->sys, .finished = finished, .first = i * ASKS };
        cr_assert_eq(pthread_create(&askers[i].thread, NULL, run_asker, &askers[i]), 0);
    }
    target = talk_create(ts->me, &talk_echo);
    for (int i = 0; ask_main && i < ASKS; i++) /* meanwhile, with the default endpoint */
        talk_expect(ts->me, target, "meanwhile", "meanwhile");
    for (int i = 0; i < count; i++)
        pthread_join(askers[i].thread, NULL);
    for (int i = 0; i < count; i++)
        cr_assert_null(askers[i].failed_at, "thread %d: %s", i, askers[i].failed_at);
    if (ask_main) {
        talk_wait_for(ts->me, finished, count);
        cr_assert_eq(talk_ask_number(ts->me, finished, "count?"), count);
    }
    talk_hear_nothing(ts->me);
}

BOTH_BASES(threaded_external, one_thread)
{
    run_askers(ts, 1, false);
}

BOTH_BASES(threaded_external, one_thread_while_the_main_one_asks)
{
    run_askers(ts, 1, true);
}

BOTH_BASES(threaded_external, many_threads)
{
    const int counts[] = { 1, 2, 5, 10, 100 };

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        run_askers(ts, counts[i], false);
}

BOTH_BASES(threaded_external, many_threads_while_the_main_one_asks)
{
    const int counts[] = { 1, 2, 5, 10, 100 };

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        run_askers(ts, counts[i], true);
}

/* ---- one endpoint, many threads ---- */

struct sharer {
    th_self *shared; /* the default endpoint */
    th_addr target;
    int64_t first;
    pthread_t thread;
    const char *failed_at;
};

static void *run_sharer(void *arg)
{
    struct sharer *sharer = arg;

    for (int64_t i = sharer->first; i < sharer->first + ASKS && !sharer->failed_at; i++) {
        struct talk_number *body;
        th_msg *question = talk_number_new(sharer->shared, &body), *answer = NULL;

        if (!question) {
            sharer->failed_at = "new";
            break;
        }
        body->value = i;
        if (th_ask(sharer->shared, sharer->target, question, TALK_PATIENCE, &answer)) {
            sharer->failed_at = "ask";
            break;
        }
        if (!talk_number_of(answer) || talk_number_of(answer)->value != 2 * i)
            sharer->failed_at = "somebody else's answer";
        th_msg_destroy(sharer->shared, answer);
    }
    return NULL;
}

/* Thespian's threads steal each other's answers here, which is why it has private(). */
BOTH_BASES(threaded_external, the_default_endpoint_serves_many_threads)
{
    enum { THREADS = 16 };
    static struct sharer sharers[THREADS];
    th_addr target = talk_create(ts->me, &computer);

    for (int i = 0; i < THREADS; i++) {
        sharers[i] = (struct sharer){ .shared = ts->me, .target = target, .first = i * ASKS };
        cr_assert_eq(pthread_create(&sharers[i].thread, NULL, run_sharer, &sharers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(sharers[i].thread, NULL);
    for (int i = 0; i < THREADS; i++)
        cr_assert_null(sharers[i].failed_at, "thread %d: %s", i, sharers[i].failed_at);
    talk_hear_nothing(ts->me);
}
