/* timer.h: what is to happen later: a heap of deadlines.
 *
 * Timers are embedded in what they are for. The heap is 4-ary and ordered by (deadline, order of
 * asking); an entry holds the deadline beside the pointer, so that sifting compares within one
 * cache line per level; each timer knows its place, so that any can be taken out. The array comes
 * in chunks: growing copies nothing, and what a burst took is given back.
 *
 *   GONE      not in the heap: its owner's       -> PENDING by add
 *   PENDING   in the heap                        -> FIRING by pop, -> GONE by cancel (TAKEN)
 *   FIRING    popped, its fire runs or soon will -> GONE by done, -> PENDING by again,
 *                                                -> REVOKED by cancel (REVOKED)
 *   REVOKED   cancelled while firing             -> GONE by done or again, which say so
 *
 * T1. Every step is taken under the lock. Everything else in a timer is its owner's.
 * T2. A timer belongs to whoever may free it. PENDING: to who added it. From pop to done or again
 *     also to fire, and the answer says whose it is then: true, the adder's again (fire must not
 *     touch it any more); false, it was revoked, and is fire's for good (to free).
 *     So fire copies what it needs, calls done or again, and acts only on true.
 * T3. cancel answers TAKEN: fire is not running and will not run; the timer is the caller's.
 *     REVOKED: fire will find out, act no more and free it; the caller must not touch it again.
 *     GONE: it was not pending, fire is through with it; the caller's.
 * T4. A deadline of UINT64_MAX is never. Zero is at once.
 * T5. Room for what fires is kept, so again cannot fail.
 * T6. One timer of a heap may be reserved: it has a place of its own, so that setting it needs no
 *     memory. It is not in `count`, and obeys T1 to T3 but for the cancel, which it has not. */
#ifndef THI_SCHED_TIMER_H
#define THI_SCHED_TIMER_H

#include "mailbox/alloc.h"
#include <thespis/error.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum thi_timer_state {
    THI_TIMER_GONE, /* zeroed memory is a timer that was never added */
    THI_TIMER_PENDING,
    THI_TIMER_FIRING,
    THI_TIMER_REVOKED
};

struct thi_timer {
    uint64_t deadline; /* constant from add to pop; fire may read it */
    uint64_t seq;
    uint32_t index;
    uint8_t state; /* enum thi_timer_state */
    uint8_t kind;  /* the owner's: what it is embedded in */
};

enum thi_cancel { THI_CANCEL_GONE, THI_CANCEL_TAKEN, THI_CANCEL_REVOKED };

struct thi_timer_chunk;

struct thi_timers {
    struct thi_memory *memory;
    uint32_t max;

    pthread_mutex_t lock;
    struct thi_timer_chunk *chunks; /* chunk_count of chunk_room */
    uint32_t chunk_count;
    uint32_t chunk_room;
    uint32_t firing; /* popped, neither done nor again; the reserved one is not counted */
    struct thi_timer *reserved; /* T6: when PENDING, else NULL */
    uint64_t next_seq;
    uint64_t awaited;       /* a thread sleeps until then; 0: nobody does */
    _Atomic uint32_t count; /* pending; written under the lock, read anywhere */
};

/* @max: timers pending or firing at once, at most 2^32 - 8. Takes no memory yet. TH_E_NOMEM: no
 * lock to be had. */
TH_NODISCARD th_err thi_timers_init(struct thi_timers *timers, struct thi_memory *memory,
                                    uint32_t max);

/* What is pending is simply forgotten; nothing may be firing. */
void thi_timers_fini(struct thi_timers *timers);

/* @timer [keep] is GONE. *@wakes_out: a thread sleeps for a later deadline and must be woken
 * (thi_alarm_poke()); at most one add per sleep says so. TH_E_NOMEM, TH_E_LIMIT: still GONE. */
TH_NODISCARD th_err thi_timers_add(struct thi_timers *timers, struct thi_timer *timer,
                                   uint64_t deadline, bool *wakes_out);

/* The same for the reserved timer (T6), which cannot fail; it is GONE now. */
TH_NODISCARD bool thi_timers_set_reserved(struct thi_timers *timers, struct thi_timer *timer,
                                          uint64_t deadline);

/* From fire, for the reserved one: GONE again. */
void thi_timers_done_reserved(struct thi_timers *timers, struct thi_timer *timer);

/* @timer is PENDING, and is to fire at @deadline instead; needs no memory. true: as *wakes_out of
 * thi_timers_add(). */
TH_NODISCARD bool thi_timers_move(struct thi_timers *timers, struct thi_timer *timer,
                                  uint64_t deadline);

TH_NODISCARD enum thi_cancel thi_timers_cancel(struct thi_timers *timers, struct thi_timer *timer);

/* The earliest, if it is due: FIRING now. NULL: none is. */
struct thi_timer *thi_timers_pop_due(struct thi_timers *timers, uint64_t now);

/* Up to @max of them, in order; how many. */
unsigned thi_timers_pop_batch(struct thi_timers *timers, uint64_t now, struct thi_timer **due,
                              unsigned max);

/* From fire, once for each pop: T2. */
TH_NODISCARD bool thi_timers_done(struct thi_timers *timers, struct thi_timer *timer);
TH_NODISCARD bool thi_timers_again(struct thi_timers *timers, struct thi_timer *timer,
                                   uint64_t deadline);

/* UINT64_MAX: there is none that will ever come. */
uint64_t thi_timers_next_deadline(struct thi_timers *timers);

/* The same, by a thread that will sleep until then, and pops next: until it does, an earlier add
 * wakes it. One such thread only. */
uint64_t thi_timers_await(struct thi_timers *timers);

/* Pending now. */
uint32_t thi_timers_count(const struct thi_timers *timers);

#endif
