/* runtime/system/standard.c: what every system can say of itself, as capabilities. */
#include <inttypes.h>
#include <stdio.h>

#include "runtime/system/system.h"

#if defined(__linux__)
#define PLATFORM "linux"
#else
#define PLATFORM "unix"
#endif

#if defined(__x86_64__)
#define MACHINE "x86_64"
#elif defined(__aarch64__)
#define MACHINE "aarch64"
#elif defined(__riscv)
#define MACHINE "riscv"
#else
#define MACHINE "other"
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BYTE_ORDER_NAME "little"
#else
#define BYTE_ORDER_NAME "big"
#endif

th_err thi_standard_capabilities(th_system *system, const th_fact *facts)
{
    bool is_simple = system->stage.base == TH_BASE_SIMPLE;
    int major = 0, minor = 0;
    char id[20], abi[40];

    snprintf(id, sizeof(id), "%016" PRIx64, system->stage.id);
    snprintf(abi, sizeof(abi), MACHINE "-%u-" BYTE_ORDER_NAME, (unsigned)(8 * sizeof(void *)));
    if (sscanf(th_version(), "%d.%d", &major, &minor) != 2)
        TH_NEVER("a version of two numbers at least");
    {
        const th_value generation[] = { TH_INTEGER(major), TH_INTEGER(minor) };
        const th_fact standard[] = {
            { "thespis.version", TH_STRING(th_version()) },
            { "thespis.generation", TH_LIST(generation, 2) },
            { "thespis.system.name", TH_STRING(system->name) },
            { "thespis.system.id", TH_STRING(id) },
            { "thespis.base", TH_STRING(is_simple ? "simple" : "pool") },
            { "thespis.workers", TH_INTEGER(is_simple ? 0 : system->options.workers) },
            { "thespis.platform", TH_STRING(PLATFORM) },
            { "thespis.abi", TH_STRING(abi) },
            { .name = NULL },
        };

        return thi_capabilities_init(&system->stage, standard, facts);
    }
}
