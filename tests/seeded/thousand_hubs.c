/* A thousand systems in one process: each knows one other, half of them lose their connections, a
 * part is cut off, and in the end everything has arrived. */
#include <criterion/criterion.h>

#include "tests/support/simnet/simnet.h"
#include <thespis/config.h>

#define HUBS 1000
#define S    UINT64_C(1000000000)

Test(thousand_hubs, lose_nothing)
{
    struct simnet_options options = { .seed = 1, .nodes = HUBS, .fragment = 1000 };
    struct thi_random random;
    struct simnet net;
    static unsigned knows[HUBS];
    unsigned i, round;

    thi_random_init(&random, 2);
    simnet_open(&net, &options);
    for (i = 1; i < HUBS; i++) { /* a tree of systems that somebody dialled */
        knows[i] = (unsigned)thi_random_below(&random, i);
        simnet_dial(&net, i, knows[i]);
    }
    simnet_run(&net, net.now + 1 * S);
    cr_assert_eq(net.books.mets, HUBS - 1);
    for (round = 0; round < 3; round++) {
        for (i = 1; i < HUBS; i++) {
            unsigned to = knows[i];

            simnet_send(&net, i, to, 0, 100, SIM_PLAIN);
            simnet_send(&net, to, i, 1, 100, SIM_PLAIN);
            if (thi_random_below(&random, 2))
                simnet_reset(&net, i, to, false);
            if (thi_random_below(&random, 10) == 0)
                simnet_partition(&net, i, to, true);
        }
        simnet_run(&net, net.now + 5 * S);
    }
    simnet_heal(&net);
    simnet_run(&net, net.now + 3 * TH_LINK_PING_NS + 2 * TH_LINK_PAUSE_MAX_NS);
    cr_expect_str_eq(net.objection, "");
    cr_assert_eq(net.books.undelivered, 0);
    cr_assert_eq(net.books.delivered, net.books.sent);
    cr_assert_eq(net.books.sent, 3 * 2 * (HUBS - 1));
    simnet_close(&net);
}
