# Writes version.cc: run at every build, changes the file only when commit or flags changed.
execute_process(COMMAND git -C "${SOURCE}" describe --always --abbrev=12 --match NONE --dirty=+dirty
  OUTPUT_VARIABLE ADB_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed OR NOT ADB_COMMIT)
  set(ADB_COMMIT unknown)
endif()
set(ADB_IS_DEBUG false)
if(CMAKE_BUILD_TYPE STREQUAL "Debug" OR CMAKE_BUILD_TYPE STREQUAL "")
  set(ADB_IS_DEBUG true)
endif()
configure_file("${TEMPLATE}" "${OUTPUT}" @ONLY)
