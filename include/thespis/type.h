/* type.h: message types, declared once.
 *
 *     #define POINT_FIELDS(F, S) F(S, i32, x) F(S, i32, y)
 *     TH_MESSAGE(point, POINT_FIELDS)               in a header: struct point and what handles it
 *     TH_MESSAGE_TYPE(point, POINT_FIELDS)          in one .c: the table behind it
 *
 * makes `struct point { int32_t x; int32_t y; }`, `point_type`, and
 *
 *     th_msg *point_new(self, &body)         an envelope with the struct inside it, to be filled in
 *                                            place [give]
 *     th_err point_send(self, to, value)     the same in one step
 *     const struct point *point_of(msg)      the struct inside @msg, or NULL when @msg is of
 *                                            another type
 *
 * Kinds of field:
 *     bool_ i8 i16 i32 i64 u8 u16 u32 u64 f32 f64
 *                            scalars
 *     addr                   th_addr
 *     str bytes              th_blob *: shared, immutable; the message owns one reference; may be
 *                            NULL
 *     msg                    th_msg *: a whole message inside; the message owns it; may be NULL
 *     chars, name, n         char name[n]: text in place, NUL-terminated
 *     array, kind, name, n   n scalars or addresses in place
 *     nested, tag, name      another message's struct in place (its type must be visible)
 *     nesteds, tag, name, n  n of them
 *
 * A type may end in `rest`, a byte range of any length inside the envelope: th_msg_create_sized()
 * and th_msg_rest().
 *
 * A message without fields: TH_SIGNAL(stop) and TH_SIGNAL_TYPE(stop). A struct that no table
 * describes: TH_MESSAGE_LOCAL_TYPE(); such a message never leaves its system. */
#ifndef THESPIS_TYPE_H
#define THESPIS_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <thespis/addr.h>
#include <thespis/alloc.h>

typedef struct th_msg th_msg;
typedef struct th_type th_type;

typedef enum th_kind {
    TH_KIND_bool_,
    TH_KIND_i8,
    TH_KIND_i16,
    TH_KIND_i32,
    TH_KIND_i64,
    TH_KIND_u8,
    TH_KIND_u16,
    TH_KIND_u32,
    TH_KIND_u64,
    TH_KIND_f32,
    TH_KIND_f64,
    TH_KIND_addr,
    TH_KIND_str,
    TH_KIND_bytes,
    TH_KIND_msg,
    TH_KIND_chars,
    TH_KIND_nested
} th_kind;

typedef struct th_field {
    const char *name;
    th_kind kind;
    uint32_t offset;       /* in the struct, bytes */
    uint32_t count;        /* elements; for chars the bytes of the array */
    uint32_t size;         /* of one element, bytes */
    const th_type *nested; /* of kind nested, else NULL */
} th_field;

enum th_type_flags {
    TH_TYPE_SYSTEM = 1 << 0,   /* the runtime's: filtered from ask and listen */
    TH_TYPE_LOCAL = 1 << 1,    /* no field table: never leaves its system */
    TH_TYPE_OWNS = 1 << 2,     /* has fields or a fini that must run when the message goes */
    TH_TYPE_REST = 1 << 3,     /* ends in a byte range of any length */
    TH_TYPE_OVERTAKES = 1 << 4 /* of the runtime's: handled before all mail that does not */
};

/** A message type. Static, immutable, compared by address within a process and by name and shape
 * between systems. */
struct th_type {
    const char *name;
    const th_type *parent; /* what this type also is, for dispatch; NULL for most */
    const th_field *fields;
    uint32_t field_count;
    uint32_t size;  /* of the struct, bytes */
    uint32_t flags; /* enum th_type_flags */
    /** Local types: frees what the body owns, not the body. NULL: nothing to do. */
    void (*fini)(void *body);
    /** Says what a body is, as snprintf(), for logs and details; a negative answer means it cannot.
     * NULL: by the table. */
    int (*describe)(const void *body, char *text, size_t size);
};

TH_BEGIN_C

/** The name, or "(none)" for NULL. */
TH_API const char *th_type_name(const th_type *type);

