/* tests/support/probe.h: every public function of some headers, with bad arguments.
 *
 * A probe calls one function in all the wrong ways and notes the first answer that is not what the
 * header promises. It does not assert, since it runs as an endpoint and once more inside an actor's
 * handler, on a worker. probe_headers() reads the headers and fails when one of them declares a
 * function that has no probe. */
#ifndef TESTS_SUPPORT_PROBE_H
#define TESTS_SUPPORT_PROBE_H

#include "tests/support/system.h"
#include "tests/support/talk.h"

struct probe {
    th_system *sys;
    th_self *me; /* the endpoint, or the actor in its handler */
    bool is_actor;
    bool is_simple;
    th_addr live, dead, foreign, nowhere, none;
    unsigned calls;
    char wrong[300];
};

struct probe_row {
    const char *function;
    void (*run)(struct probe *probe);
};

#define want(call, expected) want_or(call, expected, expected)
#define want_or(call, expected, other)                                                             \
    do {                                                                                           \
        th_err want_err_ = (call);                                                                 \
        probe->calls++;                                                                            \
        if (want_err_ != (expected) && want_err_ != (other))                                       \
            probe_note(probe, __LINE__, #call, th_err_name(want_err_));                            \
    } while (0)
#define claim(condition)                                                                           \
    do {                                                                                           \
        probe->calls++;                                                                            \
        if (!(condition))                                                                          \
            probe_note(probe, __LINE__, #condition, "false");                                      \
    } while (0)

/* The first note stays. */
void probe_note(struct probe *probe, int line, const char *what, const char *instead);

/* Something to send, of whoever probes. */
th_msg *probe_word(struct probe *probe);

/* A class that does nothing. */
extern const th_class probe_class;

/* What a call that fails has to leave in an output. */
static const th_addr probe_untouched = { 77, 77, 77 };

/* Runs each row as an endpoint; in an actor. */
void probe_as_endpoint(struct test_system *ts, const struct probe_row *rows, size_t count);
void probe_in_actor(struct test_system *ts, const struct probe_row *rows, size_t count);

/* @headers of include/thespis, ended by NULL, declare exactly the functions that @rows are of. */
void probe_headers(const char *const *headers, const struct probe_row *rows, size_t count);

/* A header with all its text, [lend] until the next call. */
const char *probe_header_text(const char *header);

/* The same of any file, by its path in the tree. */
const char *probe_file_text(const char *name);

#endif
