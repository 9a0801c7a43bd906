/* A hub and a peer of whom anything may come, some thousand sessions by chance
 * (tests/fuzz/session.h). TH_SEED=n replays one, TH_SEEDS=n plays so many. */
#include "tests/fuzz/session.h"

#include <stdlib.h>

Test(session, whatever_a_peer_says_is_survived)
{
    const char *one = getenv("TH_SEED"), *many = getenv("TH_SEEDS");
    uint64_t seed = one ? strtoull(one, NULL, 0) : 1;
    uint64_t last = seed + (one ? 1 : many ? strtoull(many, NULL, 0) : 3000);
    static uint8_t script[2000];

    for (; seed < last; seed++) {
        uint64_t state = seed;
        size_t size = mailroom_random(&state) % sizeof(script), i;

        for (i = 0; i < size; i++)
            script[i] = (uint8_t)mailroom_random(&state);
        session_play(script, size);
    }
}
