/* Before a connection is up: who is there, and where the two were. docs/protocol.md, "Greeting". */
#include <string.h>

#include <thespis/config.h>
#include <thespis/log.h>

#include "transport/link/link.h"

#define VERSION 1

static bool we_decide(const struct thi_conn *conn)
{
    return conn->hub->options.system > conn->link->system;
}

/* ---- out ---- */

static bool write_frame(struct thi_conn *conn, const struct thi_frame *frame)
{
    size_t room, size;
    uint8_t *at = thi_spool_room(&conn->out, THI_FRAME_SMALL_MAX, &room);

    if (!at)
        return false;
    size = thi_frame_write(at, room, frame);
    TH_ASSERT(size <= room);
    thi_spool_wrote(&conn->out, size);
    return true;
}

static bool write_hello(struct thi_conn *conn)
{
    const struct thi_hub_options *options = &conn->hub->options;
    struct thi_frame frame = { .kind = THI_FRAME_HELLO };
    struct thi_frame_hello *hello = &frame.as.hello;
    const char *const *address;

    hello->version_low = hello->version_high = VERSION;
    hello->system = options->system;
    hello->name = thi_text_of(options->name);
    hello->admin_slot = options->admin_slot;
    hello->admin_generation = options->admin_generation;
    hello->frame_max = TH_WIRE_FRAME_MAX;
    hello->message_max = TH_WIRE_MESSAGE_MAX;
    for (address = options->addresses; address && *address; address++) {
        if (hello->address_count < TH_WIRE_ADDRESSES_MAX)
            hello->addresses[hello->address_count++] = thi_text_of(*address);
    }
    hello->dialled = conn->is_ours;
    hello->expected = conn->expected;
    return write_frame(conn, &frame);
}

static bool write_resume(struct thi_conn *conn)
{
    struct thi_frame frame = { .kind = THI_FRAME_RESUME };

    if (!conn->link)
        return true; /* given up meanwhile */
    frame.as.resume.version = VERSION;
    frame.as.resume.count = conn->count;
    thi_session_resume(conn->link, &frame.as.resume);
    return write_frame(conn, &frame);
}

bool thi_greeting_write(struct thi_conn *conn, enum thi_conn_due due)
{
    return due == THI_DUE_HELLO ? write_hello(conn) : write_resume(conn);
}

/* ---- HELLO ---- */

static void learn(struct thi_link *link, struct thi_conn *conn, const struct thi_frame_hello *hello)
{
    unsigned i;

    memcpy(link->name, hello->name.at, hello->name.size);
    link->name[hello->name.size] = '\0';
    link->admin_slot = hello->admin_slot;
    link->admin_generation = hello->admin_generation;
    link->message_max = hello->message_max;
    link->is_callable = hello->address_count > 0;
    for (i = 0; i < hello->address_count; i++)
        thi_link_learn(link, hello->addresses[i], false);
    if (conn->is_ours)
        thi_link_learn(link, thi_text_of(conn->address), true);
}

/* Whoever we dialled is not there, but somebody else is. */
static void met_another(struct thi_conn *conn, uint64_t now)
{
    struct thi_link *expected = conn->link;

    conn->link = NULL;
    if (!expected)
        return;
    if (expected->is_met_there && strcmp(conn->address, expected->addresses[0]) == 0)
        thi_link_end(expected, TH_DEAD_LINK_LOST, "another system answers at its address", now);
    else
        thi_link_dial_failed(expected, "another system answers there", now);
}

static bool take_hello(struct thi_conn *conn, const struct thi_frame_hello *hello, uint64_t now)
{
    struct thi_hub *hub = conn->hub;
    struct thi_link *link;

    if (hello->version_low > VERSION || hello->version_high < VERSION) {
        thi_conn_close(conn, THI_CLOSE_VERSION, "this side speaks version 1 only", now);
        return true;
    }
    if (hello->system == hub->options.system) {
        thi_conn_close(conn, THI_CLOSE_SELF, "this is the system that dialled", now);
        return true;
    }
    if (conn->expected && conn->expected != hello->system)
        met_another(conn, now);
    link = thi_hub_find(hub, hello->system);
    if (!link)
        link = thi_link_create(hub, hello->system, now);
    if (!link) {
        thi_conn_close(conn, THI_CLOSE_LIMIT, "no room for another link", now);
        return true;
    }
    conn->link = link;
    learn(link, conn, hello);
    if (conn->is_ours && link->conn) {
        thi_conn_close(conn, THI_CLOSE_DUPLICATE, "another connection is up", now);
        return true;
    }
    conn->state = THI_CONN_MEETING;
    if (!we_decide(conn))
        thi_conn_kick(conn, THI_DUE_RESUME);
    return true;
}

/* ---- RESUME ---- */

/* @conn is the link's from now on. Of the others the decider closes all; the other side those of
 * its own dialling on which the decider has no say yet. */
static void take_over(struct thi_link *link, struct thi_conn *conn, bool decide, uint64_t now)
{
    struct thi_conn *other, *next;
    struct thi_conn *before = link->conn;

    link->conn = conn;
    for (other = conn->hub->conns; other; other = next) {
        next = other->next;
        if (other->link != link || other == conn)
            continue;
        if (decide || other == before || other->state < THI_CONN_MEETING)
            thi_conn_close(other, THI_CLOSE_DUPLICATE, "another connection is up", now);
    }
}

static bool take_resume(struct thi_conn *conn, const struct thi_frame_resume *resume,
                        struct thi_fault *fault, uint64_t now)
{
    struct thi_link *link = conn->link;
    struct thi_hub *hub = conn->hub;
    bool decide = we_decide(conn);

    if (resume->version != VERSION) {
        thi_fault_set(fault, "RESUME chooses version %u", resume->version);
        return false;
    }
    if (!decide && resume->count <= link->count) {
        thi_conn_close(conn, THI_CLOSE_DUPLICATE, "a later connection was up", now);
        return true;
    }
    if (!thi_session_meet(link, resume, decide, fault))
        return false;
    if (link->is_over) /* the host gave it up on hearing what that settled */
        return true;
    if (decide) {
        conn->count = ++hub->accepted;
        conn->due |= THI_DUE_RESUME; /* the first that is written */
    }
    link->count = decide ? conn->count : resume->count;
    take_over(link, conn, decide, now);
    conn->state = THI_CONN_UP;
    conn->limits.frame = TH_WIRE_FRAME_MAX;
    if (conn->is_stranger) {
        conn->is_stranger = false;
        hub->stranger_count--;
    }
    thi_link_up(link, conn, now);
    thi_conn_kick(conn, 0);
    return true;
}

bool thi_greeting_frame(struct thi_conn *conn, const struct thi_frame *frame,
                        struct thi_fault *fault, uint64_t now)
{
    if (conn->state == THI_CONN_GREETING && frame->kind == THI_FRAME_HELLO)
        return take_hello(conn, &frame->as.hello, now);
    if (conn->state == THI_CONN_MEETING && frame->kind == THI_FRAME_RESUME)
        return take_resume(conn, &frame->as.resume, fault, now);
    thi_fault_set(fault, "%s in the greeting", thi_frame_name(frame->kind));
    return false;
}
