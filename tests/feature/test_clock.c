/* A clock of the program's own: it jumps, stands, and runs backwards. */
#include "tests/support/system.h"
#include "tests/support/talk.h"

#include <stdatomic.h>
#include <string.h>

/* Later than any machine's: what is waited for by the wrong clock does not come. */
#define BEGIN TH_S(1000000000)

static _Atomic uint64_t shown;

static uint64_t show(void *context)
{
    return atomic_load((_Atomic uint64_t *)context);
}

static struct test_system open_with_clock(void)
{
    th_clock clock = { .monotonic = show, .context = &shown };
    th_options options = { .workers = 2, .clock = &clock };

    atomic_store(&shown, BEGIN);
    return test_system_open_with(&options);
}

static void set(struct test_system *ts, uint64_t now)
{
    atomic_store(&shown, now);
    must(th_clock_moved(ts->sys));
}

static void wake_after(struct test_system *ts, uint64_t delay_ns, const char *word)
{
    must(th_wakeup_after(ts->me, delay_ns, talk_word(ts->me, word), NULL));
}

/* The next thing heard is the wakeup that carries @word. */
static void hear_wakeup(struct test_system *ts, const char *word)
{
    th_msg *msg = NULL;

    must(th_listen(ts->me, TALK_PATIENCE, &msg));
    cr_assert_not_null(th_wakeup_of(msg));
    cr_assert(talk_is(th_wakeup_of(msg)->payload, word), "not %s", word);
    th_msg_destroy(ts->me, msg);
}

Test(clock, that_stands_makes_nothing_due)
{
    struct test_system ts = open_with_clock();

    cr_assert_eq(th_now(ts.me), BEGIN);
    wake_after(&ts, 1, "soon");
    talk_hear_nothing(ts.me); /* whose limit is by the machine's clock */
    set(&ts, BEGIN + 1);
    hear_wakeup(&ts, "soon");
    cr_assert_eq(th_now(ts.me), BEGIN + 1);
    test_system_close(&ts); /* and so is a shutdown's */
}

Test(clock, that_jumps_forward_fires_what_is_due_in_order)
{
    struct test_system ts = open_with_clock();

    wake_after(&ts, TH_S(3), "third");
    wake_after(&ts, TH_S(1), "first");
    wake_after(&ts, TH_S(2), "second");
    wake_after(&ts, TH_S(90), "late");
    set(&ts, BEGIN + TH_S(10));
    hear_wakeup(&ts, "first");
    hear_wakeup(&ts, "second");
    hear_wakeup(&ts, "third");
    talk_hear_nothing(ts.me);
    test_system_close(&ts);
}

Test(clock, that_moves_unsaid_is_looked_at)
{
    struct test_system ts = open_with_clock();

    wake_after(&ts, TH_S(60), "minute");
    talk_hear_nothing(ts.me); /* nobody looks any more because of that */
    atomic_store(&shown, BEGIN + TH_S(60));
    hear_wakeup(&ts, "minute");
    test_system_close(&ts);
}

Test(clock, that_runs_backwards_stands_and_nothing_is_early)
{
    struct test_system ts = open_with_clock();

    wake_after(&ts, TH_S(10), "ten");
    cr_assert_eq(th_now(ts.me), BEGIN);
    set(&ts, BEGIN - TH_S(500));
    cr_assert_eq(th_now(ts.me), BEGIN);
    wake_after(&ts, TH_S(5), "five");
    set(&ts, BEGIN - TH_S(490)); /* ten seconds passed, by what it shows now */
    talk_hear_nothing(ts.me);
    set(&ts, BEGIN + TH_S(5) - 1);
    talk_hear_nothing(ts.me);
    set(&ts, BEGIN + TH_S(5));
    hear_wakeup(&ts, "five");
    talk_hear_nothing(ts.me);
    set(&ts, BEGIN + TH_S(10));
    hear_wakeup(&ts, "ten");
    test_system_close(&ts);
}

Test(clock, at_its_very_end_fires_nothing_that_is_never)
{
    struct test_system ts = open_with_clock();

    wake_after(&ts, UINT64_MAX, "never");
    wake_after(&ts, TH_S(1), "once");
    set(&ts, UINT64_MAX);
    hear_wakeup(&ts, "once");
    talk_hear_nothing(ts.me);
    test_system_close(&ts);
}

/* ---- between actors ---- */

static th_err nobody_answered(th_self *self, void *state, const th_msg *answer, th_err err,
                              uint64_t token)
{
    th_addr *asker = state;

    return talk_count(self, *asker, err);
}

