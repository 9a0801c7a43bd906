/* alloc.h: the memory hooks, and shared immutable buffers.
 *
 * All memory of a system comes from one allocator, replaceable in th_options. Messages and actors
 * come from its per-worker caches; everything here is for what is larger, rarer or the user's own.
 */
#ifndef THESPIS_ALLOC_H
#define THESPIS_ALLOC_H

#include <stddef.h>
#include <stdint.h>

#include <thespis/compiler.h>

typedef struct th_self th_self;

/** What a replacement must do. Called from any thread of the system, several at once.
 *  alloc answers NULL when it has none, and memory aligned for any type otherwise; free gets the
 * size that alloc was asked for. */
typedef struct th_allocator {
    void *(*alloc)(void *context, size_t size);
    void (*free)(void *context, void *memory, size_t size);
    void *context;
} th_allocator;

/** A reference-counted immutable buffer: the `str` and `bytes` fields of messages. @data is always
 * followed by a NUL byte that @size does not count. Read the fields, never write them. */
typedef struct th_blob {
    const char *data;
    size_t size;
} th_blob;

TH_BEGIN_C

/** @size bytes of the system's memory, zeroed [give], or NULL. For state that outlives a handler;
 * give it back with th_free() and the same size. From the thread that holds @self. */
TH_API void *th_alloc(th_self *self, size_t size);

/** Returns what th_alloc() gave [take]. NULL is nothing to do. */
TH_API void th_free(th_self *self, void *memory, size_t size);

/** A buffer holding a copy of @size bytes of @data [give], or NULL: out of memory, or @data is NULL
 * with a size. */
TH_API th_blob *th_blob_create(th_self *self, const void *data, size_t size);

/** A buffer holding a copy of the C string @text [give]. */
TH_API th_blob *th_blob_text(th_self *self, const char *text);

/** Room for @size bytes, to be filled through *@data_out before anybody else sees the buffer
 * [give], or NULL. */
TH_API th_blob *th_blob_reserve(th_self *self, size_t size, char **data_out);

/** One more owner [give]. From any thread. NULL answers NULL. */
TH_API th_blob *th_blob_ref(th_blob *blob);

/** One owner fewer [take]; the last one frees. From any thread. NULL is nothing to do. */
TH_API void th_blob_unref(th_blob *blob);

TH_END_C
#endif
