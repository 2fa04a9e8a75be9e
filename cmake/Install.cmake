# Headers, the compiled library and package files. Eigen and fmt are not installed along: the package finds them where it is used.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/collapse")
set(installed collapse)
if(COLLAPSE_BUILD_COMPILED)
  list(APPEND installed collapse_compiled)
endif()

install(
  TARGETS ${installed}
  EXPORT collapse
  FILE_SET HEADERS)
install(
  EXPORT collapse
  NAMESPACE collapse::
  FILE collapse-targets.cmake
  DESTINATION "${package_dir}")

configure_package_config_file(cmake/collapse-config.cmake.in "${PROJECT_BINARY_DIR}/collapse-config.cmake"
                              INSTALL_DESTINATION "${package_dir}")
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(
  "${PROJECT_BINARY_DIR}/collapse-config-version.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/collapse-config.cmake" "${PROJECT_BINARY_DIR}/collapse-config-version.cmake"
        DESTINATION "${package_dir}")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DATADIR}/licenses/collapse")
