/* From a signal handler to a thread: everybody is told, nothing is lost, and what was there before
 * comes back. */
#include "runtime/base/signals.h"
#include "runtime/base/futex.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>

static struct listener {
    struct thi_signals signals;
    uint32_t least; /* so many are waited for */
    _Atomic uint32_t has_all;
} listeners[3];

static void told(void *context)
{
    struct listener *listener = context;

    if (thi_signals_count(SIGUSR1) < listener->least)
        return;
    atomic_store(&listener->has_all, 1);
    thi_futex_wake(&listener->has_all, INT_MAX);
}

static void listen_for(struct listener *listener, uint32_t more)
{
    memset(listener, 0, sizeof(*listener));
    listener->least = thi_signals_count(SIGUSR1) + more;
    cr_assert_eq(thi_signals_start(&listener->signals, "test", told, listener), TH_OK);
    cr_assert_eq(thi_signals_start(&listener->signals, "test", told, NULL), TH_OK, "it did");
}

static void await(struct listener *listener)
{
    while (!atomic_load(&listener->has_all))
        (void)thi_futex_wait(&listener->has_all, 0, UINT64_MAX);
    thi_signals_stop(&listener->signals);
}

static void (*handler_of(int number))(int)
{
    struct sigaction now;

    cr_assert_eq(sigaction(number, NULL, &now), 0);
    return now.sa_handler;
}

Test(signals, everybody_is_told, .timeout = 60)
{
    cr_assert_eq(thi_signals_want(SIGUSR1), TH_OK);
    for (int i = 0; i < 3; i++)
        listen_for(&listeners[i], 1);
    raise(SIGUSR1);
    for (int i = 0; i < 3; i++)
        await(&listeners[i]);
    thi_signals_unwant(SIGUSR1);
}

/* However many come while the thread is at work, the last one is seen. */
Test(signals, none_of_a_storm_is_lost, .timeout = 60)
{
    enum { STORM = 10000 };

    cr_assert_eq(thi_signals_want(SIGUSR1), TH_OK);
    listen_for(&listeners[0], STORM);
    for (int i = 0; i < STORM; i++)
        raise(SIGUSR1);
    await(&listeners[0]);
    thi_signals_unwant(SIGUSR1);
}

Test(signals, one_is_not_another, .timeout = 60)
{
    uint32_t usr1 = thi_signals_count(SIGUSR1), usr2 = thi_signals_count(SIGUSR2);

    cr_assert_eq(thi_signals_want(SIGUSR1), TH_OK);
    cr_assert_eq(thi_signals_want(SIGUSR2), TH_OK);
    raise(SIGUSR2);
    raise(SIGUSR2);
    raise(SIGUSR1);
    cr_assert_eq(thi_signals_count(SIGUSR1) - usr1, 1);
    cr_assert_eq(thi_signals_count(SIGUSR2) - usr2, 2);
    thi_signals_unwant(SIGUSR1);
    thi_signals_unwant(SIGUSR2);
}

static void programs_own(int number)
{
    (void)number;
}

static void later_own(int number)
{
    (void)number;
}

Test(signals, the_last_one_puts_back_what_was_there)
{
    signal(SIGUSR2, programs_own);
    cr_assert_eq(thi_signals_want(SIGUSR2), TH_OK);
    cr_assert_eq(thi_signals_want(SIGUSR2), TH_OK);
    thi_signals_unwant(SIGUSR2);
    cr_assert_neq(handler_of(SIGUSR2), programs_own);
    thi_signals_unwant(SIGUSR2);
    cr_assert_eq(handler_of(SIGUSR2), programs_own);
    signal(SIGUSR2, SIG_DFL);
}

Test(signals, what_the_program_set_meanwhile_stays)
{
    signal(SIGUSR2, programs_own);
    cr_assert_eq(thi_signals_want(SIGUSR2), TH_OK);
    signal(SIGUSR2, later_own);
    thi_signals_unwant(SIGUSR2);
    cr_assert_eq(handler_of(SIGUSR2), later_own);
    signal(SIGUSR2, SIG_DFL);
}

Test(signals, what_cannot_be_counted_is_refused)
{
    static const int numbers[] = { -1,      0,      _NSIG,  SIGKILL, SIGSTOP, SIGSEGV,
                                   SIGABRT, SIGBUS, SIGFPE, SIGILL,  SIGTRAP, SIGSYS };

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        cr_assert_eq(thi_signals_want(numbers[i]), TH_E_INVALID, "%d", numbers[i]);
}

/* What a system call was at goes on: SA_RESTART; and errno is the program's. */
Test(signals, a_handler_leaves_no_trace, .timeout = 60)
{
    struct sigaction now;

    cr_assert_eq(thi_signals_want(SIGUSR1), TH_OK);
    cr_assert_eq(sigaction(SIGUSR1, NULL, &now), 0);
    cr_assert(now.sa_flags & SA_RESTART);
    errno = ERANGE;
    raise(SIGUSR1);
    cr_assert_eq(errno, ERANGE);
    thi_signals_unwant(SIGUSR1);
}

Test(signals, a_listener_can_stop_and_start_again, .timeout = 60)
{
    cr_assert_eq(thi_signals_want(SIGUSR1), TH_OK);
    thi_signals_stop(&listeners[0].signals); /* it never started */
    for (int i = 0; i < 3; i++) {
        listen_for(&listeners[0], 1);
        raise(SIGUSR1);
        await(&listeners[0]);
        thi_signals_stop(&listeners[0].signals);
    }
    thi_signals_unwant(SIGUSR1);
}
