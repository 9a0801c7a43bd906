/* Time limits, on the virtual clock: of nothing, of some time, and for ever.
 *
 * Thespian's timers are objects that one asks whether they have expired, how much remains, and
 * which of two is later. Here a limit is a number given to a call, so the same questions are put
 * to wakeups: it has expired when it arrives, what remains is how far time must move until then,
 * and of two limits the one that arrives first is the smaller; TH_FOREVER never arrives. Each
 * scenario of the timers has its test of that meaning here. */
#include "tests/support/talk.h"

enum { LIMITS_MAX = 16 };

#define CENTURY TH_S(100ull * 365 * 24 * 3600)

static struct {
    th_system *sys;
    th_self *me;
    uint64_t arrived[LIMITS_MAX]; /* ids, in order of arrival */
    uint64_t at[LIMITS_MAX];      /* when */
    int count;
} world;

static void open_world(void)
{
    memset(&world, 0, sizeof(world));
    world.sys = th_system_create(&(th_options){ .base = TH_BASE_SIMPLE, .seed = 7 });
    cr_assert_not_null(world.sys);
    must(th_system_start(world.sys));
    world.me = th_system_self(world.sys);
    cr_assert_not_null(world.me);
}

static void close_world(void)
{
    must(th_system_shutdown(world.sys, TALK_PATIENCE, NULL, NULL));
    must(th_system_destroy(world.sys));
}

#define LimitTest(name) Test(time_limits, name, .init = open_world, .fini = close_world)

/* A limit of that many nanoseconds from now. */
static uint64_t limit(uint64_t ns)
{
    uint64_t id = 0;

    must(th_wakeup_after(world.me, ns, NULL, &id));
    return id;
}

static uint64_t now(void)
{
    uint64_t ns = 0;

    must(th_virtual_now(world.sys, &ns));
    cr_assert_eq(ns, th_now(world.me));
    return ns;
}

static void advance(uint64_t ns)
{
    uint64_t before = now();
    th_msg *msg = NULL;

    must(th_advance(world.sys, ns));
    cr_assert_eq(now(), before + ns);
    while (th_listen(world.me, 0, &msg) == TH_OK) {
        cr_assert_not_null(th_wakeup_of(msg));
        cr_assert_lt(world.count, LIMITS_MAX);
        world.at[world.count] = now();
        world.arrived[world.count++] = th_wakeup_of(msg)->id;
        th_msg_destroy(world.me, msg);
    }
    cr_assert_eq(now(), before + ns, "looking takes no time");
}

/* Its place in the order of arrival; LIMITS_MAX: not yet. */
static int place(uint64_t id)
{
    int found = LIMITS_MAX;

    for (int i = 0; i < world.count; i++) {
        if (world.arrived[i] == id) {
            cr_assert_eq(found, LIMITS_MAX, "a limit passes once");
            found = i;
        }
    }
    return found;
}

static bool is_over(uint64_t id)
{
    advance(0);
    return place(id) < LIMITS_MAX;
}

static bool comes_before(uint64_t a, uint64_t b)
{
    return place(a) < place(b);
}

/* How far time must move until it is over, looking each millisecond; at most @most_ms. */
static uint64_t remaining_ms(uint64_t id, uint64_t most_ms)
{
    uint64_t ms = 0;

    while (!is_over(id) && ms < most_ms) {
        advance(TH_MS(1));
        ms++;
    }
    return ms;
}

/* Listens for what never comes. How far time moved. */
static uint64_t listen_in_vain(uint64_t limit_ns)
{
    uint64_t before = now();
    th_msg *msg = NULL;

    must_be(th_listen(world.me, limit_ns, &msg), TH_E_TIMEOUT);
    cr_assert_null(msg);
    return now() - before;
}

static const th_class deaf = { .name = "deaf" };

