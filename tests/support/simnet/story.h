/* tests/support/simnet/story.h: what happens on a simulated network, by a seed.
 *
 * A gentle story breaks connections in every way, but no longer than links have patience, and
 * nobody crashes: then every parcel arrives, once and in order, and none is undelivered. A harsh
 * one also crashes and starts nodes and cuts them off for long: then every parcel has a fate, and
 * none two. */
#ifndef TESTS_SUPPORT_SIMNET_STORY_H
#define TESTS_SUPPORT_SIMNET_STORY_H

#include "tests/support/simnet/simnet.h"

struct simnet_story {
    uint64_t seed;
    unsigned nodes; /* 0: as the seed says */
    unsigned steps; /* 0: as the seed says */
};

struct simnet_verdict {
    uint64_t trace; /* of all that happened */
    uint64_t events;
    struct simnet_books books;
    char objection[256]; /* "": none */
};

void simnet_story_run(const struct simnet_story *story, struct simnet_verdict *verdict);

#endif
