/* frame_cbor.c: bodies as CBOR, field by field in the order of docs/protocol.md.
 *
 * A reader is one expression: each call reads one field or says what is wrong with it, and the
 * first that fails ends it. */
#include "transport/wire/frame_cbor.h"

#include <inttypes.h>
#include <string.h>

#include "transport/wire/little.h"

#define MAGIC "thespis"

#define HELLO_PAIRS     12
#define HELLO_PAIRS_MAX 32 /* with what later versions add */
#define RESUME_PAIRS    5

/* A body while it is read. */
struct body {
    struct thi_items items;
    const char *kind;
    struct thi_fault *fault;
};

static struct body body_of(const void *at, size_t size, const char *kind, struct thi_fault *fault)
{
    struct body body;

    thi_items_init(&body.items, at, size);
    body.kind = kind;
    body.fault = fault;
    return body;
}

static bool fail(struct body *body, const char *field, const char *expected, const char *found)
{
    thi_fault_set(body->fault, "%s: %s: expected %s, found %s", body->kind, field, expected, found);
    return false;
}

/* ---- one field ---- */

static bool read_item(struct body *body, const char *field, enum thi_item_kind kind,
                      struct thi_item *item)
{
    const char *expected = thi_item_kind_text(kind);

    if (!thi_items_next(&body->items, item))
        return fail(body, field, expected, body->items.wrong);
    if (item->kind != kind)
        return fail(body, field, expected, thi_item_kind_text(item->kind));
    return true;
}

static bool read_uint(struct body *body, const char *field, uint64_t least, uint64_t most,
                      uint64_t *out)
{
    struct thi_item item;

    if (!read_item(body, field, THI_ITEM_UINT, &item))
        return false;
    if (item.value < least || item.value > most) {
        thi_fault_set(body->fault, "%s: %s: %" PRIu64 ", not within %" PRIu64 " to %" PRIu64,
                      body->kind, field, item.value, least, most);
        return false;
    }
    *out = item.value;
    return true;
}

static bool read_uint32(struct body *body, const char *field, uint32_t least, uint32_t *out)
{
    uint64_t value;

    if (!read_uint(body, field, least, UINT32_MAX, &value))
        return false;
    *out = (uint32_t)value;
    return true;
}

static bool read_bool(struct body *body, const char *field, bool *out)
{
    struct thi_item item;

    if (!read_item(body, field, THI_ITEM_BOOL, &item))
        return false;
    *out = item.value != 0;
    return true;
}

static bool read_text(struct body *body, const char *field, size_t least, size_t most,
                      struct thi_text *out)
{
    struct thi_item item;

    if (!read_item(body, field, THI_ITEM_TEXT, &item))
        return false;
    if (item.bytes.size < least || item.bytes.size > most) {
        thi_fault_set(body->fault, "%s: %s: %zu bytes, not within %zu to %zu", body->kind, field,
                      item.bytes.size, least, most);
        return false;
    }
    if (!thi_text_is_plain(item.bytes.at, item.bytes.size))
        return fail(body, field, "a plain text", "control characters in it");
    *out = item.bytes;
    return true;
}

/* An array of exactly @count items, or with @count_out of up to @count. */
static bool read_array(struct body *body, const char *field, uint64_t count, unsigned *count_out)
{
    struct thi_item item;

    if (!read_item(body, field, THI_ITEM_ARRAY, &item))
        return false;
    if (count_out ? item.value > count : item.value != count) {
        thi_fault_set(body->fault, "%s: %s: %" PRIu64 " items, not %s%" PRIu64, body->kind, field,
                      item.value, count_out ? "up to " : "", count);
        return false;
    }
    if (count_out)
        *count_out = (unsigned)item.value;
    return true;
}

static bool read_addresses(struct body *body, unsigned *count_out, struct thi_text *addresses)
{
    unsigned i;

    if (!read_array(body, "addresses", TH_WIRE_ADDRESSES_MAX, count_out))
        return false;
    for (i = 0; i < *count_out; i++) {
        if (!read_text(body, "address", 1, TH_WIRE_ADDRESS_MAX, &addresses[i]))
            return false;
    }
    return true;
}

