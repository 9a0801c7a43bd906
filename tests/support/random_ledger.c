#include "tests/support/random_ledger.h"

#include <string.h>

void random_ledger_clear(struct random_ledger *ledger)
{
    memset(ledger, 0, sizeof(*ledger));
}

static uint32_t fresh(_Atomic uint32_t *count, uint32_t max)
{
    uint32_t id = 1 + atomic_fetch_add(count, 1);

    return id < max ? id : 0;
}

uint32_t random_ledger_ball(struct random_ledger *ledger)
{
    return fresh(&ledger->ball_count, RANDOM_BALLS_MAX);
}

uint32_t random_ledger_question(struct random_ledger *ledger)
{
    return fresh(&ledger->question_count, RANDOM_BALLS_MAX);
}

uint32_t random_ledger_player(struct random_ledger *ledger)
{
    return fresh(&ledger->player_count, RANDOM_PLAYERS_MAX);
}

void random_ledger_wrong(struct random_ledger *ledger, const char *what)
{
    const char *nothing = NULL;

    atomic_compare_exchange_strong(&ledger->wrong, &nothing, what);
}

const char *random_ledger_questions_verdict(struct random_ledger *ledger)
{
    uint32_t count = atomic_load(&ledger->question_count);

    for (uint32_t id = 1; id <= count && id < RANDOM_BALLS_MAX; id++) {
        struct random_question *question = &ledger->questions[id];
        uint32_t asker = atomic_load(&question->asker);

        if (asker && atomic_load(&question->has_limit) && atomic_load(&question->answers) == 0 &&
            !atomic_load(&ledger->players[asker].is_gone))
            return "a question with a limit was never answered";
    }
    return NULL;
}

static const char *ball_verdict(struct random_ball *ball, bool is_exact)
{
    uint32_t expected = atomic_load(&ball->expected);
    uint32_t fates =
        atomic_load(&ball->handled) + atomic_load(&ball->dead) + atomic_load(&ball->poisoned);

    if (fates > expected)
        return "a message had two fates";
    if (is_exact && fates < expected && !atomic_load(&ball->may_vanish))
        return "a message vanished";
    if (atomic_load(&ball->attempts) > expected * 2)
        return "a message was delivered too often";
    return NULL;
}

static const char *player_verdict(struct random_ledger *ledger, struct random_player *player)
{
    uint32_t notices = atomic_load(&player->notices);

    if (player->inits == 0)
        return "an actor was made and never started";
    if (player->inits != player->exits)
        return "an actor started more often than it ended";
    if (player->parent == RANDOM_MAIN || ledger->players[player->parent].kept_children)
        return notices <= 1 ? NULL : "a parent heard twice of a child";
    return notices == 1  ? NULL
           : notices > 1 ? "a parent heard twice of a child"
                         : "a parent did not hear of a child";
}

const char *random_ledger_verdict(struct random_ledger *ledger, bool is_exact)
{
    const char *wrong = atomic_load(&ledger->wrong);
    uint32_t balls = atomic_load(&ledger->ball_count);
    uint32_t players = atomic_load(&ledger->player_count);

    for (uint32_t id = 1; !wrong && id <= balls && id < RANDOM_BALLS_MAX; id++)
        wrong = ball_verdict(&ledger->balls[id], is_exact);
    for (uint32_t id = 1; !wrong && id <= players && id < RANDOM_PLAYERS_MAX; id++) {
        if (!th_addr_is_none(ledger->players[id].addr) || ledger->players[id].inits)
            wrong = player_verdict(ledger, &ledger->players[id]);
    }
    return wrong;
}
