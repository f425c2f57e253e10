/* SPDX-License-Identifier: MIT
 * fail.c - status names and the per-thread message of the last failure. */
#include "base/fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "base/utf8.h"

#define MESSAGE_BYTES MO_FAIL_BYTES
#define LONGEST 32768

static _Thread_local char message[MESSAGE_BYTES];

/* Back to where a character of UTF-8 begins, and on to where one does. */
static size_t character_before(const char *text, size_t at)
{
    while (at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80) at--;
    return at;
}

static size_t character_behind(const char *text, size_t at)
{
    while (((unsigned char)text[at] & 0xc0) == 0x80) at++;
    return at;
}

/* What has no room is left out of the middle: at the end stands the reason. */
static void format_long(char *to, size_t room, const char *format, va_list args)
{
    char whole[LONGEST];
    const int wanted = vsnprintf(whole, sizeof whole, format, args);
    const size_t n = wanted < LONGEST ? (size_t)wanted : LONGEST - 1;
    const size_t head = character_before(whole, room < 8 ? 0 : room / 2 - 2);
    const size_t tail = character_behind(whole, n < room - head - 4 ? 0 : n - (room - head - 4));
    memcpy(to, whole, head);
    snprintf(to + head, room - head, "...%s", whole + tail);
}

/* -- one line of UTF-8, and nothing that a terminal obeys ---------------------------------------------------- */

/* Bytes of the character at text[0], 0 where it is to be quoted: control characters, those that turn the direction of a
 * line around, bytes that are no UTF-8. */
static size_t plain_bytes(const char *text)
{
    size_t at = 0;
    const unsigned char first = (unsigned char)*text;
    if (first < 0x80) return first >= 0x20 && first != 0x7f;
    const int32_t c = mo_utf8_next(text, strnlen(text, 4), &at);
    return c < 0xa0 || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ? 0 : at;
}

static bool is_plain(const char *text)
{
    for (size_t n; *text; text += n)
        if (!(n = plain_bytes(text))) return false;
    return true;
}

static void quote(char *text, size_t room)
{
    char from[MESSAGE_BYTES];
    size_t n, at = 0;
    if (is_plain(text)) return;
    strcpy(from, text);
    for (const char *c = from; *c && at + 5 < room; c += n ? n : 1) {
        n = plain_bytes(c);
        if (n)
            memcpy(text + at, c, n);
        else
            snprintf(text + at, 5, *c == '\n' ? "\\n" : "\\x%02x", (unsigned)(unsigned char)*c);
        at += n ? n : strlen(text + at);
    }
    text[at] = 0;
}

/* -- messages ------------------------------------------------------------------------------------------------ */

static size_t format_at(size_t start, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    const size_t room = MESSAGE_BYTES - start;
    const int n = vsnprintf(message + start, room, format, args);
    if (n < 0) message[start] = 0;
    if (n > 0 && (size_t)n >= room) format_long(message + start, room, format, again);
    va_end(again);
    quote(message + start, room);
    return start + strlen(message + start);
}

mopd_status mo_fail(mopd_status st, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    format_at(0, format, args);
    va_end(args);
    return st;
}

/* ": " and what comes behind the place, whose end goes where there is no room for it. */
static void append(size_t at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    format_at(at, format, args);
    va_end(args);
}

/* Where a text of n bytes begins that has to stand behind what is written up to `at`. */
static size_t make_room(size_t at, size_t n)
{
    const size_t most = n + 8 < MESSAGE_BYTES ? MESSAGE_BYTES - n - 8 : MESSAGE_BYTES / 2;
    if (at <= most) return at;
    const size_t cut = character_before(message, most);
    memcpy(message + cut, "...", 4);
    return cut + 3;
}

mopd_status mo_fail_errno(mopd_status st, const char *format, ...)
{
    char reason[128];
    mo_os_error_text(errno, reason, sizeof reason);
    va_list args;
    va_start(args, format);
    size_t n = format_at(0, format, args);
    va_end(args);
    append(make_room(n, strlen(reason)), ": %s", reason);
    return st;
}

mopd_status mo_fail_at(mopd_status st, const char *format, ...)
{
    if (st == MOPD_OK) return st;
    char inner[MESSAGE_BYTES];
    strcpy(inner, message);
    va_list args;
    va_start(args, format);
    size_t n = format_at(0, format, args);
    va_end(args);
    append(make_room(n, strlen(inner)), ": %s", inner);
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
