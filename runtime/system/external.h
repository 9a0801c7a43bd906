/* runtime/system/external.h: an endpoint: an address, a cell and a heap for threads that are no
 * actors.
 *
 * Who waits in it, and who is told of what, is in waiting.h. */
#ifndef THI_SYSTEM_EXTERNAL_H
#define THI_SYSTEM_EXTERNAL_H

#include "runtime/system/system.h"
#include "runtime/system/waiting.h"
#include "runtime/actor/endpoint.h"
#include "runtime/base/thread.h"

struct thi_external {
    struct thi_endpoint endpoint; /* first: what the floor below knows of it */
    th_system *system;
    bool is_default;
    char opened_by[THI_THREAD_NAME_SIZE]; /* the name of the thread that did; constant */
    struct thi_heap heap;
    struct thi_voice_lock shared; /* the default endpoint's voice */
    struct thi_bell bell;

    struct thi_external *next, *prev; /* the system's list, under its lock */

    pthread_mutex_t lock;          /* what follows, and the owner's end of the inbox */
    bool over;                     /* the system is down */
    th_msg *mail_head, *mail_tail; /* for who listens next */
    struct thi_waiter *first, *last;
};

/* A voice that may speak, but has no address yet. NULL: no memory. */
struct thi_external *thi_external_make(th_system *system, bool is_default);

/* And now it has. Under the system's lock. TH_E_NOMEM, TH_E_LIMIT: it has none, still. */
th_err thi_external_move_in(struct thi_external *external);

/* Frees one that has no address. */
void thi_external_unmake(struct thi_external *external);

/* What waits in it becomes dead letters. @external itself goes after a grace period. */
void thi_external_close(struct thi_external *external);

/* The system is down: every wait ends. */
void thi_external_hang_up(struct thi_external *external);

/* What waits in it becomes dead letters; it stays open. */
void thi_external_empty(struct thi_external *external);

/* Sends @msg [take], any message, and waits for the answer to it. */
th_err thi_external_ask(struct thi_external *external, th_addr to, th_msg *msg, uint64_t timeout_ns,
                        th_msg **answer_out);

#endif
