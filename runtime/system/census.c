#include "runtime/system/census.h"

#include <stdio.h>

#include "runtime/actor/mail.h"
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

/* In a read section, so that it is the same actor throughout. */
static bool describe(th_system *system, struct thi_cell *cell, th_actor_status *status_out)
{
    struct thi_stage *stage = &system->stage;
    enum thi_cell_kind kind = thi_cell_kind_shown(cell);
    /* acquire: the same, for one that is dead and not yet retired; pairs with the release in
     * finish() of exit.c */
    enum thi_cell_state life =
        (enum thi_cell_state)atomic_load_explicit(&cell->state_of_life, memory_order_acquire);

    if ((kind != THI_CELL_ACTOR && kind != THI_CELL_OWN) || life == THI_CELL_DEAD ||
        cell->slot == stage->admin.slot)
        return false;
    /* relaxed, all: figures; the kind's acquire brought what is constant */
    *status_out = (th_actor_status){
        .addr = { stage->id, cell->slot,
                  atomic_load_explicit(&cell->generation, memory_order_relaxed) },
        .class_name = cell->klass->name,
        .state = life_text(life),
        .waiting = UINT64_MAX,
        .children = atomic_load_explicit(&cell->children, memory_order_relaxed),
        .own_thread = kind == THI_CELL_OWN,
    };
    return true;
}

static bool is_asleep(struct thi_cell *cell)
{
    /* relaxed: a figure */
    return atomic_load_explicit(&cell->inbox.top, memory_order_relaxed) == THI_INBOX_ASLEEP;
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

/* @status->state is one of life_text(). */
static void say_what(const th_actor_status *status, bool is_idle, char *text, size_t size)
{
    bool is_exiting = status->state == life_text(THI_CELL_EXITING);

    if (is_exiting && status->children)
        snprintf(text, size, "exiting, waits for %u %s", status->children,
                 status->children == 1 ? "child" : "children");
    else if (is_exiting)
        snprintf(text, size, "exiting");
    else if (status->state == life_text(THI_CELL_STARTING))
        snprintf(text, size, "starting");
    else
        snprintf(text, size, "%s", is_idle ? "idle" : "running a handler");
}

void thi_census_leftovers(th_system *system, th_leftover leftover, void *context)
{
    th_actor_status status;
    uint32_t slot = 0;
    bool is_idle;
    char what[48];

    while (thi_census_next(system, &slot, &status, &is_idle)) {
        say_what(&status, is_idle, what, sizeof(what));
        leftover(context, status.addr, status.class_name, what);
    }
}

/* ---- what waits, on the simple base ---- */

static th_msg *below(const th_msg *msg)
{
    return (th_msg *)((uintptr_t)msg->thi_next & ~THI_INBOX_URGENT);
}

static bool has_mark(const th_msg *msg)
{
    return ((uintptr_t)msg->thi_next & THI_INBOX_URGENT) != 0;
}

/* The stack of what was pushed and not taken, newest first. */
static th_msg *stack_of(struct thi_cell *cell)
{
    /* acquire: the messages are read next; pairs with the release in thi_inbox_push() */
    uintptr_t top = atomic_load_explicit(&cell->inbox.top, memory_order_acquire);

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

/* The @index-th oldest of those that are @urgent; *@count_out: how many there are. */
static const th_msg *oldest(struct thi_cell *cell, bool urgent, size_t index, size_t *count_out)
{
    size_t count = 0, from_top;

    for (const th_msg *msg = stack_of(cell); msg; msg = below(msg))
        count += has_mark(msg) == urgent;
    *count_out = count;
    if (index >= count)
        return NULL;
    from_top = count - 1 - index;
    for (const th_msg *msg = stack_of(cell); msg; msg = below(msg))
        if (has_mark(msg) == urgent && from_top-- == 0)
            return msg;
    return NULL;
}

/* The @index-th of what was taken and not handled, urgent or not; @index is less
 * those that were passed over then. */
static const th_msg *taken(struct thi_cell *cell, bool is_urgent, size_t *index)
{
    for (const th_msg *msg = cell->mail_head; msg; msg = msg->thi_next)
        if (thi_mail_is_urgent(msg->thi_type) == is_urgent && (*index)-- == 0)
            return msg;
    return NULL;
}

static const th_msg *pushed(struct thi_cell *cell, bool is_urgent, size_t *index)
{
    size_t count;
    const th_msg *msg = oldest(cell, is_urgent, *index, &count);

    *index -= msg ? 0 : count;
    return msg;
}

const th_msg *thi_census_peek(struct thi_cell *cell, size_t index)
{
    const th_msg *msg = NULL;

    for (int lane = 1; !msg && lane >= 0; lane--) {
        msg = taken(cell, lane, &index);
        if (!msg)
            msg = pushed(cell, lane, &index);
    }
    return msg;
}
