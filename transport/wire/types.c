/* types.c: two lists of types, ours and the peer's, and a hash table from ours to their numbers.
 *
 * The table is looked into once per message sent: open addressing by the type's address, never more
 * than half full. */
#include "transport/wire/types.h"

#include <inttypes.h>
#include <string.h>

#include "mailbox/alloc.h"
#include "transport/wire/shape.h"

#define ROOM_FIRST  16
#define SHAPE_SHOWN 400 /* bytes of each of two shapes in words */

void thi_types_init(struct thi_types *types, struct thi_memory *memory,
                    const th_type *(*find)(void *host, const char *name), void *host)
{
    memset(types, 0, sizeof(*types));
    types->memory = memory;
    types->find = find;
    types->host = host;
}

static void give_text(struct thi_types *types, char *text)
{
    if (text)
        thi_memory_give(types->memory, text, strlen(text) + 1);
}

static char *take_text(struct thi_types *types, struct thi_text text)
{
    char *copy = thi_memory_take_raw(types->memory, text.size + 1);

    if (copy) {
        memcpy(copy, text.at, text.size);
        copy[text.size] = '\0';
    }
    return copy;
}

/* Of one that has become known, or goes. */
static void forget_texts(struct thi_types *types, struct thi_type_in *in)
{
    if (in->name)
        types->in_bytes -= strlen(in->name) + strlen(in->shape);
    give_text(types, in->name);
    give_text(types, in->shape);
    in->name = NULL;
    in->shape = NULL;
}

void thi_types_reset(struct thi_types *types)
{
    uint32_t i;

    for (i = types->announced; i < types->out_count; i++)
        give_text(types, types->out[i].shape);
    for (i = 0; i < types->in_count; i++)
        forget_texts(types, &types->in[i]);
    types->out_count = 0;
    types->announced = 0;
    types->in_count = 0;
    if (types->slots)
        memset(types->slots, 0, 2 * (size_t)types->out_room * sizeof(*types->slots));
}

void thi_types_fini(struct thi_types *types)
{
    thi_types_reset(types);
    thi_memory_give(types->memory, types->out, types->out_room * sizeof(*types->out));
    thi_memory_give(types->memory, types->slots, 2 * (size_t)types->out_room * sizeof(uint32_t));
    thi_memory_give(types->memory, types->in, types->in_room * sizeof(*types->in));
    thi_types_init(types, types->memory, types->find, types->host);
}

/* ---- ours ---- */

/* Where @type is in @slots, or the free slot where it belongs. @room of them, a power of two. */
static uint32_t *slot_of(const struct thi_types *types, uint32_t *slots, uint32_t room,
                         const th_type *type)
{
    /* Fibonacci hashing: the golden ratio's fraction spreads what differs in its low bits */
    uint64_t hash = (uint64_t)(uintptr_t)type * UINT64_C(0x9e3779b97f4a7c15);
    uint32_t i = (uint32_t)(hash >> 32) & (room - 1);

    while (slots[i] != 0 && types->out[slots[i] - 1].type != type)
        i = (i + 1) & (room - 1);
    return &slots[i];
}

static bool grow_out(struct thi_types *types)
{
    uint32_t room = types->out_room ? 2 * types->out_room : ROOM_FIRST;
    struct thi_type_out *out = thi_memory_take(types->memory, room * sizeof(*out));
    uint32_t *slots = thi_memory_take(types->memory, 2 * (size_t)room * sizeof(*slots));
    uint32_t i;

    if (!out || !slots) {
        thi_memory_give(types->memory, out, room * sizeof(*out));
        thi_memory_give(types->memory, slots, 2 * (size_t)room * sizeof(*slots));
        return false;
    }
    if (types->out_count > 0)
        memcpy(out, types->out, types->out_count * sizeof(*out));
    thi_memory_give(types->memory, types->out, types->out_room * sizeof(*out));
    thi_memory_give(types->memory, types->slots, 2 * (size_t)types->out_room * sizeof(*slots));
    types->out = out;
    types->out_room = room;
    types->slots = slots;
    for (i = 0; i < types->out_count; i++)
        *slot_of(types, slots, 2 * room, out[i].type) = i + 1;
    return true;
}

