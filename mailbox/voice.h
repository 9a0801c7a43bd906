/* voice.h: what this floor needs to know of a handle.
 *
 * th_msg_create(self, ...) is a floor-1 function that takes a floor-3 thing. So every th_self
 * begins with a struct thi_voice, and this floor sees no more of it than that: C promises that a
 * pointer to a struct, converted, points to its first member.
 *
 * V1. Without a lock, one thread at a time uses the voice: an actor's is used by the worker that
 *     runs it, a private endpoint's by the thread that opened it.
 * V2. With a lock (the default endpoint, which many threads share), heap and why_null are touched
 *     under it and nothing else is: no user code and no zeroing of large bodies runs inside. */
#ifndef MAILBOX_VOICE_H
#define MAILBOX_VOICE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include <thespis/alloc.h>
#include <thespis/error.h>

struct thi_heap;

struct thi_voice_lock {
    pthread_mutex_t mutex;
};

struct thi_voice {
    /* First: what <thespis/log.h> reads inline. The least level worth logging; 0: to be worked out
     * (runtime/actor/log.h). */
    _Atomic uint8_t log_gate;
    uint8_t why_null; /* th_err of the last message that could not be had; TH_OK: none */
    uint32_t born;    /* an actor's: when, in moments (actor/stage.h); here, where padding was */
    struct thi_heap *heap;       /* where its messages come from and go to */
    struct thi_voice_lock *lock; /* NULL unless several threads share this voice */
};

/** The voice at the beginning of @self. NULL answers NULL. */
static inline struct thi_voice *thi_voice_of(th_self *self)
{
    return (struct thi_voice *)(void *)self;
}

static inline th_err thi_voice_lock_init(struct thi_voice_lock *lock)
{
    return pthread_mutex_init(&lock->mutex, NULL) == 0 ? TH_OK : TH_E_NOMEM;
}

static inline void thi_voice_lock_fini(struct thi_voice_lock *lock)
{
    pthread_mutex_destroy(&lock->mutex);
}

static inline void thi_voice_enter(struct thi_voice *voice)
{
    if (TH_UNLIKELY(voice->lock != NULL))
        pthread_mutex_lock(&voice->lock->mutex);
}

static inline void thi_voice_leave(struct thi_voice *voice)
{
    if (TH_UNLIKELY(voice->lock != NULL))
        pthread_mutex_unlock(&voice->lock->mutex);
}

/** Remembers why a message is NULL, for the send that will be handed it. */
static inline void thi_voice_set_why(struct thi_voice *voice, th_err why)
{
    thi_voice_enter(voice);
    voice->why_null = (uint8_t)why;
    thi_voice_leave(voice);
}

/** What a send answers to a NULL message, once: TH_E_INVALID when nothing failed before it. On a
 * shared voice another thread's failure may be the one reported. */
static inline th_err thi_voice_take_why(struct thi_voice *voice)
{
    th_err why;

    thi_voice_enter(voice);
    why = (th_err)voice->why_null;
    voice->why_null = TH_OK;
    thi_voice_leave(voice);
    return why == TH_OK ? TH_E_INVALID : why;
}

#endif
