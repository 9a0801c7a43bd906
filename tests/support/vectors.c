/* vectors.c: a reader of blocks, a few types of every kind of field, and frames as JSON. */
#include "vectors.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <thespis/msg.h>

#include "transport/wire/frame.h"
#include "transport/wire/shape.h"
#include "transport/wire/types.h"

/* ---- blocks ---- */

bool vectors_open(struct vectors *vectors, const char *name)
{
    char path[1024];

    snprintf(path, sizeof(path), "%s/tests/vectors/%s", TESTS_ROOT, name);
    vectors->file = fopen(path, "r");
    return vectors->file != NULL;
}

static void take_hex(struct vector *vector, const char *text)
{
    unsigned byte;

    for (; *text; text++) {
        if (*text == ' ')
            continue;
        if (vector->size == VECTOR_BYTES_MAX || sscanf(text, "%2x", &byte) != 1 || !text[1]) {
            fprintf(stderr, "vectors: bad hex: %s\n", text);
            abort();
        }
        vector->bytes[vector->size++] = (unsigned char)byte;
        text++;
    }
}

static void take_line(struct vector *vector, const char *key, const char *value)
{
    const struct {
        const char *key;
        char *to;
        size_t size;
    } keys[] = {
        { "frame", vector->frame, sizeof(vector->frame) },
        { "message", vector->message, sizeof(vector->message) },
        { "type", vector->type, sizeof(vector->type) },
        { "shape", vector->shape, sizeof(vector->shape) },
        { "value", vector->value, sizeof(vector->value) },
        { "says", vector->says, sizeof(vector->says) },
        { "error", vector->error, sizeof(vector->error) },
    };
    size_t i;

    if (strcmp(key, "hex") == 0) {
        take_hex(vector, value);
        return;
    }
    if (strcmp(key, "again") == 0)
        vector->again = strcmp(value, "no") != 0;
    for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcmp(key, keys[i].key) == 0)
            snprintf(keys[i].to, keys[i].size, "%s", value);
    }
}

bool vectors_next(struct vectors *vectors, struct vector *vector_out)
{
    static char line[4 * VECTOR_BYTES_MAX];
    bool found = false;

    memset(vector_out, 0, sizeof(*vector_out));
    vector_out->again = true;
    while (fgets(line, sizeof(line), vectors->file)) {
        char *colon = strchr(line, ':');

        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '\0' && found)
            return true;
        if (line[0] == '\0' || line[0] == '#' || !colon)
            continue;
        *colon = '\0';
        take_line(vector_out, line, colon + 1 + strspn(colon + 1, " "));
        found = true;
    }
    if (found)
        return true; /* the end comes next time */
    fclose(vectors->file);
    vectors->file = NULL;
    return false;
}

/* ---- types ---- */

#define POINT(F, S) F(S, i32, x) F(S, i32, y)
TH_MESSAGE(vec_point, POINT);
TH_MESSAGE_TYPE(vec_point, POINT)

TH_SIGNAL(vec_stop);
TH_SIGNAL_TYPE(vec_stop)

#define FILES(F, S) F(S, u64, id)
TH_MESSAGE(vec_file, FILES);
TH_MESSAGE_TYPE_AS(vec_file, FILES, TH_TYPE_REST, NULL)

#define SCALARS(F, S)                                                                              \
    F(S, bool_, truth)                                                                             \
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
    F(S, addr, who)
TH_MESSAGE(vec_scalars, SCALARS);
TH_MESSAGE_TYPE(vec_scalars, SCALARS)

#define TEXTS(F, S) F(S, chars, name, 8) F(S, str, words) F(S, bytes, data)
TH_MESSAGE(vec_texts, TEXTS);
TH_MESSAGE_TYPE(vec_texts, TEXTS)

#define WRAP(F, S) F(S, msg, inner) F(S, str, text)
TH_MESSAGE(vec_wrap, WRAP);
TH_MESSAGE_TYPE(vec_wrap, WRAP)

