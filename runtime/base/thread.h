/* thread.h: how the runtime starts a thread of its own.
 *
 * With signals from outside blocked, so that the program's handlers for them run on the program's
 * threads. Those that a thread causes itself (SIGSEGV and its like) stay open: actors run here. */
#ifndef THI_BASE_THREAD_H
#define THI_BASE_THREAD_H

#include <pthread.h>

#include <thespis/error.h>

/* @name is what ps and gdb show; its first 15 bytes. TH_E_THREAD: the system has none to give. */
TH_NODISCARD th_err thi_thread_start(pthread_t *thread, const char *name, void *(*run)(void *),
                                     void *context);

#endif
