# Headers and package files. Eigen and fmt are not installed along: the package finds them where it is used.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_DATADIR}/cmake/collapse")

install(
  TARGETS collapse
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
  COMPATIBILITY SameMinorVersion
  ARCH_INDEPENDENT)
install(FILES "${PROJECT_BINARY_DIR}/collapse-config.cmake" "${PROJECT_BINARY_DIR}/collapse-config-version.cmake"
        DESTINATION "${package_dir}")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DATADIR}/licenses/collapse")
