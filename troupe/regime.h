/* regime.h: which of a supervisor's children are to be started or stopped, and when.
 *
 * A pure state machine: events go in by the functions below, actions come out of
 * thi_regime_next(), to be drained after each event. It knows no actors, takes no memory (a child's
 * record is embedded in its owner's), and time is an argument, in nanoseconds.
 *
 *     DOWN -spawn-> STARTING -started-> UP     STARTING, UP -stop-> STOPPING     any -ended-> DOWN
 *
 * G1. Children are started in their order. One waits until those before it that are wanted are UP;
 *     one-for-one, only until they were UP once.
 * G2. Children are stopped one at a time, the last first, and nothing is started meanwhile.
 * G3. An end that was not asked for is one restart, however many it takes along. More than
 *     restarts_max of them within window_ns, and the regime leaves: it stops all, and says so. */
#ifndef THI_TROUPE_REGIME_H
#define THI_TROUPE_REGIME_H

#include <thespis/config.h>
#include <thespis/supervisor.h>

enum thi_regime_state { THI_REGIME_DOWN, THI_REGIME_STARTING, THI_REGIME_UP, THI_REGIME_STOPPING };

struct thi_regime_child {
    struct thi_regime_child *next, *prev; /* in the order of start */
    th_restart restart;
    enum thi_regime_state state;
    bool wanted;       /* is to be UP */
    bool doomed;       /* is to be stopped before anything is started */
    bool removed;      /* is to be forgotten once it is DOWN */
    bool was_up;       /* at least once */
    uint32_t failures; /* in a row: the pause doubles with each */
    uint64_t due_ns;   /* is not started before */
    uint64_t up_ns;    /* UP since */
};

struct thi_regime_limits {
    th_strategy strategy;
    uint32_t restarts_max; /* 1 to TH_SUPERVISOR_RESTARTS_MAX */
    uint64_t window_ns;
    uint64_t backoff_min_ns;
    uint64_t backoff_max_ns;
};

struct thi_regime {
    struct thi_regime_limits limits;
    struct thi_regime_child *first, *last;
    uint32_t count;
    uint64_t restarts;                          /* in all */
    uint64_t times[TH_SUPERVISOR_RESTARTS_MAX]; /* of the last restarts_max of them, in a ring */
    uint64_t armed_ns; /* when the owner's timer fires; UINT64_MAX: not armed */
    bool leaving;      /* nothing is started any more */
    bool gave_up;      /* ... because of G3 */
    bool left;         /* THI_REGIME_LEAVE was given out */
};

enum thi_regime_do {
    THI_REGIME_SPAWN,  /* start @child; if that fails, thi_regime_ended() */
    THI_REGIME_STOP,   /* ask @child to exit */
    THI_REGIME_FORGET, /* @child is out of the regime, and the owner's to free */
    THI_REGIME_ARM,    /* have thi_regime_timer() called in @delay_ns, instead of before */
    THI_REGIME_LEAVE   /* all are DOWN: exit */
};

struct thi_regime_action {
    enum thi_regime_do what;
    struct thi_regime_child *child;
    uint64_t delay_ns;
};

bool thi_regime_limits_check(const struct thi_regime_limits *limits);
void thi_regime_init(struct thi_regime *regime, const struct thi_regime_limits *limits);

/* @child [keep] until THI_REGIME_FORGET; behind all others. */
void thi_regime_add(struct thi_regime *regime, struct thi_regime_child *child, th_restart restart);
/* Stops and forgets it. */
void thi_regime_remove(struct thi_regime *regime, struct thi_regime_child *child);

void thi_regime_started(struct thi_regime *regime, struct thi_regime_child *child, uint64_t now_ns);
/* It has exited, or could not be spawned. @random decides the jitter. true: this was the end that
 * was one too many (G3). */
bool thi_regime_ended(struct thi_regime *regime, struct thi_regime_child *child, bool failed,
                      uint64_t now_ns, uint64_t random);
void thi_regime_timer(struct thi_regime *regime);
/* Stop all, for good. */
void thi_regime_leave(struct thi_regime *regime);

/* What to do next; false: nothing, until the next event. */
bool thi_regime_next(struct thi_regime *regime, uint64_t now_ns, struct thi_regime_action *action);

#endif
