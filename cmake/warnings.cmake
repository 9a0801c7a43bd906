# Warnings are errors, with gcc 12 and with clang 14.  Linked privately, so a user of the library
# never inherits them.
#
# Left out on purpose: -Wsign-conversion (size_t meets int in every index), -Wunused-parameter
# (behaviours have fixed signatures), -Wcast-qual (payloads are const for readers and not for free).
add_library(thespis_warnings INTERFACE)
target_compile_options(thespis_warnings INTERFACE
    -Wall -Wextra -Werror
    -Wno-unused-parameter
    -Wshadow
    -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
    -Wvla -Wundef -Wpointer-arith -Wwrite-strings -Wformat=2
    -Wimplicit-fallthrough
    $<$<C_COMPILER_ID:GNU>:-Wlogical-op -Wduplicated-cond>
    # CK's fences, which its headers inline into us; our own are forbidden by tools/tidy.c.
    $<$<AND:$<C_COMPILER_ID:GNU>,$<STREQUAL:${THESPIS_SANITIZE},thread>>:-Wno-tsan>
)

# For the library: nothing beyond C11, and no integer silently made narrower.
add_library(thespis_warnings_strict INTERFACE)
target_link_libraries(thespis_warnings_strict INTERFACE thespis_warnings)
target_compile_options(thespis_warnings_strict INTERFACE
    -Wpedantic -Wconversion -Wno-sign-conversion)
