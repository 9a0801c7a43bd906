#include "runtime/base/histogram.h"

/* relaxed, everywhere: figures, which order nothing */
static uint64_t get(const _Atomic uint64_t *figure)
{
    return atomic_load_explicit(figure, memory_order_relaxed);
}

static void set(_Atomic uint64_t *figure, uint64_t value)
{
    atomic_store_explicit(figure, value, memory_order_relaxed);
}

uint64_t thi_histogram_top(unsigned bucket)
{
    unsigned octave = bucket / THI_HISTOGRAM_PARTS;
    uint64_t part = bucket % THI_HISTOGRAM_PARTS;

    if (octave == 0)
        return part;
    return ((THI_HISTOGRAM_PARTS + part + 1) << (octave - 1)) - 1;
}

void thi_histogram_add(struct thi_histogram *histogram, uint64_t value)
{
    _Atomic uint64_t *count = &histogram->counts[thi_histogram_bucket(value)];

    set(count, get(count) + 1);
    if (value > get(&histogram->max))
        set(&histogram->max, value);
}

void thi_histogram_add_shared(struct thi_histogram *histogram, uint64_t value)
{
    uint64_t max = get(&histogram->max);

    atomic_fetch_add_explicit(&histogram->counts[thi_histogram_bucket(value)], 1,
                              memory_order_relaxed);
    while (value > max &&
           !atomic_compare_exchange_weak_explicit(&histogram->max, &max, value,
                                                  memory_order_relaxed, memory_order_relaxed))
        continue;
}

void thi_histogram_merge(struct thi_histogram *to, const struct thi_histogram *from)
{
    uint64_t max = get(&from->max);

    for (unsigned i = 0; i < THI_HISTOGRAM_BUCKETS; i++)
        set(&to->counts[i], get(&to->counts[i]) + get(&from->counts[i]));
    if (max > get(&to->max))
        set(&to->max, max);
}

uint64_t thi_histogram_count(const struct thi_histogram *histogram)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < THI_HISTOGRAM_BUCKETS; i++)
        count += get(&histogram->counts[i]);
    return count;
}

uint64_t thi_histogram_percentile(const struct thi_histogram *histogram, unsigned thousandths)
{
    uint64_t count = thi_histogram_count(histogram), max = get(&histogram->max), below = 0;
    uint64_t least = count / 1000 * thousandths + (count % 1000 * thousandths + 999) / 1000;

    if (!count)
        return 0;
    for (unsigned i = 0; i < THI_HISTOGRAM_BUCKETS; i++) {
        below += get(&histogram->counts[i]);
        if (below >= least && below)
            return thi_histogram_top(i) < max ? thi_histogram_top(i) : max;
    }
    return max;
}
