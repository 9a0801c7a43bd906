/* runtime/actor/dispatch.h: what a class does, found in itself and its bases. */
#ifndef THI_ACTOR_DISPATCH_H
#define THI_ACTOR_DISPATCH_H

#include "runtime/base/trace.h"
#include <thespis/dispatch.h>

typedef th_err (*thi_init)(th_self *self, void *state, const th_msg *arg);
typedef void (*thi_exit)(th_self *self, void *state);
typedef th_msg *(*thi_figures)(th_self *self, const void *state);

/* Whether its bases are few enough and their states fit: TH_OK or TH_E_INVALID. */
th_err thi_class_check(const th_class *klass);

/* The init and exit of @klass, its own or inherited; NULL: none. @klass was checked. */
static inline thi_init thi_class_init(const th_class *klass)
{
    while (!klass->init && klass->base)
        klass = klass->base;
    return klass->init;
}

static inline thi_exit thi_class_exit(const th_class *klass)
{
    while (!klass->exit && klass->base)
        klass = klass->base;
    return klass->exit;
}

/* Its time limits; 0: none. */
static inline uint64_t thi_class_age(const th_class *klass)
{
    while (!klass->age_ns_max && klass->base)
        klass = klass->base;
    return klass->age_ns_max;
}

static inline uint64_t thi_class_idle(const th_class *klass)
{
    while (!klass->idle_ns_max && klass->base)
        klass = klass->base;
    return klass->idle_ns_max;
}

/* What an actor of @klass waits for first; NULL: nothing. */
static inline const th_initial *thi_class_initial(const th_class *klass)
{
    while (!klass->initial && klass->base)
        klass = klass->base;
    return klass->initial;
}

/* What its actors say of themselves in the status; NULL: nothing. */
static inline thi_figures thi_class_figures(const th_class *klass)
{
    while (!klass->status && klass->base)
        klass = klass->base;
    return klass->status;
}

/* What one table says of @msg; TH_SUPER: nothing, or to go on elsewhere. */
th_err thi_cases_search(th_self *self, void *state, const th_msg *msg, const th_case *cases);

/* A message to an actor whose class has no receive of its own. */
th_err thi_class_dispatch(th_self *self, const th_class *klass, void *state, const th_msg *msg);

/* A message to an actor of @klass. */
static inline th_err thi_class_receive(th_self *self, const th_class *klass, void *state,
                                       const th_msg *msg)
{
    return TH_LIKELY(klass->receive != NULL) ? klass->receive(self, state, msg)
                                             : thi_class_dispatch(self, klass, state, msg);
}

/* The same as a delivery, for who watches. Inline by order: the points look large to gcc. */
static inline th_err thi_class_handle(th_self *self, const th_class *klass, void *state,
                                      const th_msg *msg)
{
    th_err err;

    thi_point_handle_begin(self, msg, klass);
    err = thi_class_receive(self, klass, state, msg);
    thi_point_handle_end(self, msg, (int)err);
    return err;
}

#endif
