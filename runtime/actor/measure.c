#include "runtime/actor/measure.h"

#include <string.h>

#include "runtime/actor/stage.h"

/* ---- classes ---- */

void thi_measures_init(struct thi_measures *measures)
{
    pthread_mutex_init(&measures->lock, NULL);
}

void thi_measures_fini(struct thi_stage *stage)
{
    struct thi_measures *measures = &stage->measures;

    for (unsigned i = 0; i < THI_MEASURE_SLOTS; i++) {
        /* relaxed: no other thread is left */
        struct thi_class_measure *one =
            atomic_load_explicit(&measures->slots[i], memory_order_relaxed);

        if (one)
            thi_memory_give(&stage->memory, one, one->size);
        atomic_store_explicit(&measures->slots[i], NULL, memory_order_relaxed);
    }
    pthread_mutex_destroy(&measures->lock);
}

/* FNV-1a */
static unsigned hash(const char *name)
{
    uint64_t sum = UINT64_C(0xcbf29ce484222325);

    for (; *name; name++)
        sum = (sum ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return (unsigned)(sum >> 32);
}

/* Where the class of that name is, or would be. The table is never full, so a search ends. */
static struct thi_class_measure *_Atomic *place_of(struct thi_measures *measures, const char *name)
{
    unsigned at = hash(name);

    for (;; at++) {
        struct thi_class_measure *_Atomic *place = &measures->slots[at % THI_MEASURE_SLOTS];
        /* acquire: its name; pairs with the release in add() */
        struct thi_class_measure *one = atomic_load_explicit(place, memory_order_acquire);

        if (!one || strcmp(one->name, name) == 0)
            return place;
    }
}

static struct thi_class_measure *find(struct thi_measures *measures, const char *name)
{
    /* acquire: as in place_of() */
    return atomic_load_explicit(place_of(measures, name), memory_order_acquire);
}

/* NULL: there is no room, or no memory. */
static struct thi_class_measure *add(struct thi_stage *stage, const char *name)
{
    struct thi_measures *measures = &stage->measures;
    size_t length = strlen(name) + 1, size = sizeof(struct thi_class_measure) + length;
    struct thi_class_measure *one;

    pthread_mutex_lock(&measures->lock);
    one = find(measures, name);
    /* relaxed: written under the lock */
    if (!one &&
        atomic_load_explicit(&measures->count, memory_order_relaxed) < TH_MEASURED_CLASSES_MAX) {
        one = thi_memory_take(&stage->memory, size);
        if (one) {
            one->size = size;
            memcpy(one->name, name, length);
            /* release: pairs with the acquire in place_of() */
            atomic_store_explicit(place_of(measures, name), one, memory_order_release);
            atomic_fetch_add_explicit(&measures->count, 1, memory_order_relaxed);
        }
    }
    pthread_mutex_unlock(&measures->lock);
    return one;
}

/* The class whose sample this is, or NULL. */
static struct thi_class_measure *class_of(struct thi_stage *stage, const struct thi_cell *cell)
{
    const char *name = cell->klass->name ? cell->klass->name : "";
    struct thi_class_measure *one = find(&stage->measures, name);

    if (!one)
        one = add(stage, name);
    if (!one) /* relaxed: a figure */
        atomic_fetch_add_explicit(&stage->measures.missed, 1, memory_order_relaxed);
    return one;
}

void thi_measure_waited(struct thi_worker *worker, struct thi_cell *cell, uint64_t cycles)
{
    uint64_t ns = thi_cycles_to_ns(&worker->pool->rate, cycles);
    struct thi_class_measure *one = class_of(worker->stage, cell);

    thi_histogram_add(&worker->samples->waiting, ns);
    if (one)
        thi_histogram_add_shared(&one->samples.waiting, ns);
    if (thi_measure_is_wanted(cell))
        thi_histogram_add(&cell->extra->measure->samples.waiting, ns);
}

void thi_measure_handled(struct thi_worker *worker, struct thi_cell *cell, uint64_t cycles)
{
    uint64_t ns = thi_cycles_to_ns(&worker->pool->rate, cycles);
    struct thi_class_measure *one = class_of(worker->stage, cell);

    thi_histogram_add(&worker->samples->handling, ns);
    if (one)
        thi_histogram_add_shared(&one->samples.handling, ns);
    if (thi_measure_is_wanted(cell))
        thi_histogram_add(&cell->extra->measure->samples.handling, ns);
}

/* ---- figures ---- */

th_times thi_times_of(const struct thi_histogram *histogram)
{
    return (th_times){
        .samples = thi_histogram_count(histogram),
        .p50_ns = thi_histogram_percentile(histogram, 500),
        .p90_ns = thi_histogram_percentile(histogram, 900),
        .p99_ns = thi_histogram_percentile(histogram, 990),
        .p999_ns = thi_histogram_percentile(histogram, 999),
        .max_ns = thi_histogram_percentile(histogram, 1000),
    };
}

const struct thi_samples *thi_measures_find(struct thi_stage *stage, const char *name)
{
    struct thi_class_measure *one = find(&stage->measures, name ? name : "");

    return one ? &one->samples : NULL;
}

void thi_measures_each(struct thi_stage *stage,
                       void (*each)(void *context, const char *name,
                                    const struct thi_samples *samples),
                       void *context)
{
    for (unsigned i = 0; i < THI_MEASURE_SLOTS; i++) {
        /* acquire: as in place_of() */
        const struct thi_class_measure *one =
            atomic_load_explicit(&stage->measures.slots[i], memory_order_acquire);

        if (one)
            each(context, one->name, &one->samples);
    }
}

/* ---- one actor ---- */

static void free_figures(void *body)
{
    thi_actor_measure_free(((struct thi_measure *)body)->figures);
}

const th_type thi_measure_type = { .name = "thi_measure",
                                   .size = (uint32_t)sizeof(struct thi_measure),
                                   .flags = TH_TYPE_SYSTEM | TH_TYPE_OVERTAKES | TH_TYPE_LOCAL |
                                            TH_TYPE_OWNS,
                                   .fini = free_figures };

struct thi_actor_measure *thi_actor_measure_make(struct thi_memory *memory)
{
    struct thi_actor_measure *figures = thi_memory_take(memory, sizeof(*figures));

    if (figures)
        figures->memory = memory;
    return figures;
}

void thi_actor_measure_free(struct thi_actor_measure *figures)
{
    if (figures)
        thi_memory_give(figures->memory, figures, sizeof(*figures));
}

void thi_measure_arrived(th_self *self, struct thi_cell *cell, th_msg *msg)
{
    struct thi_measure *body = th_msg_body(msg);
    struct thi_actor_measure *before;

    if (thi_measure_is_wanted(cell) == (body->figures != NULL))
        return; /* it has some already, or none */
    if (!thi_cell_extra(self->worker->stage, cell))
        return;
    before = cell->extra->measure;
    cell->extra->measure = body->figures;
    body->figures = before; /* goes with the message */
    if (cell->extra->measure)
        thi_cell_raise(cell, THI_CELL_DETOUR); /* when it is over, the next delivery finds out */
}

void thi_measure_count(struct thi_cell *cell, const th_type *type, th_err err)
{
    struct thi_actor_measure *figures = cell->extra->measure;

    figures->deliveries++;
    figures->failed += err != TH_OK;
    figures->last = type;
}
