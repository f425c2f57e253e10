/* SPDX-License-Identifier: MIT
 * within.h - calls of other libraries at MemorySanitizer's edge; edges.c tells what that is. */
#ifndef MOPD_TEST_WITHIN_H
#define MOPD_TEST_WITHIN_H

#include <sanitizer/msan_interface.h>

/* Within them functions of libc read what these libraries wrote, which nobody saw. */
#define WITHIN(call)                                                                                         \
    do {                                                                                                     \
        __msan_scoped_disable_interceptor_checks();                                                          \
        call;                                                                                                \
        __msan_scoped_enable_interceptor_checks();                                                           \
    } while (0)

#endif
