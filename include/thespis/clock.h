/* clock.h: a clock of the program's own, in place of the operating system's.
 *
 * For programs whose time is not the machine's: a simulation, a replay, a test, a clock that is
 * synchronised with others. On the pool base, th_options.clock is what th_now() shows and what
 * wakeups, the limits of th_ask_then() and the times of transient actors go by, and its wall clock
 * is what log records show. The simple base keeps its virtual time (testkit.h).
 *
 * Such a clock may do what it likes:
 *   forward    what has become due fires: at once after th_clock_moved(), else within
 *              TH_CLOCK_LOOK_NS. In the order of the deadlines, each no earlier than its own.
 *   stands     nothing becomes due. What the runtime tries again later, an exit that lacks memory
 *              say, waits, too.
 *   backward   it is taken to stand until it has come back to where it was: time as an actor sees
 *              it never runs backwards, and no wakeup is early by either reading.
 *
 * What waits for the machine goes by the machine's clock: threads in th_ask(), th_listen(),
 * th_create() or a shutdown, the watchdog, the workers' own looks, descriptors that are watched,
 * and how fast the logger may be talked to. */
#ifndef THESPIS_CLOCK_H
#define THESPIS_CLOCK_H

#include <thespis/actor.h>

/** What a replacement must do. Called from any thread of the system, several at once, and often: it
 * must not wait, nor call into libthespis. */
typedef struct th_clock {
    /** Nanoseconds since any moment of its choice. */
    uint64_t (*monotonic)(void *context);
    /** Nanoseconds since 1970, UTC, for people. NULL: the operating system's. */
    uint64_t (*wall)(void *context);
    void *context;
} th_clock;

TH_BEGIN_C

/** Says that @system's own clock has jumped, or runs at another rate, so that what is due now need
 * not wait for the next look. From any thread, also from an actor. TH_E_STATE: it has no clock of
 * its own, or does not run yet. TH_E_CLOSED. */
TH_API TH_NODISCARD th_err th_clock_moved(th_system *system);

TH_END_C
#endif
