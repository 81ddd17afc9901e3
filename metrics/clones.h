// Function multiversioning: one source, several instruction sets, chosen at load time.
#pragma once

// The results are the same bits in every version: such functions hold integer arithmetic only. The
// sanitizers run before the chooser's tables are ready, so they get the plain version.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define ADB_CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define ADB_CLONES
#endif
