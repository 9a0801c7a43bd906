/* Log-linear buckets: each value in the right one, percentiles to within a sixteenth. */
#include "runtime/base/histogram.h"

#include <criterion/criterion.h>
#include <string.h>

Test(histogram, buckets_follow_each_other_without_a_gap)
{
    uint64_t last = 0;

    for (unsigned i = 0; i < THI_HISTOGRAM_BUCKETS; i++) {
        uint64_t top = thi_histogram_top(i);

        cr_assert_eq(thi_histogram_bucket(top), i);
        cr_assert_eq(thi_histogram_bucket(i ? last + 1 : 0), i, "its smallest value");
        cr_assert_leq((top - last) * 16, top + 16, "no wider than a sixteenth");
        last = top;
    }
    cr_assert_eq(last, (UINT64_C(1) << THI_HISTOGRAM_BITS) - 1);
    cr_assert_eq(thi_histogram_bucket(UINT64_MAX), THI_HISTOGRAM_BUCKETS - 1);
}

Test(histogram, percentiles_are_near)
{
    static struct thi_histogram histogram;

    cr_assert_eq(thi_histogram_percentile(&histogram, 500), 0, "of nothing");
    for (uint64_t i = 1; i <= 10000; i++)
        thi_histogram_add(&histogram, i * 100);
    cr_assert_eq(thi_histogram_count(&histogram), 10000);
    for (unsigned thousandths = 1; thousandths <= 1000; thousandths++) {
        uint64_t exact = thousandths * 1000;
        uint64_t is = thi_histogram_percentile(&histogram, thousandths);

        cr_assert_geq(is, exact);
        cr_assert_leq(is, exact + exact / 16 + 1);
    }
    cr_assert_eq(thi_histogram_percentile(&histogram, 1000), 1000000, "the largest is exact");
}

Test(histogram, merged_is_as_if_it_had_been_one)
{
    static struct thi_histogram one, other, sum, both;

    for (uint64_t i = 0; i < 1000; i++) {
        thi_histogram_add(i % 3 ? &one : &other, i * i * i);
        thi_histogram_add(&both, i * i * i);
    }
    thi_histogram_merge(&sum, &one);
    thi_histogram_merge(&sum, &other);
    cr_assert_eq(memcmp(&sum, &both, sizeof(sum)), 0);
}