/* Asks an actor that does not answer. */
static th_err asker_receive(th_self *self, void *state, const th_msg *msg)
{
    th_addr *asker = state;

    if (!talk_whom_of(msg))
        return TH_OK;
    *asker = th_msg_sender(msg);
    return th_ask_then(self, talk_whom_of(msg)->addr, talk_word(self, "?"), TH_S(30),
                       nobody_answered, 0);
}

static const th_class asker = { .name = "asker",
                                .state_size = sizeof(th_addr),
                                .receive = asker_receive };

Test(clock, decides_how_long_an_actor_waits_for_an_answer)
{
    struct test_system ts = open_with_clock();
    th_addr addr = talk_create(ts.me, &asker), deaf = talk_create(ts.me, &talk_counter);
    struct talk_whom whom = { .addr = deaf };
    const struct talk_number *number;
    th_msg *msg = NULL;

    must(talk_whom_send(ts.me, addr, whom));
    talk_hear_nothing(ts.me);
    set(&ts, BEGIN + TH_S(30));
    must(th_listen(ts.me, TALK_PATIENCE, &msg));
    number = talk_number_of(msg);
    cr_assert_not_null(number);
    cr_assert_eq(number->value, TH_E_TIMEOUT);
    th_msg_destroy(ts.me, msg);
    test_system_close(&ts);
}

/* ---- for people ---- */

/* One record of the system's own, and when it says it was. */
struct diary {
    _Atomic uint64_t wall; /* what the clock shows */
    _Atomic uint64_t time_ns;
};

static uint64_t show_wall(void *context)
{
    return atomic_load(&((struct diary *)context)->wall);
}

static th_err note_time(void *context, const th_log_record *record)
{
    if (strcmp(record->text, "note this") == 0)
        atomic_store(&((struct diary *)context)->time_ns, record->time_ns);
    return TH_OK;
}

/* What a record says that is written now. */
static uint64_t time_of_a_record(struct test_system *ts, struct diary *diary)
{
    atomic_store(&diary->time_ns, 0);
    th_log_error(ts->me, "note this");
    must(th_log_flush(ts->sys, TEST_PATIENCE));
    return atomic_load(&diary->time_ns);
}

static struct test_system open_with_diary(struct diary *diary, const th_clock *clock)
{
    th_log_sink sink = { .kind = TH_LOG_SINK_FUNCTION, .write = note_time, .context = diary };
    th_log_options log = { .sinks = &sink, .sink_count = 1, .ignore_environment = true };
    th_options options = { .workers = 2, .clock = clock, .log = &log };

    return test_system_open_with(&options);
}

Test(clock, shows_people_a_time_of_its_own)
{
    struct diary diary = { .wall = TH_S(2000000000) };
    th_clock clock = { .monotonic = show_wall, .wall = show_wall, .context = &diary };
    struct test_system ts = open_with_diary(&diary, &clock);

    cr_assert_eq(time_of_a_record(&ts, &diary), TH_S(2000000000));
    atomic_store(&diary.wall, 7); /* it may run backwards: people's clocks do */
    cr_assert_eq(time_of_a_record(&ts, &diary), 7);
    test_system_close(&ts);
}

Test(clock, without_a_time_for_people_shows_the_machines)
{
    struct diary diary = { 0 };
    th_clock clock = { .monotonic = show, .context = &shown };
    struct test_system ts = open_with_diary(&diary, &clock);
    uint64_t said = time_of_a_record(&ts, &diary);

    cr_assert_gt(said, 0);
    cr_assert_neq(said, BEGIN);
    test_system_close(&ts);
}

/* ---- where there is none ---- */

Test(clock, of_the_simple_base_stays_virtual)
{
    th_clock clock = { .monotonic = show, .context = &shown };
    th_options options = { .base = TH_BASE_SIMPLE, .clock = &clock };
    struct test_system ts = test_system_open_with(&options);

    atomic_store(&shown, BEGIN);
    cr_assert_eq(th_now(ts.me), 0);
    must_be(th_clock_moved(ts.sys), TH_E_STATE);
    test_system_close(&ts);
}

Test(clock, needs_a_function)
{
    th_clock clock = { .context = &shown };
    th_options options = { .clock = &clock };
    const char *why = NULL;
    struct test_system ts;

    must_be(th_options_check(&options, &why), TH_E_INVALID);
    cr_assert_eq(strncmp(why, "clock:", 6), 0);
    cr_assert_null(th_system_create(&options));
    must_be(th_clock_moved(NULL), TH_E_INVALID);
    ts = test_system_open(TH_BASE_POOL, 0);
    must_be(th_clock_moved(ts.sys), TH_E_STATE);
    must(th_system_shutdown(ts.sys, TEST_PATIENCE, NULL, NULL));
    must_be(th_clock_moved(ts.sys), TH_E_CLOSED);
    test_system_close(&ts);
}
