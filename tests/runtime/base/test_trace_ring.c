/* What points saw, on its way to a file. */
#include "runtime/base/trace_ring.h"

#include <criterion/criterion.h>
#include <string.h>

static struct thi_memory memory;
static struct thi_trace trace;
static uint64_t written;

static void open_trace(bool is_direct)
{
    cr_assert_eq(thi_memory_init(&memory, NULL, 0), TH_OK);
    thi_trace_init(&trace, &memory, is_direct);
}

static void close_trace(void)
{
    thi_trace_fini(&trace);
    cr_assert_eq(thi_memory_fini(&memory), 0);
}

static void put(struct thi_trace_ring **ring, uint64_t number)
{
    struct thi_trace_event event = { .number = number };

    thi_trace_put(&trace, ring, &event);
}

static unsigned count_rings(void)
{
    unsigned count = 0;

    for (struct thi_trace_ring *ring = thi_trace_rings(&trace); ring;
         ring = thi_trace_next(&trace, ring))
        count++;
    return count;
}

Test(trace_ring, gives_what_was_put_in_order)
{
    struct thi_trace_ring *ring = NULL;
    struct thi_trace_event event;

    open_trace(false);
    for (uint64_t i = 0; i < 3 * TH_TRACE_EVENTS; i++) {
        put(&ring, i);
        cr_assert(thi_trace_take(ring, &event));
        cr_assert_eq(event.number, i);
        cr_assert_not(thi_trace_take(ring, &event));
    }
    cr_assert_eq(thi_trace_lost(&trace), 0);
    close_trace();
}

Test(trace_ring, that_is_full_keeps_the_oldest_and_counts_the_rest)
{
    struct thi_trace_ring *ring = NULL;
    struct thi_trace_event event;
    uint64_t taken = 0;

    open_trace(false);
    for (uint64_t i = 0; i < TH_TRACE_EVENTS + 5; i++)
        put(&ring, i);
    while (thi_trace_take(ring, &event))
        cr_assert_eq(event.number, taken++);
    cr_assert_eq(taken, TH_TRACE_EVENTS);
    cr_assert_eq(thi_trace_lost(&trace), 5);
    cr_assert_eq(thi_trace_lost(&trace), 0, "once");
    close_trace();
}

Test(trace_ring, rings_when_it_is_half_full)
{
    struct thi_trace_ring *ring = NULL;

    open_trace(false);
    for (uint64_t i = 0; i < TH_TRACE_EVENTS / 2; i++)
        put(&ring, i);
    cr_assert_not(thi_bell_heard(&trace.bell));
    put(&ring, 0);
    cr_assert(thi_bell_heard(&trace.bell));
    close_trace();
}

Test(trace_ring, of_a_worker_that_ended_serves_the_next)
{
    struct thi_trace_ring *first = NULL, *second = NULL, *third = NULL;

    open_trace(false);
    put(NULL, 0); /* nobody takes yet: an outsider's ring is made by who does */
    put(&first, 1);
    put(&second, 2);
    cr_assert_eq(count_rings(), 3, "theirs, and that of outsiders");
    thi_trace_leave(&trace, first);
    thi_trace_leave(&trace, NULL);
    put(&third, 3);
    cr_assert_eq(third, first);
    cr_assert_eq(count_rings(), 3);
    close_trace();
}

Test(trace_ring, is_missed_without_memory_and_counted)
{
    struct thi_trace_ring *ring = NULL;

    open_trace(false);
    memory.max = 1;
    put(&ring, 1);
    put(&ring, 2);
    cr_assert_null(ring);
    cr_assert_eq(thi_trace_lost(&trace), 2);
    cr_assert_null(thi_trace_rings(&trace));
    close_trace();
}

static void count_written(void *context, const struct thi_trace_event *event)
{
    written += event->number;
}

Test(trace_ring, is_passed_by_on_the_simple_base)
{
    struct thi_trace_ring *ring = NULL;

    open_trace(true);
    written = 0;
    put(&ring, 1); /* nobody writes */
    trace.write = count_written;
    put(&ring, 2);
    put(NULL, 4);
    cr_assert_null(ring);
    cr_assert_eq(written, 6);
    close_trace();
}

Test(trace_ring, time_is_later_with_each_event_on_the_simple_base)
{
    open_trace(true);
    cr_assert_eq(thi_trace_now(&trace, 0), 1);
    cr_assert_eq(thi_trace_now(&trace, 0), 2);
    cr_assert_eq(thi_trace_now(&trace, 100), 100);
    cr_assert_eq(thi_trace_now(&trace, 100), 101);
    cr_assert_eq(thi_trace_now(&trace, 50), 102);
    close_trace();
}

Test(trace_ring, is_off_where_there_is_none)
{
    open_trace(false);
    cr_assert_not(thi_trace_is_on(NULL));
    cr_assert_not(thi_trace_is_on(&trace));
    close_trace();
}
