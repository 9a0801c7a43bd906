/* scan.h: where the identifiers of a file's chunk are.
 *
 * A run is a longest row of bytes from [A-Za-z0-9_]. An identifier is what remains of a run
 * without its leading digits, if anything does: 0x1F holds x1F, 123abc holds abc, 123 holds none.
 * That is what `LC_ALL=C grep -oahE '[A-Za-z_][A-Za-z0-9_]*'` finds.
 *
 * A run belongs to the chunk that holds its first byte, wholly: that chunk reads on past its end,
 * the next one passes over the rest. So each run is counted once, wherever the borders fall. */
#ifndef CENSUS_SCAN_H
#define CENSUS_SCAN_H

#include <thespis/thespis.h>

/** Called for each identifier; not TH_OK ends the scan. */
typedef th_err (*scan_found)(void *context, const char *name, size_t length);

bool scan_in_run(char byte);

/** Where the run that reaches into @bytes from before ends: 0 when there is none. @before is the
 * byte before, or -1 at a file's start. */
size_t scan_skip(const char *bytes, size_t size, int before);

/** Finds every identifier whose run begins in [@from, @own) of @bytes; such a run may go on up to
 * @size. */
th_err scan(const char *bytes, size_t from, size_t own, size_t size, scan_found found,
            void *context);

#endif
