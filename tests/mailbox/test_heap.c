/* tests of mailbox/heap.c and of the free lists in mailbox/alloc.h */
#include "mailroom.h"

#include <stdatomic.h>

Test(heap, each_size_gets_the_smallest_block_that_holds_it)
{
    size_t size;

    for (size = 0; size <= THI_BLOCK_SIZE_MAX; size++) {
        unsigned block = thi_heap_block(size);

        cr_assert(block > 0 && block < THI_BLOCKS, "size %zu", size);
        cr_assert_geq(thi_heap_block_sizes[block], size);
        cr_assert(block == 1 || thi_heap_block_sizes[block - 1] < size, "size %zu", size);
    }
    cr_assert_eq(thi_heap_block(THI_BLOCK_SIZE_MAX + 1), 0);
    cr_assert_eq(thi_heap_block(SIZE_MAX), 0);
}

Test(heap, blocks_are_apart_and_aligned)
{
    struct mailroom room;
    unsigned block;

    mailroom_open(&room, 0);
    for (block = 1; block < THI_BLOCKS; block++) {
        size_t size = thi_heap_block_sizes[block];
        char *blocks[300];
        int i;

        for (i = 0; i < 300; i++) {
            blocks[i] = thi_heap_take(&room.heap, block);
            cr_assert_eq((uintptr_t)blocks[i] % (size % 64 ? 32 : 64), 0);
            memset(blocks[i], i, size);
        }
        for (i = 0; i < 300; i++) {
            cr_assert_eq(blocks[i][0], (char)i);
            cr_assert_arr_eq(blocks[i], blocks[i] + 1, size - 1);
            thi_heap_give(&room.heap, blocks[i], block);
        }
    }
    mailroom_close(&room);
}

Test(heap, the_last_block_given_is_the_next_taken)
{
    struct mailroom room;
    void *a, *b;

    mailroom_open(&room, 0);
    a = thi_heap_take(&room.heap, 3);
    b = thi_heap_take(&room.heap, 3);
    cr_assert_neq(a, b);
    thi_heap_give(&room.heap, a, 3);
    cr_assert_eq(thi_heap_take(&room.heap, 3), a);
    thi_heap_give(&room.heap, a, 3);
    thi_heap_give(&room.heap, b, 3);
    mailroom_close(&room);
}

Test(heap, steady_use_takes_no_more_memory)
{
    struct mailroom room;
    void *blocks[200];
    uint64_t takes;
    int i, round;

    mailroom_open(&room, 0);
    for (i = 0; i < 200; i++)
        blocks[i] = thi_heap_take(&room.heap, 2);
    for (i = 0; i < 200; i++)
        thi_heap_give(&room.heap, blocks[i], 2);
    takes = thi_memory_takes(&room.memory);
    for (round = 0; round < 1000; round++) {
        for (i = 0; i < 200; i++)
            blocks[i] = thi_heap_take(&room.heap, 2);
        for (i = 0; i < 200; i++)
            thi_heap_give(&room.heap, blocks[i], 2);
    }
    cr_assert_eq(thi_memory_takes(&room.memory), takes);
    mailroom_close(&room);
}

Test(heap, what_one_frees_another_takes)
{
    struct mailroom room;
    struct thi_heap other;
    uint64_t peak;
    int i, round;

    mailroom_open(&room, 0);
    thi_heap_init(&other, &room.memory, &room.depot);
    for (round = 0; round < 100; round++) {
        void *blocks[1000];

        for (i = 0; i < 1000; i++)
            blocks[i] = thi_heap_take(&room.heap, 4);
        for (i = 0; i < 1000; i++)
            thi_heap_give(&other, blocks[i], 4);
        if (round == 1)
            peak = thi_memory_peak(&room.memory);
    }
    cr_assert_eq(thi_memory_peak(&room.memory), peak, "blocks gather where nobody takes them");
    thi_heap_fini(&other);
    mailroom_close(&room);
}

