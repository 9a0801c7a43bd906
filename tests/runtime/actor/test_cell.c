/* Cells: taken clean, retired once, and walked past when they are nobody's. */
#include "puppet.h"

#include "runtime/actor/cell.h"
#include "runtime/actor/send.h"
#include "runtime/actor/stage.h"

/* What a test does to cells, as an actor and as an endpoint; both keep spare ones. */
typedef void (*cell_test)(th_self *self);

static uint64_t run_test(th_self *self, struct puppet *puppet, const struct order *order)
{
    cell_test test;

    (void)puppet;
    memcpy(&test, order->pointer, sizeof(test));
    test(self);
    return 0;
}

static void run_both_ways(struct test_system *ts, cell_test test)
{
    th_addr actor = puppet_new(ts, (struct part){ .number = 0 });

    tell_order(ts, actor, (struct order){ .run = run_test, .pointer = &test });
    thi_stage_enter(thi_stage_of(ts->me));
    test(ts->me);
    thi_stage_leave(thi_stage_of(ts->me));
}

static struct thi_cell *take(th_self *self, enum thi_cell_kind kind)
{
    th_err why;
    struct thi_cell *cell = thi_cell_take(self, kind, &why);

    cr_assert_not_null(cell);
    cr_assert_eq(why, TH_OK);
    return cell;
}

static void taken_clean(th_self *self)
{
    for (int i = 0; i < 300; i++) {
        struct thi_cell *cell = take(self, THI_CELL_FREE);

        cr_assert_eq(thi_cell_kind(cell), THI_CELL_FREE);
        cr_assert_eq(thi_cell_life(cell), THI_CELL_STARTING);
        cr_assert_eq(atomic_load(&cell->inbox.top), THI_INBOX_CLOSED);
        cr_assert_null(cell->klass);
        cr_assert_null(cell->state);
        cr_assert_null(cell->mail_head);
        cr_assert_null(cell->extra);
        cr_assert_null(cell->self.worker);
        cr_assert_eq(cell->flags, 0);
        cr_assert_eq(cell->first_child, 0);
        cr_assert_eq(cell->next_sibling, 0);
        cr_assert_eq(cell->parent_generation, 0);
        cr_assert_eq(atomic_load(&cell->children), 0);
        cell->klass = &puppet_class; /* for the next tenant to find, if nobody clears */
        cell->flags = THI_CELL_EXIT_ASKED;
        cell->first_child = cell->next_sibling = 77;
        atomic_store(&cell->parent_generation, 77);
        cell->self.worker = self->worker;
        thi_cell_retire(self, cell);
    }
}

BOTH_BASES(cell, is_taken_clean, .init = journal_clear)
{
    run_both_ways(ts, taken_clean);
}

static void retired(th_self *self)
{
    struct thi_cell *actor = take(self, THI_CELL_ACTOR), *alias = take(self, THI_CELL_ALIAS);
    uint32_t generation = atomic_load(&actor->generation);
    struct thi_directory *directory = &thi_stage_of(self)->directory;
    th_addr addr = { th_self_addr(self).system, actor->slot, generation };

    cr_assert_neq(actor, alias);
    cr_assert_eq(thi_directory_find(directory, addr), actor);
    thi_cell_retire(self, actor);
    thi_cell_retire(self, alias);
    cr_assert_null(thi_directory_find(directory, addr), "from now on, whenever it is used again");
    cr_assert_eq(atomic_load(&actor->generation), generation + 1);
    cr_assert_eq(thi_cell_kind_shown(actor), THI_CELL_FREE, "walkers pass it by");
    cr_assert_eq(thi_cell_kind_shown(alias), THI_CELL_ALIAS, "whose kind late answers need");
}

BOTH_BASES(cell, that_is_retired_is_nobodys, .init = journal_clear)
{
    run_both_ways(ts, retired);
}

static void used_up(th_self *self)
{
    struct thi_cell *cell = take(self, THI_CELL_FREE);

    atomic_store(&cell->generation, ~THI_GENERATION_ALIAS);
    thi_cell_retire(self, cell);
    for (int i = 0; i < 300; i++)
        cr_assert_neq(take(self, THI_CELL_FREE), cell);
}

BOTH_BASES(cell, that_is_used_up_is_never_taken_again, .init = journal_clear)
{
    run_both_ways(ts, used_up);
}

static void extra_once(th_self *self)
{
    struct thi_stage *stage = thi_stage_of(self);
    struct thi_cell *cell = take(self, THI_CELL_FREE);
    struct thi_cell_extra *extra;

    thi_memory_inject(&stage->memory, 1, false);
    cr_assert_null(thi_cell_extra(stage, cell));
    thi_memory_inject(&stage->memory, 0, false);
    extra = thi_cell_extra(stage, cell);
    cr_assert_not_null(extra);
    cr_assert_eq(thi_cell_extra(stage, cell), extra);
    cr_assert_null(extra->asks);
    thi_memory_give(&stage->memory, extra, sizeof(*extra));
    cell->extra = NULL;
    thi_cell_retire(self, cell);
}

BOTH_BASES(cell, has_one_extra, .init = journal_clear)
{
    run_both_ways(ts, extra_once);
}

static uint64_t look(th_self *self, struct puppet *puppet, const struct order *order)
{
    struct thi_cell *cell = thi_cell_of_self(self);

    cr_assert_eq(&cell->self, self);
    cr_assert_eq(thi_cell_of_task(&cell->task), cell);
    cr_assert_eq(cell->state, puppet);
    cr_assert_eq(thi_cell_kind(cell), THI_CELL_ACTOR);
    cr_assert_eq(thi_cell_life(cell), THI_CELL_RUNNING);
    cr_assert_eq(cell->slot, order->addr.slot);
    return 0;
}

BOTH_BASES(cell, is_found_from_what_lies_in_it, .init = journal_clear)
{
    th_addr actor = puppet_new(ts, (struct part){ .number = 0 });

    tell_order(ts, actor, (struct order){ .run = look, .addr = actor });
}
