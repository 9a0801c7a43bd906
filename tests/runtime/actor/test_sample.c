/* Of which sends a sample is taken: the next one, unless nobody handles it. Probes are mail, so the
 * books count them. */
#include "puppet.h"

#include "runtime/actor/sample.h"

static uint64_t accepted(struct test_system *ts)
{
    cr_assert_eq(th_run_until_idle(ts->sys, 0, NULL), TH_OK);
    return test_system_counts(ts).accepted;
}

/* Two works to order->addr, after it was told to sample. */
static uint64_t sample_two_sends(th_self *self, struct puppet *puppet, const struct order *order)
{
    thi_sample_begin(self->worker);
    send_works(self, order->addr, 0, 2);
    return self->worker->heed & THI_HEED_SAMPLE;
}

static uint64_t accepted_by(struct test_system *ts, th_addr actor, th_addr to)
{
    uint64_t before = accepted(ts);
    struct order order = { .run = sample_two_sends, .addr = to };

    cr_assert_eq(tell_order(ts, actor, order), 0, "it samples on");
    return accepted(ts) - before - 2; /* the order and its answer */
}

Test(sample, the_next_send_is_preceded_by_one_probe)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1);
    th_addr actor = puppet_new(&ts, (struct part){ 0 }),
            other = puppet_new(&ts, (struct part){ 0 });

    cr_assert_eq(accepted_by(&ts, actor, other), 2 + 1);
    test_system_close(&ts);
    works_gone();
}

/* An endpoint would be shown it, and a dead letter made of it. */
Test(sample, a_send_to_whoever_is_no_actor_is_not_measured)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1);
    th_addr actor = puppet_new(&ts, (struct part){ 0 }), gone = puppet_new(&ts, (struct part){ 0 });
    th_self *own;

    cr_assert_eq(th_endpoint_open(ts.sys, &own), TH_OK);
    cr_assert_eq(accepted_by(&ts, actor, th_self_addr(own)), 2);
    cr_assert_eq(th_endpoint_close(own), TH_OK);
    cr_assert_eq(th_stop(ts.me, gone), TH_OK);
    wait_gone(&ts, gone);
    cr_assert_eq(accepted_by(&ts, actor, gone), 2);
    test_system_close(&ts);
    works_gone();
}