static bool read_end(struct body *body)
{
    if (body->items.at == body->items.end)
        return true;
    thi_fault_set(body->fault, "%s: %zu bytes after its end", body->kind,
                  (size_t)(body->items.end - body->items.at));
    return false;
}

/* ---- maps ---- */

static bool read_map(struct body *body, uint64_t least, uint64_t most, uint64_t *pairs_out)
{
    struct thi_item item;

    if (!read_item(body, "body", THI_ITEM_MAP, &item))
        return false;
    if (item.value < least || item.value > most) {
        thi_fault_set(body->fault, "%s: %" PRIu64 " pairs, not within %" PRIu64 " to %" PRIu64,
                      body->kind, item.value, least, most);
        return false;
    }
    *pairs_out = item.value;
    return true;
}

/* The key of a pair of which there is exactly one, in its place. */
static bool read_key(struct body *body, uint64_t key)
{
    struct thi_item item;

    if (!read_item(body, "key", THI_ITEM_UINT, &item))
        return false;
    if (item.value != key)
        thi_fault_set(body->fault, "%s: key %" PRIu64 " where %" PRIu64 " belongs", body->kind,
                      item.value, key);
    return item.value == key;
}

/* Passes over one item and what is in it. Without recursion: @left items are still to come, each of
 * at least a byte. */
static bool pass_over(struct body *body)
{
    uint64_t left = 1;

    while (left > 0) {
        uint64_t bytes = (uint64_t)(body->items.end - body->items.at);
        struct thi_item item;

        if (!thi_items_next(&body->items, &item))
            return fail(body, "a later version's value", "an item", body->items.wrong);
        left--;
        if (item.kind == THI_ITEM_TAG)
            left++;
        if (item.kind != THI_ITEM_ARRAY && item.kind != THI_ITEM_MAP)
            continue;
        if (item.value > bytes)
            return fail(body, "a later version's value", "items", "fewer than were announced");
        left += item.kind == THI_ITEM_MAP ? 2 * item.value : item.value;
    }
    return true;
}

/* The pairs that this version does not know: @count of them, keys ascending from @first on. */
static bool pass_over_pairs(struct body *body, uint64_t count, uint64_t first)
{
    uint64_t key;

    for (; count > 0; count--, first = key + 1) {
        if (!read_uint(body, "key", first, UINT32_MAX, &key) || !pass_over(body))
            return false;
    }
    return true;
}

/* ---- HELLO ---- */

static bool read_magic(struct body *body)
{
    struct thi_item item;

    if (!read_item(body, "magic", THI_ITEM_TEXT, &item))
        return false;
    if (item.bytes.size != strlen(MAGIC) || memcmp(item.bytes.at, MAGIC, strlen(MAGIC)) != 0)
        return fail(body, "magic", "\"" MAGIC "\"", "another text");
    return true;
}

static bool read_versions(struct body *body, struct thi_frame_hello *hello)
{
    if (!read_key(body, 1) || !read_uint32(body, "lowest version", 1, &hello->version_low) ||
        !read_key(body, 2) || !read_uint32(body, "highest version", 1, &hello->version_high))
        return false;
    if (hello->version_low > hello->version_high)
        thi_fault_set(body->fault, "HELLO: versions %" PRIu32 " to %" PRIu32, hello->version_low,
                      hello->version_high);
    return hello->version_low <= hello->version_high;
}

bool thi_hello_read(const void *at, size_t size, struct thi_frame_hello *hello,
                    struct thi_fault *fault)
{
    struct body body = body_of(at, size, "HELLO", fault);
    uint64_t pairs;

