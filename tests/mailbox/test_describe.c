/* tests of mailbox/describe.c */
#include "mailroom.h"

#include <stdio.h>

#include <thespis/config.h>
#include <thespis/msg.h>

#define POINT_FIELDS(F, S) F(S, i32, x) F(S, i32, y)
TH_MESSAGE(point, POINT_FIELDS);
TH_MESSAGE_TYPE(point, POINT_FIELDS)

TH_SIGNAL(stop);
TH_SIGNAL_TYPE(stop)

#define ALL_FIELDS(F, S)                                                                           \
    F(S, bool_, yes)                                                                               \
    F(S, i8, i8)                                                                                   \
    F(S, i64, i64)                                                                                 \
    F(S, u64, u64)                                                                                 \
    F(S, f32, f32)                                                                                 \
    F(S, f64, f64)                                                                                 \
    F(S, addr, addr)                                                                               \
    F(S, str, str)                                                                                 \
    F(S, bytes, bytes)                                                                             \
    F(S, msg, msg)                                                                                 \
    F(S, chars, chars, 4)                                                                          \
    F(S, array, u16, numbers, 3)                                                                   \
    F(S, nested, point, at)                                                                        \
    F(S, nesteds, point, ats, 2)
TH_MESSAGE(all, ALL_FIELDS);
TH_MESSAGE_TYPE(all, ALL_FIELDS)

#define WRAP_FIELDS(F, S) F(S, msg, inner)
TH_MESSAGE(wrap, WRAP_FIELDS);
TH_MESSAGE_TYPE(wrap, WRAP_FIELDS)

#define LONG_FIELDS(F, S) F(S, array, u8, many, 1000)
TH_MESSAGE(long_, LONG_FIELDS);
TH_MESSAGE_TYPE(long_, LONG_FIELDS)

struct handle {
    int fd;
};
TH_MESSAGE_LOCAL(handle);
TH_MESSAGE_LOCAL_TYPE(handle, NULL)

static struct mailroom room;
static th_self *self;

static void open_room(void)
{
    mailroom_open(&room, 0);
    self = mailroom_self(&room);
}

static void close_room(void)
{
    mailroom_close(&room);
}

/* Describes, destroys. */
static const char *described(th_msg *msg)
{
    static char text[4096];
    size_t length = th_msg_describe(msg, text, sizeof(text));

    cr_assert_eq(length, strlen(text));
    th_msg_destroy(self, msg);
    return text;
}

Test(describe, says_type_and_fields, .init = open_room, .fini = close_room)
{
    struct point *body;
    th_msg *msg = point_new(self, &body);

    body->x = 1;
    body->y = -2;
    cr_assert_str_eq(described(msg), "point{x: 1, y: -2}");
    cr_assert_str_eq(described(stop_new(self, NULL)), "stop");
    cr_assert_str_eq(described(handle_new(self, NULL)), "handle{4 bytes}");
}

Test(describe, knows_every_kind, .init = open_room, .fini = close_room)
{
    struct all *body;
    th_msg *msg = all_new(self, &body);

    body->yes = true;
    body->i8 = -128;
    body->i64 = INT64_MIN;
    body->u64 = UINT64_MAX;
    body->f32 = 0.5f;
    body->f64 = -1.25;
    body->addr = (th_addr){ 0xab, 1, 2 };
    body->str = th_blob_text(self, "a\"b\\\n\x01\xc3");
    body->bytes = th_blob_create(self, "\0\xff", 2);
    body->msg = stop_new(self, NULL);
    memcpy(body->chars, "abcd", 4); /* no NUL: a peer might do that */
    body->numbers[0] = 0x4141;      /* and the next field must not follow it */
    body->numbers[2] = 3;
    body->ats[1].y = 9;
    cr_assert_str_eq(described(msg),
                     "all{yes: true, i8: -128, i64: -9223372036854775808, "
                     "u64: 18446744073709551615, f32: 0.5, f64: -1.25, "
                     "addr: 00000000000000ab.1.2, str: \"a\\\"b\\\\\\n\\x01\\xc3\", "
                     "bytes: 2:00ff, msg: stop, chars: \"abcd\", numbers: [16705, 0, 3], "
                     "at: {x: 0, y: 0}, ats: [{x: 0, y: 0}, {x: 0, y: 9}]}");
    cr_assert_str_eq(described(all_new(self, NULL)),
                     "all{yes: false, i8: 0, i64: 0, u64: 0, f32: 0, f64: 0, addr: none, "
                     "str: null, bytes: null, msg: null, chars: \"\", numbers: [0, 0, 0], "
                     "at: {x: 0, y: 0}, ats: [{x: 0, y: 0}, {x: 0, y: 0}]}");
}

Test(describe, shows_the_rest, .init = open_room, .fini = close_room)
{
    th_msg *msg = th_msg_create_sized(self, &stop_type, 3);

    memcpy(th_msg_body(msg), "\x01\x02\xff", 3);
    cr_assert_str_eq(described(msg), "stop+3:0102ff");
}

