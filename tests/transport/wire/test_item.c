/* tests of transport/wire/item.h: one spelling of each value */
#include <criterion/criterion.h>

#include <cbor.h>
#include <string.h>

#include "transport/wire/item.h"

static bool next(const void *bytes, size_t size, struct thi_item *item)
{
    struct thi_items items;

    thi_items_init(&items, bytes, size);
    return thi_items_next(&items, item) && items.at == items.end;
}

Test(item, is_written_in_its_shortest_form_and_read_in_no_other)
{
    static const uint64_t values[] = {
        0, 1, 23, 24, 255, 256, 65535, 65536, UINT32_MAX, (uint64_t)UINT32_MAX + 1, UINT64_MAX
    };
    static const size_t sizes[] = { 1, 1, 1, 2, 2, 3, 3, 5, 5, 9, 9 };
    static const enum thi_item_kind kinds[] = { THI_ITEM_UINT, THI_ITEM_MINUS, THI_ITEM_ARRAY,
                                                THI_ITEM_MAP };
    unsigned char bytes[16];
    struct thi_item item;
    struct thi_sink sink;
    size_t i, k, width;

    for (k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
            thi_sink_init(&sink, bytes, sizeof(bytes));
            thi_put_head(&sink, kinds[k], values[i]);
            cr_assert_eq(sink.size, sizes[i]);
            cr_assert(next(bytes, sink.size, &item));
            cr_assert_eq(item.kind, kinds[k]);
            cr_assert_eq(item.value, values[i]);
        }
        /* each value in each wider form */
        for (width = 1; width <= 8; width *= 2) {
            for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
                unsigned byte;

                if (sizes[i] >= 1 + width || (width < 8 && values[i] >> 8 * width))
                    continue;
                bytes[0] = (unsigned char)((bytes[0] & 0xe0) | (width == 1   ? 24
                                                                : width == 2 ? 25
                                                                : width == 4 ? 26
                                                                             : 27));
                for (byte = 0; byte < width; byte++)
                    bytes[1 + byte] = (unsigned char)(values[i] >> 8 * (width - 1 - byte));
                cr_assert(!next(bytes, 1 + width, &item), "%zu in %zu", (size_t)values[i], width);
            }
        }
    }
}

/* The heads that we read ourselves are read as libcbor reads them: each pair of first bytes. */
Test(item, with_a_short_head_is_what_the_library_says_it_is)
{
    unsigned char bytes[300];
    struct cbor_decoder_result result;
    struct thi_items items;
    struct thi_item item;
    unsigned pair, taken = 0;

    memset(bytes, 'a', sizeof(bytes));
    for (pair = 0; pair < 65536; pair++) {
        bytes[0] = (unsigned char)(pair >> 8);
        bytes[1] = (unsigned char)pair;
        thi_items_init(&items, bytes, sizeof(bytes));
        if (!thi_items_next(&items, &item))
            continue;
        taken++;
        /* it knows no tags of one byte but a few, and they are nobody's here */
        if (item.kind == THI_ITEM_TAG && item.value < 24)
            continue;
        result = cbor_stream_decode(bytes, sizeof(bytes), &cbor_empty_callbacks, NULL);
        cr_assert_eq(result.status, CBOR_DECODER_FINISHED, "%04x", pair);
        cr_assert_eq(result.read, (size_t)(items.at - bytes), "%04x", pair);
    }
    cr_assert_gt(taken, 30000);
}

Test(item, of_no_use_here_is_refused)
{
    static const struct {
        const char *bytes;
        size_t size;
    } bad[] = {
        { "\x5f\x41\x61\xff", 4 },
        { "\x7f\xff", 2 },
        { "\x9f\xff", 2 },
        { "\xbf\xff", 2 },
        { "\xff", 1 },
        { "\xf7", 1 },
        { "\xf9\x3c\x00", 3 },
        { "\xe0", 1 },
        { "\xf8\x20", 2 },
        { "\x1c", 1 },
        { "\x58\x01\x61", 3 },
        { "\x78\x01\x61", 3 },
        { "\x62\xc3\x28", 3 },
        { "\xd8\x17\x00", 3 },
        { "", 0 },
        { "\x42\x61", 2 },
        { "\x5b\xff\xff\xff\xff\xff\xff\xff\xff", 9 },
    };
    struct thi_item item;
    struct thi_items items;
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        thi_items_init(&items, bad[i].bytes, bad[i].size);
        cr_assert(!thi_items_next(&items, &item), "number %zu", i);
        cr_assert_not_null(items.wrong);
    }
}

Test(item, of_bytes_is_where_it_lies)
{
    static const char bytes[] = "\x43"
                                "abc\x63xyz";
    struct thi_items items;
    struct thi_item item;

    thi_items_init(&items, bytes, sizeof(bytes) - 1);
    cr_assert(thi_items_next(&items, &item));
    cr_assert_eq(item.kind, THI_ITEM_BYTES);
    cr_assert(item.bytes.at == bytes + 1);
    cr_assert_eq(item.bytes.size, 3);
    cr_assert(thi_items_next(&items, &item));
    cr_assert_eq(item.kind, THI_ITEM_TEXT);
    cr_assert(item.bytes.at == bytes + 5);
    cr_assert(!thi_items_next(&items, &item));
}

Test(sink, counts_on_when_the_room_is_used_up)
{
    unsigned char bytes[8];
    struct thi_sink sink;

    memset(bytes, 0xee, sizeof(bytes));
    thi_sink_init(&sink, bytes, 2);
    thi_put_bool(&sink, true);
    thi_put_head(&sink, THI_ITEM_UINT, 1000);
    thi_put_null(&sink);
    thi_put_f32(&sink, 0);
    thi_put_f64(&sink, 0);
    thi_put_text(&sink, thi_text_of("abc"));
    cr_assert_eq(sink.size, 1 + 3 + 1 + 5 + 9 + 4);
    cr_assert_eq(bytes[0], 0xf5);
    cr_assert_eq(bytes[1], 0xee);
    cr_assert_eq(bytes[2], 0xee);
}
