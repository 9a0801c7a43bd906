/* From five bytes to the largest message there is, and one byte past it. */
#include "tests/support/system.h"
#include "tests/support/talk.h"

/* Say @text so many times. */
#define SONG_FIELDS(F, S) F(S, u32, times) F(S, bytes, text)
TH_MESSAGE(song, SONG_FIELDS);
TH_MESSAGE_TYPE(song, SONG_FIELDS)

/* All of it, in the envelope itself. */
TH_SIGNAL(verse);
TH_SIGNAL_TYPE_AS(verse, TH_TYPE_REST, NULL)

static th_err shrimp_receive(th_self *self, void *state, const th_msg *msg)
{
    const struct song *song = song_of(msg);
    struct song *body;
    th_msg *answer;

    if (!song)
        return TH_OK;
    answer = song_new(self, &body);
    if (answer) {
        body->times = 1;
        body->text = th_blob_ref(song->text);
    }
    return th_send(self, th_msg_sender(msg), answer);
}

static th_err whale_receive(th_self *self, void *state, const th_msg *msg)
{
    const struct song *song = song_of(msg);
    th_msg *answer;
    char *at;

    if (th_msg_type(msg) == &verse_type) /* came in big: goes back as it is */
        return th_forward(self, th_msg_sender(msg), msg);
    if (!song)
        return TH_OK;
    answer = th_msg_create_sized(self, &verse_type, song->times * song->text->size);
    if (answer) {
        at = th_msg_rest(answer, NULL);
        for (uint32_t i = 0; i < song->times; i++, at += song->text->size)
            memcpy(at, song->text->data, song->text->size);
    }
    return th_send(self, th_msg_sender(msg), answer);
}

static const th_class shrimp = { .name = "shrimp", .receive = shrimp_receive };
static const th_class whale = { .name = "whale", .receive = whale_receive };

static th_msg *ask_song(th_self *me, th_addr to, uint32_t times)
{
    struct song *body;
    th_msg *question = song_new(me, &body), *answer = NULL;

    cr_assert_not_null(question);
    body->times = times;
    body->text = th_blob_text(me, "hello");
    cr_assert_not_null(body->text);
    must(th_ask(me, to, question, TALK_PATIENCE, &answer));
    return answer;
}

static bool sings(const char *text, size_t size)
{
    /* by the word first: 50 MB byte by byte take a sanitizer seconds */
    if (size % 5 != 0 || memcmp(text, "hello", 5) != 0)
        return false;
    return memcmp(text, text + 5, size - 5) == 0;
}

static void check_hello(th_self *me, uint32_t times)
{
    th_addr to_whale = talk_create(me, &whale), to_shrimp = talk_create(me, &shrimp);
    th_msg *answer = ask_song(me, to_shrimp, times), *again = NULL;
    size_t size = 0;
    const char *rest;

    cr_assert_not_null(song_of(answer));
    cr_assert_eq(song_of(answer)->text->size, 5);
    cr_assert_arr_eq(song_of(answer)->text->data, "hello", 5);
    th_msg_destroy(me, answer);

    answer = ask_song(me, to_whale, times);
    cr_assert_eq(th_msg_type(answer), &verse_type);
    rest = th_msg_rest(answer, &size);
    cr_assert_eq(size, 5 * (size_t)times);
    cr_assert(sings(rest, size));

    /* and the same size the other way: what came out goes in */
    must(th_ask(me, to_whale, answer, TALK_PATIENCE, &again));
    rest = th_msg_rest(again, &size);
    cr_assert_eq(size, 5 * (size_t)times);
    cr_assert(sings(rest, size));
    th_msg_destroy(me, again);
}

BOTH_BASES(big_messages, a_system_starts)
{
    cr_assert_neq(th_system_id(ts->sys), 0);
}

BOTH_BASES(big_messages, whale_and_shrimp_start)
{
    cr_assert(!th_addr_equal(talk_create(ts->me, &whale), talk_create(ts->me, &shrimp)));
}

BOTH_BASES(big_messages, one_hello)
{
    check_hello(ts->me, 1);
}
BOTH_BASES(big_messages, five_hellos)
{
    check_hello(ts->me, 5);
}
BOTH_BASES(big_messages, fifty_kilobytes)
{
    check_hello(ts->me, 10 * 1024);
}
BOTH_BASES(big_messages, five_hundred_kilobytes)
{
    check_hello(ts->me, 100 * 1024);
}
BOTH_BASES(big_messages, five_megabytes)
{
    check_hello(ts->me, 1024 * 1024);
}
BOTH_BASES(big_messages, ten_megabytes)
{
    check_hello(ts->me, 2 * 1024 * 1024);
}
BOTH_BASES(big_messages, twenty_megabytes)
{
    check_hello(ts->me, 4 * 1024 * 1024);
}
BOTH_BASES(big_messages, twenty_five_megabytes)
{
    check_hello(ts->me, 5 * 1024 * 1024);
}
BOTH_BASES(big_messages, fifty_megabytes)
{
    check_hello(ts->me, 10 * 1024 * 1024);
}

BOTH_BASES(big_messages, the_largest_message_travels)
{
    th_addr actor = talk_create(ts->me, &whale);
    th_msg *question = th_msg_create_sized(ts->me, &verse_type, TH_MESSAGE_SIZE_MAX);
    th_msg *answer = NULL;
    size_t size = 0;
    char *rest;

    cr_assert_not_null(question);
    rest = th_msg_rest(question, &size);
    cr_assert_eq(size, TH_MESSAGE_SIZE_MAX);
    rest[0] = 'a';
    rest[size - 1] = 'z';
    must(th_ask(ts->me, actor, question, TALK_PATIENCE, &answer));
    rest = th_msg_rest(answer, &size);
    cr_assert_eq(size, TH_MESSAGE_SIZE_MAX);
    cr_assert_eq(rest[0], 'a');
    cr_assert_eq(rest[1], 0);
    cr_assert_eq(rest[size - 1], 'z');
    th_msg_destroy(ts->me, answer);
}

BOTH_BASES(big_messages, one_byte_more_is_too_big)
{
    th_addr actor = talk_create(ts->me, &whale);
    const size_t sizes[] = { (size_t)TH_MESSAGE_SIZE_MAX + 1, (size_t)1 << 27, (size_t)1 << 32,
                             SIZE_MAX / 2, SIZE_MAX };

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        th_msg *msg = th_msg_create_sized(ts->me, &verse_type, sizes[i]);

        cr_assert_null(msg, "a message of %zu bytes", sizes[i]);
        must_be(th_send(ts->me, actor, msg), TH_E_TOO_BIG);
    }
    talk_expect_silence(ts->me, actor, "still there");
}

/* What the whale cannot say in one message poisons the question; the whale lives. */
BOTH_BASES(big_messages, an_answer_too_big_is_poison)
{
    th_addr actor = talk_create(ts->me, &whale);
    th_msg *answer = ask_song(ts->me, actor, TH_MESSAGE_SIZE_MAX / 5 + 1);

    cr_assert_not_null(th_poison_of(answer));
    cr_assert_eq(th_poison_of(answer)->err, TH_E_TOO_BIG);
    th_msg_destroy(ts->me, answer);
    check_hello(ts->me, 1);
}
