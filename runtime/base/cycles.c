#include "runtime/base/cycles.h"

#include "runtime/base/clock.h"

enum {
    MEASURE_NS = 250000, /* reading both clocks takes 0.1 us, so the rate is good to 0.1 % */
    PAIR_TRIES = 5
};

/* Both counters at one moment: of a few tries the one that was disturbed least. */
static void read_pair(uint64_t *ns_out, uint64_t *cycles_out)
{
    uint64_t best = UINT64_MAX;

    for (int i = 0; i < PAIR_TRIES; i++) {
        uint64_t before = thi_cycles();
        uint64_t ns = thi_clock_monotonic();
        uint64_t took = thi_cycles_since(before);

        if (took < best) {
            best = took;
            *ns_out = ns;
            *cycles_out = before + took / 2;
        }
    }
}

void thi_cycle_rate_measure(struct thi_cycle_rate *rate)
{
    uint64_t ns0 = 0, ns1 = 0, cycles0 = 0, cycles1 = 0;

    read_pair(&ns0, &cycles0);
    do
        read_pair(&ns1, &cycles1);
    while (ns1 - ns0 < MEASURE_NS);
    /* A counter that stood still or ran backwards (a virtual machine on the move) is taken for one
     * of nanoseconds: estimates are wrong then, nothing else. */
    rate->scale = cycles1 > cycles0 ? ((ns1 - ns0) << 24) / (cycles1 - cycles0) : 1u << 24;
    if (rate->scale == 0)
        rate->scale = 1;
}
