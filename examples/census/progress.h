/* progress.h: a bar on stderr while it is a terminal; nothing otherwise. */
#ifndef CENSUS_PROGRESS_H
#define CENSUS_PROGRESS_H

#include <thespis/thespis.h>

struct progress {
    bool shown;
    uint64_t bytes_total; /* found by a walk beforehand, so that a share can be shown */
};

void progress_begin(struct progress *progress, th_self *self, const char *root);
void progress_show(const struct progress *progress, uint64_t files, uint64_t bytes);
void progress_end(const struct progress *progress);

#endif