/** Whether @type is @ancestor or descends from it. NULL is nobody's relative. */
TH_API bool th_type_is(const th_type *type, const th_type *ancestor);

/** Checks a type's table once, before its first use: names, offsets, nesting. TH_E_INVALID: it is
 * broken. Types made by the macros always pass; the point is types built by hand or by other
 * languages. */
TH_API TH_NODISCARD th_err th_type_check(const th_type *type);

TH_END_C

/* ---- the macros ---- */

#define TH_CTYPE_bool_ bool
#define TH_CTYPE_i8    int8_t
#define TH_CTYPE_i16   int16_t
#define TH_CTYPE_i32   int32_t
#define TH_CTYPE_i64   int64_t
#define TH_CTYPE_u8    uint8_t
#define TH_CTYPE_u16   uint16_t
#define TH_CTYPE_u32   uint32_t
#define TH_CTYPE_u64   uint64_t
#define TH_CTYPE_f32   float
#define TH_CTYPE_f64   double
#define TH_CTYPE_addr  th_addr
#define TH_CTYPE_str   th_blob *
#define TH_CTYPE_bytes th_blob *
#define TH_CTYPE_msg   th_msg *

/* one struct member */
#define TH_MEMBER(S, kind, ...)         TH_MEMBER_##kind(__VA_ARGS__)
#define TH_MEMBER_bool_(name)           bool name;
#define TH_MEMBER_i8(name)              int8_t name;
#define TH_MEMBER_i16(name)             int16_t name;
#define TH_MEMBER_i32(name)             int32_t name;
#define TH_MEMBER_i64(name)             int64_t name;
#define TH_MEMBER_u8(name)              uint8_t name;
#define TH_MEMBER_u16(name)             uint16_t name;
#define TH_MEMBER_u32(name)             uint32_t name;
#define TH_MEMBER_u64(name)             uint64_t name;
#define TH_MEMBER_f32(name)             float name;
#define TH_MEMBER_f64(name)             double name;
#define TH_MEMBER_addr(name)            th_addr name;
#define TH_MEMBER_str(name)             th_blob *name;
#define TH_MEMBER_bytes(name)           th_blob *name;
#define TH_MEMBER_msg(name)             th_msg *name;
#define TH_MEMBER_chars(name, n)        char name[n];
#define TH_MEMBER_array(kind, name, n)  TH_CTYPE_##kind name[n];
#define TH_MEMBER_nested(tag, name)     struct tag name;
#define TH_MEMBER_nesteds(tag, name, n) struct tag name[n];

