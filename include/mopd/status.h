/* SPDX-License-Identifier: MIT
 * status.h - how calls fail: a pinned negative number, and a sentence for people.
 *
 * Every function that can fail returns a mopd_status; MOPD_OK is 0, failures are negative.  The sentence of the
 * last failure of the calling thread names file, place and reason.
 *
 * The same holds everywhere: an argument that must be there and is NULL is MOPD_E_ARG, and the sentence names
 * function and argument.  A struct begins with struct_size, set by its init function or by the caller; one that
 * is smaller than in the first release is MOPD_E_ARG.  A flag that this library does not know, or a field
 * beyond those it knows that is not zero, comes from newer headers and is MOPD_E_VERSION.  What it fills beyond
 * the fields it knows is zero. */
#ifndef MOPD_STATUS_H
#define MOPD_STATUS_H

#include "export.h"

/* code, value, text.  Values are pinned and never reused. */
#define MOPD_STATUS_MAP(X)                                                                                   \
    X(OK, 0, "done")                                                                                         \
    X(E_ARG, -1, "an argument is not allowed")                                                               \
    X(E_NOMEM, -2, "out of memory")                                                                          \
    X(E_IO, -3, "the system could not read or write")                                                        \
    X(E_FORMAT, -4, "a file is not what it says it is")                                                      \
    X(E_VERSION, -5, "newer than this library")                                                              \
    X(E_MISMATCH, -6, "two things do not belong together")                                                   \
    X(E_UNSUPPORTED, -7, "valid, but not supported")                                                         \
    X(E_STATE, -8, "not allowed in this state")                                                              \
    X(E_CANCELLED, -9, "cancelled by the caller")                                                            \
    X(E_NUMERIC, -10, "a number is not finite")                                                              \
    X(E_INTERNAL, -11, "a mistake inside the library")

#define MOPD_STATUS_ENUM(name, value, text) MOPD_##name = value,
enum mopd_status_code { MOPD_STATUS_MAP(MOPD_STATUS_ENUM) MOPD_STATUS_LAST_ = -12 };
#undef MOPD_STATUS_ENUM

typedef int32_t mopd_status;

MOPD_BEGIN_DECLS

/* The name of a status as programs write it, "MOPD_E_FORMAT", for logs; "MOPD_?" for a value that this library
 * does not know, which a newer one may return.  Static.  Any thread.  Since 0.1. */
MOPD_API const char *mopd_status_name(mopd_status status);

/* The general meaning of a status in a few words, for programs that have lost the message.  What went wrong in
 * a given call is in mopd_last_error.  Static.  Any thread.  Since 0.1. */
MOPD_API const char *mopd_status_text(mopd_status status);

/* What went wrong in the last failed call of this thread, in English: file, place, reason, the numbers that
 * disagree.  At most 1023 bytes, no line end; a longer one ends in "...".  "" when nothing failed yet.  It may
 * hold bytes of file names, which need not be UTF-8.  Owned by the library; valid until the thread's next
 * failing call.  Since 0.1. */
MOPD_API const char *mopd_last_error(void);

MOPD_END_DECLS

#endif
