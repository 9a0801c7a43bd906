/* A thread of the library's handles no signal that is the program's. */
#include "runtime/base/thread.h"

#include <criterion/criterion.h>
#include <signal.h>

static void *look(void *context)
{
    pthread_sigmask(SIG_BLOCK, NULL, context);
    return NULL;
}

/* What it blocks. */
static sigset_t start(const char *name)
{
    sigset_t blocked;
    pthread_t thread;

    cr_assert_eq(thi_thread_start(&thread, name, look, &blocked), TH_OK);
    pthread_join(thread, NULL);
    return blocked;
}

Test(thread, the_programs_signals_stay_with_its_threads)
{
    static const int programs[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD, SIGALRM };
    static const int threads_own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPROF };
    sigset_t blocked = start("a name longer than the kernel takes");

    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
        cr_assert_eq(sigismember(&blocked, programs[i]), 1, "%d", programs[i]);
    for (size_t i = 0; i < sizeof(threads_own) / sizeof(threads_own[0]); i++)
        cr_assert_eq(sigismember(&blocked, threads_own[i]), 0, "%d", threads_own[i]);
}

Test(thread, who_starts_one_keeps_its_mask)
{
    sigset_t before, after;

    pthread_sigmask(SIG_BLOCK, NULL, &before);
    (void)start("test");
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    for (int number = 1; number < SIGRTMIN; number++)
        cr_assert_eq(sigismember(&before, number), sigismember(&after, number), "%d", number);
}
