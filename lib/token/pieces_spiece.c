/* SPDX-License-Identifier: MIT
 * pieces_spiece.c - SentencePiece's own model file, as transformers' SiglipTokenizer uses it.
 *
 *     ModelProto      1 pieces {1 text, 2 score, 3 type}, 2 TrainerSpec, 3 NormalizerSpec
 *     TrainerSpec     3 kind of model, 24 blanks as suffixes, 35 byte fallback
 *     NormalizerSpec  2 compiled map, 3 add_dummy_prefix, 4 remove_extra_whitespaces, 5 escape_whitespaces */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/ints.h"
#include "base/limits.h"
#include "base/mem.h"
#include "format/protobuf.h"
#include "token/pieces_files.h"

#define MOST_BYTES ((size_t)128 << 20)

enum { TYPE_NORMAL = 1, TYPE_UNKNOWN, TYPE_CONTROL, TYPE_USER, TYPE_UNUSED, TYPE_BYTE };
enum { MODEL_UNIGRAM = 1, MODEL_BPE };

typedef struct spiece {
    mo_tokenizer_source *s;
    mo_pieces_parts parts;
    int64_t model, suffix, bytes, prefix, squeeze, escape;
    uint32_t unknown;
    const char *path;
} spiece;

/* One of the pieces; the texts stay where they are. */
static mopd_status read_piece(spiece *p, mo_protobuf message)
{
    mo_protobuf_field f;
    bool more = true;
    float score = 0;
    int64_t type = TYPE_NORMAL;
    const char *text = "";
    size_t n_text = 0;
    mopd_status st = MOPD_OK;
    while ((st = mo_protobuf_next(&message, &f, &more)) == MOPD_OK && more) {
        mo_protobuf bytes = {0};
        if (f.number == 1 && (st = mo_protobuf_message(&bytes, &message, &f)) == MOPD_OK)
            text = (const char *)bytes.at, n_text = f.n_bytes;
        if (f.number == 2) st = mo_protobuf_float(&score, &message, &f);
        if (f.number == 3) st = mo_protobuf_number(&type, &message, &f);
        if (st != MOPD_OK) return st;
    }
    if (st != MOPD_OK) return st;
    const size_t id = p->s->model.n;
    if (type == TYPE_USER)
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: piece %zu \"%.*s\" is defined by a user", p->path, id,
            (int)(n_text < 60 ? n_text : 60), text);
    if (!isfinite(score))
        return mo_fail(MOPD_E_FORMAT, "%s: the score of piece %zu is %g", p->path, id, (double)score);
    if (type == TYPE_UNKNOWN) p->unknown = (uint32_t)id;
    p->s->score[id] = type == TYPE_NORMAL ? (double)score : -INFINITY;
    st = mo_tokenizer_vocab_set(&p->s->model, text, n_text, (uint32_t)id);
    if (st == MOPD_OK && p->s->model.n == id)
        return mo_fail(MOPD_E_FORMAT, "%s: piece %zu \"%.*s\" was there before", p->path, id,
            (int)(n_text < 60 ? n_text : 60), text);
    return st;
}

static mopd_status read_trainer(spiece *p, mo_protobuf message)
{
    mo_protobuf_field f;
    bool more = true;
    mopd_status st = MOPD_OK;
    while (st == MOPD_OK && (st = mo_protobuf_next(&message, &f, &more)) == MOPD_OK && more) {
        int64_t *to = f.number == 3    ? &p->model
                      : f.number == 24 ? &p->suffix
                      : f.number == 35 ? &p->bytes
                                       : NULL;
        if (to) st = mo_protobuf_number(to, &message, &f);
    }
    return st;
}

static mopd_status read_normalizer(spiece *p, mo_protobuf message)
{
    mo_protobuf_field f;
    bool more = true;
    mopd_status st = MOPD_OK;
    while (st == MOPD_OK && (st = mo_protobuf_next(&message, &f, &more)) == MOPD_OK && more) {
        mo_protobuf map = {0};
        int64_t *to = f.number == 3   ? &p->prefix
                      : f.number == 4 ? &p->squeeze
                      : f.number == 5 ? &p->escape
                                      : NULL;
        if (to) st = mo_protobuf_number(to, &message, &f);
        if (f.number != 2) continue;
        st = mo_protobuf_message(&map, &message, &f);
        p->parts.map = map.at;
        p->parts.n_map = f.n_bytes;
    }
    return st;
}

/* Calls fn for each message of a number. */
typedef mopd_status (*message_fn)(spiece *p, mo_protobuf message);
static mopd_status each_message(spiece *p, uint32_t number, message_fn fn, size_t *n)
{
    mo_protobuf file = mo_protobuf_open(p->s->file.data, p->s->file.size, p->path), message;
    mo_protobuf_field f;
    bool more = true;
    mopd_status st = MOPD_OK;
    while (st == MOPD_OK && (st = mo_protobuf_next(&file, &f, &more)) == MOPD_OK && more) {
        if (f.number != number) continue;
        ++*n;
        st = mo_protobuf_message(&message, &file, &f);
        if (st == MOPD_OK && fn) st = fn(p, message);
    }
    return st;
}

