/* vectors.h: the files of tests/vectors, read; the types that they speak of.
 *
 * A file is blocks of `key: value` lines between blank ones; tests/vectors/README.md has the keys.
 * No Criterion in here: the fuzzers use it, too. */
#ifndef TESTS_SUPPORT_VECTORS_H
#define TESTS_SUPPORT_VECTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <thespis/type.h>

struct thi_frame;
struct thi_types;

#define VECTOR_BYTES_MAX 8192
#define VECTOR_TEXT_MAX  4096

struct vector {
    char frame[128];   /* its name, if it is a frame's; else "" */
    char message[128]; /* if it is a message's */
    char type[128];
    char shape[VECTOR_TEXT_MAX]; /* of a block that declares a type */
    char value[VECTOR_TEXT_MAX];
    char says[VECTOR_TEXT_MAX];
    char error[VECTOR_TEXT_MAX];
    bool again; /* written again it is the same bytes */
    unsigned char bytes[VECTOR_BYTES_MAX];
    size_t size;
};

struct vectors {
    FILE *file;
};

/** Opens tests/vectors/@name. False: there is no such file. */
bool vectors_open(struct vectors *vectors, const char *name);
/** The next block. False: that was the last one, and the file is closed. */
bool vectors_next(struct vectors *vectors, struct vector *vector_out);

/** The type of that name, or NULL. As thi_types_init() wants it. */
const th_type *vector_type(void *host, const char *name);
/** A session in which both sides have announced all of them, in the order of the file. False: no
 * memory. */
bool vector_session(struct thi_types *types);

/** @frame as the one line of JSON that a vector's value is. As snprintf(). */
size_t vector_frame_text(const struct thi_frame *frame, char *text, size_t size);

#endif