/* The shape of @type [give], for an announcement. */
static th_err make_shape(struct thi_types *types, const th_type *type, char **shape_out,
                         size_t *size_out, struct thi_fault *fault)
{
    size_t size = thi_shape_write(type, NULL, 0);
    char *shape;

    if (size > TH_WIRE_SHAPE_MAX) {
        thi_fault_set(fault, "type %s: its shape takes %zu bytes, more than %u", type->name, size,
                      (unsigned)TH_WIRE_SHAPE_MAX);
        return TH_E_TOO_BIG;
    }
    shape = thi_memory_take_raw(types->memory, size + 1);
    if (!shape) {
        thi_fault_set(fault, "type %s: out of memory", type->name);
        return TH_E_NOMEM;
    }
    thi_shape_write(type, shape, size + 1);
    if (!thi_text_is_plain(type->name, strlen(type->name)) || !thi_text_is_plain(shape, size)) {
        give_text(types, shape);
        thi_fault_set(fault, "type %s: a name in it is no plain text", type->name);
        return TH_E_INVALID;
    }
    *shape_out = shape;
    *size_out = size;
    return TH_OK;
}

static th_err add_out(struct thi_types *types, const th_type *type, uint32_t *number_out,
                      struct thi_fault *fault)
{
    struct thi_type_out out = { .type = type };
    th_err err;

    if (!type || th_type_check(type) != TH_OK) {
        thi_fault_set(fault, "type %s: its table is broken", th_type_name(type));
        return TH_E_INVALID;
    }
    if (type->flags & TH_TYPE_LOCAL) {
        thi_fault_set(fault, "type %s has no field table, so it never leaves its system",
                      type->name);
        return TH_E_NOT_ALLOWED;
    }
    if (types->out_count == TH_WIRE_TYPES_MAX) {
        thi_fault_set(fault, "type %s: %u types are in use on this link already", type->name,
                      (unsigned)TH_WIRE_TYPES_MAX);
        return TH_E_LIMIT;
    }
    if (types->out_count == types->out_room && !grow_out(types)) {
        thi_fault_set(fault, "type %s: out of memory", type->name);
        return TH_E_NOMEM;
    }
    err = make_shape(types, type, &out.shape, &out.shape_size, fault);
    if (err != TH_OK)
        return err;
    *slot_of(types, types->slots, 2 * types->out_room, type) = types->out_count + 1;
    types->out[types->out_count++] = out;
    *number_out = types->out_count;
    return TH_OK;
}

th_err thi_types_number(struct thi_types *types, const th_type *type, uint32_t *number_out,
                        struct thi_fault *fault)
{
    uint32_t number = 0;

    if (TH_LIKELY(types->slots != NULL))
        number = *slot_of(types, types->slots, 2 * types->out_room, type);
    if (TH_UNLIKELY(number == 0))
        return add_out(types, type, number_out, fault);
    *number_out = number;
    return TH_OK;
}

bool thi_types_news(const struct thi_types *types, struct thi_frame_type *frame_out)
{
    const struct thi_type_out *out;

    if (types->announced == types->out_count)
        return false;
    out = &types->out[types->announced];
    frame_out->number = 0;
    frame_out->type = types->announced + 1;
    frame_out->name = thi_text_of(out->type->name);
    frame_out->shape = (struct thi_text){ out->shape, out->shape_size };
    return true;
}

void thi_types_told(struct thi_types *types)
{
    struct thi_type_out *out = &types->out[types->announced++];

    give_text(types, out->shape);
    out->shape = NULL;
}

/* ---- the peer's ---- */

/* The type called @name here, if it may travel. */
static const th_type *find_here(struct thi_types *types, const char *name)
{
    const th_type *type = types->find(types->host, name);

    if (!type || type->flags & TH_TYPE_LOCAL || th_type_check(type) != TH_OK)
        return NULL;
    return type;
}

