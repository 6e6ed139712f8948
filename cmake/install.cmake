# The library, its public headers, the program, and what find_package(polymath) needs.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS polymath EXPORT polymathTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS polymath_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/polymath DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/models DESTINATION ${CMAKE_INSTALL_DATADIR}/polymath OPTIONAL)
install(EXPORT polymathTargets NAMESPACE polymath:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/polymath)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/polymathConfig.cmake.in ${PROJECT_BINARY_DIR}/polymathConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/polymath)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/polymathConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/polymathConfig.cmake ${PROJECT_BINARY_DIR}/polymathConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/polymath)
install(FILES ${PROJECT_SOURCE_DIR}/cmake/polymath.bash-completion DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME polymath)
