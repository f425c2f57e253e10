/* SPDX-License-Identifier: MIT
 * words.c - a word looked up in its list, and the list as people read it. */
#include "base/words.h"

#include <stdio.h>
#include <string.h>

int32_t mo_words_find(const char *const *words, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(words[i], word)) return (int32_t)i;
    return -1;
}

static int small(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

bool mo_words_begins(const char *text, const char *word)
{
    while (*word && small(*text) == small(*word)) text++, word++;
    return !*word;
}

bool mo_words_alike(const char *a, const char *b)
{
    return strlen(a) == strlen(b) && mo_words_begins(a, b);
}

void mo_words_join(const char *const *words, size_t n, char *out, size_t room)
{
    size_t used = 0;
    *out = 0;
    for (size_t i = 0; i < n && used < room; i++)
        used += (size_t)snprintf(out + used, room - used, "%s%s", i ? ", " : "", words[i]);
}
