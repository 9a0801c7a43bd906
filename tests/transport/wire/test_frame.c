/* tests of transport/wire/frame.h: what is written is read, what breaks a rule is not */
#include <criterion/criterion.h>

#include <string.h>

#include "transport/wire/frame.h"
#include "transport/wire/little.h"

static const struct thi_frame_limits limits = { TH_WIRE_FRAME_MAX, TH_WIRE_MESSAGE_MAX };

static enum thi_frame_answer read_one(const void *bytes, size_t size, struct thi_frame *frame,
                                      struct thi_fault *fault)
{
    size_t need = 0;

    fault->words[0] = '\0';
    return thi_frame_read(bytes, size, &limits, frame, &need, fault);
}

/* ---- there and back ---- */

Test(frame, of_a_message_is_a_head_that_counts_the_body)
{
    struct thi_frame frame = { .kind = THI_FRAME_DATA }, back;
    struct thi_fault fault;
    char bytes[THI_FRAME_DATA_SIZE + 3];

    frame.as.data = (struct thi_frame_data){
        .number = 7, .from = { 1, 2, 3 }, .to = { 4, 5, 6 }, .type = 9, .size = 3
    };
    cr_assert_eq(thi_frame_write(bytes, sizeof(bytes), &frame), THI_FRAME_DATA_SIZE);
    memcpy(bytes + THI_FRAME_DATA_SIZE, "abc", 3);
    cr_assert_eq(read_one(bytes, sizeof(bytes), &back, &fault), THI_FRAME_WHOLE, "%s", fault.words);
    cr_assert_eq(back.size, sizeof(bytes));
    cr_assert_eq(back.as.data.number, 7);
    cr_assert(th_addr_equal(back.as.data.from, frame.as.data.from));
    cr_assert(th_addr_equal(back.as.data.to, frame.as.data.to));
    cr_assert_eq(back.as.data.type, 9);
    cr_assert(!back.as.data.has_more);
    cr_assert_eq(back.as.data.size, 3);
    cr_assert_eq(memcmp(back.as.data.body, "abc", 3), 0);
}

Test(frame, of_a_piece_says_which_and_how_much)
{
    struct thi_frame frame = { .kind = THI_FRAME_DATA }, back;
    struct thi_fault fault;
    char bytes[THI_FRAME_PIECE_SIZE + 2] = { 0 };

    frame.as.data = (struct thi_frame_data){ .number = 1,
                                             .to = { 4, 5, 6 },
                                             .type = 9,
                                             .has_more = true,
                                             .transfer = 11,
                                             .total = 5,
                                             .size = 2 };
    cr_assert_eq(thi_frame_write(bytes, sizeof(bytes), &frame), THI_FRAME_PIECE_SIZE);
    cr_assert_eq(read_one(bytes, sizeof(bytes), &back, &fault), THI_FRAME_WHOLE, "%s", fault.words);
    cr_assert(back.as.data.has_more);
    cr_assert_eq(back.as.data.transfer, 11);
    cr_assert_eq(back.as.data.total, 5);
    cr_assert_eq(back.as.data.size, 2);

    frame.kind = THI_FRAME_MORE;
    frame.as.more = (struct thi_frame_more){ .number = 2, .transfer = 11, .size = 3 };
    cr_assert_eq(thi_frame_write(bytes, sizeof(bytes), &frame), THI_FRAME_MORE_SIZE);
    cr_assert_eq(read_one(bytes, sizeof(bytes), &back, &fault), THI_FRAME_WHOLE, "%s", fault.words);
    cr_assert_eq(back.as.more.number, 2);
    cr_assert_eq(back.as.more.transfer, 11);
    cr_assert(!back.as.more.has_more);
    cr_assert_eq(back.as.more.size, 3);
}