Test(heap, hoards_at_most_two_batches)
{
    struct mailroom room;
    void *blocks[1000];
    struct thi_heap_class *class = &room.heap.classes[1];
    int i;

    mailroom_open(&room, 0);
    for (i = 0; i < 1000; i++)
        blocks[i] = thi_heap_take(&room.heap, 1);
    for (i = 0; i < 1000; i++) {
        thi_heap_give(&room.heap, blocks[i], 1);
        cr_assert_leq(class->count + (class->spare ? class->spare_count : 0), 2 * class->full);
    }
    mailroom_close(&room);
}

Test(heap, short_lives_do_not_grow_the_system)
{
    struct mailroom room;
    uint64_t bytes = 0;
    int i;

    mailroom_open(&room, 0);
    for (i = 0; i < 1000; i++) {
        struct thi_heap brief;

        thi_heap_init(&brief, &room.memory, &room.depot);
        thi_heap_give(&brief, thi_heap_take(&brief, 1), 1);
        thi_heap_give(&brief, thi_heap_take(&brief, 5), 5);
        thi_heap_fini(&brief);
        if (i == 10)
            bytes = thi_memory_bytes(&room.memory);
    }
    cr_assert_eq(thi_memory_bytes(&room.memory), bytes);
    mailroom_close(&room);
}

Test(heap, what_one_leaves_of_its_slab_the_next_carves)
{
    struct mailroom room;
    uint64_t takes;

    mailroom_open(&room, 0);
    thi_heap_give(&room.heap, thi_heap_take(&room.heap, 1), 1);
    takes = thi_memory_takes(&room.memory);
    thi_heap_fini(&room.heap);
    thi_heap_init(&room.heap, &room.memory, &room.depot);
    thi_heap_give(&room.heap, thi_heap_take(&room.heap, 2), 2);
    cr_assert_eq(thi_memory_takes(&room.memory), takes);
    mailroom_close(&room);
}

Test(heap, an_idle_heap_takes_nothing)
{
    struct mailroom room;

    mailroom_open(&room, 0);
    cr_assert_eq(thi_memory_bytes(&room.memory), 0);
    thi_heap_give(&room.heap, thi_heap_take(&room.heap, 1), 1);
    cr_assert_leq(thi_memory_bytes(&room.memory), 8 * 1024, "the first slab is small");
    mailroom_close(&room);
}

Test(heap, answers_null_at_the_ceiling_and_recovers)
{
    struct mailroom room;
    void *blocks[4000];
    int count = 0, i;

    mailroom_open(&room, 100 * 1024);
    while ((blocks[count] = thi_heap_take(&room.heap, 1)))
        cr_assert_lt(++count, 4000);
    cr_assert_gt(count, 1000, "most of the ceiling can be used");
    cr_assert_null(thi_heap_take(&room.heap, 1));
    thi_heap_give(&room.heap, blocks[0], 1);
    blocks[0] = thi_heap_take(&room.heap, 1);
    cr_assert_not_null(blocks[0]);
    for (i = 0; i < count; i++)
        thi_heap_give(&room.heap, blocks[i], 1);
    mailroom_close(&room);
}

Test(heap, counts_blocks_that_never_came_back)
{
    struct mailroom room;
    void *lost;

    mailroom_open(&room, 0);
    lost = thi_heap_take(&room.heap, 1);
    cr_assert_not_null(lost);
    cr_assert_not_null(thi_heap_take(&room.heap, 7));
    thi_heap_fini(&room.heap);
    cr_assert_eq(thi_depot_fini(&room.depot), 2);
    cr_assert_eq(thi_memory_fini(&room.memory), 0, "slabs go back all the same");
}

#if THI_CHECKED
Test(heap, a_block_is_a_take_that_can_fail)
{
    struct mailroom room;
    void *a, *c;

    mailroom_open(&room, 0);
    thi_heap_give(&room.heap, thi_heap_take(&room.heap, 1), 1);
    thi_memory_inject(&room.memory, 2, false);
    a = thi_heap_take(&room.heap, 1);
    cr_assert_null(thi_heap_take(&room.heap, 1));
    c = thi_heap_take(&room.heap, 1);
    cr_assert(a && c);
    thi_heap_give(&room.heap, a, 1);
    thi_heap_give(&room.heap, c, 1);
    mailroom_close(&room);
}

static struct mailroom crime_scene;

