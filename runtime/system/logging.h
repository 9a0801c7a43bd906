/* runtime/system/logging.h: what a system logs, where to, and what the environment says of it. */
#ifndef THI_SYSTEM_LOGGING_H
#define THI_SYSTEM_LOGGING_H

#include <thespis/system.h>

/* What is wrong with @options (may be NULL), or NULL. */
const char *thi_logging_fault(const th_log_options *options);

/* Fills in system->stage.log from @options (checked; may be NULL) and the environment. */
void thi_logging_init(th_system *system, const th_log_options *options);

/* The system runs: says so, and what of the environment could not be read. */
void thi_logging_started(th_system *system);

#endif
