/* runtime/system/report_message.c: what the admin answers to th_ask_status. In its turn, on a
 * worker: so nobody is asked, and nobody waits. */
#include <string.h>

#include "runtime/system/report.h"
#include "runtime/system/system.h"
#include "mailbox/msg.h"

/* A text that grows. */
struct growing {
    struct thi_memory *memory;
    char *bytes;
    size_t length, room;
    bool failed;
};

static bool grow(struct growing *text, size_t least)
{
    size_t room = text->room ? 2 * text->room : 4096;
    char *bytes;

    while (room < least)
        room *= 2;
    bytes = thi_memory_take_raw(text->memory, room);
    if (!bytes)
        return false;
    if (text->length)
        memcpy(bytes, text->bytes, text->length);
    thi_memory_give(text->memory, text->bytes, text->room);
    text->bytes = bytes;
    text->room = room;
    return true;
}

static void append(void *context, const char *bytes, size_t size)
{
    struct growing *text = context;

    if (text->failed)
        return;
    if (text->length + size > text->room && !grow(text, text->length + size)) {
        text->failed = true;
        return;
    }
    memcpy(text->bytes + text->length, bytes, size);
    text->length += size;
}

static th_blob *write_text(th_self *self, const struct th_ask_status *question)
{
    struct growing text = { .memory = &thi_stage_of(self)->memory };
    th_blob *blob = NULL;

    thi_status_report(th_self_system(self),
                      question->format == TH_STATUS_JSON ? TH_STATUS_JSON : TH_STATUS_TEXT,
                      question->parts & TH_STATUS_ALL, append, &text);
    if (!text.failed)
        blob = th_blob_create(self, text.bytes, text.length);
    thi_memory_give(text.memory, text.bytes, text.room);
    return blob;
}

static void fill(th_self *self, struct th_system_report *report, const th_system_status *status)
{
    *report = (struct th_system_report){
        .id = status->id,
        .name = th_blob_text(self, status->name), /* NULL: without */
        .uptime_ns = status->uptime_ns,
        .shutting_down = status->shutting_down,
        .accepted = status->counts.accepted,
        .handled = status->counts.handled,
        .dead = status->counts.dead,
        .failed = status->counts.failed,
        .poisoned = status->counts.poisoned,
        .actors = status->actors,
        .actors_max = status->actors_max,
        .spawned = status->counts.spawned,
        .exited = status->counts.exited,
        .endpoints = status->endpoints,
        .wakeups_pending = status->wakeups_pending,
        .memory_bytes = status->memory_bytes,
        .memory_bytes_peak = status->memory_bytes_peak,
        .memory_max = status->memory_max,
        .workers = status->pool.workers,
        .turns = status->pool.turns,
        .measured = status->measured,
        .waiting_times = status->waiting,
        .handling_times = status->handling,
    };
}

th_msg *thi_status_answer(th_self *self, const th_msg *question)
{
    const struct th_ask_status *asked = th_ask_status_of(question);
    th_msg *answer = thi_msg_create(self->voice.heap, &th_system_report_type, 0);
    struct th_system_report *report;
    th_system_status status;

    if (!answer)
        return NULL;
    report = th_msg_body(answer);
    /* an admin that answers belongs to a system that is up, or going down */
    if (th_system_status_read(th_self_system(self), &status) == TH_OK)
        fill(self, report, &status);
    if (asked && asked->parts)
        report->text = write_text(self, asked);
    return answer;
}
