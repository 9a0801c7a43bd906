/* Who is open and who is next: by hand, and over random events against a plain account. */
#include "troupe/routes.h"

#include "runtime/base/random.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { PAUSE = 10, PAUSE_MAX = 80 };

static struct thi_routes routes;
static uint64_t now, timer, left_to_give;
static uint32_t last_slot;

static void *get(void *context, size_t size)
{
    (void)context;
    return left_to_give && left_to_give-- ? malloc(size) : NULL;
}

static void give_back(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

static th_allocator allocator = { .alloc = get, .free = give_back };

static void begin(void)
{
    left_to_give = UINT64_MAX;
    now = 1000;
    timer = UINT64_MAX;
    thi_routes_init(&routes, &allocator, PAUSE, PAUSE_MAX);
}

static void end(void)
{
    thi_routes_fini(&routes);
}

static th_addr addr_of(uint32_t slot)
{
    return (th_addr){ 1, slot, 1 };
}

/* Does what is asked; those to be stopped stop at once. */
static void play(void)
{
    struct thi_routes_action action;

    while (thi_routes_next(&routes, now, &action)) {
        switch (action.what) {
        case THI_ROUTES_SPAWN:
            cr_assert_leq(action.route->due_ns, now, "too early");
            thi_routes_spawned(&routes, action.route, addr_of(++last_slot));
            break;
        case THI_ROUTES_STOP: thi_routes_ended(&routes, action.route, now, 0); break;
        case THI_ROUTES_ARM:
            cr_assert_gt(action.delay_ns, 0);
            timer = now + action.delay_ns;
            break;
        }
    }
}

static void pass(uint64_t ns)
{
    now += ns;
    if (timer <= now) {
        timer = UINT64_MAX;
        thi_routes_timer(&routes);
    }
    play();
}

static void seat(uint32_t children)
{
    cr_assert(thi_routes_seat(&routes, children));
    play();
}

static struct thi_route *child(uint32_t number)
{
    for (uint32_t i = 0; i < routes.count; i++)
        if (routes.all[i]->is_child && routes.all[i]->seat == number &&
            routes.all[i]->state != TH_ROUTEE_STOPPING)
            return routes.all[i];
    return NULL;
}

static void die(uint32_t number)
{
    thi_routes_ended(&routes, child(number), now, 0);
    play();
}

Test(routes, new_children_are_open_at_once, .init = begin, .fini = end)
{
    cr_assert_null(thi_routes_in_turn(&routes));
    seat(3);
    cr_assert_eq(routes.open_count, 3);
    cr_assert_eq(child(0)->state, TH_ROUTEE_STARTING);
}

Test(routes, a_successor_is_open_when_its_init_has_run, .init = begin, .fini = end)
{
    seat(2);
    die(0);
    cr_assert_eq(routes.open_count, 1);
    pass(PAUSE - 1);
    cr_assert_eq(child(0)->state, TH_ROUTEE_DOWN);
    pass(1);
    cr_assert_eq(child(0)->state, TH_ROUTEE_STARTING);
    cr_assert_eq(routes.open_count, 1);
    thi_routes_started(&routes, child(0), now);
    cr_assert_eq(routes.open_count, 2);
}

Test(routes, pauses_double_to_their_ceiling_and_are_forgiven, .init = begin, .fini = end)
{
    static const uint64_t pauses[] = { 10, 20, 40, 80, 80 };

    seat(1);
    for (int i = 0; i < 5; i++) {
        die(0);
        cr_assert_eq(child(0)->due_ns - now, pauses[i], "%d", i);
        pass(pauses[i]);
    }
    thi_routes_started(&routes, child(0), now);
    pass(PAUSE_MAX);
    die(0);
    cr_assert_eq(child(0)->due_ns - now, PAUSE);
}

Test(routes, the_jitter_takes_half_at_most, .init = begin, .fini = end)
{
    seat(1);
    for (uint64_t random = 0; random < 100; random++) {
        child(0)->failures = 2;
        thi_routes_ended(&routes, child(0), now, random);
        cr_assert(child(0)->due_ns - now >= 20 && child(0)->due_ns - now <= 40);
        pass(40);
    }
}

Test(routes, fewer_children_are_asked_to_exit, .init = begin, .fini = end)
{
    struct thi_routes_action action;

    seat(4);
    die(3); /* is DOWN: it simply goes */
    cr_assert(thi_routes_seat(&routes, 1));
    cr_assert_eq(routes.count, 3);
    cr_assert_eq(routes.open_count, 1);
    cr_assert(thi_routes_next(&routes, now, &action));
    cr_assert_eq(action.what, THI_ROUTES_STOP);
    thi_routes_unstopped(&routes, action.route);
    play();
    cr_assert_eq(routes.count, 1);
    cr_assert_eq(routes.deaths, 1);
    cr_assert_eq(child(0)->index, 0);
}

Test(routes, in_turn_goes_on_where_it_was, .init = begin, .fini = end)
{
    struct thi_route *guests[4];

    for (uint32_t i = 0; i < 4; i++)
        guests[i] = thi_routes_join(&routes, addr_of(i));
    for (int i = 0; i < 6; i++)
        cr_assert_eq(thi_routes_in_turn(&routes), guests[i % 4]);
    thi_routes_leave(&routes, guests[0]);
    cr_assert_eq(thi_routes_in_turn(&routes), guests[2], "1 had its turn");
    thi_routes_leave(&routes, guests[3]);
    cr_assert_eq(thi_routes_in_turn(&routes), guests[1]);
}

Test(routes, only_a_dead_routees_keys_move, .init = begin, .fini = end)
{
    enum { KEYS = 10000, CHILDREN = 8 };
    static uint32_t owner[KEYS];
    uint32_t moved = 0;

    seat(CHILDREN);
    for (uint64_t key = 0; key < KEYS; key++)
        owner[key] = thi_routes_by_key(&routes, key)->seat;
    die(5);
    for (uint64_t key = 0; key < KEYS; key++) {
        uint32_t after = thi_routes_by_key(&routes, key)->seat;

        cr_assert(owner[key] == 5 ? after != 5 : after == owner[key]);
        moved += after != owner[key];
    }
    cr_assert(moved > KEYS / CHILDREN / 2 && moved < 2 * KEYS / CHILDREN, "%u", moved);
    pass(PAUSE);
    thi_routes_started(&routes, child(5), now);
    for (uint64_t key = 0; key < KEYS; key++) /* P2: with its successor all are back */
        cr_assert_eq(thi_routes_by_key(&routes, key)->seat, owner[key]);
}

/* Eight servers of one speed and one that is stuck: of two choices the shorter queue wins. */
Test(routes, by_load_avoids_who_does_not_answer, .init = begin, .fini = end)
{
    struct thi_random random;
    struct thi_route *stuck;

    thi_random_init(&random, 1);
    seat(8);
    stuck = child(0);
    for (int i = 0; i < 10000; i++) {
        struct thi_route *route = thi_routes_least(&routes, thi_random_next(&random), NULL);

        cr_assert_not_null(route);
        route->sent++;
        if (thi_route_sent(route) && route != stuck)
            while (thi_route_handled(route))
                ;
    }
    cr_assert_leq(stuck->sent, 1);
    for (uint32_t i = 1; i < 8; i++)
        cr_assert(child(i)->sent > 1000, "%u: %d", i, (int)child(i)->sent);
}

Test(routes, by_load_chooses_two_that_differ, .init = begin, .fini = end)
{
    struct thi_random random;

    thi_random_init(&random, 2);
    seat(2);
    child(0)->outstanding = 1;
    for (int i = 0; i < 100; i++) {
        struct thi_route *other;

        cr_assert_eq(thi_routes_least(&routes, thi_random_next(&random), &other), child(1));
        cr_assert_eq(other, child(0));
    }
}

Test(routes, by_load_of_one_there_is_no_other, .init = begin, .fini = end)
{
    struct thi_route *other = NULL;

    cr_assert_null(thi_routes_least(&routes, 7, &other));
    cr_assert_null(other);
    seat(1);
    cr_assert_eq(thi_routes_least(&routes, 7, &other), child(0));
    cr_assert_null(other);
}

Test(routes, marks_say_what_is_handled)
{
    struct thi_route route = { .sent = 0 };

    cr_assert(thi_route_sent(&route), "the first has a mark behind it");
    cr_assert_not(thi_route_sent(&route));
    cr_assert_not(thi_route_sent(&route));
    cr_assert_eq(route.outstanding, 3);
    cr_assert(thi_route_handled(&route), "two more are behind it");
    cr_assert_eq(route.outstanding, 2);
    cr_assert_not(thi_route_handled(&route));
    cr_assert_eq(route.outstanding, 0);
    cr_assert(thi_route_sent(&route));
    thi_route_unmarked(&route);
    cr_assert(thi_route_sent(&route), "no mark was sent, so the next message has it");
}

/* The account: who is open by P1, in the order they opened, whatever happens. */
static void check(void)
{
    uint32_t open = 0, seats = 0;

    for (uint32_t i = 0; i < routes.count; i++) {
        const struct thi_route *route = routes.all[i];
        bool expected = !route->is_child || route->state == TH_ROUTEE_UP ||
                        (route->state == TH_ROUTEE_STARTING && route->failures == 0);

        cr_assert_eq(route->index, i);
        cr_assert_eq(route->is_open, expected, "P1");
        open += expected;
        seats += route->is_child && route->state != TH_ROUTEE_STOPPING;
        cr_assert(!route->is_child || route->state == TH_ROUTEE_STOPPING ||
                  route->seat < routes.children);
        cr_assert_eq(thi_routes_find(&routes, route->addr, i), routes.all[i]);
    }
    cr_assert_eq(open, routes.open_count);
    cr_assert_eq(seats, routes.children, "P2");
    for (uint32_t i = 0; i < routes.open_count; i++)
        cr_assert(routes.open[i]->is_open);
    cr_assert_leq(routes.cursor, routes.open_count);
}

static struct thi_route *any(struct thi_random *random)
{
    return routes.count ? routes.all[thi_random_below(random, routes.count)] : NULL;
}

static void happen(struct thi_random *random)
{
    struct thi_route *route = any(random);

    switch (thi_random_below(random, 7)) {
    case 0: thi_routes_seat(&routes, (uint32_t)thi_random_below(random, 6)); break;
    case 1: thi_routes_join(&routes, addr_of(++last_slot)); break;
    case 2:
        if (route && !route->is_child)
            thi_routes_leave(&routes, route);
        break;
    case 3:
        if (route && route->is_child)
            thi_routes_started(&routes, route, now);
        break;
    case 4:
        if (route && route->is_child && route->state != TH_ROUTEE_DOWN)
            thi_routes_ended(&routes, route, now, thi_random_next(random));
        break;
    case 5: pass(thi_random_below(random, 100)); break;
    case 6: cr_assert_eq(!thi_routes_in_turn(&routes), !routes.open_count); break;
    }
}

Test(routes, hold_their_rules_over_random_events)
{
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct thi_random random;

        thi_random_init(&random, seed);
        begin();
        for (int i = 0; i < 300; i++) {
            left_to_give = thi_random_below(&random, 8) ? UINT64_MAX : 0; /* no memory, at times */
            happen(&random);
            left_to_give = UINT64_MAX;
            if (thi_random_below(&random, 2))
                play();
            check();
        }
        end();
    }
}
