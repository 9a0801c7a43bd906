/* runtime/sched/benefit.c: measure whether more workers do more. */
#include "runtime/sched/benefit.h"

#include "runtime/sched/pool.h"

enum { PENALTY_MAX = 64, PERCENT = 100, LEAK = 512 };

void thi_benefit_init(struct thi_benefit *benefit)
{
    ck_spinlock_init(&benefit->lock);
    atomic_store_explicit(&benefit->penalty, 1, memory_order_relaxed); /* no other thread yet */
}

uint64_t thi_benefit_pressure(const struct thi_benefit *benefit)
{
    /* relaxed: a hint */
    return TH_WAKE_PRESSURE_NS *
           (uint64_t)atomic_load_explicit(&benefit->penalty, memory_order_relaxed);
}

static void set_penalty(struct thi_benefit *benefit, uint32_t penalty, uint64_t now_ns)
{
    atomic_store_explicit(&benefit->penalty, penalty, memory_order_relaxed); /* a hint */
    benefit->penalty_since_ns = now_ns;
}

static void sum(struct thi_pool *pool, uint64_t *handled, uint64_t *parks)
{
    /* acquire: the workers themselves; pairs with the release in make_worker() of pool.c */
    unsigned made = atomic_load_explicit(&pool->made, memory_order_acquire);

    *handled = *parks = 0;
    for (unsigned i = 0; i < made; i++) {
        *handled += thi_stats_get(&pool->workers[i]->stats, THI_STAT_HANDLED);
        *parks += thi_stats_get(&pool->workers[i]->stats, THI_STAT_PARKS);
    }
}

/* B2, B3, after a window of @span_ns in which @running workers handled @messages. */
static bool is_surplus(struct thi_benefit *benefit, uint32_t running, uint64_t messages,
                       uint64_t span_ns, uint64_t now_ns)
{
    uint64_t rate = messages * 1000000 / span_ns;
    uint64_t fewer = benefit->rates[running - 1];
    uint64_t *best = &benefit->rates[running];
    uint32_t penalty = atomic_load_explicit(&benefit->penalty, memory_order_relaxed); /* ours */

    /* the best of late: an old record fades in about 500 windows, since it must not be taken over
     * by a bad state at once */
    *best -= *best / LEAK;
    if (rate > *best)
        *best = rate;
    if (now_ns - benefit->penalty_since_ns > TH_BENEFIT_PENALTY_NS && penalty > 1)
        set_penalty(benefit, penalty / 2, now_ns);
    if (running < 2 || span_ns * running / (messages + 1) > TH_BENEFIT_CHEAP_NS)
        return false;
    if (fewer == 0)
        return true;
    if (rate * PERCENT > fewer * (PERCENT + TH_BENEFIT_GAIN_PERCENT))
        return false;
    set_penalty(benefit, penalty < PENALTY_MAX ? penalty * 2 : PENALTY_MAX, now_ns);
    return true;
}

bool thi_benefit_look(struct thi_worker *worker, uint64_t now_ns)
{
    struct thi_pool *pool = worker->pool;
    struct thi_benefit *benefit = &pool->benefit;
    uint64_t handled, parks, span_ns;
    uint32_t running;
    bool answer = false;

    if (!ck_spinlock_trylock(&benefit->lock))
        return false;
    span_ns = now_ns - benefit->start_ns;
    if (span_ns >= TH_BENEFIT_WINDOW_NS && now_ns > benefit->start_ns) {
        sum(pool, &handled, &parks);
        /* relaxed: only compared with itself a window ago */
        running = atomic_load_explicit(&pool->running, memory_order_relaxed);
        /* B1; a long span is one that nobody measured */
        if (running == benefit->running && parks == benefit->parks && running > 0 &&
            span_ns < 4 * (uint64_t)TH_BENEFIT_WINDOW_NS)
            answer = is_surplus(benefit, running, handled - benefit->handled, span_ns, now_ns);
        benefit->start_ns = now_ns;
        benefit->handled = handled;
        benefit->parks = parks;
        benefit->running = running;
    }
    ck_spinlock_unlock(&benefit->lock);
    return answer;
}
