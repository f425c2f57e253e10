/* SPDX-License-Identifier: MIT
 * pieces_json.c - a tokenizer.json of SentencePiece's kind, as transformers (version 5) runs it.
 *
 * Its classes take vocabulary, merges, added tokens and the compiled map from the file and have the rest of their own:
 *
 *     T5Tokenizer, XLMRobertaTokenizer   map; words at white space, "\u2581" before each
 *     GemmaTokenizer, Siglip2Tokenizer   lower case (below), "\u2581" for blanks, a text is one word
 *     SiglipTokenizer, others, none      what the file says
 *
 * SigLIP 2 was trained on lower-case texts, and tokenizer_config.json says so ("do_lower_case"); GemmaTokenizer forgets
 * it.  Texts are lowered here where the configuration, the file's normaliser or the class says so. */
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "token/pieces_files.h"

typedef enum way { WAY_FILE, WAY_WORDS, WAY_GEMMA } way;

/* A class of tokenizers and what it calls its tokens: begin, end, unknown, separator, pad, class, mask. */
static const struct class {
    const char *name;
    way way;
    bool lower;
    const char *names[7];
} classes[] = {{"T5Tokenizer", WAY_WORDS, false, {NULL, "</s>", "<unk>", NULL, "<pad>", NULL, NULL}},
    {"XLMRobertaTokenizer", WAY_WORDS, false, {"<s>", "</s>", "<unk>", "</s>", "<pad>", "<s>", "<mask>"}},
    {"GemmaTokenizer", WAY_GEMMA, false, {"<bos>", "<eos>", "<unk>", NULL, "<pad>", NULL, "<mask>"}},
    {"Siglip2Tokenizer", WAY_GEMMA, true, {"<bos>", "<eos>", "<unk>", NULL, "<pad>", NULL, "<mask>"}},
    {"SiglipTokenizer", WAY_FILE, false, {NULL, "</s>", "<unk>", NULL, "</s>", NULL, NULL}},
    {"", WAY_FILE, false, {NULL, NULL, NULL, NULL, NULL, NULL, NULL}}};

#define N_CLASSES (sizeof classes / sizeof *classes)

/* What is put together here. */
typedef struct making {
    mo_tokenizer_source *s;
    const struct class *class;
    mo_pieces_parts parts;
    mo_buf map;
    mo_charsmap rules; /* of map */
    const char *path;
} making;

static const struct class *find_class(const char *name)
{
    const size_t n = strlen(name), n_name = n > 4 && !strcmp(name + n - 4, "Fast") ? n - 4 : n;
    for (size_t i = 0; i + 1 < N_CLASSES; i++)
        if (strlen(classes[i].name) == n_name && !memcmp(classes[i].name, name, n_name)) return classes + i;
    return classes + N_CLASSES - 1;
}

mopd_status mo_pieces_class(char out[64], const char *folder)
{
    const mo_json *root = NULL;
    const char *name = "";
    char *path = mo_path_join(folder, "tokenizer_config.json");
    if (!path) return MOPD_E_NOMEM;
    mopd_status st = mo_file_exists(path) ? mo_json_open(&root, path) : MOPD_OK;
    if (st == MOPD_OK) mo_json_as_string(mo_json_get(root, "tokenizer_class"), &name);
    out[0] = 0;
    if (strlen(name) < 64) memcpy(out, name, strlen(name) + 1);
    mo_json_close(root);
    mo_mem_free(path);
    return st;
}

mo_pieces_kind mo_pieces_kind_of(const mo_json *model)
{
    const char *type = "BPE";
    bool bytes = false;
    mo_json_as_string(mo_json_get(model, "type"), &type);
    mo_json_as_bool(mo_json_get(model, "byte_fallback"), &bytes);
    if (!strcmp(type, "Unigram")) return MO_PIECES_UNIGRAM;
    return !strcmp(type, "BPE") && bytes ? MO_PIECES_PAIRS : MO_PIECES_NONE;
}

static mopd_status unknown_part(const making *m, const char *what, const char *type)
{
    return mo_fail(MOPD_E_UNSUPPORTED, "%s: %s \"%s\" is not known", m->path, what, type);
}

static const char *type_of(const mo_json *part)
{
    const char *type = "";
    mo_json_as_string(mo_json_get(part, "type"), &type);
    return type;
}