#define ARRAYS(F, S)                                                                               \
    F(S, array, bool_, bits, 3)                                                                    \
    F(S, array, u8, octets, 4)                                                                     \
    F(S, array, u16, u16s, 2)                                                                      \
    F(S, array, u32, u32s, 2)                                                                      \
    F(S, array, u64, u64s, 2)                                                                      \
    F(S, array, i8, i8s, 2)                                                                        \
    F(S, array, i16, i16s, 2)                                                                      \
    F(S, array, i32, i32s, 2)                                                                      \
    F(S, array, i64, i64s, 2)                                                                      \
    F(S, array, f32, f32s, 2)                                                                      \
    F(S, array, f64, f64s, 2)                                                                      \
    F(S, array, addr, hops, 2)
TH_MESSAGE(vec_arrays, ARRAYS);
TH_MESSAGE_TYPE(vec_arrays, ARRAYS)

#define SHELF(F, S) F(S, nested, vec_point, at) F(S, nesteds, vec_wrap, wraps, 2)
TH_MESSAGE(vec_shelf, SHELF);
TH_MESSAGE_TYPE(vec_shelf, SHELF)

static const th_type *const types_all[] = {
    &vec_point_type, &vec_stop_type, &vec_file_type,   &vec_scalars_type,
    &vec_texts_type, &vec_wrap_type, &vec_arrays_type, &vec_shelf_type,
};
#define TYPES (sizeof(types_all) / sizeof(types_all[0]))

const th_type *vector_type(void *host, const char *name)
{
    size_t i;

    for (i = 0; i < TYPES; i++) {
        if (strcmp(types_all[i]->name, name) == 0)
            return types_all[i];
    }
    return NULL;
}

bool vector_session(struct thi_types *types)
{
    struct thi_fault fault;
    struct thi_frame_type said;
    uint32_t number;
    size_t i;

    for (i = 0; i < TYPES; i++) {
        if (thi_types_number(types, types_all[i], &number, &fault) != TH_OK ||
            !thi_types_news(types, &said) || thi_types_learn(types, &said, &fault) != TH_OK)
            return false;
        thi_types_told(types);
    }
    return true;
}

/* ---- frames as JSON ---- */

struct page {
    char *text;
    size_t size;
    size_t length;
};

static void put(struct page *page, const char *format, ...) TH_PRINTF(2, 3);

static void put(struct page *page, const char *format, ...)
{
    bool is_full = page->length >= page->size;
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(is_full ? NULL : page->text + page->length,
                       is_full ? 0 : page->size - page->length, format, args);
    va_end(args);
    page->length += (size_t)length;
}

/* Vectors' texts need no escapes but those of a quote and a backslash. */
static void put_text(struct page *page, struct thi_text text)
{
    size_t i;

    put(page, "\"");
    for (i = 0; i < text.size; i++)
        put(page, text.at[i] == '"' || text.at[i] == '\\' ? "\\%c" : "%c", text.at[i]);
    put(page, "\"");
}

static void put_addresses(struct page *page, unsigned count, const struct thi_text *addresses)
{
    unsigned i;

    put(page, "[");
    for (i = 0; i < count; i++) {
        put(page, i > 0 ? ", " : "");
        put_text(page, addresses[i]);
    }
    put(page, "]");
}

static void put_hex(struct page *page, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    size_t i;

    put(page, "\"");
    for (i = 0; i < size; i++)
        put(page, "%02x", at[i]);
    put(page, "\"");
}

static void put_hello(struct page *page, const struct thi_frame_hello *hello)
{
    put(page, ", \"low\": %" PRIu32 ", \"high\": %" PRIu32 ", \"features\": %" PRIu64,
        hello->version_low, hello->version_high, hello->features);
    put(page, ", \"system\": \"%016" PRIx64 "\", \"name\": ", hello->system);
    put_text(page, hello->name);
    put(page, ", \"admin\": [%" PRIu32 ", %" PRIu32 "]", hello->admin_slot,
        hello->admin_generation);
    put(page,
        ", \"frame\": %" PRIu32 ", \"message\": %" PRIu64 ", \"addresses\": ", hello->frame_max,
        hello->message_max);
    put_addresses(page, hello->address_count, hello->addresses);
    put(page, ", \"dialled\": %s, \"expected\": \"%016" PRIx64 "\"",
        hello->dialled ? "true" : "false", hello->expected);
}

