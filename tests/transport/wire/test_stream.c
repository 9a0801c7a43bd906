/* tests of transport/wire/frame.h as a link uses it: a stream of bytes comes in pieces of any size,
 * and the same frames are read from it, each once, with all that belongs to it and no more */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "transport/wire/frame.h"

static const struct thi_frame_limits limits = { TH_WIRE_FRAME_MAX, TH_WIRE_MESSAGE_MAX };

#define STREAM_MAX (512u * 1024)

/* What was sent. */
struct sent {
    unsigned char *bytes;
    size_t size;
    size_t ends[16]; /* of each frame */
    unsigned count;
};

/* Who reads it: what came, and is not used up. */
struct reader {
    unsigned char *bytes;
    size_t size;
    uint64_t frames; /* read so far; their numbers are 1, 2, 3 ... */
};

static unsigned char *room(void)
{
    unsigned char *bytes = malloc(STREAM_MAX);

    cr_assert_not_null(bytes);
    return bytes;
}

/* The byte at @at of the body of frame @number. */
static unsigned char body_byte(uint64_t number, size_t at)
{
    return (unsigned char)(number * 31 + at * 7);
}

/* A message with a body of @size bytes. */
static void put(struct sent *sent, size_t size)
{
    struct thi_frame frame = { .kind = THI_FRAME_DATA };
    unsigned char *at = sent->bytes + sent->size;
    size_t i, head;

    frame.as.data = (struct thi_frame_data){
        .number = ++sent->count, .to = { 1, 2, 3 }, .type = 1, .size = size
    };
    head = thi_frame_write(at, STREAM_MAX - sent->size, &frame);
    cr_assert_leq(sent->size + head + size, STREAM_MAX);
    for (i = 0; i < size; i++)
        at[head + i] = body_byte(sent->count, i);
    sent->size += head + size;
    sent->ends[sent->count - 1] = sent->size;
}

/* Reads every whole frame of what came. */
static void read_all(struct reader *reader)
{
    struct thi_frame frame;
    struct thi_fault fault;
    size_t used = 0, need = 0, i;

    while (thi_frame_read(reader->bytes + used, reader->size - used, &limits, &frame, &need,
                          &fault) == THI_FRAME_WHOLE) {
        const unsigned char *body = frame.as.data.body;

        reader->frames++;
        cr_assert_eq(frame.as.data.number, reader->frames);
        for (i = 0; i < frame.as.data.size; i++)
            cr_assert_eq(body[i], body_byte(reader->frames, i));
        used += frame.size;
    }
    cr_assert_gt(need, reader->size - used, "nothing is needed, and nothing was read");
    memmove(reader->bytes, reader->bytes + used, reader->size - used);
    reader->size -= used;
}

/* @size bytes more come. */
static void feed(struct reader *reader, const unsigned char *bytes, size_t size)
{
    memcpy(reader->bytes + reader->size, bytes, size);
    reader->size += size;
    read_all(reader);
}

/* The first @first bytes in one piece, the others in pieces of @piece. */
static void comes_in_pieces(const struct sent *sent, size_t first, size_t piece)
{
    struct reader reader = { room(), 0, 0 };
    size_t at = first, whole = 0;

    feed(&reader, sent->bytes, first);
    while (whole < sent->count && sent->ends[whole] <= first)
        whole++;
    cr_assert_eq(reader.frames, whole, "at byte %zu", first);
    while (at < sent->size) {
        size_t size = sent->size - at < piece ? sent->size - at : piece;

        feed(&reader, sent->bytes + at, size);
        at += size;
    }
    cr_assert_eq(reader.frames, sent->count);
    cr_assert_eq(reader.size, 0);
    free(reader.bytes);
}

Test(stream, of_one_frame_is_read_when_all_of_it_is_there)
{
    struct sent sent = { .bytes = room() };

    put(&sent, 3);
    comes_in_pieces(&sent, sent.size, 1);
    free(sent.bytes);
}

Test(stream, of_the_smallest_frames_is_read)
{
    struct sent sent = { .bytes = room() };
    int i;

    for (i = 0; i < 10; i++)
        put(&sent, 0);
    comes_in_pieces(&sent, sent.size, 1);
    comes_in_pieces(&sent, 0, 1);
    free(sent.bytes);
}

Test(stream, of_the_longest_frames_is_read)
{
    struct sent sent = { .bytes = room() };
    int i;

    for (i = 0; i < 3; i++)
        put(&sent, TH_WIRE_FRAME_MAX - (THI_FRAME_DATA_SIZE - THI_FRAME_HEADER_SIZE));
    comes_in_pieces(&sent, sent.size, 1);
    comes_in_pieces(&sent, 0, 65536);
    free(sent.bytes);
}

Test(stream, that_breaks_off_anywhere_goes_on_there)
{
    struct sent sent = { .bytes = room() };
    size_t first;

    put(&sent, 40);
    for (first = 0; first < sent.size; first++) {
        comes_in_pieces(&sent, first, sent.size);
        comes_in_pieces(&sent, first, 1);
    }
    free(sent.bytes);
}

/* What is behind a frame belongs to the next one, however much of it came along. */
Test(stream, with_more_behind_a_frame_keeps_it_for_the_next)
{
    struct sent sent = { .bytes = room() };
    size_t first;

    put(&sent, 20);
    put(&sent, 0);
    put(&sent, 20);
    for (first = sent.ends[0]; first <= sent.size; first++) {
        comes_in_pieces(&sent, first, sent.size);
        comes_in_pieces(&sent, first, 1);
    }
    free(sent.bytes);
}

Test(stream, in_pieces_of_every_size_is_the_same_stream)
{
    struct sent sent = { .bytes = room() };
    size_t piece;
    int i;

    for (i = 0; i < 8; i++)
        put(&sent, (size_t)i * 11);
    for (piece = 1; piece <= sent.size; piece++)
        comes_in_pieces(&sent, 0, piece);
    free(sent.bytes);
}

Test(stream, of_long_frames_in_pieces_is_the_same_stream)
{
    struct sent sent = { .bytes = room() };
    size_t piece, first;

    put(&sent, 60000);
    put(&sent, 1);
    put(&sent, 60000);
    for (piece = 1000; piece <= sent.size; piece = piece * 3 / 2)
        comes_in_pieces(&sent, 0, piece);
    for (first = 1; first <= sent.size; first = first * 2 + 1)
        comes_in_pieces(&sent, first, sent.size);
    free(sent.bytes);
}