    return read_map(&body, HELLO_PAIRS, HELLO_PAIRS_MAX, &pairs) && read_key(&body, 0) &&
           read_magic(&body) && read_versions(&body, hello) && read_key(&body, 3) &&
           read_uint(&body, "features", 0, UINT64_MAX, &hello->features) && read_key(&body, 4) &&
           read_uint(&body, "system", 1, UINT64_MAX, &hello->system) && read_key(&body, 5) &&
           read_text(&body, "name", 0, TH_NAME_MAX, &hello->name) && read_key(&body, 6) &&
           read_array(&body, "admin", 2, NULL) &&
           read_uint32(&body, "admin's slot", 0, &hello->admin_slot) &&
           read_uint32(&body, "admin's generation", 0, &hello->admin_generation) &&
           read_key(&body, 7) &&
           read_uint32(&body, "longest frame", TH_WIRE_FRAME_LEAST, &hello->frame_max) &&
           read_key(&body, 8) &&
           read_uint(&body, "longest message", 0, UINT64_MAX, &hello->message_max) &&
           read_key(&body, 9) && read_addresses(&body, &hello->address_count, hello->addresses) &&
           read_key(&body, 10) && read_bool(&body, "dialled", &hello->dialled) &&
           read_key(&body, 11) &&
           read_uint(&body, "expected system", 0, UINT64_MAX, &hello->expected) &&
           pass_over_pairs(&body, pairs - HELLO_PAIRS, HELLO_PAIRS) && read_end(&body);
}

static void put_key(struct thi_sink *sink, uint64_t key)
{
    thi_put_head(sink, THI_ITEM_UINT, key);
}

static void put_uint(struct thi_sink *sink, uint64_t key, uint64_t value)
{
    put_key(sink, key);
    thi_put_head(sink, THI_ITEM_UINT, value);
}

static void put_addresses(struct thi_sink *sink, unsigned count, const struct thi_text *addresses)
{
    unsigned i;

    thi_put_head(sink, THI_ITEM_ARRAY, count);
    for (i = 0; i < count; i++)
        thi_put_text(sink, addresses[i]);
}

void thi_hello_put(struct thi_sink *sink, const struct thi_frame_hello *hello)
{
    thi_put_head(sink, THI_ITEM_MAP, HELLO_PAIRS);
    put_key(sink, 0);
    thi_put_text(sink, thi_text_of(MAGIC));
    put_uint(sink, 1, hello->version_low);
    put_uint(sink, 2, hello->version_high);
    put_uint(sink, 3, hello->features);
    put_uint(sink, 4, hello->system);
    put_key(sink, 5);
    thi_put_text(sink, hello->name);
    put_key(sink, 6);
    thi_put_head(sink, THI_ITEM_ARRAY, 2);
    thi_put_head(sink, THI_ITEM_UINT, hello->admin_slot);
    thi_put_head(sink, THI_ITEM_UINT, hello->admin_generation);
    put_uint(sink, 7, hello->frame_max);
    put_uint(sink, 8, hello->message_max);
    put_key(sink, 9);
    put_addresses(sink, hello->address_count, hello->addresses);
    put_key(sink, 10);
    thi_put_bool(sink, hello->dialled);
    put_uint(sink, 11, hello->expected);
}

/* ---- RESUME ---- */

bool thi_resume_read(const void *at, size_t size, struct thi_frame_resume *resume,
                     struct thi_fault *fault)
{
    struct body body = body_of(at, size, "RESUME", fault);
    uint64_t pairs;

    return read_map(&body, RESUME_PAIRS, RESUME_PAIRS, &pairs) && read_key(&body, 0) &&
           read_uint32(&body, "version", 1, &resume->version) && read_key(&body, 1) &&
           read_uint(&body, "my session", 1, UINT64_MAX, &resume->mine) && read_key(&body, 2) &&
           read_uint(&body, "your session", 0, UINT64_MAX, &resume->yours) && read_key(&body, 3) &&
           read_uint(&body, "last number", 0, UINT64_MAX, &resume->last) && read_key(&body, 4) &&
           read_uint(&body, "count", 0, UINT64_MAX, &resume->count) && read_end(&body);
}

