#include "transport/ways.h"

/* Of a slot whose system is gone: not the end of a search. No system has this id (system.c). */
#define GONE UINT64_C(1)

th_err thi_ways_init(struct thi_transport *transport, uint32_t links_max)
{
    uint32_t count = 64;

    while (count < 2 * (uint64_t)links_max)
        count *= 2;
    transport->ways = thi_memory_take(&transport->stage->memory, count * sizeof(*transport->ways));
    transport->way_count = transport->ways ? count : 0;
    return transport->ways ? TH_OK : TH_E_NOMEM;
}

void thi_ways_fini(struct thi_transport *transport)
{
    thi_memory_give(&transport->stage->memory, transport->ways,
                    transport->way_count * sizeof(*transport->ways));
    transport->ways = NULL;
    transport->way_count = 0;
}

static uint64_t pack(th_addr box)
{
    return (uint64_t)box.slot << 32 | box.generation;
}

/* Where the search for @system begins. An id is random, so its bits are as good as a hash. */
static uint32_t begin(const struct thi_transport *transport, uint64_t system)
{
    return (uint32_t)(system >> 16) & (transport->way_count - 1);
}

void thi_ways_add(struct thi_transport *transport, uint64_t system, th_addr box)
{
    for (uint32_t i = begin(transport, system);; i = (i + 1) & (transport->way_count - 1)) {
        struct thi_way *way = &transport->ways[i];
        /* relaxed: we are the only writer */
        uint64_t found = atomic_load_explicit(&way->system, memory_order_relaxed);

        if (found != 0 && found != GONE && found != system)
            continue;
        atomic_store_explicit(&way->box, pack(box), memory_order_relaxed);
        /* release: the box, and the cell that it leads to; pairs with the acquire in
         * thi_ways_find() */
        atomic_store_explicit(&way->system, system, memory_order_release);
        return;
    }
}

void thi_ways_remove(struct thi_transport *transport, uint64_t system, th_addr box)
{
    for (uint32_t i = begin(transport, system);; i = (i + 1) & (transport->way_count - 1)) {
        struct thi_way *way = &transport->ways[i];
        /* relaxed, all: we are the only writer, and who reads an old word finds no such box */
        uint64_t found = atomic_load_explicit(&way->system, memory_order_relaxed);

        if (found == 0)
            return;
        if (found != system || atomic_load_explicit(&way->box, memory_order_relaxed) != pack(box))
            continue;
        atomic_store_explicit(&way->system, GONE, memory_order_relaxed);
        return;
    }
}

struct thi_cell *thi_ways_find(struct thi_route *route, uint64_t system)
{
    struct thi_transport *transport = (struct thi_transport *)(void *)route;
    struct thi_directory *directory = &transport->stage->directory;

    uint32_t i = begin(transport, system);

    for (uint32_t steps = 0; steps < transport->way_count; steps++) {
        struct thi_way *way = &transport->ways[i];
        /* acquire: pairs with the release in thi_ways_add() */
        uint64_t found = atomic_load_explicit(&way->system, memory_order_acquire);

        if (found == system) {
            /* relaxed: it came with the system, or is a later one's */
            uint64_t box = atomic_load_explicit(&way->box, memory_order_relaxed);

            return thi_directory_find(
                directory, (th_addr){ directory->system, (uint32_t)(box >> 32), (uint32_t)box });
        }
        if (found == 0)
            return NULL;
        i = (i + 1) & (transport->way_count - 1);
    }
    return NULL;
}
