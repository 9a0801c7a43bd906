#include "runtime/base/log_rules.h"

#include <criterion/criterion.h>
#include <stdio.h>

Test(log_rules, patterns_fit_as_in_a_shell)
{
    cr_expect(thi_log_pattern_fits("", ""));
    cr_expect(thi_log_pattern_fits("*", ""));
    cr_expect(thi_log_pattern_fits("a*c", "abbc"));
    cr_expect(thi_log_pattern_fits("a*b*c", "aXbYbZc"));
    cr_expect(thi_log_pattern_fits("?", "x"));
    cr_expect_not(thi_log_pattern_fits("", "x"));
    cr_expect_not(thi_log_pattern_fits("?", ""));
    cr_expect_not(thi_log_pattern_fits("a*c", "abcd"));
    cr_expect_not(thi_log_pattern_fits("ab", "a"));
}

Test(log_rules, the_first_that_fits_counts)
{
    static struct thi_log_rules rules = { .threshold = TH_LOG_WARN };
    th_addr actor = { 1, 2, 3 };

    cr_assert_eq(thi_log_rules_parse(&rules, " error , net.http=off,net.*= DEBUG,=trace"), TH_OK);
    cr_expect_eq(thi_log_rules_find(&rules, actor, "else"), TH_LOG_ERROR);
    cr_expect_eq(thi_log_rules_find(&rules, actor, "net.http"), TH_LOG_OFF);
    cr_expect_eq(thi_log_rules_find(&rules, actor, "net.tcp"), TH_LOG_DEBUG);
    cr_expect_eq(thi_log_rules_find(&rules, actor, ""), TH_LOG_TRACE);
    cr_assert_eq(thi_log_rules_set_actor(&rules, actor, TH_LOG_CRITICAL), TH_OK);
    cr_expect_eq(thi_log_rules_find(&rules, actor, "net.tcp"), TH_LOG_CRITICAL);
    cr_assert_eq(thi_log_rules_set_actor(&rules, actor, TH_LOG_DEFAULT), TH_OK);
    cr_expect_eq(thi_log_rules_find(&rules, actor, "net.tcp"), TH_LOG_DEBUG);
}

Test(log_rules, what_cannot_be_read_changes_nothing)
{
    static struct thi_log_rules rules = { .threshold = TH_LOG_WARN };
    static char many[TH_LOG_RULES_MAX * 8 + 16];
    char *at = many;

    for (int i = 0; i <= TH_LOG_RULES_MAX; i++)
        at += sprintf(at, "c=info,");
    cr_assert_eq(thi_log_rules_parse(&rules, "a=info"), TH_OK);
    cr_expect_eq(thi_log_rules_parse(&rules, many), TH_E_LIMIT);
    cr_expect_eq(thi_log_rules_parse(&rules, "debug,b=loud"), TH_E_PARSE);
    cr_expect_eq(thi_log_rules_parse(&rules, "a=info=b"), TH_E_PARSE);
    cr_expect_eq(rules.threshold, TH_LOG_WARN);
    cr_expect_eq(rules.rule_count, 1);
}

Test(log_rules, single_actors_are_limited)
{
    static struct thi_log_rules rules = { .threshold = TH_LOG_WARN };

    for (uint32_t i = 0; i < TH_LOG_ACTORS_MAX; i++)
        cr_assert_eq(thi_log_rules_set_actor(&rules, (th_addr){ 1, i, 1 }, TH_LOG_INFO), TH_OK);
    cr_expect_eq(thi_log_rules_set_actor(&rules, (th_addr){ 2, 0, 1 }, TH_LOG_INFO), TH_E_LIMIT);
    cr_expect_eq(thi_log_rules_set_actor(&rules, (th_addr){ 1, 5, 1 }, TH_LOG_ERROR), TH_OK);
    cr_expect_eq(thi_log_rules_set_actor(&rules, (th_addr){ 1, 0, 1 }, TH_LOG_DEFAULT), TH_OK);
    cr_expect_eq(thi_log_rules_set_actor(&rules, (th_addr){ 2, 0, 1 }, TH_LOG_INFO), TH_OK);
}
