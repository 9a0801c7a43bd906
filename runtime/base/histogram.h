/* histogram.h: how often which duration, to within a sixteenth, in a few kilobytes.
 *
 * Log-linear buckets, as Gil Tene's HdrHistogram has them: each power of two is cut into 16 equal
 * parts, so a bucket is never wider than a sixteenth of what is in it, and finding it is a count of
 * leading zeros and a shift. One writer, or several that all add by
 * thi_histogram_add_shared(); any reader, who sums several into one of its own. */
#ifndef THI_BASE_HISTOGRAM_H
#define THI_BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

enum {
    THI_HISTOGRAM_PART_BITS = 4,
    THI_HISTOGRAM_PARTS = 1 << THI_HISTOGRAM_PART_BITS,
    THI_HISTOGRAM_BITS = 48, /* nanoseconds: three days; what is longer counts as that */
    THI_HISTOGRAM_BUCKETS = (THI_HISTOGRAM_BITS - THI_HISTOGRAM_PART_BITS + 1) * THI_HISTOGRAM_PARTS
};

struct thi_histogram {
    _Atomic uint64_t max;
    _Atomic uint64_t counts[THI_HISTOGRAM_BUCKETS];
};

static inline unsigned thi_histogram_bucket(uint64_t value)
{
    unsigned power;

    if (value >> THI_HISTOGRAM_BITS)
        value = (UINT64_C(1) << THI_HISTOGRAM_BITS) - 1;
    if (value < THI_HISTOGRAM_PARTS)
        return (unsigned)value;
    power = 63u - (unsigned)__builtin_clzll((unsigned long long)value);
    return (power - THI_HISTOGRAM_PART_BITS + 1) * THI_HISTOGRAM_PARTS +
           (unsigned)(value >> (power - THI_HISTOGRAM_PART_BITS) & (THI_HISTOGRAM_PARTS - 1));
}

/* The largest value that falls into @bucket. */
uint64_t thi_histogram_top(unsigned bucket);

/* For the only writer. */
void thi_histogram_add(struct thi_histogram *histogram, uint64_t value);

/* For one of several. */
void thi_histogram_add_shared(struct thi_histogram *histogram, uint64_t value);

/* Adds @from's counts to @to's, whose only writer we are. */
void thi_histogram_merge(struct thi_histogram *to, const struct thi_histogram *from);

uint64_t thi_histogram_count(const struct thi_histogram *histogram);

/* A value that @thousandths of all are no larger than, to within a sixteenth; 0: there are none. */
uint64_t thi_histogram_percentile(const struct thi_histogram *histogram, unsigned thousandths);

#endif
