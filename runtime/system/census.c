#include "runtime/system/census.h"

#include <stdio.h>

#include "runtime/actor/credits.h"
#include "runtime/actor/dispatch.h"
#include "runtime/actor/gate.h"
#include "runtime/actor/mail.h"
#include "runtime/actor/receive.h"
#include "mailbox/inbox.h"

static const char *life_text(enum thi_cell_state life)
{
    switch (life) {
    case THI_CELL_STARTING: return "starting";
    case THI_CELL_RUNNING: return "running";
    case THI_CELL_EXITING: return "exiting";
    case THI_CELL_DEAD: break;
    }
    return "dead";
}

static bool is_asleep(struct thi_cell *cell)
{
    /* relaxed: a figure */
    return atomic_load_explicit(&thi_cell_inbox(cell)->top, memory_order_relaxed) ==
           THI_INBOX_ASLEEP;
}

/* ---- who is at it ---- */

/* The actor whose turn it is on @worker, or NULL. */
static struct thi_cell *turn_of(struct thi_worker *worker)
{
    /* relaxed, both: figures. A cell stays a cell while the system lives. */
    struct thi_task *task = atomic_load_explicit(&worker->current, memory_order_relaxed);

    if (!(atomic_load_explicit(&worker->turn, memory_order_relaxed) & 1) || !task)
        return NULL;
    return thi_cell_of_task(task);
}

static bool is_blocked(struct thi_worker *worker)
{
    /* relaxed: a figure */
    return atomic_load_explicit(&worker->is_blocking, memory_order_relaxed);
}

struct search {
    struct thi_cell *cell;
    bool found, is_blocked;
    const th_type *type; /* of what it handles; NULL: not known */
};

static void compare_turn(void *context, struct thi_worker *worker)
{
    struct search *search = context;

    if (turn_of(worker) != search->cell)
        return;
    search->found = true;
    search->is_blocked = is_blocked(worker);
    search->type = thi_receive_now(worker);
}

/* Calls @each for every worker there is. */
static void each_worker(th_system *system, void (*each)(void *context, struct thi_worker *worker),
                        void *context)
{
    if (system->stage.base == TH_BASE_SIMPLE) {
        each(context, &system->stage.step.worker);
        return;
    }
    pthread_mutex_lock(&system->figures_lock);
    if (!system->pool_stopped)
        thi_pool_each(&system->stage.pool, each, context);
    pthread_mutex_unlock(&system->figures_lock);
}

static const char *now_text(th_system *system, struct thi_cell *cell, const th_actor_status *status)
{
    struct search search = { .cell = cell };

    if (is_asleep(cell))
        return status->state == life_text(THI_CELL_EXITING) ? "waits for children" : "idle";
    each_worker(system, compare_turn, &search);
    if (search.is_blocked)
        return "blocked";
    if (status->state == life_text(THI_CELL_STARTING))
        return "starting";
    return search.found ? "busy" : "queued";
}

/* In a read section. The admin is not meant. */
static bool is_actor(th_system *system, struct thi_cell *cell)
{
    enum thi_cell_kind kind = thi_cell_kind_shown(cell);
    /* acquire: the same, for one that is dead and not yet retired; pairs with the release in
     * finish() of exit.c */
    enum thi_cell_state life =
        (enum thi_cell_state)atomic_load_explicit(&cell->state_of_life, memory_order_acquire);

    return (kind == THI_CELL_ACTOR || kind == THI_CELL_OWN) && life != THI_CELL_DEAD &&
           cell->slot != system->stage.admin.slot;
}

/* In a read section, so that it is the same actor throughout. */
static bool describe(th_system *system, struct thi_cell *cell, th_actor_status *status_out)
{
    struct thi_stage *stage = &system->stage;
    enum thi_cell_state life;

    if (!is_actor(system, cell))
        return false;
    life = thi_cell_life(cell);
    if (life == THI_CELL_DEAD)
        return false;
    /* relaxed, all: figures; the kind's acquire brought what is constant */
    *status_out = (th_actor_status){
        .addr = { stage->id, cell->slot,
                  atomic_load_explicit(&cell->generation, memory_order_relaxed) },
        .parent = thi_cell_parent(cell, stage->id),
        .class_name = cell->klass->name,
        .state = life_text(life),
        .age_ns = thi_stage_age_ns(stage, cell->self.voice.born),
        .waiting = UINT64_MAX,
        .children = atomic_load_explicit(&cell->children, memory_order_relaxed),
        .own_thread = thi_cell_kind(cell) == THI_CELL_OWN,
    };
    thi_mailbox_look(stage, cell, &status_out->mailbox);
    status_out->now = now_text(system, cell, status_out);
    return true;
}

