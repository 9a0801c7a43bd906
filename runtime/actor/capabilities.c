/* runtime/actor/capabilities.c: what the system can do, and who needs it. */
#include "runtime/actor/capabilities.h"

#include <string.h>

#include "runtime/actor/classes.h"
#include "runtime/actor/deputy.h"
#include "runtime/actor/mail.h"
#include "runtime/actor/send.h"
#include "runtime/actor/stage.h"
#include "mailbox/msg.h"

static th_facts *current_of(struct thi_stage *stage)
{
    /* acquire: the facts; pairs with the release in publish() */
    return atomic_load_explicit(&stage->capabilities.current, memory_order_acquire);
}

/* ---- who fits ---- */

/* *@missing_out: the need that is not met; NULL: a function said no. */
static bool fits(const struct thi_fitting *fitting, const th_facts *facts,
                 const th_need **missing_out)
{
    *missing_out = NULL;
    if (fitting->needs && !th_facts_meet(facts, fitting->needs->needs, missing_out))
        return false;
    for (const th_class *klass = fitting->klass; klass; klass = klass->base)
        if (!th_facts_meet(facts, klass->needs, missing_out))
            return false;
    for (const th_class *klass = fitting->klass; klass; klass = klass->base)
        if (klass->fits && !klass->fits(facts, fitting->requirements))
            return false;
    return true;
}

static th_err check_class(const th_class *klass, bool *is_choosy)
{
    th_err err = TH_OK;

    for (; klass && !err; klass = klass->base) {
        *is_choosy = *is_choosy || klass->needs || klass->fits;
        err = thi_needs_check(klass->needs);
    }
    return err;
}

th_err thi_fitting_make(struct thi_stage *stage, const th_class *klass,
                        const th_spawn_options *options, struct thi_fitting **made_out)
{
    struct thi_memory *memory = &stage->memory;
    struct thi_fitting *made;
    bool is_choosy = options->needs != NULL;
    th_err err = check_class(klass, &is_choosy);

    *made_out = NULL;
    if (!err)
        err = thi_facts_check(options->requirements, 0, 0);
    if (err || (!is_choosy && !options->requirements))
        return err;
    made = thi_memory_take(memory, sizeof(*made));
    if (!made)
        return TH_E_NOMEM;
    *made = (struct thi_fitting){ .klass = klass, .memory = memory, .is_choosy = is_choosy };
    if (options->needs)
        err = thi_needs_copy(memory, options->needs, &made->needs);
    if (!err)
        err = thi_facts_change(memory, NULL, options->requirements, &made->requirements);
    if (err) {
        thi_fitting_free(made);
        return err;
    }
    *made_out = made;
    return TH_OK;
}

void thi_fitting_free(struct thi_fitting *fitting)
{
    if (!fitting)
        return;
    thi_needs_free(fitting->needs);
    th_facts_release(fitting->requirements);
    thi_memory_give(fitting->memory, fitting, sizeof(*fitting));
}

/* Under the lock. */
static void count(struct thi_capabilities *capabilities, uint32_t difference)
{
    /* relaxed, both: written under the lock, shown by status */
    uint32_t was = atomic_load_explicit(&capabilities->choosy_count, memory_order_relaxed);

    atomic_store_explicit(&capabilities->choosy_count, was + difference, memory_order_relaxed);
}

static void list(struct thi_capabilities *capabilities, struct thi_fitting *fitting, th_addr addr)
{
    fitting->addr = addr;
    fitting->is_listed = true;
    fitting->prev = NULL;
    fitting->next = capabilities->choosy;
    if (fitting->next)
        fitting->next->prev = fitting;
    capabilities->choosy = fitting;
    count(capabilities, 1);
}

th_err thi_fitting_join(struct thi_stage *stage, struct thi_fitting *fitting, th_addr addr)
{
    struct thi_capabilities *capabilities = &stage->capabilities;
    const th_need *missing;
    th_facts *seen;

    if (!fitting->is_choosy)
        return TH_OK;
    do {
        seen = current_of(stage); /* judged without the lock: it runs the user's code */
        if (!fits(fitting, seen, &missing))
            return TH_E_UNFIT;
        pthread_mutex_lock(&capabilities->lock);
        if (current_of(stage) == seen) /* K2; it cannot be another at the same place: K1 */
            list(capabilities, fitting, addr);
        pthread_mutex_unlock(&capabilities->lock);
    } while (!fitting->is_listed);
    return TH_OK;
}

void thi_fitting_leave(struct thi_stage *stage, struct thi_fitting *fitting)
{
    struct thi_capabilities *capabilities = &stage->capabilities;

    if (!fitting || !fitting->is_listed)
        return;
    pthread_mutex_lock(&capabilities->lock);
    if (fitting->prev)
        fitting->prev->next = fitting->next;
    else
        capabilities->choosy = fitting->next;
    if (fitting->next)
        fitting->next->prev = fitting->prev;
    fitting->is_listed = false;
    count(capabilities, (uint32_t)-1);
    pthread_mutex_unlock(&capabilities->lock);
}

