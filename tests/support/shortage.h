/* shortage.h: the n-th allocation fails, for every n that there is.
 *
 * Of one stretch of a test, on a system that goes on:
 *
 *     uint64_t nth = 0;
 *     do {
 *         struct shortage shortage = shortage_begin(sys, ++nth, false);
 *         ... what is short of memory ...
 *         is_short = shortage_end(&shortage);
 *         ... what must be true all the same ...
 *     } while (is_short);
 *
 * Of a story, which gets a system of its own for each n: SWEEP(suite, story) is a test that plays
 * it on both bases, with one failing and with all from the n-th on. Each call has to answer,
 * nobody may hang, nothing may leak, and the books must balance. */
#ifndef TESTS_SUPPORT_SHORTAGE_H
#define TESTS_SUPPORT_SHORTAGE_H

#include "tests/support/system.h"

/* ---- a stretch ---- */

struct shortage {
    th_system *sys;
    uint64_t nth, before; /* allocations until it began */
};

/* The @nth allocation from now fails, if @for_good all after it. */
struct shortage shortage_begin(th_system *sys, uint64_t nth, bool for_good);

/* All succeed again. Whether it came to the @nth. */
bool shortage_end(const struct shortage *shortage);

/* ---- a story ---- */

struct shortage_story {
    void (*play)(struct test_system *ts);
    void (*equip)(th_options *options); /* by shortage_log() at least; may be NULL */
    void (*after)(void);                /* the system is gone; may be NULL */
};

/* Plays it once. Whether it came to the @nth. */
bool shortage_play(th_base base, uint64_t nth, bool for_good, const struct shortage_story *story);

/* For every n. */
void shortage_sweep(const struct shortage_story *story);

#define SWEEP_WITH(suite, story, equip, after)                                                     \
    Test(suite, story, .timeout = 100)                                                             \
    {                                                                                              \
        shortage_sweep(&(struct shortage_story){ story, equip, after });                           \
    }
#define SWEEP(suite, story) SWEEP_WITH(suite, story, NULL, NULL)

/* A log whose sink counts, so that each record can be accounted for. */
void shortage_log(th_options *options);

/* ---- what stories say ---- */

/* What a call answers here is its own affair, as long as it answers. */
static inline void whatever(th_err err)
{
}

/* Asks, and waits a moment for any answer. */
void shortage_ask(th_self *me, th_addr to, const char *question);

/* The next message, of any kind. */
void shortage_listen(th_self *me, uint64_t limit);

#endif
