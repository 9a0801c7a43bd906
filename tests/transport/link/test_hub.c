/* tests of transport/link/hub.c: two systems, and what is between them */
#include <criterion/criterion.h>

#include "tests/support/simnet/simnet.h"

#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

static void open_two(struct simnet *net, uint64_t seed)
{
    struct simnet_options options = { .seed = seed, .nodes = 2 };

    simnet_open(net, &options);
}

static void close_fine(struct simnet *net)
{
    cr_expect_str_eq(net->objection, "");
    simnet_close(net);
}

Test(hub, a_dial_makes_a_link_at_both_ends)
{
    struct simnet net;

    open_two(&net, 1);
    simnet_dial(&net, 0, 1);
    simnet_run(&net, net.now + 10 * MS);
    cr_assert(simnet_is_up(&net, 0, 1));
    cr_assert(simnet_is_up(&net, 1, 0));
    cr_assert_eq(net.books.mets, 1);
    cr_assert_eq(net.books.ups, 2);
    close_fine(&net);
}

Test(hub, messages_go_both_ways)
{
    struct simnet net;
    int i;

    open_two(&net, 2);
    simnet_dial(&net, 0, 1);
    simnet_run(&net, net.now + 10 * MS);
    for (i = 0; i < 1000; i++) {
        simnet_send(&net, 0, 1, i % 3, i % 200, SIM_PLAIN);
        simnet_send(&net, 1, 0, i % 3, i % 100, SIM_PLAIN);
    }
    simnet_run(&net, net.now + 1 * S);
    cr_assert_eq(net.books.delivered, 2000);
    cr_assert_eq(simnet_waiting(&net), 0);
    cr_assert_eq(net.books.settled, 2000);
    close_fine(&net);
}
