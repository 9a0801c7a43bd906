/* registry.c: the list of benchmarks. */
#include "registry.h"

const struct bench *const bench_all[] = {
#define XX(name) &bench_##name,
    BENCH_MAP(XX)
#undef XX
        NULL,
};