/* one row of the table */
#define TH_ROW(S, kind, ...) TH_ROW_##kind(S, __VA_ARGS__)
#define TH_ROW_(S, kind, name, n, size, nested)                                                    \
    { #name, TH_KIND_##kind, (uint32_t)offsetof(struct S, name), n, (uint32_t)(size), nested },
#define TH_ROW_bool_(S, name)           TH_ROW_(S, bool_, name, 1, sizeof(bool), 0)
#define TH_ROW_i8(S, name)              TH_ROW_(S, i8, name, 1, 1, 0)
#define TH_ROW_i16(S, name)             TH_ROW_(S, i16, name, 1, 2, 0)
#define TH_ROW_i32(S, name)             TH_ROW_(S, i32, name, 1, 4, 0)
#define TH_ROW_i64(S, name)             TH_ROW_(S, i64, name, 1, 8, 0)
#define TH_ROW_u8(S, name)              TH_ROW_(S, u8, name, 1, 1, 0)
#define TH_ROW_u16(S, name)             TH_ROW_(S, u16, name, 1, 2, 0)
#define TH_ROW_u32(S, name)             TH_ROW_(S, u32, name, 1, 4, 0)
#define TH_ROW_u64(S, name)             TH_ROW_(S, u64, name, 1, 8, 0)
#define TH_ROW_f32(S, name)             TH_ROW_(S, f32, name, 1, 4, 0)
#define TH_ROW_f64(S, name)             TH_ROW_(S, f64, name, 1, 8, 0)
#define TH_ROW_addr(S, name)            TH_ROW_(S, addr, name, 1, sizeof(th_addr), 0)
#define TH_ROW_str(S, name)             TH_ROW_(S, str, name, 1, sizeof(th_blob *), 0)
#define TH_ROW_bytes(S, name)           TH_ROW_(S, bytes, name, 1, sizeof(th_blob *), 0)
#define TH_ROW_msg(S, name)             TH_ROW_(S, msg, name, 1, sizeof(th_msg *), 0)
#define TH_ROW_chars(S, name, n)        TH_ROW_(S, chars, name, n, 1, 0)
#define TH_ROW_array(S, kind, name, n)  TH_ROW_(S, kind, name, n, sizeof(TH_CTYPE_##kind), 0)
#define TH_ROW_nested(S, tag, name)     TH_ROW_(S, nested, name, 1, sizeof(struct tag), &tag##_type)
#define TH_ROW_nesteds(S, tag, name, n) TH_ROW_(S, nested, name, n, sizeof(struct tag), &tag##_type)

/* what a field adds to the type's flags */
#define TH_OWNS(S, kind, ...) TH_OWNS_##kind
#define TH_OWNS_bool_
#define TH_OWNS_i8
#define TH_OWNS_i16
#define TH_OWNS_i32
#define TH_OWNS_i64
#define TH_OWNS_u8
#define TH_OWNS_u16
#define TH_OWNS_u32
#define TH_OWNS_u64
#define TH_OWNS_f32
#define TH_OWNS_f64
#define TH_OWNS_addr
#define TH_OWNS_str   | TH_TYPE_OWNS
#define TH_OWNS_bytes | TH_TYPE_OWNS
#define TH_OWNS_msg   | TH_TYPE_OWNS
#define TH_OWNS_chars
#define TH_OWNS_array
#define TH_OWNS_nested  | TH_TYPE_OWNS
#define TH_OWNS_nesteds | TH_TYPE_OWNS

#define TH_MESSAGE(tag, FIELDS)                                                                    \
    struct tag {                                                                                   \
        FIELDS(TH_MEMBER, tag)                                                                     \
    };                                                                                             \
    TH_MESSAGE_VERBS(tag, sizeof(struct tag))

#define TH_MESSAGE_TYPE(tag, FIELDS) TH_MESSAGE_TYPE_AS(tag, FIELDS, 0, NULL)

/* @more flags, and @super: the address of the parent's type, or NULL */
#define TH_MESSAGE_TYPE_AS(tag, FIELDS, more, super)                                               \
    static const th_field tag##_fields[] = { FIELDS(TH_ROW, tag) };                                \
    const th_type tag##_type = { #tag,                                                             \
                                 super,                                                            \
                                 tag##_fields,                                                     \
                                 (uint32_t)(sizeof(tag##_fields) / sizeof(tag##_fields[0])),       \
                                 (uint32_t)sizeof(struct tag),                                     \
                                 (uint32_t)((more)FIELDS(TH_OWNS, tag)),                           \
                                 NULL,                                                             \
                                 NULL };

/* A signal: its type says it all. The struct only exists so that it can be named; no byte of it
 * travels. */
#define TH_SIGNAL(tag)                                                                             \
    struct tag {                                                                                   \
        char nothing;                                                                              \
    };                                                                                             \
    TH_MESSAGE_VERBS(tag, 0)
#define TH_SIGNAL_TYPE(tag) TH_SIGNAL_TYPE_AS(tag, 0, NULL)
#define TH_SIGNAL_TYPE_AS(tag, more, super)                                                        \
    const th_type tag##_type = { #tag, super, NULL, 0, 0, (uint32_t)(more), NULL, NULL };

/* A struct of the user's own, declared before as `struct tag`; @free_body may be NULL. */
#define TH_MESSAGE_LOCAL(tag) TH_MESSAGE_VERBS(tag, sizeof(struct tag))
#define TH_MESSAGE_LOCAL_TYPE(tag, free_body)                                                      \
    const th_type tag##_type = {                                                                   \
        #tag,      NULL, NULL, 0, (uint32_t)sizeof(struct tag), TH_TYPE_LOCAL | TH_TYPE_OWNS,      \
        free_body, NULL                                                                            \
    };

#endif
