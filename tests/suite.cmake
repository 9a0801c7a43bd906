# Test programs see the internal headers and link the static library.

# Tests compare sizes with plain numbers; gcc is silent about that inside Criterion's macros, and
# clang and our own header are not.  Linked after thespis_warnings, whose -Wextra it corrects.
add_library(test_warnings INTERFACE)
target_compile_options(test_warnings INTERFACE -Wno-sign-compare)

# What stands in for Criterion: itself, or our one-process header under a sanitizer.
add_library(test_framework INTERFACE)
if(THESPIS_SANITIZE)
    add_library(test_runner OBJECT support/criterion/runner.c)
    target_compile_definitions(test_runner PRIVATE _GNU_SOURCE)
    target_link_libraries(test_runner PRIVATE thespis_warnings)
    target_include_directories(test_framework SYSTEM INTERFACE
        ${CMAKE_CURRENT_SOURCE_DIR}/support)
    target_link_libraries(test_framework INTERFACE $<TARGET_OBJECTS:test_runner>)
else()
    target_link_libraries(test_framework INTERFACE PkgConfig::CRITERION)
endif()

string(JOIN ":" tsan_options
    suppressions=${CMAKE_CURRENT_SOURCE_DIR}/tsan.supp halt_on_error=1 second_deadlock_stack=1
    allocator_may_return_null=1)
set(test_environment
    CRITERION_JOBS=1
    THESPIS_LOG_SINK=none
    ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:allocator_may_return_null=1
    UBSAN_OPTIONS=print_stacktrace=1
    TSAN_OPTIONS=${tsan_options})

# What runs a test program: itself, or Valgrind. Its scheduler is made fair, since our threads spin.
set(test_under)
if(THESPIS_SANITIZE STREQUAL "memcheck")
    find_program(VALGRIND valgrind REQUIRED)
    set(test_under ${VALGRIND} --quiet --error-exitcode=9 --fair-sched=yes --leak-check=full
        --errors-for-leak-kinds=definite,indirect --num-callers=24)
endif()

# Seconds.  Past these a test hangs; a sanitizer makes it several times slower first.
if(THESPIS_SANITIZE)
    set(fast_limit 300)
    set(slow_limit 900)
else()
    set(fast_limit 60)
    set(slow_limit 600)
endif()

# Those that read the tree find it by this, since a compiler may call a source by another path.
set_source_files_properties(support/probe.c support/vectors.c test_conformance.c
    transport/link/test_tls.c
    PROPERTIES COMPILE_DEFINITIONS TESTS_ROOT="${CMAKE_SOURCE_DIR}")

function(thespis_add_test source)
    cmake_path(RELATIVE_PATH source BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
        OUTPUT_VARIABLE path)
    string(REGEX REPLACE "\\.c$" "" name "${path}")
    string(REGEX REPLACE "(^|/)test_([^/]*)$" "\\1\\2" name "${name}")
    string(REPLACE "/" "." name "${name}")

    add_executable(test.${name} ${source})
    target_link_libraries(test.${name} PRIVATE
        test_framework thespis_house thespis_warnings test_warnings
        thespis_static ${URCU_LIBRARIES})
    if(TARGET test_support)
        target_link_libraries(test.${name} PRIVATE test_support)
    endif()
    # archives: only who names what is in them has it
    if(TARGET test_simnet)
        target_link_libraries(test.${name} PRIVATE test_simnet)
    endif()
    if(TARGET thespis_net_static)
        target_link_libraries(test.${name} PRIVATE thespis_net_static thespis_net_deps)
    endif()
    add_test(NAME ${name} COMMAND ${test_under} $<TARGET_FILE:test.${name}>)
    set_tests_properties(${name} PROPERTIES TIMEOUT ${fast_limit} ENVIRONMENT "${test_environment}")
    if(path MATCHES "^(seeded|soak|stress)/")
        set_tests_properties(${name} PROPERTIES TIMEOUT ${slow_limit} LABELS slow)
    endif()
endfunction()

function(thespis_add_suites)
    file(GLOB support CONFIGURE_DEPENDS support/*.c support/extras/*.c)
    if(support)
        add_library(test_support STATIC ${support})
        target_link_libraries(test_support
            PRIVATE test_framework thespis_house thespis_warnings test_warnings
            PUBLIC thespis_net_static)
    endif()

    file(GLOB simnet CONFIGURE_DEPENDS support/simnet/*.c)
    if(simnet)
        add_library(test_simnet STATIC ${simnet})
        target_link_libraries(test_simnet
            PRIVATE test_framework thespis_house thespis_warnings test_warnings
            PUBLIC thespis_net_static)
    endif()

    file(GLOB_RECURSE tests CONFIGURE_DEPENDS test_*.c)
    file(GLOB slow_tests CONFIGURE_DEPENDS seeded/*.c stress/*.c)
    list(APPEND tests ${slow_tests})
    list(REMOVE_DUPLICATES tests)
    list(FILTER tests EXCLUDE REGEX "/tests/(support|tools|install|model|mutants)/")
    if(THESPIS_SANITIZE) # the tables name all tests; a few make no sense there and are left out
        list(FILTER tests EXCLUDE REGEX "/test_conformance\\.c$")
    endif()
    foreach(test IN LISTS tests)
        thespis_add_test(${test})
    endforeach()
endfunction()
