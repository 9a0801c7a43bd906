/* Many threads on one endpoint, and a thread that falls asleep just when mail comes. */
#include "../../support/system.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define NUMBER_FIELDS(F, S) F(S, u64, value)
TH_MESSAGE(number, NUMBER_FIELDS);
TH_MESSAGE_TYPE(number, NUMBER_FIELDS)

TH_SIGNAL(silence);
TH_SIGNAL_TYPE(silence)

/* Answers number n with n + 1, and silence not at all. */
static th_err adder_receive(th_self *self, void *state, const th_msg *msg)
{
    const struct number *number = number_of(msg);

    (void)state;
    return number ? number_send(self, th_msg_sender(msg), (struct number){ number->value + 1 })
                  : TH_OK;
}

static const th_class adder_class = { .name = "adder", .receive = adder_receive };

static th_addr spawn(struct test_system *ts, const th_class *klass)
{
    th_addr addr;

    cr_assert_eq(th_spawn(ts->me, klass, NULL, &addr), TH_OK);
    return addr;
}

static th_msg *make_number(th_self *self, uint64_t value)
{
    struct number *body;
    th_msg *msg = number_new(self, &body);

    cr_assert_not_null(msg);
    body->value = value;
    return msg;
}

static uint64_t ask_number(th_self *self, th_addr to, uint64_t value)
{
    th_msg *answer = NULL;
    th_err err = th_ask(self, to, make_number(self, value), TEST_PATIENCE, &answer);
    uint64_t got;

    cr_assert_eq(err, TH_OK, "%s", th_strerror(err));
    cr_assert_not_null(number_of(answer));
    got = number_of(answer)->value;
    th_msg_destroy(self, answer);
    return got;
}

static uint64_t listen_number(th_self *self)
{
    th_msg *msg;
    uint64_t value;

    cr_assert_eq(th_listen(self, TEST_PATIENCE, &msg), TH_OK);
    cr_assert_not_null(number_of(msg));
    value = number_of(msg)->value;
    th_msg_destroy(self, msg);
    return value;
}

/* ---- many threads ---- */

enum { THREADS = 32, QUESTIONS = 300 };

struct crowd {
    struct test_system *ts;
    th_addr adder;
    bool is_private;
};

static void *ask_many(void *context)
{
    struct crowd *crowd = context;
    th_self *self = crowd->ts->me;

    if (crowd->is_private)
        cr_assert_eq(th_endpoint_open(crowd->ts->sys, &self), TH_OK);
    for (uint64_t i = 0; i < QUESTIONS; i++) {
        uint64_t value = (uint64_t)(uintptr_t)&i + i;

        cr_assert_eq(ask_number(self, crowd->adder, value), value + 1, "not our answer");
    }
    if (crowd->is_private)
        cr_assert_eq(th_endpoint_close(self), TH_OK);
    return NULL;
}

static void crowd_in(struct test_system *ts, bool is_private)
{
    struct crowd crowd = { ts, spawn(ts, &adder_class), is_private };
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, ask_many, &crowd), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

BOTH_BASES(waiting, many_threads_share_the_default_endpoint, .timeout = 60)
{
    crowd_in(ts, false);
}

BOTH_BASES(waiting, many_threads_have_their_own, .timeout = 60)
{
    crowd_in(ts, true);
}

enum { LISTENERS = 4, SHARES = 1000 };

static void *listen_many(void *context)
{
    struct test_system *ts = context;

    for (int i = 0; i < SHARES; i++)
        (void)listen_number(ts->me);
    return NULL;
}

/* On the pool: nobody would run the simple base while nobody knows that more will come. */
Test(waiting, listeners_share_the_mail, .timeout = 60)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    th_addr me = th_self_addr(ts.me);
    pthread_t threads[LISTENERS];
    th_msg *none;

    for (int i = 0; i < LISTENERS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, listen_many, &ts), 0);
    for (uint64_t i = 0; i < LISTENERS * SHARES; i++)
        cr_assert_eq(number_send(ts.me, me, (struct number){ i }), TH_OK);
    for (int i = 0; i < LISTENERS; i++)
        pthread_join(threads[i], NULL);
    cr_assert_eq(th_listen(ts.me, 0, &none), TH_E_TIMEOUT, "each message went to one of them");
    test_system_close(&ts);
}

