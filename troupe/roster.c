/* roster.c: the troupe's bookkeeping.
 *
 * R1. A job is in exactly one place: pending, with one worker, or out (given back to the owner).
 * R2. A worker is in the idle list, in the lingering list, or in none; only IDLE and LINGERING
 *     ones are in a list, and they have no job.
 * R3. A worker in a list is not gone: a job is given only to a worker not known to be dead.
 * R4. A kill is counted when a job was under way in the worker (dropped), or when the worker never
 *     finished any job: then the job may be why. A worker that finished other jobs and ends by
 *     itself before it began this one has not died of it. Progress was made, so this cannot go
 *     round for ever.
 *
 * Past 500 lines: every function moves a job or a worker between the places of R1 and R2, and a
 * reader checks one against the others. */
#include "troupe/roster.h"

#include <string.h>

/* Job records kept for the next jobs. Above what a troupe has under way at once; a burst's
 * thousands go back. */
#define SPARES_MAX 256

static uint64_t later(uint64_t now_ns, uint64_t delay_ns)
{
    return delay_ns > UINT64_MAX - now_ns ? UINT64_MAX : now_ns + delay_ns;
}

static void *get(struct thi_roster *roster, size_t size)
{
    return roster->allocator->alloc(roster->allocator->context, size);
}

static void give_back(struct thi_roster *roster, void *memory, size_t size)
{
    if (memory)
        roster->allocator->free(roster->allocator->context, memory, size);
}

/* ---- lists ---- */

static void list_push(struct thi_roster_list *list, struct thi_roster_worker *worker)
{
    worker->next = NULL;
    worker->prev = list->tail;
    if (list->tail)
        list->tail->next = worker;
    else
        list->head = worker;
    list->tail = worker;
    list->count++;
}

static void list_remove(struct thi_roster_list *list, struct thi_roster_worker *worker)
{
    if (worker->prev)
        worker->prev->next = worker->next;
    else
        list->head = worker->next;
    if (worker->next)
        worker->next->prev = worker->prev;
    else
        list->tail = worker->prev;
    worker->next = worker->prev = NULL;
    list->count--;
}

static void unlist(struct thi_roster *roster, struct thi_roster_worker *worker)
{
    if (worker->state == THI_ROSTER_IDLE)
        list_remove(&roster->idle, worker);
    else if (worker->state == THI_ROSTER_LINGERING)
        list_remove(&roster->lingering, worker);
}

/* ---- jobs ---- */

static void pending_push(struct thi_roster *roster, struct thi_roster_job *job, bool at_head)
{
    job->next = at_head ? roster->pending : NULL;
    if (at_head) {
        roster->pending = job;
        if (!roster->pending_tail)
            roster->pending_tail = job;
    } else {
        if (roster->pending_tail)
            roster->pending_tail->next = job;
        else
            roster->pending = job;
        roster->pending_tail = job;
    }
    roster->pending_count++;
}

static struct thi_roster_job *pending_take(struct thi_roster *roster)
{
    struct thi_roster_job *job = roster->pending;

    roster->pending = job->next;
    if (!roster->pending)
        roster->pending_tail = NULL;
    roster->pending_count--;
    return job;
}

/* The record goes to the spares, what it stood for to the caller. */
static void *job_out(struct thi_roster *roster, struct thi_roster_job *job)
{
    void *work = job->work;

    if (roster->spare_count < SPARES_MAX) {
        job->next = roster->spare;
        roster->spare = job;
        roster->spare_count++;
    } else {
        give_back(roster, job, sizeof(*job));
    }
    return work;
}

static struct thi_roster_job *job_off(struct thi_roster *roster, struct thi_roster_worker *worker)
{
    struct thi_roster_job *job = worker->job;

    worker->job = NULL;
    roster->busy--;
    return job;
}

