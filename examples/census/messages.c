#include "messages.h"

TH_MESSAGE_TYPE(census_plan, CENSUS_PLAN_FIELDS)
TH_MESSAGE_TYPE(census_hire, CENSUS_HIRE_FIELDS)
TH_MESSAGE_TYPE(census_crew, CENSUS_CREW_FIELDS)
TH_MESSAGE_TYPE(census_team, CENSUS_TEAM_FIELDS)
TH_MESSAGE_TYPE(census_chunk, CENSUS_CHUNK_FIELDS)
TH_MESSAGE_TYPE_AS(census_counts, CENSUS_COUNTS_FIELDS, TH_TYPE_REST, NULL)
TH_MESSAGE_TYPE(census_chunk_done, CENSUS_CHUNK_DONE_FIELDS)
TH_MESSAGE_TYPE(census_merged, CENSUS_MERGED_FIELDS)
TH_MESSAGE_TYPE(census_report, CENSUS_REPORT_FIELDS)
TH_MESSAGE_TYPE_AS(census_page, CENSUS_PAGE_FIELDS, TH_TYPE_REST, NULL)
TH_MESSAGE_TYPE(census_progress, CENSUS_PROGRESS_FIELDS)
TH_MESSAGE_TYPE(census_walked, CENSUS_WALKED_FIELDS)

char *counts_put(char *to, uint64_t count, const char *name, uint32_t length)
{
    memcpy(to, &count, sizeof(count));
    memcpy(to + sizeof(count), &length, sizeof(length));
    memcpy(to + COUNTS_RECORD_SIZE, name, length);
    return to + COUNTS_RECORD_SIZE + length;
}

const char *counts_get(const char *from, struct counts_record *record, const char **name_out)
{
    memcpy(&record->count, from, sizeof(record->count));
    memcpy(&record->length, from + sizeof(record->count), sizeof(record->length));
    *name_out = from + COUNTS_RECORD_SIZE;
    return *name_out + record->length;
}

th_err census_register(th_system *system)
{
    const th_type *types[] = { &census_hire_type,       &census_crew_type,   &census_chunk_type,
                               &census_chunk_done_type, &census_merged_type, &census_report_type,
                               &census_page_type };
    th_err err = TH_OK;

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]) && !err; i++)
        err = th_type_register(system, types[i]);
    return err;
}
