/* SPDX-License-Identifier: MIT
 * os_text_posix.c - texts of errors, and numbers as in C whatever the host speaks. */
#include <locale.h>
#include <string.h>

#include "base/os.h"

#ifdef __APPLE__
#include <xlocale.h>
#endif

void mo_os_error_text(int code, char *out, size_t room)
{
    if (strerror_r(code, out, room)) snprintf(out, room, "error %d", code);
}

bool mo_os_locale_plain(mo_os_locale *locale)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!plain) return false;
    locale->plain = plain;
    locale->host = uselocale(plain);
    return true;
}

void mo_os_locale_back(mo_os_locale *locale)
{
    uselocale((locale_t)locale->host);
    freelocale((locale_t)locale->plain);
}
