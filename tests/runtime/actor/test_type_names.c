/* Types by name, for what comes from elsewhere. */
#include "runtime/actor/type_names.h"

#include <stdio.h>

#include "runtime/system/system.h"
#include "tests/support/system.h"
#include "tests/support/talk.h"

static const th_type other_number = { .name = "talk_number" };

BOTH_BASES(type_names, are_found_by_name)
{
    struct thi_stage *stage = &ts->sys->stage;

    cr_assert_null(thi_type_names_find(stage, "talk_number"));
    must(th_type_register(ts->sys, &talk_number_type));
    must(th_type_register(ts->sys, &talk_number_type));
    must(th_type_register(ts->sys, &talk_whom_type));
    cr_assert_eq(thi_type_names_find(stage, "talk_number"), &talk_number_type);
    cr_assert_eq(thi_type_names_find(stage, "talk_whom"), &talk_whom_type);
    cr_assert_null(thi_type_names_find(stage, "talk_numbe"));
    cr_assert_null(thi_type_names_find(stage, ""));
}

BOTH_BASES(type_names, have_one_name_each)
{
    must(th_type_register(ts->sys, &talk_number_type));
    must_be(th_type_register(ts->sys, &other_number), TH_E_EXISTS);
    must(th_type_register(ts->sys, &th_exit_request_type)); /* known from the start */
}

/* What only the runtime of the same system says is nothing that comes from elsewhere. */
BOTH_BASES(type_names, of_the_runtime_are_known_if_they_travel)
{
    struct thi_stage *stage = &ts->sys->stage;

    cr_assert_eq(thi_type_names_find(stage, "th_exit_request"), &th_exit_request_type);
    cr_assert_eq(thi_type_names_find(stage, "th_poison"), &th_poison_type);
    cr_assert_null(thi_type_names_find(stage, "thi_adopt"));
    cr_assert_null(thi_type_names_find(stage, "thi_exit_with_parent"));
    cr_assert_null(thi_type_names_find(stage, "th_child_exited"));
}

Test(type_names, have_a_limit_and_any_order)
{
    static char names[TH_TYPES_MAX + 1][16];
    static th_type types[TH_TYPES_MAX + 1];
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);

    for (uint32_t i = 0; i <= TH_TYPES_MAX; i++) {
        uint32_t k = i * 2654435761u; /* as good as shuffled */

        snprintf(names[i], sizeof(names[i]), "t%u", k);
        types[i].name = names[i];
        must_be(th_type_register(ts.sys, &types[i]), i < TH_TYPES_MAX ? TH_OK : TH_E_LIMIT);
    }
    for (uint32_t i = 0; i < TH_TYPES_MAX; i++)
        cr_assert_eq(thi_type_names_find(&ts.sys->stage, names[i]), &types[i]);
    cr_assert_null(thi_type_names_find(&ts.sys->stage, names[TH_TYPES_MAX]));
    test_system_close(&ts);
}
