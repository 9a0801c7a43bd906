/* Watches by id, by descriptor and by owner: an id is one watch's for ever. */
#include "runtime/actor/watch_table.h"

#include <criterion/criterion.h>

enum { MAX = 100 };

static struct thi_memory memory;
static struct thi_watch_table table;
static uint32_t mine, others; /* lists of two owners */
static th_err why;

static void open_table(void)
{
    mine = others = 0;
    cr_assert_eq(thi_memory_init(&memory, NULL, 0), TH_OK);
    thi_watch_table_init(&table, &memory, MAX);
}

static void close_table(void)
{
    thi_watch_table_fini(&table);
    cr_assert_eq(thi_memory_fini(&memory), 0);
}

static uint64_t take(uint32_t *first, enum thi_watch_kind kind, int number)
{
    struct thi_watch *watch = thi_watch_take(&table, first, kind, number, &why);

    cr_assert_not_null(watch, "%s", th_err_name(why));
    if (kind == THI_WATCH_FD)
        thi_watch_own_fd(&table, watch);
    return thi_watch_id(&table, watch);
}

static void give(uint32_t *first, uint64_t id)
{
    struct thi_watch *watch = thi_watch_find(&table, id);

    cr_assert_not_null(watch);
    thi_watch_give(&table, first, watch);
}

static unsigned length(uint32_t first)
{
    unsigned count = 0;
    uint32_t before = 0;

    for (struct thi_watch *watch; (watch = thi_watch_at(&table, first)); first = watch->next) {
        cr_assert_eq(watch->prev, before);
        before = first;
        count++;
    }
    return count;
}

Test(watch_table, an_id_is_nobodys_after_the_end, .init = open_table, .fini = close_table)
{
    uint64_t first = take(&mine, THI_WATCH_FD, 7), again;

    cr_assert_geq(first >> 32, 1, "never a token of the poller's own");
    give(&mine, first);
    cr_assert_null(thi_watch_find(&table, first));
    again = take(&mine, THI_WATCH_FD, 7);
    cr_assert_eq((uint32_t)again, (uint32_t)first, "the slot is used again");
    cr_assert_neq(again, first);
    cr_assert_null(thi_watch_find(&table, first));
    cr_assert_null(thi_watch_find(&table, 0));
    cr_assert_null(thi_watch_find(&table, UINT64_MAX));
    give(&mine, again);
}

/* After 2^32 of them the generation passes over 0. */
Test(watch_table, a_generation_is_never_zero, .init = open_table, .fini = close_table)
{
    uint64_t id = take(&mine, THI_WATCH_FD, 0);

    thi_watch_find(&table, id)->generation = UINT32_MAX;
    id = (uint64_t)UINT32_MAX << 32;
    give(&mine, id);
    id = take(&mine, THI_WATCH_FD, 0);
    cr_assert_eq(id >> 32, 1);
    give(&mine, id);
}

Test(watch_table, lists_hold_through_growth, .init = open_table, .fini = close_table)
{
    uint64_t ids[MAX];

    for (int i = 0; i < MAX; i++)
        ids[i] = take(i % 2 ? &mine : &others, i % 3 ? THI_WATCH_FD : THI_WATCH_SIGNAL, i);
    cr_assert_eq(length(mine), MAX / 2);
    cr_assert_eq(length(others), MAX / 2);
    cr_assert_eq(atomic_load(&table.count), MAX);
    for (int i = 0; i < MAX; i++) {
        struct thi_watch *watch = thi_watch_find(&table, ids[i]);

        cr_assert_eq(watch->number, i);
        cr_assert_eq(thi_watch_of_fd(&table, i) == watch, i % 3 != 0);
    }
    for (int i = 0; i < MAX; i += 4) /* from anywhere in the lists */
        give(i % 2 ? &mine : &others, ids[i]);
    cr_assert_eq(length(mine), MAX / 2);
    cr_assert_eq(length(others), MAX / 4);
    for (int i = 0; i < MAX; i++)
        if (i % 4)
            give(i % 2 ? &mine : &others, ids[i]);
    cr_assert_eq(mine, 0);
    cr_assert_eq(others, 0);
    cr_assert_eq(table.signals, 0);
    cr_assert_eq(atomic_load(&table.count), 0);
}

Test(watch_table, no_more_than_its_limit, .init = open_table, .fini = close_table)
{
    uint64_t last = 0;

    for (int i = 0; i < MAX; i++)
        last = take(&mine, THI_WATCH_SIGNAL, 1);
    cr_assert_null(thi_watch_take(&table, &mine, THI_WATCH_SIGNAL, 1, &why));
    cr_assert_eq(why, TH_E_LIMIT);
    cr_assert_eq(length(mine), MAX);
    give(&mine, last);
    last = take(&others, THI_WATCH_SIGNAL, 1);
    give(&others, last);
}

/* The number is another file's: who watched the old one does not take it from who has it now. */
Test(watch_table, a_descriptor_is_its_last_watchers, .init = open_table, .fini = close_table)
{
    uint64_t old = take(&mine, THI_WATCH_FD, 9), now = take(&others, THI_WATCH_FD, 9);

    cr_assert_eq(thi_watch_of_fd(&table, 9), thi_watch_find(&table, now));
    give(&mine, old);
    cr_assert_eq(thi_watch_of_fd(&table, 9), thi_watch_find(&table, now));
    give(&others, now);
    cr_assert_null(thi_watch_of_fd(&table, 9));
    cr_assert_null(thi_watch_of_fd(&table, -1));
    cr_assert_null(thi_watch_of_fd(&table, 1 << 20));
}

/* Each of the allocations that growth takes. */
Test(watch_table, without_memory_it_is_as_before, .init = open_table, .fini = close_table)
{
    for (uint64_t nth = 1; nth <= 2; nth++) {
        thi_memory_inject(&memory, nth, false);
        cr_assert_null(thi_watch_take(&table, &mine, THI_WATCH_FD, 3, &why));
        cr_assert_eq(why, TH_E_NOMEM);
        cr_assert_eq(mine, 0);
        cr_assert_eq(atomic_load(&table.count), 0);
        thi_memory_inject(&memory, 0, false);
        thi_watch_table_fini(&table);
        thi_watch_table_init(&table, &memory, MAX);
    }
    give(&mine, take(&mine, THI_WATCH_FD, 3));
}
