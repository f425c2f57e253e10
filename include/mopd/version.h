/* SPDX-License-Identifier: MIT
 * version.h - which libmopd this is. */
#ifndef MOPD_VERSION_H
#define MOPD_VERSION_H

#include "export.h"

#define MOPD_VERSION_MAJOR 0
#define MOPD_VERSION_MINOR 1
#define MOPD_VERSION_PATCH 0
#define MOPD_VERSION_STRING "0.1.0"

/* major * 10000 + minor * 100 + patch of the headers a program was compiled with. */
#define MOPD_VERSION_NUMBER (MOPD_VERSION_MAJOR * 10000 + MOPD_VERSION_MINOR * 100 + MOPD_VERSION_PATCH)

MOPD_BEGIN_DECLS

/* The version number of the library that runs, as MOPD_VERSION_NUMBER writes it: compare both to see whether a
 * program runs with another release than it was compiled with.  Any thread.  Since 0.1. */
MOPD_API uint32_t mopd_version_number(void);

/* The same as text, "0.1.0".  Static, never freed.  Any thread.  Since 0.1. */
MOPD_API const char *mopd_version_string(void);

/* One line for bug reports: version, the live kernels, the instruction set in use, the default number of
 * threads, the kinds of pictures that this build reads, and whether MOPD_CPU or MOPD_BF16 in the environment were
 * heeded.  Static, never freed.  Any thread.  Since 0.1. */
MOPD_API const char *mopd_build_info(void);

MOPD_END_DECLS

#endif