bool thi_fitting_holds(struct thi_stage *stage, const struct thi_cell *cell)
{
    const th_need *missing;

    return !cell->extra || !cell->extra->fitting ||
           fits(cell->extra->fitting, current_of(stage), &missing);
}

/* ---- a change ---- */

/* Whether a change to @facts may concern it: sure when only needs decide, and a function decides in
 * the actor's turn, not under the lock. */
static bool is_concerned(const struct thi_fitting *fitting, const th_facts *facts)
{
    if (fitting->needs && !th_facts_meet(facts, fitting->needs->needs, NULL))
        return true;
    for (const th_class *klass = fitting->klass; klass; klass = klass->base)
        if (klass->fits || !th_facts_meet(facts, klass->needs, NULL))
            return true;
    return false;
}

static th_msg *make_recheck(th_self *self)
{
    th_msg *msg;

    thi_voice_enter(&self->voice);
    msg = thi_msg_create(self->voice.heap, &thi_recheck_type, 0);
    thi_voice_leave(&self->voice);
    return msg;
}

static void drop(th_self *self, th_msg *chain)
{
    while (chain) {
        th_msg *next = chain->thi_next;

        th_msg_destroy(self, chain);
        chain = next;
    }
}

/* A message for each that @facts concern, linked, in the list's order. */
static th_err make_rechecks(th_self *self, const struct thi_fitting *first, const th_facts *facts,
                            th_msg **chain_out)
{
    th_msg **last = chain_out;

    *last = NULL;
    for (; first; first = first->next) {
        if (!is_concerned(first, facts))
            continue;
        *last = make_recheck(self);
        if (!*last) {
            drop(self, *chain_out);
            return TH_E_NOMEM;
        }
        (*last)->thi_to = first->addr;
        (*last)->thi_next = NULL;
        last = &(*last)->thi_next;
    }
    return TH_OK;
}

static void release_replaced(struct thi_capabilities *capabilities)
{
    while (capabilities->replaced) {
        th_facts *old = capabilities->replaced;

        capabilities->replaced = old->older;
        th_facts_release(old);
    }
}

/* Simple base: who reads it does so in the turn that runs, so it is kept into the next one. */
static void replace_simple(struct thi_stage *stage, th_facts *old)
{
    struct thi_capabilities *capabilities = &stage->capabilities;

    if (capabilities->replaced_step != stage->step.steps)
        release_replaced(capabilities);
    old->older = capabilities->replaced;
    capabilities->replaced = old;
    capabilities->replaced_step = stage->step.steps;
}

/* From here on everybody reads @made; @carrier takes what was current through its grace period. */
static void publish(th_self *self, th_facts *made, struct thi_cell *carrier)
{
    struct thi_stage *stage = thi_stage_of(self);
    th_facts *old = current_of(stage);

    /* release: the facts; pairs with the acquire in current_of() */
    atomic_store_explicit(&stage->capabilities.current, made, memory_order_release);
    if (stage->base == TH_BASE_SIMPLE) {
        replace_simple(stage, old);
        return;
    }
    thi_cell_carry(carrier, &old->parcel);
    thi_cell_retire(self, carrier);
}

static void tell(th_self *self, th_msg *chain)
{
    th_addr admin = thi_stage_of(self)->admin;

    while (chain) {
        th_msg *next = chain->thi_next;

        thi_post_to(self, admin, chain->thi_to, chain);
        chain = next;
    }
}

/* In a read section, under the lock. */
static th_err change(th_self *self, const th_fact *changes)
{
    struct thi_stage *stage = thi_stage_of(self);
    struct thi_cell *carrier = NULL;
    th_msg *rechecks;
    th_facts *made;
    th_err err = thi_facts_change(&stage->memory, current_of(stage), changes, &made);

    if (err || !made)
        return err;
    err = make_rechecks(self, stage->capabilities.choosy, made, &rechecks);
    if (!err && stage->base == TH_BASE_POOL) {
        carrier = thi_cell_take(self, THI_CELL_PARCEL, &err);
        if (!carrier)
            drop(self, rechecks);
    }
    if (err) {
        th_facts_release(made);
        return err;
    }
    publish(self, made, carrier);
    tell(self, rechecks);
    return TH_OK;
}

/* ---- the first and the last ---- */

static bool is_own_name(const char *name)
{
    return strncmp(name, "thespis.", strlen("thespis.")) == 0;
}

th_err thi_capabilities_check(const th_fact *facts)
{
    enum { STANDARD = 16, STANDARD_SIZE = 2048 }; /* room for the system's own */
    th_err err = thi_facts_check(facts, STANDARD, STANDARD_SIZE);

    for (; facts && facts->name && !err; facts++)
        if (is_own_name(facts->name))
            err = TH_E_NOT_ALLOWED;
    return err;
}

