# What `cmake --install` leaves behind: headers, both libraries, thespisConfig.cmake, thespis.pc.
include(CMakePackageConfigHelpers)

install(TARGETS thespis_static thespis_shared EXPORT thespisTargets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/thespis
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h"
    PATTERN "*.hpp")

install(PROGRAMS ${PROJECT_SOURCE_DIR}/tools/thespis-cert.sh
    DESTINATION ${CMAKE_INSTALL_BINDIR} RENAME thespis-cert)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/thespis)
set_target_properties(thespis_static PROPERTIES EXPORT_NAME static)
set_target_properties(thespis_shared PROPERTIES EXPORT_NAME shared)
install(EXPORT thespisTargets NAMESPACE thespis:: DESTINATION ${package_dir})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/thespisConfig.cmake.in
    ${PROJECT_BINARY_DIR}/package/thespisConfig.cmake INSTALL_DESTINATION ${package_dir})
# Before 1.0 a new minor version may change anything.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/thespisConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES
    ${PROJECT_BINARY_DIR}/package/thespisConfig.cmake
    ${PROJECT_BINARY_DIR}/package/thespisConfigVersion.cmake
    DESTINATION ${package_dir})

# From where it lies, so that a moved installation and lib/x86_64-linux-gnu both work.
file(RELATIVE_PATH prefix_from_libdir /prefix/${CMAKE_INSTALL_LIBDIR} /prefix)
configure_file(${PROJECT_SOURCE_DIR}/cmake/thespis.pc.in
    ${PROJECT_BINARY_DIR}/package/thespis.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/package/thespis.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
