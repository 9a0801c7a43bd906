/* assert.h: our own mistakes. Stays on in release builds; nothing a caller or a peer does can reach
 * one. */
#ifndef THESPIS_ASSERT_H
#define THESPIS_ASSERT_H

#include <thespis/compiler.h>

TH_BEGIN_C
/** Prints what broke, and aborts. */
TH_API void th_assert_failed(const char *what, const char *file, int line)
    __attribute__((noreturn, cold));
TH_END_C

#define TH_ASSERT(condition)                                                                       \
    (TH_LIKELY(condition) ? (void)0 : th_assert_failed(#condition, __FILE__, __LINE__))
#define TH_NEVER(what) th_assert_failed("never: " what, __FILE__, __LINE__)

#endif