static uint64_t ask_in_vain(uint64_t limit_ns)
{
    th_addr actor = talk_create(world.me, &deaf);
    uint64_t before = now();
    th_msg *answer = NULL;

    must_be(th_ask(world.me, actor, talk_word(world.me, "?"), limit_ns, &answer), TH_E_TIMEOUT);
    cr_assert_null(answer);
    return now() - before;
}

/* ---- timing: the timer itself ---- */

LimitTest(a_limit_passes_in_time)
{
    uint64_t second = limit(TH_S(1));

    advance(TH_MS(200));
    cr_assert(!is_over(second));
    cr_assert_eq(remaining_ms(second, 2000), 800);
    advance(TH_S(1));
    cr_assert(is_over(second));
}

LimitTest(no_limit_never_passes)
{
    uint64_t never = limit(TH_FOREVER);

    cr_assert(!is_over(never));
    advance(TH_MS(200));
    cr_assert(!is_over(never));
    advance(CENTURY);
    cr_assert(!is_over(never));
    must(th_wakeup_cancel(world.me, never));
}

LimitTest(limits_pass_in_their_order)
{
    uint64_t one = limit(TH_S(1)), two = limit(TH_MS(900)), three = limit(0);
    uint64_t four = limit(TH_FOREVER), five = limit(TH_S(1)), six = limit(TH_S(10));
    uint64_t seven = limit(0), eight = limit(TH_FOREVER);

    advance(0);
    cr_assert(comes_before(three, seven));
    cr_assert(!is_over(two));
    advance(TH_S(5));
    cr_assert(comes_before(seven, two));
    cr_assert(comes_before(two, one));
    cr_assert(comes_before(one, five));
    cr_assert(!is_over(six));
    advance(CENTURY);
    cr_assert(comes_before(five, six));
    cr_assert(!is_over(four) && !is_over(eight));
}

/* ---- expired ---- */

LimitTest(forever_is_not_over)
{
    cr_assert(!is_over(limit(TH_FOREVER)));
}

LimitTest(nothing_is_over_at_once)
{
    cr_assert(is_over(limit(0)));
}

LimitTest(some_time_is_over_when_it_has_passed)
{
    uint64_t ten = limit(TH_MS(10));

    cr_assert(!is_over(ten));
    advance(TH_MS(10) - 1);
    cr_assert(!is_over(ten));
    advance(1);
    cr_assert(is_over(ten));
}

/* ---- remaining ---- */

LimitTest(forever_remains)
{
    cr_assert_eq(remaining_ms(limit(TH_FOREVER), 1000), 1000);
}

LimitTest(nothing_remains_of_nothing)
{
    cr_assert_eq(remaining_ms(limit(0), 1000), 0);
}

LimitTest(some_time_remains_and_then_nothing)
{
    uint64_t ten = limit(TH_MS(10));

    cr_assert_eq(remaining_ms(ten, 1000), 10);
    cr_assert_eq(remaining_ms(ten, 1000), 0);
}

/* A wait with a limit moves time at most so far; "in seconds" it is a limit of ask and listen. */
LimitTest(a_wait_for_ever_ends_when_nothing_is_left_to_run)
{
    cr_assert_eq(listen_in_vain(TH_FOREVER), 0);
    cr_assert_eq(ask_in_vain(TH_FOREVER), 0);
}

LimitTest(a_wait_of_nothing_takes_no_time)
{
    cr_assert_eq(listen_in_vain(0), 0);
    cr_assert_eq(ask_in_vain(0), 0);
}

LimitTest(a_wait_takes_no_longer_than_its_limit)
{
    uint64_t late = 0;

    must(th_wakeup_after(world.me, TH_MS(15), NULL, &late));
    cr_assert_leq(listen_in_vain(TH_MS(10)), TH_MS(10));
    cr_assert_leq(ask_in_vain(TH_MS(1)), TH_MS(1));
    must(th_wakeup_cancel(world.me, late));
}

LimitTest(a_short_wait_ends_before_a_limit_for_ever)
{
    uint64_t never = limit(TH_FOREVER);

    cr_assert_leq(listen_in_vain(TH_MS(5)), TH_MS(5));
    cr_assert(!is_over(never));
}

