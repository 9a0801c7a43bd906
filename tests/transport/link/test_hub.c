/* tests of transport/link/hub.c and link.c: two systems, and what is between them
 *
 * Past 500 lines: each case is a story of its own, a dozen lines long. */
#include <criterion/criterion.h>

#include "tests/support/simnet/simnet.h"
#include "transport/link/link.h"
#include <thespis/config.h>

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

static void connect_two(struct simnet *net)
{
    simnet_dial(net, 0, 1);
    simnet_run(net, net->now + 10 * MS);
    cr_assert(simnet_is_up(net, 0, 1) && simnet_is_up(net, 1, 0));
}

/* Everything that was sent was delivered. */
static void assert_all_there(struct simnet *net)
{
    cr_assert_eq(net->books.delivered, net->books.sent);
    cr_assert_eq(net->books.undelivered, 0);
    cr_assert_eq(net->books.settled, net->books.taken);
}

Test(hub, two_that_dial_each_other_settle_on_one_connection)
{
    uint64_t seed;

    for (seed = 1; seed <= 300; seed++) {
        struct simnet net;

        open_two(&net, seed);
        simnet_dial(&net, 0, 1);
        simnet_run(&net, net.now + seed % 60 * 10000); /* anywhere in the greeting */
        simnet_dial(&net, 1, 0);
        simnet_send(&net, 0, 1, 0, 10, SIM_PLAIN);
        simnet_send(&net, 1, 0, 0, 10, SIM_PLAIN);
        /* sooner than the first pause after a failure: none of the two had to be dialled again */
        simnet_run(&net, net.now + TH_LINK_PAUSE_MIN_NS / 2);
        cr_assert(simnet_is_up(&net, 0, 1) && simnet_is_up(&net, 1, 0), "seed %llu",
                  (unsigned long long)seed);
        simnet_run(&net, net.now + 1 * S);
        cr_assert_eq(simnet_streams(&net), 1, "seed %llu", (unsigned long long)seed);
        cr_assert_eq(net.books.mets, 2);
        cr_assert_eq(net.books.ups, 2);
        assert_all_there(&net);
        close_fine(&net);
    }
}

Test(hub, a_reset_after_any_byte_loses_nothing_and_doubles_nothing)
{
    uint64_t cut;
    bool is_through = false;

    for (cut = 1; !is_through; cut++) {
        struct simnet_options options = { .seed = 7, .nodes = 2, .fragment = 100 };
        struct simnet net;
        int i;

        cr_assert_lt(cut, 20000);
        simnet_open(&net, &options);
        simnet_dial(&net, 0, 1);
        simnet_run(&net, net.now + 1); /* the stream is there, nothing has come */
        simnet_reset_after(&net, 0, 1, cut);
        for (i = 0; i < 6; i++) {
            simnet_send(&net, 0, 1, i % 2, i * 20, i == 3 ? SIM_UNKNOWN : SIM_PLAIN);
            simnet_send(&net, 1, 0, 0, 10, i == 2 ? SIM_UNKNOWN : SIM_PLAIN);
        }
        simnet_run(&net, net.now + 3 * S);
        cr_assert_eq(net.books.delivered, 10, "cut at %llu", (unsigned long long)cut);
        cr_assert_eq(net.books.poisoned, 2, "cut at %llu", (unsigned long long)cut);
        cr_assert_eq(net.books.undelivered, 0);
        is_through = net.stream_seq == 1; /* nothing was left to cut */
        close_fine(&net);
    }
    cr_assert_gt(cut, 1000); /* it was there for all of a conversation */
}

/* Who decides may have accepted a connection that the other never heard of, and sent mail on it. */
Test(hub, a_greeting_cut_short_loses_nothing_either)
{
    struct simnet_options options = { .nodes = 2 };
    uint64_t cut;
    bool is_through = false;

    for (cut = 1; !is_through; cut++) {
        struct simnet net;
        int i;

        cr_assert_lt(cut, 20000);
        options.seed = 1;
        simnet_open(&net, &options);
        while (simnet_system(&net, 0) < simnet_system(&net, 1)) { /* 0 is to decide */
            simnet_crash(&net, 0);
            simnet_start(&net, 0);
        }
        simnet_dial(&net, 0, 1);
        simnet_run(&net, net.now + 1);
        simnet_reset_after(&net, 0, 1, cut);
        for (i = 0; i < 3; i++)
            simnet_send(&net, 0, 1, 0, 10, SIM_PLAIN);
        simnet_run(&net, net.now + 3 * S);
        cr_assert_eq(net.books.delivered, 3, "cut at %llu", (unsigned long long)cut);
        cr_assert_eq(net.books.undelivered, 0, "cut at %llu", (unsigned long long)cut);
        is_through = net.stream_seq == 1;
        close_fine(&net);
    }
    cr_assert_gt(cut, 200);
}

