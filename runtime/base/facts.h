/* facts.h: sets of names with values: made in one block, compared, searched, never changed.
 *
 * A set is one piece of memory: this header, the facts in the byte order of their names, the
 * elements of lists, then all text. So it is copied out, read by any thread and freed as one. */
#ifndef THI_BASE_FACTS_H
#define THI_BASE_FACTS_H

#include "runtime/base/reclaim.h"
#include "mailbox/alloc.h"
#include <thespis/capability.h>

struct th_facts {
    struct thi_parcel parcel; /* how a set that was replaced waits for its readers */
    struct th_facts *older;   /* the same where nobody else runs */
    struct thi_memory *memory;
    _Atomic uint32_t refs; /* 1 for being the current one, 1 for each hold */
    uint32_t count;
    size_t size; /* of the block */
    th_fact facts[];
};

/* A copy of somebody's needs, in one block too. */
struct thi_needs {
    struct thi_memory *memory;
    size_t size;
    th_need needs[]; /* ended by a NULL name */
};

/* Whether a set can be made of @facts (NULL: none) and of @others, with @others_size bytes of
 * values and text: TH_E_INVALID, TH_E_LIMIT. */
th_err thi_facts_check(const th_fact *facts, size_t others, size_t others_size);

/* @base [lend, NULL: the empty set] with @changes in their order: *@made_out [give], or NULL if
 * that is what @base holds already. TH_E_INVALID, TH_E_LIMIT, TH_E_NOMEM. */
th_err thi_facts_change(struct thi_memory *memory, const th_facts *base, const th_fact *changes,
                        th_facts **made_out);

/* One reader more; the caller knows that there is one. */
void thi_facts_hold(th_facts *facts);

/* Whether @needs (NULL: none) are well formed: TH_E_INVALID, TH_E_LIMIT. */
th_err thi_needs_check(const th_need *needs);

/* A copy of @needs (not NULL). TH_E_INVALID, TH_E_LIMIT, TH_E_NOMEM. */
th_err thi_needs_copy(struct thi_memory *memory, const th_need *needs, struct thi_needs **made_out);

/* [take]; NULL is nothing to do. */
void thi_needs_free(struct thi_needs *needs);

#endif
