/* Events as a file that viewers read. */
#include "runtime/system/trace_file.h"
#include "tests/support/json.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MESSAGES = 2000 };

static struct thi_memory memory;
static struct thi_trace_file file;
static char text[4 * 1024 * 1024];

static void open_file(uint64_t bytes_max)
{
    th_trace_options where = { .fd = memfd_create("trace", 0), .bytes_max = bytes_max };

    cr_assert_eq(thi_memory_init(&memory, NULL, 0), TH_OK);
    cr_assert_eq(thi_trace_file_open(&file, &where), TH_OK);
    file.memory = &memory;
    file.is_virtual = true;
    thi_trace_file_begin(&file, "a \"system\"");
}

/* Ends it; its text is in `text`. */
static void close_file(void)
{
    ssize_t size;

    thi_trace_file_end(&file, "a \"system\"");
    size = pread(file.fd, text, sizeof(text) - 1, 0);
    cr_assert_geq(size, 0);
    text[size] = '\0';
    cr_assert_eq((uint64_t)size, file.bytes);
    close(file.fd);
    thi_trace_file_close(&file);
    cr_assert_eq(thi_memory_fini(&memory), 0);
    cr_assert(json_is_valid(text));
}

static void add(enum thi_trace_kind kind, const char *name, const void *msg, uint64_t at)
{
    struct thi_trace_event event = {
        .kind = kind, .name = name, .msg = msg, .at = at, .until = at + 5, .track = 1
    };

    thi_trace_file_add(&file, &event);
}

static const char *find(const char *needle)
{
    const char *at = strstr(text, needle);

    cr_assert_not_null(at, "no %s", needle);
    return at;
}

Test(trace_file, tells_times_in_microseconds)
{
    open_file(0);
    add(THI_TRACE_TURN, "c", NULL, 1234567);
    close_file();
    (void)find("\"ts\":1234.567,\"dur\":0.005,\"cat\":\"turn\",\"name\":\"c\"");
    cr_assert_eq(json_count(text, "traceEvents"), 3);
}

Test(trace_file, escapes_names)
{
    open_file(0);
    add(THI_TRACE_TURN, "a\"b\\c\n", NULL, 1);
    close_file();
    (void)find("\"a\\u0022b\\u005cc\\u000a\"");
}

/* Where a message might lie: all over the place, so that the table has to search. */
static const void *place(int i)
{
    uintptr_t n = (uintptr_t)i + 1;

    return (const void *)(n * n * n * 32);
}

Test(trace_file, has_an_arrow_for_each_message_that_was_sent)
{
    char id[64];
    uint64_t at = 1;

    open_file(0);
    for (int i = 0; i < MESSAGES; i++)
        add(THI_TRACE_SEND, "m", place(i), at++);
    for (int i = MESSAGES - 1; i >= 0; i -= 3) /* out of order, and not all */
        add(THI_TRACE_HANDLE, "m", place(i), at++);
    for (int i = 0; i < MESSAGES; i++)
        add(THI_TRACE_HANDLE, "m", place(i), at++);
    add(THI_TRACE_HANDLE, "m", place(0), at++); /* a second delivery has none */
    close_file();
    for (int i = 1; i <= MESSAGES; i++) {
        const char *begin, *end;

        snprintf(id, sizeof(id), "\"id\":\"%x\"}", (unsigned)i);
        begin = find(id);
        end = strstr(begin + 1, id);
        cr_assert_not_null(end, "arrow %d does not end", i);
        cr_assert_null(strstr(end + 1, id), "arrow %d ends twice", i);
    }
}

Test(trace_file, has_no_arrow_to_another_message_at_the_same_place)
{
    char place;

    open_file(0);
    add(THI_TRACE_SEND, "m", &place, 1);
    add(THI_TRACE_HANDLE, "n", &place, 2);
    close_file();
    cr_assert_null(strstr(text, "\"ph\":\"f\""));
}

Test(trace_file, is_whole_at_its_limit)
{
    open_file(TH_TRACE_BYTES_LEAST);
    for (uint64_t i = 1; i <= 5000; i++)
        add(THI_TRACE_TURN, "class", NULL, i);
    cr_assert_gt(file.lost, 0);
    cr_assert_eq(file.lost + file.events, 5000);
    close_file();
    cr_assert_leq(strlen(text), TH_TRACE_BYTES_LEAST);
}

Test(trace_file, without_memory_has_no_arrows)
{
    open_file(0);
    memory.max = 1;
    add(THI_TRACE_SEND, "m", text, 1);
    add(THI_TRACE_HANDLE, "m", text, 2);
    close_file();
    cr_assert_null(strstr(text, "\"ph\":\"f\""));
    (void)find("\"cat\":\"handle\"");
}

Test(trace_file, leaves_out_what_began_before_it)
{
    open_file(0);
    file.start = 100;
    add(THI_TRACE_TURN, "class", NULL, 99);
    close_file();
    cr_assert_null(strstr(text, "\"turn\""));
    cr_assert_eq(file.lost, 0);
}
