# What nearly every file includes, compiled once: a fifth of the time of a build from nothing. Off
# by default, so that a developer's build notices an include that is missing.
option(POSTERN_PRECOMPILE "Precompile the headers that most libraries use" OFF)
function(postern_common_headers)
  if(TARGET postern_common_headers)
    return()
  endif()
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/common_headers.cpp CONTENT "")
  add_library(postern_common_headers STATIC ${CMAKE_BINARY_DIR}/common_headers.cpp)
  target_precompile_headers(postern_common_headers PRIVATE
    <algorithm> <array> <chrono> <filesystem> <fstream> <functional> <map> <memory> <mutex>
    <optional> <set> <span> <sstream> <string> <string_view> <unordered_map> <utility> <variant>
    <vector> <boost/system/result.hpp>)
endfunction()

# Many files compiled as one: templates that several of them need are made once. Off by default, as
# above, and since a developer changes one file at a time.
option(POSTERN_UNITE "Compile the files of a library together, some at a time" OFF)
set(POSTERN_UNITE_FILES 12)  # the largest library then takes 1 GB of memory a compiler

# postern_library(NAME [SEPARATE] [PRECOMPILE headers...] [LINK targets...])
#   A static library of all .cpp files directly in the current folder, included as "folder/file.h"
#   from the top of the tree. PRECOMPILE: headers that take long and most of its files include.
#   SEPARATE: its files use the same names for different things, so they are never united.
function(postern_library name)
  cmake_parse_arguments(ARG "SEPARATE" "" "PRECOMPILE;LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(sources)
    add_library(${name} STATIC ${sources})
    target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
    target_link_libraries(${name} PUBLIC ${ARG_LINK})
    if(ARG_PRECOMPILE)
      target_precompile_headers(${name} PRIVATE ${ARG_PRECOMPILE})
    elseif(POSTERN_PRECOMPILE)
      postern_common_headers()
      target_precompile_headers(${name} REUSE_FROM postern_common_headers)
    endif()
    if(POSTERN_UNITE AND NOT ARG_SEPARATE)
      set_target_properties(${name} PROPERTIES UNITY_BUILD ON
                            UNITY_BUILD_BATCH_SIZE ${POSTERN_UNITE_FILES})
      if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        # A type of the united file's own is no type of a header.
        target_compile_options(${name} PRIVATE -Wno-subobject-linkage)
      endif()
    endif()
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${PROJECT_SOURCE_DIR})
    target_link_libraries(${name} INTERFACE ${ARG_LINK})
  endif()
endfunction()

# GoogleTest's headers cost 5 s to precompile and save 1.5 s a file: once for all programs. An
# executable, since the code of a library (-fPIC) is no match for that of a program (-fPIE).
function(postern_test_headers)
  if(TARGET postern_test_headers)
    return()
  endif()
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/test_headers.cpp CONTENT "int main() {}\n")
  add_executable(postern_test_headers ${CMAKE_BINARY_DIR}/test_headers.cpp)
  target_link_libraries(postern_test_headers PRIVATE GTest::gmock GTest::gtest)
  target_precompile_headers(postern_test_headers PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
  postern_unoptimised(postern_test_headers)
endfunction()

# postern_unoptimised(TARGET)
#   Under sanitizers optimising takes 40 % of the time to compile a file; not for code that no test
#   waits for.
function(postern_unoptimised target)
  if(POSTERN_SANITIZE)
    target_compile_options(${target} PRIVATE -O0)
  endif()
endfunction()

# postern_test(NAME [LINK targets...])
#   One GoogleTest program of all *_test.cpp files directly in the current folder.
function(postern_test name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gmock GTest::gtest GTest::gtest_main)
  postern_test_headers()
  target_precompile_headers(${name} REUSE_FROM postern_test_headers)
  postern_unoptimised(${name})
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1 WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
endfunction()

# postern_reads_tree(SOURCE...)
#   Gives these sources of the current folder POSTERN_SOURCE_DIR. Only these: a path in the command
#   makes each checkout compile the file anew instead of finding it in the cache.
function(postern_reads_tree)
  set_source_files_properties(${ARGN} PROPERTIES
    COMPILE_DEFINITIONS POSTERN_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
endfunction()