static void free_twice(void)
{
    void *at = thi_heap_take(&crime_scene.heap, 2);

    thi_heap_give(&crime_scene.heap, at, 2);
    thi_heap_give(&crime_scene.heap, at, 2);
}

static void write_after_free(void)
{
    char *at = thi_heap_take(&crime_scene.heap, 2);

    thi_heap_give(&crime_scene.heap, at, 2);
    memset(at + sizeof(void *), 'x', 16);
    thi_heap_take(&crime_scene.heap, 2);
}

static void behave(void)
{
    void *at = thi_heap_take(&crime_scene.heap, 2);

    thi_heap_give(&crime_scene.heap, at, 2);
    thi_heap_give(&crime_scene.heap, thi_heap_take(&crime_scene.heap, 2), 2);
}

Test(heap, catches_a_double_free_and_a_write_after_free)
{
    mailroom_open(&crime_scene, 0);
    cr_assert(mailroom_dies(free_twice));
    cr_assert(mailroom_dies(write_after_free));
    cr_assert_not(mailroom_dies(behave));
    mailroom_close(&crime_scene);
}
#endif

/* ---- against a model: what is out keeps what was written into it ---- */

struct out {
    char *at;
    unsigned block;
    char stamp;
};

static void check_out(const struct out *out)
{
    size_t size = thi_heap_block_sizes[out->block];

    cr_assert_eq(out->at[0], out->stamp);
    cr_assert_arr_eq(out->at, out->at + 1, size - 1, "somebody else wrote into it");
}

Test(heap, random_traffic_between_three_heaps, .timeout = 60)
{
    static struct out outs[2000];
    struct mailroom room;
    struct thi_heap heaps[3];
    uint64_t state = 4;
    int count = 0, i;

    mailroom_open(&room, 0);
    for (i = 0; i < 3; i++)
        thi_heap_init(&heaps[i], &room.memory, &room.depot);
    for (i = 0; i < 300000; i++) {
        uint64_t r = mailroom_random(&state);
        struct thi_heap *heap = &heaps[r % 3];
        bool grows = (i / 20000) % 2 == 0 ? (r >> 8) % 5 < 3 : (r >> 8) % 5 < 2;

        if (count == 0 || (grows && count < 2000)) {
            struct out *out = &outs[count++];

            out->block = 1 + (r >> 16) % (THI_BLOCKS - 1);
            out->stamp = (char)(r >> 32);
            out->at = thi_heap_take(heap, out->block);
            memset(out->at, out->stamp, thi_heap_block_sizes[out->block]);
        } else {
            struct out *out = &outs[(r >> 16) % (uint64_t)count];

            check_out(out);
            thi_heap_give(heap, out->at, out->block);
            *out = outs[--count];
        }
    }
    while (count > 0) {
        count--;
        check_out(&outs[count]);
        thi_heap_give(&heaps[count % 3], outs[count].at, outs[count].block);
    }
    for (i = 0; i < 3; i++)
        thi_heap_fini(&heaps[i]);
    mailroom_close(&room);
}

/* ---- blocks that are taken on one thread and given on another ---- */

#define DESKS 64

struct desk_user {
    struct mailroom *room;
    _Atomic(uint64_t *) *desks; /* each NULL, or a block for whoever comes by */
    uint64_t seed;
    unsigned block;
    size_t last; /* word of it */
};

static void *swap_blocks(void *context)
{
    struct desk_user *user = context;
    struct thi_heap heap;
    uint64_t state = user->seed;
    int i;

    thi_heap_init(&heap, &user->room->memory, &user->room->depot);
    for (i = 0; i < 100000; i++) {
        uint64_t r = mailroom_random(&state);
        uint64_t *block = NULL;

        /* seeds 1 and 3 mostly take, the others mostly give */
        if (r >> 32 & 3 ? user->seed & 1 : !(user->seed & 1)) {
            block = thi_heap_take(&heap, user->block);
            block[0] = r;
            block[user->last] = ~r;
        }
        /* release: the block's content; acquire: what the other one wrote */
        block = atomic_exchange_explicit(&user->desks[r % DESKS], block, memory_order_acq_rel);
        if (block) {
            cr_assert_eq(block[0], ~block[user->last]);
            thi_heap_give(&heap, block, user->block);
        }
    }
    thi_heap_fini(&heap);
    return NULL;
}

