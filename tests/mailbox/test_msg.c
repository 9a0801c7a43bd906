/* tests of mailbox/msg.h and mailbox/msg.c
 *
 * Past 500 lines: create, duplicate and destroy are tests of one another. */
#include "mailroom.h"

#include <stdatomic.h>

#include <thespis/config.h>

#include "mailbox/msg.h"

#define POINT_FIELDS(F, S) F(S, i32, x) F(S, i32, y)
TH_MESSAGE(point, POINT_FIELDS);
TH_MESSAGE_TYPE(point, POINT_FIELDS)

TH_SIGNAL(stop);
TH_SIGNAL_TYPE(stop)

#define FILE_FIELDS(F, S) F(S, u64, id)
TH_MESSAGE(file, FILE_FIELDS);
TH_MESSAGE_TYPE_AS(file, FILE_FIELDS, TH_TYPE_REST, NULL)

#define WRAP_FIELDS(F, S) F(S, msg, inner) F(S, str, text)
TH_MESSAGE(wrap, WRAP_FIELDS);
TH_MESSAGE_TYPE(wrap, WRAP_FIELDS)

#define SHELF_FIELDS(F, S) F(S, nesteds, wrap, wraps, 3) F(S, bytes, bytes) F(S, nested, point, at)
TH_MESSAGE(shelf, SHELF_FIELDS);
TH_MESSAGE_TYPE(shelf, SHELF_FIELDS)

struct handle {
    _Atomic int *open;
};
static void handle_close(void *body)
{
    struct handle *handle = body;

    /* relaxed: read after the threads have joined */
    atomic_fetch_sub_explicit(handle->open, 1, memory_order_relaxed);
}
TH_MESSAGE_LOCAL(handle);
TH_MESSAGE_LOCAL_TYPE(handle, handle_close)