Test(describe, nothing_is_none)
{
    char text[16];
    th_msg blank = { 0 };

    cr_assert_eq(th_msg_describe(NULL, text, sizeof(text)), 6);
    cr_assert_str_eq(text, "(none)");
    th_msg_describe(&blank, text, sizeof(text));
    cr_assert_str_eq(text, "(none)");
}

Test(describe, counts_and_cuts_as_snprintf, .init = open_room, .fini = close_room)
{
    struct point *body;
    th_msg *msg = point_new(self, &body);
    char full[64], text[64];
    size_t length = th_msg_describe(msg, full, sizeof(full));
    size_t size;

    for (size = 0; size < sizeof(text); size++) {
        size_t shown = size == 0 ? 0 : size - 1 < length ? size - 1 : length;

        memset(text, '#', sizeof(text));
        cr_assert_eq(th_msg_describe(msg, text, size), length);
        cr_assert_arr_eq(text, full, shown);
        cr_assert(size == 0 || text[shown] == '\0');
        cr_assert_eq(text[size > shown ? shown + 1 : shown], '#', "wrote past %zu", size);
    }
    cr_assert_eq(th_msg_describe(msg, NULL, 50), length);
    th_msg_destroy(self, msg);
}

Test(describe, leaves_out_what_is_too_much, .init = open_room, .fini = close_room)
{
    char long_text[1001];
    struct all *body;
    th_msg *msg;
    const char *text;

    text = described(long__new(self, NULL));
    cr_assert_str_eq(text, "long_{many: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...]}");
    memset(long_text, 'm', 1000);
    long_text[1000] = '\0';
    msg = all_new(self, &body);
    body->str = th_blob_text(self, long_text);
    body->bytes = th_blob_create(self, long_text, 1000);
    text = described(msg);
    cr_assert_lt(strlen(text), 600);
    cr_assert_not_null(strstr(text, "mmm\"..."));
    cr_assert_not_null(strstr(text, "bytes: 1000:6d6d"));
}

Test(describe, stops_at_a_depth, .init = open_room, .fini = close_room)
{
    th_msg *msg = NULL;
    const char *text;
    int i;

    for (i = 0; i < 100000; i++) {
        struct wrap *body;
        th_msg *outer = wrap_new(self, &body);

        body->inner = msg;
        msg = outer;
    }
    text = described(msg);
    cr_assert_lt(strlen(text), 20 * (TH_NESTING_MAX + 2));
    cr_assert_not_null(strstr(text, "wrap{inner: wrap{inner: "));
    cr_assert_not_null(strstr(text, "...}}}"));
}

/* ---- types that mean no good ---- */

static int answer; /* what the hostile describe below returns */
static bool terminates;

static int hostile(const void *body, char *text, size_t size)
{
    memset(text, '\x1b', size);
    if (terminates)
        text[size - 1] = '\0';
    return answer;
}

static int polite(const void *body, char *text, size_t size)
{
    return snprintf(text, size, "handle number %d", ((const struct handle *)body)->fd);
}

Test(describe, uses_the_types_own, .init = open_room, .fini = close_room)
{
    static const th_type type = {
        .name = "polite", .size = sizeof(struct handle), .flags = TH_TYPE_LOCAL, .describe = polite
    };
    th_msg *msg = th_msg_create(self, &type);

    ((struct handle *)th_msg_body(msg))->fd = 5;
    cr_assert_str_eq(described(msg), "handle number 5");
}

Test(describe, survives_a_types_own, .init = open_room, .fini = close_room)
{
    static const th_type type = {
        .name = "rude", .size = 4, .flags = TH_TYPE_LOCAL, .describe = hostile
    };
    static const int answers[] = { 0, 1, 255, 256, 100000, INT32_MAX };
    int i;

    for (i = 0; i < 12; i++) {
        const char *text, *c;

        answer = answers[i % 6];
        terminates = i < 6;
        text = described(th_msg_create(self, &type));
        cr_assert_leq(strlen(text), 4 * TH_DETAILS_SIZE);
        for (c = text; *c; c++)
            cr_assert(*c >= 0x20 && *c < 0x7f, "an escape code reaches the terminal");
    }
    answer = -1;
    cr_assert_str_eq(described(th_msg_create(self, &type)), "rude{4 bytes}");
    answer = INT32_MIN;
    cr_assert_str_eq(described(th_msg_create(self, &type)), "rude{4 bytes}");
}

Test(describe, names_cannot_smuggle_control_codes, .init = open_room, .fini = close_room)
{
    static const th_field rows[] = { { "\x1b[2J", TH_KIND_i32, 0, 1, 4, NULL } };
    static const th_type type = { .name = "evil\n", .size = 4, .fields = rows, .field_count = 1 };

    cr_assert_str_eq(described(th_msg_create(self, &type)), "evil\\n{\\x1b[2J: 0}");
}

Test(describe, a_table_that_contains_itself_ends, .init = open_room, .fini = close_room)
{
    static th_type type = { .name = "hall_of_mirrors", .size = 4, .field_count = 2 };
    static const th_field rows[] = { { "left", TH_KIND_nested, 0, 1, 4, &type },
                                     { "right", TH_KIND_nested, 0, 1, 4, &type } };

    type.fields = rows;
    cr_assert_lt(strlen(described(th_msg_create(self, &type))), 4096);
}
