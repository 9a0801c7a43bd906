/* A bad argument is answered with a status: names and capabilities. */
#include "tests/support/probe.h"

/* ---- name.h ---- */

static void probe_name_find(struct probe *probe)
{
    char longest[TH_NAME_MAX + 2] = "";
    th_addr addr = probe_untouched;

    memset(longest, 'x', TH_NAME_MAX + 1);
    want(th_name_find(NULL, "name", &addr), TH_E_INVALID);
    want(th_name_find(probe->me, NULL, &addr), TH_E_INVALID);
    want(th_name_find(probe->me, "", &addr), TH_E_INVALID);
    want(th_name_find(probe->me, longest, &addr), TH_E_INVALID);
    want(th_name_find(probe->me, "name", NULL), TH_E_INVALID);
    want(th_name_find(probe->me, "nobody's", &addr), TH_E_NO_NAME);
    claim(th_addr_equal(addr, probe_untouched));
    if (!probe->is_actor || probe->is_simple)
        return;
    want(th_blocking_begin(probe->me), TH_OK);
    want(th_name_find(probe->me, "nobody's", &addr), TH_E_STATE);
    want(th_blocking_end(probe->me), TH_OK);
}

static void probe_self_name(struct probe *probe)
{
    claim(th_self_name(NULL) == NULL);
    claim(th_self_name(probe->me) == NULL);
}

static void note_nothing(void *context, const char *name, th_addr addr)
{
}

static void probe_names_each(struct probe *probe)
{
    want(th_names_each(NULL, note_nothing, NULL), TH_E_INVALID);
    want(th_names_each(probe->me, NULL, NULL), TH_E_INVALID);
    want(th_names_each(probe->me, note_nothing, NULL), TH_OK);
}

/* ---- capability.h ---- */

static const th_value yes = TH_BOOL(true), no_string = TH_STRING(NULL), no_list = TH_LIST(NULL, 3);

static void probe_value_is_true(struct probe *probe)
{
    const th_value strange = { .kind = (th_value_kind)99 };

    claim(!th_value_is_true(NULL));
    claim(!th_value_is_true(&strange));
}

static void probe_value_equal(struct probe *probe)
{
    claim(!th_value_equal(NULL, NULL));
    claim(!th_value_equal(&yes, NULL));
    claim(!th_value_equal(NULL, &yes));
    claim(th_value_equal(&yes, &yes));
}

static void probe_value_print(struct probe *probe)
{
    char text[3] = "??";

    claim(th_value_print(NULL, text, sizeof(text)) == 0 && !text[0]);
    claim(th_value_print(&yes, NULL, 7) == 4);
    claim(th_value_print(&yes, text, 0) == 4);
    claim(th_value_print(&yes, text, sizeof(text)) == 4 && strcmp(text, "tr") == 0);
}

static void probe_facts_get(struct probe *probe)
{
    th_facts *facts = th_capabilities_hold(probe->me);

    claim(th_facts_get(NULL, "name") == NULL);
    claim(facts && th_facts_get(facts, NULL) == NULL);
    claim(facts && th_facts_get(facts, "nothing") == NULL);
    th_facts_release(facts);
}

static void probe_facts_count(struct probe *probe)
{
    claim(th_facts_count(NULL) == 0);
}

static void probe_facts_at(struct probe *probe)
{
    th_facts *facts = th_capabilities_hold(probe->me);

    claim(th_facts_at(NULL, 0) == NULL);
    claim(facts && th_facts_at(facts, SIZE_MAX) == NULL);
    claim(facts && th_facts_at(facts, th_facts_count(facts)) == NULL);
    th_facts_release(facts);
}

static void probe_facts_meet(struct probe *probe)
{
    const th_need needs[] = { { .name = "nothing" }, { .name = NULL } }, *missing = NULL;

    claim(th_facts_meet(NULL, NULL, NULL));
    claim(!th_facts_meet(NULL, needs, NULL));
    claim(!th_facts_meet(NULL, needs, &missing) && missing == needs);
}

static void probe_facts_release(struct probe *probe)
{
    th_facts_release(NULL);
    claim(true);
}

static void probe_capabilities_now(struct probe *probe)
{
    claim(th_capabilities_now(NULL) == NULL);
    claim((th_capabilities_now(probe->me) != NULL) == probe->is_actor);
}

static void probe_capabilities_hold(struct probe *probe)
{
    claim(th_capabilities_hold(NULL) == NULL);
}