static bool is_zero(const void *at, size_t size)
{
    const char *bytes = at;

    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

/* The user's way and the runtime's to destroy a message, in turns: each test that frees several
 * sees both, and with `turn` set before, both orders. */
static unsigned turn;

static void destroy(struct mailroom *room, th_msg *msg)
{
    if (turn++ % 2)
        th_msg_destroy(mailroom_self(room), msg);
    else
        thi_msg_destroy(&room->heap, msg);
}

/* ---- create ---- */

Test(msg, is_new_zeroed_and_from_nobody)
{
    struct mailroom room;
    struct point *body;
    th_msg *msg;

    mailroom_open(&room, 0);
    msg = point_new(mailroom_self(&room), &body);
    cr_assert_eq(th_msg_type(msg), &point_type);
    cr_assert_eq(th_msg_body(msg), body);
    cr_assert_eq(point_of(msg), body);
    cr_assert_eq(th_msg_size(msg), sizeof(*body));
    cr_assert(is_zero(body, sizeof(*body)));
    cr_assert(th_addr_is_none(th_msg_sender(msg)) && th_addr_is_none(th_msg_target(msg)));
    th_msg_destroy(mailroom_self(&room), msg);
    mailroom_close(&room);
}

Test(msg, of_each_size_is_zeroed_though_the_block_was_used)
{
    struct mailroom room;
    th_self *self;
    size_t size;

    mailroom_open(&room, 0);
    self = mailroom_self(&room);
    for (size = 0; size < 9000; size++) {
        int round;

        for (round = 0; round < 2; round++) {
            th_msg *msg = th_msg_create_sized(self, &stop_type, size);
            size_t rest;

            cr_assert_eq(th_msg_size(msg), size);
            cr_assert_eq(th_msg_rest(msg, &rest), th_msg_body(msg));
            cr_assert_eq(rest, size);
            cr_assert(is_zero(th_msg_body(msg), size), "size %zu", size);
            cr_assert_eq((uintptr_t)th_msg_body(msg) % 16, 0);
            memset(th_msg_body(msg), 0xff, size);
            th_msg_destroy(self, msg);
        }
    }
    mailroom_close(&room);
}

Test(msg, of_the_largest_size_and_no_larger, .timeout = 60)
{
    struct mailroom room;
    th_self *self;
    th_msg *msg;

    mailroom_open(&room, 0);
    self = mailroom_self(&room);
    msg = th_msg_create_sized(self, &file_type, TH_MESSAGE_SIZE_MAX - sizeof(struct file));
    cr_assert_eq(th_msg_size(msg), TH_MESSAGE_SIZE_MAX);
    cr_assert(is_zero(th_msg_body(msg), TH_MESSAGE_SIZE_MAX));
    ((char *)th_msg_body(msg))[TH_MESSAGE_SIZE_MAX - 1] = 1;
    th_msg_destroy(self, msg);
    cr_assert_null(
        th_msg_create_sized(self, &file_type, TH_MESSAGE_SIZE_MAX - sizeof(struct file) + 1));
    cr_assert_eq(thi_voice_take_why(&room.voice), TH_E_TOO_BIG);
    cr_assert_null(th_msg_create_sized(self, &file_type, SIZE_MAX));
    cr_assert_eq(thi_voice_take_why(&room.voice), TH_E_TOO_BIG);
    mailroom_close(&room);
}

Test(msg, rest_begins_behind_the_struct)
{
    struct mailroom room;
    th_msg *msg;
    size_t rest;

    mailroom_open(&room, 0);
    msg = th_msg_create_sized(mailroom_self(&room), &file_type, 100);
    cr_assert_eq((char *)th_msg_rest(msg, &rest), (char *)th_msg_body(msg) + sizeof(struct file));
    cr_assert_eq(rest, 100);
    th_msg_destroy(mailroom_self(&room), msg);
    mailroom_close(&room);
}

Test(msg, refuses_what_a_user_may_not_make)
{
    static const th_type huge = { .name = "huge", .size = TH_MESSAGE_SIZE_MAX + 1 };
    struct mailroom room;
    th_self *self;
    th_msg *msg;

    mailroom_open(&room, 0);
    self = mailroom_self(&room);
    cr_assert_null(th_msg_create(self, NULL));
    cr_assert_eq(thi_voice_take_why(&room.voice), TH_E_INVALID);
    cr_assert_null(th_msg_create_sized(self, NULL, 1));
    cr_assert_eq(thi_voice_take_why(&room.voice), TH_E_INVALID);
    cr_assert_null(th_msg_create_sized(self, &point_type, 0));
    cr_assert_eq(thi_voice_take_why(&room.voice), TH_E_INVALID, "it has no rest");
    cr_assert_null(th_msg_create(self, &th_wakeup_type));
    cr_assert_eq(thi_voice_take_why(&room.voice), TH_E_NOT_ALLOWED);
    cr_assert_null(th_msg_create(self, &huge));
    cr_assert_eq(thi_voice_take_why(&room.voice), TH_E_TOO_BIG);
    cr_assert_null(th_msg_create(NULL, &point_type));
    cr_assert_null(th_msg_create_sized(NULL, &file_type, 1));
    msg = th_msg_create(self, &th_exit_request_type);
    cr_assert_not_null(msg, "anybody may ask for an exit");
    th_msg_destroy(self, msg);
    th_msg_destroy(self, NULL);
    th_msg_destroy(NULL, NULL);
    mailroom_close(&room);
}

Test(msg, the_runtime_makes_all_types)
{
    struct mailroom room;
    th_msg *msg;

    mailroom_open(&room, 0);
    msg = thi_msg_create(&room.heap, &th_wakeup_type, 0);
    cr_assert_eq(th_msg_type(msg), &th_wakeup_type);
    cr_assert(is_zero(th_msg_body(msg), sizeof(struct th_wakeup)));
    thi_msg_destroy(&room.heap, msg);
    thi_msg_destroy(&room.heap, NULL);
    mailroom_close(&room);
}

/* ---- no memory ---- */

/* Something of everything; NULL when a take failed, with all that was made destroyed. */
static th_msg *make_a_shelf(th_self *self)
{
    struct shelf *body;
    th_msg *shelf = shelf_new(self, &body);
    int i;

    if (!shelf)
        return NULL;
    for (i = 0; i < 3; i++) {
        body->wraps[i].inner = th_msg_create_sized(self, &stop_type, i == 1 ? 100000 : 10);
        body->wraps[i].text = th_blob_text(self, "text");
        if (!body->wraps[i].inner || !body->wraps[i].text)
            goto failed;
    }
    body->bytes = th_blob_create(self, "bytes", 5);
    if (!body->bytes)
        goto failed;
    return shelf;
failed:
    th_msg_destroy(self, shelf);
    return NULL;
}

Test(msg, each_take_may_fail)
{
    uint64_t nth;
    bool done = false;

    for (nth = 1; !done; nth++) {
        struct mailroom room;
        th_self *self;
        th_msg *shelf, *dup = NULL;

        mailroom_open(&room, 0);
        self = mailroom_self(&room);
        thi_memory_inject(&room.memory, nth, false);
        shelf = make_a_shelf(self);
        if (shelf)
            dup = th_msg_dup(self, shelf);
        done = shelf && dup;
        th_msg_destroy(self, shelf);
        th_msg_destroy(self, dup);
        mailroom_close(&room);
    }
    cr_assert_gt(nth, 5, "nothing failed");
}

Test(msg, says_that_memory_is_out)
{
    struct mailroom room;
    th_self *self;
    th_msg *msg;

    mailroom_open(&room, 64 * 1024);
    self = mailroom_self(&room);
    msg = point_new(self, NULL);
    cr_assert_null(th_msg_create_sized(self, &stop_type, 100000));
    cr_assert_eq(thi_voice_take_why(&room.voice), TH_E_NOMEM);
#if THI_CHECKED
    thi_memory_inject(&room.memory, 1, true);
    cr_assert_null(th_msg_create(self, &point_type));
    cr_assert_eq(thi_voice_take_why(&room.voice), TH_E_NOMEM);
    cr_assert_null(th_msg_dup(self, msg));
    cr_assert_eq(thi_voice_take_why(&room.voice), TH_E_NOMEM);
    cr_assert_null(thi_msg_dup(&room.heap, msg));
    cr_assert_null(thi_msg_create(&room.heap, &point_type, 0));
#endif
    th_msg_destroy(self, msg);
    mailroom_close(&room);
}

/* ---- dup ---- */

Test(msg, a_small_body_is_copied)
{
    struct mailroom room;
    th_self *self;
    th_msg *msg, *dup;
    struct point *body;

    mailroom_open(&room, 0);
    self = mailroom_self(&room);
    msg = point_new(self, &body);
    body->x = 7;
    msg->thi_from = (th_addr){ 1, 2, 3 };
    msg->thi_to = (th_addr){ 4, 5, 6 };
    dup = th_msg_dup(self, msg);
    cr_assert_neq(th_msg_body(dup), th_msg_body(msg));
    cr_assert_not(thi_msg_is_shared(msg));
    th_msg_destroy(self, msg);
    cr_assert_eq(point_of(dup)->x, 7);
    cr_assert_eq(th_msg_size(dup), sizeof(struct point));
    cr_assert(th_addr_equal(th_msg_sender(dup), (th_addr){ 1, 2, 3 }));
    cr_assert(th_addr_equal(th_msg_target(dup), (th_addr){ 4, 5, 6 }));
    th_msg_destroy(self, dup);
    cr_assert_null(th_msg_dup(self, NULL));
    cr_assert_null(th_msg_dup(NULL, NULL));
    mailroom_close(&room);
}

Test(msg, copies_to_the_limit_and_shares_above)
{
    struct mailroom room;
    th_self *self;
    size_t size;

    mailroom_open(&room, 0);
    self = mailroom_self(&room);
    for (size = 0; size < 2 * TH_MESSAGE_COPY_MAX; size++) {
        th_msg *msg = th_msg_create_sized(self, &stop_type, size);
        th_msg *dup;

        memset(th_msg_body(msg), (int)size, size);
        dup = th_msg_dup(self, msg);
        cr_assert_eq(th_msg_body(dup) == th_msg_body(msg), size > TH_MESSAGE_COPY_MAX);
        cr_assert_arr_eq(th_msg_body(dup), th_msg_body(msg), size);
        cr_assert_eq(th_msg_size(dup), size);
        th_msg_destroy(self, size % 2 ? msg : dup);
        th_msg_destroy(self, size % 2 ? dup : msg);
    }
    mailroom_close(&room);
}

/* Four envelopes of one body, each order of their ends, small blocks and large. */
Test(msg, a_shared_body_lives_until_its_last_envelope)
{
    int order;

    for (order = 0; order < 2 * 4 * 3 * 2; order++) {
        static const size_t sizes[] = { 1000, 100000 };
        struct mailroom room;
        th_self *self;
        int s;

        turn = order % 2;
        mailroom_open(&room, 0);
        self = mailroom_self(&room);
        for (s = 0; s < 2; s++) {
            th_msg *msgs[4];
            int left, pick = order / 2;

            msgs[0] = th_msg_create_sized(self, &stop_type, sizes[s]);
            memset(th_msg_body(msgs[0]), 'z', sizes[s]);
            msgs[1] = th_msg_dup(self, msgs[0]);
            msgs[2] = th_msg_dup(self, msgs[1]); /* a copy of a copy shares with the root */
            msgs[3] = th_msg_dup(self, msgs[2]);
            cr_assert_eq(thi_msg_root(msgs[3]), msgs[0]);
            for (left = 4; left > 0; left--) {
                int which = pick % left;
                const char *body = th_msg_body(msgs[which]);

                pick /= left;
                cr_assert_eq(thi_msg_is_shared(msgs[which]), left > 1);
                cr_assert(body[0] == 'z' && body[sizes[s] - 1] == 'z');
                destroy(&room, msgs[which]);
                msgs[which] = msgs[left - 1];
            }
        }
        mailroom_close(&room);
    }
}

Test(msg, the_copy_survives_its_root_and_can_be_copied)
{
    struct mailroom room;
    th_self *self;
    th_msg *root, *second, *third;

    mailroom_open(&room, 0);
    self = mailroom_self(&room);
    root = th_msg_create_sized(self, &stop_type, 500);
    second = th_msg_dup(self, root);
    destroy(&room, root);
    third = th_msg_dup(self, second);
    destroy(&room, second);
    cr_assert_eq(th_msg_size(third), 500);
    cr_assert_not(thi_msg_is_shared(third));
    destroy(&room, third);
    mailroom_close(&room);
}

Test(msg, what_is_owned_is_shared_however_small)
{
    struct mailroom room;
    th_self *self;
    th_msg *msg, *dup;
    struct wrap *body;
    th_blob *text;

    mailroom_open(&room, 0);
    self = mailroom_self(&room);
    msg = wrap_new(self, &body);
    text = th_blob_text(self, "kept");
    body->text = th_blob_ref(text);
    dup = th_msg_dup(self, msg);
    destroy(&room, msg);
    cr_assert_eq(wrap_of(dup)->text, text);
    destroy(&room, dup);
    cr_assert_str_eq(text->data, "kept");
    th_blob_unref(text);
    mailroom_close(&room);
}

/* ---- destroy ---- */

Test(msg, destroys_what_it_owns_and_what_that_owns)
{
    struct mailroom room;
    th_msg *shelf;
    int i;

    mailroom_open(&room, 0);
    for (i = 0; i < 2; i++) {
        shelf = make_a_shelf(mailroom_self(&room));
        cr_assert_not_null(shelf);
        destroy(&room, shelf);
    }
    mailroom_close(&room);
}

Test(msg, a_local_body_ends_once_with_its_last_envelope)
{
    struct mailroom room;
    th_self *self;
    struct handle *body;
    th_msg *msg, *dup;
    _Atomic int open;

    atomic_init(&open, 1);
    mailroom_open(&room, 0);
    self = mailroom_self(&room);
    msg = handle_new(self, &body);
    body->open = &open;
    dup = th_msg_dup(self, msg);
    destroy(&room, msg);
    cr_assert_eq(atomic_load(&open), 1);
    destroy(&room, dup);
    cr_assert_eq(atomic_load(&open), 0);
    mailroom_close(&room);
}

Test(msg, any_depth_is_destroyed_on_a_small_stack, .timeout = 60)
{
    struct mailroom room;
    th_self *self;
    th_msg *msg = NULL, *copy;
    int i;

    mailroom_open(&room, 0);
    self = mailroom_self(&room);
    for (i = 0; i < 1000000; i++) {
        struct wrap *body;
        th_msg *outer = wrap_new(self, &body);

        body->inner = msg;
        msg = outer;
    }
    copy = th_msg_dup(self, msg);
    destroy(&room, msg);
    cr_assert_not_null(wrap_of(copy)->inner);
    destroy(&room, copy);
    mailroom_close(&room);
}

Test(msg, a_shared_message_inside_two_others_goes_with_the_second)
{
    struct mailroom room;
    th_self *self;
    th_msg *inner, *outer[2];
    struct wrap *body;
    int i;

    mailroom_open(&room, 0);
    self = mailroom_self(&room);
    inner = th_msg_create_sized(self, &stop_type, 1000);
    for (i = 0; i < 2; i++) {
        outer[i] = wrap_new(self, &body);
        body->inner = th_msg_dup(self, inner);
    }
    destroy(&room, inner);
    destroy(&room, outer[0]);
    cr_assert_eq(th_msg_size(wrap_of(outer[1])->inner), 1000);
    destroy(&room, outer[1]);
    mailroom_close(&room);
}

#if THI_CHECKED
static struct mailroom crime_scene;

static void destroy_twice(void)
{
    th_self *self = mailroom_self(&crime_scene);
    th_msg *msg = point_new(self, NULL);

    thi_msg_destroy(&crime_scene.heap, msg);
    thi_msg_destroy(&crime_scene.heap, msg);
}

Test(msg, destroying_twice_is_caught)
{
    mailroom_open(&crime_scene, 0);
    cr_assert(mailroom_dies(destroy_twice));
    mailroom_close(&crime_scene);
}
#endif

/* ---- shared between threads ---- */

struct sharer {
    struct mailroom *room;
    th_msg *msg;
};

static void *copy_read_destroy(void *context)
{
    struct sharer *sharer = context;
    struct thi_heap heap;
    int i;

    thi_heap_init(&heap, &sharer->room->memory, &sharer->room->depot);
    for (i = 0; i < 5000; i++) {
        th_msg *dup = thi_msg_dup(&heap, sharer->msg);

        cr_assert_str_eq(wrap_of(dup)->text->data, "shared");
        thi_msg_destroy(&heap, sharer->msg);
        sharer->msg = dup;
    }
    thi_msg_destroy(&heap, sharer->msg);
    thi_heap_fini(&heap);
    return NULL;
}

Test(msg, four_threads_share_one_body, .timeout = 60)
{
    int round;

    for (round = 0; round < 20; round++) {
        struct mailroom room;
        struct sharer sharers[4];
        struct wrap *body;
        int i;

        mailroom_open(&room, 0);
        sharers[0].msg = wrap_new(mailroom_self(&room), &body);
        body->text = th_blob_text(mailroom_self(&room), "shared");
        body->inner = point_new(mailroom_self(&room), NULL);
        for (i = 0; i < 4; i++) {
            sharers[i].room = &room;
            if (i > 0)
                sharers[i].msg = th_msg_dup(mailroom_self(&room), sharers[0].msg);
        }
        mailroom_threads(4, copy_read_destroy, sharers, sizeof(sharers[0]));
        mailroom_close(&room);
    }
}

/* Who finds itself alone with a body may reuse its block at once: all that the others read of it
 * must have happened before. */
static void *read_destroy_reuse(void *context)
{
    struct sharer *sharer = context;
    struct thi_heap heap;
    th_msg *mine;

    thi_heap_init(&heap, &sharer->room->memory, &sharer->room->depot);
    cr_assert(is_zero(th_msg_body(sharer->msg), 500));
    thi_msg_destroy(&heap, sharer->msg);
    mine = thi_msg_create(&heap, &stop_type, 500);
    memset(th_msg_body(mine), 'm', 500);
    thi_msg_destroy(&heap, mine);
    thi_heap_fini(&heap);
    return NULL;
}

Test(msg, a_body_is_not_reused_before_its_last_reader, .timeout = 60)
{
    int round;

    for (round = 0; round < 500; round++) {
        struct mailroom room;
        struct sharer sharers[2];

        mailroom_open(&room, 0);
        sharers[0].room = sharers[1].room = &room;
        sharers[round % 2].msg = th_msg_create_sized(mailroom_self(&room), &stop_type, 500);
        sharers[1 - round % 2].msg = th_msg_dup(mailroom_self(&room), sharers[round % 2].msg);
        mailroom_threads(2, read_destroy_reuse, sharers, sizeof(sharers[0]));
        mailroom_close(&room);
    }
}
