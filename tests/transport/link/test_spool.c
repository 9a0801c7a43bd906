/* tests of transport/link/spool.c */
#include "tests/mailbox/mailroom.h"

#include "transport/link/spool.h"
#include <thespis/config.h>

/* Writes @size bytes, each the next of a count. */
static void put(struct thi_spool *spool, size_t size, unsigned char *next)
{
    size_t room, i;
    uint8_t *at = thi_spool_room(spool, size, &room);

    cr_assert_not_null(at);
    cr_assert_geq(room, size);
    for (i = 0; i < size; i++)
        at[i] = (*next)++;
    thi_spool_wrote(spool, size);
}

/* Pulls at most @size bytes and checks that they go on where the last ended. */
static void get(struct thi_spool *spool, size_t size, unsigned char *next)
{
    struct iovec pieces[3];
    unsigned i, count = thi_spool_pull(spool, pieces, 3);
    size_t done = 0, j;

    for (i = 0; i < count && done < size; i++) {
        for (j = 0; j < pieces[i].iov_len && done < size; j++, done++)
            cr_assert_eq(((unsigned char *)pieces[i].iov_base)[j], (*next)++);
    }
    thi_spool_pulled(spool, done);
}

Test(spool, what_is_written_is_pulled_in_order_however_it_is_cut)
{
    struct mailroom room;
    struct thi_spool spool;
    unsigned char written = 0, pulled = 0;
    uint64_t seed = 1;
    int i;

    mailroom_open(&room, 0);
    thi_spool_init(&spool, &room.memory);
    for (i = 0; i < 3000; i++) {
        put(&spool, 1 + mailroom_random(&seed) % (i % 10 ? 300 : TH_LINK_CHUNK_SIZE), &written);
        get(&spool, mailroom_random(&seed) % 9000, &pulled);
    }
    while (spool.size > 0)
        get(&spool, SIZE_MAX, &pulled);
    cr_assert_eq(pulled, written);
    thi_spool_fini(&spool);
    mailroom_close(&room);
}

Test(spool, holds_nothing_when_all_is_pulled)
{
    struct mailroom room;
    struct thi_spool spool;
    unsigned char written = 0, pulled = 0;
    struct iovec piece;

    mailroom_open(&room, 0);
    thi_spool_init(&spool, &room.memory);
    put(&spool, 100, &written);
    put(&spool, TH_LINK_CHUNK_SIZE, &written);
    cr_assert_gt(thi_memory_bytes(&room.memory), 0);
    get(&spool, SIZE_MAX, &pulled);
    cr_assert_eq(thi_memory_bytes(&room.memory), 0);
    cr_assert_eq(thi_spool_pull(&spool, &piece, 1), 0);
    thi_spool_fini(&spool);
    mailroom_close(&room);
}

Test(spool, without_memory_what_was_written_stays)
{
    struct mailroom room;
    struct thi_spool spool;
    unsigned char written = 0, pulled = 0;
    size_t there;

    mailroom_open(&room, 0);
    thi_spool_init(&spool, &room.memory);
    put(&spool, 100, &written);
    thi_memory_inject(&room.memory, 1, false);
    cr_assert_null(thi_spool_room(&spool, TH_LINK_CHUNK_SIZE, &there));
    put(&spool, 100, &written);
    get(&spool, SIZE_MAX, &pulled);
    cr_assert_eq(pulled, 200);
    thi_spool_fini(&spool);
    mailroom_close(&room);
}
