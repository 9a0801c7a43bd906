/* transport/link/backoff.h: when to try again.
 *
 * Each failure in a row makes the pause longer by a factor of 1.7, from TH_LINK_PAUSE_MIN_NS to
 * TH_LINK_PAUSE_MAX_NS: Thespian's figures, which reach the ceiling with the thirteenth. What is
 * waited is somewhere between half of that and all of it, so that those who lost one peer together
 * do not come back together (M. Brooker, "Exponential Backoff And Jitter", 2015: "equal jitter").
 */
#ifndef THI_LINK_BACKOFF_H
#define THI_LINK_BACKOFF_H

#include "runtime/base/random.h"

struct thi_backoff {
    uint64_t pause_ns; /* the longest that the next one may be; 0: nothing has failed yet */
};

/* How long to wait now that it failed once more. */
uint64_t thi_backoff_failed(struct thi_backoff *backoff, struct thi_random *random);

/* It worked: the next failure is the first. */
static inline void thi_backoff_reset(struct thi_backoff *backoff)
{
    backoff->pause_ns = 0;
}

#endif
