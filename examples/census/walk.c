#include "walk.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct walk_dir {
    struct walk_dir *next;
    size_t size; /* of the name with its NUL */
    char name[];
};

/* "dir/name" [give], or NULL. */
static char *join(struct walk *walk, const char *dir, const char *name, size_t *size_out)
{
    size_t dir_length = strlen(dir), name_length = strlen(name);
    bool slash = dir_length > 0 && dir[dir_length - 1] != '/';
    size_t size = dir_length + slash + name_length + 1;
    char *joined = th_alloc(walk->self, size);

    if (!joined)
        return NULL;
    memcpy(joined, dir, dir_length);
    if (slash)
        joined[dir_length] = '/';
    memcpy(joined + dir_length + slash, name, name_length + 1);
    *size_out = size;
    return joined;
}

static bool remember(struct walk *walk, const char *name, size_t size)
{
    struct walk_dir *dir = th_alloc(walk->self, sizeof(*dir) + size);

    if (!dir)
        return false;
    memcpy(dir->name, name, size);
    dir->size = size;
    dir->next = walk->ahead;
    walk->ahead = dir;
    return true;
}

static void forget(struct walk *walk, struct walk_dir *dir)
{
    th_free(walk->self, dir, sizeof(*dir) + dir->size);
}

static void close_dir(struct walk *walk)
{
    if (walk->dir)
        closedir(walk->dir);
    if (walk->dir_name)
        th_free(walk->self, walk->dir_name, strlen(walk->dir_name) + 1);
    walk->dir = NULL;
    walk->dir_name = NULL;
}

/* Opens the next directory that can be opened; WALK_END when none is left. */
static enum walk_found open_next(struct walk *walk)
{
    struct walk_dir *dir;

    close_dir(walk);
    while ((dir = walk->ahead) != NULL) {
        walk->ahead = dir->next;
        walk->dir = opendir(dir->name);
        if (walk->dir) {
            walk->dir_name = th_alloc(walk->self, dir->size);
            if (walk->dir_name)
                memcpy(walk->dir_name, dir->name, dir->size);
            forget(walk, dir);
            return walk->dir_name ? WALK_FILE : WALK_NO_MEMORY;
        }
        walk->unreadable++;
        forget(walk, dir);
    }
    return WALK_END;
}

th_err walk_open(struct walk *walk, th_self *self, const char *root)
{
    *walk = (struct walk){ .self = self };
    return remember(walk, root, strlen(root) + 1) ? TH_OK : TH_E_NOMEM;
}

/* A directory is remembered, a regular file is the answer, anything else is passed over. */
static enum walk_found look_at(struct walk *walk, const char *name, struct walk_file *file)
{
    struct stat status;
    bool kept;

    if (fstatat(dirfd(walk->dir), name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        walk->unreadable++;
        return WALK_END;
    }
    if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode))
        return WALK_END;
    file->name = join(walk, walk->dir_name, name, &file->name_size);
    if (!file->name)
        return WALK_NO_MEMORY;
    file->size = (uint64_t)status.st_size;
    if (S_ISREG(status.st_mode))
        return WALK_FILE;
    kept = remember(walk, file->name, file->name_size);
    walk_file_free(walk, file);
    return kept ? WALK_END : WALK_NO_MEMORY;
}

enum walk_found walk_next(struct walk *walk, struct walk_file *file)
{
    for (;;) {
        struct dirent *entry = walk->dir ? readdir(walk->dir) : NULL;
        enum walk_found found;

        if (!entry) {
            found = open_next(walk);
            if (found != WALK_FILE)
                return found;
            continue;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        found = look_at(walk, entry->d_name, file);
        if (found != WALK_END)
            return found;
    }
}

void walk_file_free(struct walk *walk, struct walk_file *file)
{
    th_free(walk->self, file->name, file->name_size);
    file->name = NULL;
}

void walk_close(struct walk *walk)
{
    struct walk_dir *dir;

    close_dir(walk);
    while ((dir = walk->ahead) != NULL) {
        walk->ahead = dir->next;
        forget(walk, dir);
    }
}
