/* type.c: message types, and whether one made by hand can be trusted.
 *
 * Everything else walks tables without looking: th_type_check() is what makes that sound. It works
 * in bounded time and stack on any table whose pointers point to what they claim: nested structs
 * lie inside their parents without overlap, so the work is bounded by the bytes of the struct, and
 * a type that contains itself runs into TH_NESTING_MAX on its first branch. */
#include "mailbox/type.h"

#include <stdalign.h>
#include <string.h>

#include <thespis/config.h>

#define FLAGS_ALL                                                                                  \
    ((uint32_t)(TH_TYPE_SYSTEM | TH_TYPE_LOCAL | TH_TYPE_OWNS | TH_TYPE_REST | TH_TYPE_OVERTAKES))

static const struct {
    uint32_t size;
    uint32_t align;
} kinds[THI_KINDS] = {
#define KIND(kind) [TH_KIND_##kind] = { sizeof(TH_CTYPE_##kind), alignof(TH_CTYPE_##kind) }
    KIND(bool_),
    KIND(i8),
    KIND(i16),
    KIND(i32),
    KIND(i64),
    KIND(u8),
    KIND(u16),
    KIND(u32),
    KIND(u64),
    KIND(f32),
    KIND(f64),
    KIND(addr),
    KIND(str),
    KIND(bytes),
    KIND(msg),
#undef KIND
    [TH_KIND_chars] = { 1, 1 },
    [TH_KIND_nested] = { 0, 1 },
};

uint32_t thi_kind_size(th_kind kind)
{
    return (size_t)kind < THI_KINDS ? kinds[kind].size : 0;
}

const char *th_type_name(const th_type *type)
{
    return type && type->name ? type->name : "(none)";
}

bool th_type_is(const th_type *type, const th_type *ancestor)
{
    int generation;

    if (!ancestor)
        return false;
    /* bounded: a family tree made by hand may be a circle */
    for (generation = 0; type && generation <= TH_NESTING_MAX; generation++) {
        if (type == ancestor)
            return true;
        type = type->parent;
    }
    return false;
}

static bool name_is_good(const char *name)
{
    return name && name[0] != '\0' && strnlen(name, TH_NAME_MAX + 1) <= TH_NAME_MAX;
}

static bool names_differ(const th_type *type)
{
    uint32_t i, j;

    for (i = 0; i < type->field_count; i++) {
        for (j = 0; j < i; j++) {
            if (strcmp(type->fields[i].name, type->fields[j].name) == 0)
                return false;
        }
    }
    return true;
}

static bool fields_overlap(const th_type *type)
{
    uint32_t i, j;

    for (i = 0; i < type->field_count; i++) {
        const th_field *a = &type->fields[i];
        uint64_t a_end = a->offset + (uint64_t)a->count * a->size;

        for (j = 0; j < i; j++) {
            const th_field *b = &type->fields[j];
            uint64_t b_end = b->offset + (uint64_t)b->count * b->size;

            if (a->offset < b_end && b->offset < a_end)
                return true;
        }
    }
    return false;
}

/* What a field says of itself, without looking into a nested type. */
static bool field_is_good(const th_type *type, const th_field *field)
{
    const th_type *nested = field->nested;

    if (!name_is_good(field->name) || (size_t)field->kind >= THI_KINDS || field->count == 0)
        return false;
    if (field->kind == TH_KIND_nested) {
        /* a signal has no bytes, but C gives its struct one */
        if (!nested || field->size != (nested->size ? nested->size : 1))
            return false;
        /* a fini or a rest inside would never be honoured */
        if (nested->flags & (TH_TYPE_LOCAL | TH_TYPE_REST))
            return false;
        if (nested->flags & TH_TYPE_OWNS && !(type->flags & TH_TYPE_OWNS))
            return false;
    } else if (nested || field->size != kinds[field->kind].size) {
        return false;
    }
    if (thi_kind_owns(field->kind) && !(type->flags & TH_TYPE_OWNS))
        return false;
    return field->offset + (uint64_t)field->count * field->size <= type->size;
}

/* Checks all of a type but its family. @align_out: what its struct must be aligned to. */
static bool type_is_good(const th_type *type, unsigned depth, uint32_t *align_out)
{
    uint32_t align = 1;
    uint32_t i;

    if (depth > TH_NESTING_MAX || !name_is_good(type->name))
        return false;
    if (type->flags & ~FLAGS_ALL || type->size > TH_MESSAGE_SIZE_MAX)
        return false;
    if (type->flags & TH_TYPE_OVERTAKES && !(type->flags & TH_TYPE_SYSTEM))
        return false;
    *align_out = 1;
    if (type->flags & TH_TYPE_LOCAL)
        return !type->fields && type->field_count == 0 &&
               (!type->fini || type->flags & TH_TYPE_OWNS);
    /* without a table there is nothing to own, nothing to send, and so no body */
    if (type->fini || !type->fields != (type->field_count == 0) ||
        (type->size > 0 && type->field_count == 0) || type->field_count > THI_FIELDS_MAX)
        return false;
    for (i = 0; i < type->field_count; i++) {
        if (!field_is_good(type, &type->fields[i]))
            return false;
    }
    /* before looking deeper: it bounds what looking deeper costs */
    if (!names_differ(type) || fields_overlap(type))
        return false;
    for (i = 0; i < type->field_count; i++) {
        const th_field *field = &type->fields[i];
        uint32_t field_align = kinds[field->kind].align;

        if (field->kind == TH_KIND_nested && !type_is_good(field->nested, depth + 1, &field_align))
            return false;
        if (field->offset % field_align != 0 || field->size % field_align != 0)
            return false;
        if (field_align > align)
            align = field_align;
    }
    *align_out = align;
    return true;
}

static bool family_is_good(const th_type *type)
{
    int generation;

    for (generation = 0; type; generation++) {
        if (generation > TH_NESTING_MAX || !name_is_good(type->name))
            return false;
        type = type->parent;
    }
    return true;
}

th_err th_type_check(const th_type *type)
{
    uint32_t align;

    if (!type || !family_is_good(type) || !type_is_good(type, 0, &align))
        return TH_E_INVALID;
    return TH_OK;
}
