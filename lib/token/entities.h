/* SPDX-License-Identifier: MIT
 * entities.h - characters that HTML names ("&eacute;", "&#233;", "&#xe9;") as the characters that they are. */
#ifndef MO_TOKEN_ENTITIES_H
#define MO_TOKEN_ENTITIES_H

#include "token/unicode.h"

/* Appends in to out as Python's html.unescape does: also without the ";" where HTML allows it, "&notit;" as "\u00acit;". */
mopd_status mo_entities_unescape(mo_unicode_cps *out, const mo_unicode_cps *in);

/* The same as ftfy's unescape_html does: with the ";" alone, and names of small letters also in capitals ("&EACUTE;"). */
mopd_status mo_entities_strict(mo_unicode_cps *out, const mo_unicode_cps *in);

/* What a byte 0x80 .. 0x9f is in Windows-1252; those it has not stay. */
uint32_t mo_entities_windows(uint32_t cp);

#endif
