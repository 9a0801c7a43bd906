/* compiler.h: what the other headers ask of the compiler. */
#ifndef THESPIS_COMPILER_H
#define THESPIS_COMPILER_H

#ifdef __cplusplus
#define TH_BEGIN_C extern "C" {
#define TH_END_C   }
#else
#define TH_BEGIN_C
#define TH_END_C
#endif

#if defined(__GNUC__)
#define TH_API            __attribute__((visibility("default")))
#define TH_NODISCARD      __attribute__((warn_unused_result))
#define TH_UNUSED         __attribute__((unused))
#define TH_PRINTF(fmt, a) __attribute__((format(printf, fmt, a)))
#define TH_LIKELY(x)      __builtin_expect(!!(x), 1)
#define TH_UNLIKELY(x)    __builtin_expect(!!(x), 0)
#else
#error "libthespis is built with gcc or clang"
#endif

/* What two cores can own without disturbing each other. */
#define TH_CACHE_LINE 64

#endif
