# Builds and runs the project in this folder against the library, obtained in one `way`, and looks at the flags it got.
# Needs: way, source, build (of the library), work (a folder to use up), generator, compiler, prefix_path.

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    string(JOIN " " command ${ARGN})
    message(FATAL_ERROR "${command}\nfailed:\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE "${work}")
file(MAKE_DIRECTORY "${work}")

set(prefix "${work}/prefix")
if(way STREQUAL "find_package")
  run("${CMAKE_COMMAND}" --install "${build}" --prefix "${prefix}")
  # The tree must still work where it is moved to.
  file(RENAME "${prefix}" "${work}/moved")
  set(prefix "${work}/moved")
endif()

run("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}" -B "${work}/build" -G "${generator}"
    "-DCMAKE_CXX_COMPILER=${compiler}" "-DCMAKE_PREFIX_PATH=${prefix};${prefix_path}" -DCMAKE_EXPORT_COMPILE_COMMANDS=ON
    "-Dway=${way}" "-Dsource=${source}")
run("${CMAKE_COMMAND}" --build "${work}/build")

file(READ "${work}/build/compile_commands.json" commands)
if(commands MATCHES " (-W[a-z][^ ]*|-O[0-9s]|-march[^ ]*|-fopenmp[^ ]*|-g|-fsanitize[^ ]*|-DNDEBUG) ")
  message(FATAL_ERROR "the library hands the flag ${CMAKE_MATCH_1} to projects that use it:\n${commands}")
endif()
if(way STREQUAL "find_package" AND NOT commands MATCHES "${prefix}/include")
  message(FATAL_ERROR "the project was not built against the installed headers:\n${commands}")
endif()

run("${work}/build/consumer")
