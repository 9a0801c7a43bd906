#include "runtime/system/status_signal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "runtime/system/report.h"
#include "runtime/system/system.h"
#include <thespis/assert.h>

static void put(void *context, const char *bytes, size_t size)
{
    int fd = *(const int *)context;

    while (size) {
        ssize_t written = write(fd, bytes, size);

        if (written < 0 && errno != EINTR)
            return; /* nobody is left to be told */
        bytes += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
}

static void write_report(th_system *system)
{
    const char *path = system->options.status_path;
    int fd = system->options.status_fd ? system->options.status_fd : STDERR_FILENO;

    if (path)
        fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    thi_status_report(system, TH_STATUS_TEXT, TH_STATUS_ALL, put, &fd);
    if (path)
        close(fd);
}

/* On a thread of our own. */
static void told(void *context)
{
    th_system *system = context;
    uint32_t came = thi_signals_count(SIGUSR1);

    if (came == system->status_signal.seen)
        return; /* some other signal, which somebody else wants */
    system->status_signal.seen = came;
    write_report(system);
}

th_err thi_status_signal_start(th_system *system)
{
    struct thi_status_signal *mine = &system->status_signal;
    th_err err;

    if (!(system->options.signals & TH_SIGNAL_STATUS))
        return TH_OK;
    mine->seen = thi_signals_count(SIGUSR1);
    err = thi_signals_start(&mine->signals, "th/status", told, system);
    if (err)
        return err;
    if (thi_signals_want(SIGUSR1))
        TH_NEVER("SIGUSR1 can be caught");
    return TH_OK;
}

void thi_status_signal_stop(th_system *system)
{
    struct thi_status_signal *mine = &system->status_signal;

    if (!mine->signals.is_started)
        return;
    thi_signals_unwant(SIGUSR1);
    thi_signals_stop(&mine->signals);
}
