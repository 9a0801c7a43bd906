/* The heap of deadlines: its order, its states, its room. */
#include "runtime/sched/timer.h"
#include "runtime/base/random.h"

#include <criterion/criterion.h>

#include <pthread.h>
#include <stdlib.h>

/* ThreadSanitizer makes the long ones longer without seeing more in them: they have one thread. */
#if defined(__SANITIZE_THREAD__)
#define LONG(n) ((n) / 20)
#else
#define LONG(n) (n)
#endif

static struct thi_memory memory;
static struct thi_timers timers;

static void begin_with(uint32_t max)
{
    cr_assert_eq(thi_memory_init(&memory, NULL, 0), TH_OK);
    cr_assert_eq(thi_timers_init(&timers, &memory, max), TH_OK);
}

static void begin(void)
{
    begin_with(UINT32_MAX - 8);
}

static void end(void)
{
    thi_timers_fini(&timers);
    cr_assert_eq(thi_memory_fini(&memory), 0);
}

static bool add(struct thi_timer *timer, uint64_t deadline)
{
    bool wakes;

    cr_assert_eq(thi_timers_add(&timers, timer, deadline, &wakes), TH_OK);
    return wakes;
}

/* Pops the next one due at @now and is through with it. */
static struct thi_timer *pop(uint64_t now)
{
    struct thi_timer *timer = thi_timers_pop_due(&timers, now);

    if (timer)
        cr_assert(thi_timers_done(&timers, timer));
    return timer;
}

Test(timer, comes_in_order_of_deadline, .init = begin, .fini = end)
{
    struct thi_timer a = { 0 }, b = { 0 }, c = { 0 };

    add(&b, 20);
    add(&c, 30);
    add(&a, 10);
    cr_assert_eq(thi_timers_next_deadline(&timers), 10);
    cr_assert_eq(thi_timers_count(&timers), 3);
    cr_assert_eq(pop(100), &a);
    cr_assert_eq(pop(100), &b);
    cr_assert_eq(pop(100), &c);
    cr_assert_null(pop(100));
    cr_assert_eq(thi_timers_count(&timers), 0);
}

Test(timer, is_never_early, .init = begin, .fini = end)
{
    struct thi_timer a = { 0 };

    add(&a, 10);
    cr_assert_null(pop(9));
    cr_assert_eq(pop(10), &a);
}

Test(timer, of_equal_deadline_comes_in_order_of_asking, .init = begin, .fini = end)
{
    enum { MANY = 5000 };
    static struct thi_timer many[MANY];
    struct thi_timer *due[7];
    unsigned next = 0, got;

    memset(many, 0, sizeof(many));
    for (unsigned i = 0; i < MANY; i++)
        add(&many[i], 1);
    while ((got = thi_timers_pop_batch(&timers, 1, due, 7)) > 0)
        for (unsigned i = 0; i < got; i++) {
            cr_assert_eq(due[i], &many[next++]);
            cr_assert(thi_timers_done(&timers, due[i]));
        }
    cr_assert_eq(next, MANY);
}

Test(timer, at_zero_is_due_at_once_and_at_the_end_of_time_never, .init = begin, .fini = end)
{
    struct thi_timer at_once = { 0 }, late = { 0 }, never = { 0 };

    add(&never, UINT64_MAX);
    cr_assert_eq(thi_timers_next_deadline(&timers), UINT64_MAX);
    add(&late, UINT64_MAX - 1);
    add(&at_once, 0);
    cr_assert_eq(pop(0), &at_once);
    cr_assert_null(pop(1ull << 63));
    cr_assert_eq(pop(UINT64_MAX), &late);
    cr_assert_null(pop(UINT64_MAX));
    cr_assert_eq(thi_timers_cancel(&timers, &never), THI_CANCEL_TAKEN);
}

Test(timer, taken_back_does_not_come, .init = begin, .fini = end)
{
    struct thi_timer a = { 0 }, b = { 0 };

    cr_assert_eq(thi_timers_cancel(&timers, &a), THI_CANCEL_GONE, "it was never added");
    add(&a, 1);
    add(&b, 2);
    cr_assert_eq(thi_timers_cancel(&timers, &a), THI_CANCEL_TAKEN);
    cr_assert_eq(thi_timers_cancel(&timers, &a), THI_CANCEL_GONE);
    cr_assert_eq(pop(9), &b);
    cr_assert_eq(thi_timers_cancel(&timers, &b), THI_CANCEL_GONE);
}

