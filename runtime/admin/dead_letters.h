/* runtime/admin/dead_letters.h: who hears of dead letters. The admin's, used in its turns only. */
#ifndef THI_ADMIN_DEAD_LETTERS_H
#define THI_ADMIN_DEAD_LETTERS_H

#include <thespis/actor.h>
#include <thespis/config.h>

struct thi_dead_letters {
    th_addr handlers[TH_DEAD_LETTER_HANDLERS_MAX]; /* in the order they registered */
    uint32_t count;
};

/* @msg is a thi_letters_to: @actor wants them, or no more. */
void thi_dead_letters_register(struct thi_dead_letters *letters, th_self *self, const th_msg *msg);

/* @msg is a thi_letter: each handler gets it as th_dead_letter. */
void thi_dead_letters_tell(struct thi_dead_letters *letters, th_self *self, const th_msg *msg);

#endif
