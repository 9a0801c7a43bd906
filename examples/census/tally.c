/* tally.c: adds up the counts of the names that hash to it, and pages them out at the end. */
#include "actors.h"
#include "messages.h"
#include "table.h"

#define PAGE_BYTES (1024 * 1024) /* about; a longer name has a page of its own */

struct tally {
    struct table table;
};

static void tally_exit(th_self *self, void *state)
{
    struct tally *me = state;

    table_fini(&me->table, self);
}

static th_err merge(th_self *self, struct tally *me, const th_msg *msg)
{
    const struct census_counts *counts = census_counts_of(msg);
    const char *at = th_msg_rest(msg, NULL);
    th_err err = TH_OK;

    for (uint32_t i = 0; i < counts->names && !err; i++) {
        struct counts_record record;
        const char *name;

        at = counts_get(at, &record, &name);
        err = table_add(&me->table, self, name, record.length, record.count);
    }
    return census_merged_send(self, counts->leader, (struct census_merged){ .err = err });
}

/* Sends the entries of [@from, @to), @size bytes as records. */
static th_err send_page(th_self *self, struct tally *me, th_addr client, size_t from, size_t to,
                        size_t size, bool last)
{
    th_msg *page = th_msg_create_sized(self, &census_page_type, size);
    struct census_page *body = page ? th_msg_body(page) : NULL;
    char *at = page ? th_msg_rest(page, NULL) : NULL;

    for (size_t i = from; i < to && page; i++) {
        const struct table_entry *entry = &me->table.entry[i];

        at = counts_put(at, entry->count, table_name(&me->table, entry), entry->length);
        body->names++;
    }
    if (body)
        body->last = last;
    return th_send(self, client, page);
}

static th_err report(th_self *self, struct tally *me, th_addr client)
{
    size_t from = 0, size = 0;

    for (size_t i = 0; i < me->table.used; i++) {
        size_t more = COUNTS_RECORD_SIZE + me->table.entry[i].length;

        if (size && size + more > PAGE_BYTES) {
            th_err err = send_page(self, me, client, from, i, size, false);

            if (err)
                return err;
            from = i;
            size = 0;
        }
        size += more;
    }
    return send_page(self, me, client, from, me->table.used, size, true);
}

static th_err tally_receive(th_self *self, void *state, const th_msg *msg)
{
    if (census_counts_of(msg))
        return merge(self, state, msg);
    if (census_report_of(msg))
        return report(self, state, census_report_of(msg)->client);
    return TH_OK;
}

const th_class census_tally = {
    .name = "census tally",
    .state_size = sizeof(struct tally),
    .receive = tally_receive,
    .exit = tally_exit,
};
