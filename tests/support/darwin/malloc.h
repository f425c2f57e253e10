/* SPDX-License-Identifier: MIT
 * malloc.h - what Apple's systems have under another name. */
#ifndef MOPD_TEST_SUPPORT_DARWIN_MALLOC_H
#define MOPD_TEST_SUPPORT_DARWIN_MALLOC_H

#include <malloc/malloc.h>

#define malloc_usable_size(block) malloc_size(block)

#endif
