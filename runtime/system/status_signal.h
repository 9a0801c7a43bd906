/* runtime/system/status_signal.h: SIGUSR1 has the status written, where a system wants that.
 *
 * On a thread of its own, as writing may take long and other signals should not wait for it. It
 * asks no actor and runs on no worker: so it works also when every worker hangs. The locks it takes
 * are held by others for a few instructions only, and never while an actor's code runs. */
#ifndef THI_SYSTEM_STATUS_SIGNAL_H
#define THI_SYSTEM_STATUS_SIGNAL_H

#include "runtime/base/signals.h"
#include <thespis/system.h>

struct thi_status_signal {
    struct thi_signals signals;
    uint32_t seen; /* how many SIGUSR1 had come before; the thread's */
};

/* Nothing to do without TH_SIGNAL_STATUS. TH_E_THREAD. */
TH_NODISCARD th_err thi_status_signal_start(th_system *system);
void thi_status_signal_stop(th_system *system);

#endif