Test(hub, a_window_of_one_frame_is_enough)
{
    struct simnet_options options = { .seed = 22, .nodes = 2, .hub.unacked_max = 1 };
    struct simnet net;
    int i;

    simnet_open(&net, &options);
    connect_two(&net);
    for (i = 0; i < 50; i++) /* one way, so that nothing but acknowledgements comes back */
        simnet_send(&net, 0, 1, i % 4, i == 9 ? 200000 : 10, SIM_PLAIN);
    simnet_run(&net, net.now + 5 * S);
    assert_all_there(&net);
    close_fine(&net);
}

Test(hub, nobody_there_is_unreachable_in_the_end)
{
    struct simnet net;

    open_two(&net, 3);
    simnet_crash(&net, 1);
    simnet_dial(&net, 0, 1);
    simnet_run(&net, net.now + TH_LINK_PATIENCE_NS / 2);
    cr_assert_eq(net.books.unreachables, 0);
    simnet_run(&net, net.now + TH_LINK_PATIENCE_NS);
    cr_assert_eq(net.books.unreachables, 1);
    close_fine(&net);
}

Test(hub, who_starts_later_is_met)
{
    struct simnet net;

    open_two(&net, 4);
    simnet_crash(&net, 1);
    simnet_dial(&net, 0, 1);
    simnet_run(&net, net.now + 20 * S);
    simnet_start(&net, 1);
    simnet_run(&net, net.now + TH_LINK_PAUSE_MAX_NS + 1 * S);
    cr_assert_eq(net.books.mets, 1);
    cr_assert(simnet_is_up(&net, 1, 0));
    close_fine(&net);
}

Test(hub, who_restarts_is_another_and_the_old_ones_mail_is_dead)
{
    struct simnet net;
    uint64_t old;

    open_two(&net, 5);
    connect_two(&net);
    old = simnet_system(&net, 1);
    simnet_partition(&net, 0, 1, true);
    simnet_send(&net, 0, 1, 0, 10, SIM_PLAIN);
    simnet_run(&net, net.now + 1 * S);
    simnet_crash(&net, 1);
    simnet_start(&net, 1);
    cr_assert_neq(simnet_system(&net, 1), old);
    simnet_partition(&net, 0, 1, false);
    simnet_run(&net, net.now + TH_LINK_PAUSE_MAX_NS + 1 * S);
    cr_assert_null(thi_hub_find(simnet_hub(&net, 0), old));
    cr_assert(simnet_is_up(&net, 0, 1));
    cr_assert_eq(net.books.delivered, 0);
    cr_assert_eq(net.books.dead[TH_DEAD_LINK_LOST], 1);
    cr_assert_eq(net.books.gones, 2); /* each side's */
    close_fine(&net);
}

Test(hub, a_link_without_a_connection_is_given_up_when_patience_ends)
{
    struct simnet_options options = { .seed = 6, .nodes = 2, .hub.unacked_max = 10 };
    struct simnet net;
    int i;

    simnet_open(&net, &options);
    connect_two(&net);
    simnet_partition(&net, 0, 1, true);
    for (i = 0; i < 1000; i++) /* some are numbered, some set aside, most are in the queue */
        simnet_send(&net, 0, 1, 0, 10, SIM_PLAIN);
    simnet_run(&net, net.now + TH_LINK_PATIENCE_NS);
    cr_assert_eq(net.books.undelivered, 0);
    simnet_run(&net, net.now + 4 * TH_LINK_PING_NS);
    cr_assert_eq(net.books.undelivered, 1000);
    cr_assert_eq(net.books.settled, 1000);
    cr_assert_eq(net.books.gones, 2);
    cr_assert_null(simnet_link(&net, 0, 1));
    close_fine(&net);
}

