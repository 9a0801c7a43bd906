/* Credits: how many there are, when they come back, and whose they are. */
#include "puppet.h"

#include "runtime/actor/credits.h"
#include "runtime/actor/names.h"
#include "runtime/actor/send.h"
#include <thespis/name.h>

static struct thi_cell *cell_of(struct test_system *ts, th_addr actor)
{
    return thi_directory_find(&thi_stage_of(ts->me)->directory, actor);
}

static th_addr make(struct test_system *ts, uint32_t limit, struct part part, const char *name)
{
    struct part *copy;
    th_spawn_options options = { .klass = &puppet_class,
                                 .arg = part_new(ts->me, &copy),
                                 .mailbox = { .limit = limit },
                                 .global_name = name };
    th_addr actor;

    *copy = part;
    cr_assert_eq(th_create(ts->me, &options, TEST_PATIENCE, &actor, NULL), TH_OK);
    return actor;
}

/* ---- the block ---- */

BOTH_BASES(credits, a_batch_is_an_eighth)
{
    static const uint32_t cases[][2] = {
        { 1, 1 }, { 8, 1 }, { 15, 1 }, { 16, 2 }, { 511, 63 }, { 512, 64 }, { 1u << 20, 64 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        th_addr actor = make(ts, cases[i][0], (struct part){ 0 }, NULL);
        struct thi_credits *credits;

        thi_stage_enter(thi_stage_of(ts->me));
        credits = thi_credits_of(cell_of(ts, actor));
        cr_assert_not_null(credits);
        cr_assert_eq(credits->batch, cases[i][1], "of %u", cases[i][0]);
        cr_assert_eq(thi_cell_inbox(cell_of(ts, actor)), &credits->inbox);
        thi_stage_leave(thi_stage_of(ts->me));
    }
}

BOTH_BASES(credits, others_have_none)
{
    th_addr actor = puppet_new(ts, (struct part){ 0 });

    cr_assert_eq(tell(ts, actor, order_nothing, 0), 0);
    thi_stage_enter(thi_stage_of(ts->me));
    cr_assert_null(thi_credits_of(cell_of(ts, actor)));
    cr_assert_eq(thi_cell_inbox(cell_of(ts, actor)), &cell_of(ts, actor)->inbox);
    thi_stage_leave(thi_stage_of(ts->me));
}

/* ---- there and back ---- */

enum { MANY = 20, LIMIT = 64, BATCH = LIMIT / 8 };

/* How many are out while each is handled. */
static th_err look(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    struct thi_credits *credits = thi_cell_of_self(self)->extra->credits;

    (void)puppet;
    if (work_of(msg))
        note('m', thi_credits_used(thi_credits_look(credits)), th_addr_none());
    return TH_OK;
}

Test(credits, come_back_in_batches_and_the_last_at_the_end_of_a_turn)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_addr actor = make(&ts, LIMIT, (struct part){ .receive = look }, NULL);

    journal_clear();
    send_works(ts.me, actor, 0, MANY);
    journal_wait(&ts, MANY);
    for (uint64_t i = 0; i < MANY; i++)
        cr_assert_eq(journal[i].number, MANY - (i + 1) / BATCH * BATCH, "at %d", (int)i);
    cr_assert_eq(thi_credits_look(thi_credits_of(cell_of(&ts, actor))), 0);
    test_system_close(&ts);
}

/* A retry has its credit already, and poison takes none. */
static th_err fail(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    return look(self, puppet, msg) || work_of(msg) ? TH_E_FAILED : TH_OK;
}

Test(credits, a_retry_takes_none)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_addr actor = make(&ts, 2, (struct part){ .receive = fail }, NULL);

    journal_clear();
    send_works(ts.me, actor, 0, 2);
    journal_wait(&ts, 2 * TH_DELIVERIES_MAX);
    for (unsigned i = 0; i < 2 * TH_DELIVERIES_MAX; i++)
        cr_assert_eq(journal[i].number, i < TH_DELIVERIES_MAX);
    cr_assert_eq(thi_credits_look(thi_credits_of(cell_of(&ts, actor))), 0);
    test_system_close(&ts);
}

/* ---- the end ---- */

/* A sender may have seen the mailbox before its actor ended, and come back to it after: the cell is
 * still no question's, though one with a name is a parcel by then. */
static void come_late(const char *name)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    struct thi_stage *stage = thi_stage_of(ts.me);
    th_addr actor = make(&ts, 2, (struct part){ 0 }, name);
    th_counts before;
    struct thi_cell *cell;
    th_msg *msg;

    thi_stage_enter(stage);
    cell = cell_of(&ts, actor);
    cr_assert_eq(th_stop(ts.me, actor), TH_OK);
    while (thi_cell_kind(cell) == THI_CELL_ACTOR)
        sched_yield();
    while (thi_directory_find(&stage->directory, actor))
        sched_yield();
    cr_assert(thi_credits_stand(cell));
    before = test_system_counts(&ts);
    msg = work_make(ts.me, 1);
    msg->thi_to = actor;
    thi_count(ts.me, THI_STAT_ACCEPTED);
    cr_assert_eq(thi_credits_deliver(ts.me, cell, msg, true), TH_OK);
    thi_stage_leave(stage);
    cr_assert_eq(test_system_counts(&ts).dead_by_reason[TH_DEAD_NO_ACTOR],
                 before.dead_by_reason[TH_DEAD_NO_ACTOR] + 1);
    test_system_close(&ts);
    works_gone();
}

Test(credits, who_comes_late_finds_nobody)
{
    come_late(NULL);
}

Test(credits, who_comes_late_to_a_name_finds_nobody)
{
    come_late("mill");
}

/* Threads want one name: the actor that loses leaves nothing, though its mailbox is a block. */
static void *want(void *context)
{
    struct test_system *ts = context;
    th_spawn_options options = { .klass = &puppet_class,
                                 .mailbox = { .limit = 2 },
                                 .global_name = "the one" };
    th_self *self;
    th_addr actor;

    if (th_endpoint_open(ts->sys, &self))
        return context;
    for (int i = 0; i < 200; i++) {
        if (th_spawn_with(self, &options, &actor) || th_stop(self, actor))
            return context;
        sched_yield();
    }
    return th_endpoint_close(self) ? context : NULL;
}

Test(credits, who_loses_a_name_leaves_no_block)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    pthread_t threads[3];
    void *why;

    for (int i = 0; i < 3; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, want, &ts), 0);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(pthread_join(threads[i], &why), 0);
        cr_assert_null(why);
    }
    test_system_close(&ts);
}
