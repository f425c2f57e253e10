/* SPDX-License-Identifier: MIT
 * fail.c - status names and the per-thread message of the last failure. */
#include "base/fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_BYTES 1024

static _Thread_local char message[MESSAGE_BYTES];

/* A cut message ends in "..." and never inside a UTF-8 character. */
static void mark_cut(char *text, size_t cap)
{
    size_t end = cap - 4;
    while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80) end--;
    memcpy(text + end, "...", 4);
}

static size_t format_at(size_t start, const char *format, va_list args)
{
    int n = vsnprintf(message + start, MESSAGE_BYTES - start, format, args);
    if (n < 0) {
        message[start] = 0;
        return start;
    }
    if ((size_t)n >= MESSAGE_BYTES - start) {
        mark_cut(message, MESSAGE_BYTES);
        return strlen(message);
    }
    return start + (size_t)n;
}

mopd_status mo_fail(mopd_status st, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    format_at(0, format, args);
    va_end(args);
    return st;
}

static void append(size_t at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    format_at(at, format, args);
    va_end(args);
}

mopd_status mo_fail_errno(mopd_status st, const char *format, ...)
{
    char reason[128];
    int code = errno;
    if (strerror_r(code, reason, sizeof reason)) snprintf(reason, sizeof reason, "error %d", code);
    va_list args;
    va_start(args, format);
    size_t n = format_at(0, format, args);
    va_end(args);
    if (n < MESSAGE_BYTES - 1) append(n, ": %s", reason);
    return st;
}

mopd_status mo_fail_at(mopd_status st, const char *format, ...)
{
    if (st == MOPD_OK) return st;
    char inner[MESSAGE_BYTES];
    memcpy(inner, message, MESSAGE_BYTES);
    va_list args;
    va_start(args, format);
    size_t n = format_at(0, format, args);
    va_end(args);
    if (n < MESSAGE_BYTES - 1) append(n, ": %s", inner);
    return st;
}

void mo_fail_clear(void)
{
    message[0] = 0;
}

const char *mo_fail_message(void)
{
    return message;
}

const char *mo_fail_name(mopd_status status)
{
#define STATUS_NAME(name, value, text)                                                                       \
    case value:                                                                                              \
        return "MOPD_" #name;
    switch (status) {
        MOPD_STATUS_MAP(STATUS_NAME)
    default:
        return "MOPD_?";
    }
}

const char *mo_fail_text(mopd_status status)
{
#define STATUS_TEXT(name, value, text)                                                                       \
    case value:                                                                                              \
        return text;
    switch (status) {
        MOPD_STATUS_MAP(STATUS_TEXT)
    default:
        return "a status this library does not know";
    }
}
