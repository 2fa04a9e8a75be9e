# The target `docs`, where Doxygen is found: pages of all that is public, in docs/html of the build tree. A warning is an
# error.
find_package(Doxygen QUIET)
if(DOXYGEN_FOUND)
  set(DOXYGEN_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/docs")
  set(DOXYGEN_STRIP_FROM_PATH "${PROJECT_SOURCE_DIR}/include")
  set(DOXYGEN_STRIP_FROM_INC_PATH "${PROJECT_SOURCE_DIR}/include")
  # Doxygen does not find the namespace of a specialization that is written outside of it.
  set(DOXYGEN_INPUT_FILTER "sed 's/struct fmt::formatter/struct formatter/'")
  set(DOXYGEN_EXCLUDE_SYMBOLS "collapse::detail*" "collapse::io::detail*" "formatter*")
  set(DOXYGEN_JAVADOC_AUTOBRIEF YES)
  set(DOXYGEN_HAVE_DOT NO)
  set(DOXYGEN_QUIET YES)
  set(DOXYGEN_WARN_IF_UNDOCUMENTED NO)
  # A parameter whose name says it all has no line of its own.
  set(DOXYGEN_WARN_IF_INCOMPLETE_DOC NO)
  set(DOXYGEN_WARN_AS_ERROR FAIL_ON_WARNINGS)
  doxygen_add_docs(docs "${PROJECT_SOURCE_DIR}/include" COMMENT "Writing the documentation to ${DOXYGEN_OUTPUT_DIRECTORY}/html")
endif()
