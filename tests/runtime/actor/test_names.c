/* Names that share a bucket come and go without each other, and are gone for good when they are. */
#include "puppet.h"

#include "runtime/actor/names.h"
#include <thespis/name.h>

#include <stdio.h>

enum { BUCKETS = 8192, SHARERS = 4 };

static void add(struct thi_stage *stage, struct thi_name *name, uint32_t slot)
{
    pthread_mutex_lock(&stage->spawn_lock);
    cr_assert(thi_names_has_room(stage));
    thi_names_add(stage, name, (th_addr){ stage->id, slot, 1 });
    pthread_mutex_unlock(&stage->spawn_lock);
}

static uint32_t slot_of(struct thi_stage *stage, const char *text)
{
    th_addr addr = { 0 };

    return thi_names_find(stage, text, &addr) ? addr.slot : 0;
}

/* Names of one bucket, made but in nobody's list. */
static void make_sharers(struct thi_stage *stage, struct thi_name *names[SHARERS])
{
    unsigned count = 0;
    char text[16];

    for (unsigned i = 0; count < SHARERS; i++) {
        struct thi_name *name;

        snprintf(text, sizeof(text), "%u", i);
        name = thi_name_make(stage, text);
        cr_assert_not_null(name);
        if (count && name->hash % BUCKETS != names[0]->hash % BUCKETS)
            thi_name_unmake(name);
        else
            names[count++] = name;
    }
}

/* Takes names[first] out, then names[second]: what is left is found after each. */
static void take_out_two(struct thi_stage *stage, unsigned first, unsigned second)
{
    struct thi_name *names[SHARERS];
    uint64_t bytes = thi_memory_bytes(&stage->memory);

    make_sharers(stage, names);
    for (uint32_t i = 0; i < SHARERS; i++)
        add(stage, names[i], 100 + i);
    for (uint32_t i = 0; i < SHARERS; i++)
        cr_assert_eq(slot_of(stage, names[i]->text), 100 + i);
    thi_names_remove(stage, names[first]);
    thi_names_remove(stage, names[second]);
    cr_assert_eq(thi_names_count(&stage->names), SHARERS - 2);
    for (uint32_t i = 0; i < SHARERS; i++)
        cr_assert_eq(slot_of(stage, names[i]->text), i == first || i == second ? 0 : 100 + i,
                     "%u of %u and %u", i, first, second);
    for (unsigned i = 0; i < SHARERS; i++) {
        if (i != first && i != second)
            thi_names_remove(stage, names[i]);
        names[i]->parcel.release(&names[i]->parcel);
    }
    cr_assert_eq(thi_names_count(&stage->names), 0);
    cr_assert_leq(thi_memory_bytes(&stage->memory), bytes + BUCKETS * sizeof(void *));
}

Test(names, of_one_bucket_go_one_by_one)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1);

    for (unsigned first = 0; first < SHARERS; first++)
        for (unsigned second = 0; second < SHARERS; second++)
            if (first != second)
                take_out_two(thi_stage_of(ts.me), first, second);
    test_system_close(&ts);
}

/* ---- how a name waits for its grace period ---- */

static uint64_t name_bytes(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)puppet, (void)order;
    return thi_memory_bytes(&thi_stage_of(self)->memory);
}

BOTH_BASES(names, go_with_the_cell_of_their_actor, .init = journal_clear)
{
    th_addr watcher = puppet_new(ts, (struct part){ .number = 0 });
    char text[TH_NAME_MAX + 1];
    th_spawn_options options = { .klass = &puppet_class, .global_name = text };
    uint64_t before, after;

    memset(text, 'n', TH_NAME_MAX);
    text[TH_NAME_MAX] = '\0';
    before = tell(ts, watcher, name_bytes, 0);
    for (int i = 0; i < 1000; i++) {
        th_addr addr;

        cr_assert_eq(th_spawn_with(ts->me, &options, &addr), TH_OK);
        cr_assert_eq(th_stop(ts->me, addr), TH_OK);
        wait_gone(ts, addr);
    }
    /* A thousand of them are 350 KB. Those of the last grace periods may be there still: it hangs
     * if they stay. */
    do
        after = tell(ts, watcher, name_bytes, 0);
    while (after >= before + BUCKETS * sizeof(void *) + 200000);
}