static void put_data(struct page *page, const struct thi_frame_data *data)
{
    char from[TH_ADDR_TEXT_SIZE], to[TH_ADDR_TEXT_SIZE];

    th_addr_print(data->from, from, sizeof(from));
    th_addr_print(data->to, to, sizeof(to));
    put(page, ", \"number\": %" PRIu64 ", \"from\": \"%s\", \"to\": \"%s\", \"type\": %" PRIu32,
        data->number, from, to, data->type);
    if (data->has_more)
        put(page, ", \"transfer\": %" PRIu32 ", \"total\": %" PRIu64, data->transfer, data->total);
    put(page, ", \"body\": ");
    put_hex(page, data->body, data->size);
}

static void put_body(struct page *page, const struct thi_frame *frame)
{
    switch (frame->kind) {
    case THI_FRAME_HELLO: put_hello(page, &frame->as.hello); break;
    case THI_FRAME_RESUME:
        put(page,
            ", \"version\": %" PRIu32 ", \"mine\": %" PRIu64 ", \"yours\": %" PRIu64
            ", \"last\": %" PRIu64 ", \"count\": %" PRIu64,
            frame->as.resume.version, frame->as.resume.mine, frame->as.resume.yours,
            frame->as.resume.last, frame->as.resume.count);
        break;
    case THI_FRAME_ACK: put(page, ", \"up_to\": %" PRIu64, frame->as.ack.up_to); break;
    case THI_FRAME_PING: put(page, ", \"token\": %" PRIu64, frame->as.ping.token); break;
    case THI_FRAME_PONG: put(page, ", \"token\": %" PRIu64, frame->as.pong.token); break;
    case THI_FRAME_CLOSE:
        put(page, ", \"reason\": %" PRIu32 ", \"words\": ", frame->as.close.reason);
        put_text(page, frame->as.close.words);
        break;
    case THI_FRAME_WHERE:
        put(page, ", \"system\": \"%016" PRIx64 "\"", frame->as.where.system);
        break;
    case THI_FRAME_HERE:
        put(page, ", \"system\": \"%016" PRIx64 "\", \"addresses\": ", frame->as.here.system);
        put_addresses(page, frame->as.here.address_count, frame->as.here.addresses);
        break;
    case THI_FRAME_RETURNED:
        put(page, ", \"up_to\": %" PRIu64 ", \"words\": ", frame->as.returned.up_to);
        put_text(page, frame->as.returned.words);
        break;
    case THI_FRAME_TYPE:
        put(page,
            ", \"number\": %" PRIu64 ", \"type\": %" PRIu32 ", \"name\": ", frame->as.type.number,
            frame->as.type.type);
        put_text(page, frame->as.type.name);
        put(page, ", \"shape\": ");
        put_text(page, frame->as.type.shape);
        break;
    case THI_FRAME_DATA: put_data(page, &frame->as.data); break;
    case THI_FRAME_MORE:
        put(page, ", \"number\": %" PRIu64 ", \"transfer\": %" PRIu32 ", \"more\": %s, \"body\": ",
            frame->as.more.number, frame->as.more.transfer,
            frame->as.more.has_more ? "true" : "false");
        put_hex(page, frame->as.more.body, frame->as.more.size);
        break;
    }
}

size_t vector_frame_text(const struct thi_frame *frame, char *text, size_t size)
{
    struct page page = { text, size, 0 };

    put(&page, "{\"kind\": \"%s\"", thi_frame_name(frame->kind));
    put_body(&page, frame);
    put(&page, "}");
    return page.length;
}
