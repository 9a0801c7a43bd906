/* Classes by name. */
#include "puppet.h"

#include <stdio.h>
#include <thespis/config.h>

static const th_class double_class = { .name = "puppet" };

BOTH_BASES(classes, can_be_played_by_name, .init = journal_clear)
{
    th_spawn_options options = { .class_name = "puppet" };
    th_addr actor;

    cr_assert_eq(th_spawn_with(ts->me, &options, &actor), TH_E_NO_CLASS);
    cr_assert_eq(th_class_register(ts->sys, &puppet_class), TH_OK);
    cr_assert_eq(th_spawn_with(ts->me, &options, &actor), TH_OK);
    cr_assert_eq(tell(ts, actor, order_nothing, 0), 0);
    options.class_name = "puppe";
    cr_assert_eq(th_spawn_with(ts->me, &options, &actor), TH_E_NO_CLASS);
    options.class_name = "";
    cr_assert_eq(th_spawn_with(ts->me, &options, &actor), TH_E_NO_CLASS);
}

BOTH_BASES(classes, have_one_name_each, .init = journal_clear)
{
    cr_assert_eq(th_class_register(ts->sys, &puppet_class), TH_OK);
    cr_assert_eq(th_class_register(ts->sys, &puppet_class), TH_OK, "again is no matter");
    cr_assert_eq(th_class_register(ts->sys, &double_class), TH_E_EXISTS);
}

BOTH_BASES(classes, need_a_name_of_some_length, .init = journal_clear)
{
    static char name[TH_NAME_MAX + 2];
    th_class klass = { .name = NULL };

    cr_assert_eq(th_class_register(ts->sys, NULL), TH_E_INVALID);
    cr_assert_eq(th_class_register(NULL, &puppet_class), TH_E_INVALID);
    cr_assert_eq(th_class_register(ts->sys, &klass), TH_E_INVALID);
    klass.name = "";
    cr_assert_eq(th_class_register(ts->sys, &klass), TH_E_INVALID);
    memset(name, 'n', TH_NAME_MAX + 1);
    klass.name = name;
    cr_assert_eq(th_class_register(ts->sys, &klass), TH_E_INVALID);
    name[TH_NAME_MAX] = '\0';
    cr_assert_eq(th_class_register(ts->sys, &klass), TH_OK);
}

Test(classes, have_a_limit, .init = journal_clear)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    static char names[TH_CLASSES_MAX + 1][16];
    static th_class classes[TH_CLASSES_MAX + 1];
    th_system_status status;

    cr_assert_eq(th_system_status_read(ts.sys, &status), TH_OK);
    cr_assert_eq(status.classes, 0);
    for (int i = 0; i <= TH_CLASSES_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "c%d", i);
        classes[i].name = names[i];
        cr_assert_eq(th_class_register(ts.sys, &classes[i]),
                     i < TH_CLASSES_MAX ? TH_OK : TH_E_LIMIT);
    }
    cr_assert_eq(th_class_register(ts.sys, &classes[17]), TH_OK, "known");
    cr_assert_eq(th_system_status_read(ts.sys, &status), TH_OK);
    cr_assert_eq(status.classes, TH_CLASSES_MAX);
    test_system_close(&ts);
}

Test(classes, without_memory_are_refused, .init = journal_clear)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);

    cr_assert_eq(th_inject_nomem(ts.sys, 1, false), TH_OK);
    cr_assert_eq(th_class_register(ts.sys, &puppet_class), TH_E_NOMEM);
    cr_assert_eq(th_class_register(ts.sys, &puppet_class), TH_OK);
    test_system_close(&ts);
}