Test(hub, a_half_open_connection_is_found_and_replaced)
{
    int from;

    for (from = 0; from < 2; from++) {
        struct simnet net;

        open_two(&net, 8);
        connect_two(&net);
        simnet_swallow(&net, from, !from);
        simnet_send(&net, 0, 1, 0, 10, SIM_PLAIN);
        simnet_send(&net, 1, 0, 0, 10, SIM_PLAIN);
        simnet_run(&net, net.now + 3 * TH_LINK_PING_NS + 1 * S);
        assert_all_there(&net);
        cr_assert_eq(simnet_streams(&net), 1);
        close_fine(&net);
    }
}

Test(hub, an_idle_connection_rests_and_comes_back_on_demand)
{
    struct simnet net;

    open_two(&net, 9);
    connect_two(&net);
    simnet_run(&net, net.now + TH_LINK_IDLE_NS + 1 * S);
    cr_assert_eq(simnet_streams(&net), 0);
    cr_assert_eq(net.books.gones, 0);
    simnet_run(&net, net.now + 10 * TH_LINK_PATIENCE_NS); /* at rest nobody is impatient */
    simnet_send(&net, 1, 0, 0, 10, SIM_PLAIN);            /* either side can call */
    simnet_run(&net, net.now + 10 * MS);
    assert_all_there(&net);
    cr_assert_eq(net.books.ups, 2); /* the session went on */
    close_fine(&net);
}

Test(hub, one_that_nobody_can_call_back_does_not_rest)
{
    struct simnet_options options = { .seed = 9, .nodes = 2, .no_addresses = true };
    struct simnet net;

    simnet_open(&net, &options);
    connect_two(&net);
    simnet_run(&net, net.now + TH_LINK_IDLE_NS + 1 * S);
    cr_assert_eq(simnet_streams(&net), 1);
    close_fine(&net);
}

Test(hub, sheds_the_connection_that_was_idle_longest)
{
    struct simnet_options options = { .seed = 10, .nodes = 4 };
    struct simnet net;
    unsigned i;

    simnet_open(&net, &options);
    for (i = 1; i < 4; i++)
        simnet_dial(&net, 0, i);
    simnet_run(&net, net.now + 10 * MS);
    for (i = 3; i >= 1; i--) { /* 3 first, so it is idle longest */
        simnet_send(&net, 0, i, 0, 10, SIM_PLAIN);
        simnet_run(&net, net.now + 10 * MS);
    }
    cr_assert(thi_hub_shed(simnet_hub(&net, 0), net.now));
    simnet_run(&net, net.now + 10 * MS);
    cr_assert(!simnet_is_up(&net, 0, 3));
    cr_assert(simnet_is_up(&net, 0, 2) && simnet_is_up(&net, 0, 1));
    cr_assert(thi_hub_shed(simnet_hub(&net, 0), net.now));
    cr_assert(thi_hub_shed(simnet_hub(&net, 0), net.now));
    cr_assert(!thi_hub_shed(simnet_hub(&net, 0), net.now));
    simnet_send(&net, 0, 3, 0, 10, SIM_PLAIN);
    simnet_send(&net, 1, 0, 0, 10, SIM_PLAIN);
    simnet_run(&net, net.now + 1 * S);
    assert_all_there(&net);
    close_fine(&net);
}

Test(hub, a_system_nobody_dialled_is_found_by_asking)
{
    struct simnet_options options = { .seed = 11, .nodes = 3 };
    struct simnet net;

    simnet_open(&net, &options);
    simnet_dial(&net, 0, 1);
    simnet_dial(&net, 0, 2);
    simnet_run(&net, net.now + 10 * MS);
    simnet_send(&net, 1, 2, 0, 10, SIM_PLAIN);
    simnet_run(&net, net.now + 100 * MS);
    cr_assert(simnet_is_up(&net, 1, 2)); /* the shorter way */
    assert_all_there(&net);
    cr_assert_eq(simnet_hub(&net, 1)->counters.answered, 1);
    close_fine(&net);
}

Test(hub, a_system_that_nobody_knows_is_given_up)
{
    struct simnet net;

    open_two(&net, 12);
    simnet_send(&net, 0, 1, 0, 10, SIM_PLAIN);
    simnet_run(&net, net.now + TH_LINK_PATIENCE_NS + 1 * S);
    cr_assert_eq(net.books.undelivered, 1);
    cr_assert_eq(net.books.gones, 1);
    close_fine(&net);
}

