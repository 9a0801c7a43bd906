/* walk.h: the regular files below a directory, one at a time.
 *
 * Iterative, with one directory open at a time and the names of those still to come in memory.
 * Symbolic links are not followed, but for the start itself. What cannot be read is counted, not
 * an error: a census of what can be read is better than none. Not a word about actors here. */
#ifndef CENSUS_WALK_H
#define CENSUS_WALK_H

#include <dirent.h>
#include <thespis/thespis.h>

struct walk {
    th_self *self; /* whose memory is used */
    DIR *dir;
    char *dir_name;         /* of the open one */
    struct walk_dir *ahead; /* directories still to come */
    uint64_t unreadable;    /* directories, or files whose size nobody would tell */
};

struct walk_file {
    char *name;       /* below the start's name, good until the next call */
    size_t name_size; /* with its NUL */
    uint64_t size;
};

/* What walk_next() found. */
enum walk_found { WALK_FILE, WALK_END, WALK_NO_MEMORY };

/** Starts at @root. TH_E_NOMEM. */
th_err walk_open(struct walk *walk, th_self *self, const char *root);
enum walk_found walk_next(struct walk *walk, struct walk_file *file);
/** Gives @file's name back. */
void walk_file_free(struct walk *walk, struct walk_file *file);
void walk_close(struct walk *walk);

#endif
