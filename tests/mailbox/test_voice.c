/* tests of mailbox/voice.h */
#include "mailroom.h"

#include <thespis/config.h>

#include "mailbox/msg.h"

TH_SIGNAL(nod);
TH_SIGNAL_TYPE(nod)

Test(voice, says_once_why_a_message_is_null)
{
    struct mailroom room;

    mailroom_open(&room, 0);
    cr_assert_eq(thi_voice_take_why(&room.voice), TH_E_INVALID, "nothing failed: a plain NULL");
    cr_assert_null(th_msg_create(mailroom_self(&room), &th_poison_type));
    cr_assert_eq(thi_voice_take_why(&room.voice), TH_E_NOT_ALLOWED);
    cr_assert_eq(thi_voice_take_why(&room.voice), TH_E_INVALID);
    mailroom_close(&room);
}

static void *create_and_destroy(void *context)
{
    th_self *self = *(th_self **)context;
    int i;

    for (i = 0; i < 20000; i++) {
        th_msg *msg = nod_new(self, NULL);
        th_msg *dup = th_msg_dup(self, msg);

        cr_assert(msg && dup);
        th_msg_destroy(self, msg);
        th_msg_destroy(self, dup);
        cr_assert_null(th_msg_create(self, NULL));
    }
    return NULL;
}

Test(voice, with_a_lock_is_for_many_threads, .timeout = 60)
{
    struct mailroom room;
    struct thi_voice_lock lock;
    th_self *selves[4];
    int i;

    mailroom_open(&room, 0);
    cr_assert_eq(thi_voice_lock_init(&lock), TH_OK);
    room.voice.lock = &lock;
    for (i = 0; i < 4; i++)
        selves[i] = mailroom_self(&room);
    mailroom_threads(4, create_and_destroy, selves, sizeof(selves[0]));
    cr_assert_eq(thi_voice_take_why(&room.voice), TH_E_INVALID);
    thi_voice_lock_fini(&lock);
    mailroom_close(&room);
}
