/* runtime/actor/dispatch.c: one function for each message type.
 *
 * The search is two loops, types outside and classes inside, over tables that are read from their
 * beginning: no hash, no cache. A row costs a nanosecond or two, so a table of ten costs about what
 * a message does. A cache would have to be keyed by the addresses of classes and types, and those
 * are used again when a program frees a class or loads its code anew: a handler called that is no
 * longer there is too high a price.
 */
#include "runtime/actor/dispatch.h"

#include <thespis/config.h>

/* The row of @cases for exactly @type; without one the last, whose type is NULL. */
static const th_case *row_for(const th_case *cases, const th_type *type)
{
    while (cases->type && cases->type != type)
        cases++;
    return cases;
}

static th_err call(const th_case *row, th_self *self, void *state, const th_msg *msg)
{
    return row->handle ? row->handle(self, state, msg) : TH_OK;
}

/* What the rows say for @type, class by class. TH_SUPER: nothing, or to go on. */
static th_err ask_classes(th_self *self, const th_class *klass, void *state, const th_msg *msg,
                          const th_type *type)
{
    th_err err = TH_SUPER;

    for (; klass && err == TH_SUPER; klass = klass->base) {
        const th_case *row = klass->cases ? row_for(klass->cases, type) : NULL;

        if (row && row->type)
            err = call(row, self, state, msg);
    }
    return err;
}

/* What the handlers of the unrecognised say, class by class; a base's receive is one too. */
static th_err ask_rest(th_self *self, const th_class *klass, void *state, const th_msg *msg)
{
    const th_class *first = klass;
    th_err err = TH_SUPER;

    for (; klass && err == TH_SUPER; klass = klass->base) {
        const th_case *rest = klass->cases ? row_for(klass->cases, NULL) : NULL;

        if (rest && rest->handle)
            err = rest->handle(self, state, msg);
        if (err == TH_SUPER && klass != first && klass->receive)
            err = klass->receive(self, state, msg);
    }
    return err;
}

/* How far up a type's family tree we look: one made by hand may be a circle. */
static bool is_within(int generation)
{
    return generation <= TH_NESTING_MAX;
}

th_err thi_cases_search(th_self *self, void *state, const th_msg *msg, const th_case *cases)
{
    const th_type *type = msg->thi_type;
    const th_case *row;
    th_err err;

    for (int generation = 0; type && is_within(generation); type = type->parent, generation++) {
        row = row_for(cases, type);
        err = row->type ? call(row, self, state, msg) : TH_SUPER;
        if (err != TH_SUPER)
            return err;
    }
    row = row_for(cases, NULL);
    return row->handle ? row->handle(self, state, msg) : TH_SUPER;
}

th_err thi_class_dispatch(th_self *self, const th_class *klass, void *state, const th_msg *msg)
{
    const th_type *type = msg->thi_type;
    th_err err;

    if (!klass->cases && !klass->base)
        return TH_OK;
    for (int generation = 0; type && is_within(generation); type = type->parent, generation++) {
        err = ask_classes(self, klass, state, msg, type);
        if (err != TH_SUPER)
            return err;
    }
    err = ask_rest(self, klass, state, msg);
    return err == TH_SUPER ? TH_OK : err;
}

th_err thi_class_check(const th_class *klass)
{
    const th_class *base = klass->base;

    for (int bases = 0; base; base = base->base)
        if (++bases > TH_CLASS_BASES_MAX || base->state_size > klass->state_size)
            return TH_E_INVALID;
    return TH_OK;
}

/* ---- the front door ---- */

th_err th_dispatch(th_self *self, void *state, const th_msg *msg, const th_case *cases)
{
    th_err err;

    if (!self || !msg || !cases)
        return TH_E_INVALID;
    err = thi_cases_search(self, state, msg, cases);
    return err == TH_SUPER ? TH_OK : err;
}

th_err th_dispatch_class(th_self *self, const th_class *klass, void *state, const th_msg *msg)
{
    if (!self || !klass || !msg)
        return TH_E_INVALID;
    return thi_class_check(klass) ? TH_E_INVALID : thi_class_dispatch(self, klass, state, msg);
}
