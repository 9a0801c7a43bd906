#include "troupe/regime.h"

bool thi_regime_limits_check(const struct thi_regime_limits *limits)
{
    return (unsigned)limits->strategy <= TH_REST_FOR_ONE && limits->restarts_max > 0 &&
           limits->restarts_max <= TH_SUPERVISOR_RESTARTS_MAX && limits->window_ns > 0 &&
           limits->backoff_min_ns > 0 && limits->backoff_min_ns <= limits->backoff_max_ns &&
           limits->backoff_max_ns <= INT64_MAX;
}

void thi_regime_init(struct thi_regime *regime, const struct thi_regime_limits *limits)
{
    *regime = (struct thi_regime){ .limits = *limits, .armed_ns = UINT64_MAX };
}

void thi_regime_add(struct thi_regime *regime, struct thi_regime_child *child, th_restart restart)
{
    *child = (struct thi_regime_child){ .restart = restart,
                                        .wanted = !regime->leaving,
                                        .removed = regime->leaving,
                                        .prev = regime->last };
    if (regime->last)
        regime->last->next = child;
    else
        regime->first = child;
    regime->last = child;
    regime->count++;
}

static void unlink_child(struct thi_regime *regime, struct thi_regime_child *child)
{
    if (child->prev)
        child->prev->next = child->next;
    else
        regime->first = child->next;
    if (child->next)
        child->next->prev = child->prev;
    else
        regime->last = child->prev;
    regime->count--;
}

/* ---- events ---- */

static bool is_alive(const struct thi_regime_child *child)
{
    return child->state == THI_REGIME_STARTING || child->state == THI_REGIME_UP;
}

void thi_regime_remove(struct thi_regime *regime, struct thi_regime_child *child)
{
    (void)regime;
    child->removed = true;
    child->wanted = false;
    child->doomed = is_alive(child);
}

void thi_regime_leave(struct thi_regime *regime)
{
    regime->leaving = true;
    for (struct thi_regime_child *child = regime->first; child; child = child->next) {
        child->wanted = false;
        child->doomed = is_alive(child);
    }
}

void thi_regime_timer(struct thi_regime *regime)
{
    regime->armed_ns = UINT64_MAX;
}

void thi_regime_started(struct thi_regime *regime, struct thi_regime_child *child, uint64_t now_ns)
{
    (void)regime;
    if (child->state != THI_REGIME_STARTING)
        return; /* it is being stopped */
    child->state = THI_REGIME_UP;
    child->was_up = true;
    child->up_ns = now_ns;
}

/* G3 */
static bool may_restart(struct thi_regime *regime, uint64_t now_ns)
{
    uint32_t max = regime->limits.restarts_max;
    uint64_t *place = &regime->times[regime->restarts % max];

    if (regime->restarts >= max && now_ns - *place < regime->limits.window_ns)
        return false;
    *place = now_ns;
    regime->restarts++;
    return true;
}

/* Doubles with each failure in a row, and of what it comes to the later half is left to chance, so
 * that many that failed of one cause do not come back in step. */
static uint64_t pause_after(const struct thi_regime_limits *limits, uint32_t failures,
                            uint64_t random)
{
    uint64_t pause = limits->backoff_min_ns;

    while (failures-- && pause < limits->backoff_max_ns)
        pause = pause > limits->backoff_max_ns / 2 ? limits->backoff_max_ns : 2 * pause;
    return pause - random % (pause / 2 + 1);
}

static void restart(struct thi_regime *regime, struct thi_regime_child *child, uint64_t due_ns)
{
    struct thi_regime_child *other = child;

    child->due_ns = due_ns;
    if (regime->limits.strategy == TH_ONE_FOR_ONE)
        return;
    if (regime->limits.strategy == TH_ALL_FOR_ONE)
        other = regime->first;
    for (; other; other = other->next) {
        if (other->removed)
            continue;
        other->wanted = true;
        other->due_ns = due_ns;
        if (is_alive(other))
            other->doomed = true;
    }
}

