#include "transport/link/transfer.h"

#include <string.h>

#include <thespis/config.h>

struct thi_transfer *thi_transfer_create(struct thi_memory *memory, th_msg *msg, size_t size)
{
    struct thi_transfer *transfer = thi_memory_take(memory, sizeof(*transfer));

    if (!transfer)
        return NULL;
    transfer->bytes = thi_memory_take_raw(memory, size);
    if (!transfer->bytes) {
        thi_memory_give(memory, transfer, sizeof(*transfer));
        return NULL;
    }
    transfer->size = size;
    transfer->msg = msg;
    return transfer;
}

th_msg *thi_transfer_destroy(struct thi_memory *memory, struct thi_transfer *transfer)
{
    th_msg *msg = transfer->msg;

    thi_memory_give(memory, transfer->bytes, transfer->size);
    thi_memory_give(memory, transfer, sizeof(*transfer));
    return msg;
}

void thi_assemblies_init(struct thi_assemblies *assemblies, struct thi_memory *memory)
{
    memset(assemblies, 0, sizeof(*assemblies));
    assemblies->memory = memory;
}

void thi_assemblies_clear(struct thi_assemblies *assemblies)
{
    while (assemblies->first)
        thi_assemblies_drop(assemblies, assemblies->first);
}

struct thi_assembly *thi_assemblies_find(struct thi_assemblies *assemblies, uint32_t id)
{
    struct thi_assembly *assembly = assemblies->first;

    while (assembly && assembly->id != id)
        assembly = assembly->next;
    return assembly;
}

th_err thi_assemblies_begin(struct thi_assemblies *assemblies, uint32_t id, uint64_t total,
                            struct thi_assembly **out)
{
    struct thi_assembly *assembly;

    if (thi_assemblies_find(assemblies, id))
        return TH_E_EXISTS;
    if (assemblies->count == TH_LINK_TRANSFERS_MAX)
        return TH_E_LIMIT;
    assembly = thi_memory_take(assemblies->memory, sizeof(*assembly));
    if (!assembly)
        return TH_E_NOMEM;
    assembly->id = id;
    assembly->total = total;
    assembly->next = assemblies->first;
    assemblies->first = assembly;
    assemblies->count++;
    *out = assembly;
    return TH_OK;
}

/* Room for @need bytes: twice what there was, never more than was announced (X1). */
static bool make_room(struct thi_memory *memory, struct thi_assembly *assembly, uint64_t need)
{
    uint64_t room = assembly->room * 2;
    uint8_t *bytes;

    if (need <= assembly->room)
        return true;
    if (room < need)
        room = need;
    if (room > assembly->total)
        room = assembly->total;
    bytes = thi_memory_take_raw(memory, room);
    if (bytes && assembly->have > 0)
        memcpy(bytes, assembly->bytes, assembly->have);
    thi_memory_give(memory, assembly->bytes, assembly->room);
    assembly->bytes = bytes;
    assembly->room = bytes ? room : 0;
    return bytes != NULL;
}

th_err thi_assembly_add(struct thi_assemblies *assemblies, struct thi_assembly *assembly,
                        const void *bytes, size_t size)
{
    bool is_lost = assembly->have > 0 && !assembly->bytes; /* X2 */

    if (size > assembly->total - assembly->have)
        return TH_E_TOO_BIG;
    if (!is_lost && make_room(assemblies->memory, assembly, assembly->have + size) && size > 0)
        memcpy(assembly->bytes + assembly->have, bytes, size);
    assembly->have += size;
    return TH_OK;
}

void thi_assemblies_drop(struct thi_assemblies *assemblies, struct thi_assembly *assembly)
{
    struct thi_assembly **at = &assemblies->first;

    while (*at != assembly)
        at = &(*at)->next;
    *at = assembly->next;
    assemblies->count--;
    thi_memory_give(assemblies->memory, assembly->bytes, assembly->room);
    thi_memory_give(assemblies->memory, assembly, sizeof(*assembly));
}
