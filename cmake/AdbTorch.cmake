# The target adb_torch: LibTorch linked straight from its package root (which holds lib/ and include/),
# without find_package(Torch), which searches system folders first and asks for a CUDA toolkit in CUDA builds.
set(ADB_LIBTORCH "$ENV{LIBTORCH}" CACHE PATH "Package root of LibTorch")
if(NOT ADB_LIBTORCH)
  set(ADB_LIBTORCH "${CMAKE_CURRENT_SOURCE_DIR}/.deps/torch" CACHE PATH "Package root of LibTorch" FORCE)
endif()
foreach(part lib/libtorch.so lib/libtorch_cpu.so lib/libc10.so include/torch/csrc/api/include/torch/torch.h)
  if(NOT EXISTS "${ADB_LIBTORCH}/${part}")
    message(FATAL_ERROR "no LibTorch in '${ADB_LIBTORCH}': ${part} is missing; run tools/setup, "
                        "or set LIBTORCH=/path/to/torch (the folder that holds lib/ and include/)")
  endif()
endforeach()

# LibTorch ships its own fmt (and some releases nlohmann-json). One fmt in a binary: Debian's must come first,
# and -I comes before -isystem, so link those headers into a folder of our own.
set(adb_first "${CMAKE_BINARY_DIR}/include-first")
file(MAKE_DIRECTORY "${adb_first}")
find_path(adb_fmt_root NAMES fmt/core.h NO_CACHE REQUIRED)
find_path(adb_json_root NAMES nlohmann/json.hpp NO_CACHE REQUIRED)
file(CREATE_LINK "${adb_fmt_root}/fmt" "${adb_first}/fmt" SYMBOLIC)
file(CREATE_LINK "${adb_json_root}/nlohmann" "${adb_first}/nlohmann" SYMBOLIC)

add_library(adb_torch INTERFACE)
target_include_directories(adb_torch INTERFACE "${adb_first}")
target_include_directories(adb_torch SYSTEM INTERFACE
  "${ADB_LIBTORCH}/include" "${ADB_LIBTORCH}/include/torch/csrc/api/include")
# LibTorch was built with NDEBUG, and some of its classes (at::RecordFunction) have another layout without. This
# project's own checks do not depend on it.
target_compile_definitions(adb_torch INTERFACE NDEBUG)
set(adb_torch_libs "${ADB_LIBTORCH}/lib/libtorch.so" "${ADB_LIBTORCH}/lib/libtorch_cpu.so" "${ADB_LIBTORCH}/lib/libc10.so")
foreach(cuda libtorch_cuda libc10_cuda)
  if(EXISTS "${ADB_LIBTORCH}/lib/${cuda}.so")
    list(APPEND adb_torch_libs "${ADB_LIBTORCH}/lib/${cuda}.so")
  endif()
endforeach()
# Without OpenMP at::parallel_for, which is a template, runs its body on one thread. One OpenMP in a process: LibTorch's.
target_compile_options(adb_torch INTERFACE -fopenmp)
if(EXISTS "${ADB_LIBTORCH}/lib/libgomp.so.1")
  list(APPEND adb_torch_libs "${ADB_LIBTORCH}/lib/libgomp.so.1")
else()
  list(APPEND adb_torch_libs gomp)
endif()
# NCCL, for ranks on GPUs: its header needs the toolkit's, so only where both are found.
if(EXISTS "${ADB_LIBTORCH}/lib/libtorch_cuda.so")
  find_path(ADB_NCCL_INCLUDE nccl.h HINTS "${ADB_LIBTORCH}/../nvidia/nccl/include")
  find_library(ADB_NCCL_LIBRARY NAMES nccl libnccl.so.2 HINTS "${ADB_LIBTORCH}/../nvidia/nccl/lib")
  find_path(ADB_CUDA_INCLUDE cuda_runtime.h HINTS "$ENV{CUDA_HOME}/include" /usr/local/cuda/include)
endif()
if(ADB_NCCL_INCLUDE AND ADB_NCCL_LIBRARY AND ADB_CUDA_INCLUDE)
  add_library(adb_nccl INTERFACE)
  target_include_directories(adb_nccl SYSTEM INTERFACE "${ADB_NCCL_INCLUDE}" "${ADB_CUDA_INCLUDE}")
  target_link_libraries(adb_nccl INTERFACE "${ADB_NCCL_LIBRARY}")
  message(STATUS "NCCL: ${ADB_NCCL_LIBRARY}")
endif()
# libtorch registers its kernels at load time: keep it although no symbol of it is used.
target_link_libraries(adb_torch INTERFACE -Wl,--no-as-needed ${adb_torch_libs} -Wl,--as-needed Threads::Threads)
