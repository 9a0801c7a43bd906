#include "runtime/base/stack.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/futex.h"

/* A disposition is the process's, so this is, too, as in signals.c. */
static struct {
    pthread_mutex_t lock;
    unsigned users;
    int number;
    struct sigaction before;
} process = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void handle(int number, siginfo_t *info, void *context)
{
    struct thi_stack *stack = info->si_value.sival_ptr;
    int saved = errno;

    (void)number;
    (void)context;
    if (info->si_code != SI_QUEUE || info->si_pid != getpid())
        return;
    stack->count = backtrace(stack->frames, THI_STACK_FRAMES); /* K2 */
    /* release: the frames; pairs with the acquire in thi_stack_await() */
    atomic_store_explicit(&stack->state, THI_STACK_DONE, memory_order_release);
    thi_futex_wake(&stack->state, 1);
    errno = saved;
}

static th_err take_over(int number)
{
    struct sigaction ours = { .sa_sigaction = handle, .sa_flags = SA_RESTART | SA_SIGINFO };
    void *frame;

    (void)backtrace(&frame, 1); /* K2: loads the unwinder */
    sigemptyset(&ours.sa_mask);
    if (sigaction(number, &ours, &process.before) != 0)
        return TH_E_INVALID;
    if (process.before.sa_handler != SIG_DFL) {
        sigaction(number, &process.before, NULL);
        return TH_E_EXISTS;
    }
    process.number = number;
    return TH_OK;
}

th_err thi_stack_want(int number)
{
    th_err err = TH_OK;

    if (number < SIGRTMIN || number > SIGRTMAX)
        return TH_E_INVALID;
    pthread_mutex_lock(&process.lock);
    if (!process.users)
        err = take_over(number);
    else if (process.number != number)
        err = TH_E_EXISTS;
    process.users += !err;
    pthread_mutex_unlock(&process.lock);
    return err;
}

void thi_stack_unwant(int number)
{
    pthread_mutex_lock(&process.lock);
    if (--process.users == 0)
        sigaction(number, &process.before, NULL);
    pthread_mutex_unlock(&process.lock);
}

void thi_stack_allow(int number)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, number);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

bool thi_stack_ask(struct thi_stack *stack, pthread_t thread, int number)
{
    union sigval value = { .sival_ptr = stack };

    /* relaxed: whoever made it FREE or DONE is us, or thi_stack_await() acquired it */
    if (atomic_load_explicit(&stack->state, memory_order_relaxed) == THI_STACK_ASKED)
        return false;
    atomic_store_explicit(&stack->state, THI_STACK_ASKED, memory_order_relaxed);
    if (pthread_sigqueue(thread, number, value) == 0)
        return true;
    atomic_store_explicit(&stack->state, THI_STACK_FREE, memory_order_relaxed);
    return false;
}

bool thi_stack_await(struct thi_stack *stack, uint64_t deadline_ns)
{
    /* acquire: the frames; pairs with the release in handle() */
    while (atomic_load_explicit(&stack->state, memory_order_acquire) != THI_STACK_DONE)
        if (!thi_futex_wait(&stack->state, THI_STACK_ASKED, deadline_ns))
            return atomic_load_explicit(&stack->state, memory_order_acquire) == THI_STACK_DONE;
    return true;
}

void thi_stack_print(const struct thi_stack *stack, char *text, size_t size)
{
    size_t length = 0;

    if (size)
        *text = '\0';
    for (int i = 0; i < stack->count && length < size; i++) {
        char *address = stack->frames[i];
        Dl_info info = { 0 };
        int printed;

        if (dladdr(address, &info) && info.dli_sname)
            printed = snprintf(text + length, size - length, "    #%d %s+0x%lx\n", i,
                               info.dli_sname, (unsigned long)(address - (char *)info.dli_saddr));
        else
            printed = snprintf(text + length, size - length, "    #%d %s+0x%lx\n", i,
                               info.dli_fname ? info.dli_fname : "?",
                               (unsigned long)(address - (char *)info.dli_fbase));
        length += printed > 0 ? (size_t)printed : 0;
    }
}
