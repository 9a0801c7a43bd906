/* reclaim.h: when may memory that others might still be reading be used again?
 *
 * The one file that knows liburcu (its QSBR flavour). A thread that reads shared structures is a
 * reader from thi_reclaim_thread_begin() on, and everything between two of its quiescent points is
 * one read section. What was unlinked before a grace period began is read by nobody after it.
 *
 *   R1. A worker says thi_reclaim_quiescent() at least once a turn, when it holds nothing it found.
 *   R2. A worker that is going to sleep or to block is offline; offline it reads nothing.
 *   R3. Any other thread reads between thi_reclaim_enter() and thi_reclaim_leave() only. The first
 *       time registers it; it is offline between calls, so it never delays anybody; its end
 *       unregisters it. The two nest, and on a thread that is online already (a worker) they do
 *       nothing.
 *   R4. Only a reclaimer's thread waits for grace periods, and a shutdown once. Readers never do.
 *
 * A program that uses urcu-qsbr itself may: it registers its thread before the thread's first call
 * into this library and unregisters it after the last. Such a thread is left as it was found,
 * online or offline; while it is online and says nothing, grace periods wait for it, here as
 * anywhere in its own program. (liburcu's readers are the process's, not ours.)
 *
 * fork(): the child has one thread, but liburcu still waits for all that were registered. So
 * between fork() and exec() or _exit() the child calls nothing of this library, and it may start a
 * system of its own only if no system existed, and no other thread had ever called into one, when
 * it was made.
 *
 * ThreadSanitizer cannot look into liburcu, so the order that a grace period gives is told to it
 * here: each reader releases at its quiescent points, the reclaimer acquires after the grace
 * period. Memory freed without one is therefore still reported. */
#ifndef THI_BASE_RECLAIM_H
#define THI_BASE_RECLAIM_H

#include "runtime/base/bell.h"
#include <thespis/compiler.h>
#include <thespis/error.h>

/* The functions of the static header that we call inline are short ones, which their license lets
 * anybody inline ("less than 10 lines"). */
#include <urcu/urcu-qsbr.h>
#include <urcu/static/urcu-qsbr.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* First member of what can be retired. */
struct thi_retired {
    struct thi_retired *next;
};

/* What waits for a grace period by being carried in something that is retired. */
struct thi_parcel {
    void (*release)(struct thi_parcel *parcel); /* afterwards: frees it */
};

struct thi_reclaimer {
    /* constant while it runs */
    void (*free_batch)(void *context, struct thi_retired *list);
    void *context;
    pthread_t thread;

    /* written by everybody */
    _Alignas(TH_CACHE_LINE) _Atomic(struct thi_retired *) top; /* a stack, or ASLEEP; reclaim.c */
    struct thi_bell bell;
    _Atomic bool stop;
};

/* ---- workers ---- */

/* The calling thread becomes a reader, online. */
void thi_reclaim_thread_begin(void);
/* It is none any more. */
void thi_reclaim_thread_end(void);

static inline void thi_reclaim_quiescent(void);
static inline void thi_reclaim_offline(void);
static inline void thi_reclaim_online(void);

/* ---- other threads, and code that does not know its thread ---- */

void thi_reclaim_enter(void);
void thi_reclaim_leave(void);

/* Returns when every section that was under way has ended: the same, for one who cannot go on
 * before. Not from a thread that is online: it would wait for itself. */
void thi_reclaim_wait(void);

/* ---- the reclaimer, one per system ---- */

/* Starts its thread. @free_batch gets retired chains, in no order, each after a grace period; it
 * may retire more, and runs on the reclaimer's thread, which is no reader. @reclaimer must stay
 * where it is. TH_E_THREAD. */
TH_NODISCARD th_err thi_reclaimer_start(struct thi_reclaimer *reclaimer,
                                        void (*free_batch)(void *context, struct thi_retired *list),
                                        void *context);

/* From any thread: the chain from @first to @last [take] is unlinked, and nobody who is not
 * reading already can find it. @last->next need not be set. One atomic exchange; a system call only
 * when the reclaimer sleeps. */
void thi_reclaimer_retire(struct thi_reclaimer *reclaimer, struct thi_retired *first,
                          struct thi_retired *last);

/* Everything retired before is freed, then the thread ends. Nobody but @free_batch may retire
 * meanwhile. Not from a thread that is online: it would wait for itself. */
void thi_reclaimer_stop(struct thi_reclaimer *reclaimer);

/* ---- inlines ---- */

/* A sanitized build calls liburcu's functions instead of inlining them: inlined, their plain stores
 * to words that liburcu's other threads write would be taken for races. */
#if defined(__SANITIZE_THREAD__)
#define THI_RECLAIM_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THI_RECLAIM_TSAN 1
#endif
#endif

#ifdef THI_RECLAIM_TSAN
#include <sanitizer/tsan_interface.h>

static inline void thi_reclaim_quiescent(void)
{
    __tsan_release(&urcu_qsbr_gp);
    urcu_qsbr_quiescent_state();
}

static inline void thi_reclaim_offline(void)
{
    __tsan_release(&urcu_qsbr_gp);
    urcu_qsbr_thread_offline();
}

static inline void thi_reclaim_online(void)
{
    urcu_qsbr_thread_online();
}
#else
/* No grace period since the last time: two loads and a branch. */
static inline void thi_reclaim_quiescent(void)
{
    _urcu_qsbr_quiescent_state();
}

static inline void thi_reclaim_offline(void)
{
    _urcu_qsbr_thread_offline();
}

static inline void thi_reclaim_online(void)
{
    _urcu_qsbr_thread_online();
}
#endif

#endif