LimitTest(a_short_wait_in_seconds_ends_before_a_limit_for_ever)
{
    uint64_t never = limit(TH_FOREVER);

    cr_assert_leq(ask_in_vain(TH_S(9)), TH_S(9));
    cr_assert(!is_over(never));
}

/* ---- in words ---- */

static void expect_description(uint64_t delay_ns, const char *expected)
{
    th_msg *msg = NULL;
    char text[256];

    limit(delay_ns);
    must(th_listen(world.me, TALK_PATIENCE, &msg));
    th_msg_describe(msg, text, sizeof(text));
    cr_assert_not_null(strstr(text, expected), "no '%s' in '%s'", expected, text);
    th_msg_destroy(world.me, msg);
}

LimitTest(forever_shows_as_pending)
{
    th_system_status status;
    char text[4096];

    limit(TH_FOREVER);
    must(th_system_status_read(world.sys, &status));
    cr_assert_eq(status.wakeups_pending, 1);
    cr_assert_gt(th_system_status_print(&status, text, sizeof(text)), 0);
    cr_assert_not_null(strstr(text, "akeup"), "%s", text);
}

LimitTest(nothing_in_words)
{
    expect_description(0, "delay_ns: 0");
}

LimitTest(some_time_in_words)
{
    expect_description(TH_MS(10), "delay_ns: 10000000");
}

/* ---- equal and unequal ---- */

LimitTest(forever_equals_forever)
{
    uint64_t one = limit(TH_FOREVER), two = limit(TH_FOREVER);

    advance(CENTURY);
    cr_assert(!is_over(one) && !is_over(two));
    cr_assert(!comes_before(one, two) && !comes_before(two, one));
}

LimitTest(forever_is_not_what_is_over)
{
    uint64_t never = limit(TH_FOREVER), at_once = limit(0);

    cr_assert(is_over(at_once) && !is_over(never));
    cr_assert(comes_before(at_once, never));
}

LimitTest(forever_is_not_what_will_be_over)
{
    uint64_t never = limit(TH_FOREVER), ten = limit(TH_MS(10));

    cr_assert(!is_over(ten) && !is_over(never));
    advance(TH_MS(10));
    cr_assert(is_over(ten) && !is_over(never));
}

LimitTest(over_equals_over)
{
    uint64_t one = limit(0), two;

    advance(TH_MS(1));
    two = limit(0);
    cr_assert(is_over(one) && is_over(two));
    cr_assert(comes_before(one, two)); /* though their order of arrival stays */
}

LimitTest(over_equals_what_is_over_by_now)
{
    uint64_t one = limit(0), two = limit(TH_MS(10));

    cr_assert(is_over(one) && !is_over(two));
    advance(TH_MS(10));
    cr_assert(is_over(one) && is_over(two));
}

LimitTest(unequal_until_both_are_over)
{
    uint64_t fifteen = limit(TH_MS(15)), ten = limit(TH_MS(10));

    cr_assert(!is_over(fifteen) && !is_over(ten));
    advance(TH_MS(10));
    cr_assert(is_over(ten) && !is_over(fifteen));
    advance(TH_MS(5));
    cr_assert(is_over(ten) && is_over(fifteen));
    cr_assert(comes_before(ten, fifteen));
}

LimitTest(forever_does_not_differ_from_forever)
{
    uint64_t one = limit(TH_FOREVER), two = limit(UINT64_MAX);

    advance(CENTURY);
    cr_assert_eq(is_over(one), is_over(two));
    must(th_wakeup_cancel(world.me, two));
    cr_assert(!is_over(one));
}

/* ---- earlier and later ---- */

LimitTest(forever_is_not_later_than_forever)
{
    uint64_t one = limit(TH_FOREVER), two = limit(TH_FOREVER);

    advance(CENTURY);
    cr_assert(!comes_before(two, one));
}