Test(frame, of_a_greeting_says_who_and_where)
{
    struct thi_frame frame = { .kind = THI_FRAME_HELLO }, back;
    struct thi_frame_hello *hello = &frame.as.hello;
    struct thi_fault fault;
    char bytes[THI_FRAME_SMALL_MAX];
    size_t size;

    *hello = (struct thi_frame_hello){ .version_low = 1,
                                       .version_high = 3,
                                       .features = 5,
                                       .system = UINT64_MAX,
                                       .name = thi_text_of("n\xc3\xb8rth"),
                                       .admin_slot = 6,
                                       .admin_generation = UINT32_MAX,
                                       .frame_max = TH_WIRE_FRAME_LEAST,
                                       .message_max = 0,
                                       .address_count = 2,
                                       .dialled = true,
                                       .expected = 8 };
    hello->addresses[0] = thi_text_of("127.0.0.1:1900");
    hello->addresses[1] = thi_text_of("[::1]:1900");
    size = thi_frame_write(bytes, sizeof(bytes), &frame);
    cr_assert_leq(size, sizeof(bytes));
    cr_assert_eq(read_one(bytes, size, &back, &fault), THI_FRAME_WHOLE, "%s", fault.words);
    cr_assert_eq(back.size, size);
    cr_assert_eq(back.as.hello.version_low, 1);
    cr_assert_eq(back.as.hello.version_high, 3);
    cr_assert_eq(back.as.hello.features, 5);
    cr_assert_eq(back.as.hello.system, UINT64_MAX);
    cr_assert_eq(memcmp(back.as.hello.name.at, hello->name.at, back.as.hello.name.size), 0);
    cr_assert_eq(back.as.hello.admin_slot, 6);
    cr_assert_eq(back.as.hello.admin_generation, UINT32_MAX);
    cr_assert_eq(back.as.hello.frame_max, TH_WIRE_FRAME_LEAST);
    cr_assert_eq(back.as.hello.message_max, 0);
    cr_assert_eq(back.as.hello.address_count, 2);
    cr_assert_eq(memcmp(back.as.hello.addresses[1].at, "[::1]:1900", 10), 0);
    cr_assert(back.as.hello.dialled);
    cr_assert_eq(back.as.hello.expected, 8);
}

/* Everything at its longest fits where a stranger may put it. */
Test(frame, of_a_greeting_at_its_longest_is_within_the_greeting_limit)
{
    struct thi_frame frame = { .kind = THI_FRAME_HELLO }, back;
    struct thi_frame_limits greeting = { TH_WIRE_GREETING_MAX, 0 };
    struct thi_fault fault;
    char bytes[THI_FRAME_SMALL_MAX], text[TH_NAME_MAX];
    size_t size, need;
    unsigned i;

    memset(text, 'x', sizeof(text));
    memset(&frame.as.hello, 0xff, sizeof(frame.as.hello));
    frame.as.hello.dialled = true;
    frame.as.hello.name = (struct thi_text){ text, TH_NAME_MAX };
    frame.as.hello.address_count = TH_WIRE_ADDRESSES_MAX;
    for (i = 0; i < TH_WIRE_ADDRESSES_MAX; i++)
        frame.as.hello.addresses[i] = (struct thi_text){ text, TH_WIRE_ADDRESS_MAX };
    size = thi_frame_write(bytes, sizeof(bytes), &frame);
    cr_assert_eq(thi_frame_read(bytes, size, &greeting, &back, &need, &fault), THI_FRAME_WHOLE);
}

/* ---- in parts ---- */

Test(frame, is_awaited_byte_by_byte)
{
    struct thi_frame frame = { .kind = THI_FRAME_CLOSE }, back;
    struct thi_fault fault;
    char bytes[64];
    size_t size, i, need;

    frame.as.close = (struct thi_frame_close){ THI_CLOSE_IDLE, thi_text_of("nothing to say") };
    size = thi_frame_write(bytes, sizeof(bytes), &frame);
    for (i = 0; i < size; i++) {
        need = 0;
        cr_assert_eq(thi_frame_read(bytes, i, &limits, &back, &need, &fault), THI_FRAME_SHORT);
        cr_assert_eq(need, i < THI_FRAME_HEADER_SIZE ? THI_FRAME_HEADER_SIZE : size);
    }
    cr_assert_eq(read_one(bytes, size, &back, &fault), THI_FRAME_WHOLE);
    cr_assert_eq(back.as.close.reason, THI_CLOSE_IDLE);
    cr_assert_eq(back.as.close.words.size, strlen("nothing to say"));
}

