/* messages.h: what the actors of the census say to each other.
 *
 *     main -- (spawn) --> leader -- chunk --> troupe of counters -- counts --> tallies
 *                            ^ <-- chunk_done -------'                            |
 *                            ^ <-- merged ----------------------------------------'
 *     main <-- progress, walked --- leader -- report --> tallies -- page --> main
 *
 * Troupe and tallies are a crew. With --to it is another process's, and everything between it and
 * the leader crosses the wire; nothing else changes.
 *
 * Whatever goes wrong travels in an err field to the leader, and from it in walked to main: so
 * nobody fails a message half-done, and nothing is counted twice by a second delivery. */
#ifndef CENSUS_MESSAGES_H
#define CENSUS_MESSAGES_H

#include <thespis/thespis.h>

#define CENSUS_TALLIES 4 /* shards by hash, one actor each */

/* ---- main to leader, as the spawn argument ---- */

#define CENSUS_PLAN_FIELDS(F, S)                                                                   \
    F(S, str, root)                                                                                \
    F(S, u64, chunk_size) /* bytes */                                                              \
    F(S, u32, counters)                                                                            \
    F(S, addr, client) /* who hears progress, pages and the end */                                 \
    F(S, addr, host)   /* of another process, whose crew is to count; none: this one's */
TH_MESSAGE(census_plan, CENSUS_PLAN_FIELDS);

/* ---- a crew: the tallies, and the troupe of counters, here or in another process ---- */

/* Make a crew for @leader, and have it end with that: the spawn argument of a crew, and what the
 * host of another process is sent, who chooses how many counters there are. */
#define CENSUS_HIRE_FIELDS(F, S) F(S, addr, leader) F(S, u32, counters)
TH_MESSAGE(census_hire, CENSUS_HIRE_FIELDS);

/* From the crew: it is ready. */
#define CENSUS_CREW_FIELDS(F, S)                                                                   \
    F(S, addr, troupe)                                                                             \
    F(S, array, addr, tally, CENSUS_TALLIES)                                                       \
    F(S, u32, counters)
TH_MESSAGE(census_crew, CENSUS_CREW_FIELDS);

/* ---- leader to a counter, as the spawn argument of all ---- */

#define CENSUS_TEAM_FIELDS(F, S) F(S, array, addr, tally, CENSUS_TALLIES)
TH_MESSAGE(census_team, CENSUS_TEAM_FIELDS);

/* ---- the work ---- */

/* Count this part of a file. Small files are one chunk, empty ones too: somebody must try to open
 * them. */
#define CENSUS_CHUNK_FIELDS(F, S) F(S, str, path) F(S, u64, offset) F(S, u64, length)
TH_MESSAGE(census_chunk, CENSUS_CHUNK_FIELDS);

/* Its rest holds `names` records of counts_record and the name itself. */
#define CENSUS_COUNTS_FIELDS(F, S) F(S, addr, leader) F(S, u32, names)
TH_MESSAGE(census_counts, CENSUS_COUNTS_FIELDS);

/* From the counter: the chunk is counted, and `batches` census_counts were sent on. */
#define CENSUS_CHUNK_DONE_FIELDS(F, S)                                                             \
    F(S, u32, err)                                                                                 \
    F(S, u32, batches)                                                                             \
    F(S, u64, bytes)                                                                               \
    F(S, bool_, opened) /* a file was opened for its first chunk */                                \
    F(S, bool_, unreadable)
TH_MESSAGE(census_chunk_done, CENSUS_CHUNK_DONE_FIELDS);

/* From the tally, one for each census_counts. */
#define CENSUS_MERGED_FIELDS(F, S) F(S, u32, err)
TH_MESSAGE(census_merged, CENSUS_MERGED_FIELDS);

/* ---- the end ---- */

#define CENSUS_REPORT_FIELDS(F, S) F(S, addr, client)
TH_MESSAGE(census_report, CENSUS_REPORT_FIELDS);

/* As census_counts, to the client; a tally's last one says so. */
#define CENSUS_PAGE_FIELDS(F, S) F(S, u32, names) F(S, bool_, last)
TH_MESSAGE(census_page, CENSUS_PAGE_FIELDS);

#define CENSUS_PROGRESS_FIELDS(F, S) F(S, u64, files) F(S, u64, bytes)
TH_MESSAGE(census_progress, CENSUS_PROGRESS_FIELDS);

/* The leader has finished or given up (err). */
#define CENSUS_WALKED_FIELDS(F, S)                                                                 \
    F(S, u32, err)                                                                                 \
    F(S, u64, files)                                                                               \
    F(S, u64, bytes)                                                                               \
    F(S, u64, unreadable)
TH_MESSAGE(census_walked, CENSUS_WALKED_FIELDS);

/* ---- records in a rest ---- */

struct counts_record {
    uint64_t count;
    uint32_t length; /* of the name, which follows unterminated */
};
#define COUNTS_RECORD_SIZE 12 /* as written: no padding */

/** Writes a record to @to, returns where the next one goes. */
char *counts_put(char *to, uint64_t count, const char *name, uint32_t length);
/** Reads one, returns where the next one is; *@name_out is inside the message. */
const char *counts_get(const char *from, struct counts_record *record, const char **name_out);

/** Tells @system the types that may come from another process. */
th_err census_register(th_system *system);

#endif
