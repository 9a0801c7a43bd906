/* tests/support/watcher.h: an actor that watches what it is told to, and reports what it hears. */
#ifndef TESTS_SUPPORT_WATCHER_H
#define TESTS_SUPPORT_WATCHER_H

#include "tests/support/system.h"
#include "tests/support/talk.h"
#include <thespis/watch.h>

enum watcher_verb {
    WATCHER_FD,      /* watches fd for events, by mode */
    WATCHER_REARM,   /* id, for events */
    WATCHER_UNWATCH, /* id */
    WATCHER_SIGNAL,  /* number fd */
    WATCHER_HABITS,  /* from now on it does `habits` at each message */
    WATCHER_FAIL     /* the order itself fails */
};

enum watcher_habit {
    WATCHER_READS_ONE = 1 << 0,    /* a byte */
    WATCHER_READS_ALL = 1 << 1,    /* until EAGAIN or the end */
    WATCHER_WRITES_BACK = 1 << 2,  /* a byte into `other`, while it handles the message */
    WATCHER_UNWATCHES = 1 << 3,    /* afterwards */
    WATCHER_IS_SILENT = 1 << 4,    /* does not report */
    WATCHER_FORWARDS = 1 << 5,     /* the message itself, to its boss */
    WATCHER_SENDS_ITSELF = 1 << 6, /* the message, once */
    WATCHER_REARMS = 1 << 7,       /* for reading */
    WATCHER_FAILS = 1 << 8         /* at each */
};

struct watcher_order {
    enum watcher_verb verb;
    int fd, other;
    uint32_t events;
    th_watch_mode mode;
    uint64_t id;
    uint32_t habits;
};
TH_MESSAGE_LOCAL(watcher_order);

struct watcher_reply {
    th_err err;
    uint64_t id;
};
TH_MESSAGE_LOCAL(watcher_reply);

/* What it heard: by a message of its own, since the system's are not shown to endpoints. */
struct watcher_report {
    struct th_fd_ready ready;
    struct th_os_signal signal;
    int bytes; /* read */
};
TH_MESSAGE_LOCAL(watcher_report);

extern const th_class watcher_class;
/* The same, started afresh when an order fails. */
extern const th_class watcher_restarting_class;

/* Its boss is @me. */
th_addr watcher_create(th_self *me, const th_class *klass);

/* What the call said. */
struct watcher_reply watcher_do(th_self *me, th_addr watcher, struct watcher_order order);

/* Watches @fd, which has to work; the id. */
uint64_t watcher_watch(th_self *me, th_addr watcher, int fd, uint32_t events, th_watch_mode mode);

void watcher_habits(th_self *me, th_addr watcher, uint32_t habits, int other);

/* The next report. */
struct watcher_report watcher_hear(th_self *me);

/* A pipe whose ends do not block. */
void watcher_pipe(int ends[2]);
void watcher_write(int fd, int bytes);

/* The watches there are now. */
uint64_t watcher_count(th_system *sys);

#endif
