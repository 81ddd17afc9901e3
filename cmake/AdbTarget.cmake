# The only ways to declare a target.
#   adb_library(NAME SOURCES ... DEPS ... [SHARED] [TORCH])   library adb_NAME
#   adb_program(NAME SOURCES ... DEPS ...)                    program NAME in bin/
#   adb_test(PATH DEPS ... [LABELS ...] [SOURCES ...])        tests/PATH.cc, a CTest named PATH
# TORCH: the sources see torch/torch.h; they share one precompiled header and a small job pool.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
set(CMAKE_INSTALL_RPATH "$ORIGIN/../lib")
set_property(GLOBAL APPEND PROPERTY JOB_POOLS torch=2)

add_library(adb_flags INTERFACE)
target_include_directories(adb_flags INTERFACE "${CMAKE_SOURCE_DIR}")
target_compile_options(adb_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wold-style-cast -Wnon-virtual-dtor
  -Woverloaded-virtual -Wsuggest-override -Wduplicated-cond
  -Wno-stringop-overflow -Wno-array-bounds  # g++ 12 reports both inside fmt and std::vector, wrongly
  -ffp-contract=off)  # no fused multiply-add: the metrics' bits must not depend on the machine
if(ADB_WERROR)
  target_compile_options(adb_flags INTERFACE -Werror)
endif()
if(ADB_SANITIZE)
  target_compile_options(adb_flags INTERFACE -fsanitize=${ADB_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(adb_flags INTERFACE -fsanitize=${ADB_SANITIZE})
endif()

function(adb_torch_zone target)
  target_link_libraries(${target} PUBLIC adb_torch)
  set_target_properties(${target} PROPERTIES JOB_POOL_COMPILE torch)
  if(ADB_PCH)
    target_compile_options(${target} PRIVATE -fpch-preprocess)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL EXECUTABLE)  # its -fPIE would not match the precompiled header
      set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
      target_compile_options(${target} PRIVATE -fPIC)
    endif()
    if(TARGET adb_torch_pch)
      target_precompile_headers(${target} REUSE_FROM adb_torch_pch)
    endif()
  endif()
endfunction()

if(ADB_TORCH AND ADB_PCH)
  file(WRITE "${CMAKE_BINARY_DIR}/pch.cc.in" "")
  configure_file("${CMAKE_BINARY_DIR}/pch.cc.in" "${CMAKE_BINARY_DIR}/pch.cc" COPYONLY)
  add_library(adb_torch_pch STATIC "${CMAKE_BINARY_DIR}/pch.cc")
  target_link_libraries(adb_torch_pch PUBLIC adb_flags adb_torch)
  target_compile_options(adb_torch_pch PRIVATE -fpch-preprocess)
  target_precompile_headers(adb_torch_pch PRIVATE <torch/torch.h>)
endif()

function(adb_library name)
  cmake_parse_arguments(arg "SHARED;TORCH" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  if(arg_SHARED)
    add_library(adb_${name} SHARED ${arg_SOURCES})
    install(TARGETS adb_${name} LIBRARY DESTINATION lib)
  else()
    add_library(adb_${name} STATIC ${arg_SOURCES})
  endif()
  target_link_libraries(adb_${name} PUBLIC adb_flags ${arg_DEPS} PRIVATE ${arg_PRIVATE_DEPS})
  if(arg_TORCH)
    adb_torch_zone(adb_${name})
  endif()
endfunction()

function(adb_program name)
  cmake_parse_arguments(arg "TORCH" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE adb_flags ${arg_DEPS})
  if(ADB_TORCH)  # CMake leaves out link paths inside the source tree, where .deps is
    set_target_properties(${name} PROPERTIES INSTALL_RPATH "$ORIGIN/../lib;${ADB_LIBTORCH}/lib")
  endif()
  if(arg_TORCH)
    adb_torch_zone(${name})
  endif()
endfunction()

function(adb_test path)
  cmake_parse_arguments(arg "TORCH" "" "SOURCES;DEPS;LABELS" ${ARGN})
  string(REPLACE "/" "." name "${path}")
  add_executable(${name} "${CMAKE_SOURCE_DIR}/tests/${path}.cc" ${arg_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  target_link_libraries(${name} PRIVATE adb_flags ${arg_DEPS} GTest::gtest_main GTest::gmock)
  target_compile_definitions(${name} PRIVATE
    ADB_TEST_GOLDENS="${CMAKE_SOURCE_DIR}/tests/goldens"
    ADB_SHARED="${CMAKE_SOURCE_DIR}/../shared"
    ADB_BIN="${CMAKE_BINARY_DIR}/bin"
    ADB_SOURCE="${CMAKE_SOURCE_DIR}")
  if(arg_TORCH)
    adb_torch_zone(${name})
  endif()
  add_test(NAME ${path} COMMAND ${name})
  set_tests_properties(${path} PROPERTIES LABELS "${arg_LABELS}")
endfunction()