LimitTest(forever_is_later_than_nothing)
{
    uint64_t never = limit(TH_FOREVER), at_once = limit(0);

    advance(0);
    cr_assert(comes_before(at_once, never));
    cr_assert(!comes_before(never, at_once));
}

LimitTest(forever_is_later_than_some_time)
{
    uint64_t never = limit(TH_FOREVER), ten = limit(TH_MS(10));

    for (int i = 0; i < 2; i++) { /* before it is over, and after */
        advance(TH_MS(10));
        cr_assert(comes_before(ten, never));
        cr_assert(!comes_before(never, ten));
    }
}

LimitTest(no_limit_is_less_than_none)
{
    uint64_t never = limit(TH_FOREVER), at_once = limit(0), ten = limit(TH_S(10));

    advance(CENTURY);
    cr_assert(!comes_before(never, at_once));
    cr_assert(!comes_before(never, ten));
    cr_assert(!is_over(never));
}

LimitTest(forever_is_not_earlier_than_forever)
{
    uint64_t one = limit(TH_FOREVER), two = limit(TH_FOREVER);

    advance(CENTURY);
    cr_assert(!comes_before(one, two));
}

LimitTest(forever_is_at_least_forever)
{
    uint64_t one = limit(TH_FOREVER), ten = limit(TH_MS(10)), two = limit(TH_FOREVER);

    advance(TH_S(10));
    cr_assert(is_over(ten));
    cr_assert(!comes_before(one, two));
}

LimitTest(forever_is_at_most_forever)
{
    uint64_t one = limit(TH_FOREVER), ten = limit(TH_MS(10)), two = limit(TH_FOREVER);

    advance(TH_S(10));
    cr_assert(is_over(ten));
    cr_assert(!comes_before(two, one));
}

/* ---- as a truth ---- */

LimitTest(forever_is_false)
{
    uint64_t never = limit(TH_FOREVER);

    cr_assert_not(is_over(never));
    must(th_wakeup_cancel(world.me, never)); /* it was still there to be taken back */
}

LimitTest(nothing_is_true)
{
    uint64_t at_once = limit(0);

    cr_assert(is_over(at_once));
    must_be(th_wakeup_cancel(world.me, at_once), TH_E_NO_TIMER);
}

LimitTest(some_time_is_false_and_then_true)
{
    uint64_t ten = limit(TH_MS(10));

    cr_assert_not(is_over(ten));
    advance(TH_MS(10));
    cr_assert(is_over(ten));
    must_be(th_wakeup_cancel(world.me, ten), TH_E_NO_TIMER);
}

/* ---- what Thespian's integers never do ---- */

/* Numbers that a careless caller means as negative, or that overflow when added to now. */
LimitTest(absurd_limits_do_not_come_round)
{
    const uint64_t absurd[] = { (uint64_t)-1,
                                (uint64_t)-2,
                                (uint64_t)-TH_S(5),
                                (uint64_t)INT64_MAX,
                                (uint64_t)INT64_MAX + 1,
                                (uint64_t)INT64_MIN,
                                UINT64_MAX / 2 + 2 };
    uint64_t ids[7], soon;

    advance(TH_S(10)); /* so that now + absurd would be small */
    for (int i = 0; i < 7; i++)
        ids[i] = limit(absurd[i]);
    soon = limit(TH_MS(1));
    advance(CENTURY);
    for (int i = 0; i < 7; i++)
        cr_assert(!is_over(ids[i]), "%llx came round", (unsigned long long)absurd[i]);
    cr_assert(is_over(soon));
}

LimitTest(deadlines_fire_at_their_moment_however_far_time_moves)
{
    uint64_t ids[LIMITS_MAX - 1];

    for (int i = 0; i < LIMITS_MAX - 1; i++) /* the latest is asked for first */
        ids[i] = limit(TH_MS(100) - TH_MS(i));
    advance(TH_S(3600));
    for (int i = 1; i < LIMITS_MAX - 1; i++)
        cr_assert(comes_before(ids[i], ids[i - 1]));
}
