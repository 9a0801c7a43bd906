/* Values compare as numbers and strings do, and print as JSON has it. */
#include <criterion/criterion.h>

#include "runtime/base/value.h"

#include <string.h>

#define INT(n)  ((th_value)TH_INTEGER(n))
#define REAL(x) ((th_value)TH_REAL(x))

static int order(th_value a, th_value b)
{
    int order_ab = 7, order_ba = 7;

    cr_assert(thi_value_compare(&a, &b, &order_ab));
    cr_assert(thi_value_compare(&b, &a, &order_ba));
    cr_assert((order_ab > 0) == (order_ba < 0) && (order_ab < 0) == (order_ba > 0));
    return order_ab;
}

Test(value, integers_and_reals_have_one_order)
{
    cr_assert_lt(order(INT(INT64_MIN), INT(INT64_MAX)), 0);
    cr_assert_eq(order(INT(3), REAL(3.0)), 0);
    cr_assert_lt(order(INT(3), REAL(3.5)), 0);
    cr_assert_gt(order(INT(-3), REAL(-3.5)), 0);
    cr_assert_lt(order(INT(-4), REAL(-3.5)), 0);
    cr_assert_lt(order(INT(INT64_MAX), REAL(0x1p63)), 0, "which is one more");
    cr_assert_eq(order(INT(INT64_MIN), REAL(-0x1p63)), 0);
    cr_assert_gt(order(INT(INT64_MIN), REAL(-0x1.1p63)), 0);
    cr_assert_gt(order(INT((INT64_C(1) << 53) + 1), REAL(0x1p53)), 0, "not rounded");
    cr_assert_lt(order(REAL(-1e300), REAL(1e300)), 0);
}

Test(value, other_kinds_have_none)
{
    th_value values[] = { TH_BOOL(true), TH_LIST(NULL, 0), TH_STRING("a"), TH_INTEGER(1) };
    int unused;

    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            cr_assert_eq(thi_value_compare(&values[i], &values[j], &unused), i == j && i >= 2);
}

Test(value, equal_is_not_identical)
{
    th_value one = INT(1), real = REAL(1), truth = TH_BOOL(true);
    th_value a = TH_LIST(&one, 1), b = TH_LIST(&real, 1), c = TH_LIST(NULL, 0);

    cr_assert(th_value_equal(&one, &real) && !thi_value_identical(&one, &real));
    cr_assert(th_value_equal(&a, &b) && !thi_value_identical(&a, &b));
    cr_assert(thi_value_identical(&a, &a) && !th_value_equal(&a, &c));
    cr_assert(!th_value_equal(&truth, &one));
}

Test(value, prints_as_json)
{
    th_value in[] = { TH_INTEGER(-7), TH_STRING("a \"b\"\\\n"), TH_BOOL(false), TH_LIST(NULL, 0) };
    th_value list = TH_LIST(in, 4), none = { .kind = TH_VALUE_NONE }, half = TH_REAL(0.5);
    char text[80], few[5];

    cr_assert_eq(th_value_print(&list, text, sizeof(text)), strlen(text));
    cr_assert_str_eq(text, "[-7, \"a \\\"b\\\"\\\\\\u000a\", false, []]");
    cr_assert_eq(th_value_print(&list, few, sizeof(few)), strlen(text));
    cr_assert_str_eq(few, "[-7,");
    th_value_print(&none, text, sizeof(text));
    cr_assert_str_eq(text, "null");
    th_value_print(&half, text, sizeof(text));
    cr_assert_str_eq(text, "0.5");
}
