/*
 * Criterion's face over a plain main(), for sanitized builds.
 *
 * The suites are written for Criterion, which starts a process per test, aborts under
 * ThreadSanitizer, and lets a leaking child pass.  Here every test of a program runs in its one
 * process, in the order of the file, so the exit code of that process is the sanitizer's verdict.
 *
 * Only what the house rules allow is here: Test() with .init, .fini and .timeout, and the
 * cr_assert_* and cr_expect_* families below.  Anything else fails to compile, as it should.
 *
 * A failed cr_assert ends the whole program at once: its threads may still run, so no later test
 * could be believed.  A failed cr_expect is remembered and the program fails at its end.
 */
#ifndef TESTS_SUPPORT_CRITERION_H
#define TESTS_SUPPORT_CRITERION_H

/* Criterion brings these along, and tests rely on it. */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shim_test {
    const char *suite;
    const char *name;
    void (*run)(void);
    void (*init)(void);
    void (*fini)(void);
    double timeout; /* seconds, as for Criterion; 0 is the default */
    struct shim_test *next;
};

/* Called before main(), once per Test(). */
void shim_register(struct shim_test *test);

/* Prints where and why; ends the program when @is_fatal. */
void shim_fail(bool is_fatal, const char *file, int line, const char *what, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#define Test(suite_, name_, ...)                                                                   \
    static void suite_##_##name_##_test(void);                                                     \
    static struct shim_test suite_##_##name_##_entry = {                                           \
        .suite = #suite_, .name = #name_, .run = suite_##_##name_##_test, __VA_ARGS__              \
    };                                                                                             \
    __attribute__((constructor)) static void suite_##_##name_##_register(void)                     \
    {                                                                                              \
        shim_register(&suite_##_##name_##_entry);                                                  \
    }                                                                                              \
    static void suite_##_##name_##_test(void)

/* The string in front keeps a call without a format legal. */
#define shim_check(is_fatal, claim, what, ...)                                                     \
    do {                                                                                           \
        if (!(claim))                                                                              \
            shim_fail(is_fatal, __FILE__, __LINE__, what, " " __VA_ARGS__);                        \
    } while (0)

#define shim_compare(is_fatal, a, relation, b, ...)                                                \
    shim_check(is_fatal, (a)relation(b), #a " " #relation " " #b, __VA_ARGS__)

#define cr_assert(claim, ...)      shim_check(true, claim, #claim, __VA_ARGS__)
#define cr_assert_not(claim, ...)  shim_check(true, !(claim), "not " #claim, __VA_ARGS__)
#define cr_assert_fail(...)        shim_check(true, false, "reached", __VA_ARGS__)
#define cr_assert_eq(a, b, ...)    shim_compare(true, a, ==, b, __VA_ARGS__)
#define cr_assert_neq(a, b, ...)   shim_compare(true, a, !=, b, __VA_ARGS__)
#define cr_assert_lt(a, b, ...)    shim_compare(true, a, <, b, __VA_ARGS__)
#define cr_assert_leq(a, b, ...)   shim_compare(true, a, <=, b, __VA_ARGS__)
#define cr_assert_gt(a, b, ...)    shim_compare(true, a, >, b, __VA_ARGS__)
#define cr_assert_geq(a, b, ...)   shim_compare(true, a, >=, b, __VA_ARGS__)
#define cr_assert_null(a, ...)     shim_check(true, (a) == NULL, #a " is null", __VA_ARGS__)
#define cr_assert_not_null(a, ...) shim_check(true, (a) != NULL, #a " is not null", __VA_ARGS__)
#define cr_assert_str_eq(a, b, ...)                                                                \
    shim_check(true, strcmp(a, b) == 0, #a " reads " #b, __VA_ARGS__)
#define cr_assert_str_neq(a, b, ...)                                                               \
    shim_check(true, strcmp(a, b) != 0, #a " does not read " #b, __VA_ARGS__)
#define cr_assert_arr_eq(a, b, size, ...)                                                          \
    shim_check(true, memcmp(a, b, size) == 0, #a " holds " #b, __VA_ARGS__)
#define cr_assert_arr_neq(a, b, size, ...)                                                         \
    shim_check(true, memcmp(a, b, size) != 0, #a " does not hold " #b, __VA_ARGS__)

#define cr_expect(claim, ...)      shim_check(false, claim, #claim, __VA_ARGS__)
#define cr_expect_not(claim, ...)  shim_check(false, !(claim), "not " #claim, __VA_ARGS__)
#define cr_expect_fail(...)        shim_check(false, false, "reached", __VA_ARGS__)
#define cr_expect_eq(a, b, ...)    shim_compare(false, a, ==, b, __VA_ARGS__)
#define cr_expect_neq(a, b, ...)   shim_compare(false, a, !=, b, __VA_ARGS__)
#define cr_expect_lt(a, b, ...)    shim_compare(false, a, <, b, __VA_ARGS__)
#define cr_expect_leq(a, b, ...)   shim_compare(false, a, <=, b, __VA_ARGS__)
#define cr_expect_gt(a, b, ...)    shim_compare(false, a, >, b, __VA_ARGS__)
#define cr_expect_geq(a, b, ...)   shim_compare(false, a, >=, b, __VA_ARGS__)
#define cr_expect_null(a, ...)     shim_check(false, (a) == NULL, #a " is null", __VA_ARGS__)
#define cr_expect_not_null(a, ...) shim_check(false, (a) != NULL, #a " is not null", __VA_ARGS__)
#define cr_expect_str_eq(a, b, ...)                                                                \
    shim_check(false, strcmp(a, b) == 0, #a " reads " #b, __VA_ARGS__)
#define cr_expect_str_neq(a, b, ...)                                                               \
    shim_check(false, strcmp(a, b) != 0, #a " does not read " #b, __VA_ARGS__)
#define cr_expect_arr_eq(a, b, size, ...)                                                          \
    shim_check(false, memcmp(a, b, size) == 0, #a " holds " #b, __VA_ARGS__)
#define cr_expect_arr_neq(a, b, size, ...)                                                         \
    shim_check(false, memcmp(a, b, size) != 0, #a " does not hold " #b, __VA_ARGS__)

#endif
