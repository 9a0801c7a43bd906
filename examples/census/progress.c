#include "progress.h"

#include "walk.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define BAR_WIDTH 40

void progress_begin(struct progress *progress, th_self *self, const char *root)
{
    struct walk_file file;
    struct walk walk;

    *progress = (struct progress){ .shown = isatty(STDERR_FILENO) };
    if (!progress->shown || walk_open(&walk, self, root) != TH_OK)
        return;
    while (walk_next(&walk, &file) == WALK_FILE) {
        progress->bytes_total += file.size;
        walk_file_free(&walk, &file);
    }
    walk_close(&walk);
}

void progress_show(const struct progress *progress, uint64_t files, uint64_t bytes)
{
    static const char full[BAR_WIDTH + 1] = "########################################";
    double share = progress->bytes_total ? (double)bytes / (double)progress->bytes_total : 0;
    int done = share < 1 ? (int)(share * BAR_WIDTH) : BAR_WIDTH;

    if (progress->shown)
        fprintf(stderr, "\r[%.*s%*s] %3.0f %%  %" PRIu64 " files", done, full, BAR_WIDTH - done, "",
                share * 100, files);
}

void progress_end(const struct progress *progress)
{
    if (progress->shown)
        fprintf(stderr, "\r\033[K");
}
