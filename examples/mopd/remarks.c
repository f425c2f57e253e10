/* SPDX-License-Identifier: MIT
 * remarks.c - what a user should know of data that works all the same: told once on standard error, unless --quiet,
 * and kept for the JSON document. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

enum { KIND_LETTERS = 31 };

static const char *const kind_names[32] = {[MOPD_REMARK_PASSED_OVER] = "passed-over",
    [MOPD_REMARK_TWO_CLASSES] = "two-classes",
    [MOPD_REMARK_TWO_SPLITS] = "two-splits",
    [MOPD_REMARK_LABELS] = "labels",
    [MOPD_REMARK_SAME_CLASSES] = "same-classes",
    [MOPD_REMARK_CUT_WHITE] = "cut-white",
    [MOPD_REMARK_OUTSIDE] = "outside",
    [MOPD_REMARK_UNREADABLE] = "unreadable",
    [KIND_LETTERS] = "letters"};

static json_t *told; /* an array; NULL: nothing was told */
static uint32_t told_kinds;

static void tell(int32_t kind, uint64_t n, const char *text, const char *advice)
{
    if (kind == MOPD_REMARK_UNREADABLE)
        cli_skipped(text);
    else
        cli_note(&(cli_common){.quiet = cli_is_quiet()}, "%s%s", text, advice);
    json_t *one = json_pack("{s:I}", "n", (json_int_t)n);
    if (kind >= 0 && kind < 32 && kind_names[kind])
        json_object_set_new(one, "kind", json_string(kind_names[kind]));
    json_object_set_new(one, "text", cli_json_text(text));
    if (!told) told = json_array();
    json_array_append_new(told, one);
    if (kind >= 0 && kind < 32) told_kinds |= UINT32_C(1) << kind;
}

/* What a user of the command can do about it. */
static const char *advice_on(int32_t kind)
{
    if (kind == MOPD_REMARK_LABELS) return " (--names FILE)";
    return kind == MOPD_REMARK_CUT_WHITE ? " (--grey16 scale)" : "";
}

/* All remarks but those of some kinds. */
static void tell_all(const mopd_dataset *data, uint32_t but, bool labels)
{
    mopd_remark r = {.struct_size = sizeof r};
    for (size_t i = 0; mopd_dataset_get_remark(data, i, &r) == MOPD_OK; i++) {
        if (r.kind >= 0 && r.kind < 32 && but >> r.kind & 1) continue;
        if (!labels && (r.kind == MOPD_REMARK_LABELS || r.kind == MOPD_REMARK_SAME_CLASSES)) continue;
        tell(r.kind, r.n, r.text, advice_on(r.kind));
    }
}

void cli_remarks_tell(const mopd_dataset *data, bool labels)
{
    tell_all(data, told_kinds, labels); /* what was told of the whole is not repeated of its parts */
}

bool cli_remarks_left_out(void)
{
    return told_kinds >> MOPD_REMARK_UNREADABLE & 1;
}

void cli_remarks_passed(const mopd_dataset *data)
{
    tell_all(data, 0, false);
}

void cli_remarks_file(const char *path, const char *message)
{
    if (!message || !*message || told_kinds >> MOPD_REMARK_CUT_WHITE & 1) return;
    const size_t room = strlen(path) + strlen(message) + 4;
    char *text = cli_alloc(room, 1);
    snprintf(text, room, "%s: %s", path, message);
    tell(MOPD_REMARK_CUT_WHITE, 1, text, advice_on(MOPD_REMARK_CUT_WHITE));
    free(text);
}

void cli_remarks_add(json_t *document)
{
    if (told && json_is_object(document)) json_object_set(document, "remarks", told);
}

/* -- words that the vocabulary spells ---------------------------------------------------------------------- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

/* Whether a word of at least four letters falls into pieces of one letter and a half on average: "xqzzt". */
static bool is_spelled(const mopd_encoder *encoder, const char *word, size_t n_bytes)
{
    char text[64];
    uint32_t *ids;
    size_t n_ids, n = 0;
    for (size_t i = 0; i < n_bytes; i++) n += ((unsigned char)word[i] & 0xc0) != 0x80;
    if (n < 4 || n_bytes >= sizeof text) return false;
    snprintf(text, sizeof text, "%.*s", (int)n_bytes, word);
    if (mopd_encoder_tokenize(encoder, text, &ids, &n_ids) != MOPD_OK) return false;
    mopd_free(ids);
    return 3 * (n_ids - 2) >= 2 * n; /* without start and end */
}

void cli_remarks_letters(const mopd_encoder *encoder, const char *const *names, size_t n)
{
    mopd_encoder_info info = {.struct_size = sizeof info};
    char first[64] = "", text[256];
    size_t found = 0;
    mopd_encoder_get_info(encoder, &info);
    if (info.vocab_size < 4096 || told_kinds >> KIND_LETTERS & 1)
        return; /* so small a vocabulary has hardly a word */
    for (size_t i = 0; i < n; i++) {
        for (const char *at = names[i]; *at;) {
            size_t length = 0;
            while (is_letter(at[length])) length++;
            if (length && is_spelled(encoder, at, length) && !found++)
                snprintf(first, sizeof first, "%.*s", (int)length, at);
            at += length ? length : 1;
        }
    }
    if (!found) return;
    snprintf(text, sizeof text,
        "%zu %s of the class names %s not in the model's vocabulary, which spells %s: '%s'%s", found,
        found == 1 ? "word" : "words", found == 1 ? "is" : "are", found == 1 ? "it" : "them", first,
        found == 1 ? "" : " and others");
    tell(KIND_LETTERS, found, text, "");
}
