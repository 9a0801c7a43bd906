/* In which order mail that waits lies, and what passes a held actor. */
#include "puppet.h"

#include "runtime/actor/credits.h"
#include "runtime/actor/gate.h"
#include "runtime/actor/mail.h"
#include "runtime/actor/send.h"
#include "mailbox/msg.h"

/* ---- three runs ---- */

enum { SLOT = 7 };

static const th_type cancel_type = { .name = "cancel" };
static const th_type abort_type = { .name = "abort", .parent = &cancel_type };
static const th_type plain_type = { .name = "plain" };
static const th_type *const urgent_types[] = { &cancel_type, NULL };
static const th_class sorting = { .name = "sorting", .urgent = urgent_types };

struct desk {
    struct thi_cell cell;
    struct thi_cell_extra extra;
    th_msg msgs[16];
    int count;
};

static void lay(struct desk *desk, const th_class *klass)
{
    *desk = (struct desk){ 0 };
    desk->cell.klass = klass;
    desk->cell.slot = SLOT;
    desk->cell.extra = &desk->extra;
}

static th_msg *add(struct desk *desk, const th_type *type)
{
    th_msg *msg = &desk->msgs[desk->count++];

    msg->thi_type = type;
    msg->thi_to.slot = SLOT;
    return msg;
}

/* s: the system's, u: the class's urgent, p: plain. */
static const th_type *type_of(char what)
{
    return what == 's' ? &th_wakeup_type : what == 'u' ? &abort_type : &plain_type;
}

/* A chain of what @text says, put back. */
static void put_back(struct desk *desk, const char *text)
{
    th_msg *head = NULL, *tail = NULL;

    for (; *text; text++) {
        th_msg *msg = add(desk, type_of(*text));

        if (tail)
            tail->thi_next = msg;
        else
            head = msg;
        tail = msg;
    }
    thi_gate_put_back(&desk->cell, head, tail);
}

/* The mail, each as the place of its making. */
static const char *order(const struct desk *desk)
{
    static char text[32];
    int length = 0;

    for (const th_msg *msg = desk->cell.mail_head; msg; msg = msg->thi_next)
        text[length++] = (char)('a' + (msg - desk->msgs));
    text[length] = '\0';
    return text;
}

static void check_ends(const struct desk *desk, char sorted, char tail)
{
    cr_assert_eq(desk->extra.sorted, sorted == '-' ? NULL : &desk->msgs[sorted - 'a']);
    cr_assert_eq(desk->cell.mail_tail, &desk->msgs[tail - 'a']);
}

Test(gate, what_is_put_back_is_first_in_its_run)
{
    struct desk desk;

    lay(&desk, &sorting);
    put_back(&desk, "pup"); /* into nothing */
    cr_assert_str_eq(order(&desk), "bac");
    check_ends(&desk, 'b', 'c');
    put_back(&desk, "up"); /* before what is of its kind */
    cr_assert_str_eq(order(&desk), "dbeac");
    check_ends(&desk, 'b', 'c');
    put_back(&desk, "p");
    cr_assert_str_eq(order(&desk), "dbfeac");
    check_ends(&desk, 'b', 'c');
}

Test(gate, what_is_put_back_comes_after_the_systems)
{
    struct desk desk;

    lay(&desk, &sorting);
    desk.cell.mail_head = desk.cell.mail_tail = add(&desk, &th_wakeup_type);
    put_back(&desk, "pu");
    cr_assert_str_eq(order(&desk), "acb");
    check_ends(&desk, 'c', 'b');
    lay(&desk, &puppet_class);
    desk.cell.mail_head = desk.cell.mail_tail = add(&desk, &th_wakeup_type);
    put_back(&desk, "pu"); /* nothing is urgent to that class */
    cr_assert_str_eq(order(&desk), "abc");
    check_ends(&desk, '-', 'c');
}

Test(gate, urgent_is_what_the_class_says_and_its_descendants)
{
    struct desk desk;

    lay(&desk, &sorting);
    cr_assert(thi_gate_is_urgent(&desk.cell, add(&desk, &cancel_type)));
    cr_assert(thi_gate_is_urgent(&desk.cell, add(&desk, &abort_type)));
    cr_assert_not(thi_gate_is_urgent(&desk.cell, add(&desk, &plain_type)));
    cr_assert_not(thi_gate_is_urgent(&desk.cell, add(&desk, &th_wakeup_type)));
    desk.msgs[0].thi_to.slot = SLOT + 1; /* the answer to a question */
    cr_assert_not(thi_gate_is_urgent(&desk.cell, &desk.msgs[0]));
    lay(&desk, &puppet_class);
    cr_assert_not(thi_gate_is_urgent(&desk.cell, add(&desk, &cancel_type)));
}

/* ---- who is held ---- */

static th_err note_it(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    (void)self, (void)puppet;
    if (th_wakeup_of(msg))
        note('w', 0, th_addr_none());
    if (work_of(msg))
        note('m', work_of(msg)->number, th_msg_sender(msg));
    return TH_OK;
}

/* Held by nobody, so until the test lets it go; and a wakeup comes meanwhile. */
static uint64_t hold(th_self *self, struct puppet *puppet, const struct order *order)
{
    struct thi_cell *cell = thi_cell_of_self(self);

    (void)puppet, (void)order;
    cr_assert_not_null(thi_cell_extra(thi_stage_of(self), cell));
    thi_cell_raise(cell, THI_CELL_HELD);
    return (uint64_t)th_wakeup_after(self, 0, NULL, NULL);
}

static void post(struct test_system *ts, th_addr actor, const th_type *type)
{
    th_msg *msg = thi_msg_create(ts->me->voice.heap, type, 0);

    cr_assert_not_null(msg);
    thi_post_to(ts->me, actor, actor, msg);
    cr_assert_eq(th_advance(ts->sys, 1), TH_OK);
}

static size_t depth_of(struct test_system *ts, th_addr actor)
{
    size_t depth;

    cr_assert_eq(th_mailbox_depth(ts->sys, actor, &depth), TH_OK);
    return depth;
}

/* A held actor is not idle, and has not handled all: questions about mail wait like mail. */
Test(gate, questions_about_mail_wait_with_it)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_addr actor = puppet_new(&ts, (struct part){ .receive = note_it });

    journal_clear();
    cr_assert_eq(tell(&ts, actor, hold, 0), TH_OK);
    send_works(ts.me, actor, 1, 2);
    post(&ts, actor, &thi_time_up_type);
    post(&ts, actor, &th_ask_handled_type);
    cr_assert_eq(depth_of(&ts, actor), 4);
    journal_wait(&ts, 1);
    cr_assert_eq(journal[0].what, 'w');
    post(&ts, actor, &thi_released_type);
    cr_assert_eq(depth_of(&ts, actor), 0);
    journal_wait(&ts, 3);
    cr_assert_eq(journal[1].number, 1);
    cr_assert_eq(journal[2].number, 2);
    test_system_close(&ts);
}
