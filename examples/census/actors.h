/* actors.h: the classes of the census; messages.h draws how they talk. */
#ifndef CENSUS_ACTORS_H
#define CENSUS_ACTORS_H

#include <thespis/thespis.h>

extern const th_class census_leader;  /* walks, hands out chunks, knows when all is merged */
extern const th_class census_crew;    /* the tallies and the counters of one census */
extern const th_class census_host;    /* has a crew for whoever asks, from another process */
extern const th_class census_counter; /* reads a chunk and counts its identifiers */
extern const th_class census_tally;   /* merges what hashes to it */

#endif
