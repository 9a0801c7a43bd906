/* Addresses become cells, and slots are used again under another generation only. */
#include "puppet.h"

#include "runtime/actor/directory.h"

enum { SYSTEM = 7, SMALL = 5 };

struct shelf {
    struct thi_memory memory;
    struct thi_directory directory;
};

static void shelf_open(struct shelf *shelf, uint32_t slots_max)
{
    cr_assert_eq(thi_memory_init(&shelf->memory, NULL, 0), TH_OK);
    cr_assert_eq(thi_directory_init(&shelf->directory, &shelf->memory, SYSTEM, slots_max), TH_OK);
}

static void shelf_close(struct shelf *shelf)
{
    thi_directory_fini(&shelf->directory);
    cr_assert_eq(thi_memory_fini(&shelf->memory), 0, "bytes are still out");
}

static th_addr addr_of(const struct thi_cell *cell)
{
    return (th_addr){ SYSTEM, cell->slot, atomic_load(&cell->generation) };
}

static struct thi_cell *take(struct shelf *shelf)
{
    th_err why;
    struct thi_cell *cell = thi_directory_take(&shelf->directory, &why);

    cr_assert_eq(why, cell ? TH_OK : TH_E_LIMIT);
    return cell;
}

Test(directory, finds_what_it_gave, .init = journal_clear)
{
    struct thi_cell *cells[1200];
    struct shelf shelf;

    shelf_open(&shelf, 1200);
    for (int i = 0; i < 1200; i++) {
        cells[i] = take(&shelf);
        cr_assert_eq(cells[i]->slot, i, "lowest first");
        cr_assert_eq(atomic_load(&cells[i]->inbox.top), THI_INBOX_CLOSED);
    }
    for (int i = 0; i < 1200; i++) {
        cr_assert_eq(thi_directory_find(&shelf.directory, addr_of(cells[i])), cells[i]);
        cr_assert_eq(thi_directory_at(&shelf.directory, (uint32_t)i), cells[i]);
    }
    shelf_close(&shelf);
}

Test(directory, does_not_find_a_forged_address, .init = journal_clear)
{
    struct thi_cell *cell;
    struct shelf shelf;
    th_addr good;

    shelf_open(&shelf, 2000);
    cell = take(&shelf);
    good = addr_of(cell);
    cr_assert_eq(thi_directory_find(&shelf.directory, good), cell);
    for (uint32_t slot = 1; slot; slot *= 2)
        cr_assert_null(
            thi_directory_find(&shelf.directory, (th_addr){ SYSTEM, slot, good.generation + 1 }));
    /* a segment that was not made; past the table; the largest */
    cr_assert_null(thi_directory_find(&shelf.directory, (th_addr){ SYSTEM, 600, good.generation }));
    cr_assert_null(
        thi_directory_find(&shelf.directory, (th_addr){ SYSTEM, 2048, good.generation }));
    cr_assert_null(
        thi_directory_find(&shelf.directory, (th_addr){ SYSTEM, UINT32_MAX, good.generation }));
    cr_assert_null(thi_directory_find(&shelf.directory, (th_addr){ SYSTEM, good.slot, 0 }));
    cr_assert_null(thi_directory_find(
        &shelf.directory, (th_addr){ SYSTEM, good.slot, good.generation | THI_GENERATION_ALIAS }));
    cr_assert_null(
        thi_directory_find(&shelf.directory, (th_addr){ SYSTEM + 1, good.slot, good.generation }));
    cr_assert_null(thi_directory_find(&shelf.directory, th_addr_none()));
    cr_assert_null(thi_directory_at(&shelf.directory, 600));
    cr_assert_null(thi_directory_at(&shelf.directory, UINT32_MAX));
    shelf_close(&shelf);
}

Test(directory, does_not_find_who_has_expired, .init = journal_clear)
{
    struct shelf shelf;
    struct thi_cell *cell;
    th_addr old, young;

    shelf_open(&shelf, SMALL);
    cell = take(&shelf);
    old = addr_of(cell);
    cr_assert(thi_directory_expire(cell));
    cr_assert_null(thi_directory_find(&shelf.directory, old), "before it is given back (D3)");
    thi_directory_give(&shelf.directory, cell);
    cr_assert_eq(take(&shelf), cell);
    young = addr_of(cell);
    cr_assert_neq(young.generation, old.generation);
    cr_assert_null(thi_directory_find(&shelf.directory, old));
    cr_assert_eq(thi_directory_find(&shelf.directory, young), cell);
    shelf_close(&shelf);
}

Test(directory, of_a_small_system_is_exact_about_its_limit, .init = journal_clear)
{
    struct shelf shelf;
    struct thi_cell *cell = NULL;

    for (uint32_t limit = 1; limit <= 1025; limit += limit < SMALL ? 1 : 255) {
        shelf_open(&shelf, limit);
        for (uint32_t i = 0; i < limit; i++) {
            cell = take(&shelf);
            cr_assert_not_null(cell, "%u of %u", i, limit);
        }
        cr_assert_null(take(&shelf));
        cr_assert_eq(thi_directory_slots(&shelf.directory), limit);
        cr_assert(thi_directory_expire(cell));
        thi_directory_give(&shelf.directory, cell);
        cr_assert_eq(take(&shelf), cell);
        cr_assert_null(take(&shelf));
        shelf_close(&shelf);
    }
}

