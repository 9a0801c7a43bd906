/* facts.c: making sets of facts, and what can be asked of them. */
#include "runtime/base/facts.h"

#include <math.h>
#include <string.h>

#include "runtime/base/value.h"

#include <thespis/config.h>

/* ---- what a block has to hold ---- */

struct extent {
    size_t values; /* elements of lists */
    size_t text;   /* bytes, with their NULs */
};

static bool is_within(const struct extent *extent)
{
    return extent->values <= TH_FACTS_SIZE_MAX / sizeof(th_value) &&
           extent->values * sizeof(th_value) + extent->text <= TH_FACTS_SIZE_MAX;
}

static th_err measure_text(const char *text, size_t max, struct extent *extent)
{
    size_t length = strnlen(text, max + 1);

    extent->text += length + 1;
    return length <= max ? TH_OK : TH_E_LIMIT;
}

static th_err measure_value(const th_value *value, unsigned depth, struct extent *extent)
{
    th_err err = TH_OK;

    switch (value->kind) {
    case TH_VALUE_BOOL:
    case TH_VALUE_INTEGER: return TH_OK;
    case TH_VALUE_REAL: return isnan(value->as.real) ? TH_E_INVALID : TH_OK;
    case TH_VALUE_STRING:
        if (!value->as.string)
            return TH_E_INVALID;
        err = measure_text(value->as.string, TH_FACTS_SIZE_MAX, extent);
        return err || is_within(extent) ? err : TH_E_LIMIT;
    case TH_VALUE_LIST: break;
    case TH_VALUE_NONE:
    default: return TH_E_INVALID;
    }
    if (depth == TH_NESTING_MAX || (value->count && !value->as.list))
        return TH_E_INVALID;
    extent->values += value->count;
    if (!is_within(extent))
        return TH_E_LIMIT;
    for (uint32_t i = 0; i < value->count && !err; i++)
        err = measure_value(&value->as.list[i], depth + 1, extent);
    return err;
}

static th_err measure_name(const char *name, struct extent *extent)
{
    if (!*name)
        return TH_E_INVALID;
    return measure_text(name, TH_NAME_MAX, extent) ? TH_E_INVALID : TH_OK;
}

/* @may_be_none: it is a change, and NONE takes a name out. */
static th_err measure_fact(const th_fact *fact, bool may_be_none, struct extent *extent)
{
    th_err err = measure_name(fact->name, extent);

    if (!err && !(may_be_none && fact->value.kind == TH_VALUE_NONE))
        err = measure_value(&fact->value, 0, extent);
    return err;
}

/* Each by itself: what they come to with the rest, make() sees. */
static th_err check_changes(const th_fact *changes)
{
    th_err err = TH_OK;

    for (; changes && changes->name && !err; changes++) {
        struct extent extent = { 0 };

        err = measure_fact(changes, true, &extent);
    }
    return err;
}

th_err thi_facts_check(const th_fact *facts, size_t others, size_t others_size)
{
    struct extent extent = { 0, others_size };
    size_t count = others;
    th_err err = TH_OK;

    for (; facts && facts->name && !err; facts++)
        err = ++count > TH_FACTS_MAX ? TH_E_LIMIT : measure_fact(facts, false, &extent);
    return err || is_within(&extent) ? err : TH_E_LIMIT;
}

/* ---- copying into a block ---- */

struct room {
    th_value *values;
    char *text;
};

static const char *copy_text(struct room *room, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memcpy(room->text, text, size);

    room->text += size;
    return copy;
}

static th_value copy_value(struct room *room, const th_value *value)
{
    th_value copy = *value;

    if (value->kind == TH_VALUE_STRING)
        copy.as.string = copy_text(room, value->as.string);
    if (value->kind == TH_VALUE_LIST) {
        th_value *list = room->values;

        room->values += value->count;
        copy.as.list = list;
        for (uint32_t i = 0; i < value->count; i++)
            list[i] = copy_value(room, &value->as.list[i]);
    }
    return copy;
}

