#include "transport/link/backoff.h"

#include <thespis/config.h>

uint64_t thi_backoff_failed(struct thi_backoff *backoff, struct thi_random *random)
{
    uint64_t pause = backoff->pause_ns;

    if (pause == 0)
        pause = TH_LINK_PAUSE_MIN_NS;
    else if (pause < TH_LINK_PAUSE_MAX_NS)
        pause = pause / 10 * 17;
    if (pause > TH_LINK_PAUSE_MAX_NS)
        pause = TH_LINK_PAUSE_MAX_NS;
    backoff->pause_ns = pause;
    return pause / 2 + thi_random_below(random, pause / 2 + 1);
}
