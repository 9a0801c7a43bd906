/* tests/support/random_actors.h: a program of actors that do whatever the API allows, at random.
 *
 * Players throw balls at each other. A ball makes its receiver act: send, forward, fail, answer,
 * ask, set and cancel wakeups, have children, stop itself or others with or without their
 * children, listen to dead letters, block. On the simple base the system's seed decides
 * everything; on the pool chance does. What happened is checked against the ledger's model at the
 * end of each run. */
#ifndef TESTS_SUPPORT_RANDOM_ACTORS_H
#define TESTS_SUPPORT_RANDOM_ACTORS_H

#include <thespis/thespis.h>

#include "tests/support/random_ledger.h"

struct random_plan {
    th_base base;
    uint64_t seed;      /* of the simple base; never 0 there */
    uint32_t workers;   /* of the pool */
    uint32_t openings;  /* balls thrown in from outside */
    uint32_t fuel;      /* generations of balls that each of those may cause */
    uint64_t nomem_nth; /* this allocation fails, once; 0: none does */
};

struct random_result {
    const char *wrong; /* NULL: all is well */
    uint64_t trace;    /* simple base: the hash over every delivery */
    uint32_t balls, players, questions;
    th_counts counts;
};

/* One run, from creating the system to destroying it. @ledger is cleared first. */
struct random_result random_actors_run(const struct random_plan *plan,
                                       struct random_ledger *ledger);

/* The program alone, in a system of the caller's, as often as wanted: opens, plays, closes, waits
 * until all of its actors are gone. @ledger is cleared first. NULL, or what is wrong; then its
 * actors may live still. */
const char *random_actors_play(th_system *sys, const struct random_plan *plan,
                               struct random_ledger *ledger);

#endif