Test(hub, links_are_limited)
{
    struct simnet_options options = { .seed = 13, .nodes = 4, .hub.links_max = 2 };
    struct simnet net;
    unsigned i;

    simnet_open(&net, &options);
    for (i = 1; i < 4; i++)
        simnet_dial(&net, i, 0);
    simnet_run(&net, net.now + 1 * S);
    cr_assert_eq(simnet_hub(&net, 0)->link_count, 2);
    cr_assert_gt(simnet_hub(&net, 0)->counters.links_refused, 0);
    cr_assert_eq(simnet_streams(&net), 2);
    close_fine(&net);
}

Test(hub, strangers_are_limited)
{
    struct simnet net;
    struct thi_far_end far = { .address = "flood" };
    struct thi_hub *hub;
    unsigned i;

    open_two(&net, 14);
    hub = simnet_hub(&net, 0);
    for (i = 0; i < TH_LINK_STRANGERS_DEFAULT; i++)
        cr_assert_not_null(thi_hub_accepted(hub, &far, net.now));
    cr_assert_null(thi_hub_accepted(hub, &far, net.now));
    cr_assert_eq(hub->counters.strangers_refused, 1);
    simnet_run(&net, net.now + TH_LINK_GREETING_NS + 1 * MS);
    cr_assert_eq(hub->stranger_count, 0);
    connect_two(&net);
    close_fine(&net);
}

Test(hub, a_system_that_dials_itself_is_told_so)
{
    struct simnet net;

    open_two(&net, 15);
    simnet_dial(&net, 0, 0);
    simnet_run(&net, net.now + 10 * MS);
    cr_assert_eq(net.books.unreachables, 1);
    cr_assert_null(thi_hub_find(simnet_hub(&net, 0), simnet_system(&net, 0)));
    close_fine(&net);
}

Test(hub, small_messages_do_not_wait_for_a_large_one)
{
    struct simnet_options options = { .seed = 16, .nodes = 2, .delay_ns = 1 * MS };
    struct simnet net;
    uint64_t began;

    simnet_open(&net, &options);
    connect_two(&net);
    simnet_send(&net, 0, 1, 0, 4000000, SIM_PLAIN); /* 60 windows: more than 60 ms */
    simnet_run(&net, net.now + 5 * MS);
    began = net.now;
    simnet_send(&net, 0, 1, 1, 10, SIM_PLAIN);
    while (net.books.delivered == 0)
        cr_assert(simnet_step(&net, began + 1 * S));
    cr_assert_eq(net.books.delivered, 1); /* the small one */
    /* it waits for what is ready (TH_LINK_AHEAD: 4 windows) and is on its way */
    cr_assert_lt(net.now - began, 20 * MS);
    simnet_run(&net, net.now + 2 * S);
    assert_all_there(&net);
    close_fine(&net);
}

/* The books object if one comes before its turn. */
Test(hub, messages_of_one_pair_stay_in_order_behind_a_large_one)
{
    struct simnet net;
    int i;

    open_two(&net, 17);
    connect_two(&net);
    for (i = 0; i < 40; i++) {
        simnet_send(&net, 0, 1, i % 4, 10, SIM_PLAIN);
        simnet_send(&net, 0, 1, i % 4, 70000 + 5000 * (i % 7), SIM_PLAIN);
        simnet_send(&net, 0, 1, i % 4, 20, SIM_PLAIN);
    }
    simnet_run(&net, net.now + 5 * S);
    assert_all_there(&net);
    close_fine(&net);
}

