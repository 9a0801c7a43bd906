/* runtime/system/trace_file.h: events as a file in the Trace Event Format (JSON object format).
 *
 * F1. What is written at once is whole events; if a write fails, the file is cut back to where it
 *     began, so that the end, which is short, may still find room, and the file stays JSON.
 * F2. An event that cannot be written is counted as lost, wherever it was lost. */
#ifndef THI_SYSTEM_TRACE_FILE_H
#define THI_SYSTEM_TRACE_FILE_H

#include "runtime/base/cycles.h"
#include "runtime/base/trace_ring.h"
#include <thespis/trace.h>

/* Messages that are under way, by where they lie: their number, for arrows that a seed decides. */
struct thi_trace_flow {
    const void *msg; /* NULL: an empty place */
    const char *name;
    uint64_t number;
};

struct thi_trace_file {
    int fd;
    bool is_ours; /* to be closed */
    bool has_failed;
    bool has_event;
    bool is_virtual;                   /* times are nanoseconds, and messages have numbers */
    const struct thi_cycle_rate *rate; /* else */
    uint64_t start;                    /* thi_trace_now() */
    uint64_t bytes, bytes_max;
    uint64_t events, lost;
    struct thi_memory *memory;
    struct thi_trace_flow *flows; /* flow_room of them, a power of two; NULL: none yet */
    size_t flow_room, flow_count;
    uint64_t flow_last;
    uint32_t *tracks; /* that were named */
    size_t track_count, track_room;
    size_t used;
    char text[32768];
};

/* Opens where @options say. The rest of @file is the caller's to fill in. TH_E_FILE,
 * TH_E_EXISTS. */
TH_NODISCARD th_err thi_trace_file_open(struct thi_trace_file *file,
                                        const th_trace_options *options);
void thi_trace_file_begin(struct thi_trace_file *file, const char *system);
void thi_trace_file_add(struct thi_trace_file *file, const struct thi_trace_event *event);
/* What is there goes to the file. */
void thi_trace_file_flush(struct thi_trace_file *file);
void thi_trace_file_end(struct thi_trace_file *file, const char *system);
/* Without a word more; also for one that was never begun. */
void thi_trace_file_close(struct thi_trace_file *file);

#endif
