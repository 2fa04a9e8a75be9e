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
run("${CMAKE_COMMAND}" --build "${work}/build" --parallel 2)

file(READ "${work}/build/compile_commands.json" all_commands)
string(JSON count LENGTH "${all_commands}")
math(EXPR last "${count} - 1")
set(seen 0)
foreach(k RANGE ${last})
  string(JSON command GET "${all_commands}" ${k} command)
  if(command MATCHES "consumer_compiled[.]dir")
    # Threads are decided in the headers, so the compiled library has to hand on what its own sources had.
    string(REGEX REPLACE " -fopenmp[^ ]*" "" command "${command}")
    if(NOT command MATCHES "-DCOLLAPSE_COMPILED ")
      message(FATAL_ERROR "a project that links the compiled library compiles everything all the same:\n${command}")
    endif()
  elseif(NOT command MATCHES "consumer_collapse[.]dir")
    continue()
  endif()
  math(EXPR seen "${seen} + 1")
  if(command MATCHES " (-W[a-z][^ ]*|-O[0-9s]|-march[^ ]*|-fopenmp[^ ]*|-g|-fsanitize[^ ]*|-DNDEBUG) ")
    message(FATAL_ERROR "the library hands the flag ${CMAKE_MATCH_1} to projects that use it:\n${command}")
  endif()
  if(way STREQUAL "find_package" AND NOT command MATCHES "${prefix}/include")
    message(FATAL_ERROR "the project was not built against the installed headers:\n${command}")
  endif()
endforeach()
if(NOT seen EQUAL 4)
  message(FATAL_ERROR "${seen} sources of the project were looked at, not 4:\n${all_commands}")
endif()

run("${work}/build/consumer_collapse")
run("${work}/build/consumer_compiled")
