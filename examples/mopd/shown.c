/* SPDX-License-Identifier: MIT
 * shown.c - names and messages of others, as lines for people and as JSON.
 *
 * A file, a class or a note may have any name: one that ends a line, or that a terminal obeys.  Control characters, and
 * those that turn a line around, are shown as \n or \x1b.  A name need not be UTF-8 either: other bytes are shown in the
 * same way in messages, in JSON and on a terminal. */
#include "cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sys.h"

/* -- UTF-8 ---------------------------------------------------------------------------------------------------- */

/* The code point of the n bytes of a character. */
static uint32_t code_point(const unsigned char *s, size_t n)
{
    uint32_t c = n == 1 ? *s : *s & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) c = c << 6 | (s[i] & 0x3fu);
    return c;
}

size_t cli_utf8_bytes(const char *text)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *s = (const unsigned char *)text;
    if (*s < 0x80) return 1;
    const size_t n = *s >= 0xf0 && *s < 0xf5   ? 4
                     : *s >= 0xe0 && *s < 0xf0 ? 3
                     : *s >= 0xc2 && *s < 0xe0 ? 2
                                               : 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    const uint32_t c = n ? code_point(s, n) : 0;
    return c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : n;
}

static bool is_utf8(const char *text)
{
    for (size_t n; *text; text += n)
        if (!(n = cli_utf8_bytes(text))) return false;
    return true;
}

/* -- quoted --------------------------------------------------------------------------------------------------- */

static bool is_obeyed(const char *text, size_t n)
{
    const uint32_t c = code_point((const unsigned char *)text, n);
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

/* How many bytes come next, and whether they are to be quoted.  bytes_too: what is no UTF-8. */
static size_t next_bytes(const char *text, bool control, bool bytes_too, bool *quoted)
{
    const size_t n = cli_utf8_bytes(text);
    *quoted = n ? control && is_obeyed(text, n) : bytes_too;
    return n ? n : 1;
}

static char *quote(const char *text, bool control, bool bytes_too)
{
    char *out = cli_alloc(4 * strlen(text) + 1, 1), *to = out;
    bool quoted;
    for (size_t n; *text; text += n) {
        n = next_bytes(text, control, bytes_too, &quoted);
        if (!quoted) memcpy(to, text, n);
        if (!quoted) to += n;
        for (size_t i = 0; quoted && i < n; i++)
            to += sprintf(to, text[i] == '\n' ? "\\n" : "\\x%02x", (unsigned)(unsigned char)text[i]);
    }
    return out;
}

const char *cli_shown(const char *text)
{
    enum { KEPT = 8 };
    static char *kept[KEPT];
    static size_t next;
    char **place = &kept[next++ % KEPT];
    free(*place);
    return *place = quote(text, true, sys_is_shown(1));
}

/* -- messages ------------------------------------------------------------------------------------------------- */

static char *format_text(const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    const int n = vsnprintf(NULL, 0, format, args);
    char *text = cli_alloc((size_t)(n < 0 ? 0 : n) + 1, 1);
    if (n >= 0) vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    return text;
}

void cli_say(const char *kind, const char *ending, const char *format, va_list args)
{
    char *text = format_text(format, args), *line = quote(text, true, true);
    fprintf(stderr, "mopd: %s: %s%s\n", kind, line, ending);
    fflush(stderr);
    free(line);
    free(text);
}

void cli_skipped(const char *message)
{
    char *line = quote(message, true, true);
    fprintf(stderr, "mopd: skipped: %s\n", line);
    fflush(stderr);
    free(line);
}

/* -- JSON ----------------------------------------------------------------------------------------------------- */

static json_t *changed; /* text as it stands in the document: its bytes; NULL: all could stand as they are */

/* The bytes in hexadecimal digits. */
static json_t *digits_of(const char *bytes)
{
    const size_t n = strlen(bytes);
    char *digits = cli_alloc(2 * n + 1, 1);
    for (size_t i = 0; i < n; i++) sprintf(digits + 2 * i, "%02x", (unsigned)(unsigned char)bytes[i]);
    json_t *json = json_string(digits);
    free(digits);
    return json;
}

json_t *cli_json_text(const char *text)
{
    if (is_utf8(text)) return json_string(text);
    char *line = quote(text, false, true);
    json_t *json = json_string(line);
    if (!changed) changed = json_object();
    json_object_set_new(changed, line, digits_of(text));
    free(line);
    return json;
}

void cli_json_add_bytes(json_t *document)
{
    if (changed && json_is_object(document)) json_object_set(document, "bytes", changed);
}
