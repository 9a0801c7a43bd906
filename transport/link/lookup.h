/* transport/link/lookup.h: host names become addresses, without anybody waiting for it.
 *
 * The resolver blocks, for half a minute if it likes, so it runs on libuv's threads.
 *
 * K1. One name is asked for once at a time; who asks for it meanwhile shares the answer.
 * K2. At most TH_LINK_LOOKUPS_MAX questions are under way, one a name. The rest wait in order, so a
 *     name without an answer holds up another only if so many names are without one.
 * K3. Who has asked may forget about it (thi_lookup_cancel()); the question itself cannot be
 *     taken back, and is waited for when everything is closed. */
#ifndef THI_LINK_LOOKUP_H
#define THI_LINK_LOOKUP_H

#include <uv.h>

#include "mailbox/alloc.h"
#include "transport/link/hostport.h"
#include <thespis/config.h>

/* The addresses of @host, at most @max, with port 0; how many. 0: none, @why (with room for
 * @why_size) says it in words. Blocks. Replaceable, for tests. */
typedef unsigned thi_resolve(void *context, const char *host, struct thi_sockaddr *out,
                             unsigned max, char *why, size_t why_size);

/* What the machine is set up for: getaddrinfo(3). */
unsigned thi_resolve_system(void *context, const char *host, struct thi_sockaddr *out, unsigned max,
                            char *why, size_t why_size);

/* One who has asked; embedded. */
struct thi_lookup {
    /* @count addresses [lend]; 0: @why [lend]. Not called from inside thi_lookup_ask(). */
    void (*answered)(struct thi_lookup *lookup, const struct thi_sockaddr *all, unsigned count,
                     const char *why);
    struct thi_question *question; /* NULL: nothing is asked */
    struct thi_lookup *next;
};

struct thi_lookups {
    uv_loop_t *uv;
    struct thi_memory *memory;
    thi_resolve *resolve;
    void *context;
    struct thi_question *first, *last; /* in the order they were asked */
    unsigned under_way;
};

/* @resolve NULL: thi_resolve_system(). */
void thi_lookups_init(struct thi_lookups *lookups, uv_loop_t *uv, struct thi_memory *memory,
                      thi_resolve *resolve, void *context);

/* Nobody waits any more. What is under way is cancelled if it can be, and is still the loop's to
 * end: until `first` is NULL. */
void thi_lookups_close(struct thi_lookups *lookups);

/* TH_E_NOMEM: not asked. */
TH_NODISCARD th_err thi_lookup_ask(struct thi_lookups *lookups, struct thi_lookup *lookup,
                                   const char *host);

/* The answer is not wanted any more. Nothing to do if nothing is asked. */
void thi_lookup_cancel(struct thi_lookup *lookup);

#endif
