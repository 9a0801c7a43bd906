/* tests of troupe/rendezvous.h */
#include "troupe/rendezvous.h"

#include <criterion/criterion.h>
#include <stdbool.h>

enum { NODES = 8, KEYS = 10000 };

static uint64_t nodes[NODES];

static void begin(void)
{
    for (int i = 0; i < NODES; i++)
        nodes[i] = thi_rendezvous_mix((uint64_t)i);
}

/* The owner of @key, were node @without not there. */
static int owner_of(uint64_t key, int without)
{
    uint64_t mixed = thi_rendezvous_mix(key), best = 0;
    int owner = -1;

    for (int i = 0; i < NODES; i++) {
        uint64_t weight = thi_rendezvous_weight(nodes[i], mixed);

        if (i != without && (owner < 0 || weight > best)) {
            owner = i;
            best = weight;
        }
    }
    return owner;
}

Test(rendezvous, spreads_keys_evenly, .init = begin)
{
    int count[NODES] = { 0 };

    for (uint64_t key = 0; key < KEYS; key++)
        count[owner_of(key, -1)]++;
    for (int i = 0; i < NODES; i++) /* 1250 on average, a deviation of 33 */
        cr_assert(count[i] > 1250 - 200 && count[i] < 1250 + 200, "node %d has %d", i, count[i]);
}

Test(rendezvous, moves_only_the_keys_of_the_one_that_goes, .init = begin)
{
    int heirs[NODES] = { 0 };

    for (uint64_t key = 0; key < KEYS; key++) {
        int before = owner_of(key, -1), after = owner_of(key, 3);

        cr_assert(before == 3 || before == after);
        if (before == 3)
            heirs[after]++;
    }
    for (int i = 0; i < NODES; i++) /* 178 on average: they spread over all that stay */
        cr_assert(i == 3 ? heirs[i] == 0 : heirs[i] > 100, "node %d inherits %d", i, heirs[i]);
}

Test(rendezvous, keys_of_bytes)
{
    cr_assert_eq(thi_rendezvous_key("ab", 2), thi_rendezvous_key("abc", 2));
    cr_assert_neq(thi_rendezvous_key("ab", 2), thi_rendezvous_key("ba", 2));
    cr_assert_neq(thi_rendezvous_key("a", 1), thi_rendezvous_key("a", 2), "a NUL is a byte too");
    cr_assert_eq(thi_rendezvous_key(NULL, 0), thi_rendezvous_key("", 0));
}