bool thi_census_next(th_system *system, uint32_t *slot, th_actor_status *status_out,
                     bool *is_idle_out)
{
    struct thi_directory *directory = &system->stage.directory;
    uint32_t slots = thi_directory_slots(directory);
    bool found = false;

    while (!found && *slot < slots) {
        struct thi_cell *cell = thi_directory_at(directory, (*slot)++);

        thi_reclaim_enter();
        found = cell && describe(system, cell, status_out);
        *is_idle_out = found && is_asleep(cell);
        thi_reclaim_leave();
    }
    return found;
}

bool thi_census_next_service(th_system *system, uint32_t *slot, th_service_status *status_out)
{
    struct thi_directory *directory = &system->stage.directory;
    uint32_t slots = thi_directory_slots(directory);
    bool found = false;

    while (!found && *slot < slots) {
        struct thi_cell *cell = thi_directory_at(directory, (*slot)++);

        thi_reclaim_enter();
        found = cell && is_actor(system, cell) && thi_class_figures(cell->klass);
        if (found) /* relaxed: a figure */
            *status_out = (th_service_status){
                .addr = { system->stage.id, cell->slot,
                          atomic_load_explicit(&cell->generation, memory_order_relaxed) },
                .class_name = cell->klass->name,
            };
        thi_reclaim_leave();
    }
    return found;
}

bool thi_census_find(th_system *system, th_addr addr, th_actor_status *status_out)
{
    struct thi_cell *cell;
    bool found;

    thi_reclaim_enter();
    cell = addr.system == system->stage.id ? thi_directory_at(&system->stage.directory, addr.slot)
                                           : NULL;
    /* acquire: who is told that an actor is gone sees what it did; pairs with the release in
     * thi_directory_expire() */
    found = cell &&
            atomic_load_explicit(&cell->generation, memory_order_acquire) == addr.generation &&
            describe(system, cell, status_out);
    thi_reclaim_leave();
    return found;
}

/* ---- workers ---- */

struct roll {
    th_system *system;
    th_worker_status *workers;
    size_t count, room;
};

static void count_worker(void *context, struct thi_worker *worker)
{
    struct roll *roll = context;

    (void)worker;
    roll->room++;
}

static const char *kind_text(enum thi_worker_kind kind)
{
    switch (kind) {
    case THI_WORKER_SPARE: return "spare";
    case THI_WORKER_OWN: return "own";
    case THI_WORKER_REGULAR:
    case THI_WORKER_STEP: break;
    }
    return "worker";
}

void thi_census_turn(th_system *system, struct thi_worker *worker, th_addr *addr_out,
                     const char **class_name_out)
{
    struct thi_cell *cell = turn_of(worker);
    struct thi_stage *stage = &system->stage;

    *addr_out = th_addr_none();
    *class_name_out = NULL;
    thi_reclaim_enter();
    /* relaxed, below: a figure */
    if (cell && thi_cell_kind_shown(cell) != THI_CELL_FREE && cell->klass) {
        *class_name_out = cell->klass->name;
        *addr_out = (th_addr){ stage->id, cell->slot,
                               atomic_load_explicit(&cell->generation, memory_order_relaxed) };
    }
    thi_reclaim_leave();
}

static void describe_worker(void *context, struct thi_worker *worker)
{
    struct roll *roll = context;
    bool has_ring = worker->kind <= THI_WORKER_SPARE, is_step = worker->kind == THI_WORKER_STEP;
    /* relaxed: a figure */
    uint64_t since = atomic_load_explicit(&worker->rest_since_ns, memory_order_relaxed);
    uint64_t now = thi_clock_steady(&roll->system->stage.clock);
    th_worker_status *status;

    if (roll->count == roll->room)
        return; /* one more since they were counted */
    status = &roll->workers[roll->count++];
    *status = (th_worker_status){
        .kind = kind_text(worker->kind),
        .index = worker->index,
        .state = is_blocked(worker) ? "blocked"
                 : since            ? "parked"
                                    : "running",
        .turns = thi_stats_get(&worker->stats, THI_STAT_TURNS),
        .handled = thi_stats_get(&worker->stats, THI_STAT_HANDLED),
        .accepted = thi_stats_get(&worker->stats, THI_STAT_ACCEPTED),
        .steals = thi_stats_get(&worker->stats, THI_STAT_STEALS),
        .parks = thi_stats_get(&worker->stats, THI_STAT_PARKS),
        .queued = is_step    ? UINT64_MAX
                  : has_ring ? thi_runq_length(worker)
                             : 0,
        .age_ns = is_step ? 0 : now - worker->began_ns,
        .rest_ns = thi_stats_get(&worker->stats, THI_STAT_REST_NS) +
                   (since && now > since ? now - since : 0),
    };
    thi_census_turn(roll->system, worker, &status->actor, &status->class_name);
}

