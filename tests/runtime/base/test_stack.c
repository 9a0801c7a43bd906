/* The stack of another thread: shown when it answers, waited for no longer than said when not. */
#include "runtime/base/stack.h"
#include "runtime/base/clock.h"
#include "runtime/base/futex.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_NS 60000000000u

static int number(void)
{
    return SIGRTMIN + 5;
}

#ifndef __SANITIZE_THREAD__ /* it puts a handler off until its thread calls something */

static uint64_t in(uint64_t ns)
{
    return thi_clock_after(thi_clock_monotonic(), ns);
}

/* A thread that stays in one place until it is told to go on. */
struct sitter {
    pthread_t thread;
    bool is_deaf;
    _Atomic uint32_t sits, may_listen, may_go;
};

static void wait_for(_Atomic uint32_t *word)
{
    while (!atomic_load(word))
        (void)thi_futex_wait(word, 0, UINT64_MAX);
}

static void set(_Atomic uint32_t *word)
{
    atomic_store(word, 1);
    thi_futex_wake(word, 1);
}

static void *sit(void *context)
{
    struct sitter *sitter = context;
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    if (!sitter->is_deaf)
        thi_stack_allow(number());
    set(&sitter->sits);
    if (sitter->is_deaf) {
        wait_for(&sitter->may_listen);
        thi_stack_allow(number());
    }
    wait_for(&sitter->may_go);
    return NULL;
}

static void sit_down(struct sitter *sitter)
{
    cr_assert_eq(pthread_create(&sitter->thread, NULL, sit, sitter), 0);
    wait_for(&sitter->sits);
}

static void get_up(struct sitter *sitter)
{
    set(&sitter->may_go);
    pthread_join(sitter->thread, NULL);
}

Test(stack, of_a_thread_that_waits, .timeout = 60)
{
    struct thi_stack stack = { 0 };
    struct sitter sitter = { 0 };
    char text[4096];

    cr_assert_eq(thi_stack_want(number()), TH_OK);
    sit_down(&sitter);
    for (int i = 0; i < 3; i++) {
        cr_assert(thi_stack_ask(&stack, sitter.thread, number()));
        cr_assert(thi_stack_await(&stack, in(PATIENCE_NS)));
        cr_assert_gt(stack.count, 2);
        thi_stack_print(&stack, text, sizeof(text));
        cr_assert_not_null(strstr(text, "#2 "), "%s", text);
    }
    get_up(&sitter);
    thi_stack_unwant(number());
}

/* K1 */
Test(stack, a_thread_that_does_not_answer_keeps_the_request, .timeout = 60)
{
    struct thi_stack stack = { 0 };
    struct sitter sitter = { .is_deaf = true };

    cr_assert_eq(thi_stack_want(number()), TH_OK);
    sit_down(&sitter);
    cr_assert(thi_stack_ask(&stack, sitter.thread, number()));
    cr_assert_not(thi_stack_await(&stack, in(1000000)));
    cr_assert_not(thi_stack_ask(&stack, pthread_self(), number()), "it is with the sitter still");
    set(&sitter.may_listen);
    cr_assert(thi_stack_await(&stack, in(PATIENCE_NS)));
    thi_stack_allow(number());
    cr_assert(thi_stack_ask(&stack, pthread_self(), number()), "it is ours again");
    cr_assert(thi_stack_await(&stack, in(PATIENCE_NS)));
    get_up(&sitter);
    thi_stack_unwant(number());
}

#endif

/* It carries no request, so there is nothing to be filled in. */
Test(stack, a_signal_of_somebody_elses_is_ignored)
{
    cr_assert_eq(thi_stack_want(number()), TH_OK);
    raise(number());
    kill(getpid(), number());
    thi_stack_unwant(number());
}

static void programs_own(int signal_number)
{
    (void)signal_number;
}

static void (*handler_now(void))(int)
{
    struct sigaction now;

    cr_assert_eq(sigaction(number(), NULL, &now), 0);
    return now.sa_handler;
}

Test(stack, one_signal_for_all_who_want_it)
{
    cr_assert_eq(thi_stack_want(SIGTERM), TH_E_INVALID);
    cr_assert_eq(thi_stack_want(SIGRTMAX + 1), TH_E_INVALID);
    cr_assert_eq(thi_stack_want(number()), TH_OK);
    cr_assert_eq(thi_stack_want(number()), TH_OK);
    cr_assert_eq(thi_stack_want(number() + 1), TH_E_EXISTS);
    thi_stack_unwant(number());
    cr_assert_neq(handler_now(), SIG_DFL);
    thi_stack_unwant(number());
    cr_assert_eq(handler_now(), SIG_DFL);
    signal(number(), programs_own);
    cr_assert_eq(thi_stack_want(number()), TH_E_EXISTS);
    cr_assert_eq(handler_now(), programs_own);
    signal(number(), SIG_DFL);
    cr_assert_eq(thi_stack_want(number() + 1), TH_OK, "nobody has one now");
    thi_stack_unwant(number() + 1);
}

/* Any size will do; what does not fit is cut. */
Test(stack, a_text_of_any_size)
{
    struct thi_stack stack = { .count = 3, .frames = { (void *)1, (void *)2, (void *)3 } };
    char full[512], text[512];

    thi_stack_print(&stack, full, sizeof(full));
    cr_assert_not_null(strstr(full, "#2 ?+0x3\n"), "%s", full);
    thi_stack_print(&stack, NULL, 0);
    for (size_t size = 1; size <= strlen(full) + 1; size++) {
        memset(text, '#', sizeof(text));
        thi_stack_print(&stack, text, size);
        cr_assert_eq(strlen(text), size - 1);
        cr_assert_eq(strncmp(text, full, size - 1), 0);
        cr_assert_eq(text[size], '#');
    }
}