/* ---- the normaliser ---- */

static int digit_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* out = what base64 stands for. */
static mopd_status read_base64(mo_buf *out, const char *text, const char *path)
{
    const size_t n = strlen(text);
    mopd_status st = MOPD_OK;
    if (n % 4)
        return mo_fail(MOPD_E_FORMAT, "%s: precompiled_charsmap has %zu letters, no multiple of 4", path, n);
    for (size_t i = 0; i < n && st == MOPD_OK; i += 4) {
        const int end = i + 4 < n ? 0 : (text[i + 3] == '=') + (text[i + 2] == '=' && text[i + 3] == '=');
        uint32_t x = 0;
        for (size_t k = 0; k < 4; k++) {
            const int digit = k + (size_t)end < 4 ? digit_of(text[i + k]) : 0;
            if (digit < 0) return mo_fail(MOPD_E_FORMAT, "%s: precompiled_charsmap: letter %zu", path, i + k);
            x = x << 6 | (uint32_t)digit;
        }
        const unsigned char bytes[] = {(unsigned char)(x >> 16), (unsigned char)(x >> 8), (unsigned char)x};
        st = mo_buf_add(out, bytes, (size_t)(3 - end));
    }
    return st;
}

static mopd_status add_step(making *m, mo_pieces_step step)
{
    if (m->parts.n_steps == MO_PIECES_MOST_STEPS)
        return mo_fail(
            MOPD_E_UNSUPPORTED, "%s: more than %d steps of normalisation", m->path, MO_PIECES_MOST_STEPS);
    m->parts.step[m->parts.n_steps++] = step;
    return MOPD_OK;
}

static mopd_status add_map(making *m, const mo_json *part)
{
    const char *text = "";
    if (mo_json_kind(mo_json_get(part, "precompiled_charsmap")) == MO_JSON_NULL) return MOPD_OK;
    mopd_status st = mo_json_need_string(part, "precompiled_charsmap", m->path, &text);
    if (st == MOPD_OK && m->map.size)
        st = mo_fail(MOPD_E_UNSUPPORTED, "%s: two Precompiled normalizers", m->path);
    if (st == MOPD_OK) st = read_base64(&m->map, text, m->path);
    return st == MOPD_OK ? add_step(m, MO_PIECES_STEP_MAP) : st;
}

/* {"pattern": {"String": " "}, "content": "\u2581"}, or the pattern {"Regex": " {2,}"}. */
static mopd_status add_replace(making *m, const mo_json *part)
{
    const char *string = "", *regex = "", *content = "";
    const mo_json *pattern = mo_json_get(part, "pattern");
    mo_json_as_string(mo_json_get(pattern, "String"), &string);
    mo_json_as_string(mo_json_get(pattern, "Regex"), &regex);
    mo_json_as_string(mo_json_get(part, "content"), &content);
    const bool low = !strcmp(content, MO_PIECES_BLANK), runs = !strcmp(regex, " {2,}");
    if (!strcmp(string, " ") && low) return add_step(m, MO_PIECES_STEP_BLANKS);
    if (runs && low) return add_step(m, MO_PIECES_STEP_RUNS_LOW);
    if (runs && !strcmp(content, " ")) return add_step(m, MO_PIECES_STEP_RUNS);
    return unknown_part(m, "the normalizer Replace of", *string ? string : regex);
}

static mopd_status add_strip(making *m, const mo_json *part)
{
    bool left = true, right = true;
    mopd_status st = mo_json_may_bool(part, "strip_left", m->path, &left);
    if (st == MOPD_OK) st = mo_json_may_bool(part, "strip_right", m->path, &right);
    if (st == MOPD_OK && left) st = add_step(m, MO_PIECES_STEP_STRIP_LEFT);
    return st == MOPD_OK && right ? add_step(m, MO_PIECES_STEP_STRIP_RIGHT) : st;
}

static mopd_status add_normalizer(making *m, const mo_json *part)
{
    const char *type = type_of(part);
    if (!strcmp(type, "Precompiled")) return add_map(m, part);
    if (!strcmp(type, "Lowercase")) return add_step(m, MO_PIECES_STEP_LOWER);
    if (!strcmp(type, "Replace")) return add_replace(m, part);
    if (!strcmp(type, "Strip")) return add_strip(m, part);
    return unknown_part(m, "the normalizer", type);
}

