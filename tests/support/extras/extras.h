/* tests/support/extras/extras.h: how a feature takes part in the random actors' program.
 *
 * The players of random_actors.c know messages, children, questions and wakeups. Every other
 * feature brings a struct random_extra: actors and messages of its own, what a player may do with
 * them at random, and whether what came of it can be true. README.md beside this says how to add
 * one. */
#ifndef TESTS_SUPPORT_EXTRAS_EXTRAS_H
#define TESTS_SUPPORT_EXTRAS_EXTRAS_H

#include <stdatomic.h>

#include <thespis/thespis.h>

enum { RANDOM_EXTRA_STATE_MAX = 8192 };

/* One feature in one run of the program. Every thread sees it, so what changes is atomic. */
struct random_extra_run {
    th_system *sys;
    th_addr outside;         /* the endpoint that opened the stage */
    _Atomic bool has_begun;  /* begin() was called and said TH_OK */
    _Atomic bool is_closing; /* nothing new from now on */
    _Alignas(16) unsigned char state[RANDOM_EXTRA_STATE_MAX]; /* the feature's, zeroed */
};

struct random_extra {
    const char *name;
    size_t state_size; /* of run->state; at most RANDOM_EXTRA_STATE_MAX */
    /* On the endpoint, before the first player. Not TH_OK, as without memory: the feature sits
     * this run out. */
    th_err (*begin)(th_self *me, struct random_extra_run *run);
    /* In a player's handler, at random; the player is a stranger, so make actors elsewhere. */
    void (*act)(th_self *player, struct random_extra_run *run);
    /* A message that a player does not know reached it. Poison comes whole. */
    void (*hear)(th_self *player, struct random_extra_run *run, const th_msg *msg);
    /* The same for a message that became a dead letter. In the witness. */
    void (*letter)(struct random_extra_run *run, const th_msg *msg);
    /* On the endpoint: ask all that begin() and act() made to exit. */
    void (*close)(th_self *me, struct random_extra_run *run);
    /* Nobody lives and every letter was read. @is_exact: no allocation was made to fail. NULL, or
     * what is wrong. */
    const char *(*verdict)(struct random_extra_run *run, bool is_exact);
};

struct random_extras;

/* All of them, for one run. NULL: no memory. */
struct random_extras *random_extras_open(th_self *me);
void random_extras_free(struct random_extras *extras);

/* One act of one of them. @pick is a random number. */
void random_extras_act(struct random_extras *extras, th_self *player, uint64_t pick);
void random_extras_hear(struct random_extras *extras, th_self *player, const th_msg *msg);
void random_extras_letter(struct random_extras *extras, const th_msg *msg);
void random_extras_close(struct random_extras *extras, th_self *me);
const char *random_extras_verdict(struct random_extras *extras, bool is_exact);

/* What @msg was before it became poison; @msg itself if it is none. */
const th_msg *random_extra_unwrap(const th_msg *msg);

/* The features, each in a file of its name. */
extern const struct random_extra random_extra_troupe;
extern const struct random_extra random_extra_mailbox;
extern const struct random_extra random_extra_names;
extern const struct random_extra random_extra_ties;
extern const struct random_extra random_extra_status;
extern const struct random_extra random_extra_supervisors;
extern const struct random_extra random_extra_logging;
extern const struct random_extra random_extra_watches;
extern const struct random_extra random_extra_router;
extern const struct random_extra random_extra_topic;
extern const struct random_extra random_extra_capabilities;
extern const struct random_extra random_extra_trace;
extern const struct random_extra random_extra_behaviour;
extern const struct random_extra random_extra_transient;
extern const struct random_extra random_extra_deputy;

/* What a system that the logging is to be checked of is made with, and told when it runs. */
extern const th_log_options random_logging_options;
void random_logging_start(th_system *sys);

#endif