/* A job whose worker is lost: tried again before all others, or out, to be poisoned. */
static void *again(struct thi_roster *roster, struct thi_roster_job *job, bool killed)
{
    if (killed && ++job->kills >= roster->limits.kills_max) {
        roster->counts.poisoned++;
        return job_out(roster, job);
    }
    roster->counts.retried++;
    pending_push(roster, job, true);
    return NULL;
}

enum thi_roster_take thi_roster_job(struct thi_roster *roster, void *work)
{
    struct thi_roster_job *job;

    /* Exact, although pending is where every job starts: as actions are drained after each event,
     * one stays there only while no worker is free and none may be spawned. */
    if (roster->pending_count >= roster->limits.pending_max) {
        roster->counts.jobs++;
        roster->counts.refused++;
        return THI_ROSTER_FULL;
    }
    job = roster->spare;
    if (job) {
        roster->spare = job->next;
        roster->spare_count--;
    } else {
        job = get(roster, sizeof(*job));
    }
    if (!job)
        return THI_ROSTER_NOMEM;
    roster->counts.jobs++;
    job->work = work;
    job->id = ++roster->last_id;
    job->kills = 0;
    pending_push(roster, job, false);
    return THI_ROSTER_TAKEN;
}

/* ---- workers ---- */

static struct thi_roster_worker *find(struct thi_roster *roster, uint32_t index, th_addr addr)
{
    struct thi_roster_worker *worker = index < roster->capacity ? roster->workers[index] : NULL;

    return worker && th_addr_equal(worker->addr, addr) ? worker : NULL;
}

static bool grow(struct thi_roster *roster)
{
    uint32_t capacity = roster->capacity ? roster->capacity * 2 : 8;
    struct thi_roster_worker **workers = get(roster, capacity * sizeof(*workers));

    if (!workers)
        return false;
    memset(workers, 0, capacity * sizeof(*workers));
    if (roster->capacity)
        memcpy(workers, roster->workers, roster->capacity * sizeof(*workers));
    give_back(roster, roster->workers, roster->capacity * sizeof(*workers));
    roster->workers = workers;
    roster->capacity = capacity;
    return true;
}

static struct thi_roster_worker *enrol(struct thi_roster *roster)
{
    struct thi_roster_worker *worker;
    uint32_t index;

    if (roster->live == roster->capacity && !grow(roster))
        return NULL;
    while (roster->workers[roster->vacant % roster->capacity])
        roster->vacant++;
    index = roster->vacant++ % roster->capacity;
    worker = get(roster, sizeof(*worker));
    if (!worker)
        return NULL;
    memset(worker, 0, sizeof(*worker));
    worker->index = index;
    worker->state = THI_ROSTER_STARTING;
    worker->fresh = true;
    roster->workers[index] = worker;
    roster->live++;
    return worker;
}

static void strike(struct thi_roster *roster, struct thi_roster_worker *worker)
{
    unlist(roster, worker);
    if (worker->state == THI_ROSTER_LEAVING)
        roster->leaving--;
    if (roster->opening == worker)
        roster->opening = NULL;
    roster->workers[worker->index] = NULL;
    roster->live--;
    give_back(roster, worker, sizeof(*worker));
}

static void leave(struct thi_roster *roster, struct thi_roster_worker *worker)
{
    unlist(roster, worker);
    worker->state = THI_ROSTER_LEAVING;
    roster->leaving++;
}

/* It has no job. */
static void rest(struct thi_roster *roster, struct thi_roster_worker *worker, uint64_t now_ns)
{
    if (worker->gone) {
        leave(roster, worker); /* R3 */
    } else if (roster->idle.count < roster->limits.idle_max) {
        worker->state = THI_ROSTER_IDLE;
        list_push(&roster->idle, worker);
    } else {
        worker->state = THI_ROSTER_LINGERING;
        worker->until_ns = later(now_ns, roster->limits.linger_ns);
        list_push(&roster->lingering, worker);
    }
}

