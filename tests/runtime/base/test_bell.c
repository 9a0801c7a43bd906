/* Sleeping threads: futex, bell, and how threads are started. */
#include "runtime/base/bell.h"
#include "runtime/base/clock.h"
#include "runtime/base/thread.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <signal.h>

enum { ROUNDS = 20000 };

static struct thi_bell ping, pong;
static unsigned plain; /* handed to and fro by the bells alone */

Test(bell, rung_before_the_wait_is_heard)
{
    thi_bell_init(&ping);
    thi_bell_ring(&ping);
    thi_bell_ring(&ping);
    cr_assert(thi_bell_wait(&ping, UINT64_MAX));
    cr_assert_not(thi_bell_heard(&ping), "several rings are one");
}

Test(bell, wait_ends_at_its_deadline_and_not_before)
{
    uint64_t deadline = thi_clock_monotonic() + 3000000;

    thi_bell_init(&ping);
    errno = 77;
    cr_assert_not(thi_bell_wait(&ping, deadline));
    cr_assert_geq(thi_clock_monotonic(), deadline);
    cr_assert_eq(errno, 77);
    cr_assert_not(thi_bell_wait(&ping, 0), "long past");
}

static void *answer(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        (void)thi_bell_wait(&ping, UINT64_MAX);
        plain++;
        thi_bell_ring(&pong);
    }
    return unused;
}

Test(bell, hands_over_what_was_written_before)
{
    pthread_t other;

    thi_bell_init(&ping);
    thi_bell_init(&pong);
    plain = 0;
    cr_assert_eq(thi_thread_start(&other, "a name longer than fifteen", answer, NULL), TH_OK);
    for (unsigned i = 0; i < ROUNDS; i++) {
        plain++;
        thi_bell_ring(&ping);
        (void)thi_bell_wait(&pong, UINT64_MAX);
        cr_assert_eq(plain, 2 * (i + 1));
    }
    cr_assert_eq(pthread_join(other, NULL), 0);
}

static void *read_mask(void *mask)
{
    (void)pthread_sigmask(SIG_SETMASK, NULL, mask);
    return NULL;
}

Test(thread, leaves_outside_signals_to_the_program)
{
    sigset_t before, after, inside;
    pthread_t thread;

    cr_assert_eq(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
    cr_assert_eq(thi_thread_start(&thread, "mask", read_mask, &inside), TH_OK);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert_eq(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);

    cr_assert(sigismember(&inside, SIGTERM));
    cr_assert(sigismember(&inside, SIGALRM));
    cr_assert_not(sigismember(&inside, SIGSEGV), "actors run there");
    cr_assert_not(sigismember(&inside, SIGFPE));
    for (int i = 1; i < 32; i++)
        cr_assert_eq(sigismember(&before, i), sigismember(&after, i));
}
