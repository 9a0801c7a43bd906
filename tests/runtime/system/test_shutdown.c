/* The end of a system: whole, in order, in its time, and told to who waits. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/system.h"

static const th_class idler_class = { .name = "idler" };

/* Spawns two of its kind until it is three generations deep. */
#define DEPTH_FIELDS(F, S) F(S, u32, left)
TH_MESSAGE(depth, DEPTH_FIELDS);
TH_MESSAGE_TYPE(depth, DEPTH_FIELDS)

static const th_class tree_class;

static th_err tree_init(th_self *self, void *state, const th_msg *arg)
{
    uint32_t left = arg ? depth_of(arg)->left : 3;
    th_addr addr;
    th_err err = TH_OK;

    (void)state;
    for (int i = 0; left && !err && i < 2; i++) {
        struct depth *body;
        th_msg *next = depth_new(self, &body);

        if (body)
            body->left = left - 1;
        err = th_spawn(self, &tree_class, next, &addr);
    }
    return err;
}

static const th_class tree_class = { .name = "tree", .init = tree_init };

BOTH_BASES(shutdown, a_shutdown_takes_the_whole_tree)
{
    th_spawn_options how = { .klass = &tree_class };
    th_addr addr;

    cr_assert_eq(th_create(ts->me, &how, TEST_PATIENCE, &addr, NULL), TH_OK);
    cr_assert_eq(th_system_shutdown(ts->sys, TEST_PATIENCE, NULL, NULL), TH_OK);
    cr_assert_eq(test_system_counts(ts).spawned, 15);
    cr_assert_eq(test_system_counts(ts).exited, 15);
}

/* Waits in its handler until the test lets it go. */
static struct {
    _Atomic bool is_in, may_go;
} gate;

TH_SIGNAL(enter_gate);
TH_SIGNAL_TYPE(enter_gate)

static th_err gate_receive(th_self *self, void *state, const th_msg *msg)
{
    (void)self;
    (void)state;
    if (th_msg_type(msg) != &enter_gate_type)
        return TH_OK;
    atomic_store(&gate.is_in, true);
    while (!atomic_load(&gate.may_go))
        sched_yield();
    return TH_OK;
}

static const th_class gate_class = { .name = "gate", .receive = gate_receive };

static th_err gatekeeper_init(th_self *self, void *state, const th_msg *arg)
{
    th_addr child;
    th_err err = th_spawn(self, &gate_class, NULL, &child);

    (void)state;
    (void)arg;
    return err ? err : th_send(self, child, th_msg_create(self, &enter_gate_type));
}

static const th_class gatekeeper_class = { .name = "gatekeeper", .init = gatekeeper_init };

struct leftovers {
    int count;
    char text[4][96];
};

static void note(void *context, th_addr actor, const char *class_name, const char *what)
{
    struct leftovers *left = context;

    cr_assert(!th_addr_is_none(actor));
    if (left->count < 4)
        snprintf(left->text[left->count], sizeof(left->text[0]), "%s: %s", class_name, what);
    left->count++;
}

static bool has(const struct leftovers *left, const char *text)
{
    for (int i = 0; i < left->count && i < 4; i++)
        if (strcmp(left->text[i], text) == 0)
            return true;
    return false;
}

Test(shutdown, a_late_shutdown_says_what_is_left)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    struct leftovers left = { 0 };
    th_addr addr;

    atomic_store(&gate.is_in, false);
    atomic_store(&gate.may_go, false);
    cr_assert_eq(th_spawn(ts.me, &gatekeeper_class, NULL, &addr), TH_OK);
    while (!atomic_load(&gate.is_in))
        sched_yield();
    cr_assert_eq(th_system_shutdown(ts.sys, 0, note, &left), TH_E_TIMEOUT);
    cr_assert(has(&left, "gate: running a handler"), "%s, %s", left.text[0], left.text[1]);
    cr_assert_eq(left.count, 2);
    /* the other worker has got to the keeper by then */
    while (!has(&left, "gatekeeper: exiting, waits for 1 child")) {
        left = (struct leftovers){ 0 };
        cr_assert_eq(th_system_shutdown(ts.sys, TH_MS(1), note, &left), TH_E_TIMEOUT);
    }
    cr_assert_eq(th_system_shutdown(ts.sys, 0, NULL, NULL), TH_E_TIMEOUT, "nobody needs a report");
    cr_assert_eq(th_system_destroy(ts.sys), TH_E_STATE);
    atomic_store(&gate.may_go, true);
    cr_assert_eq(th_system_shutdown(ts.sys, TEST_PATIENCE, NULL, NULL), TH_OK);
    test_system_close(&ts);
}

static void *shut_down(void *context)
{
    struct test_system *ts = context;
    th_err err = th_system_shutdown(ts->sys, TEST_PATIENCE, NULL, NULL);

    /* one did it, or waited for who did; who came after all was over is told so */
    cr_assert(err == TH_OK || err == TH_E_STATE, "%s", th_strerror(err));
    return NULL;
}

BOTH_BASES(shutdown, many_may_shut_down_at_once)
{
    pthread_t threads[8];
    th_addr addr;

    for (int i = 0; i < 100; i++)
        cr_assert_eq(th_spawn(ts->me, &idler_class, NULL, &addr), TH_OK);
    for (int i = 0; i < 8; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, shut_down, ts), 0);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
}

