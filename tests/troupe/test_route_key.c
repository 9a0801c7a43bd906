/* tests of troupe/route_key.c */
#include "troupe/route_key.h"

#include "tests/support/system.h"
#include "tests/support/talk.h"

#define EVERY_FIELDS(F, S)                                                                         \
    F(S, bool_, flag)                                                                              \
    F(S, i64, number)                                                                              \
    F(S, f64, ratio)                                                                               \
    F(S, addr, who)                                                                                \
    F(S, str, text)                                                                                \
    F(S, bytes, raw)                                                                               \
    F(S, msg, inner)                                                                               \
    F(S, chars, label, 16)                                                                         \
    F(S, array, u16, few, 3)                                                                       \
    F(S, nested, talk_number, nested)
TH_MESSAGE(every, EVERY_FIELDS);
TH_MESSAGE_TYPE(every, EVERY_FIELDS)

static th_msg *make(th_self *me, int64_t number, const char *text)
{
    struct every *body;
    th_msg *msg = every_new(me, &body);

    cr_assert_not_null(msg);
    body->number = number;
    body->flag = number % 2;
    body->ratio = (double)number / 3;
    body->who = (th_addr){ 1, (uint32_t)number, 2 };
    body->text = th_blob_text(me, text);
    body->raw = th_blob_text(me, text);
    strcpy(body->label, text);
    body->few[2] = (uint16_t)number;
    return msg;
}

static bool key_of(const th_msg *msg, const char *name, uint64_t *key)
{
    struct thi_route_key by;

    thi_route_key_init(&by, name);
    return thi_route_key_of(&by, msg, key);
}

BOTH_BASES(route_key, is_equal_for_equal_values_only)
{
    static const char *const names[] = { "flag", "number", "ratio", "who",
                                         "text", "raw",    "label", "few" };
    th_msg *one = make(ts->me, 1, "one"), *same = make(ts->me, 1, "one");
    th_msg *other = make(ts->me, 2, "two");

    ((struct every *)th_msg_body(same))->label[10] = 'x'; /* behind the text */
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        uint64_t a = 0, b = 0, c = 0;

        cr_assert(key_of(one, names[i], &a) && key_of(same, names[i], &b) &&
                      key_of(other, names[i], &c),
                  "%s", names[i]);
        cr_assert_eq(a, b, "%s", names[i]);
        cr_assert_neq(a, c, "%s", names[i]);
    }
    th_msg_destroy(ts->me, one);
    th_msg_destroy(ts->me, same);
    th_msg_destroy(ts->me, other);
}

BOTH_BASES(route_key, has_no_value_in_messages_structs_and_what_is_not_there)
{
    th_msg *msg = make(ts->me, 1, "one"), *word = talk_word(ts->me, "word");
    uint64_t key;

    cr_assert_not(key_of(msg, "inner", &key));
    cr_assert_not(key_of(msg, "nested", &key));
    cr_assert_not(key_of(msg, "nonesuch", &key));
    cr_assert_not(key_of(word, "number", &key));
    th_msg_destroy(ts->me, msg);
    th_msg_destroy(ts->me, word);
}

/* More types than are remembered: each is looked up again, and right. */
BOTH_BASES(route_key, forgets_types_and_finds_them_again)
{
    enum { TYPES = 3 * THI_ROUTE_KEY_TYPES };
    static th_type types[TYPES];
    struct thi_route_key by;
    th_msg *msg = make(ts->me, 5, "five");
    uint64_t expected = 0, key;

    thi_route_key_init(&by, "number");
    cr_assert(thi_route_key_of(&by, msg, &expected));
    for (int i = 0; i < 10 * TYPES; i++) {
        th_msg copy = *msg;

        types[i % TYPES] = every_type;
        copy.thi_type = &types[i % TYPES];
        cr_assert(thi_route_key_of(&by, &copy, &key));
        cr_assert_eq(key, expected);
    }
    th_msg_destroy(ts->me, msg);
}