Test(hub, what_waits_too_long_is_a_dead_letter_and_says_so)
{
    struct simnet_options options = { .seed = 18, .nodes = 2, .hub.unacked_max = 1 };
    struct simnet net;
    struct thi_link *link;
    int i;

    options.hub.expiry_ns = 2 * S;
    simnet_open(&net, &options);
    connect_two(&net);
    simnet_stall(&net, 1, 5 * S); /* it lives, and does not read */
    for (i = 0; i < 3; i++)
        simnet_send(&net, 0, 1, 0, 10, SIM_PLAIN);
    simnet_run(&net, net.now + 3 * S);
    cr_assert_eq(net.books.dead[TH_DEAD_EXPIRED], 2); /* the first has gone, with its type */
    link = simnet_link(&net, 0, 1);
    cr_assert_eq(link->counters.undelivered[TH_DEAD_EXPIRED], 2);
    simnet_run(&net, net.now + 5 * S);
    simnet_send(&net, 0, 1, 0, 10, SIM_PLAIN);
    simnet_run(&net, net.now + 1 * S);
    cr_assert_eq(net.books.delivered, 2);
    close_fine(&net);
}

Test(hub, what_cannot_travel_and_what_nobody_knows_comes_back)
{
    struct simnet net;

    open_two(&net, 19);
    connect_two(&net);
    simnet_send(&net, 0, 1, 0, 10, SIM_LOCAL);
    simnet_send(&net, 0, 1, 0, 10, SIM_UNKNOWN);
    simnet_send(&net, 0, 1, 0, 200000, SIM_UNKNOWN);
    simnet_send(&net, 0, 1, 0, 10, SIM_PLAIN);
    simnet_run(&net, net.now + 1 * S);
    cr_assert_eq(net.books.poisoned, 3);
    cr_assert_eq(net.books.delivered, 1);
    cr_assert_eq(simnet_link(&net, 0, 1)->counters.returned_in, 2);
    cr_assert_eq(simnet_link(&net, 0, 1)->counters.unencodable, 1);
    close_fine(&net);
}

Test(hub, who_stops_says_so_and_its_peers_give_up_at_once)
{
    struct simnet net;

    open_two(&net, 20);
    connect_two(&net);
    simnet_partition(&net, 0, 1, true);
    simnet_send(&net, 0, 1, 0, 10, SIM_PLAIN);
    simnet_run(&net, net.now + 1 * MS);
    thi_hub_stop(simnet_hub(&net, 1), net.now);
    cr_assert(!thi_hub_is_quiet(simnet_hub(&net, 1)));
    simnet_partition(&net, 0, 1, false);
    simnet_run(&net, net.now + 500 * MS);
    cr_assert(thi_hub_is_quiet(simnet_hub(&net, 1)));
    cr_assert_eq(net.books.gones, 2);
    cr_assert_eq(net.books.dead[TH_DEAD_LINK_LOST], 1);
    cr_assert_eq(thi_hub_dial(simnet_hub(&net, 1), "node0:1", net.now), TH_E_CLOSED);
    close_fine(&net);
}

/* Each allocation fails in turn, once; whatever it was for, the rest goes on. */
Test(hub, a_lack_of_memory_loses_nothing_without_a_word)
{
    uint64_t nth, total = 0;

    for (nth = 0; nth <= total; nth++) {
        struct simnet net;
        int i;

        open_two(&net, 21);
        simnet_run(&net, net.now + 1 * MS);
        if (nth > 0)
            thi_memory_inject(&net.memory, nth, false);
        else
            total = thi_memory_takes(&net.memory);
        if (thi_hub_dial(simnet_hub(&net, 0), "node1:1", net.now) != TH_OK)
            simnet_dial(&net, 0, 1);
        simnet_run(&net, net.now + 3 * S);
        for (i = 0; i < 8 && simnet_is_up(&net, 0, 1); i++) {
            simnet_send_unless_short(&net, 0, 1, i % 2, i == 5 ? 150000 : 50,
                                     i == 3 ? SIM_UNKNOWN : SIM_PLAIN);
            simnet_send_unless_short(&net, 1, 0, 0, 10, SIM_PLAIN);
        }
        simnet_run(&net, net.now + 5 * S);
        simnet_reset(&net, 0, 1, false);
        simnet_run(&net, net.now + 5 * S);
        if (nth == 0)
            total = thi_memory_takes(&net.memory) - total;
        thi_memory_inject(&net.memory, 0, false);
        cr_assert_eq(simnet_waiting(&net), 0, "%llu", (unsigned long long)nth);
        cr_assert_eq(net.books.settled, net.books.taken, "%llu", (unsigned long long)nth);
        cr_assert(simnet_is_up(&net, 0, 1), "%llu", (unsigned long long)nth);
        close_fine(&net);
    }
    cr_assert_gt(total, 20);
}