/* Calls fn for a part, or for each of the parts that a Sequence lists under a key. */
typedef mopd_status (*part_fn)(making *m, const mo_json *part);
static mopd_status each_part(making *m, const mo_json *part, const char *list, part_fn fn)
{
    if (mo_json_kind(part) != MO_JSON_OBJECT) return MOPD_OK;
    if (strcmp(type_of(part), "Sequence") != 0) return fn(m, part);
    const mo_json *parts = mo_json_get(part, list);
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < mo_json_count(parts) && st == MOPD_OK; i++) st = fn(m, mo_json_item(parts, i));
    return st;
}

static mopd_status add_map_alone(making *m, const mo_json *part)
{
    return !strcmp(type_of(part), "Precompiled") && !m->map.size ? add_map(m, part) : MOPD_OK;
}

static mopd_status find_lower(making *m, const mo_json *part)
{
    return !strcmp(type_of(part), "Lowercase") && !m->parts.n_steps ? add_step(m, MO_PIECES_STEP_LOWER)
                                                                    : MOPD_OK;
}

/* Gemma's steps. */
static mopd_status lower_and_blanks(making *m, const mo_json *normalizer)
{
    bool lower = m->class->lower;
    mopd_status st = mo_json_may_bool(m->s->specials.config, "do_lower_case", m->path, &lower);
    if (st == MOPD_OK && (lower || m->class->lower)) st = add_step(m, MO_PIECES_STEP_LOWER);
    if (st == MOPD_OK) st = each_part(m, normalizer, "normalizers", find_lower);
    return st == MOPD_OK ? add_step(m, MO_PIECES_STEP_BLANKS) : st;
}

static mopd_status read_normalizer(making *m)
{
    const mo_json *normalizer = mo_json_get(m->s->json, "normalizer");
    if (m->class->way == WAY_GEMMA) return lower_and_blanks(m, normalizer);
    const part_fn fn = m->class->way == WAY_WORDS ? add_map_alone : add_normalizer;
    return each_part(m, normalizer, "normalizers", fn);
}

/* ---- words ---- */

static mopd_status add_metaspace(making *m, const mo_json *part)
{
    const char *replacement = MO_PIECES_BLANK, *scheme = "always";
    bool before = true, split = true;
    mopd_status st = mo_json_may_string(part, "replacement", m->path, &replacement);
    if (st == MOPD_OK) st = mo_json_may_string(part, "prepend_scheme", m->path, &scheme);
    if (st == MOPD_OK) st = mo_json_may_bool(part, "add_prefix_space", m->path, &before);
    if (st == MOPD_OK) st = mo_json_may_bool(part, "split", m->path, &split);
    if (st != MOPD_OK) return st;
    if (strcmp(replacement, MO_PIECES_BLANK) != 0)
        return unknown_part(m, "Metaspace's replacement", replacement);
    if (!strcmp(scheme, "never"))
        before = false;
    else if (strcmp(scheme, "always") != 0)
        return unknown_part(m, "Metaspace's prepend_scheme", scheme);
    m->parts.flags |= MO_PIECES_METASPACE | (before ? MO_PIECES_BEFORE : 0) | (split ? MO_PIECES_SPLIT : 0);
    return MOPD_OK;
}

/* Split at " " finds nothing where blanks are replaced before. */
static mopd_status check_split(making *m, const mo_json *part)
{
    const char *string = "";
    mo_json_as_string(mo_json_get(mo_json_get(part, "pattern"), "String"), &string);
    for (size_t i = 0; i < m->parts.n_steps; i++)
        if (m->parts.step[i] == MO_PIECES_STEP_BLANKS && !strcmp(string, " ")) return MOPD_OK;
    return unknown_part(m, "the pre_tokenizer Split at", string);
}

static mopd_status add_words(making *m, const mo_json *part)
{
    const char *type = type_of(part);
    if (!strcmp(type, "Metaspace")) return add_metaspace(m, part);
    if (!strcmp(type, "Split")) return check_split(m, part);
    if (strcmp(type, "WhitespaceSplit") != 0 || m->parts.flags & MO_PIECES_METASPACE)
        return unknown_part(m, "the pre_tokenizer", type);
    m->parts.flags |= MO_PIECES_WORDS;
    return MOPD_OK;
}

