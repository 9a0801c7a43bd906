/* tests of mailbox/alloc.c */
#include "mailroom.h"

struct ledger {
    uint64_t out;
    uint64_t calls;
    bool refuses;
};

static void *ledger_alloc(void *context, size_t size)
{
    struct ledger *ledger = context;
    void *at;

    ledger->calls++;
    if (ledger->refuses)
        return NULL;
    at = malloc(size);
    if (at) {
        ledger->out += size;
        memset(at, 0xa5, size);
    }
    return at;
}

static void ledger_free(void *context, void *at, size_t size)
{
    struct ledger *ledger = context;

    ledger->out -= size;
    free(at);
}

static bool is_zero(const char *at, size_t size)
{
    size_t i;

    for (i = 0; i < size; i++) {
        if (at[i])
            return false;
    }
    return true;
}

Test(alloc, takes_zeroed_memory_and_counts_it)
{
    struct thi_memory memory;
    char *a, *b;

    cr_assert_eq(thi_memory_init(&memory, NULL, 0), TH_OK);
    a = thi_memory_take(&memory, 1000);
    b = thi_memory_take(&memory, 100000);
    cr_assert(is_zero(a, 1000) && is_zero(b, 100000));
    cr_assert_eq(thi_memory_bytes(&memory), 101000);
    thi_memory_give(&memory, b, 100000);
    cr_assert_eq(thi_memory_bytes(&memory), 1000);
    cr_assert_eq(thi_memory_peak(&memory), 101000);
    cr_assert_eq(thi_memory_takes(&memory), 2);
    cr_assert_eq(thi_memory_fini(&memory), 1000);
    thi_memory_give(&memory, a, 1000);
    cr_assert_eq(thi_memory_fini(&memory), 0);
}

Test(alloc, everything_goes_through_the_hooks)
{
    struct ledger ledger = { 0, 0, false };
    th_allocator hooks = { ledger_alloc, ledger_free, &ledger };
    struct thi_memory memory;
    char *at;

    cr_assert_eq(thi_memory_init(&memory, &hooks, 0), TH_OK);
    at = thi_memory_take(&memory, 300);
    cr_assert(is_zero(at, 300), "the hook's dirt shows");
    cr_assert_eq(ledger.out, 300);
    thi_memory_give(&memory, at, 300);
    cr_assert_eq(ledger.out, 0);
    ledger.refuses = true;
    cr_assert_null(thi_memory_take(&memory, 300));
    cr_assert_eq(thi_memory_bytes(&memory), 0, "a refusal was booked");
    cr_assert_eq(ledger.calls, 2);
}

Test(alloc, needs_both_hooks)
{
    th_allocator no_free = { ledger_alloc, NULL, NULL };
    th_allocator no_alloc = { NULL, ledger_free, NULL };
    struct thi_memory memory;

    cr_assert_eq(thi_memory_init(&memory, &no_free, 0), TH_E_INVALID);
    cr_assert_eq(thi_memory_init(&memory, &no_alloc, 0), TH_E_INVALID);
}

Test(alloc, nothing_is_also_something)
{
    struct ledger ledger = { 0, 0, false };
    th_allocator hooks = { ledger_alloc, ledger_free, &ledger };
    struct thi_memory memory;
    void *at;

    cr_assert_eq(thi_memory_init(&memory, &hooks, 0), TH_OK);
    at = thi_memory_take(&memory, 0);
    cr_assert_not_null(at);
    thi_memory_give(&memory, at, 0);
    thi_memory_give(&memory, NULL, 50);
    cr_assert_eq(thi_memory_fini(&memory), 0);
    cr_assert_eq(ledger.out, 0);
}

