# A stranger's project, copied elsewhere as its CMakeLists.txt: knows the installed package only.
cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES C CXX)

find_package(thespis 0.1 CONFIG REQUIRED)

foreach(library IN ITEMS thespis static shared)
    foreach(language IN ITEMS c cpp)
        add_executable(consumer_${language}_${library} consumer.${language})
        target_link_libraries(consumer_${language}_${library} PRIVATE thespis::${library})
        target_compile_definitions(consumer_${language}_${library} PRIVATE
            EXPECTED_VERSION="${thespis_VERSION}")
    endforeach()
endforeach()