Test(frame, says_how_much_room_it_takes)
{
    struct thi_frame frame = { .kind = THI_FRAME_PING, .as.ping = { 5 } };
    unsigned char bytes[17];
    size_t room;

    for (room = 0; room <= 16; room++) {
        memset(bytes, 0xee, sizeof(bytes));
        cr_assert_eq(thi_frame_write(bytes, room, &frame), 16);
        cr_assert_eq(bytes[room], 0xee);
    }
    cr_assert_eq(thi_frame_write(NULL, 0, &frame), 16);
}

/* ---- what is refused ---- */

static void refuses(const unsigned char *bytes, size_t size, const char *words)
{
    struct thi_frame frame;
    struct thi_fault fault;

    cr_assert_eq(read_one(bytes, size, &frame, &fault), THI_FRAME_BAD, "taken, not %s", words);
    cr_assert_str_eq(fault.words, words);
}

Test(frame, whose_length_is_too_long_is_refused_by_its_header)
{
    static const uint32_t lengths[] = { TH_WIRE_FRAME_MAX + 1, 0x80000000u, UINT32_MAX };
    unsigned char header[THI_FRAME_HEADER_SIZE] = { 0 };
    struct thi_frame frame;
    struct thi_fault fault;
    size_t i, need;

    header[4] = THI_FRAME_DATA;
    for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        thi_little_write32(header, lengths[i]);
        cr_assert_eq(read_one(header, sizeof(header), &frame, &fault), THI_FRAME_BAD);
    }
    thi_little_write32(header, TH_WIRE_FRAME_MAX);
    cr_assert_eq(thi_frame_read(header, sizeof(header), &limits, &frame, &need, &fault),
                 THI_FRAME_SHORT);
    cr_assert_eq(need, THI_FRAME_HEADER_SIZE + TH_WIRE_FRAME_MAX);
}

Test(frame, of_another_protocol_is_refused_by_its_header)
{
    refuses((const unsigned char *)"GET / HT", 8, "a frame of kind 47, which is none");
    refuses((const unsigned char *)"\x16\x03\x01\x02\x00\x01\x00\x01", 8,
            "a frame of kind 0, which is none");
}

Test(frame, with_bits_that_mean_nothing_is_refused)
{
    unsigned char ack[16] = { 8, 0, 0, 0, THI_FRAME_ACK };
    struct thi_frame frame;
    struct thi_fault fault;

    cr_assert_eq(read_one(ack, sizeof(ack), &frame, &fault), THI_FRAME_WHOLE);
    ack[5] = 1;
    refuses(ack, sizeof(ack), "ACK: flags 0x01, which mean nothing there");
    ack[5] = 0;
    ack[7] = 1;
    refuses(ack, sizeof(ack), "ACK: the last two bytes of its header are not 0");
    ack[7] = 0;
    ack[0] = 7;
    refuses(ack, sizeof(ack), "ACK: 7 bytes long, not 8");
}

Test(frame, of_a_message_past_what_we_take_is_refused)
{
    struct thi_frame frame = { .kind = THI_FRAME_DATA };
    unsigned char bytes[THI_FRAME_PIECE_SIZE + 1] = { 0 };

    frame.as.data = (struct thi_frame_data){ .number = 1,
                                             .to = { 4, 5, 6 },
                                             .type = 9,
                                             .has_more = true,
                                             .size = 1,
                                             .total = TH_WIRE_MESSAGE_MAX + 1 };
    thi_frame_write(bytes, sizeof(bytes), &frame);
    refuses(bytes, sizeof(bytes),
            "DATA: a message of 67174401 bytes, more than the 67174400 allowed");
    frame.as.data.total = 1;
    thi_frame_write(bytes, sizeof(bytes), &frame);
    refuses(bytes, sizeof(bytes), "DATA: 1 bytes in all, but its first piece has 1 already");
}

Test(frame, has_a_name_and_a_close_has_one)
{
    cr_assert_str_eq(thi_frame_name(THI_FRAME_RETURNED), "RETURNED");
    cr_assert_str_eq(thi_frame_name(0), "?");
    cr_assert_str_eq(thi_close_name(THI_CLOSE_DUPLICATE), "DUPLICATE");
    cr_assert_str_eq(thi_close_name(999), "?");
}