/* Threads that give up and threads that are answered, on one endpoint: a pump that leaves must have
 * a successor. */
static void *ask_in_vain(void *context)
{
    struct crowd *crowd = context;
    th_self *self = crowd->ts->me;

    for (int i = 0; i < 100; i++) {
        th_msg *answer;

        cr_assert_eq(
            th_ask(self, crowd->adder, th_msg_create(self, &silence_type), TH_US(50), &answer),
            TH_E_TIMEOUT);
    }
    return NULL;
}

Test(waiting, who_gives_up_holds_nobody_up, .timeout = 60)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    struct crowd crowd = { &ts, spawn(&ts, &adder_class), false };
    pthread_t threads[8];

    for (int i = 0; i < 8; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, i % 2 ? ask_many : ask_in_vain, &crowd), 0);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    test_system_close(&ts);
}

static void *listen_once(void *context)
{
    struct test_system *ts = context;
    th_msg *msg;

    cr_assert_eq(th_listen(ts->me, TEST_PATIENCE, &msg), TH_OK);
    cr_assert_not_null(silence_of(msg));
    th_msg_destroy(ts->me, msg);
    return NULL;
}

/* The listener waits first, so it pumps: for everybody, and for as long as nobody wants it. */
Test(waiting, who_pumps_wakes_whom_it_concerns, .timeout = 60)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    th_addr adder = spawn(&ts, &adder_class);
    pthread_t thread;

    cr_assert_eq(pthread_create(&thread, NULL, listen_once, &ts), 0);
    for (uint64_t i = 0; i < 2000; i++)
        cr_assert_eq(ask_number(ts.me, adder, i), i + 1);
    cr_assert_eq(silence_send(ts.me, th_self_addr(ts.me), (struct silence){ 0 }), TH_OK);
    pthread_join(thread, NULL);
    test_system_close(&ts);
}

/* A message that comes just when the listener falls asleep, twenty thousand times. */
enum { ROUNDS = 20000 };

struct rally {
    th_system *system;
    th_addr to;
    _Atomic uint64_t heard;
};

static void *send_when_heard(void *context)
{
    struct rally *rally = context;
    uint32_t gap = 1;
    th_self *self;

    cr_assert_eq(th_endpoint_open(rally->system, &self), TH_OK);
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        while (atomic_load(&rally->heard) + 1 < i)
            ;
        gap = gap * 1664525u + 1013904223u; /* from Numerical Recipes */
        for (volatile uint32_t spin = gap >> 24; spin; spin--)
            ;
        cr_assert_eq(number_send(self, rally->to, (struct number){ i }), TH_OK);
    }
    cr_assert_eq(th_endpoint_close(self), TH_OK);
    return NULL;
}

Test(waiting, no_wakeup_is_lost, .timeout = 60)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    struct rally rally = { .system = ts.sys, .to = th_self_addr(ts.me) };
    pthread_t thread;

    cr_assert_eq(pthread_create(&thread, NULL, send_when_heard, &rally), 0);
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        cr_assert_eq(listen_number(ts.me), i);
        atomic_store(&rally.heard, i);
    }
    pthread_join(thread, NULL);
    test_system_close(&ts);
}

static uint64_t processor_ns(void)
{
    struct timespec now;

    cr_assert_eq(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now), 0);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

Test(waiting, waiting_costs_no_processor)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    uint64_t before;
    th_msg *none;

    for (int i = 0; i < 3; i++) {
        before = processor_ns();
        cr_assert_eq(th_listen(ts.me, TH_MS(100), &none), TH_E_TIMEOUT);
        cr_assert_lt(processor_ns() - before, TH_MS(5), "wait %d", i);
    }
    test_system_close(&ts);
}
