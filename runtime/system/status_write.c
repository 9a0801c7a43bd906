/* runtime/system/status_write.c: a whole status, as a page of text or one JSON object.
 *
 * The actors are gathered first, in slot order, so that each one's children can be found; then they
 * are written as the tree they are. Without memory for that they are written as they come, in a
 * row. A degraded page (thi_status_report()) asks nobody and waits for nobody. */
#include "runtime/system/census.h"
#include "runtime/system/page.h"
#include "runtime/system/report.h"
#include <thespis/config.h>

#define NONE UINT32_MAX

struct entry {
    th_actor_status status;
    uint32_t first_child, next_sibling, parent; /* entries */
};

struct gathering {
    struct thi_page page;
    th_system *system;
    struct entry *entries; /* NULL: they are written as they come */
    uint32_t count, room;
    uint64_t more; /* there was no room for */
    bool is_measured;
};

/* ---- actors ---- */

static void say_actor(struct thi_page *page, const th_actor_status *status)
{
    thi_page_text(page, "class", NULL, status->class_name);
    thi_page_addr(page, "address", NULL, status->addr);
    thi_page_text(page, "state", NULL, status->state);
    thi_page_text(page, "now", NULL, status->now);
    thi_page_time(page, "age_ns", "age", status->age_ns);
    thi_page_count(page, "waiting", "waiting", status->waiting);
    thi_page_count(page, "wakeups", "wakeups", status->wakeups);
    if (status->mailbox.limit) {
        thi_page_limit(page, "credits", "credits", status->mailbox.used, status->mailbox.limit);
        thi_page_yes(page, "held", "held", status->mailbox.is_held);
    }
    thi_page_yes(page, "own_thread", "own thread", status->own_thread);
    if (!status->measured)
        return;
    thi_page_count(page, "deliveries", "deliveries", status->deliveries);
    thi_page_count(page, "failed", "failed", status->failed);
    thi_page_text(page, "last_type", "last", status->last_type);
    thi_status_say_times(page, "waiting_times", "waiting: samples", &status->waiting_times);
    thi_status_say_times(page, "handling_times", "handling: samples", &status->handling_times);
}

/* The children, and theirs, each as its parent's line is over; without recursion, since how deep
 * actors nest is the user's affair. */
static void say_tree(struct gathering *all, uint32_t root)
{
    uint32_t at = root;

    for (;;) {
        struct entry *entry = &all->entries[at];

        thi_page_row(&all->page);
        say_actor(&all->page, &entry->status);
        thi_page_list(&all->page, "children", NULL);
        if (entry->first_child != NONE) {
            at = entry->first_child;
            continue;
        }
        for (;;) {
            thi_page_list_close(&all->page);
            thi_page_row_close(&all->page);
            if (at == root)
                return;
            if (all->entries[at].next_sibling != NONE)
                break;
            at = all->entries[at].parent;
        }
        at = all->entries[at].next_sibling;
    }
}

/* Entries are in slot order. */
static uint32_t find(const struct gathering *all, th_addr addr)
{
    uint32_t low = 0, high = all->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (all->entries[middle].status.addr.slot < addr.slot)
            low = middle + 1;
        else
            high = middle;
    }
    return low < all->count && th_addr_equal(all->entries[low].status.addr, addr) ? low : NONE;
}

static bool is_ancestor(const struct gathering *all, uint32_t ancestor, uint32_t at)
{
    while (at != NONE && at != ancestor)
        at = all->entries[at].parent;
    return at == ancestor;
}

/* The last first, so that every list ends up in slot order. A pair that was read while it changed
 * must not make a ring of the tree. */
static void link_up(struct gathering *all)
{
    for (uint32_t i = all->count; i-- > 0;) {
        struct entry *entry = &all->entries[i];
        uint32_t parent = find(all, entry->status.parent);

        if (parent == NONE || is_ancestor(all, i, parent))
            continue;
        entry->parent = parent;
        entry->next_sibling = all->entries[parent].first_child;
        all->entries[parent].first_child = i;
    }
}

static void gather(void *context, const th_actor_status *status)
{
    struct gathering *all = context;

    if (!all->entries) {
        thi_page_row(&all->page);
        say_actor(&all->page, status);
        thi_page_row_close(&all->page);
    } else if (all->count < all->room) {
        all->entries[all->count++] = (struct entry){ *status, NONE, NONE, NONE };
    } else {
        all->more++;
    }
}