static void swap_among(int threads, unsigned size_class)
{
    struct mailroom room;
    _Atomic(uint64_t *) desks[DESKS];
    struct desk_user users[4];
    int i;

    mailroom_open(&room, 0);
    for (i = 0; i < DESKS; i++)
        atomic_init(&desks[i], NULL);
    for (i = 0; i < threads; i++)
        users[i] = (struct desk_user){ &room, desks, (uint64_t)i + 1, size_class,
                                       thi_heap_block_sizes[size_class] / 8 - 1 };
    mailroom_threads(threads, swap_blocks, users, sizeof(users[0]));
    for (i = 0; i < DESKS; i++) {
        uint64_t *block = atomic_load_explicit(&desks[i], memory_order_relaxed);

        if (block)
            thi_heap_give(&room.heap, block, size_class);
    }
    cr_assert_lt(thi_memory_peak(&room.memory), 4 * 1024 * 1024, "the depot does not circulate");
    mailroom_close(&room);
}

Test(heap, blocks_travel_between_two_threads, .timeout = 60)
{
    swap_among(2, 2);
}

Test(heap, blocks_travel_between_four_threads, .timeout = 60)
{
    swap_among(4, 2);
}

/* The largest come in the smallest batches, so the depot is busiest. */
Test(heap, small_batches_travel_between_four_threads, .timeout = 60)
{
    swap_among(4, THI_BLOCKS - 1);
}

/* ---- the depot alone: batches of one block, so that every take and give comes by ---- */

struct visitor {
    struct mailroom *room;
    uint64_t who;
};

static void *visit_the_depot(void *context)
{
    struct visitor *visitor = context;
    struct thi_heap heap;
    uint64_t *blocks[6];
    int round, i;

    thi_heap_init(&heap, &visitor->room->memory, &visitor->room->depot);
    heap.classes[1].full = 1;
    for (round = 0; round < 150000; round++) {
        for (i = 0; i < 6; i++) {
            blocks[i] = thi_heap_take(&heap, 1);
            blocks[i][7] = visitor->who;
        }
        for (i = 0; i < 6; i++) {
            cr_assert_eq(blocks[i][7], visitor->who, "two have the same block");
            thi_heap_give(&heap, blocks[i], 1);
        }
    }
    thi_heap_fini(&heap);
    return NULL;
}

Test(heap, the_depot_gives_a_batch_to_one_only, .timeout = 120)
{
    struct mailroom room;
    struct visitor visitors[4];
    uint64_t i;

    mailroom_open(&room, 0);
    for (i = 0; i < 4; i++)
        visitors[i] = (struct visitor){ &room, i };
    mailroom_threads(4, visit_the_depot, visitors, sizeof(visitors[0]));
    cr_assert_lt(thi_memory_peak(&room.memory), 1024 * 1024);
    mailroom_close(&room);
}

/* ---- the depot alone: heaps that begin and end, so that nearly every operation visits it ---- */

enum { SHIFTS = 60000, HANDFUL = 3 };

static void *come_and_go(void *context)
{
    struct desk_user *user = *(struct desk_user **)context;
    uintptr_t me = (uintptr_t)context;
    struct thi_heap heap;
    int i, k;

    for (i = 0; i < SHIFTS; i++) {
        uintptr_t *blocks[HANDFUL];

        thi_heap_init(&heap, &user->room->memory, &user->room->depot);
        for (k = 0; k < 1 + i % HANDFUL; k++) {
            blocks[k] = thi_heap_take(&heap, 2);
            blocks[k][4] = me;
        }
        while (k-- > 0) {
            cr_assert_eq(blocks[k][4], me, "two heaps were given the same block");
            thi_heap_give(&heap, blocks[k], 2);
        }
        thi_heap_fini(&heap);
    }
    return NULL;
}

Test(heap, the_depot_gives_a_batch_to_one_heap, .timeout = 60)
{
    struct mailroom room;
    struct desk_user user = { .room = &room };
    struct desk_user *users[4] = { &user, &user, &user, &user };

    mailroom_open(&room, 0);
    mailroom_threads(4, come_and_go, users, sizeof(users[0]));
    mailroom_close(&room);
}