/* Whether @type has that shape. Without memory it is not known, and asked again later. */
static bool has_shape(struct thi_types *types, const th_type *type, struct thi_text shape)
{
    size_t size = thi_shape_write(type, NULL, 0);
    bool same = false;
    char *ours;

    if (size != shape.size)
        return false;
    ours = thi_memory_take_raw(types->memory, size + 1);
    if (ours) {
        thi_shape_write(type, ours, size + 1);
        same = memcmp(ours, shape.at, size) == 0;
        give_text(types, ours);
    }
    return same;
}

static bool grow_in(struct thi_types *types)
{
    uint32_t room = types->in_room ? 2 * types->in_room : ROOM_FIRST;
    struct thi_type_in *in = thi_memory_take(types->memory, room * sizeof(*in));

    if (!in)
        return false;
    if (types->in_count > 0)
        memcpy(in, types->in, types->in_count * sizeof(*in));
    thi_memory_give(types->memory, types->in, types->in_room * sizeof(*in));
    types->in = in;
    types->in_room = room;
    return true;
}

th_err thi_types_learn(struct thi_types *types, const struct thi_frame_type *said,
                       struct thi_fault *fault)
{
    struct thi_type_in in = { NULL, NULL, NULL };
    char name[TH_NAME_MAX + 1];

    if (said->type != types->in_count + 1) {
        thi_fault_set(fault, "TYPE: type %" PRIu32 " where %" PRIu32 " is next", said->type,
                      types->in_count + 1);
        return TH_E_INVALID;
    }
    if (types->in_count == TH_WIRE_TYPES_MAX) {
        thi_fault_set(fault, "TYPE: more than %u types", (unsigned)TH_WIRE_TYPES_MAX);
        return TH_E_LIMIT;
    }
    if (types->in_count == types->in_room && !grow_in(types))
        return TH_E_NOMEM;
    memcpy(name, said->name.at, said->name.size);
    name[said->name.size] = '\0';
    in.type = find_here(types, name);
    if (in.type && !has_shape(types, in.type, said->shape))
        in.type = NULL;
    if (!in.type) {
        if (said->name.size + said->shape.size > TH_WIRE_TYPES_BYTES_MAX - types->in_bytes) {
            thi_fault_set(fault, "TYPE: more than %u bytes of types that are not known here",
                          (unsigned)TH_WIRE_TYPES_BYTES_MAX);
            return TH_E_LIMIT;
        }
        in.name = take_text(types, said->name);
        in.shape = take_text(types, said->shape);
        if (!in.name || !in.shape) {
            give_text(types, in.name);
            give_text(types, in.shape);
            return TH_E_NOMEM;
        }
        types->in_bytes += said->name.size + said->shape.size;
    }
    types->in[types->in_count++] = in;
    return TH_OK;
}

static void say_why_unknown(struct thi_types *types, const struct thi_type_in *in,
                            struct thi_fault *fault)
{
    const th_type *type = types->find(types->host, in->name);
    char ours[SHAPE_SHOWN + 1];

    if (!type)
        thi_fault_set(fault, "type %s is not known here", in->name);
    else if (th_type_check(type) != TH_OK)
        thi_fault_set(fault, "type %s has a broken table here", in->name);
    else if (type->flags & TH_TYPE_LOCAL)
        thi_fault_set(fault, "type %s has no field table here", in->name);
    else {
        thi_shape_write(type, ours, sizeof(ours));
        thi_fault_set(fault, "type %s has another shape: the sender's is %.*s, the receiver's %s",
                      in->name, SHAPE_SHOWN, in->shape, ours);
    }
}

const th_type *thi_types_find(struct thi_types *types, uint32_t number, struct thi_fault *fault)
{
    struct thi_type_in *in;
    const th_type *type;

    if (TH_UNLIKELY(number == 0 || number > types->in_count)) {
        thi_fault_set(fault, "type %" PRIu32 " was never announced", number);
        return NULL;
    }
    in = &types->in[number - 1];
    if (TH_LIKELY(in->type != NULL))
        return in->type;
    type = find_here(types, in->name);
    if (!type || !has_shape(types, type, thi_text_of(in->shape))) {
        say_why_unknown(types, in, fault);
        return NULL;
    }
    forget_texts(types, in);
    in->type = type;
    return type;
}
