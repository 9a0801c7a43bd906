/* stack.h: the stack of another thread of this process, asked for by a signal.
 *
 * The signal is a private one that the program has said may be used. It carries the address of a
 * request, which the handler fills in on the thread that is looked at; so the handler needs no
 * state of its own, and a signal that somebody else sends (no SI_QUEUE of this process) is ignored.
 *
 * K1. A request is one of: FREE, the asker's; ASKED, the handler's, until it is DONE, the asker's
 *     again. A thread that does not answer keeps the request, so it must outlive that thread.
 * K2. The handler calls backtrace() and nothing else that is not async-signal-safe. glibc's
 *     allocates only on its first call in the process, to load the unwinder: thi_stack_want() makes
 *     that call. From then on it walks frames by _dl_find_object() (glibc 2.35, gcc 12), which
 *     takes no lock. */
#ifndef THI_BASE_STACK_H
#define THI_BASE_STACK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <thespis/error.h>

enum { THI_STACK_FRAMES = 48 };

enum thi_stack_state { THI_STACK_FREE, THI_STACK_ASKED, THI_STACK_DONE };

struct thi_stack {
    _Atomic uint32_t state; /* enum thi_stack_state; a futex */
    int count;
    void *frames[THI_STACK_FRAMES];
};

/* Takes @number (SIGRTMIN to SIGRTMAX) over for the process, until as many have said unwant.
 * TH_E_INVALID: no such signal. TH_E_EXISTS: it has a handler, or another number is in use. */
TH_NODISCARD th_err thi_stack_want(int number);
void thi_stack_unwant(int number);

/* On a thread that may be looked at. */
void thi_stack_allow(int number);

/* Asks @thread, which must be alive. false: the request is still with another thread. */
bool thi_stack_ask(struct thi_stack *stack, pthread_t thread, int number);

/* Waits until @deadline_ns (CLOCK_MONOTONIC). true: it was answered, and is ours to read and to ask
 * again with. */
bool thi_stack_await(struct thi_stack *stack, uint64_t deadline_ns);

/* `#0 name+0x12 (module+0x345)`, a frame a line. */
void thi_stack_print(const struct thi_stack *stack, char *text, size_t size);

#endif
