/* runtime/system/pump.c: the simple base in real time, driven by somebody else's loop. */
#include <thespis/pump.h>

#include "runtime/system/drive.h"

int th_system_fd(th_system *system)
{
    if (thi_system_check(system) || !system->stage.is_pumped)
        return -1;
    return system->stage.watches.poller.epoll;
}

/* What is due by now. One timer after the other, each with the turns that it causes, as in virtual
 * time. */
static uint64_t serve(th_system *system, uint64_t turns_max)
{
    struct thi_clock *clock = &system->stage.clock;
    uint64_t turns = 0;

    thi_drive_look_outside(system);
    do {
        while (turns < turns_max && thi_drive_turn(system))
            turns++;
    } while (turns < turns_max && thi_drive_fire(system, thi_clock_now(clock)));
    return turns;
}

th_err th_pump(th_system *system, uint64_t turns_max, uint64_t *turns_out)
{
    th_err err = thi_system_check(system);
    uint64_t turns;

    if (!err && !system->stage.is_pumped)
        err = TH_E_WRONG_BASE;
    if (!err)
        err = thi_drive_enter(system);
    if (err)
        return err;
    turns = serve(system, turns_max ? turns_max : TH_MOMENT_TURNS_MAX);
    thi_drive_leave(system);
    if (turns_out)
        *turns_out = turns;
    return TH_OK;
}
