#include "runtime/system/trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <thespis/config.h>
#include <thespis/error.h>
#include <thespis/msg.h>

/* The longest event, with names of TH_NAME_MAX bytes that are all escaped; the rest is short. */
enum { EVENT_BYTES_MAX = 4 * (6 * TH_NAME_MAX + 256), END_BYTES = 1024 };

static const char *const categories[THI_TRACE_KINDS] = {
    [THI_TRACE_TURN] = "turn",
    [THI_TRACE_HANDLE] = "handle",
    [THI_TRACE_PARK] = "park",
    [THI_TRACE_SEND] = "send",
    [THI_TRACE_DEAD_LETTER] = "dead_letter",
    [THI_TRACE_POISON] = "poison",
    [THI_TRACE_SPAWN] = "spawn",
    [THI_TRACE_EXIT] = "exit",
    [THI_TRACE_WAKEUP_SET] = "wakeup_set",
    [THI_TRACE_WAKEUP_FIRE] = "wakeup_fire",
    [THI_TRACE_WAKE] = "wake",
    [THI_TRACE_STEAL] = "steal",
    [THI_TRACE_HOLD] = "hold",
    [THI_TRACE_RESUME] = "resume",
};

/* ---- the file ---- */

th_err thi_trace_file_open(struct thi_trace_file *file, const th_trace_options *options)
{
    memset(file, 0, offsetof(struct thi_trace_file, text));
    file->bytes_max = options->bytes_max ? options->bytes_max : TH_TRACE_BYTES_DEFAULT;
    file->fd = options->fd;
    if (!options->path)
        return TH_OK;
    file->fd = open(options->path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
    if (file->fd < 0)
        return TH_E_FILE;
    file->is_ours = true;
    if (flock(file->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        thi_trace_file_close(file);
        return TH_E_EXISTS;
    }
    if (ftruncate(file->fd, 0) != 0 && errno != EINVAL) { /* no regular file has no length */
        thi_trace_file_close(file);
        return TH_E_FILE;
    }
    return TH_OK;
}

void thi_trace_file_close(struct thi_trace_file *file)
{
    if (file->is_ours)
        (void)close(file->fd); /* what it wrote, write() has answered for */
    file->is_ours = false;
    thi_memory_give(file->memory, file->flows, file->flow_room * sizeof(*file->flows));
    thi_memory_give(file->memory, file->tracks, file->track_room * sizeof(*file->tracks));
    file->flows = NULL;
    file->tracks = NULL;
    file->flow_room = file->flow_count = file->track_room = file->track_count = 0;
}

static bool write_all(int fd, const char *bytes, size_t size, size_t *written_out)
{
    *written_out = 0;
    while (*written_out < size) {
        ssize_t wrote = write(fd, bytes + *written_out, size - *written_out);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        *written_out += (size_t)wrote;
    }
    return true;
}

void thi_trace_file_flush(struct thi_trace_file *file)
{
    size_t written;

    if (!write_all(file->fd, file->text, file->used, &written)) {
        file->has_failed = true;
        if (written) { /* F1; no use where there is no length, and nothing more to be done */
            off_t end = lseek(file->fd, -(off_t)written, SEEK_CUR);

            if (end >= 0 && ftruncate(file->fd, end) != 0)
                file->bytes = file->bytes_max;
        }
    } else {
        file->bytes += file->used;
    }
    file->used = 0;
}

/* ---- text; there is room for an event (EVENT_BYTES_MAX) ---- */

static void put(struct thi_trace_file *file, const char *format, ...) TH_PRINTF(2, 3);

static void put(struct thi_trace_file *file, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    file->used +=
        (size_t)vsnprintf(file->text + file->used, sizeof(file->text) - file->used, format, args);
    va_end(args);
}

/* @name as a JSON string, at most TH_NAME_MAX bytes of it; what is no ASCII as it is. */
static void put_name(struct thi_trace_file *file, const char *name)
{
    put(file, "\"");
    for (size_t i = 0; name[i] && i < TH_NAME_MAX; i++) {
        unsigned char c = (unsigned char)name[i];

        if (c < 0x20 || c == '"' || c == '\\')
            put(file, "\\u%04x", c);
        else
            file->text[file->used++] = (char)c;
    }
    put(file, "\"");
}

/* Nanoseconds as the microseconds that the format wants. */
static void put_time(struct thi_trace_file *file, const char *key, uint64_t ns)
{
    put(file, ",\"%s\":%" PRIu64 ".%03u", key, ns / 1000, (unsigned)(ns % 1000));
}

static void put_addr(struct thi_trace_file *file, const char *key, th_addr addr)
{
    if (th_addr_is_none(addr))
        put(file, "\"%s\":null", key);
    else
        put(file, "\"%s\":\"%" PRIu32 ".%" PRIu32 "\"", key, addr.slot, addr.generation);
}

static uint64_t ns_of(const struct thi_trace_file *file, uint64_t moment)
{
    if (file->is_virtual)
        return moment;
    return moment > file->start ? thi_cycles_to_ns(file->rate, moment - file->start) : 0;
}

/* What every event begins with. */
static void put_head(struct thi_trace_file *file, const char *phase, uint32_t track, uint64_t at)
{
    put(file, "%s\n{\"ph\":\"%s\",\"pid\":1,\"tid\":%" PRIu32, file->has_event ? "," : "", phase,
        track);
    put_time(file, "ts", ns_of(file, at));
    file->has_event = true;
}

static void put_track_name(struct thi_trace_file *file, uint32_t track)
{
    put_head(file, "M", track, file->start);
    put(file, ",\"name\":\"thread_name\",\"args\":{\"name\":\"");
    if (track == THI_TRACK_OUTSIDE)
        put(file, "outside");
    else if (track < THI_TRACK_OWN)
        put(file, "worker %" PRIu32, track - THI_TRACK_WORKERS);
    else
        put(file, "own %" PRIu32, track - THI_TRACK_OWN);
    put(file, "\"}}");
}

/* Names it at its first event; without memory to remember that, again. */
static void name_track(struct thi_trace_file *file, uint32_t track)
{
    for (size_t i = 0; i < file->track_count; i++)
        if (file->tracks[i] == track)
            return;
    put_track_name(file, track);
    if (file->track_count == file->track_room) {
        size_t room = file->track_room ? 2 * file->track_room : 64;
        uint32_t *tracks = thi_memory_take_raw(file->memory, room * sizeof(*tracks));

        if (!tracks)
            return;
        if (file->tracks)
            memcpy(tracks, file->tracks, file->track_count * sizeof(*tracks));
        thi_memory_give(file->memory, file->tracks, file->track_room * sizeof(*tracks));
        file->tracks = tracks;
        file->track_room = room;
    }
    file->tracks[file->track_count++] = track;
}

/* ---- arrows ---- */

static size_t place_of(const struct thi_trace_file *file, const void *msg)
{
    return (size_t)(((uintptr_t)msg >> 5) * UINT64_C(0x9e3779b97f4a7c15) >> 20) &
           (file->flow_room - 1);
}

/* Where @msg is, or would be. */
static size_t find_flow(const struct thi_trace_file *file, const void *msg)
{
    size_t at = place_of(file, msg);

    while (file->flows[at].msg && file->flows[at].msg != msg)
        at = (at + 1) & (file->flow_room - 1);
    return at;
}

/* Room for one more, three quarters full at most; false: no memory. */
static bool widen(struct thi_trace_file *file)
{
    struct thi_trace_flow *old = file->flows;
    size_t old_room = file->flow_room, room = old_room ? 2 * old_room : 256;

    if (4 * (file->flow_count + 1) <= 3 * old_room)
        return true;
    file->flows = thi_memory_take(file->memory, room * sizeof(*file->flows));
    if (!file->flows) {
        file->flows = old;
        return false;
    }
    file->flow_room = room;
    for (size_t i = 0; i < old_room; i++)
        if (old[i].msg)
            file->flows[find_flow(file, old[i].msg)] = old[i];
    thi_memory_give(file->memory, old, old_room * sizeof(*old));
    return true;
}

/* Linear probing: those behind move up, so that no search stops short (Knuth 6.4, algorithm R). */
static void remove_flow(struct thi_trace_file *file, size_t hole)
{
    size_t mask = file->flow_room - 1;

    for (size_t at = (hole + 1) & mask; file->flows[at].msg; at = (at + 1) & mask) {
        size_t home = place_of(file, file->flows[at].msg);

        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        file->flows[hole] = file->flows[at];
        hole = at;
    }
    file->flows[hole].msg = NULL;
    file->flow_count--;
}

/* The number that the send of @event's message gets; 0: none. */
static uint64_t flow_begins(struct thi_trace_file *file, const struct thi_trace_event *event)
{
    size_t at;

    if (!file->is_virtual)
        return (uint64_t)(uintptr_t)event->msg;
    if (!widen(file))
        return 0;
    at = find_flow(file, event->msg);
    file->flow_count += !file->flows[at].msg;
    file->flows[at] = (struct thi_trace_flow){ event->msg, event->name, ++file->flow_last };
    return file->flow_last;
}

/* The same number where it is handled; 0: it was not sent by anybody who was seen. */
static uint64_t flow_ends(struct thi_trace_file *file, const struct thi_trace_event *event)
{
    uint64_t number;
    size_t at;

    if (!file->is_virtual)
        return (uint64_t)(uintptr_t)event->msg;
    if (!file->flows || !event->msg)
        return 0;
    at = find_flow(file, event->msg);
    if (!file->flows[at].msg)
        return 0;
    /* another message at the same place, of the runtime's, which nobody sent? */
    number = file->flows[at].name == event->name ? file->flows[at].number : 0;
    remove_flow(file, at);
    return number;
}

static void put_flow(struct thi_trace_file *file, const char *phase,
                     const struct thi_trace_event *event, uint64_t number)
{
    if (!number)
        return;
    put_head(file, phase, event->track, event->at);
    put(file, ",\"cat\":\"message\",\"name\":");
    put_name(file, event->name);
    put(file, ",\"id\":\"%" PRIx64 "\"}", number);
}

/* ---- events ---- */

static void put_number(struct thi_trace_file *file, const struct thi_trace_event *event)
{
    switch (event->kind) {
    case THI_TRACE_HANDLE:
        if (event->number)
            put(file, ",\"err\":\"%s\"", th_err_name((th_err)event->number));
        return;
    case THI_TRACE_POISON: put(file, ",\"err\":\"%s\"", th_err_name((th_err)event->number)); return;
    case THI_TRACE_DEAD_LETTER:
        put(file, ",\"why\":\"%s\"", th_dead_reason_text((th_dead_reason)event->number));
        return;
    case THI_TRACE_EXIT:
        put(file, ",\"why\":\"%s\"", th_exit_reason_text((th_exit_reason)event->number));
        return;
    case THI_TRACE_WAKEUP_SET: put(file, ",\"delay_ns\":%" PRIu64, event->number); return;
    case THI_TRACE_WAKEUP_FIRE: put(file, ",\"id\":%" PRIu64, event->number); return;
    case THI_TRACE_STEAL: put(file, ",\"victim\":%" PRIu64, event->number); return;
    case THI_TRACE_TURN:
    case THI_TRACE_PARK:
    case THI_TRACE_SEND:
    case THI_TRACE_SPAWN:
    case THI_TRACE_WAKE:
    case THI_TRACE_HOLD:
    case THI_TRACE_RESUME:
    case THI_TRACE_KINDS: return;
    }
}

static bool lasts(const struct thi_trace_event *event)
{
    return event->kind <= THI_TRACE_PARK;
}

/* What the other side is to the actor. */
static const char *other_key(enum thi_trace_kind kind)
{
    return kind == THI_TRACE_SEND ? "to" : kind == THI_TRACE_HOLD ? "mailbox" : "from";
}

/* The event itself. A send by an actor lies in its handler's bar, one from outside gets a bar. */
static void put_event(struct thi_trace_file *file, const struct thi_trace_event *event)
{
    bool is_bar = lasts(event) || event->kind == THI_TRACE_SEND;
    uint64_t begin = ns_of(file, event->at), end = lasts(event) ? ns_of(file, event->until) : begin;

    put_head(file, is_bar ? "X" : "i", event->track, event->at);
    if (is_bar)
        put_time(file, "dur", end > begin ? end - begin : 0);
    else
        put(file, ",\"s\":\"t\"");
    put(file, ",\"cat\":\"%s\",\"name\":", categories[event->kind]);
    put_name(file, event->name ? event->name : categories[event->kind]);
    put(file, ",\"args\":{");
    put_addr(file, "actor", event->actor);
    put(file, ",");
    put_addr(file, other_key(event->kind), event->other);
    put_number(file, event);
    put(file, "}}");
}

void thi_trace_file_add(struct thi_trace_file *file, const struct thi_trace_event *event)
{
    if (event->at < file->start)
        return; /* it began before */
    if (file->used + EVENT_BYTES_MAX > sizeof(file->text))
        thi_trace_file_flush(file);
    if (file->has_failed ||
        file->bytes + file->used + EVENT_BYTES_MAX + END_BYTES > file->bytes_max) {
        file->lost++;
        return;
    }
    name_track(file, event->track);
    if (event->kind == THI_TRACE_HANDLE)
        put_flow(file, "f\",\"bp\":\"e", event, flow_ends(file, event));
    if (event->kind == THI_TRACE_SEND)
        put_flow(file, "s", event, flow_begins(file, event));
    put_event(file, event);
    file->events++;
}

void thi_trace_file_begin(struct thi_trace_file *file, const char *system)
{
    put(file, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
    put_head(file, "M", 0, file->start);
    put(file, ",\"name\":\"process_name\",\"args\":{\"name\":");
    put_name(file, system);
    put(file, "}}");
}

void thi_trace_file_end(struct thi_trace_file *file, const char *system)
{
    thi_trace_file_flush(file);
    put(file, "\n],\"otherData\":{\"system\":");
    put_name(file, system);
    put(file, ",\"events\":\"%" PRIu64 "\",\"dropped\":\"%" PRIu64 "\"}}\n", file->events,
        file->lost);
    thi_trace_file_flush(file);
}