static void pause_spawning(struct thi_roster *roster, uint64_t now_ns)
{
    roster->spawn_after_ns = later(now_ns, roster->backoff_ns);
    if (roster->backoff_ns > roster->limits.backoff_max_ns / 2)
        roster->backoff_ns = roster->limits.backoff_max_ns;
    else
        roster->backoff_ns *= 2;
}

void thi_roster_spawned(struct thi_roster *roster, uint32_t index, th_addr addr, void *keepsake)
{
    roster->workers[index]->addr = addr;
    roster->workers[index]->keepsake = keepsake;
}

void *thi_roster_unspawned(struct thi_roster *roster, uint32_t index, uint64_t now_ns)
{
    struct thi_roster_worker *worker = roster->workers[index];
    struct thi_roster_job *job = job_off(roster, worker);

    strike(roster, worker);
    pause_spawning(roster, now_ns);
    return again(roster, job, true);
}

void *thi_roster_unsent(struct thi_roster *roster, uint32_t index, uint64_t now_ns)
{
    struct thi_roster_worker *worker = roster->workers[index];
    struct thi_roster_job *job = job_off(roster, worker);

    rest(roster, worker, now_ns);
    roster->counts.poisoned++;
    return job_out(roster, job);
}

void thi_roster_undismissed(struct thi_roster *roster, uint32_t index, uint64_t now_ns)
{
    struct thi_roster_worker *worker = roster->workers[index];

    worker->dismissed = false;
    roster->leaving--;
    rest(roster, worker, now_ns);
}

void thi_roster_ready(struct thi_roster *roster, uint32_t index, th_addr addr, uint64_t now_ns)
{
    struct thi_roster_worker *worker = find(roster, index, addr);

    if (!worker || worker->gone)
        return;
    if (worker->state == THI_ROSTER_STARTING) {
        worker->state = THI_ROSTER_BUSY;
        roster->opening = worker;
    } else if (worker->state == THI_ROSTER_RESTARTING) {
        worker->dropped = false;
        rest(roster, worker, now_ns);
        /* in other states nothing was lost: since its failure it was idle or busy again */
    }
}

static struct thi_roster_worker *busy_with(struct thi_roster *roster, uint32_t index, th_addr addr,
                                           uint64_t id)
{
    struct thi_roster_worker *worker = find(roster, index, addr);

    return worker && worker->state == THI_ROSTER_BUSY && worker->job->id == id ? worker : NULL;
}

/* The worker's job is out, and the worker free. */
static void *job_over(struct thi_roster *roster, struct thi_roster_worker *worker, bool stops,
                      uint64_t now_ns)
{
    worker->fresh = false;
    if (stops)
        leave(roster, worker);
    else
        rest(roster, worker, now_ns);
    return job_out(roster, job_off(roster, worker));
}

void *thi_roster_done(struct thi_roster *roster, uint32_t index, th_addr addr, uint64_t id,
                      bool stops, uint64_t now_ns)
{
    struct thi_roster_worker *worker = busy_with(roster, index, addr, id);
    uint64_t soon_ns = later(now_ns, roster->limits.backoff_min_ns);

    if (!worker)
        return NULL;
    roster->counts.done++;
    roster->backoff_ns = roster->limits.backoff_min_ns;
    if (roster->spawn_after_ns > soon_ns)
        roster->spawn_after_ns = soon_ns;
    return job_over(roster, worker, stops, now_ns);
}

void *thi_roster_failed(struct thi_roster *roster, uint32_t index, th_addr addr, uint64_t id,
                        bool stops, uint64_t now_ns)
{
    struct thi_roster_worker *worker = busy_with(roster, index, addr, id);

    if (!worker)
        return NULL;
    roster->counts.poisoned++;
    return job_over(roster, worker, stops, now_ns);
}

