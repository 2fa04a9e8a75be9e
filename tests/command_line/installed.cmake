# Installs the command line alone, moves it to another place, and runs it there.
# Needs: build (of the project), config, work (a folder to use up).

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE errors)
  if(NOT status EQUAL 0 OR NOT errors STREQUAL "")
    string(JOIN " " command ${ARGN})
    message(FATAL_ERROR "${command}\nfailed:\n${output}${errors}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE "${work}")
file(MAKE_DIRECTORY "${work}")
run("${CMAKE_COMMAND}" --install "${build}" --config "${config}" --component command_line --prefix "${work}/prefix")
file(RENAME "${work}/prefix" "${work}/moved")

find_program(program collapse PATHS "${work}/moved/bin" NO_DEFAULT_PATH REQUIRED)
run("${program}" --version)
if(NOT output MATCHES "^collapse [0-9]+[.][0-9]+[.][0-9]+\n$")
  message(FATAL_ERROR "the installed command line calls itself ${output}")
endif()

file(GLOB_RECURSE pages "${work}/moved/collapse.1")
list(LENGTH pages count)
if(NOT count EQUAL 1)
  message(FATAL_ERROR "${count} pages of the manual are installed: ${pages}")
endif()
file(READ "${pages}" page)
run("${program}" --manual)
if(NOT page STREQUAL output)
  message(FATAL_ERROR "${pages} is not what the command line prints as its manual:\n${page}")
endif()
