/* Sets are in order, each name once, and what is the same is no change. */
#include <criterion/criterion.h>

#include "runtime/base/facts.h"
#include <thespis/config.h>

#include <stdio.h>
#include <string.h>

static struct thi_memory memory;

static void open_memory(void)
{
    cr_assert_eq(thi_memory_init(&memory, NULL, 0), TH_OK);
}

static void close_memory(void)
{
    cr_assert_eq(thi_memory_fini(&memory), 0);
}

static th_facts *changed(const th_facts *base, const th_fact *changes)
{
    th_facts *made = NULL;

    cr_assert_eq(thi_facts_change(&memory, base, changes, &made), TH_OK);
    return made;
}

static const th_value inner[] = { TH_STRING("x"), TH_INTEGER(2) };
static const th_value outer[] = { TH_LIST(inner, 2), TH_BOOL(true) };

Test(facts, are_in_order_and_found, .init = open_memory, .fini = close_memory)
{
    const th_fact changes[] = {
        { "m", TH_INTEGER(1) }, { "z", TH_LIST(outer, 2) }, { "a", TH_STRING("first") },
        { "m", TH_INTEGER(2) }, { "gone", TH_BOOL(true) },  { "gone", { .kind = TH_VALUE_NONE } },
        { .name = NULL }
    };
    th_facts *facts = changed(NULL, changes);

    cr_assert_eq(th_facts_count(facts), 3);
    cr_assert_str_eq(th_facts_at(facts, 0)->name, "a");
    cr_assert_str_eq(th_facts_at(facts, 1)->name, "m");
    cr_assert_str_eq(th_facts_at(facts, 2)->name, "z");
    cr_assert_eq(th_facts_get(facts, "m")->as.integer, 2, "the last one counts");
    cr_assert_null(th_facts_get(facts, "gone"));
    cr_assert_str_eq(th_facts_get(facts, "z")->as.list[0].as.list[0].as.string, "x");
    cr_assert_neq(th_facts_get(facts, "z")->as.list, outer, "a copy, all the way down");
    th_facts_release(facts);
}

Test(facts, the_same_is_no_change, .init = open_memory, .fini = close_memory)
{
    const th_fact first[] = { { "a", TH_LIST(outer, 2) },
                              { "b", TH_INTEGER(1) },
                              { .name = NULL } };
    const th_fact there_and_back[] = { { "b", TH_INTEGER(9) },
                                       { "b", TH_INTEGER(1) },
                                       { .name = NULL } };
    const th_fact absent[] = { { "c", { .kind = TH_VALUE_NONE } }, { .name = NULL } };
    const th_fact real[] = { { "b", TH_REAL(1) }, { .name = NULL } };
    th_facts *facts = changed(NULL, first), *other;

    cr_assert_null(changed(facts, first));
    cr_assert_null(changed(facts, there_and_back));
    cr_assert_null(changed(facts, absent));
    cr_assert_null(changed(facts, NULL));
    cr_assert_null(changed(NULL, absent));
    other = changed(facts, real);
    cr_assert_not_null(other, "another kind is another value");
    th_facts_release(other);
    th_facts_release(facts);
}

Test(facts, live_until_the_last_release, .init = open_memory, .fini = close_memory)
{
    const th_fact one[] = { { "a", TH_STRING("text") }, { .name = NULL } };
    th_facts *facts = changed(NULL, one);

    thi_facts_hold(facts);
    th_facts_release(facts);
    cr_assert_str_eq(th_facts_get(facts, "a")->as.string, "text");
    facts->parcel.release(&facts->parcel);
}

/* One that a set could not be made of changes nothing. */
Test(facts, have_limits, .init = open_memory, .fini = close_memory)
{
    static char names[TH_FACTS_MAX + 1][16], half[TH_FACTS_SIZE_MAX / 2 + 1];
    th_fact many[TH_FACTS_MAX + 2] = { { 0 } };
    th_fact large[] = { { "a", TH_STRING(half) }, { "b", TH_STRING(half) }, { .name = NULL } };
    th_facts *made;

    for (int i = 0; i <= TH_FACTS_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "%d", i);
        many[i] = (th_fact){ names[i], TH_BOOL(true) };
    }
    cr_assert_eq(thi_facts_change(&memory, NULL, many, &made), TH_E_LIMIT);
    cr_assert_eq(thi_facts_check(many, 0, 0), TH_E_LIMIT);
    many[TH_FACTS_MAX].name = NULL;
    cr_assert_eq(thi_facts_check(many, 0, 0), TH_OK);
    cr_assert_eq(thi_facts_check(many, 1, 0), TH_E_LIMIT);
    made = changed(NULL, many);
    cr_assert_eq(th_facts_count(made), TH_FACTS_MAX);
    th_facts_release(made);
    memset(half, 'x', sizeof(half) - 1);
    cr_assert_eq(thi_facts_change(&memory, NULL, large, &made), TH_E_LIMIT);
    cr_assert_null(made);
    large[1].name = NULL;
    th_facts_release(changed(NULL, large));
}

Test(facts, needs_are_copied_whole, .init = open_memory, .fini = close_memory)
{
    char name[] = "name", wanted[] = "value";
    th_need needs[] = { { name, TH_NEED_EQUAL, TH_STRING(wanted) },
                        { "list", TH_NEED_CONTAINS, TH_LIST(inner, 2) },
                        { .name = NULL } };
    const th_fact facts[] = { { "name", TH_STRING("value") },
                              { "list", TH_LIST(outer, 2) },
                              { .name = NULL } };
    struct thi_needs *copy = NULL;
    th_facts *set = changed(NULL, facts);

    cr_assert_eq(thi_needs_copy(&memory, needs, &copy), TH_OK);
    name[0] = wanted[0] = '?';
    cr_assert(th_facts_meet(set, copy->needs, NULL));
    thi_needs_free(copy);
    th_facts_release(set);
}
