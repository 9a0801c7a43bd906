/* registry.h: one line makes a benchmark known. */
#ifndef BENCH_REGISTRY_H
#define BENCH_REGISTRY_H

#include "bench.h"

#define BENCH_MAP(XX)                                                                              \
    XX(mailbox_1core)                                                                              \
    XX(mailbox_2core)                                                                              \
    XX(pingpong)                                                                                   \
    XX(counting)                                                                                   \
    XX(bounded)                                                                                    \
    XX(counting_burst)                                                                             \
    XX(fanin)                                                                                      \
    XX(fanin_burst)                                                                                \
    XX(forkjoin)                                                                                   \
    XX(forkjoin_burst)                                                                             \
    XX(create)                                                                                     \
    XX(create_alive)                                                                               \
    XX(idle)                                                                                       \
    XX(ring)                                                                                       \
    XX(ring503)                                                                                    \
    XX(chameneos)                                                                                  \
    XX(big)                                                                                        \
    XX(timers)                                                                                     \
    XX(timers1m)                                                                                   \
    XX(log)                                                                                        \
    XX(log_filtered)                                                                               \
    XX(ask)                                                                                        \
    XX(troupe)                                                                                     \
    XX(route)                                                                                      \
    XX(publish)                                                                                    \
    XX(net_raw)                                                                                    \
    XX(net_raw_pingpong)                                                                           \
    XX(work)                                                                                       \
    XX(pairs)                                                                                      \
    XX(bystander)                                                                                  \
    XX(net_throughput)                                                                             \
    XX(net_pingpong)                                                                               \
    XX(net_fanin)                                                                                  \
    XX(net_big)

#define XX(name) extern const struct bench bench_##name;
BENCH_MAP(XX)
#undef XX

#endif
