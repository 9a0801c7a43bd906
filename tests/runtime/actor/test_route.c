/* The seam to other systems, with a box that the test owns in place of a link. */
#include "runtime/actor/route.h"

#include "runtime/actor/box.h"
#include "runtime/actor/send.h"
#include "runtime/system/system.h"
#include "mailbox/msg.h"
#include "tests/support/system.h"
#include "tests/support/talk.h"
#include <thespis/mailbox.h>

#define FAR UINT64_C(0xfa12)

enum { LIMIT = 4, MOST = 8 };

/* A way to the system FAR, whose other end is the test. Outlives the body of a test: the system is
 * shut down behind it. */
static struct {
    struct thi_route route;
    struct thi_box box;
    struct thi_heap heap;
    struct thi_stage *stage;
    bool is_shut;
    atomic_int wakes;
} way;

static void wake(struct thi_endpoint *endpoint)
{
    atomic_fetch_add(&way.wakes, 1);
}

static void release(struct thi_endpoint *endpoint)
{
    atomic_fetch_add(&way.wakes, 1000);
}

static struct thi_cell *find(struct thi_route *route, uint64_t system)
{
    return system == FAR ? thi_directory_find(&way.stage->directory, way.box.endpoint.addr) : NULL;
}

static void shut(struct thi_route *route)
{
    if (!way.is_shut)
        thi_box_close(&way.box, TH_DEAD_SHUTDOWN);
    way.is_shut = true;
}

static void destroy(struct thi_route *route)
{
    thi_heap_fini(&way.heap);
}

static void open_way(struct test_system *ts)
{
    struct thi_box_options options = { LIMIT, MOST, &way.heap, wake, release };

    memset(&way, 0, sizeof(way));
    way.stage = &ts->sys->stage;
    way.route = (struct thi_route){ find, shut, destroy };
    thi_heap_init(&way.heap, &way.stage->memory, &way.stage->depot);
    must(thi_box_open(&way.box, way.stage, &options));
    must(thi_route_set(way.stage, &way.route));
    must_be(thi_route_set(way.stage, &way.route), TH_E_STATE);
}

static th_addr far(uint32_t slot)
{
    return (th_addr){ FAR, slot, 1 };
}

/* The other system has it. */
static void settle(th_msg *msg)
{
    th_self *self = &way.box.endpoint.self;
    bool took = !(th_msg_type(msg)->flags & TH_TYPE_SYSTEM);

    thi_stage_enter(way.stage);
    thi_count(self, THI_STAT_HANDLED);
    th_msg_destroy(self, msg);
    thi_box_settle(&way.box, took);
    thi_stage_leave(way.stage);
}

/* Everything that waits is settled. */
static void settle_all(void)
{
    th_msg *all, *next;

    while ((all = thi_box_take(&way.box)))
        for (; all; all = next) {
            next = all->thi_next;
            settle(all);
        }
}

/* The next message, of @type [give]. */
static th_msg *hear(struct test_system *ts, const th_type *type)
{
    th_msg *msg;

    must(th_listen(ts->me, TALK_PATIENCE, &msg));
    cr_assert_eq(th_msg_type(msg), type, "%s", th_msg_type(msg)->name);
    return msg;
}

static void hear_dead(struct test_system *ts, th_dead_reason reason)
{
    th_msg *msg = hear(ts, &th_dead_letter_type);

    cr_assert_eq(th_dead_letter_of(msg)->reason, reason);
    th_msg_destroy(ts->me, msg);
}

BOTH_BASES(route, mail_for_another_system_waits_in_its_box)
{
    th_msg *first, *second;

    open_way(ts);
    cr_assert_null(thi_box_take(&way.box)); /* it sleeps */
    must(talk_say(ts->me, far(7), "one"));
    must(talk_say(ts->me, far(8), "two"));
    cr_assert_eq(atomic_load(&way.wakes), 1);
    first = thi_box_take(&way.box);
    second = first->thi_next;
    cr_assert(talk_is(first, "one") && talk_is(second, "two"));
    cr_assert(th_addr_equal(th_msg_target(first), far(7)));
    cr_assert(th_addr_equal(th_msg_sender(first), th_self_addr(ts->me)));
    cr_assert_null(second->thi_next);
    settle(first);
    settle(second);
    cr_assert_null(thi_box_take(&way.box));
}

