/* SPDX-License-Identifier: MIT
 * os_name_windows.c - names that no file of Windows has.
 *
 * Whoever opens "out." gets "out", and whoever opens "aux.json" gets a device, though a long path ("\\?\") can lead to files of both
 * names.  Such a file is not made: hardly any program would find it. */
#include <string.h>

#include "base/os.h"
#include "base/path.h"

/* How the beginning of a name reads, whatever its case. */
static bool begins(const char *name, const char *small)
{
    for (; *small; name++, small++)
        if ((*name >= 'A' && *name <= 'Z' ? *name + 32 : *name) != *small) return false;
    return true;
}

/* Bytes of a device's name at the beginning, 0 where there is none: COM and LPT have a digit, or one that stands high. */
static size_t device_bytes(const char *name)
{
    static const char *const words[] = {"conin$", "conout$", "con", "prn", "aux", "nul"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (begins(name, words[i])) return strlen(words[i]);
    if (!begins(name, "com") && !begins(name, "lpt")) return 0;
    if (name[3] >= '0' && name[3] <= '9') return 4;
    return begins(name + 3, "\xc2\xb9") || begins(name + 3, "\xc2\xb2") || begins(name + 3, "\xc2\xb3") ? 5
                                                                                                        : 0;
}

/* "nul", "nul.json" and "nul .json" are one. */
static bool is_device(const char *name)
{
    const size_t n = device_bytes(name);
    const char *rest = name + n;
    while (n && *rest == ' ') rest++;
    return n && (!*rest || *rest == '.' || *rest == ':');
}

static bool has_no_sign_of_a_name(const char *name)
{
    for (; *name; name++)
        if ((unsigned char)*name < ' ' || strchr("<>:\"|?*", *name)) return true;
    return false;
}

/* "nul" alone is what /dev/null is elsewhere. */
const char *mo_os_unfit(const char *path)
{
    const char *name = mo_path_name(path);
    const size_t n = strlen(name);
    if (!n || !strcmp(name, ".") || !strcmp(name, "..") ||
        (n == 3 && n == strlen(path) && begins(name, "nul")))
        return NULL;
    if (is_device(name)) return "Windows keeps this name for a device";
    if (has_no_sign_of_a_name(name)) return "no name on Windows has a control sign or any of < > : \" | ? *";
    if (strchr(". ", name[n - 1])) return "no name on Windows ends in a dot or a blank";
    return NULL;
}
