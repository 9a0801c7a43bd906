#include "runtime/admin/admin.h"

#include "runtime/admin/dead_letters.h"
#include "runtime/admin/logger.h"
#include "runtime/actor/exit.h"
#include "runtime/actor/mail.h"
#include "runtime/actor/send.h"
#include "mailbox/msg.h"
#include <thespis/name.h>
#include <thespis/assert.h>

struct thi_admin {
    struct thi_dead_letters letters;
    struct thi_logger_keeper logger;
};

/* Asks the @count children at the front of the list to exit. */
static void ask_newcomers(th_self *self, struct thi_cell *admin, uint32_t count)
{
    struct thi_stage *stage = thi_stage_of(self);
    uint32_t slot = admin->first_child;

    while (count--) {
        struct thi_cell *child = thi_directory_at(&stage->directory, slot);
        th_msg *request = thi_msg_create(self->voice.heap, &thi_exit_with_parent_type, 0);
        th_addr addr = thi_self_addr(self);

        if (!request) {
            /* the exit goes on from here when there is memory: thi_exit_advance() asks this child
             * and, once more, those behind it */
            admin->ask_cursor = slot;
            thi_cell_raise(admin, THI_CELL_STALLED);
            return;
        }
        slot = child->next_sibling;
        addr.slot = child->slot;
        /* relaxed: only we retire it */
        addr.generation = atomic_load_explicit(&child->generation, memory_order_relaxed);
        thi_post_to(self, thi_self_addr(self), addr, request);
    }
}

/* Also an exiting admin adopts: a spawn may have been under way when the shutdown began, and an
 * exiting actor may leave its children behind. They are asked to exit like the others. */
static void adopt(th_self *self, th_addr addr)
{
    struct thi_stage *stage = thi_stage_of(self);
    struct thi_cell *admin = thi_cell_of_self(self);
    struct thi_cell *child = thi_directory_find(&stage->directory, addr);
    uint32_t count = 0;

    TH_ASSERT(
        child); /* its slot is retired by us, when we hear of its end, which comes after this */
    for (uint32_t next; child; child = next ? thi_directory_at(&stage->directory, next) : NULL) {
        next = child->next_sibling;
        thi_children_add(stage, admin, child);
        count++;
    }
    if (thi_cell_life(admin) == THI_CELL_EXITING)
        ask_newcomers(self, admin, count);
}

static th_err answer_where(th_self *self, const th_msg *msg)
{
    const struct th_whereis *asked = th_whereis_of(msg);
    struct th_found *found;
    th_msg *answer = th_found_new(self, &found);

    if (!answer)
        return TH_E_NOMEM;
    found->name = th_blob_ref(asked->name);
    found->token = asked->token;
    if (!asked->name || th_name_find(self, asked->name->data, &found->actor))
        found->actor = th_addr_none();
    return th_send(self, th_msg_sender(msg), answer);
}

static th_err receive(th_self *self, void *state, const th_msg *msg)
{
    struct thi_admin *admin = state;
    const th_type *type = th_msg_type(msg);

    if (type == &thi_adopt_type)
        adopt(self, thi_adopt_of(msg)->child);
    else if (type == &thi_letters_to_type)
        thi_dead_letters_register(&admin->letters, self, msg);
    else if (type == &th_whereis_type)
        return answer_where(self, msg);
    else if (type == &thi_letter_type)
        thi_dead_letters_tell(&admin->letters, self, msg);
    else
        thi_logger_keep(&admin->logger, self, msg);
    /* what is left: exits of children and its own, which the runtime sees to */
    return TH_OK;
}

const th_class thi_admin_class = {
    .name = "thespis.admin",
    .state_size = sizeof(struct thi_admin),
    .receive = receive,
};
