/* runtime/system/testkit.c: driving the simple base by hand. */
#include <thespis/testkit.h>

#include "runtime/system/census.h"
#include "runtime/system/drive.h"
#include "runtime/actor/detour.h"

/* The lock, for calls that run actors. TH_E_NOT_ALLOWED: from an actor's own code. */
static th_err enter_driving(th_system *system)
{
    th_err err = thi_system_check(system);

    if (!err && system->stage.base != TH_BASE_SIMPLE)
        err = TH_E_WRONG_BASE;
    return err ? err : thi_drive_enter(system);
}

/* The lock, for calls that only look, which actors may, too. */
static th_err enter_looking(th_system *system)
{
    th_err err = thi_system_check(system);

    if (!err && system->stage.base != TH_BASE_SIMPLE)
        err = TH_E_WRONG_BASE;
    if (!err)
        thi_drive_look(system);
    return err;
}

/* The same, and the actor. */
static th_err enter_cell(th_system *system, th_addr actor, struct thi_cell **cell_out)
{
    th_actor_status ignored;
    th_err err = enter_looking(system);

    if (err)
        return err;
    if (thi_census_find(system, actor, &ignored)) {
        *cell_out = thi_directory_find(&system->stage.directory, actor);
        return TH_OK;
    }
    thi_drive_leave(system);
    if (th_addr_is_none(actor))
        return TH_E_INVALID;
    return actor.system == system->stage.id ? TH_E_NO_ACTOR : TH_E_FOREIGN;
}

th_err th_step(th_system *system, bool *ran_out)
{
    th_err err = enter_driving(system);
    bool ran;

    if (err)
        return err;
    ran = thi_drive_turn(system);
    thi_drive_leave(system);
    if (ran_out)
        *ran_out = ran;
    return TH_OK;
}

/* Turns until idle, at most @max of them (0: any number); how many. */
static uint64_t run(th_system *system, uint64_t max)
{
    uint64_t turns = 0;

    while ((!max || turns < max) && thi_drive_turn(system))
        turns++;
    return turns;
}

th_err th_run_until_idle(th_system *system, uint64_t steps_max, uint64_t *steps_out)
{
    th_err err = enter_driving(system);
    uint64_t turns;

    if (err)
        return err;
    turns = run(system, steps_max);
    if (steps_max && turns == steps_max && system->stage.step.ready_count)
        err = TH_E_LIMIT;
    thi_drive_leave(system);
    if (steps_out)
        *steps_out = turns;
    return err;
}

th_err th_advance(th_system *system, uint64_t ns)
{
    th_err err = enter_driving(system);
    struct thi_clock *clock;
    uint64_t until;

    if (!err && system->stage.is_pumped) {
        thi_drive_leave(system);
        err = TH_E_WRONG_BASE;
    }
    if (err)
        return err;
    clock = &system->stage.clock;
    until = thi_clock_after(thi_clock_now(clock), ns);
    do
        (void)run(system, 0);
    while (thi_drive_fire(system, until));
    thi_clock_advance_to(clock, until);
    thi_drive_leave(system);
    return TH_OK;
}

th_err th_virtual_now(th_system *system, uint64_t *ns_out)
{
    th_err err = enter_looking(system);

    if (err)
        return err;
    if (ns_out)
        *ns_out = thi_clock_now(&system->stage.clock);
    thi_drive_leave(system);
    return ns_out ? TH_OK : TH_E_INVALID;
}

th_err th_mailbox_depth(th_system *system, th_addr actor, size_t *depth_out)
{
    struct thi_cell *cell;
    th_err err = depth_out ? enter_cell(system, actor, &cell) : TH_E_INVALID;

    if (err)
        return err;
    *depth_out = thi_census_depth(cell);
    thi_drive_leave(system);
    return TH_OK;
}

th_err th_mailbox_peek(th_system *system, th_addr actor, size_t index, const th_msg **msg_out)
{
    struct thi_cell *cell;
    th_err err = msg_out ? enter_cell(system, actor, &cell) : TH_E_INVALID;

    if (err)
        return err;
    *msg_out = thi_census_peek(cell, index);
    thi_drive_leave(system);
    return *msg_out ? TH_OK : TH_E_LIMIT;
}

th_err th_inject_failure(th_system *system, th_addr actor, th_err failure, uint32_t times)
{
    struct thi_cell *cell;
    th_err err = failure ? enter_cell(system, actor, &cell) : TH_E_INVALID;

    if (err)
        return err;
    err = thi_detour_inject(&system->stage, cell, failure, times);
    thi_drive_leave(system);
    return err;
}

th_err th_inject_nomem(th_system *system, uint64_t nth, bool repeat)
{
    if (!system)
        return TH_E_INVALID;
    thi_memory_inject(&system->stage.memory, nth, repeat);
    return TH_OK;
}

th_err th_allocations(th_system *system, uint64_t *count_out)
{
    if (!system || !count_out)
        return TH_E_INVALID;
    *count_out = thi_memory_takes(&system->stage.memory);
    return TH_OK;
}

th_err th_trace_hash(th_system *system, uint64_t *hash_out)
{
    th_err err = enter_looking(system);

    if (err)
        return err;
    if (hash_out)
        *hash_out = system->stage.step.trace;
    thi_drive_leave(system);
    return hash_out ? TH_OK : TH_E_INVALID;
}
