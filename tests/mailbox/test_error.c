/* tests of mailbox/error.c */
#include "mailroom.h"

#include <thespis/msg.h>

Test(error, every_error_has_a_text_and_a_name_of_its_own)
{
    int i, j;

    for (i = 0; i < TH_ERR_COUNT; i++) {
        cr_assert_gt(strlen(th_strerror((th_err)i)), 0);
        cr_assert_eq(strncmp(th_err_name((th_err)i), i ? "TH_E_" : "TH_OK", 5), 0);
        cr_assert_str_neq(th_strerror((th_err)i), th_strerror(TH_ERR_COUNT));
        for (j = 0; j < i; j++) {
            cr_assert_str_neq(th_strerror((th_err)i), th_strerror((th_err)j));
            cr_assert_str_neq(th_err_name((th_err)i), th_err_name((th_err)j));
        }
    }
}

Test(error, names_are_those_of_the_enum)
{
    cr_assert_str_eq(th_err_name(TH_OK), "TH_OK");
    cr_assert_str_eq(th_err_name(TH_E_TIMEOUT), "TH_E_TIMEOUT");
    cr_assert_str_eq(th_err_name(TH_E_PARSE), "TH_E_PARSE");
}

Test(error, unknown_values_have_texts_too)
{
    cr_assert_str_eq(th_strerror(TH_ERR_COUNT), "not an error of libthespis");
    cr_assert_str_eq(th_strerror((th_err)-1), "not an error of libthespis");
    cr_assert_not_null(th_err_name((th_err)-1));
    cr_assert_not_null(th_err_name(TH_ERR_COUNT));
    cr_assert_not_null(th_exit_reason_text((th_exit_reason)-1));
    cr_assert_not_null(th_exit_reason_text(TH_EXIT_COUNT));
    cr_assert_not_null(th_dead_reason_text((th_dead_reason)-1));
    cr_assert_not_null(th_dead_reason_text(TH_DEAD_COUNT));
}

Test(error, every_reason_has_a_text_of_its_own)
{
    int i, j;

    for (i = 0; i < TH_EXIT_COUNT; i++) {
        cr_assert_gt(strlen(th_exit_reason_text((th_exit_reason)i)), 0);
        for (j = 0; j < i; j++)
            cr_assert_str_neq(th_exit_reason_text((th_exit_reason)i),
                              th_exit_reason_text((th_exit_reason)j));
    }
    for (i = 0; i < TH_DEAD_COUNT; i++) {
        cr_assert_gt(strlen(th_dead_reason_text((th_dead_reason)i)), 0);
        for (j = 0; j < i; j++)
            cr_assert_str_neq(th_dead_reason_text((th_dead_reason)i),
                              th_dead_reason_text((th_dead_reason)j));
    }
}
