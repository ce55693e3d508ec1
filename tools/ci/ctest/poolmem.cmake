# SPDX-License-Identifier: MIT
# poolmem_check(NAME test COMMAND program [arguments...] [RULES rule...] [OPTIONS option...])
#
# Adds a test that holds a program to rules, as in a budget file: "live.peak <= 24 MiB", "leak.blocks = 0".  A program that
# this project builds is named as $<TARGET_FILE:target>.  The report is the test's output, and its XML for JUnit is in
# poolmem-reports of the build.
find_program(POOLMEM_COMMAND poolmem REQUIRED)

function(poolmem_check)
  cmake_parse_arguments(CHECK "" "NAME" "COMMAND;RULES;OPTIONS" ${ARGN})
  if(NOT CHECK_NAME OR NOT CHECK_COMMAND)
    message(FATAL_ERROR "poolmem_check: NAME and COMMAND are wanted")
  endif()
  set(reports "${CMAKE_CURRENT_BINARY_DIR}/poolmem-reports")
  file(MAKE_DIRECTORY "${reports}")
  set(rules "")
  foreach(rule IN LISTS CHECK_RULES)
    list(APPEND rules --rule "${rule}")
  endforeach()
  add_test(NAME "${CHECK_NAME}"
    COMMAND "${POOLMEM_COMMAND}" check ${rules} --report "junit=${reports}/${CHECK_NAME}.xml" ${CHECK_OPTIONS}
      -- ${CHECK_COMMAND})
endfunction()
