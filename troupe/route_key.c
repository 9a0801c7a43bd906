#include "troupe/route_key.h"

#include "troupe/rendezvous.h"

#include <string.h>

void thi_route_key_init(struct thi_route_key *key, const char *name)
{
    *key = (struct thi_route_key){ .name = name };
}

static const th_field *find(const th_type *type, const char *name)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        const th_field *field = &type->fields[i];

        if (strcmp(field->name, name) == 0)
            return field->kind == TH_KIND_msg || field->kind == TH_KIND_nested ? NULL : field;
    }
    return NULL;
}

static const th_field *resolve(struct thi_route_key *key, const th_type *type)
{
    uint32_t place = 0;

    while (place < THI_ROUTE_KEY_TYPES && key->known[place].type != type)
        place++;
    if (place == THI_ROUTE_KEY_TYPES) {
        place = key->next;
        key->next = (place + 1) % THI_ROUTE_KEY_TYPES;
        key->known[place].type = type;
        key->known[place].field = find(type, key->name);
    }
    return key->known[place].field;
}

static uint64_t blob_key(const th_blob *blob)
{
    return blob ? thi_rendezvous_key(blob->data, blob->size) : 0;
}

bool thi_route_key_of(struct thi_route_key *key, const th_msg *msg, uint64_t *key_out)
{
    const th_field *field = resolve(key, th_msg_type(msg));
    const char *at;

    if (!field)
        return false;
    at = (const char *)th_msg_body(msg) + field->offset;
    switch (field->kind) {
    case TH_KIND_str:
    case TH_KIND_bytes: {
        const th_blob *blob;

        memcpy(&blob, at, sizeof(blob));
        *key_out = blob_key(blob);
        return true;
    }
    case TH_KIND_chars: *key_out = thi_rendezvous_key(at, strnlen(at, field->count)); return true;
    case TH_KIND_msg:
    case TH_KIND_nested: return false;
    case TH_KIND_bool_:
    case TH_KIND_i8:
    case TH_KIND_i16:
    case TH_KIND_i32:
    case TH_KIND_i64:
    case TH_KIND_u8:
    case TH_KIND_u16:
    case TH_KIND_u32:
    case TH_KIND_u64:
    case TH_KIND_f32:
    case TH_KIND_f64:
    case TH_KIND_addr: break;
    }
    *key_out = thi_rendezvous_key(at, (size_t)field->count * field->size);
    return true;
}