static mopd_status read_words(making *m)
{
    if (m->class->way == WAY_GEMMA) return MOPD_OK;
    if (m->class->way == WAY_FILE)
        return each_part(m, mo_json_get(m->s->json, "pre_tokenizer"), "pretokenizers", add_words);
    m->parts.flags |= MO_PIECES_WORDS | MO_PIECES_METASPACE | MO_PIECES_BEFORE | MO_PIECES_SPLIT;
    return MOPD_OK;
}

/* ---- start and end ---- */

/* The id that a template gives one of its tokens. */
static mopd_status template_id(making *m, const mo_json *template, const char *token, uint32_t *id)
{
    int64_t x = -1;
    const mo_json *ids = mo_json_get(mo_json_get(mo_json_get(template, "special_tokens"), token), "ids");
    if (mo_json_count(ids) != 1 || !mo_json_as_int(mo_json_item(ids, 0), &x) || x < 0 ||
        x >= (int64_t)MO_TOKEN_MAX_IDS)
        return mo_fail(MOPD_E_FORMAT, "%s: post_processor: \"%s\" has not one id", m->path, token);
    *id = (uint32_t)x;
    return MOPD_OK;
}

/* One item of a template: a special token, or the text itself. */
static mopd_status add_template_item(
    making *m, mo_tokenizer_parts *ids, const mo_json *template, const mo_json *item, bool *after)
{
    const char *token;
    if (mo_json_kind(mo_json_get(item, "Sequence")) == MO_JSON_OBJECT) {
        *after = true;
        return MOPD_OK;
    }
    if (!mo_json_as_string(mo_json_get(mo_json_get(item, "SpecialToken"), "id"), &token))
        return mo_fail(MOPD_E_FORMAT, "%s: post_processor.single: neither a token nor a sequence", m->path);
    uint32_t *id = *after ? &ids->end : &ids->start;
    if (*id == MO_TOKEN_NONE) return template_id(m, template, token, id);
    return mo_fail(MOPD_E_UNSUPPORTED, "%s: post_processor: two tokens %s a text", m->path,
        *after ? "behind" : "before");
}

static mopd_status read_template(making *m, mo_tokenizer_parts *ids, const mo_json *template)
{
    const mo_json *single = mo_json_get(template, "single");
    bool after = false;
    mopd_status st = MOPD_OK;
    if (strcmp(type_of(template), "TemplateProcessing") != 0)
        return unknown_part(m, "the post_processor", type_of(template));
    for (size_t i = 0; i < mo_json_count(single) && st == MOPD_OK; i++)
        st = add_template_item(m, ids, template, mo_json_item(single, i), &after);
    return st;
}

/* The tokens around a text: the class's own, the file's template, or the named ones. */
static mopd_status read_ends(making *m, mo_tokenizer_parts *ids)
{
    const mo_tokenizer_specials *sp = &m->s->specials;
    const mo_json *template = mo_json_get(m->s->json, "post_processor");
    bool start = m->class->way == WAY_WORDS && m->class->names[0];
    mopd_status st = MOPD_OK;
    ids->start = ids->end = MO_TOKEN_NONE;
    if (m->class->way != WAY_WORDS && mo_json_kind(template) == MO_JSON_OBJECT)
        return read_template(m, ids, template);
    if (m->class->way == WAY_GEMMA) st = mo_json_may_bool(sp->config, "add_bos_token", m->path, &start);
    if (start) ids->start = mo_tokenizer_source_id(m->s, sp->start);
    ids->end = mo_tokenizer_source_id(m->s, sp->end);
    return st;
}

/* ---- the model ---- */

static mopd_status read_unigram(making *m, const mo_json *model, mo_tokenizer_parts *ids)
{
    int64_t unknown = -1;
    bool bytes = false;
    mopd_status st = mo_json_may_int(model, "unk_id", m->path, &unknown);
    if (st == MOPD_OK) st = mo_json_may_bool(model, "byte_fallback", m->path, &bytes);
    if (st == MOPD_OK && (unknown < -1 || unknown >= (int64_t)m->s->model.n))
        return mo_fail(
            MOPD_E_FORMAT, "%s: unk_id is %lld of %zu", m->path, (long long)unknown, m->s->model.n);
    ids->unknown = unknown < 0 ? MO_TOKEN_NONE : (uint32_t)unknown;
    m->parts.flags |= bytes ? MO_PIECES_BYTES : 0;
    return st;
}

