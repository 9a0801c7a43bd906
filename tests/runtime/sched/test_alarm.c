/* The thread that fires timers: in order, never early, and not what was taken back. */
#include "runtime/sched/alarm.h"
#include "runtime/base/random.h"

#include <criterion/criterion.h>

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { MANY = 2000, ACTOR_THREADS = 3, PERIOD_NS = 1000 };

struct item {
    struct thi_timer timer; /* first */
    uint64_t fired_at;
    unsigned order;      /* of firing, from 1 */
    unsigned repeat;     /* how often again */
    _Atomic bool closed; /* nobody may fire it any more */
};

static struct thi_memory memory;
static struct thi_timers timers;
static struct thi_clock clock_;
static struct thi_alarm alarm_;
static struct thi_bell fired_bell;
static _Atomic unsigned fired;
static _Atomic unsigned expected;
static _Atomic bool early, after_close;

static void fire(void *context, struct thi_timer *timer)
{
    struct item *item = (struct item *)timer;
    uint64_t now = thi_clock_now(&clock_);
    unsigned order;

    cr_assert_eq(context, &timers);
    if (now < timer->deadline)
        atomic_store(&early, true);
    if (atomic_load(&item->closed))
        atomic_store(&after_close, true);
    order = atomic_load(&fired) + 1;
    item->fired_at = now;
    item->order = order;
    if (item->repeat > 0) {
        item->repeat--;
        if (!thi_timers_again(&timers, timer, timer->deadline + PERIOD_NS))
            free(item);
    } else if (!thi_timers_done(&timers, timer)) {
        free(item);
    }
    atomic_store(&fired, order);
    if (order >= atomic_load(&expected))
        thi_bell_ring(&fired_bell);
}

static void begin_on(bool is_virtual)
{
    cr_assert_eq(thi_memory_init(&memory, NULL, 0), TH_OK);
    cr_assert_eq(thi_timers_init(&timers, &memory, 1000000), TH_OK);
    if (is_virtual)
        thi_clock_init_virtual(&clock_, 0);
    else
        thi_clock_init_real(&clock_);
    thi_bell_init(&fired_bell);
    atomic_store(&fired, 0);
    atomic_store(&expected, UINT32_MAX);
    atomic_store(&early, false);
    atomic_store(&after_close, false);
    cr_assert_eq(thi_alarm_start(&alarm_, &timers, &clock_, fire, &timers), TH_OK);
}

static void begin_real(void)
{
    begin_on(false);
}

static void begin_virtual(void)
{
    begin_on(true);
}

static void end(void)
{
    thi_alarm_stop(&alarm_);
    thi_timers_fini(&timers);
    cr_assert_eq(thi_memory_fini(&memory), 0);
    cr_assert_not(atomic_load(&early));
    cr_assert_not(atomic_load(&after_close));
}

static void add(struct item *item, uint64_t deadline)
{
    bool wakes;

    cr_assert_eq(thi_timers_add(&timers, &item->timer, deadline, &wakes), TH_OK);
    if (wakes)
        thi_alarm_poke(&alarm_);
}

static void wait_for(unsigned count)
{
    atomic_store(&expected, count);
    while (atomic_load(&fired) < count)
        (void)thi_bell_wait(&fired_bell, UINT64_MAX);
}

/* All are added before the first is due, so the whole order is known. */
Test(alarm, fires_in_order_and_never_early, .init = begin_virtual, .fini = end)
{
    static struct item items[MANY];
    struct thi_random random;

    memset(items, 0, sizeof(items));
    thi_random_init(&random, 3);
    for (unsigned i = 0; i < MANY; i++)
        add(&items[i], 1 + thi_random_below(&random, 1000));
    for (uint64_t now = 1; now <= 1000; now += 9) {
        thi_clock_advance_to(&clock_, now);
        thi_alarm_poke(&alarm_);
    }
    wait_for(MANY);
    for (unsigned i = 0; i < MANY; i++)
        for (unsigned j = 0; j < i; j++) /* of equal ones the one asked for first */
            cr_assert_eq(items[i].timer.deadline < items[j].timer.deadline,
                         items[i].order < items[j].order);
}