void thi_resume_put(struct thi_sink *sink, const struct thi_frame_resume *resume)
{
    thi_put_head(sink, THI_ITEM_MAP, RESUME_PAIRS);
    put_uint(sink, 0, resume->version);
    put_uint(sink, 1, resume->mine);
    put_uint(sink, 2, resume->yours);
    put_uint(sink, 3, resume->last);
    put_uint(sink, 4, resume->count);
}

/* ---- arrays ---- */

bool thi_close_read(const void *at, size_t size, struct thi_frame_close *close,
                    struct thi_fault *fault)
{
    struct body body = body_of(at, size, "CLOSE", fault);

    return read_array(&body, "body", 2, NULL) && read_uint32(&body, "reason", 1, &close->reason) &&
           read_text(&body, "words", 0, TH_WIRE_WORDS_MAX, &close->words) && read_end(&body);
}

void thi_close_put(struct thi_sink *sink, const struct thi_frame_close *close)
{
    thi_put_head(sink, THI_ITEM_ARRAY, 2);
    thi_put_head(sink, THI_ITEM_UINT, close->reason);
    thi_put_text(sink, close->words);
}

bool thi_here_read(const void *at, size_t size, struct thi_frame_here *here,
                   struct thi_fault *fault)
{
    struct body body = body_of(at, size, "HERE", fault);

    return read_array(&body, "body", 2, NULL) &&
           read_uint(&body, "system", 1, UINT64_MAX, &here->system) &&
           read_addresses(&body, &here->address_count, here->addresses) && read_end(&body);
}

void thi_here_put(struct thi_sink *sink, const struct thi_frame_here *here)
{
    thi_put_head(sink, THI_ITEM_ARRAY, 2);
    thi_put_head(sink, THI_ITEM_UINT, here->system);
    put_addresses(sink, here->address_count, here->addresses);
}

/* ---- numbers with CBOR behind them ---- */

static void put_number(struct thi_sink *sink, uint64_t number)
{
    unsigned char bytes[8];

    thi_little_write64(bytes, number);
    thi_put_raw(sink, bytes, sizeof(bytes));
}

bool thi_returned_read(const void *at, size_t size, struct thi_frame_returned *returned,
                       struct thi_fault *fault)
{
    struct body body = body_of((const char *)at + 8, size - 8, "RETURNED", fault);

    returned->up_to = thi_little_read64(at);
    return read_array(&body, "body", 1, NULL) &&
           read_text(&body, "words", 0, TH_WIRE_WORDS_MAX, &returned->words) && read_end(&body);
}

void thi_returned_put(struct thi_sink *sink, const struct thi_frame_returned *returned)
{
    put_number(sink, returned->up_to);
    thi_put_head(sink, THI_ITEM_ARRAY, 1);
    thi_put_text(sink, returned->words);
}

bool thi_type_read(const void *at, size_t size, struct thi_frame_type *type,
                   struct thi_fault *fault)
{
    struct body body = body_of((const char *)at + 8, size - 8, "TYPE", fault);

    type->number = thi_little_read64(at);
    return read_array(&body, "body", 3, NULL) && read_uint32(&body, "type", 1, &type->type) &&
           read_text(&body, "name", 1, TH_NAME_MAX, &type->name) &&
           read_text(&body, "shape", 1, TH_WIRE_SHAPE_MAX, &type->shape) && read_end(&body);
}

void thi_type_put(struct thi_sink *sink, const struct thi_frame_type *type)
{
    put_number(sink, type->number);
    thi_put_head(sink, THI_ITEM_ARRAY, 3);
    thi_put_head(sink, THI_ITEM_UINT, type->type);
    thi_put_text(sink, type->name);
    thi_put_text(sink, type->shape);
}

/* ---- what may be put into one ---- */

bool thi_frame_name_is_good(struct thi_text name)
{
    return name.size <= TH_NAME_MAX && thi_text_is_plain(name.at, name.size);
}

bool thi_frame_address_is_good(struct thi_text address)
{
    return address.size > 0 && address.size <= TH_WIRE_ADDRESS_MAX &&
           thi_text_is_plain(address.at, address.size);
}