bool thi_census_workers(th_system *system, th_worker_status **workers_out, size_t *count_out)
{
    struct roll roll = { .system = system };

    each_worker(system, count_worker, &roll);
    *workers_out = NULL;
    *count_out = 0;
    if (!roll.room)
        return true;
    roll.workers = thi_memory_take(&system->stage.memory, roll.room * sizeof(*roll.workers));
    if (!roll.workers)
        return false;
    each_worker(system, describe_worker, &roll);
    *workers_out = roll.workers;
    *count_out = roll.room;
    /* fewer may be left, and the block is given back by its size: */
    for (size_t i = roll.count; i < roll.room; i++)
        roll.workers[i].kind = NULL;
    return true;
}

/* ---- what was left behind ---- */

/* @status->state is one of life_text(). */
static void say_what(const th_actor_status *status, bool is_idle, const th_type *type, char *text,
                     size_t size)
{
    bool is_exiting = status->state == life_text(THI_CELL_EXITING);

    if (is_exiting && status->children)
        snprintf(text, size, "exiting, waits for %u %s", status->children,
                 status->children == 1 ? "child" : "children");
    else if (is_exiting)
        snprintf(text, size, "exiting");
    else if (status->state == life_text(THI_CELL_STARTING))
        snprintf(text, size, "starting");
    else if (is_idle || !type)
        snprintf(text, size, "%s", is_idle ? "idle" : "running a handler");
    else
        snprintf(text, size, "running a handler of %s", type->name);
}

/* What that actor handles, as far as turns are watched. */
static const th_type *type_handled(th_system *system, th_addr addr)
{
    struct thi_cell *cell = thi_directory_at(&system->stage.directory, addr.slot);
    struct search search = { .cell = cell };

    each_worker(system, compare_turn, &search);
    return search.type;
}

void thi_census_leftovers(th_system *system, th_leftover leftover, void *context)
{
    th_actor_status status;
    uint32_t slot = 0;
    bool is_idle;
    char what[128];

    while (thi_census_next(system, &slot, &status, &is_idle)) {
        say_what(&status, is_idle, type_handled(system, status.addr), what, sizeof(what));
        leftover(context, status.addr, status.class_name, what);
    }
}

/* ---- what waits, on the simple base ---- */

/* The lanes of a mailbox, the first to be handled first; gate.c has the second. */
enum lane { LANE_SYSTEM, LANE_URGENT, LANE_PLAIN, LANES };

static enum lane lane_of(struct thi_cell *cell, const th_msg *msg)
{
    if (thi_mail_is_urgent(msg->thi_type))
        return LANE_SYSTEM;
    return thi_gate_is_urgent(cell, msg) ? LANE_URGENT : LANE_PLAIN;
}

static th_msg *below(const th_msg *msg)
{
    return (th_msg *)((uintptr_t)msg->thi_next & ~THI_INBOX_URGENT);
}

/* The stack of what was pushed and not taken, newest first. */
static th_msg *stack_of(struct thi_cell *cell)
{
    /* acquire: the messages are read next; pairs with the release in thi_inbox_push() */
    uintptr_t top = atomic_load_explicit(&thi_cell_inbox(cell)->top, memory_order_acquire);

    return top < THI_INBOX_STATES ? NULL : (th_msg *)(top & ~THI_INBOX_URGENT);
}

size_t thi_census_depth(struct thi_cell *cell)
{
    size_t depth = 0;

    for (const th_msg *msg = cell->mail_head; msg; msg = msg->thi_next)
        depth++;
    for (const th_msg *msg = stack_of(cell); msg; msg = below(msg))
        depth++;
    return depth;
}

/* The @index-th oldest of those in @lane; *@count_out: how many there are. */
static const th_msg *oldest(struct thi_cell *cell, enum lane lane, size_t index, size_t *count_out)
{
    size_t count = 0, from_top;

    for (const th_msg *msg = stack_of(cell); msg; msg = below(msg))
        count += lane_of(cell, msg) == lane;
    *count_out = count;
    if (index >= count)
        return NULL;
    from_top = count - 1 - index;
    for (const th_msg *msg = stack_of(cell); msg; msg = below(msg))
        if (lane_of(cell, msg) == lane && from_top-- == 0)
            return msg;
    return NULL;
}

/* The @index-th of what was taken and not handled, in @lane; @index is less
 * those that were passed over then. */
static const th_msg *taken(struct thi_cell *cell, enum lane lane, size_t *index)
{
    for (const th_msg *msg = cell->mail_head; msg; msg = msg->thi_next)
        if (lane_of(cell, msg) == lane && (*index)-- == 0)
            return msg;
    return NULL;
}

static const th_msg *pushed(struct thi_cell *cell, enum lane lane, size_t *index)
{
    size_t count;
    const th_msg *msg = oldest(cell, lane, *index, &count);

    *index -= msg ? 0 : count;
    return msg;
}

const th_msg *thi_census_peek(struct thi_cell *cell, size_t index)
{
    const th_msg *msg = NULL;

    for (int lane = LANE_SYSTEM; !msg && lane < LANES; lane++) {
        msg = taken(cell, (enum lane)lane, &index);
        if (!msg)
            msg = pushed(cell, (enum lane)lane, &index);
    }
    return msg;
}
