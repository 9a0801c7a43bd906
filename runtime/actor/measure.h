/* runtime/actor/measure.h: what is known of a class and of an actor, from samples and from counts.
 *
 * A sample (sample.h) is of one wait, or of one delivery. It counts for its worker, whose figures
 * are the system's; for the class of the actor; and for the actor, if somebody wants that to be
 * measured (th_actor_measure()). So the classes' samples add up to the system's, and one word means
 * the same everywhere.
 *
 * M1. The figures of a class are made at its first sample and stay until the system's end. They are
 *     found by its name, which is copied: the class itself may be gone by then. Several workers
 *     write them, each some thousand times a second at most, so by shared adds.
 * M2. An actor's are its owner's, in its extra. They come by a message, thi_measure, and go by the
 *     next, which takes them away; whoever wants to read them asks the actor. As long as it has
 *     some, its deliveries go through detour.c, and all of them are counted. */
#ifndef THI_ACTOR_MEASURE_H
#define THI_ACTOR_MEASURE_H

#include "runtime/actor/cell.h"
#include <thespis/config.h>
#include <thespis/status.h>

/* Twice as many as there may be, so that a search ends soon. A power of two. */
enum { THI_MEASURE_SLOTS = 2 * TH_MEASURED_CLASSES_MAX };

/* One class. */
struct thi_class_measure {
    struct thi_samples samples;
    size_t size; /* of all of it, bytes */
    char name[];
};

/* All of a stage. */
struct thi_measures {
    pthread_mutex_t lock; /* who adds a class */
    _Atomic uint32_t count;
    _Atomic uint64_t missed; /* samples without a class: past the limit, or no memory */
    struct thi_class_measure *_Atomic slots[THI_MEASURE_SLOTS]; /* by the hash of the name */
};

/* One actor. */
struct thi_actor_measure {
    struct thi_memory *memory;
    uint64_t deliveries, failed;
    const th_type *last; /* of the last delivery; NULL: there was none */
    struct thi_samples samples;
};

void thi_measures_init(struct thi_measures *measures);
/* When nobody measures any more. */
void thi_measures_fini(struct thi_stage *stage);

/* What a histogram comes to. */
th_times thi_times_of(const struct thi_histogram *histogram);

/* A message has waited for @cell, one was handled by it; @cycles. In its turn, on @worker. */
void thi_measure_waited(struct thi_worker *worker, struct thi_cell *cell, uint64_t cycles);
void thi_measure_handled(struct thi_worker *worker, struct thi_cell *cell, uint64_t cycles);

/* The figures of the class of that name; NULL: it has none. From any thread. */
const struct thi_samples *thi_measures_find(struct thi_stage *stage, const char *name);

/* Calls @each for every class that has some. */
void thi_measures_each(struct thi_stage *stage,
                       void (*each)(void *context, const char *name,
                                    const struct thi_samples *samples),
                       void *context);

/* ---- one actor ---- */

static inline bool thi_measure_is_wanted(const struct thi_cell *cell)
{
    return cell->extra && cell->extra->measure;
}

/* To an actor: here are your figures [take], or NULL: give back those you have. The message takes
 * along what is not wanted any more. */
struct thi_measure {
    struct thi_actor_measure *figures;
};
TH_MESSAGE_LOCAL(thi_measure);

/* [give] NULL: no memory. */
struct thi_actor_measure *thi_actor_measure_make(struct thi_memory *memory);

/* @msg, a thi_measure, has arrived. Without memory for the actor's extra nothing is measured. */
void thi_measure_arrived(th_self *self, struct thi_cell *cell, th_msg *msg);

/* One delivery of @type to an actor that is measured ended in @err. */
void thi_measure_count(struct thi_cell *cell, const th_type *type, th_err err);

/* At the actor's end. */
void thi_actor_measure_free(struct thi_actor_measure *figures);

#endif