Test(timer, cancelled_while_it_fires_is_its_fires_to_free, .init = begin, .fini = end)
{
    struct thi_timer once = { 0 }, periodic = { 0 };

    add(&once, 1);
    add(&periodic, 1);
    cr_assert_eq(thi_timers_pop_due(&timers, 1), &once);
    cr_assert_eq(thi_timers_pop_due(&timers, 1), &periodic);
    cr_assert_eq(thi_timers_cancel(&timers, &once), THI_CANCEL_REVOKED);
    cr_assert_eq(thi_timers_cancel(&timers, &periodic), THI_CANCEL_REVOKED);
    cr_assert_not(thi_timers_done(&timers, &once));
    cr_assert_not(thi_timers_again(&timers, &periodic, 2));
    cr_assert_eq(thi_timers_count(&timers), 0);
}

Test(timer, that_repeats_is_pending_again, .init = begin, .fini = end)
{
    struct thi_timer periodic = { 0 };

    add(&periodic, 1);
    cr_assert_eq(thi_timers_pop_due(&timers, 1), &periodic);
    cr_assert(thi_timers_again(&timers, &periodic, 2));
    cr_assert_null(pop(1));
    cr_assert_eq(thi_timers_next_deadline(&timers), 2);
    cr_assert_eq(thi_timers_cancel(&timers, &periodic), THI_CANCEL_TAKEN);
}

Test(timer, earlier_than_a_sleeper_awaits_wakes_it_once, .init = begin, .fini = end)
{
    struct thi_timer a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };

    cr_assert_not(add(&a, 100), "nobody sleeps");
    cr_assert_eq(thi_timers_await(&timers), 100);
    cr_assert_not(add(&b, 100), "it will be awake then");
    cr_assert(add(&c, 99));
    cr_assert_not(add(&d, 98), "it is on its way");
    cr_assert_eq(thi_timers_await(&timers), 98);
    cr_assert_null(thi_timers_pop_due(&timers, 0));
    cr_assert_eq(thi_timers_cancel(&timers, &d), THI_CANCEL_TAKEN);
    cr_assert_not(add(&d, 1), "who pops is awake");
}

Test(timer, past_the_limit_is_refused_and_nothing_is_lost)
{
    struct thi_timer a = { 0 }, b = { 0 }, c = { 0 };
    bool wakes;

    begin_with(2);
    add(&a, 1);
    add(&b, 2);
    cr_assert_eq(thi_timers_add(&timers, &c, 0, &wakes), TH_E_LIMIT);
    cr_assert_eq(thi_timers_pop_due(&timers, 1), &a);
    cr_assert_eq(thi_timers_add(&timers, &c, 0, &wakes), TH_E_LIMIT, "a fires and may repeat");
    cr_assert(thi_timers_done(&timers, &a));
    add(&c, 0);
    cr_assert_eq(pop(9), &c);
    cr_assert_eq(pop(9), &b);
    end();
}

Test(timer, without_memory_is_refused_and_nothing_is_lost)
{
    enum { MANY = LONG(200000) };
    struct thi_timer *many = calloc(MANY, sizeof(*many));
    uint64_t refused = 0;

    cr_assert_not_null(many);
    begin();
    for (unsigned i = 0; i < MANY; i++) {
        bool wakes;
        th_err err;

        thi_memory_inject(&memory, 1, false);
        err = thi_timers_add(&timers, &many[i], MANY - i, &wakes);
        if (err != TH_OK) {
            cr_assert_eq(err, TH_E_NOMEM);
            refused++;
            thi_memory_inject(&memory, 0, false);
            add(&many[i], MANY - i);
        }
    }
    thi_memory_inject(&memory, 0, false);
    cr_assert_gt(refused, MANY / 4096, "each chunk was refused once");
    for (unsigned i = MANY; i-- > 0;)
        cr_assert_eq(pop(UINT64_MAX - 1), &many[i]);
    end();
    free(many);
}

Test(timer, gives_back_what_a_burst_took, .init = begin, .fini = end)
{
    enum { MANY = 100000 };
    struct thi_timer *many = calloc(MANY, sizeof(*many));
    uint64_t bytes;

    cr_assert_not_null(many);
    add(&many[0], 0);
    bytes = thi_memory_bytes(&memory);
    for (unsigned i = 1; i < MANY; i++)
        add(&many[i], i);
    cr_assert_gt(thi_memory_bytes(&memory), 10 * bytes);
    for (unsigned i = MANY; i-- > 1;)
        cr_assert_eq(thi_timers_cancel(&timers, &many[i]), THI_CANCEL_TAKEN);
    cr_assert_leq(thi_memory_bytes(&memory), 3 * bytes);
    cr_assert_eq(thi_timers_cancel(&timers, &many[0]), THI_CANCEL_TAKEN);
    free(many);
}

