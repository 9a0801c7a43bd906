/* tests of mailbox/blob.c */
#include "mailroom.h"

Test(blob, holds_a_copy_and_a_nul_behind_it)
{
    struct mailroom room;
    char data[5] = { 'a', 'b', '\0', 'c', 'd' };
    th_blob *blob;

    mailroom_open(&room, 0);
    blob = th_blob_create(mailroom_self(&room), data, sizeof(data));
    memset(data, 'x', sizeof(data));
    cr_assert_eq(blob->size, 5);
    cr_assert_arr_eq(blob->data, "ab\0cd", 6);
    th_blob_unref(blob);
    mailroom_close(&room);
}

Test(blob, takes_texts_and_nothing)
{
    struct mailroom room;
    th_blob *text, *empty, *nothing;

    mailroom_open(&room, 0);
    text = th_blob_text(mailroom_self(&room), "hello");
    empty = th_blob_text(mailroom_self(&room), "");
    nothing = th_blob_create(mailroom_self(&room), NULL, 0);
    cr_assert_str_eq(text->data, "hello");
    cr_assert_eq(text->size, 5);
    cr_assert(empty->size == 0 && empty->data[0] == '\0');
    cr_assert(nothing->size == 0 && nothing->data[0] == '\0');
    th_blob_unref(text);
    th_blob_unref(empty);
    th_blob_unref(nothing);
    mailroom_close(&room);
}

Test(blob, reserve_is_filled_by_the_caller)
{
    struct mailroom room;
    th_blob *blob;
    char *data = NULL;

    mailroom_open(&room, 0);
    blob = th_blob_reserve(mailroom_self(&room), 3, &data);
    memcpy(data, "xyz", 3);
    cr_assert_str_eq(blob->data, "xyz");
    th_blob_unref(blob);
    mailroom_close(&room);
}

Test(blob, answers_bad_arguments_with_null)
{
    struct mailroom room;
    char *data;

    mailroom_open(&room, 0);
    cr_assert_null(th_blob_create(NULL, "a", 1));
    cr_assert_null(th_blob_create(mailroom_self(&room), NULL, 1));
    cr_assert_null(th_blob_text(NULL, "a"));
    cr_assert_null(th_blob_text(mailroom_self(&room), NULL));
    cr_assert_null(th_blob_reserve(mailroom_self(&room), 1, NULL));
    cr_assert_null(th_blob_reserve(NULL, 1, &data));
    cr_assert_null(th_blob_reserve(mailroom_self(&room), SIZE_MAX, &data));
    cr_assert_null(th_blob_reserve(mailroom_self(&room), SIZE_MAX - 8, &data));
    cr_assert_null(th_blob_ref(NULL));
    th_blob_unref(NULL);
    mailroom_close(&room);
}

Test(blob, says_when_there_is_no_memory)
{
    struct mailroom room;

    mailroom_open(&room, 0);
    thi_memory_inject(&room.memory, 1, false);
    cr_assert_null(th_blob_text(mailroom_self(&room), "hello"));
    mailroom_close(&room);
}

Test(blob, lives_until_its_last_owner)
{
    struct mailroom room;
    th_blob *blob;

    mailroom_open(&room, 0);
    blob = th_blob_text(mailroom_self(&room), "hello");
    cr_assert_eq(th_blob_ref(blob), blob);
    cr_assert_eq(th_blob_ref(blob), blob);
    th_blob_unref(blob);
    th_blob_unref(blob);
    cr_assert_str_eq(blob->data, "hello");
    th_blob_unref(blob);
    mailroom_close(&room);
}

static void *read_and_leave(void *context)
{
    th_blob *blob = *(th_blob **)context;
    int i;

    for (i = 0; i < 10000; i++) {
        th_blob *mine = th_blob_ref(blob);

        cr_assert_eq(mine->data[mine->size - 1], 'o');
        th_blob_unref(mine);
    }
    th_blob_unref(blob);
    return NULL;
}

Test(blob, is_freed_once_by_whichever_thread_is_last, .timeout = 60)
{
    struct mailroom room;
    th_blob *contexts[4];
    int i;

    mailroom_open(&room, 0);
    contexts[0] = th_blob_text(mailroom_self(&room), "hello");
    for (i = 1; i < 4; i++)
        contexts[i] = th_blob_ref(contexts[0]);
    mailroom_threads(4, read_and_leave, contexts, sizeof(contexts[0]));
    mailroom_close(&room);
}
