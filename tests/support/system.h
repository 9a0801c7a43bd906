/* tests/support/system.h: a system per test, and nothing left of it.
 *
 *     BOTH_BASES(feature, sends)
 *     {
 *         th_addr actor;
 *         cr_assert_eq(th_spawn(ts->me, &some_class, NULL, &actor), TH_OK);
 *         ...
 *     }
 *
 * makes the tests feature/sends_pool and feature/sends_simple, each with a system of its own: on
 * the pool with two workers, on the simple base with seed 1. When the body returns, the system is
 * shut down (unless it is already) and destroyed, and its books must balance. */
#ifndef TESTS_SUPPORT_SYSTEM_H
#define TESTS_SUPPORT_SYSTEM_H

#include <criterion/criterion.h>

#include "leaks.h"
#include <thespis/external.h>
#include <thespis/log.h>
#include <thespis/status.h>
#include <thespis/system.h>

struct test_system {
    th_system *sys;
    th_self *me; /* the default endpoint */
    th_base base;
    struct leaks before;
};

/* A limit for what must happen, in waits that would otherwise be for ever. */
#define TEST_PATIENCE TH_S(30)

/* A running system. */
struct test_system test_system_open(th_base base, uint64_t seed);

/* The same with options of the caller's. */
struct test_system test_system_open_with(const th_options *options);

/* One on the simple base, at TH_LOG_WARN; @write gets the records, but for the logger's own
 * words. */
struct test_system test_system_open_logged(th_err (*write)(void *context,
                                                           const th_log_record *record));

/* Shuts it down and destroys it. Fails the test unless the shutdown is complete, every message
 * accepted was handled or is a dead letter, every actor spawned has exited, and
 * no thread or descriptor is left. */
void test_system_close(struct test_system *ts);

/* The same, but others may have come meanwhile: threads and descriptors are not looked at. */
void test_system_end(struct test_system *ts);

/* What the books say now. */
th_counts test_system_counts(struct test_system *ts);

/* Whether the test runs on the simple base. */
static inline bool test_is_simple(const struct test_system *ts)
{
    return ts->base == TH_BASE_SIMPLE;
}

/* More arguments are Criterion's, such as .timeout = 10. */
#define BOTH_BASES(suite, name, ...)                                                               \
    static void suite##_##name##_body(struct test_system *ts);                                     \
    Test(suite, name##_pool, ##__VA_ARGS__)                                                        \
    {                                                                                              \
        struct test_system ts_ = test_system_open(TH_BASE_POOL, 0);                                \
        suite##_##name##_body(&ts_);                                                               \
        test_system_close(&ts_);                                                                   \
    }                                                                                              \
    Test(suite, name##_simple, ##__VA_ARGS__)                                                      \
    {                                                                                              \
        struct test_system ts_ = test_system_open(TH_BASE_SIMPLE, 1);                              \
        suite##_##name##_body(&ts_);                                                               \
        test_system_close(&ts_);                                                                   \
    }                                                                                              \
    static void suite##_##name##_body(__attribute__((unused)) struct test_system *ts)

#endif