/* ---- against a reference: a sorted array of (deadline, order of asking) ---- */

struct reference {
    struct thi_timer *timer;
    uint64_t deadline;
    uint64_t asked;
};

static struct reference sorted[2048];
static unsigned sorted_count;

static void reference_add(struct thi_timer *timer, uint64_t deadline, uint64_t asked)
{
    unsigned place = sorted_count++;

    for (; place > 0 && sorted[place - 1].deadline > deadline; place--)
        sorted[place] = sorted[place - 1];
    sorted[place] = (struct reference){ timer, deadline, asked };
}

static void reference_remove(unsigned place)
{
    memmove(&sorted[place], &sorted[place + 1], (sorted_count - place - 1) * sizeof(sorted[0]));
    sorted_count--;
}

Test(timer, agrees_with_a_sorted_list_a_million_times, .init = begin, .fini = end, .timeout = 60)
{
    enum { MANY = 1000, STEPS = LONG(1000000) };
    static struct thi_timer many[MANY];
    struct thi_timer *idle[MANY];
    unsigned idle_count = MANY;
    struct thi_random random;
    uint64_t now = 0;

    memset(many, 0, sizeof(many));
    sorted_count = 0;
    thi_random_init(&random, 7);
    for (unsigned i = 0; i < MANY; i++)
        idle[i] = &many[i];
    for (uint64_t step = 0; step < STEPS; step++) {
        uint64_t choice = thi_random_below(&random, 100);

        if (choice < 50 && idle_count > 0) {
            struct thi_timer *timer = idle[--idle_count];
            uint64_t deadline = now + thi_random_below(&random, choice < 25 ? 10 : 5000);

            add(timer, deadline);
            reference_add(timer, deadline, step);
        } else if (choice < 75 && sorted_count > 0) {
            unsigned place = (unsigned)thi_random_below(&random, sorted_count);

            cr_assert_eq(thi_timers_cancel(&timers, sorted[place].timer), THI_CANCEL_TAKEN);
            idle[idle_count++] = sorted[place].timer;
            reference_remove(place);
        } else {
            struct thi_timer *due;

            now += thi_random_below(&random, 20);
            due = pop(now);
            if (sorted_count > 0 && sorted[0].deadline <= now) {
                cr_assert_eq(due, sorted[0].timer, "step %llu", (unsigned long long)step);
                idle[idle_count++] = due;
                reference_remove(0);
            } else {
                cr_assert_null(due);
            }
        }
        cr_assert_eq(thi_timers_count(&timers), sorted_count);
        cr_assert_eq(thi_timers_next_deadline(&timers),
                     sorted_count ? sorted[0].deadline : UINT64_MAX);
    }
    while (sorted_count > 0) {
        cr_assert_eq(pop(UINT64_MAX - 1), sorted[0].timer);
        reference_remove(0);
    }
}

Test(timer, holds_a_million_at_once, .init = begin, .fini = end, .timeout = 60)
{
    enum { MANY = LONG(1000000) };
    struct thi_timer *many = calloc(MANY, sizeof(*many));
    struct thi_random random;
    uint64_t last = 0;
    unsigned count = 0;

    cr_assert_not_null(many);
    thi_random_init(&random, 1);
    for (unsigned i = 0; i < MANY; i++)
        add(&many[i], thi_random_below(&random, 1u << 30));
    cr_assert_eq(thi_timers_count(&timers), MANY);
    for (unsigned i = 0; i < MANY; i += 2)
        cr_assert_eq(thi_timers_cancel(&timers, &many[i]), THI_CANCEL_TAKEN);
    for (struct thi_timer *timer; (timer = pop(UINT64_MAX - 1)); count++) {
        cr_assert_geq(timer->deadline, last);
        last = timer->deadline;
    }
    cr_assert_eq(count, MANY / 2);
    free(many);
}

/* ---- several threads ---- */

enum { CANCELS = 20000 };

struct race {
    struct thi_timer *timers;
    unsigned fired, freed;
};

static void *fire_all(void *context)
{
    struct race *race = context;

    while (race->fired + race->freed < CANCELS) {
        struct thi_timer *timer = thi_timers_pop_due(&timers, 1);

        if (!timer) {
            if (thi_timers_count(&timers) == 0)
                break;
            continue;
        }
        /* as fire must: what follows is ours only by the answer */
        if (thi_timers_done(&timers, timer))
            race->fired++;
        else
            race->freed++;
    }
    return NULL;
}

