/* capability.h: what a system can do, and what an actor asks of it.
 *
 * A system has capabilities: names with values, given at its creation and changed at any time, by
 * actors or from outside. A class, or a single spawn, may need some of them; it is then created
 * only where they are, and told to exit when they go:
 *
 *     static const th_need needs[] = { { "gpu" }, { "memory.gib", TH_NEED_AT_LEAST, TH_INTEGER(16)
 * }, { NULL } }; static const th_class solver = { .name = "solver", .receive = solve, .needs =
 * needs };
 *
 *     th_capability_set(self, "gpu", (th_value)TH_BOOL(true));
 *
 * Facts. A set of names with values (th_facts) is immutable: a change makes another set, and who
 * reads one reads it without a lock, whatever happens meanwhile. NULL is the empty set.
 *
 * Changes. A set whose content did not change is not a change. After one, every actor whose needs
 * are not met any more is told to exit, with TH_EXIT_CAPABILITY for its parent: the request waits
 * its turn like any other message, is judged by what holds when it is handled, and is seen by the
 * handler as th_exit_request. The one who made the change may be among them. What is created after
 * the change sees it.
 *
 * Names that begin with "thespis." are the system's own, and nobody may change them:
 *     thespis.version          string    of the library
 *     thespis.generation       list      its first two numbers
 *     thespis.system.name      string    th_options.name
 *     thespis.system.id        string    of this start, hexadecimal
 *     thespis.base             string    "pool" or "simple"
 *     thespis.workers          integer   worker threads; 0 on the simple base
 *     thespis.platform         string    the operating system, such as "linux"
 *     thespis.abi              string    what code must be built for, such as "x86_64-64-little"
 *
 * Thread rules: sets that you may read, any thread may; for the rest see actor.h. */
#ifndef THESPIS_CAPABILITY_H
#define THESPIS_CAPABILITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <thespis/alloc.h>
#include <thespis/error.h>

typedef enum th_value_kind {
    TH_VALUE_NONE, /* in a change: takes the name out */
    TH_VALUE_BOOL,
    TH_VALUE_INTEGER,
    TH_VALUE_REAL, /* not a NaN */
    TH_VALUE_STRING,
    TH_VALUE_LIST /* of values of any kind but NONE, nested at most TH_NESTING_MAX deep */
} th_value_kind;

typedef struct th_value th_value;
struct th_value {
    th_value_kind kind;
    uint32_t count; /* of a list */
    union {
        bool boolean;
        int64_t integer;
        double real;
        const char *string;
        const th_value *list;
    } as;
};

/* To initialize a th_value with; with (th_value) before it, a value to pass. */
#define TH_BOOL(b)                                                                                 \
    {                                                                                              \
        TH_VALUE_BOOL, 0,                                                                          \
        {                                                                                          \
            .boolean = (b)                                                                         \
        }                                                                                          \
    }
#define TH_INTEGER(n)                                                                              \
    {                                                                                              \
        TH_VALUE_INTEGER, 0,                                                                       \
        {                                                                                          \
            .integer = (n)                                                                         \
        }                                                                                          \
    }
#define TH_REAL(x)                                                                                 \
    {                                                                                              \
        TH_VALUE_REAL, 0,                                                                          \
        {                                                                                          \
            .real = (x)                                                                            \
        }                                                                                          \
    }
#define TH_STRING(s)                                                                               \
    {                                                                                              \
        TH_VALUE_STRING, 0,                                                                        \
        {                                                                                          \
            .string = (s)                                                                          \
        }                                                                                          \
    }
#define TH_LIST(values, n)                                                                         \
    {                                                                                              \
        TH_VALUE_LIST, (n),                                                                        \
        {                                                                                          \
            .list = (values)                                                                       \
        }                                                                                          \
    }

/** A name and its value. Arrays of them end with a NULL name. */
typedef struct th_fact {
    const char *name; /* 1 to TH_NAME_MAX bytes */
    th_value value;
} th_fact;

/** A set of facts, each name once. */
typedef struct th_facts th_facts;

/** How a capability has to be. Integers and reals are compared as numbers, strings byte by byte;
 * values of different kinds are never equal and have no order. */
