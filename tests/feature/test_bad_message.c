/* Messages that cannot say what they are, and handlers that fail on and off. */
#include "tests/support/system.h"
#include "tests/support/talk.h"

struct grim {
    int64_t value;
};
TH_MESSAGE_LOCAL(grim);

/* Says that it cannot, having scribbled over all it was given. */
static int grim_describe(const void *body, char *text, size_t size)
{
    if (size)
        memset(text, 'x', size);
    return -1;
}

const th_type grim_type = {
    .name = "grim", .size = sizeof(struct grim), .flags = TH_TYPE_LOCAL, .describe = grim_describe
};

/* Claims a length that no buffer has. */
struct boaster {
    int64_t value;
};
TH_MESSAGE_LOCAL(boaster);

static int boaster_describe(const void *body, char *text, size_t size)
{
    if (size)
        memset(text, 'y', size); /* and never ends it */
    return INT32_MAX;
}

const th_type boaster_type = { .name = "boaster",
                               .size = sizeof(struct boaster),
                               .flags = TH_TYPE_LOCAL,
                               .describe = boaster_describe };

struct reader {
    int64_t count;
};

/* Describes what it gets and fails each odd time; of a grim one always, since a retry is next. */
static th_err reader_receive(th_self *self, void *state, const th_msg *msg)
{
    struct reader *reader = state;
    char text[TALK_TEXT_SIZE];

    reader->count++;
    if (th_exit_request_of(msg))
        return TH_OK;
    th_msg_describe(msg, text, sizeof(text));
    if (grim_of(msg) || (boaster_of(msg) && reader->count % 2 == 1))
        return th_fail(self, TH_E_PARSE, "got a bad message: %s", text);
    if (talk_number_of(msg))
        return talk_count(self, th_msg_sender(msg), talk_number_of(msg)->value);
    if (boaster_of(msg))
        return talk_count(self, th_msg_sender(msg), boaster_of(msg)->value);
    return TH_OK;
}

static const th_class reader_class = { .name = "reader",
                                       .state_size = sizeof(struct reader),
                                       .receive = reader_receive };

static void expect_number(th_self *me, th_addr to, th_msg *question, int64_t value)
{
    th_msg *answer = NULL;

    must(th_ask(me, to, question, TALK_PATIENCE, &answer));
    cr_assert_not_null(talk_number_of(answer), "answered with a %s",
                       th_type_name(th_msg_type(answer)));
    cr_assert_eq(talk_number_of(answer)->value, value);
    th_msg_destroy(me, answer);
}

static th_msg *boaster(th_self *me, int64_t value)
{
    struct boaster *body;
    th_msg *msg = boaster_new(me, &body);

    cr_assert_not_null(msg);
    body->value = value;
    return msg;
}

BOTH_BASES(bad_message, a_good_message_is_handled)
{
    struct talk_number *body;
    th_msg *msg = talk_number_new(ts->me, &body);

    cr_assert_not_null(msg);
    body->value = 123;
    expect_number(ts->me, talk_create(ts->me, &reader_class), msg, 123);
}

BOTH_BASES(bad_message, a_message_that_cannot_be_described_is_still_poison)
{
    th_addr actor = talk_create(ts->me, &reader_class);
    struct grim *body;
    th_msg *msg = grim_new(ts->me, &body), *answer = NULL;
    const struct th_poison *poison;
    char text[256];

    cr_assert_not_null(msg);
    body->value = 135;
    must(th_ask(ts->me, actor, msg, TALK_PATIENCE, &answer));
    poison = th_poison_of(answer);
    cr_assert_not_null(poison);
    cr_assert_not_null(grim_of(poison->message));
    cr_assert_eq(grim_of(poison->message)->value, 135);
    cr_assert_eq(poison->err, TH_E_PARSE);
    cr_assert_not_null(poison->details);
    cr_assert_eq(strncmp(poison->details->data, "got a bad message: ", 19), 0);
    /* the poison itself can be described, unspeakable content and all */
    cr_assert_gt(th_msg_describe(answer, text, sizeof(text)), 0);
    cr_assert_lt(strlen(text), sizeof(text));
    th_msg_destroy(ts->me, answer);
}

/* The second delivery is the retry, which succeeds: who asks never notices. */
BOTH_BASES(bad_message, a_retry_hides_an_intermittent_failure)
{
    th_addr actor = talk_create(ts->me, &reader_class);
    struct th_counts counts;

    expect_number(ts->me, actor, boaster(ts->me, 987), 987);
    expect_number(ts->me, actor, boaster(ts->me, 654), 654);
    counts = talk_counts(ts->sys);
    cr_assert_eq(counts.failed, 2);
    cr_assert_eq(counts.poisoned, 0);
}

/* Every size of buffer, however the type behaves: never past its end, always a string. */
BOTH_BASES(bad_message, describing_is_harmless_whatever_the_type_does)
{
    struct grim *body;
    th_msg *msgs[2] = { grim_new(ts->me, &body), boaster(ts->me, 1) };

    cr_assert_not_null(msgs[0]);
    for (int which = 0; which < 2; which++) {
        for (size_t size = 0; size <= 64; size++) {
            char text[66];

            memset(text, '#', sizeof(text));
            th_msg_describe(msgs[which], text, size);
            cr_assert_eq(text[size], '#', "a buffer of %zu was overrun", size);
            if (size)
                cr_assert_lt(strnlen(text, size), size, "no end within %zu", size);
        }
        th_msg_destroy(ts->me, msgs[which]);
    }
}
