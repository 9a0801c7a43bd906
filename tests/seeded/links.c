/* Links on a network that breaks in every way the seed can think of (tests/support/simnet/story.h).
 * TH_SEED=n replays one, TH_SEEDS=n tells so many of them, TH_SIM_LOUD=1 says what the hubs note.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/simnet/story.h"

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 0) : otherwise;
}

Test(links, every_story_ends_well)
{
    uint64_t seed = number_of("TH_SEED", 1);
    uint64_t last = seed + (getenv("TH_SEED") ? 1 : number_of("TH_SEEDS", 300));
    struct simnet_verdict verdict;
    uint64_t delivered = 0, events = 0;

    for (; seed < last; seed++) {
        struct simnet_story story = { .seed = seed };

        simnet_story_run(&story, &verdict);
        cr_assert(!verdict.objection[0],
                  "%s\nreplay: TH_SEED=%llu build/dev/tests/test.seeded.links", verdict.objection,
                  (unsigned long long)seed);
        delivered += verdict.books.delivered;
        events += verdict.events;
    }
    cr_assert_gt(delivered, 0);
    if (getenv("TH_SIM_LOUD"))
        fprintf(stderr, "%llu events, %llu delivered\n", (unsigned long long)events,
                (unsigned long long)delivered);
}

Test(links, one_seed_is_one_history)
{
    struct simnet_story story = { .seed = 12 };
    struct simnet_verdict first, second;

    simnet_story_run(&story, &first);
    simnet_story_run(&story, &second);
    cr_assert_eq(first.trace, second.trace);
    cr_assert_eq(first.events, second.events);
}