/* Gemma's class has unk, fuse_unk and ignore_merges of its own. */
static mopd_status read_pairs(making *m, const mo_json *model, mo_tokenizer_parts *ids)
{
    const char *unknown = NULL, *prefix = "", *suffix = "";
    bool fuse = false, whole = false;
    mopd_status st = mo_json_may_string(model, "unk_token", m->path, &unknown);
    if (st == MOPD_OK) st = mo_json_may_string(model, "continuing_subword_prefix", m->path, &prefix);
    if (st == MOPD_OK) st = mo_json_may_string(model, "end_of_word_suffix", m->path, &suffix);
    if (st == MOPD_OK) st = mo_json_may_bool(model, "fuse_unk", m->path, &fuse);
    if (st == MOPD_OK) st = mo_json_may_bool(model, "ignore_merges", m->path, &whole);
    if (st != MOPD_OK) return st;
    if (*prefix || *suffix) return unknown_part(m, "model: words written with", *prefix ? prefix : suffix);
    if (m->class->way == WAY_GEMMA) unknown = m->s->specials.unknown, fuse = true, whole = false;
    ids->unknown = mo_tokenizer_source_id(m->s, unknown);
    m->parts.flags |= MO_PIECES_BYTES | (fuse ? MO_PIECES_FUSE : 0) | (whole ? MO_PIECES_WHOLE : 0);
    return MOPD_OK;
}

static mopd_status read_model(making *m, mo_tokenizer_parts *ids)
{
    const mo_json *model = mo_json_get(m->s->json, "model");
    if (m->parts.kind == MO_PIECES_PAIRS) return read_pairs(m, model, ids);
    m->parts.n_scores = mo_tokenizer_count_ids(ids);
    mopd_status st = read_unigram(m, model, ids);
    if (st == MOPD_OK) st = mo_tokenizer_source_scores(m->s, m->parts.n_scores);
    m->parts.score = m->s->score;
    return st;
}

/* ---- all of it ---- */

/* The patterns of normalised added tokens: normalised by a tokenizer that has none of them. */
static mopd_status normalize(void *context, const char *text, size_t n, mo_buf *out)
{
    const making *m = context;
    mo_tokenizer t = {.pieces = {.step = m->parts.step, .n_steps = m->parts.n_steps, .map = m->rules}};
    mo_buf room = {0};
    mopd_status st = mo_pieces_normalize(&t, text, n, out, &room);
    mo_buf_free(&room);
    return st;
}

mopd_status mo_pieces_finish_json(
    mo_tokenizer **out, mo_tokenizer_source *s, mo_pieces_kind kind, const char *folder, const char *path)
{
    char name[64] = "";
    making m = {.s = s, .parts = {.kind = kind}, .path = path};
    mopd_status st = mo_pieces_class(name, folder);
    m.class = find_class(name);
    if (st == MOPD_OK) st = mo_tokenizer_specials_open(&s->specials, folder, s->json, path, m.class->names);
    if (st == MOPD_OK) st = read_normalizer(&m);
    if (st == MOPD_OK) st = mo_charsmap_open(&m.rules, m.map.data, m.map.size, path);
    if (st == MOPD_OK) st = read_words(&m);
    if (st == MOPD_OK) st = mo_tokenizer_source_patterns(s, normalize, &m);
    mo_tokenizer_parts ids = {.model = &s->model,
        .extra = &s->extra,
        .merge = s->merge,
        .n_merges = s->n_merges,
        .added = s->pattern,
        .n_added = s->n_patterns};
    if (st == MOPD_OK) st = read_ends(&m, &ids);
    if (st == MOPD_OK && ids.end == MO_TOKEN_NONE) st = mo_fail(MOPD_E_FORMAT, "%s: no end token", path);
    if (st == MOPD_OK) st = read_model(&m, &ids);
    if (st == MOPD_OK) {
        ids.pad = mo_tokenizer_source_id(s, s->specials.pad);
        m.parts.tokens = &ids;
        m.parts.map = m.map.data;
        m.parts.n_map = m.map.size;
        st = mo_pieces_build(out, &m.parts, path);
    }
    mo_buf_free(&m.map);
    return st;
}
