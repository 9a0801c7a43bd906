#include "runtime/base/thread.h"

#include <signal.h>
#include <stdio.h>

static void outside_signals(sigset_t *set)
{
    static const int own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF };

    (void)sigfillset(set);
    for (unsigned i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        (void)sigdelset(set, own[i]);
}

th_err thi_thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *context)
{
    char short_name[THI_THREAD_NAME_SIZE];
    sigset_t outside, before;
    int failed;

    outside_signals(&outside);
    (void)pthread_sigmask(SIG_BLOCK, &outside, &before);
    failed = pthread_create(thread, NULL, run, context);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return TH_E_THREAD;

    /* A name is a comfort: without it the thread runs as well. */
    (void)snprintf(short_name, sizeof(short_name), "%s", name);
    (void)pthread_setname_np(*thread, short_name);
    return TH_OK;
}

void thi_thread_name(char name[static THI_THREAD_NAME_SIZE])
{
    if (pthread_getname_np(pthread_self(), name, THI_THREAD_NAME_SIZE))
        name[0] = '\0';
}
