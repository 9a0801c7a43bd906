#include "runtime/base/log_rate.h"

#include <criterion/criterion.h>

enum { SECOND = 1000000000 };

static struct thi_log_rate rate;
static uint64_t held;

static enum thi_log_rate_answer ask(uint64_t key, uint64_t now)
{
    return thi_log_rate_ask(&rate, key, 2, now, TH_LOG_WARN, "label", &held);
}

Test(log_rate, what_was_held_is_said_by_the_next)
{
    thi_log_rate_init(&rate);
    cr_assert_eq(ask(1, 0), THI_LOG_PASS);
    cr_assert_eq(ask(1, 1), THI_LOG_PASS);
    cr_assert_eq(ask(1, 2), THI_LOG_HELD_FIRST);
    cr_assert_eq(ask(1, SECOND - 1), THI_LOG_HELD);
    cr_assert(thi_log_rate_holds(&rate));
    cr_assert_eq(ask(2, 3), THI_LOG_PASS, "another key has its own");
    cr_assert_eq(ask(1, SECOND), THI_LOG_PASS);
    cr_assert_eq(held, 2);
    cr_assert_not(thi_log_rate_holds(&rate));
    thi_log_rate_fini(&rate);
}

Test(log_rate, a_sweep_says_the_rest_once)
{
    struct thi_log_rate_slot slot;
    unsigned index = 0;

    thi_log_rate_init(&rate);
    for (int i = 0; i < 5; i++)
        (void)ask(9, 0);
    cr_assert_not(thi_log_rate_sweep(&rate, 5, false, &index, &slot));
    index = 0;
    cr_assert(thi_log_rate_sweep(&rate, SECOND, false, &index, &slot));
    cr_assert_eq(slot.held, 3);
    cr_assert_str_eq(slot.label, "label");
    cr_assert_not(thi_log_rate_sweep(&rate, SECOND, true, &index, &slot));
    thi_log_rate_fini(&rate);
}

Test(log_rate, two_keys_of_a_slot_lose_no_count)
{
    struct thi_log_rate_slot slot;
    uint64_t asked = 0, passed = 0, said = 0;
    unsigned index = 0;

    thi_log_rate_init(&rate);
    for (uint64_t now = 0; now < 20ull * SECOND; now += SECOND / 10)
        for (uint64_t key = 3; key <= 3 + 2 * THI_LOG_RATE_SLOTS; key += THI_LOG_RATE_SLOTS) {
            asked++;
            passed += ask(key, now) == THI_LOG_PASS;
            said += held;
        }
    while (thi_log_rate_sweep(&rate, 0, true, &index, &slot))
        said += slot.held;
    cr_assert_eq(asked, passed + said);
    cr_assert_gt(passed, 0);
    thi_log_rate_fini(&rate);
}