/* An actor that tries what only others may do, and tells its parent what it was answered. */
#define VERDICT_FIELDS(F, S) F(S, u32, shutdown) F(S, u32, wait)
TH_MESSAGE(verdict, VERDICT_FIELDS);
TH_MESSAGE_TYPE(verdict, VERDICT_FIELDS)
TH_SIGNAL(try_it);
TH_SIGNAL_TYPE(try_it)
TH_SIGNAL(request_it);
TH_SIGNAL_TYPE(request_it)

static th_err rebel_receive(th_self *self, void *state, const th_msg *msg)
{
    th_system *system = th_self_system(self);
    struct verdict verdict;

    (void)state;
    if (th_msg_type(msg) == &request_it_type)
        return th_request_shutdown(self);
    if (th_msg_type(msg) != &try_it_type)
        return TH_OK;
    verdict.shutdown = (uint32_t)th_system_shutdown(system, TH_FOREVER, NULL, NULL);
    verdict.wait = (uint32_t)th_system_wait(system, TH_FOREVER);
    return verdict_send(self, th_msg_sender(msg), verdict);
}

static const th_class rebel_class = { .name = "rebel", .receive = rebel_receive };

BOTH_BASES(shutdown, an_actor_cannot_wait_for_its_own_end)
{
    th_addr rebel;
    th_msg *answer;

    cr_assert_eq(th_spawn(ts->me, &rebel_class, NULL, &rebel), TH_OK);
    cr_assert_eq(th_ask(ts->me, rebel, th_msg_create(ts->me, &try_it_type), TEST_PATIENCE, &answer),
                 TH_OK);
    cr_assert_not_null(verdict_of(answer));
    cr_assert_eq(verdict_of(answer)->shutdown, TH_E_NOT_ALLOWED);
    cr_assert_eq(verdict_of(answer)->wait, TH_E_NOT_ALLOWED);
    th_msg_destroy(ts->me, answer);
}

BOTH_BASES(shutdown, an_actor_can_ask_for_the_end)
{
    th_addr rebel;

    cr_assert_eq(th_system_wait(ts->sys, 0), TH_E_TIMEOUT);
    cr_assert_eq(th_spawn(ts->me, &rebel_class, NULL, &rebel), TH_OK);
    cr_assert_eq(th_tell(ts->me, rebel, th_msg_create(ts->me, &request_it_type)), TH_OK);
    cr_assert_eq(th_system_wait(ts->sys, TEST_PATIENCE), TH_OK);
    cr_assert_eq(th_spawn(ts->me, &rebel_class, NULL, &rebel), TH_E_CLOSED);
    cr_assert_eq(th_system_shutdown(ts->sys, TEST_PATIENCE, NULL, NULL), TH_OK);
    cr_assert_eq(test_system_counts(ts).exited, 1);
}

/* Answers, and ends the system by it. */
static th_err martyr_receive(th_self *self, void *state, const th_msg *msg)
{
    th_err err;

    (void)state;
    if (th_msg_type(msg) != &request_it_type)
        return TH_OK;
    err = th_request_shutdown(self);
    return err ? err : verdict_send(self, th_msg_sender(msg), (struct verdict){ 0 });
}

static const th_class martyr_class = { .name = "martyr", .receive = martyr_receive };

BOTH_BASES(shutdown, a_question_may_end_it)
{
    th_addr martyr;
    th_msg *answer;

    cr_assert_eq(th_spawn(ts->me, &martyr_class, NULL, &martyr), TH_OK);
    cr_assert_eq(
        th_ask(ts->me, martyr, th_msg_create(ts->me, &request_it_type), TEST_PATIENCE, &answer),
        TH_OK);
    th_msg_destroy(ts->me, answer);
    cr_assert_eq(th_system_wait(ts->sys, 0), TH_OK);
    cr_assert_eq(th_system_shutdown(ts->sys, TEST_PATIENCE, NULL, NULL), TH_OK);
}

BOTH_BASES(shutdown, so_can_an_endpoint)
{
    cr_assert_eq(th_request_shutdown(ts->me), TH_OK);
    cr_assert_eq(th_request_shutdown(ts->me), TH_OK, "twice is as good");
    cr_assert_eq(th_system_wait(ts->sys, TH_FOREVER), TH_OK);
}

static void *listen_for_ever(void *context)
{
    th_msg *msg;
    th_err err = th_listen(context, TH_FOREVER, &msg);

    cr_assert_eq(err, TH_E_CLOSED, "%s", th_strerror(err));
    return NULL;
}

Test(shutdown, the_end_wakes_who_waits)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    pthread_t threads[4];
    th_self *own;

    cr_assert_eq(th_endpoint_open(ts.sys, &own), TH_OK);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, listen_for_ever, i ? ts.me : own), 0);
    cr_assert_eq(th_system_shutdown(ts.sys, TEST_PATIENCE, NULL, NULL), TH_OK);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    cr_assert_eq(th_system_destroy(ts.sys), TH_E_STATE, "an endpoint is open");
    cr_assert_eq(th_endpoint_close(own), TH_OK);
    test_system_close(&ts);
}