Test(directory, of_a_large_system_gives_batches, .init = journal_clear)
{
    enum { LIMIT = THI_CELLS_EXACT_BELOW + 100 };
    static bool given[LIMIT];
    struct shelf shelf;
    struct thi_cell *batch;
    unsigned total = 0;

    shelf_open(&shelf, LIMIT);
    while ((batch = take(&shelf))) {
        unsigned count = 0;

        for (; batch; batch = thi_cell_next_free(batch), count++) {
            cr_assert_lt(batch->slot, LIMIT);
            cr_assert_not(given[batch->slot]);
            given[batch->slot] = true;
        }
        cr_assert_leq(count, THI_CELLS_AT_ONCE);
        total += count;
    }
    cr_assert_eq(total, LIMIT);
    shelf_close(&shelf);
}

Test(directory, never_gives_a_generation_twice, .init = journal_clear)
{
    struct shelf shelf;
    struct thi_cell *cell;

    shelf_open(&shelf, SMALL);
    cell = take(&shelf);
    for (uint32_t i = 1; i < 1000; i++) {
        cr_assert_eq(atomic_load(&cell->generation), i);
        cr_assert(thi_directory_expire(cell));
    }
    atomic_store(&cell->generation, 41 | THI_GENERATION_ALIAS);
    cr_assert(thi_directory_expire(cell));
    cr_assert_eq(atomic_load(&cell->generation), 42, "of an alias too");
    atomic_store(&cell->generation, ~THI_GENERATION_ALIAS);
    cr_assert_not(thi_directory_expire(cell), "used up");
    cr_assert_eq(atomic_load(&cell->generation), 0, "which is nobody's");
    atomic_store(&cell->generation, UINT32_MAX);
    cr_assert_not(thi_directory_expire(cell));
    shelf_close(&shelf);
}

Test(directory, without_memory_says_so_and_goes_on_later, .init = journal_clear)
{
    struct shelf shelf;
    th_err why;

    cr_assert_eq(thi_memory_init(&shelf.memory, NULL, 0), TH_OK);
    thi_memory_inject(&shelf.memory, 1, false);
    cr_assert_eq(thi_directory_init(&shelf.directory, &shelf.memory, SYSTEM, SMALL), TH_E_NOMEM);
    cr_assert_eq(thi_directory_init(&shelf.directory, &shelf.memory, SYSTEM, SMALL), TH_OK);
    thi_memory_inject(&shelf.memory, 1, false);
    cr_assert_null(thi_directory_take(&shelf.directory, &why));
    cr_assert_eq(why, TH_E_NOMEM);
    cr_assert_eq(thi_directory_slots(&shelf.directory), 0);
    cr_assert_not_null(take(&shelf));
    shelf_close(&shelf);
}

/* ---- in a system ---- */

static uint64_t leave(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)puppet, (void)order;
    return th_exit(self);
}

BOTH_BASES(directory, address_of_the_dead_is_never_the_living_ones, .init = journal_clear)
{
    enum { LIVES = 500 };
    static th_addr lives[LIVES];

    for (int i = 0; i < LIVES; i++) {
        lives[i] = puppet_new(ts, (struct part){ .number = 0 });
        tell(ts, lives[i], leave, 0);
        wait_gone(ts, lives[i]);
    }
    for (int i = 0; i < LIVES; i++)
        for (int j = 0; j < i; j++)
            cr_assert_not(th_addr_equal(lives[i], lives[j]));
}

static void limit_is_exact(th_base base)
{
    enum { LIMIT = 50 };
    th_options options = { .base = base, .workers = 2, .actors_max = LIMIT };
    struct test_system ts = test_system_open_with(&options);
    th_system_status status;
    th_addr actors[LIMIT], extra;
    unsigned count = 0;
    th_err err;

    while ((err = th_spawn(ts.me, &puppet_class, NULL, &actors[count])) == TH_OK)
        cr_assert_lt(++count, LIMIT);
    cr_assert_eq(err, TH_E_LIMIT);
    cr_assert_eq(th_system_status_read(ts.sys, &status), TH_OK);
    cr_assert_eq(1 + status.actors + status.endpoints, LIMIT, "with the system's own actor");
    for (int round = 0; round < 20; round++) {
        th_addr old = actors[round];

        cr_assert_eq(th_stop(ts.me, old), TH_OK);
        wait_gone(&ts, old);
        /* on the pool its slot is free after a grace period, which comes by itself */
        while ((err = th_spawn(ts.me, &puppet_class, NULL, &actors[round])) == TH_E_LIMIT) {
            cr_assert_eq(base, TH_BASE_POOL);
            sched_yield();
        }
        cr_assert_eq(err, TH_OK);
        cr_assert_eq(th_spawn(ts.me, &puppet_class, NULL, &extra), TH_E_LIMIT);
        cr_assert_eq(actors[round].slot, old.slot);
        cr_assert_neq(actors[round].generation, old.generation);
    }
    test_system_close(&ts);
}

Test(directory, limit_is_exact_on_the_pool, .init = journal_clear)
{
    limit_is_exact(TH_BASE_POOL);
}

Test(directory, limit_is_exact_on_the_simple_base, .init = journal_clear)
{
    limit_is_exact(TH_BASE_SIMPLE);
}
