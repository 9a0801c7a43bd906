/* error.h: every way a call can fail, one line each.
 *
 * A line makes the enum value, the name, the text and the row in docs/errors.md. Zero is success.
 * Errors are for what the world does to a program; a broken invariant inside the library aborts
 * instead (assert.h), and no caller can cause that. */
#ifndef THESPIS_ERROR_H
#define THESPIS_ERROR_H

#include <thespis/compiler.h>

#define TH_ERR_MAP(XX)                                                                             \
    XX(INVALID, "an argument is null, out of range or of the wrong kind")                          \
    XX(NOMEM, "out of memory, or past the system's memory limit")                                  \
    XX(TOO_BIG, "the message is larger than TH_MESSAGE_SIZE_MAX")                                  \
    XX(TIMEOUT, "the time limit passed first")                                                     \
    XX(NO_ACTOR, "no live actor has that address")                                                 \
    XX(NO_CLASS, "no class is registered under that name")                                         \
    XX(NO_NAME, "no actor has that global name")                                                   \
    XX(UNFIT, "the system lacks a capability that the actor needs")                                \
    XX(NO_TIMER, "that wakeup is not pending: fired, cancelled or never set")                      \
    XX(FOREIGN, "the address belongs to another system")                                           \
    XX(NOT_ALLOWED, "only the system may send that message, or to that address")                   \
    XX(NOT_HERE,                                                                                   \
       "the call is not for this kind of handle: an actor, an endpoint, a troupe member")          \
    XX(WRONG_BASE, "the call needs the other base")                                                \
    XX(STATE, "not in this state: not started, started already, or still in use")                  \
    XX(CLOSED, "the system is shutting down or has shut down")                                     \
    XX(EXISTS, "that name is taken")                                                               \
    XX(LIMIT, "a limit of config.h or of the options is reached")                                  \
    XX(FULL, "the mailbox is at its limit")                                                        \
    XX(THREAD, "a thread or a descriptor could not be had from the operating system")              \
    XX(FAILED, "the handler failed; th_fail() said why")                                           \
    XX(INIT, "the actor's init failed")                                                            \
    XX(PARSE, "the text is not of the form expected")                                              \
    XX(SUPER, "the handler passed the message on, where there is nobody to pass it to")            \
    XX(BAD_FD, "no open descriptor has that number, or it was closed")                             \
    XX(NOT_POLLABLE, "a regular file or a folder is always ready: there is nothing to wait for")   \
    XX(NO_WATCH, "the caller has no watch of that id: it ended, or never was")                     \
    XX(FORKED, "the system belongs to the process that forked this one")                           \
    XX(FILE, "a file could not be opened or written")                                              \
    XX(UNREADABLE, "the other system cannot read that message")                                    \
    XX(UNREACHABLE, "nobody could be reached at that address")

typedef enum th_err {
    TH_OK = 0,
#define XX(name, text) TH_E_##name,
    TH_ERR_MAP(XX)
#undef XX
        TH_ERR_COUNT /* one past the last; not an error */
} th_err;

TH_BEGIN_C

/** What went wrong, as a sentence. Never NULL: an unknown value is "not an error of libthespis". */
TH_API const char *th_strerror(th_err err);

/** The name of the enum value, such as "TH_E_TIMEOUT". Never NULL. */
TH_API const char *th_err_name(th_err err);

TH_END_C
#endif