Test(alloc, stops_at_the_ceiling_and_goes_on_below_it)
{
    struct thi_memory memory;
    void *a, *b;

    cr_assert_eq(thi_memory_init(&memory, NULL, 1000), TH_OK);
    a = thi_memory_take(&memory, 600);
    cr_assert_null(thi_memory_take(&memory, 401));
    b = thi_memory_take(&memory, 400);
    cr_assert_not_null(b);
    cr_assert_null(thi_memory_take(&memory, 1));
    cr_assert_eq(thi_memory_peak(&memory), 1000, "the peak never passes the ceiling");
    thi_memory_give(&memory, a, 600);
    a = thi_memory_take(&memory, 600);
    cr_assert_not_null(a);
    thi_memory_give(&memory, a, 600);
    thi_memory_give(&memory, b, 400);
    cr_assert_eq(thi_memory_fini(&memory), 0);
}

Test(alloc, refuses_absurd_sizes)
{
    struct ledger ledger = { 0, 0, true };
    th_allocator hooks = { ledger_alloc, ledger_free, &ledger };
    struct thi_memory memory;

    cr_assert_eq(thi_memory_init(&memory, &hooks, 0), TH_OK);
    cr_assert_null(thi_memory_take(&memory, SIZE_MAX));
    cr_assert_null(thi_memory_take(&memory, (size_t)PTRDIFF_MAX + 1));
    cr_assert_eq(ledger.calls, 0, "the allocator was asked");
    cr_assert_eq(thi_memory_peak(&memory), 0);
    cr_assert_eq(thi_memory_fini(&memory), 0);
}

Test(alloc, fails_exactly_the_take_it_is_told_to)
{
    struct thi_memory memory;
    uint64_t nth, i;

    cr_assert_eq(thi_memory_init(&memory, NULL, 0), TH_OK);
    for (nth = 1; nth < 10; nth++) {
        thi_memory_inject(&memory, nth, false);
        for (i = 1; i < 12; i++) {
            void *at = thi_memory_take(&memory, 8);

            cr_assert_eq(at == NULL, i == nth);
            thi_memory_give(&memory, at, 8);
        }
    }
    thi_memory_inject(&memory, 3, true);
    for (i = 1; i < 12; i++) {
        void *at = thi_memory_take(&memory, 8);

        cr_assert_eq(at == NULL, i >= 3);
        thi_memory_give(&memory, at, 8);
    }
    thi_memory_inject(&memory, 0, true);
    for (i = 1; i < 12; i++) {
        void *at = thi_memory_take(&memory, 8);

        cr_assert_not_null(at);
        thi_memory_give(&memory, at, 8);
    }
    cr_assert_eq(thi_memory_fini(&memory), 0);
}

Test(alloc, th_alloc_is_the_memory_of_the_self)
{
    struct mailroom room;
    char *at;

    mailroom_open(&room, 5000);
    at = th_alloc(mailroom_self(&room), 4000);
    cr_assert(at && is_zero(at, 4000));
    cr_assert_eq(thi_memory_bytes(&room.memory), 4000);
    cr_assert_null(th_alloc(mailroom_self(&room), 4000));
    th_free(mailroom_self(&room), at, 4000);
    th_free(mailroom_self(&room), NULL, 4000);
    cr_assert_null(th_alloc(NULL, 1));
    th_free(NULL, NULL, 1);
    mailroom_close(&room);
}

static void *take_and_give(void *context)
{
    struct thi_memory *memory = *(struct thi_memory **)context;
    int i;

    for (i = 0; i < 20000; i++) {
        void *at = thi_memory_take(memory, 100);

        if (at)
            thi_memory_give(memory, at, 100);
    }
    return NULL;
}

Test(alloc, counts_right_from_four_threads, .timeout = 60)
{
    struct thi_memory memory;
    struct thi_memory *contexts[4] = { &memory, &memory, &memory, &memory };

    cr_assert_eq(thi_memory_init(&memory, NULL, 300), TH_OK);
    mailroom_threads(4, take_and_give, contexts, sizeof(contexts[0]));
    cr_assert_eq(thi_memory_fini(&memory), 0);
    cr_assert_eq(thi_memory_takes(&memory), 80000);
    cr_assert_leq(thi_memory_peak(&memory), 300);
}