typedef enum th_need_op {
    TH_NEED_TRUE,     /* there, and not false, 0, "" or an empty list */
    TH_NEED_PRESENT,  /* there, whatever it is */
    TH_NEED_EQUAL,    /* equal to the value */
    TH_NEED_AT_LEAST, /* a number or string not below the value */
    TH_NEED_AT_MOST,  /* a number or string not above the value */
    TH_NEED_CONTAINS  /* a list with an element equal to the value */
} th_need_op;

/** One requirement. Arrays of them end with a NULL name, and all have to be met. */
typedef struct th_need {
    const char *name;
    th_need_op op;
    th_value value; /* for the first two ignored */
} th_need;

struct th_spawn_options;

TH_BEGIN_C

/* ---- values ---- */

/** As TH_NEED_TRUE has it. NULL: false. */
TH_API bool th_value_is_true(const th_value *value);

/** As TH_NEED_EQUAL has it: 1 equals 1.0, but true does not equal 1. Lists by their elements. NULL
 * equals nothing. */
TH_API bool th_value_equal(const th_value *a, const th_value *b);

/** Writes it as JSON would, always terminated when @size > 0. Returns the length it has in full, as
 * snprintf(). */
TH_API size_t th_value_print(const th_value *value, char *text, size_t size);

/* ---- sets ---- */

/** The value of @name [lend, as long as the set], or NULL. */
TH_API const th_value *th_facts_get(const th_facts *facts, const char *name);

TH_API size_t th_facts_count(const th_facts *facts);

/** The @index-th in the byte order of their names [lend, as long as the set], or NULL. */
TH_API const th_fact *th_facts_at(const th_facts *facts, size_t index);

/** Whether @facts meet all @needs (NULL: none), and if not, the first that they do not in
 * *@missing_out (may be NULL). */
TH_API bool th_facts_meet(const th_facts *facts, const th_need *needs, const th_need **missing_out);

/* ---- of a system ---- */

/** The system's capabilities now [lend, until this handler returns or th_blocking_begin()]. NULL:
 * @self is an endpoint (see below), or inside a blocking call. Takes no lock. */
TH_API const th_facts *th_capabilities_now(const th_self *self);

/** The same for any handle and for as long as you like [give, to th_facts_release() before
 * th_system_destroy()]. NULL: no system that runs, or inside a blocking call. */
TH_API th_facts *th_capabilities_hold(th_self *self);

/** Ends a hold [take], from any thread. NULL is nothing to do. */
TH_API void th_facts_release(th_facts *facts);

/** Sets one; a value of kind TH_VALUE_NONE removes it. @name and @value are copied. TH_E_INVALID: a
 * malformed name or value. TH_E_NOT_ALLOWED: the name is the system's own. TH_E_LIMIT: TH_FACTS_MAX
 * or TH_FACTS_SIZE_MAX. TH_E_NOMEM. TH_E_STATE: inside a blocking call. TH_E_CLOSED. On an error
 * nothing has changed and nobody was told. */
TH_API TH_NODISCARD th_err th_capability_set(th_self *self, const char *name, th_value value);

/** Removes one; one that is not there is TH_OK. Errors as above. */
TH_API TH_NODISCARD th_err th_capability_remove(th_self *self, const char *name);

/** Several in one change, in their order; nobody sees a part of it. NULL: none. Errors as above. */
TH_API TH_NODISCARD th_err th_capabilities_change(th_self *self, const th_fact *changes);

/** Whether what @options describe could be created now: TH_OK, or TH_E_UNFIT with the name of what
 * is missing in *@missing_out (may be NULL): [lend, as the needs it is from], NULL when a class's
 * own function said no. Nothing is taken, and a global_name is not looked at. Other errors as
 * th_spawn_with(). */
TH_API TH_NODISCARD th_err th_fits(th_self *self, const struct th_spawn_options *options,
                                   const char **missing_out);

/** What the creator gave as th_spawn_options.requirements [lend, as long as the actor]; NULL:
 * nothing, or @self is an endpoint. */
TH_API const th_facts *th_self_requirements(const th_self *self);

TH_END_C
#endif
