/* watch.h: descriptors and the process's signals become messages.
 *
 * A watch belongs to the actor that asked for it, and ends with it, by th_unwatch(), or when its
 * descriptor turns out to be closed. It has at most one message in the mailbox at a time, whatever
 * happens meanwhile, so a watch never floods its actor. All calls here are for actors: an endpoint
 * is answered TH_E_NOT_HERE, an exiting actor TH_E_CLOSED.
 *
 * The descriptor stays the program's own: the library never reads, writes or closes it. Set it
 * O_NONBLOCK; a handler that reads should stop at EAGAIN.
 *
 * On the pool one thread of the system waits for all descriptors (epoll(7), described in the
 * kernel's manual pages); it is started by the first watch. On the simple base they are looked at
 * whenever nothing else is to be run, and while there is a watch a wait there is one in real time:
 * the virtual clock moves on by what the wait took. What the outside world does is not in the
 * seed. */
#ifndef THESPIS_WATCH_H
#define THESPIS_WATCH_H

#include <thespis/actor.h>

/** What to wait for; or them together. */
enum th_fd_events {
    TH_FD_READABLE = 1 << 0, /* reading would not block: bytes, a connection, or the end */
    TH_FD_WRITABLE = 1 << 1  /* writing would not block */
};

typedef enum th_watch_mode {
    TH_WATCH_LEVEL, /* a message as long as it is so: again after the handler of the last one */
    TH_WATCH_EDGE,  /* a message when it becomes so; read and write until EAGAIN then */
    TH_WATCH_ONCE   /* one message, then nothing until th_watch_rearm() */
} th_watch_mode;

/** A watched descriptor is ready. Its sender is the actor itself. Never for a watch that ended
 * before. When @error or @hangup is set, whatever was waited for is said to be ready, too, so that
 * reading or writing tells more. */
#define TH_FD_READY_FIELDS(F, S)                                                                   \
    F(S, u64, id) /* what th_watch_fd() gave */                                                    \
    F(S, i32, fd)                                                                                  \
    F(S, bool_, readable)                                                                          \
    F(S, bool_, writable)                                                                          \
    F(S, bool_, hangup) /* nobody is at the other end any more */                                  \
    F(S, bool_, error)  /* an error waits there: of a socket, see SO_ERROR */                      \
    F(S, bool_, closed) /* the number was closed, or is another file's now: the watch is over */
TH_MESSAGE(th_fd_ready, TH_FD_READY_FIELDS);

/** A watched signal came. Its sender is the actor itself. */
#define TH_OS_SIGNAL_FIELDS(F, S)                                                                  \
    F(S, u64, id) /* what th_watch_signal() gave */                                                \
    F(S, i32, number)                                                                              \
    F(S, u32, count) /* how often since the last message, as far as the kernel told: it merges */
TH_MESSAGE(th_os_signal, TH_OS_SIGNAL_FIELDS);

TH_BEGIN_C

/** Has the caller sent a th_fd_ready when @events (enum th_fd_events; 0: not before a
 * th_watch_rearm()) are so for @fd [keep until the watch ends]. One watch per descriptor and
 * system: for a second one, dup() it. Unwatch before closing where you can; a descriptor closed
 * without that is found out when it is next looked at, or when its number is watched again, and
 * the watch hears of it by a message with @closed set. A restart (TH_ON_FAILURE_RESTART) ends all
 * watches of the actor. TH_E_BAD_FD: not an open descriptor. TH_E_NOT_POLLABLE: a regular file or
 * a folder. TH_E_EXISTS: it is watched in this system. TH_E_LIMIT: watches_max, or the kernel's
 * own limit. TH_E_NOMEM. TH_E_THREAD: no descriptor or thread for the library itself; nothing was
 * changed, try again. */
TH_API TH_NODISCARD th_err th_watch_fd(th_self *self, int fd, uint32_t events, th_watch_mode mode,
                                       uint64_t *id_out);

/** Waits for @events from now on: at once, or after the message that is on its way or being
 * handled. Of an edge watch what is ready at this moment is reported, too. 0: for nothing, until
 * called again (a hang-up may still come, once). TH_E_NO_WATCH: none of the caller's has that @id,
 * or it is a signal's. TH_E_BAD_FD: the descriptor was closed; the watch is over. */
TH_API TH_NODISCARD th_err th_watch_rearm(th_self *self, uint64_t id, uint32_t events);

/** Has the caller sent a th_os_signal when signal @number comes to the process. Any number of
 * actors and systems may: all hear of it. While one of them does, the library's handler is in
 * place; with the last watch the program's own comes back, unless the program has set another
 * meanwhile. Nothing but a counter is touched in the handler. TH_E_INVALID: no signal of that
 * number, or one that cannot be caught (SIGKILL, SIGSTOP), or one that a thread causes itself
 * (SIGSEGV and its like). TH_E_LIMIT, TH_E_NOMEM, TH_E_THREAD. */
TH_API TH_NODISCARD th_err th_watch_signal(th_self *self, int number, uint64_t *id_out);

/** Ends a watch: after TH_OK none of its messages arrives, not even one that was on its way.
 * TH_E_NO_WATCH: none of the caller's has that @id. */
TH_API TH_NODISCARD th_err th_unwatch(th_self *self, uint64_t id);

TH_END_C
#endif