th_err thi_capabilities_init(struct thi_stage *stage, const th_fact *standard, const th_fact *facts)
{
    struct thi_capabilities *capabilities = &stage->capabilities;
    th_facts *first = NULL, *both = NULL;
    th_err err = thi_facts_change(&stage->memory, NULL, standard, &first);

    if (!err)
        err = thi_facts_change(&stage->memory, first, facts, &both);
    if (both || err) {
        th_facts_release(first);
        first = both;
    }
    if (err)
        return err;
    pthread_mutex_init(&capabilities->lock, NULL);
    /* relaxed: nobody else is there yet */
    atomic_store_explicit(&capabilities->current, first, memory_order_relaxed);
    return TH_OK;
}

void thi_capabilities_fini(struct thi_stage *stage)
{
    struct thi_capabilities *capabilities = &stage->capabilities;

    /* relaxed: no other thread is left */
    th_facts_release(atomic_load_explicit(&capabilities->current, memory_order_relaxed));
    release_replaced(capabilities);
    pthread_mutex_destroy(&capabilities->lock);
}

uint32_t thi_capabilities_count(struct thi_stage *stage)
{
    uint32_t found;

    thi_stage_enter(stage);
    found = (uint32_t)th_facts_count(current_of(stage));
    thi_stage_leave(stage);
    return found;
}

/* ---- the front door ---- */

/* TH_OK: @self may change it. */
static th_err check(th_self *self)
{
    if (!self)
        return TH_E_INVALID;
    if (self->worker)
        return self->worker->is_blocking ? TH_E_STATE : TH_OK;
    return thi_outsider_check(self);
}

static th_err change_checked(th_self *self, const th_fact *changes)
{
    struct thi_stage *stage = thi_stage_of(self);
    th_err err;

    thi_stage_enter(stage);
    pthread_mutex_lock(&stage->capabilities.lock);
    err = change(self, changes);
    pthread_mutex_unlock(&stage->capabilities.lock);
    thi_stage_leave(stage);
    return err;
}

th_err th_capabilities_change(th_self *self, const th_fact *changes)
{
    th_err err = check(self);

    for (const th_fact *one = changes; one && one->name && !err; one++)
        if (is_own_name(one->name))
            err = TH_E_NOT_ALLOWED;
    return err || !changes ? err : change_checked(self, changes);
}

th_err th_capability_set(th_self *self, const char *name, th_value value)
{
    const th_fact changes[] = { { name, value }, { NULL, { TH_VALUE_NONE, 0, { 0 } } } };

    return name ? th_capabilities_change(self, changes) : TH_E_INVALID;
}

th_err th_capability_remove(th_self *self, const char *name)
{
    return th_capability_set(self, name, (th_value){ .kind = TH_VALUE_NONE });
}

const th_facts *th_capabilities_now(const th_self *self)
{
    return self && self->worker && !self->worker->is_blocking ? current_of(thi_stage_of(self))
                                                              : NULL;
}

th_facts *th_capabilities_hold(th_self *self)
{
    struct thi_stage *stage;
    th_facts *facts;

    if (check(self))
        return NULL;
    stage = thi_stage_of(self);
    thi_stage_enter(stage);
    facts = current_of(stage);
    thi_facts_hold(facts); /* K1: while we are in here nobody lets go of the last */
    thi_stage_leave(stage);
    return facts;
}

const th_facts *th_self_requirements(const th_self *self)
{
    const struct thi_cell *cell = self && self->worker ? thi_cell_of_self(self) : NULL;

    return cell && cell->extra && cell->extra->fitting ? cell->extra->fitting->requirements : NULL;
}

/* Where the need is that has the name @missing, in what the caller knows: copies are gone by then.
 */
static const char *name_of(const th_need *missing, const struct thi_fitting *fitting,
                           const th_need *needs)
{
    size_t at;

    if (!missing)
        return NULL;
    if (!fitting->needs)
        return missing->name;
    at = (size_t)((uintptr_t)missing - (uintptr_t)fitting->needs->needs);
    return at < fitting->needs->size ? needs[at / sizeof(*needs)].name : missing->name;
}

th_err th_fits(th_self *self, const th_spawn_options *options, const char **missing_out)
{
    struct thi_fitting *fitting = NULL;
    const th_need *missing = NULL;
    const th_class *klass;
    struct thi_stage *stage;
    th_err err = check(self);

    if (missing_out)
        *missing_out = NULL;
    if (!err && !options)
        err = TH_E_INVALID;
    if (err)
        return err;
    stage = thi_stage_of(self);
    err = thi_classes_choose(stage, options, &klass);
    if (!err)
        err = thi_fitting_make(stage, klass, options, &fitting);
    if (err || !fitting)
        return err;
    thi_stage_enter(stage);
    if (!fits(fitting, current_of(stage), &missing))
        err = TH_E_UNFIT;
    thi_stage_leave(stage);
    if (missing_out)
        *missing_out = name_of(missing, fitting, options->needs);
    thi_fitting_free(fitting);
    return err;
}
