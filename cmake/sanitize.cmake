# Sanitizers and coverage change every object, so they are set for the whole directory.
if(THESPIS_SANITIZE STREQUAL "address")
    add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all
        -fno-omit-frame-pointer)
    add_link_options(-fsanitize=address,undefined)
elseif(THESPIS_SANITIZE STREQUAL "thread")
    add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
    add_link_options(-fsanitize=thread)
elseif(THESPIS_SANITIZE STREQUAL "memcheck")
    # The programs run under Valgrind, and the heaps tell it which of their blocks are free.
    add_compile_definitions(THI_MEMCHECK=1)
elseif(THESPIS_SANITIZE)
    message(FATAL_ERROR
        "THESPIS_SANITIZE is '${THESPIS_SANITIZE}', not address, thread or memcheck")
endif()

if(THESPIS_COVERAGE)
    add_compile_options(--coverage)
    add_link_options(--coverage)
endif()

# What is fuzzed tells libFuzzer where it has been; only the targets have its main().
if(THESPIS_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
