# What we stand on: CK's headers, liburcu (QSBR flavour), threads; libuv, OpenSSL and libcbor for
# the transport; Criterion for the suite only.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(URCU REQUIRED liburcu-qsbr)

find_path(CK_INCLUDE_DIR ck_ring.h REQUIRED)

# Probes (runtime/base/trace.h) are compiled in where SystemTap's header is; they are nops.
option(THESPIS_PROBES "compile USDT probes in, if sys/sdt.h is there" ON)
include(CheckIncludeFile)
check_include_file(sys/sdt.h THESPIS_HAS_SDT)
set(probes 0)
if(THESPIS_PROBES AND THESPIS_HAS_SDT)
    set(probes 1)
endif()

# Headers of dependencies, as the floors see them.
add_library(thespis_deps INTERFACE)
target_include_directories(thespis_deps SYSTEM INTERFACE ${URCU_INCLUDE_DIRS})
target_compile_definitions(thespis_deps INTERFACE THI_PROBES=${probes})
if(NOT CK_INCLUDE_DIR STREQUAL "/usr/include")
    target_include_directories(thespis_deps SYSTEM INTERFACE ${CK_INCLUDE_DIR})
endif()

# What the transport stands on beside.
pkg_check_modules(NET REQUIRED libuv openssl libcbor)
add_library(thespis_net_deps INTERFACE)
target_include_directories(thespis_net_deps SYSTEM INTERFACE ${NET_INCLUDE_DIRS})
target_link_libraries(thespis_net_deps INTERFACE ${NET_LINK_LIBRARIES})

if(THESPIS_SANITIZE STREQUAL "thread")
    include(tsan_shim)
    thespis_tsan_shim(${PROJECT_BINARY_DIR}/shim)
    target_include_directories(thespis_deps SYSTEM BEFORE INTERFACE ${PROJECT_BINARY_DIR}/shim)
    target_compile_definitions(thespis_deps INTERFACE CK_USE_CC_BUILTINS=1 CK_PR_DISABLE_DOUBLE)
endif()

# Criterion starts a process per test and aborts under ThreadSanitizer, and a leak in its children
# passes.  So a sanitized build runs the same sources on tests/support/criterion instead.
if(THESPIS_TESTS AND NOT THESPIS_SANITIZE)
    pkg_check_modules(CRITERION REQUIRED IMPORTED_TARGET criterion)
endif()