bool thi_regime_ended(struct thi_regime *regime, struct thi_regime_child *child, bool failed,
                      uint64_t now_ns, uint64_t random)
{
    bool is_expected = child->state == THI_REGIME_STOPPING || child->doomed || !child->wanted;

    if (child->state == THI_REGIME_UP && now_ns - child->up_ns >= regime->limits.window_ns)
        child->failures = 0;
    child->state = THI_REGIME_DOWN;
    child->doomed = false;
    if (child->restart == TH_RESTART_TEMPORARY)
        child->removed = true;
    if (child->removed || (!is_expected && child->restart == TH_RESTART_TRANSIENT && !failed))
        child->wanted = false;
    if (is_expected || !child->wanted)
        return false;
    if (!may_restart(regime, now_ns)) {
        regime->gave_up = true;
        thi_regime_leave(regime);
        return true;
    }
    restart(regime, child, now_ns + pause_after(&regime->limits, child->failures, random));
    child->failures++;
    return false;
}

/* ---- actions ---- */

static bool act(struct thi_regime_action *action, enum thi_regime_do what,
                struct thi_regime_child *child)
{
    *action = (struct thi_regime_action){ .what = what, .child = child };
    return true;
}

static struct thi_regime_child *find_forgotten(struct thi_regime *regime)
{
    struct thi_regime_child *child = regime->first;

    while (child && !(child->removed && child->state == THI_REGIME_DOWN))
        child = child->next;
    return child;
}

/* The last that is to go, or is going. */
static struct thi_regime_child *find_leaver(struct thi_regime *regime)
{
    struct thi_regime_child *child = regime->last, *doomed = NULL;

    for (; child; child = child->prev) {
        if (child->state == THI_REGIME_STOPPING)
            return child;
        if (child->doomed && !doomed)
            doomed = child;
    }
    return doomed;
}

/* The first that can be started now; if there is none, *@soonest_out says when there is. */
static struct thi_regime_child *find_start(struct thi_regime *regime, uint64_t now_ns,
                                           uint64_t *soonest_out)
{
    *soonest_out = UINT64_MAX;
    for (struct thi_regime_child *child = regime->first; child; child = child->next) {
        if (child->wanted && child->state == THI_REGIME_DOWN) {
            if (child->due_ns <= now_ns)
                return child;
            if (child->due_ns < *soonest_out)
                *soonest_out = child->due_ns;
        }
        if (child->wanted && child->state != THI_REGIME_UP && /* G1 */
            !(regime->limits.strategy == TH_ONE_FOR_ONE && child->was_up))
            break;
    }
    return NULL;
}

bool thi_regime_next(struct thi_regime *regime, uint64_t now_ns, struct thi_regime_action *action)
{
    struct thi_regime_child *child = find_forgotten(regime);
    uint64_t soonest;

    if (child) {
        unlink_child(regime, child);
        return act(action, THI_REGIME_FORGET, child);
    }
    child = find_leaver(regime);
    if (child && child->state == THI_REGIME_STOPPING)
        return false; /* G2 */
    if (child) {
        child->state = THI_REGIME_STOPPING;
        child->doomed = false;
        return act(action, THI_REGIME_STOP, child);
    }
    if (regime->leaving) {
        if (regime->left)
            return false;
        regime->left = true;
        return act(action, THI_REGIME_LEAVE, NULL);
    }
    child = find_start(regime, now_ns, &soonest);
    if (child) {
        child->state = THI_REGIME_STARTING;
        return act(action, THI_REGIME_SPAWN, child);
    }
    if (soonest == UINT64_MAX || soonest == regime->armed_ns)
        return false;
    regime->armed_ns = soonest;
    act(action, THI_REGIME_ARM, NULL);
    action->delay_ns = soonest - now_ns;
    return true;
}
