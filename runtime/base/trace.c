/* runtime/base/trace.c: what all probes of a library or program refer to: a byte whose place tells
 * a tracer how far its addresses were moved (see trace.h). */
#include "runtime/base/trace.h"

#if THI_PROBES
/* clang-format off */
__asm__(".pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n"
        ".weak _.stapsdt.base\n"
        ".hidden _.stapsdt.base\n"
        "_.stapsdt.base: .space 1\n"
        ".size _.stapsdt.base, 1\n"
        ".popsection\n");
/* clang-format on */
#endif