/* ---- sets ---- */

/* Where @name is, or would be, among @count that are in order. */
static size_t place_of(const th_fact *facts, size_t count, const char *name, bool *found_out)
{
    size_t low = 0, high = count;

    *found_out = false;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(facts[middle].name, name);

        if (order == 0) {
            *found_out = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A set in the making: in order, pointing into what it is made of. */
struct draft {
    th_fact facts[TH_FACTS_MAX];
    size_t count;
    bool differs;
};

static th_err apply(struct draft *draft, const th_fact *change)
{
    bool found;
    size_t at = place_of(draft->facts, draft->count, change->name, &found);
    th_fact *fact = &draft->facts[at];
    size_t behind = (draft->count - at) * sizeof(*fact);

    if (change->value.kind == TH_VALUE_NONE) {
        if (found)
            memmove(fact, fact + 1, behind - sizeof(*fact));
        draft->count -= found;
        return TH_OK;
    }
    if (!found) {
        if (draft->count == TH_FACTS_MAX)
            return TH_E_LIMIT;
        memmove(fact + 1, fact, behind);
        draft->count++;
    }
    *fact = *change;
    return TH_OK;
}

static bool is_content_of(const struct draft *draft, const th_facts *base)
{
    if (draft->count != th_facts_count(base))
        return false;
    for (size_t i = 0; i < draft->count; i++)
        if (strcmp(draft->facts[i].name, base->facts[i].name) != 0 ||
            !thi_value_identical(&draft->facts[i].value, &base->facts[i].value))
            return false;
    return true;
}

static void release(struct thi_parcel *parcel)
{
    th_facts_release((th_facts *)((char *)parcel - offsetof(struct th_facts, parcel)));
}

static th_err make(struct thi_memory *memory, const struct draft *draft, th_facts **made_out)
{
    struct extent extent = { 0 };
    struct room room;
    th_facts *made;
    size_t size;

    for (size_t i = 0; i < draft->count; i++)
        if (measure_fact(&draft->facts[i], false, &extent) || !is_within(&extent))
            return TH_E_LIMIT; /* each by itself was measured before */
    size = sizeof(*made) + draft->count * sizeof(th_fact) + extent.values * sizeof(th_value) +
           extent.text;
    made = thi_memory_take(memory, size);
    if (!made)
        return TH_E_NOMEM;
    made->parcel.release = release;
    made->memory = memory;
    made->size = size;
    made->count = (uint32_t)draft->count;
    atomic_init(&made->refs, 1);
    room.values = (th_value *)(void *)(made->facts + draft->count);
    room.text = (char *)(room.values + extent.values);
    for (size_t i = 0; i < draft->count; i++) {
        made->facts[i].name = copy_text(&room, draft->facts[i].name);
        made->facts[i].value = copy_value(&room, &draft->facts[i].value);
    }
    *made_out = made;
    return TH_OK;
}

th_err thi_facts_change(struct thi_memory *memory, const th_facts *base, const th_fact *changes,
                        th_facts **made_out)
{
    struct draft draft;
    th_err err = check_changes(changes);

    *made_out = NULL;
    draft.count = th_facts_count(base);
    if (base)
        memcpy(draft.facts, base->facts, draft.count * sizeof(th_fact));
    for (; changes && changes->name && !err; changes++)
        err = apply(&draft, changes);
    if (err || is_content_of(&draft, base))
        return err;
    return make(memory, &draft, made_out);
}

void thi_facts_hold(th_facts *facts)
{
    /* relaxed: whoever holds one already, or is in a read section, keeps it alive meanwhile */
    atomic_fetch_add_explicit(&facts->refs, 1, memory_order_relaxed);
}

void th_facts_release(th_facts *facts)
{
    /* acq_rel: what the others read of it comes before the last one frees it; pairs with itself */
    if (facts && atomic_fetch_sub_explicit(&facts->refs, 1, memory_order_acq_rel) == 1)
        thi_memory_give(facts->memory, facts, facts->size);
}

const th_value *th_facts_get(const th_facts *facts, const char *name)
{
    bool found = false;
    size_t at = 0;

    if (facts && name)
        at = place_of(facts->facts, facts->count, name, &found);
    return found ? &facts->facts[at].value : NULL;
}

size_t th_facts_count(const th_facts *facts)
{
    return facts ? facts->count : 0;
}

const th_fact *th_facts_at(const th_facts *facts, size_t index)
{
    return index < th_facts_count(facts) ? &facts->facts[index] : NULL;
}

/* ---- needs ---- */

static bool contains(const th_value *list, const th_value *value)
{
    for (uint32_t i = 0; list->kind == TH_VALUE_LIST && i < list->count; i++)
        if (th_value_equal(&list->as.list[i], value))
            return true;
    return false;
}

static bool is_met(const th_value *value, const th_need *need)
{
    int order;

    if (!value)
        return false;
    switch (need->op) {
    case TH_NEED_TRUE: return th_value_is_true(value);
    case TH_NEED_PRESENT: return true;
    case TH_NEED_EQUAL: return th_value_equal(value, &need->value);
    case TH_NEED_AT_LEAST: return thi_value_compare(value, &need->value, &order) && order >= 0;
    case TH_NEED_AT_MOST: return thi_value_compare(value, &need->value, &order) && order <= 0;
    case TH_NEED_CONTAINS: return contains(value, &need->value);
    }
    return false;
}

bool th_facts_meet(const th_facts *facts, const th_need *needs, const th_need **missing_out)
{
    for (; needs && needs->name; needs++)
        if (!is_met(th_facts_get(facts, needs->name), needs)) {
            if (missing_out)
                *missing_out = needs;
            return false;
        }
    return true;
}

static bool has_value(const th_need *need)
{
    return need->op != TH_NEED_TRUE && need->op != TH_NEED_PRESENT;
}

static th_err measure_needs(const th_need *needs, size_t *count_out, struct extent *extent)
{
    th_err err = TH_OK;

    for (*count_out = 0; needs->name && !err; needs++) {
        if (++*count_out > TH_FACTS_MAX)
            return TH_E_LIMIT;
        if ((unsigned)needs->op > TH_NEED_CONTAINS)
            return TH_E_INVALID;
        err = measure_name(needs->name, extent);
        if (!err && has_value(needs))
            err = measure_value(&needs->value, 0, extent);
    }
    return err || is_within(extent) ? err : TH_E_LIMIT;
}

th_err thi_needs_check(const th_need *needs)
{
    struct extent extent = { 0 };
    size_t count;

    return needs ? measure_needs(needs, &count, &extent) : TH_OK;
}

th_err thi_needs_copy(struct thi_memory *memory, const th_need *needs, struct thi_needs **made_out)
{
    struct extent extent = { 0 };
    struct thi_needs *made;
    struct room room;
    size_t count, size;
    th_err err = measure_needs(needs, &count, &extent);

    if (err)
        return err;
    size = sizeof(*made) + (count + 1) * sizeof(th_need) + extent.values * sizeof(th_value) +
           extent.text;
    made = thi_memory_take(memory, size); /* zeroed: the end is there */
    if (!made)
        return TH_E_NOMEM;
    made->memory = memory;
    made->size = size;
    room.values = (th_value *)(void *)(made->needs + count + 1);
    room.text = (char *)(room.values + extent.values);
    for (size_t i = 0; i < count; i++) {
        made->needs[i].name = copy_text(&room, needs[i].name);
        made->needs[i].op = needs[i].op;
        if (has_value(&needs[i]))
            made->needs[i].value = copy_value(&room, &needs[i].value);
    }
    *made_out = made;
    return TH_OK;
}

void thi_needs_free(struct thi_needs *needs)
{
    if (needs)
        thi_memory_give(needs->memory, needs, needs->size);
}