Test(timer, is_either_taken_or_revoked_or_fired, .init = begin, .fini = end)
{
    struct thi_timer *many = calloc(CANCELS, sizeof(*many));
    struct race race = { many, 0, 0 };
    unsigned taken = 0, revoked = 0, gone = 0;
    pthread_t firing;

    cr_assert_not_null(many);
    for (unsigned i = 0; i < CANCELS; i++)
        add(&many[i], 1);
    cr_assert_eq(pthread_create(&firing, NULL, fire_all, &race), 0);
    for (unsigned i = CANCELS; i-- > 0;)
        switch (thi_timers_cancel(&timers, &many[i])) {
        case THI_CANCEL_TAKEN: taken++; break;
        case THI_CANCEL_REVOKED: revoked++; break;
        case THI_CANCEL_GONE: gone++; break;
        }
    cr_assert_eq(pthread_join(firing, NULL), 0);
    cr_assert_eq(gone, race.fired);
    cr_assert_eq(revoked, race.freed);
    cr_assert_eq(taken + race.fired + race.freed, CANCELS);
    free(many);
}

/* ---- the reserved one ---- */

static void *give_none(void *context, size_t size)
{
    (void)context, (void)size;
    return NULL;
}

static void give_back(void *context, void *block, size_t size)
{
    (void)context, (void)block, (void)size;
}

Test(timer, reserved_needs_no_memory)
{
    static const th_allocator nothing = { .alloc = give_none, .free = give_back };
    struct thi_timer reserved = { 0 }, other = { 0 };
    bool wakes;

    cr_assert_eq(thi_memory_init(&memory, &nothing, 0), TH_OK);
    cr_assert_eq(thi_timers_init(&timers, &memory, 1), TH_OK);
    cr_assert_eq(thi_timers_add(&timers, &other, 1, &wakes), TH_E_NOMEM);
    cr_assert_eq(thi_timers_await(&timers), UINT64_MAX);
    cr_assert(thi_timers_set_reserved(&timers, &reserved, 10), "the sleeper is to be told");
    cr_assert_eq(thi_timers_count(&timers), 0);
    cr_assert_eq(thi_timers_next_deadline(&timers), 10);
    cr_assert_null(thi_timers_pop_due(&timers, 9));
    cr_assert_eq(thi_timers_pop_due(&timers, 10), &reserved);
    cr_assert_null(thi_timers_pop_due(&timers, 10));
    thi_timers_done_reserved(&timers, &reserved);
    cr_assert_eq(thi_timers_next_deadline(&timers), UINT64_MAX);
    cr_assert(!thi_timers_set_reserved(&timers, &reserved, 20), "nobody sleeps");
    cr_assert_eq(thi_timers_pop_due(&timers, 20), &reserved);
    thi_timers_done_reserved(&timers, &reserved);
    end();
}

Test(timer, reserved_comes_in_order_with_the_rest, .init = begin, .fini = end)
{
    struct thi_timer reserved = { 0 }, early = { 0 }, late = { 0 };

    add(&late, 30);
    add(&early, 10);
    cr_assert(!thi_timers_set_reserved(&timers, &reserved, 20));
    cr_assert_eq(thi_timers_next_deadline(&timers), 10);
    cr_assert_eq(pop(100), &early);
    cr_assert_eq(thi_timers_next_deadline(&timers), 20);
    cr_assert_eq(thi_timers_pop_due(&timers, 100), &reserved);
    thi_timers_done_reserved(&timers, &reserved);
    cr_assert_eq(pop(100), &late);
    cr_assert_null(pop(100));
}

Test(timer, moved_takes_its_new_place, .init = begin, .fini = end)
{
    struct thi_timer a = { 0 }, b = { 0 }, c = { 0 };

    add(&a, UINT64_MAX);
    add(&b, 20);
    add(&c, 30);
    cr_assert_eq(thi_timers_await(&timers), 20);
    cr_assert(!thi_timers_move(&timers, &a, 25), "later than the sleeper wakes");
    cr_assert(thi_timers_move(&timers, &c, 10), "earlier");
    cr_assert_eq(thi_timers_count(&timers), 3);
    cr_assert_eq(pop(100), &c);
    cr_assert_eq(pop(100), &b);
    cr_assert(!thi_timers_move(&timers, &a, 200));
    cr_assert_null(pop(100));
    cr_assert_eq(pop(200), &a);
}
