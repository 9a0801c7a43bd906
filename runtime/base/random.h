/* random.h: random numbers, fast and repeatable by seed. Not for secrets.
 *
 * xoshiro256** by David Blackman and Sebastiano Vigna, its state filled by their splitmix64
 * (https://prng.di.unimi.it/). A state belongs to one thread at a time. */
#ifndef THI_BASE_RANDOM_H
#define THI_BASE_RANDOM_H

#include <stdint.h>

struct thi_random {
    uint64_t s[4]; /* never all zero */
};

/* Any seed is good; equal seeds give equal numbers, on every machine. */
void thi_random_init(struct thi_random *random, uint64_t seed);

/* A seed nobody can guess, from the kernel. */
uint64_t thi_random_fresh(void);

/* Equally likely numbers from 0 to @bound - 1; 0 when @bound is 0. */
uint64_t thi_random_below(struct thi_random *random, uint64_t bound);

static inline uint64_t thi_random_rotate(uint64_t x, int by)
{
    return (x << by) | (x >> (64 - by));
}

static inline uint64_t thi_random_next(struct thi_random *random)
{
    uint64_t *s = random->s;
    uint64_t result = thi_random_rotate(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = thi_random_rotate(s[3], 45);
    return result;
}

#endif
