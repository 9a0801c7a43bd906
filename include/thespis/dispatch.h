/* dispatch.h: one function for each message type, and classes that extend classes.
 *
 *     static const th_case animal_cases[] = { { &noise_type, make_noise }, { NULL, NULL } };
 *     static const th_case dog_cases[] = { { &bone_type, bury }, { NULL, NULL } };
 *     static const th_class animal = { .name = "animal", .cases = animal_cases, ... };
 *     static const th_class dog = { .name = "dog", .base = &animal, .cases = dog_cases, ... };
 *
 * A class with tables needs no receive of its own. Which row has a message is decided by its type
 * first and by the class second: of the message's type and its ancestors the most specific, and for
 * each of those the class itself, then its base, then that one's. So a base's row for exactly this
 * type comes before a derived class's row for the type's parent.
 *
 * A handler that returns TH_SUPER has the search go on behind itself. When no row (any more) wants
 * the message, it goes to the handlers of the unrecognised: of the class, then of its bases. When
 * nobody wants it at all, it is ignored, and that is no failure. */
#ifndef THESPIS_DISPATCH_H
#define THESPIS_DISPATCH_H

#include <thespis/actor.h>

/** What a handler returns to pass the message on: to the same type's row in the next base, then to
 * the next ancestor of the type, at last to the handlers of the unrecognised. From anywhere but a
 * table or a behaviour it is a failure like any other. */
#define TH_SUPER TH_E_SUPER

/** One row of a table; a row with a NULL type ends it, and its handler (if any) is that of the
 * unrecognised. A row with a type and no handler: such messages are ignored. Of two rows with one
 * type the first counts. */
struct th_case {
    const th_type *type;
    th_err (*handle)(th_self *self, void *state, const th_msg *msg);
};

TH_BEGIN_C

/** Calls the handler that one table, @cases, has for @msg, as above. For use in a receive. Nobody
 * wants it: TH_OK. */
TH_API th_err th_dispatch(th_self *self, void *state, const th_msg *msg, const th_case *cases);

/** Calls the handler that @klass and its bases have for @msg in their tables. A base that has a
 * receive takes with it what the tables leave; the receive of @klass itself is not called, so it
 * may end in this. @state is of @klass, or starts with it. */
TH_API th_err th_dispatch_class(th_self *self, const th_class *klass, void *state,
                                const th_msg *msg);

TH_END_C
#endif