void *thi_roster_dropped(struct thi_roster *roster, uint32_t index, th_addr addr, uint64_t id,
                         uint64_t now_ns)
{
    struct thi_roster_worker *worker = busy_with(roster, index, addr, id);

    if (!worker)
        return NULL;
    worker->state = THI_ROSTER_RESTARTING;
    worker->dropped = true;
    pause_spawning(roster, now_ns);
    return again(roster, job_off(roster, worker), true);
}

void *thi_roster_farewell(struct thi_roster *roster, th_addr addr)
{
    struct thi_roster_worker *worker = NULL;
    void *keepsake;
    uint32_t step;

    /* From where the last search ended: workers that go together mostly go in order. */
    for (step = 0; step < roster->capacity && !worker; step++) {
        roster->cursor = roster->cursor + 1 < roster->capacity ? roster->cursor + 1 : 0;
        worker = find(roster, roster->cursor, addr);
    }
    if (!worker)
        return NULL;
    worker->gone = true;
    if (worker->state == THI_ROSTER_IDLE || worker->state == THI_ROSTER_LINGERING)
        leave(roster, worker); /* R3 */
    keepsake = worker->keepsake;
    worker->keepsake = NULL;
    return keepsake;
}

bool thi_roster_talkative(const struct thi_roster *roster, uint32_t index)
{
    /* Who left the idle has no job to speak of, nor has who failed one and stops. */
    return roster->workers[index]->state != THI_ROSTER_LEAVING;
}

void *thi_roster_exited(struct thi_roster *roster, uint32_t index, th_addr addr, bool failed,
                        uint64_t now_ns)
{
    struct thi_roster_worker *worker = find(roster, index, addr);
    struct thi_roster_job *job;
    bool killed;

    if (!worker)
        return NULL;
    job = worker->job ? job_off(roster, worker) : NULL;
    killed = worker->fresh || failed; /* R4 */
    if (!worker->dismissed) {
        roster->counts.deaths++;
        if (killed && !worker->dropped)
            pause_spawning(roster, now_ns);
    }
    strike(roster, worker);
    return job ? again(roster, job, killed) : NULL;
}

void thi_roster_timer(struct thi_roster *roster)
{
    roster->armed_ns = UINT64_MAX;
}

/* ---- limits ---- */

bool thi_roster_limits_check(const struct thi_roster_limits *limits)
{
    return limits->workers_max > 0 && limits->idle_max <= limits->workers_max &&
           limits->pending_max > 0 && limits->kills_max > 0 &&
           limits->backoff_min_ns <= limits->backoff_max_ns;
}

bool thi_roster_set(struct thi_roster *roster, uint32_t workers_max, uint32_t idle_max,
                    uint32_t pending_max, uint64_t now_ns)
{
    struct thi_roster_limits limits = roster->limits;

    if (workers_max)
        limits.workers_max = workers_max;
    if (idle_max)
        limits.idle_max = idle_max;
    if (pending_max)
        limits.pending_max = pending_max;
    if (idle_max > limits.workers_max)
        return false; /* a floor set earlier may be above: it counts again when there is room */
    roster->limits = limits;
    while (roster->idle.count > limits.idle_max) {
        struct thi_roster_worker *worker = roster->idle.tail;

        list_remove(&roster->idle, worker);
        rest(roster, worker, now_ns);
    }
    return true;
}

/* ---- actions ---- */

static bool give(struct thi_roster_worker *worker, struct thi_roster_action *action)
{
    action->what = THI_ROSTER_GIVE;
    action->index = worker->index;
    action->addr = worker->addr;
    action->id = worker->job->id;
    action->work = worker->job->work;
    return true;
}

static bool dismiss(struct thi_roster *roster, struct thi_roster_worker *worker,
                    struct thi_roster_action *action)
{
    leave(roster, worker);
    worker->dismissed = true;
    action->what = THI_ROSTER_DISMISS;
    action->index = worker->index;
    action->addr = worker->addr;
    return true;
}