Test(alarm, on_the_real_clock_is_never_early, .init = begin_real, .fini = end)
{
    static struct item items[MANY];
    struct thi_random random;

    memset(items, 0, sizeof(items));
    thi_random_init(&random, 5);
    for (unsigned i = 0; i < MANY; i++)
        add(&items[i], thi_clock_now(&clock_) + thi_random_below(&random, 3000000));
    wait_for(MANY); /* end() asks whether any was early */
}

Test(alarm, fires_equal_deadlines_in_order_of_asking, .init = begin_virtual, .fini = end)
{
    static struct item items[MANY];

    memset(items, 0, sizeof(items));
    for (unsigned i = 0; i < MANY; i++)
        add(&items[i], 1);
    thi_clock_advance(&clock_, 1);
    thi_alarm_poke(&alarm_);
    wait_for(MANY);
    for (unsigned i = 0; i < MANY; i++)
        cr_assert_eq(items[i].order, i + 1);
}

/* Until the alarm is about to sleep for @deadline: from then on an earlier timer must wake it. */
static void wait_awaited(uint64_t deadline)
{
    uint64_t awaited;

    do {
        cr_assert_eq(pthread_mutex_lock(&timers.lock), 0);
        awaited = timers.awaited;
        cr_assert_eq(pthread_mutex_unlock(&timers.lock), 0);
        sched_yield();
    } while (awaited != deadline);
}

Test(alarm, wakes_for_an_earlier_deadline, .init = begin_real, .fini = end, .timeout = 20)
{
    static struct item hour, soon;
    uint64_t now = thi_clock_now(&clock_);

    memset(&hour, 0, sizeof(hour));
    memset(&soon, 0, sizeof(soon));
    add(&hour, now + 3600000000000u);
    wait_awaited(hour.timer.deadline);
    add(&soon, now);
    wait_for(1);
    cr_assert_eq(soon.order, 1);
    cr_assert_eq(hour.order, 0);
    cr_assert_eq(thi_timers_cancel(&timers, &hour.timer), THI_CANCEL_TAKEN);
}

Test(alarm, stops_with_timers_pending, .init = begin_real, .fini = end)
{
    static struct item hour, never;

    memset(&hour, 0, sizeof(hour));
    memset(&never, 0, sizeof(never));
    add(&hour, thi_clock_now(&clock_) + 3600000000000u);
    add(&never, UINT64_MAX);
}

Test(alarm, on_a_virtual_clock_fires_when_poked, .init = begin_virtual, .fini = end)
{
    static struct item a, b;

    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));
    add(&a, 10);
    add(&b, 20);
    thi_clock_advance(&clock_, 19);
    thi_alarm_poke(&alarm_);
    wait_for(1);
    cr_assert_eq(a.fired_at, 19);
    cr_assert_eq(b.order, 0);
    thi_clock_advance(&clock_, 1);
    thi_alarm_poke(&alarm_);
    wait_for(2);
    cr_assert_eq(b.fired_at, 20);
}

/* Each thread plays an actor: adds, and takes back at once or a little later. Whatever it takes
 * must not fire after that; whatever it revokes is freed by the firing; the rest it frees. */
static void *play(void *context)
{
    unsigned *counts = context; /* taken or gone; the rest was revoked */
    struct thi_random random;

    thi_random_init(&random, (uint64_t)(uintptr_t)context);
    for (unsigned i = 0; i < MANY; i++) {
        struct item *item = calloc(1, sizeof(*item));
        uint64_t spins = thi_random_below(&random, 400);

        cr_assert_not_null(item);
        item->repeat = thi_random_below(&random, 2) ? 1000000 : 0;
        add(item, thi_clock_now(&clock_) + thi_random_below(&random, 20000));
        while (spins-- > 0)
            (void)thi_clock_monotonic();
        if (thi_timers_cancel(&timers, &item->timer) == THI_CANCEL_REVOKED)
            continue;
        atomic_store(&item->closed, true);
        counts[0]++;
        free(item);
    }
    return NULL;
}

Test(alarm, fires_nothing_that_was_taken_back, .init = begin_real, .fini = end, .timeout = 60)
{
    static unsigned counts[ACTOR_THREADS][32];
    pthread_t threads[ACTOR_THREADS];

    memset(counts, 0, sizeof(counts));
    for (unsigned i = 0; i < ACTOR_THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, play, counts[i]), 0);
    for (unsigned i = 0; i < ACTOR_THREADS; i++) {
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
        cr_assert_gt(counts[i][0], 0);
    }
    cr_assert_eq(thi_timers_count(&timers), 0);
}
