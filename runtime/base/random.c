#include "runtime/base/random.h"

#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

#include "runtime/base/clock.h"

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void thi_random_init(struct thi_random *random, uint64_t seed)
{
    /* splitmix64 is a bijection of distinct states, so at most one of the four is zero */
    for (int i = 0; i < 4; i++)
        random->s[i] = splitmix(&seed);
}

uint64_t thi_random_fresh(void)
{
    uint64_t seed;
    ssize_t got;

    do
        got = getrandom(&seed, sizeof(seed), 0);
    while (got < 0 && errno == EINTR);
    if (got == (ssize_t)sizeof(seed))
        return seed;

    /* A sandbox without the call: time, process and the stack's place still differ between any two
     * starts. */
    seed = thi_clock_monotonic() ^ ((uint64_t)getpid() << 40) ^ (uint64_t)(uintptr_t)&seed;
    return splitmix(&seed);
}

uint64_t thi_random_below(struct thi_random *random, uint64_t bound)
{
    uint64_t mask, number;

    if (bound < 2)
        return 0;
    /* Draw as many bits as the bound has, until they are below it: two draws at most on average. */
    mask = UINT64_MAX >> __builtin_clzll(bound - 1);
    do
        number = thi_random_next(random) & mask;
    while (number >= bound);
    return number;
}
