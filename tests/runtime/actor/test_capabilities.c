/* A change is told to all or did not happen, whatever allocation fails. */
#include "puppet.h"

#include "runtime/actor/capabilities.h"

enum { SOLVERS = 5 };

static const th_need needs[] = { { .name = "gpu" }, { .name = NULL } };

BOTH_BASES(capabilities, a_change_without_memory_is_none, .init = journal_clear)
{
    th_spawn_options options = { .klass = &puppet_class, .needs = needs };
    struct thi_stage *stage = thi_stage_of(ts->me);
    th_addr addr;
    uint64_t nth = 0;
    th_err err = TH_E_NOMEM;

    cr_assert_eq(th_capability_set(ts->me, "gpu", (th_value)TH_BOOL(true)), TH_OK);
    for (int i = 0; i < SOLVERS; i++)
        cr_assert_eq(th_spawn_with(ts->me, &options, &addr), TH_OK);
    cr_assert_eq(atomic_load(&stage->capabilities.choosy_count), SOLVERS);
    while (err) {
        cr_assert_eq(th_inject_nomem(ts->sys, ++nth, true), TH_OK);
        err = th_capability_remove(ts->me, "gpu");
        cr_assert_eq(th_inject_nomem(ts->sys, 0, false), TH_OK);
        cr_assert(err == TH_OK || err == TH_E_NOMEM, "%s", th_err_name(err));
        if (err)
            cr_assert_eq(th_fits(ts->me, &options, NULL), TH_OK, "it is still there");
    }
    cr_assert_gt(nth, 2, "a message for each was asked for");
    cr_assert_eq(th_fits(ts->me, &options, NULL), TH_E_UNFIT);
    /* all are told: the last of them leaves the list in its exit */
    options.needs = NULL;
    while (atomic_load(&stage->capabilities.choosy_count))
        cr_assert_eq(th_create(ts->me, &options, TEST_PATIENCE, &addr, NULL), TH_OK);
}
