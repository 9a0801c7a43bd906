#include "result.h"

#include "messages.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

th_err result_add(struct result *result, th_self *self, const th_msg *page)
{
    const char *at = th_msg_rest(page, NULL);
    uint32_t names = census_page_of(page)->names;

    for (uint32_t i = 0; i < names; i++) {
        struct counts_record record;
        const char *name;
        th_err err;

        at = counts_get(at, &record, &name);
        err = table_add(&result->table, self, name, record.length, record.count);
        if (err)
            return err;
        result->identifiers += record.count;
    }
    return TH_OK;
}

static int compare_names(const void *a, const void *b, void *context)
{
    const struct table *table = context;
    const struct table_entry *x = a, *y = b;
    size_t shorter = x->length < y->length ? x->length : y->length;
    int order = memcmp(table_name(table, x), table_name(table, y), shorter);

    return order ? order : (x->length > y->length) - (x->length < y->length);
}

static int compare_counts(const void *a, const void *b, void *context)
{
    const struct table_entry *x = a, *y = b;

    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return compare_names(a, b, context);
}

void result_sort(struct result *result)
{
    struct table *table = &result->table;

    if (table->used)
        qsort_r(table->entry, table->used, sizeof(*table->entry), compare_names, table);
}

th_err result_print(const struct result *result, th_self *self, uint64_t top)
{
    size_t used = result->table.used, size = (used + 1) * sizeof(struct table_entry);
    struct table_entry *by_count = th_alloc(self, size);

    if (!by_count)
        return TH_E_NOMEM;
    if (used)
        memcpy(by_count, result->table.entry, used * sizeof(*by_count));
    qsort_r(by_count, used, sizeof(*by_count), compare_counts, (void *)&result->table);
    for (size_t i = 0; i < used && i < top; i++)
        printf("%" PRIu64 " %.*s\n", by_count[i].count, (int)by_count[i].length,
               table_name(&result->table, &by_count[i]));
    th_free(self, by_count, size);
    printf("files: %" PRIu64 "\n", result->files);
    printf("bytes: %" PRIu64 "\n", result->bytes);
    printf("identifiers: %" PRIu64 "\n", result->identifiers);
    printf("distinct: %zu\n", used);
    printf("messages: %" PRIu64 "\n", result->messages);
    printf("seconds: %.3f\n", result->seconds);
    printf("messages/s: %.0f\n",
           result->seconds > 0 ? (double)result->messages / result->seconds : 0.0);
    return TH_OK;
}

void result_fini(struct result *result, th_self *self)
{
    table_fini(&result->table, self);
}
