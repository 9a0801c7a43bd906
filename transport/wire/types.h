/* types.h: which type has which number in a session, and whether both sides mean the same by it.
 *
 * Each direction numbers its types by itself: 1, 2, 3 ... in the order of their first use. A TYPE
 * frame announces each before that use, with name and shape (shape.h). TYPE frames are numbered, so
 * what was announced holds for the session, over every connection; a new session begins anew.
 *
 * What the peer announces is compared at once with the type of that name here. If there is none, or
 * its shape is another, messages of it cannot be read, and the words say why; a type that the
 * program registers later is found later.
 *
 * T1. A number is used on the wire only after its TYPE frame: the link writes what
 *     thi_types_news() has before the message that brought it up.
 * T2. What the peer can make us keep is bounded: TH_WIRE_TYPES_MAX types, and
 *     TH_WIRE_TYPES_BYTES_MAX of texts of those that are not known here. */
#ifndef TRANSPORT_WIRE_TYPES_H
#define TRANSPORT_WIRE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <thespis/error.h>
#include <thespis/type.h>

#include "transport/wire/fault.h"
#include "transport/wire/frame.h"

struct thi_memory;

/* A type that we use. */
struct thi_type_out {
    const th_type *type;
    char *shape; /* until it is announced */
    size_t shape_size;
};

/* A type that the peer uses. */
struct thi_type_in {
    const th_type *type; /* NULL: not known here as it is there, which is */
    char *name;          /*   so called, with a NUL, */
    char *shape;         /*   and of this shape, with a NUL */
};

struct thi_types {
    struct thi_memory *memory;
    const th_type *(*find)(void *host, const char *name);
    void *host;

    struct thi_type_out *out; /* number - 1 */
    uint32_t out_count;
    uint32_t out_room;
    uint32_t announced; /* of out, the first so many */
    uint32_t *slots;    /* a hash table by the type's address: numbers, 0 for none; 2 * out_room */

    struct thi_type_in *in; /* number - 1 */
    uint32_t in_count;
    uint32_t in_room;
    size_t in_bytes; /* of the texts of the unknown */
};

/** @memory [keep]. @find: the type of that name here, or NULL; called with @host. Takes nothing
 * yet. */
void thi_types_init(struct thi_types *types, struct thi_memory *memory,
                    const th_type *(*find)(void *host, const char *name), void *host);
void thi_types_fini(struct thi_types *types);
/** A new session: nothing was announced by anybody. */
void thi_types_reset(struct thi_types *types);

/* ---- ours ---- */

/** The number of @type [keep] here, given to it now if it had none.
 *  TH_E_NOT_ALLOWED: it is local. TH_E_INVALID: its table is broken, or a name in it is no plain
 *  text. TH_E_TOO_BIG: its shape is. TH_E_LIMIT: a type too many. TH_E_NOMEM. @fault has words for
 *  each. */
TH_NODISCARD th_err thi_types_number(struct thi_types *types, const th_type *type,
                                     uint32_t *number_out, struct thi_fault *fault);

/** The first of ours that is not announced, as a TYPE frame without its number [lend until
 * thi_types_told()]. False: all are. */
bool thi_types_news(const struct thi_types *types, struct thi_frame_type *frame_out);
/** That one's frame was written. */
void thi_types_told(struct thi_types *types);

/* ---- the peer's ---- */

/** Takes in what a TYPE frame says [lend].
 *  TH_E_INVALID: a number out of its turn. TH_E_LIMIT: more than T2 allows. Both end the
 *  connection, with the words in @fault. TH_E_NOMEM. A type that is not known here is none of
 *  these. */
TH_NODISCARD th_err thi_types_learn(struct thi_types *types, const struct thi_frame_type *said,
                                    struct thi_fault *fault);

/** The type that the peer calls @number. NULL: never announced, not known here, or of another
 * shape; @fault says which, with both shapes. */
const th_type *thi_types_find(struct thi_types *types, uint32_t number, struct thi_fault *fault);

#endif
