/* SPDX-License-Identifier: MIT
 * fail.h - makes the message of a failure where it is found. */
#ifndef MO_BASE_FAIL_H
#define MO_BASE_FAIL_H

#include "mopd/status.h"

/* Room of a message with its zero: for two of the longest paths and a reason. */
#define MO_FAIL_BYTES 9216

/* A function that takes a format of C99's, whatever the system's own library takes, and what belongs to it. */
#ifdef __MINGW32__
#define MO_FAIL_FORMAT(nth, first) __attribute__((format(gnu_printf, nth, first)))
#else
#define MO_FAIL_FORMAT(nth, first) __attribute__((format(printf, nth, first)))
#endif

/* Sets the thread's last error from a printf format and returns st.  The message is one line of UTF-8: control
 * characters and other bytes in it are quoted, as \n or \x1b.  Of one that is too long the middle is left out. */
mopd_status mo_fail(mopd_status st, const char *format, ...) MO_FAIL_FORMAT(2, 3);

/* The same, followed by ": " and the system's text for errno. */
mopd_status mo_fail_errno(mopd_status st, const char *format, ...) MO_FAIL_FORMAT(2, 3);

/* Puts "place: " before the message of the failure just made; returns st.  Does nothing for MOPD_OK. */
mopd_status mo_fail_at(mopd_status st, const char *format, ...) MO_FAIL_FORMAT(2, 3);

/* Empties the thread's message. */
void mo_fail_clear(void);

/* The thread's message, "" when nothing failed yet; the name of a status, "MOPD_E_FORMAT"; its meaning in words. */
const char *mo_fail_message(void);
const char *mo_fail_name(mopd_status status);
const char *mo_fail_text(mopd_status status);

#endif
