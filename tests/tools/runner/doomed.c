/* Tests that must fail, each in its own way; runner_test.sh sees to it that they do. */
#include <criterion/criterion.h>

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static unsigned shared;
static void *volatile kept;

static void *count(void *nothing)
{
    shared++;
    return nothing;
}

Test(doomed, passes)
{
    cr_assert(true);
}

Test(doomed, claim)
{
    cr_assert_eq(2 + 2, 5, "claimed on purpose, %d", 7);
}

Test(doomed, expectation)
{
    cr_expect_str_eq("one", "other");
}

Test(doomed, hang, .timeout = 0.1)
{
    for (;;)
        pause();
}

Test(doomed, leak)
{
    kept = malloc(10);
    cr_assert_not_null(kept);
    kept = NULL;
}

Test(doomed, overflow)
{
    volatile char *bytes = malloc(10);
    volatile size_t past = 10;

    bytes[past] = 1;
    free((void *)bytes);
}

Test(doomed, undefined)
{
    volatile int most = 0x7fffffff;

    most = most + 1;
}

Test(doomed, race)
{
    pthread_t other;

    cr_assert_eq(pthread_create(&other, NULL, count, NULL), 0);
    shared++;
    pthread_join(other, NULL);
}
