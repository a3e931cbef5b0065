# Compiler and linker flags that every target of the tree shares.

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                    -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports false positives here when sanitizers or -O2 inline std::string and std::variant.
  add_compile_options(-Wno-maybe-uninitialized -Wno-restrict -Wno-dangling-pointer)
  # Asio allocates coroutine frames by operator new of the promise and frees them likewise.
  add_compile_options(-Wno-mismatched-new-delete)
endif()

# The same file compiled in two checkouts is one ccache entry.
add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)

if(POSTERN_SANITIZE)
  add_compile_options(-fsanitize=${POSTERN_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${POSTERN_SANITIZE})
  # -O1 keeps sanitizer runs of real mail bearable; -g1 keeps stack traces and small objects.
  string(REPLACE "-g" "-g1 -O1" CMAKE_CXX_FLAGS_DEBUG "${CMAKE_CXX_FLAGS_DEBUG}")
endif()
if(POSTERN_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  # Only tests/fuzz gets libFuzzer's main; the instrumented libraries link into unit tests as well.
  add_link_options(-fsanitize=fuzzer-no-link)
endif()
if(POSTERN_COVERAGE)
  add_compile_options(--coverage -O0)
  add_link_options(--coverage)
endif()
if(POSTERN_HARDEN)
  add_compile_options(-fstack-protector-strong -fstack-clash-protection -fcf-protection
                      -D_FORTIFY_SOURCE=2 -D_GLIBCXX_ASSERTIONS -Wformat -Werror=format-security)
  add_link_options(-Wl,-z,relro,-z,now -Wl,-z,noexecstack -pie)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
endif()

find_program(MOLD mold)
if(MOLD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT POSTERN_COVERAGE)
  add_link_options(-fuse-ld=mold)
endif()