/* From outside, asking nobody. */
static void gather_census(struct gathering *all)
{
    th_actor_status status;
    uint32_t slot = 0;
    bool is_idle;

    while (thi_census_next(all->system, &slot, &status, &is_idle))
        gather(all, &status);
}

static void take_room(struct gathering *all)
{
    th_system_status status;
    th_err err = th_system_status_read(all->system, &status);
    /* some more, for those spawned meanwhile */
    uint64_t room = err ? 0 : status.actors + status.actors / 8 + 64;

    all->more = 0;
    all->room = room < TH_STATUS_ACTORS_MAX ? (uint32_t)room : TH_STATUS_ACTORS_MAX;
    all->entries =
        room ? thi_memory_take(&all->system->stage.memory, all->room * sizeof(*all->entries))
             : NULL;
}

static void say_actors(struct gathering *all, bool may_ask)
{
    struct thi_page *page = &all->page;

    take_room(all);
    thi_page_list(page, "tree", "actors");
    if (!may_ask || th_actors_each(all->system, gather, all))
        gather_census(all);
    if (all->entries) {
        link_up(all);
        for (uint32_t i = 0; i < all->count; i++)
            if (all->entries[i].parent == NONE)
                say_tree(all, i);
    }
    thi_page_list_close(page);
    thi_page_count(page, "tree_unlisted", "actors not listed", all->more);
    thi_memory_give(&all->system->stage.memory, all->entries,
                    all->entries ? all->room * sizeof(*all->entries) : 0);
    all->entries = NULL;
}

/* ---- workers, blocks ---- */

static void say_worker(void *context, const th_worker_status *status)
{
    struct gathering *all = context;
    struct thi_page *page = &all->page;
    uint64_t busy = status->age_ns > status->rest_ns ? status->age_ns - status->rest_ns : 0;

    thi_page_row(page);
    thi_page_text(page, "kind", NULL, status->kind);
    thi_page_count(page, "index", NULL, status->index);
    thi_page_text(page, "state", NULL, status->state);
    thi_page_text(page, "class", "runs", status->class_name);
    thi_page_addr(page, "actor", NULL, status->actor);
    thi_page_count(page, "turns", "turns", status->turns);
    thi_page_count(page, "handled", "handled", status->handled);
    thi_page_count(page, "accepted", "accepted", status->accepted);
    thi_page_count(page, "queued", "queued", status->queued);
    thi_page_share(page, "busy", "busy",
                   status->age_ns ? busy * 1000 / status->age_ns : THI_UNKNOWN);
    thi_page_count(page, "parks", "parks", status->parks);
    thi_page_count(page, "steals", "steals", status->steals);
    thi_page_row_close(page);
}

static void say_block(void *context, const th_block_status *status)
{
    struct gathering *all = context;
    struct thi_page *page = &all->page;

    if (!status->count)
        return;
    thi_page_row(page);
    thi_page_count(page, "size", "size", status->size);
    thi_page_count(page, "count", "blocks", status->count);
    thi_page_count(page, "bytes", "bytes", status->count * status->size);
    thi_page_count(page, "free", "free", status->free);
    thi_page_row_close(page);
}

/* ---- classes ---- */

static void say_class(void *context, const th_class_status *status)
{
    struct gathering *all = context;
    struct thi_page *page = &all->page;

    if (!status->name) {
        all->more = status->actors;
        return;
    }
    thi_page_row(page);
    thi_page_text(page, "class", NULL, status->name);
    thi_page_count(page, "actors", NULL, status->actors);
    if (all->is_measured) {
        thi_status_say_times(page, "waiting", "waiting: samples", &status->waiting);
        thi_status_say_times(page, "handling", "handling: samples", &status->handling);
    }
    thi_page_row_close(page);
}

static th_err say_classes(struct gathering *all)
{
    struct thi_page *page = &all->page;
    th_err err;

    all->more = 0;
    thi_page_list(page, "classes", "actors by class");
    err = th_classes_each(all->system, say_class, all);
    thi_page_list_close(page);
    if (all->more)
        thi_page_count(page, "classes_others", "actors of further classes", all->more);
    return err;
}