static mopd_status read_pieces(spiece *p)
{
    size_t n = 0;
    mopd_status st = each_message(p, 1, NULL, &n);
    if (st != MOPD_OK) return st;
    if (!n || n > MO_TOKEN_MAX_IDS)
        return mo_fail(MOPD_E_FORMAT, "%s: %zu pieces; 1 to %zu are possible", p->path, n, MO_TOKEN_MAX_IDS);
    p->s->score = mo_mem_alloc(n, sizeof *p->s->score);
    st = p->s->score ? mo_tokenizer_vocab_open(&p->s->model, n) : MOPD_E_NOMEM;
    return st == MOPD_OK ? each_message(p, 1, read_piece, &n) : st;
}

static mopd_status check(const spiece *p)
{
    const char *path = p->path;
    if (p->model != MODEL_UNIGRAM)
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: a model of kind %lld%s; unigram (1) is known", path,
            (long long)p->model, p->model == MODEL_BPE ? " (BPE: tokenizer.json is wanted beside it)" : "");
    if (p->suffix || !p->escape)
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: %s", path,
            p->suffix ? "treat_whitespace_as_suffix is set" : "escape_whitespaces is not set");
    if (p->unknown == MO_TOKEN_NONE) return mo_fail(MOPD_E_FORMAT, "%s: no piece is the unknown one", path);
    return MOPD_OK;
}

/* SentencePiece's flags, changed as SiglipTokenizer's configuration says. */
static mopd_status read_flags(spiece *p)
{
    const mo_json *config = p->s->specials.config;
    bool lower = true, legacy = true;
    mopd_status st = mo_json_may_bool(config, "do_lower_case", p->path, &lower);
    if (st == MOPD_OK) st = mo_json_may_bool(config, "legacy", p->path, &legacy);
    p->parts.flags = MO_PIECES_SIGLIP | MO_PIECES_FLOATS | (lower ? MO_PIECES_LOWER : 0) |
                     (p->squeeze ? MO_PIECES_SQUEEZE : 0) | (p->prefix && legacy ? MO_PIECES_PREFIX : 0) |
                     (p->bytes ? MO_PIECES_BYTES : 0);
    return st;
}

/* Added tokens are looked for as they are written. */
static mopd_status as_is(void *context, const char *text, size_t n, mo_buf *out)
{
    (void)context;
    out->size = 0;
    return mo_buf_add(out, text, n);
}

static mopd_status build(mo_tokenizer **out, spiece *p, const char *folder)
{
    static const char *const names[7] = {NULL, "</s>", "<unk>", NULL, "</s>", NULL, NULL};
    mo_tokenizer_source *s = p->s;
    mopd_status st = mo_tokenizer_specials_open(&s->specials, folder, NULL, p->path, names);
    if (st == MOPD_OK) st = mo_tokenizer_source_patterns(s, as_is, NULL);
    if (st == MOPD_OK) st = read_flags(p);
    if (st != MOPD_OK) return st;
    for (size_t i = 0; i < s->n_patterns; i++) s->pattern[i].flags &= ~MO_ADDED_NORMALIZED;
    const mo_tokenizer_specials *sp = &s->specials;
    mo_tokenizer_parts ids = {&s->model, &s->extra, NULL, 0, s->pattern, s->n_patterns, MO_TOKEN_NONE,
        mo_tokenizer_source_id(s, sp->end), mo_tokenizer_source_id(s, sp->pad), p->unknown};
    if (mo_tokenizer_source_id(s, sp->unknown) != p->unknown)
        return mo_fail(MOPD_E_UNSUPPORTED, "%s: the unknown token \"%s\" is not the unknown piece", p->path,
            sp->unknown ? sp->unknown : "");
    if ((st = mo_tokenizer_source_scores(s, mo_tokenizer_count_ids(&ids))) != MOPD_OK) return st;
    p->parts.tokens = &ids;
    p->parts.score = s->score;
    p->parts.n_scores = mo_tokenizer_count_ids(&ids);
    return mo_pieces_build(out, &p->parts, p->path);
}

mopd_status mo_pieces_open_spiece(mo_tokenizer **out, const char *folder, const char *path)
{
    mo_tokenizer_source s = {0};
    spiece p = {.s = &s,
        .parts = {.kind = MO_PIECES_UNIGRAM},
        .model = MODEL_UNIGRAM,
        .prefix = 1,
        .squeeze = 1,
        .escape = 1,
        .unknown = MO_TOKEN_NONE,
        .path = path};
    size_t n = 0;
    mopd_status st = mo_file_read(&s.file, path, mo_min(MOST_BYTES, mo_limits_size(MO_LIMIT_TEXT_FILE)));
    if (st == MOPD_OK) st = each_message(&p, 2, read_trainer, &n);
    if (st == MOPD_OK) st = each_message(&p, 3, read_normalizer, &n);
    if (st == MOPD_OK) st = read_pieces(&p);
    if (st == MOPD_OK) st = check(&p);
    if (st == MOPD_OK) st = build(out, &p, folder);
    mo_tokenizer_source_close(&s);
    return st;
}
