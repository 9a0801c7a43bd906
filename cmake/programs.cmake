# Examples and benchmarks are users: they get the front door and the library, nothing else.
#   examples/<name>.c     -> build/<preset>/examples/<name>
#   examples/<name>/*.c   -> build/<preset>/examples/<name>/<name>
#   bench/*.c             -> build/<preset>/bench/thespis-bench
function(thespis_program target name folder)
    add_executable(${target} ${ARGN})
    target_link_libraries(${target} PRIVATE thespis::net thespis::thespis thespis_warnings)
    target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
    set_target_properties(${target} PROPERTIES
        OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${folder})
endfunction()

file(GLOB example_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/*.c)
foreach(source IN LISTS example_sources)
    cmake_path(GET source STEM name)
    thespis_program(example_${name} ${name} examples ${source})
endforeach()

file(GLOB example_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/*/*.c)
set(example_folders)
foreach(source IN LISTS example_files)
    cmake_path(GET source PARENT_PATH folder)
    list(APPEND example_folders ${folder})
endforeach()
list(REMOVE_DUPLICATES example_folders)
foreach(folder IN LISTS example_folders)
    cmake_path(GET folder FILENAME name)
    file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.c)
    thespis_program(example_${name} ${name} examples/${name} ${sources})
endforeach()

file(GLOB bench_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bench/*.c)
if(bench_sources)
    thespis_program(thespis-bench thespis-bench bench ${bench_sources})
    # It measures the inbox alone, so it looks behind the front door; tools/tidy.c knows it too.
    set_source_files_properties(${PROJECT_SOURCE_DIR}/bench/mailbox.c PROPERTIES
        INCLUDE_DIRECTORIES ${PROJECT_SOURCE_DIR}
        COMPILE_DEFINITIONS THI_CHECKED=$<BOOL:${THESPIS_CHECKED}>)
endif()