static bool give_pending(struct thi_roster *roster, struct thi_roster_worker *worker,
                         struct thi_roster_action *action)
{
    unlist(roster, worker);
    worker->state = THI_ROSTER_BUSY;
    worker->job = pending_take(roster);
    roster->busy++;
    return give(worker, action);
}

static bool spawn(struct thi_roster *roster, uint64_t now_ns, struct thi_roster_action *action)
{
    struct thi_roster_worker *worker = enrol(roster);

    if (!worker) {
        pause_spawning(roster, now_ns);
        return false;
    }
    worker->job = pending_take(roster);
    roster->busy++;
    action->what = THI_ROSTER_SPAWN;
    action->index = worker->index;
    return true;
}

static bool arm(struct thi_roster *roster, uint64_t now_ns, struct thi_roster_action *action)
{
    uint64_t at_ns = UINT64_MAX;

    if (roster->lingering.head)
        at_ns = roster->lingering.head->until_ns;
    if (roster->pending && roster->live < roster->limits.workers_max &&
        roster->spawn_after_ns < at_ns)
        at_ns = roster->spawn_after_ns;
    if (at_ns >= roster->armed_ns)
        return false; /* it fires early enough, and is armed again for the rest */
    roster->armed_ns = at_ns;
    action->what = THI_ROSTER_ARM;
    action->delay_ns = at_ns > now_ns ? at_ns - now_ns : 0;
    return true;
}

bool thi_roster_next(struct thi_roster *roster, uint64_t now_ns, struct thi_roster_action *action)
{
    struct thi_roster_worker *worker = roster->opening;
    struct thi_roster_worker *linger = roster->lingering.head;

    if (worker) {
        roster->opening = NULL;
        return give(worker, action);
    }
    worker = roster->idle.head;
    /* Before jobs are given: lowering the limit takes effect as workers finish. */
    if (roster->live - roster->leaving > roster->limits.workers_max && (linger || worker))
        return dismiss(roster, linger ? linger : worker, action);
    if (roster->pending) {
        if (worker || linger)
            return give_pending(roster, worker ? worker : linger, action);
        if (roster->live < roster->limits.workers_max && now_ns >= roster->spawn_after_ns &&
            spawn(roster, now_ns, action))
            return true;
    }
    if (linger && linger->until_ns <= now_ns)
        return dismiss(roster, linger, action);
    return arm(roster, now_ns, action);
}

/* ---- life ---- */

void thi_roster_init(struct thi_roster *roster, th_allocator *allocator,
                     const struct thi_roster_limits *limits)
{
    memset(roster, 0, sizeof(*roster));
    roster->allocator = allocator;
    roster->limits = *limits;
    roster->backoff_ns = limits->backoff_min_ns;
    roster->armed_ns = UINT64_MAX;
}

void *thi_roster_clear(struct thi_roster *roster, bool *sent_out)
{
    uint32_t index;

    *sent_out = false;
    if (roster->pending)
        return job_out(roster, pending_take(roster));
    for (index = 0; index < roster->capacity && roster->busy; index++) {
        struct thi_roster_worker *worker = roster->workers[index];

        if (worker && worker->job) {
            *sent_out = worker->state == THI_ROSTER_BUSY;
            return job_out(roster, job_off(roster, worker));
        }
    }
    return NULL;
}

void *thi_roster_strike(struct thi_roster *roster)
{
    void *keepsake = NULL;
    uint32_t index;

    for (index = 0; index < roster->capacity && roster->live && !keepsake; index++) {
        if (roster->workers[index]) {
            keepsake = roster->workers[index]->keepsake;
            strike(roster, roster->workers[index]);
        }
    }
    return keepsake;
}

void thi_roster_fini(struct thi_roster *roster)
{
    give_back(roster, roster->workers, roster->capacity * sizeof(*roster->workers));
    while (roster->spare) {
        struct thi_roster_job *job = roster->spare;

        roster->spare = job->next;
        give_back(roster, job, sizeof(*job));
    }
    memset(roster, 0, sizeof(*roster));
}
