/* log_file.c: a file that never grows past its limit.
 *
 * Appended to, so that several processes may share one. At its limit it is renamed to path.1, what
 * was path.1 to path.2, up to path.keep, and a new one begins; if that cannot be done, records are
 * refused rather than the limit passed. Before each record one stat() sees whether somebody else
 * moved or removed the file (logrotate does), and then it is opened anew.
 *
 * The name may lie in a folder where others can write (Thespian's default was in /tmp): a symbolic
 * link is not followed, and what is there must be ours. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/log_sink.h"

static void close_file(struct thi_log_sink *sink)
{
    if (sink->fd >= 0)
        (void)close(sink->fd);
    sink->fd = -1;
    sink->is_torn = false;
}

static bool open_file(struct thi_log_sink *sink)
{
    struct stat is;

    sink->fd =
        open(sink->path,
             O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0640);
    if (sink->fd < 0)
        return false;
    if (fstat(sink->fd, &is) != 0 ||
        (S_ISREG(is.st_mode) && is.st_uid != geteuid() && geteuid() != 0)) {
        close_file(sink);
        return false;
    }
    sink->is_regular = S_ISREG(is.st_mode);
    sink->size = sink->is_regular ? (uint64_t)is.st_size : 0;
    sink->device = is.st_dev;
    sink->inode = is.st_ino;
    return true;
}

/* Whether what is open is what the path names. */
static bool is_in_place(const struct thi_log_sink *sink)
{
    struct stat is;

    return lstat(sink->path, &is) == 0 && is.st_dev == sink->device && is.st_ino == sink->inode;
}

static bool shift(const struct thi_log_sink *sink, uint32_t from)
{
    char old[THI_LOG_PATH_SIZE + 12], young[THI_LOG_PATH_SIZE + 12];

    snprintf(old, sizeof(old), "%s.%u", sink->path, from + 1);
    if (from)
        snprintf(young, sizeof(young), "%s.%u", sink->path, from);
    else
        snprintf(young, sizeof(young), "%s", sink->path);
    return rename(young, old) == 0 || errno == ENOENT;
}

static bool rotate(struct thi_log_sink *sink)
{
    for (uint32_t i = sink->options.keep; i-- > 0;)
        if (!shift(sink, i))
            return false;
    close_file(sink);
    return open_file(sink);
}

static bool file_write(struct thi_log_sink *sink, const th_log_record *record, char *line)
{
    size_t length = th_log_record_print(record, sink->options.format, line, THI_LOG_LINE_SIZE - 2);

    if (sink->fd >= 0 && !is_in_place(sink))
        close_file(sink);
    if (sink->fd < 0 && !open_file(sink))
        return false;
    if (sink->is_regular && sink->size && sink->size + length + 2 > sink->options.size_max &&
        !rotate(sink))
        return false;
    return thi_log_sink_put_line(sink, line, length);
}

const struct thi_log_sink_ops thi_log_file_ops = { file_write, close_file };