static void probe_capability_set(struct probe *probe)
{
    char longest[TH_NAME_MAX + 2] = "";
    th_value strange = { .kind = (th_value_kind)99 }, deep[TH_NESTING_MAX + 2];

    memset(longest, 'x', TH_NAME_MAX + 1);
    deep[0] = yes;
    for (int i = 1; i < TH_NESTING_MAX + 2; i++)
        deep[i] = (th_value)TH_LIST(&deep[i - 1], 1);
    want(th_capability_set(NULL, "name", yes), TH_E_INVALID);
    want(th_capability_set(probe->me, NULL, yes), TH_E_INVALID);
    want(th_capability_set(probe->me, "", yes), TH_E_INVALID);
    want(th_capability_set(probe->me, longest, yes), TH_E_INVALID);
    want(th_capability_set(probe->me, "name", no_string), TH_E_INVALID);
    want(th_capability_set(probe->me, "name", no_list), TH_E_INVALID);
    want(th_capability_set(probe->me, "name", strange), TH_E_INVALID);
    want(th_capability_set(probe->me, "name", deep[TH_NESTING_MAX + 1]), TH_E_INVALID);
    want(th_capability_set(probe->me, "name", deep[TH_NESTING_MAX]), TH_OK);
    want(th_capability_set(probe->me, "name", (th_value)TH_LIST(deep, UINT32_MAX)), TH_E_LIMIT);
    want(th_capability_set(probe->me, "thespis.x", yes), TH_E_NOT_ALLOWED);
    if (!probe->is_actor || probe->is_simple)
        return;
    want(th_blocking_begin(probe->me), TH_OK);
    want(th_capability_set(probe->me, "name", yes), TH_E_STATE);
    claim(th_capabilities_now(probe->me) == NULL);
    claim(th_capabilities_hold(probe->me) == NULL);
    want(th_blocking_end(probe->me), TH_OK);
}

static void probe_capability_remove(struct probe *probe)
{
    want(th_capability_remove(NULL, "name"), TH_E_INVALID);
    want(th_capability_remove(probe->me, NULL), TH_E_INVALID);
    want(th_capability_remove(probe->me, ""), TH_E_INVALID);
    want(th_capability_remove(probe->me, "never set"), TH_OK);
    want(th_capability_remove(probe->me, "thespis.base"), TH_E_NOT_ALLOWED);
}

static void probe_capabilities_change(struct probe *probe)
{
    const th_fact half[] = { { "good", TH_BOOL(true) }, { "", TH_BOOL(true) }, { .name = NULL } };

    want(th_capabilities_change(NULL, half), TH_E_INVALID);
    want(th_capabilities_change(probe->me, NULL), TH_OK);
    want(th_capabilities_change(probe->me, half), TH_E_INVALID);
}

static void probe_fits(struct probe *probe)
{
    const th_need strange[] = { { .name = "x", .op = (th_need_op)99 }, { .name = NULL } };
    const th_need valueless[] = { { .name = "x", .op = TH_NEED_EQUAL }, { .name = NULL } };
    const th_fact hollow[] = { { "x", TH_STRING(NULL) }, { .name = NULL } };
    const th_class odd = { .name = "odd", .needs = strange };
    th_spawn_options options = { .klass = &probe_class };
    const char *missing = "untouched";

    want(th_fits(NULL, &options, &missing), TH_E_INVALID);
    want(th_fits(probe->me, NULL, NULL), TH_E_INVALID);
    want(th_fits(probe->me, &options, &missing), TH_OK);
    claim(missing == NULL);
    options.needs = strange;
    want(th_fits(probe->me, &options, NULL), TH_E_INVALID);
    options.needs = valueless;
    want(th_fits(probe->me, &options, NULL), TH_E_INVALID);
    options.needs = NULL;
    options.requirements = hollow;
    want(th_fits(probe->me, &options, NULL), TH_E_INVALID);
    options = (th_spawn_options){ .klass = &odd };
    want(th_fits(probe->me, &options, NULL), TH_E_INVALID);
    options = (th_spawn_options){ .class_name = "nobody" };
    want(th_fits(probe->me, &options, NULL), TH_E_NO_CLASS);
}

static void probe_self_requirements(struct probe *probe)
{
    claim(th_self_requirements(NULL) == NULL);
    claim(th_self_requirements(probe->me) == NULL);
}

/* ---- the table ---- */

#define ROW(name)                                                                                  \
    {                                                                                              \
        "th_" #name, probe_##name                                                                  \
    }
static const struct probe_row rows[] = {
    ROW(name_find),           ROW(self_name),      ROW(names_each),
    ROW(value_is_true),       ROW(value_equal),    ROW(value_print),
    ROW(facts_get),           ROW(facts_count),    ROW(facts_at),
    ROW(facts_meet),          ROW(facts_release),  ROW(capabilities_now),
    ROW(capabilities_hold),   ROW(capability_set), ROW(capability_remove),
    ROW(capabilities_change), ROW(fits),           ROW(self_requirements),
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

BOTH_BASES(bad_input_names, every_function_as_an_endpoint)
{
    probe_as_endpoint(ts, rows, ROWS);
}

BOTH_BASES(bad_input_names, every_function_in_an_actor)
{
    probe_in_actor(ts, rows, ROWS);
}

Test(bad_input_names, no_function_of_the_headers_is_missing)
{
    static const char *const headers[] = { "name.h", "capability.h", NULL };

    probe_headers(headers, rows, ROWS);
}