/* ---- services, endpoints ---- */

static void say_service(void *context, const th_service_status *status)
{
    struct gathering *all = context;
    struct thi_page *page = &all->page;

    thi_page_row(page);
    thi_page_text(page, "class", NULL, status->class_name);
    thi_page_addr(page, "address", NULL, status->addr);
    if (status->figures)
        thi_page_message(page, status->figures);
    thi_page_row_close(page);
}

static void say_services(struct gathering *all, bool may_ask)
{
    uint64_t more = 0;

    thi_page_list(&all->page, "services", "services");
    (void)thi_services_walk(all->system, say_service, all, TH_STATUS_SERVICES_MAX, may_ask, &more);
    thi_page_list_close(&all->page);
    thi_page_count(&all->page, "services_unlisted", "services not listed", more);
}

static void say_endpoint(void *context, const th_endpoint_status *status)
{
    struct gathering *all = context;
    struct thi_page *page = &all->page;

    thi_page_row(page);
    thi_page_text(page, "kind", NULL, status->kind);
    thi_page_addr(page, "address", NULL, status->addr);
    thi_page_text(page, "opened_by", "opened by", status->opened_by);
    thi_page_count(page, "waiting", "waiting", status->waiting);
    thi_page_count(page, "waiters", "threads that wait", status->waiters);
    thi_page_row_close(page);
}

static th_err say_endpoints(struct gathering *all, bool may_wait)
{
    uint64_t more = 0;
    th_err err;

    thi_page_list(&all->page, "endpoints", "endpoints");
    err = thi_endpoints_walk(all->system, say_endpoint, all, may_wait, &more);
    thi_page_list_close(&all->page);
    thi_page_count(&all->page, "endpoints_unlisted", "endpoints not listed", more);
    return err;
}

/* ---- the page ---- */

static th_err say_parts(struct gathering *all, uint32_t parts, bool may_ask)
{
    struct thi_page *page = &all->page;
    th_system_status status;
    th_err err = th_system_status_read(all->system, &status);

    all->is_measured = status.measured;
    thi_page_open(page, NULL, NULL);
    if (parts & TH_STATUS_SYSTEM)
        thi_status_say(page, &status);
    if (parts & TH_STATUS_WORKERS) {
        thi_page_list(page, "workers", "workers");
        if (th_workers_each(all->system, say_worker, all) == TH_E_NOMEM)
            err = TH_E_NOMEM;
        thi_page_list_close(page);
    }
    if (parts & TH_STATUS_BLOCKS) {
        thi_page_list(page, "blocks", "memory by size of block");
        if (th_blocks_each(all->system, say_block, all) == TH_E_NOMEM)
            err = TH_E_NOMEM;
        thi_page_list_close(page);
    }
    if (!err && parts & TH_STATUS_CLASSES)
        err = say_classes(all);
    if (!err && parts & TH_STATUS_SERVICES)
        say_services(all, may_ask);
    if (!err && parts & TH_STATUS_ENDPOINTS)
        err = say_endpoints(all, may_ask);
    if (!err && parts & TH_STATUS_ACTORS)
        say_actors(all, may_ask);
    thi_page_close(page);
    return err;
}

static th_err write_status(th_system *system, th_status_format format, uint32_t parts,
                           th_status_put put, void *context, bool may_ask)
{
    struct gathering all = { .system = system };
    th_err err;

    thi_page_begin(&all.page, format, put, context);
    err = say_parts(&all, parts ? parts : TH_STATUS_ALL, may_ask);
    thi_page_end(&all.page);
    return err;
}

void thi_status_report(th_system *system, th_status_format format, uint32_t parts,
                       th_status_put put, void *context)
{
    (void)write_status(system, format, parts, put, context, false);
}

th_err th_status_write(th_system *system, th_status_format format, uint32_t parts,
                       th_status_put put, void *context)
{
    th_err err = thi_system_check(system);

    if (err && err != TH_E_CLOSED)
        return err;
    if (!put || (format != TH_STATUS_TEXT && format != TH_STATUS_JSON) ||
        (parts & ~(uint32_t)TH_STATUS_ALL))
        return TH_E_INVALID;
    return write_status(system, format, parts, put, context, true);
}