BOTH_BASES(route, without_a_way_it_is_a_dead_letter)
{
    th_verdict verdict;

    must(th_dead_letters_to_me(ts->me, true));
    must(talk_say(ts->me, far(7), "before there is a way"));
    hear_dead(ts, TH_DEAD_FOREIGN);
    must_be(th_watch_actor(ts->me, far(7)), TH_E_FOREIGN);
    must_be(th_when_writable(ts->me, far(7)), TH_E_FOREIGN);
    must_be(th_offer(ts->me, far(7), talk_word(ts->me, "offer"), &verdict), TH_E_FOREIGN);
    open_way(ts);
    must(talk_say(ts->me, (th_addr){ FAR + 1, 7, 1 }, "to a third one"));
    hear_dead(ts, TH_DEAD_FOREIGN);
    must(talk_say(ts->me, far(7), "waits at the end"));
    must(th_dead_letters_to_me(ts->me, false));
}

/* An endpoint cannot be held: it is refused at the limit. */
BOTH_BASES(route, an_endpoint_is_refused_at_the_limit)
{
    th_verdict verdict;
    th_msg *msg = talk_word(ts->me, "offer");

    open_way(ts);
    for (int i = 0; i < LIMIT; i++)
        must(talk_count(ts->me, far(1), i));
    must_be(talk_count(ts->me, far(1), LIMIT), TH_E_FULL);
    must(th_offer(ts->me, far(1), msg, &verdict));
    cr_assert_eq(verdict, TH_OFFER_WOULD_BLOCK);
    must(th_when_writable(ts->me, far(1)));
    must(th_stop(ts->me, far(1))); /* the runtime's own takes no credit */
    talk_hear_nothing(ts->me);
    settle_all();
    th_msg_destroy(ts->me, hear(ts, &th_writable_type));
    must(th_offer(ts->me, far(1), msg, &verdict));
    cr_assert_eq(verdict, TH_OFFER_QUEUED);
}

/* Sends as many numbers as it is told, to far(1), in one handler; then says how many went. */
static th_err flood(th_self *self, void *state, const th_msg *msg)
{
    const struct talk_number *number = talk_number_of(msg);
    int64_t went = 0;

    for (int64_t i = 0; number && i < number->value; i++)
        went += talk_count(self, far(1), i) == TH_OK;
    return number ? talk_count(self, th_msg_sender(msg), went) : TH_OK;
}

static const th_class flooder = { .name = "flooder", .receive = flood };

static int64_t hear_number(struct test_system *ts)
{
    th_msg *msg = hear(ts, &talk_number_type);
    int64_t value = talk_number_of(msg)->value;

    th_msg_destroy(ts->me, msg);
    return value;
}

/* An actor is held at the soft limit, after the handler that reached it, and refused at the hard
 * one. It goes on once half of what waits is settled. */
BOTH_BASES(route, an_actor_is_held_at_the_limit)
{
    th_addr actor = talk_create(ts->me, &flooder);

    open_way(ts);
    must(talk_count(ts->me, actor, MOST + 3));
    must(talk_count(ts->me, actor, 1));
    cr_assert_eq(hear_number(ts), MOST);
    talk_hear_nothing(ts->me);
    cr_assert_eq(test_system_counts(ts).holds, 1);
    settle_all();
    cr_assert_eq(hear_number(ts), 1);
    cr_assert_eq(test_system_counts(ts).full, 3);
}

/* A held actor goes on when the way ends. */
BOTH_BASES(route, the_end_of_a_way_lets_the_held_go)
{
    th_counts counts;
    th_addr actor = talk_create(ts->me, &flooder);

    open_way(ts);
    must(talk_count(ts->me, actor, LIMIT));
    must(talk_count(ts->me, actor, 1));
    cr_assert_eq(hear_number(ts), LIMIT);
    thi_stage_enter(&ts->sys->stage);
    thi_route_close(&ts->sys->stage);
    thi_stage_leave(&ts->sys->stage);
    cr_assert_eq(hear_number(ts), 1); /* into the box before it was closed, or nowhere */
    counts = test_system_counts(ts);
    cr_assert_eq(counts.dead_by_reason[TH_DEAD_SHUTDOWN] + counts.dead_by_reason[TH_DEAD_FOREIGN],
                 LIMIT + 1);
}
