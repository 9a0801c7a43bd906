/* tests/support/random_ledger.h: what the random actors did, written down outside of them, and
 * whether it can be true.
 *
 * The reference model is this: every message accepted has one fate, every actor made starts as
 * often as it ends, a parent hears of each child once, the messages of one actor to another are
 * numbered and arrive without a gap, every question is answered at most once. The actors note
 * what happens as it happens; random_ledger_verdict() says at a quiet moment what does not add
 * up.
 *
 * Facts of one player are plain memory though several threads write them, one after the other:
 * that a handler sees all that the one before it wrote is a promise under test, and
 * ThreadSanitizer is the judge. Facts of a ball have several owners and are atomic. */
#ifndef TESTS_SUPPORT_RANDOM_LEDGER_H
#define TESTS_SUPPORT_RANDOM_LEDGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <thespis/addr.h>

enum { RANDOM_PLAYERS_MAX = 64, RANDOM_BALLS_MAX = 3000, RANDOM_MAIN = 0 };

/* One message by its id, through all its envelopes. */
struct random_ball {
    _Atomic uint16_t expected; /* envelopes accepted: 1, and one more for each forward */
    _Atomic uint16_t attempts; /* deliveries begun */
    _Atomic uint16_t handled;  /* envelopes whose handler said TH_OK */
    _Atomic uint16_t dead;     /* envelopes seen as dead letters */
    _Atomic uint16_t poisoned; /* envelopes that came back as poison */
    _Atomic bool may_vanish;   /* payload of a wakeup, which ends with its actor */
    _Atomic bool is_cancelled; /* ... and was taken back */
};

struct random_question {
    _Atomic uint16_t answers; /* calls of its continuation */
    _Atomic uint32_t asker;
    _Atomic bool has_limit; /* a finite one */
};

struct random_player {
    th_addr addr;
    _Atomic bool is_known; /* addr may be read; atomic since the main thread asks too */
    uint32_t parent;
    uint32_t inits, exits;
    uint32_t running; /* handlers at this moment: 0 or 1 */
    bool is_restarting;
    bool kept_children; /* handed them to the system */
    _Atomic bool is_gone;
    _Atomic uint32_t notices;               /* child-exited that its parent got */
    uint32_t last_seen[RANDOM_PLAYERS_MAX]; /* number of the last direct ball, by sender */
    uint32_t last_sent[RANDOM_PLAYERS_MAX]; /* by target; of the sender */
};

struct random_extras;

struct random_ledger {
    struct random_extras *extras; /* what other features do; extras/extras.h */
    _Atomic uint32_t ball_count, question_count, player_count;
    _Atomic uint32_t spawned; /* players made */
    _Atomic bool is_closing;
    _Atomic(const char *) wrong; /* the first thing noticed on the way, or NULL */
    struct random_player players[RANDOM_PLAYERS_MAX];
    struct random_ball balls[RANDOM_BALLS_MAX];
    struct random_question questions[RANDOM_BALLS_MAX];
};

void random_ledger_clear(struct random_ledger *ledger);

/* A fresh id, or 0: used up. */
uint32_t random_ledger_ball(struct random_ledger *ledger);
uint32_t random_ledger_question(struct random_ledger *ledger);
uint32_t random_ledger_player(struct random_ledger *ledger);

/* Notes that @what must not have happened. The first one stays. */
void random_ledger_wrong(struct random_ledger *ledger, const char *what);

/* While everything is quiet and time has passed every limit: questions with a limit whose asker
 * lives were answered. NULL, or what is wrong. */
const char *random_ledger_questions_verdict(struct random_ledger *ledger);

/* After everybody is gone and every letter was read. @is_exact: nothing was refused for want of
 * memory, so every fate is known. NULL, or what is wrong. */
const char *random_ledger_verdict(struct random_ledger *ledger, bool is_exact);

#endif
