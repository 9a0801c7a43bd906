/* tests of mailbox/type.c */
#include "mailroom.h"

#include <thespis/config.h>
#include <thespis/msg.h>

#include "mailbox/type.h"

#define INNER_FIELDS(F, S) F(S, i8, a) F(S, str, text)
TH_MESSAGE(inner, INNER_FIELDS);
TH_MESSAGE_TYPE(inner, INNER_FIELDS)

TH_SIGNAL(ring);
TH_SIGNAL_TYPE(ring)

#define EVERYTHING_FIELDS(F, S)                                                                    \
    F(S, bool_, b)                                                                                 \
    F(S, i8, i8)                                                                                   \
    F(S, i16, i16)                                                                                 \
    F(S, i32, i32)                                                                                 \
    F(S, i64, i64)                                                                                 \
    F(S, u8, u8)                                                                                   \
    F(S, u16, u16)                                                                                 \
    F(S, u32, u32)                                                                                 \
    F(S, u64, u64)                                                                                 \
    F(S, f32, f32)                                                                                 \
    F(S, f64, f64)                                                                                 \
    F(S, addr, addr)                                                                               \
    F(S, str, str)                                                                                 \
    F(S, bytes, bytes)                                                                             \
    F(S, msg, msg)                                                                                 \
    F(S, chars, chars, 7)                                                                          \
    F(S, array, u16, numbers, 5)                                                                   \
    F(S, array, addr, addrs, 2)                                                                    \
    F(S, nested, inner, in)                                                                        \
    F(S, nesteds, inner, ins, 3)                                                                   \
    F(S, nested, ring, bell)
TH_MESSAGE(everything, EVERYTHING_FIELDS);
TH_MESSAGE_TYPE_AS(everything, EVERYTHING_FIELDS, TH_TYPE_REST, &ring_type)

struct handle {
    int fd;
};
TH_MESSAGE_LOCAL(handle);
TH_MESSAGE_LOCAL_TYPE(handle, NULL)

Test(type, accepts_what_the_macros_make)
{
    cr_assert_eq(th_type_check(&inner_type), TH_OK);
    cr_assert_eq(th_type_check(&ring_type), TH_OK);
    cr_assert_eq(th_type_check(&everything_type), TH_OK);
    cr_assert_eq(th_type_check(&handle_type), TH_OK);
}

Test(type, names)
{
    th_type nameless = { 0 };

    cr_assert_str_eq(th_type_name(&inner_type), "inner");
    cr_assert_str_eq(th_type_name(NULL), "(none)");
    cr_assert_str_eq(th_type_name(&nameless), "(none)");
}

Test(type, is_itself_and_its_ancestors)
{
    static const th_type child = { .name = "child", .parent = &everything_type };

    cr_assert(th_type_is(&child, &child));
    cr_assert(th_type_is(&child, &everything_type));
    cr_assert(th_type_is(&child, &ring_type));
    cr_assert_not(th_type_is(&ring_type, &child));
    cr_assert_not(th_type_is(&child, &inner_type));
    cr_assert_not(th_type_is(NULL, &ring_type));
    cr_assert_not(th_type_is(&ring_type, NULL));
    cr_assert_not(th_type_is(NULL, NULL));
}

Test(type, a_family_that_is_a_circle_ends)
{
    th_type a = { .name = "a" }, b = { .name = "b", .parent = &a };

    a.parent = &b;
    cr_assert(th_type_is(&a, &b));
    cr_assert_not(th_type_is(&a, &ring_type));
    cr_assert_eq(th_type_check(&a), TH_E_INVALID);
}

/* ---- one thing wrong at a time ---- */

struct pair {
    int32_t a;
    uint16_t b[2];
};

static const th_field good_fields[] = {
    { "a", TH_KIND_i32, 0, 1, 4, NULL },
    { "b", TH_KIND_u16, 4, 2, 2, NULL },
};

struct case_ {
    th_field fields[2];
    th_type type;
};

static struct case_ good_case(void)
{
    struct case_ c;

    memcpy(c.fields, good_fields, sizeof(good_fields));
    memset(&c.type, 0, sizeof(c.type));
    c.type.name = "pair";
    c.type.field_count = 2;
    c.type.size = sizeof(struct pair);
    return c;
}

static th_err check(struct case_ *c)
{
    c->type.fields = c->fields;
    return th_type_check(&c->type);
}

