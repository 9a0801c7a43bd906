/* rendezvous.h: which of several nodes a key belongs to, agreed on without a table.
 *
 * Highest random weight: a key belongs to the node for which a hash over both is highest. When a
 * node goes, its keys spread evenly over the others, and no other key moves; when one comes, it
 * takes its share from each. (David G. Thaler and Chinya V. Ravishankar: Using Name-Based Mappings
 * to Increase Hit Rates. IEEE/ACM Transactions on Networking 6(1), 1998.) It costs one mix a node,
 * where a ring of virtual nodes would search and balance worse; the nodes here are few.
 *
 * The mix is the finaliser of splitmix64 (Sebastiano Vigna), a bijection. */
#ifndef THI_TROUPE_RENDEZVOUS_H
#define THI_TROUPE_RENDEZVOUS_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t thi_rendezvous_mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/** @mixed_key: thi_rendezvous_mix() of the key, the same for all nodes. */
static inline uint64_t thi_rendezvous_weight(uint64_t node, uint64_t mixed_key)
{
    return thi_rendezvous_mix(node ^ mixed_key);
}

/** A key of bytes: equal bytes are equal keys. */
static inline uint64_t thi_rendezvous_key(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    uint64_t key = thi_rendezvous_mix(size);

    for (; size > 0; size--, at++)
        key = (key ^ *at) * 0x100000001b3u; /* FNV-1a's step, by Fowler, Noll and Vo */
    return thi_rendezvous_mix(key);
}

#endif
