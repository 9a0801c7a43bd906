/* runtime/system/drive.h: running the simple base.
 *
 * There is no thread of its own: whoever waits for something runs the system until it is there,
 * under step.lock, one turn at a time. When nothing is runnable, virtual time jumps to the next
 * timer. */
#ifndef THI_SYSTEM_DRIVE_H
#define THI_SYSTEM_DRIVE_H

#include "runtime/system/system.h"

/* Takes step.lock. TH_E_NOT_ALLOWED: from an actor's code, where it is held already and a turn is
 * under way; then it is not taken. Simple base, running or down. */
th_err thi_drive_enter(th_system *system);
/* The same for who only looks, which an actor's code may. */
void thi_drive_look(th_system *system);
void thi_drive_leave(th_system *system);

/* One turn. false: nothing is runnable now. */
bool thi_drive_turn(th_system *system);

/* One turn, or else the next timer, if it is due by @until_ns; the timer also when turns have gone
 * on for TH_MOMENT_TURNS_MAX without a pause. false: neither; if a timer is pending, or turns are,
 * it is
 * @until_ns now. */
bool thi_drive_on(th_system *system, uint64_t until_ns);

/* What came from descriptors and signals becomes messages, without waiting for more. */
void thi_drive_look_outside(th_system *system);

/* Fires the first timer, if it is due by @until_ns, at its moment. */
bool thi_drive_fire(th_system *system, uint64_t until_ns);

#endif