#define EXPECT_BROKEN(change)                                                                      \
    do {                                                                                           \
        struct case_ c = good_case();                                                              \
        change;                                                                                    \
        cr_expect_eq(check(&c), TH_E_INVALID, #change);                                            \
    } while (0)

#define EXPECT_GOOD(change)                                                                        \
    do {                                                                                           \
        struct case_ c = good_case();                                                              \
        change;                                                                                    \
        cr_expect_eq(check(&c), TH_OK, #change);                                                   \
    } while (0)

static void fini(void *body)
{
}

Test(type, refuses_null_and_bad_names)
{
    char name[TH_NAME_MAX + 2];

    memset(name, 'n', sizeof(name));
    name[TH_NAME_MAX + 1] = '\0';
    cr_expect_eq(th_type_check(NULL), TH_E_INVALID);
    EXPECT_GOOD((void)c);
    EXPECT_BROKEN(c.type.name = NULL);
    EXPECT_BROKEN(c.type.name = "");
    EXPECT_BROKEN(c.type.name = name);
    EXPECT_GOOD(c.type.name = name + 1);
    EXPECT_BROKEN(c.fields[1].name = NULL);
    EXPECT_BROKEN(c.fields[1].name = "");
    EXPECT_BROKEN(c.fields[1].name = name);
    EXPECT_BROKEN(c.fields[1].name = "a");
}

Test(type, refuses_fields_that_do_not_fit)
{
    EXPECT_BROKEN(c.fields[0].offset = 8);
    EXPECT_BROKEN(c.fields[1].offset = 6);
    EXPECT_BROKEN(c.fields[1].count = 3);
    EXPECT_BROKEN(c.fields[1].count = 0);
    EXPECT_BROKEN(c.fields[1].offset = UINT32_MAX);
    EXPECT_BROKEN(c.fields[1].offset = UINT32_MAX - 3; c.fields[1].count = UINT32_MAX);
    EXPECT_BROKEN(c.fields[1].count = UINT32_MAX);
    EXPECT_BROKEN(c.type.size = 7);
    EXPECT_BROKEN(c.type.size = TH_MESSAGE_SIZE_MAX + 1);
    EXPECT_GOOD(c.type.size = TH_MESSAGE_SIZE_MAX);
}

Test(type, refuses_fields_that_overlap)
{
    EXPECT_BROKEN(c.fields[1].offset = 0);
    EXPECT_BROKEN(c.fields[1].offset = 2);
    EXPECT_BROKEN(c.fields[0].offset = 4);
    EXPECT_GOOD(c.fields[0].offset = 4; c.fields[1].offset = 0); /* any order will do */
}

Test(type, refuses_fields_that_are_not_aligned)
{
    EXPECT_BROKEN(c.type.size = 12; c.fields[0].offset = 6; c.fields[1].offset = 0);
    EXPECT_BROKEN(c.type.size = 12; c.fields[1].offset = 5);
}

Test(type, refuses_sizes_that_are_not_the_kinds)
{
    EXPECT_BROKEN(c.fields[0].size = 2);
    EXPECT_BROKEN(c.fields[0].size = 0);
    EXPECT_BROKEN(c.fields[0].size = 8);
    EXPECT_BROKEN(c.fields[0].kind = (th_kind)(TH_KIND_nested + 1));
    EXPECT_BROKEN(c.fields[0].kind = (th_kind)-1);
    EXPECT_BROKEN(c.fields[0].nested = &ring_type);
}

Test(type, refuses_flags_that_lie)
{
    EXPECT_BROKEN(c.type.flags = 1u << 5);
    EXPECT_BROKEN(c.type.flags = 1u << 31);
    EXPECT_BROKEN(c.type.flags = TH_TYPE_LOCAL);
    EXPECT_BROKEN(c.type.flags = TH_TYPE_OVERTAKES);
    EXPECT_GOOD(c.type.flags = TH_TYPE_OVERTAKES | TH_TYPE_SYSTEM);
    EXPECT_BROKEN(c.type.fini = fini);
    EXPECT_GOOD(c.type.flags = TH_TYPE_REST | TH_TYPE_SYSTEM | TH_TYPE_OWNS);
    /* owning without saying so would leak */
    EXPECT_BROKEN(c.fields[0] = ((th_field){ "s", TH_KIND_str, 0, 1, 8, NULL });
                  c.type.field_count = 1);
    EXPECT_GOOD(c.fields[0] = ((th_field){ "s", TH_KIND_str, 0, 1, 8, NULL });
                c.type.field_count = 1; c.type.flags = TH_TYPE_OWNS);
    EXPECT_BROKEN(c.fields[0] = ((th_field){ "n", TH_KIND_nested, 0, 1, 16, &inner_type });
                  c.type.field_count = 1; c.type.size = 16);
}

Test(type, refuses_tables_that_do_not_match_the_body)
{
    th_type type = { .name = "t" };

    cr_expect_eq(th_type_check(&type), TH_OK, "a signal");
    type.size = 8;
    cr_expect_eq(th_type_check(&type), TH_E_INVALID, "a body that nothing describes");
    type.flags = TH_TYPE_LOCAL;
    cr_expect_eq(th_type_check(&type), TH_OK);
    type.fini = fini;
    cr_expect_eq(th_type_check(&type), TH_E_INVALID, "its fini would never run");
    type.flags = TH_TYPE_LOCAL | TH_TYPE_OWNS;
    cr_expect_eq(th_type_check(&type), TH_OK);
    type = (th_type){ .name = "t", .size = 8, .field_count = 1 };
    cr_expect_eq(th_type_check(&type), TH_E_INVALID, "rows of nothing");
    type = (th_type){ .name = "t", .size = 8, .fields = good_fields };
    cr_expect_eq(th_type_check(&type), TH_E_INVALID, "a table without rows");
    type = (th_type){ .name = "t",
                      .size = TH_MESSAGE_SIZE_MAX,
                      .fields = good_fields,
                      .field_count = THI_FIELDS_MAX + 1 };
    cr_expect_eq(th_type_check(&type), TH_E_INVALID, "more rows than anybody has");
}

Test(type, refuses_nested_types_that_cannot_be_nested)
{
    th_type self_made = { .name = "self_made", .size = 8 };
    th_field self_row = { "me", TH_KIND_nested, 0, 1, 8, &self_made };
    th_field number = { "x", TH_KIND_i32, 0, 1, 4, NULL };
    th_type open_end = {
        .name = "o", .size = 4, .fields = &number, .field_count = 1, .flags = TH_TYPE_REST
    };

    self_made.fields = &self_row;
    self_made.field_count = 1;
    cr_expect_eq(th_type_check(&self_made), TH_E_INVALID, "contains itself");
    EXPECT_BROKEN(c.fields[0].kind = TH_KIND_nested);
    EXPECT_BROKEN(c.type.flags = TH_TYPE_OWNS;
                  c.fields[0] = ((th_field){ "n", TH_KIND_nested, 0, 1, 4, &handle_type }));
    EXPECT_BROKEN(c.fields[0] = ((th_field){ "n", TH_KIND_nested, 0, 1, 4, &open_end }));
    EXPECT_GOOD(c.fields[0] = ((th_field){ "n", TH_KIND_nested, 0, 1, 1, &ring_type }));
    EXPECT_BROKEN(c.fields[0] = ((th_field){ "n", TH_KIND_nested, 0, 1, 0, &ring_type }));
}

/* A row of types, each inside the next. */
static th_err check_nesting(int levels)
{
    static th_type types[TH_NESTING_MAX + 3];
    static th_field rows[TH_NESTING_MAX + 3];
    int i;

    memset(types, 0, sizeof(types));
    for (i = 0; i <= levels; i++) {
        rows[i] = (th_field){ "n", TH_KIND_nested, 0, 1, 4, &types[i + 1] };
        types[i] = (th_type){ .name = "level", .fields = &rows[i], .field_count = 1, .size = 4 };
    }
    rows[levels] = (th_field){ "x", TH_KIND_i32, 0, 1, 4, NULL };
    return th_type_check(&types[0]);
}

Test(type, nests_to_the_limit_and_no_further)
{
    cr_assert_eq(check_nesting(1), TH_OK);
    cr_assert_eq(check_nesting(TH_NESTING_MAX), TH_OK);
    cr_assert_eq(check_nesting(TH_NESTING_MAX + 1), TH_E_INVALID);
}

Test(type, aligns_what_is_nested)
{
    /* inner holds a pointer, so it may not begin at 4 */
    static const th_field rows[] = { { "n", TH_KIND_nested, 4, 1, 16, &inner_type } };
    th_type type = {
        .name = "t", .fields = rows, .field_count = 1, .size = 24, .flags = TH_TYPE_OWNS
    };

    cr_assert_eq(th_type_check(&type), TH_E_INVALID);
}

Test(type, kinds_have_the_sizes_of_their_c_types)
{
    cr_assert_eq(thi_kind_size(TH_KIND_bool_), sizeof(bool));
    cr_assert_eq(thi_kind_size(TH_KIND_f32), 4);
    cr_assert_eq(thi_kind_size(TH_KIND_addr), sizeof(th_addr));
    cr_assert_eq(thi_kind_size(TH_KIND_msg), sizeof(th_msg *));
    cr_assert_eq(thi_kind_size(TH_KIND_chars), 1);
    cr_assert_eq(thi_kind_size(TH_KIND_nested), 0);
    cr_assert_eq(thi_kind_size((th_kind)99), 0);
}
