/* thread.h: how the runtime starts a thread of its own.
 *
 * With signals from outside blocked, so that the program's handlers for them run on the program's
 * threads. Those that a thread causes itself (SIGSEGV and its like) stay open: actors run here. */
#ifndef THI_BASE_THREAD_H
#define THI_BASE_THREAD_H

#include <pthread.h>

#include <thespis/error.h>

enum { THI_THREAD_NAME_SIZE = 16 }; /* the kernel's limit, NUL included */

/* @name is what ps and gdb show; its first 15 bytes. TH_E_THREAD: the system has none to give. */
TH_NODISCARD th_err thi_thread_start(pthread_t *thread, const char *name, void *(*run)(void *),
                                     void *context);

/* What ps and gdb show for the calling thread; empty if they do not say. */
void thi_thread_name(char name[static THI_THREAD_NAME_SIZE]);

#endif
