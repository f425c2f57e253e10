/* SPDX-License-Identifier: MIT
 * test_pickle.c - the restricted pickle machine: what it builds, what it refuses. */
#include "test.h"

#include "format/pickle.h"

static bool allow_one(const mo_pnode *module, const mo_pnode *name)
{
    return mo_pickle_is_text(module, "collections") && mo_pickle_is_text(name, "OrderedDict");
}

static mopd_status load(mo_pickle *p, const char *bytes, size_t n)
{
    return mo_pickle_open(p, bytes, n, allow_one, 1000, "x.pt");
}

/* A literal's bytes, without its final zero. */
#define LOAD(p, literal) load(p, literal, sizeof literal - 1)
#define OD "ccollections\nOrderedDict\n"

static const mo_pnode *root(const mo_pickle *p)
{
    return &p->nodes[p->root];
}

static void pickle_builds_numbers(void **state)
{
    (void)state;
    /* pickle.dumps((None, True, False, 7, 300, -2, 1 << 40, -1 << 70, 0.5), 2) */
    mo_pickle p;
    assert_ok(LOAD(&p, "\x80\2(N\x88\x89K\7M\x2c\1J\xfe\xff\xff\xff\x8a\6\0\0\0\0\0\1"
                       "\x8a\x09\0\0\0\0\0\0\0\0\xc0G\x3f\xe0\0\0\0\0\0\0tq\0.rest"));
    assert_int_equal(p.n_bytes, 48);
    assert_int_equal(root(&p)->kind, MO_P_TUPLE);
    assert_int_equal(root(&p)->n_items, 9);
    assert_int_equal(mo_pickle_item(&p, root(&p), 0)->kind, MO_P_NONE);
    assert_int_equal(mo_pickle_item(&p, root(&p), 1)->u.i, 1);
    assert_int_equal(mo_pickle_item(&p, root(&p), 2)->kind, MO_P_BOOL);
    assert_int_equal(mo_pickle_item(&p, root(&p), 3)->u.i, 7);
    assert_int_equal(mo_pickle_item(&p, root(&p), 4)->u.i, 300);
    assert_int_equal(mo_pickle_item(&p, root(&p), 5)->u.i, -2);
    assert_true(mo_pickle_item(&p, root(&p), 6)->u.i == INT64_C(1) << 40);
    assert_int_equal(mo_pickle_item(&p, root(&p), 7)->kind, MO_P_BIG);
    assert_int_equal(mo_pickle_item(&p, root(&p), 7)->u.n, 9);
    assert_true(mo_pickle_item(&p, root(&p), 8)->u.f == 0.5);
    assert_null(mo_pickle_item(&p, root(&p), 9));
    mo_pickle_close(&p);
}

static void pickle_sign_extends_short_longs(void **state)
{
    (void)state;
    mo_pickle p;
    assert_ok(LOAD(&p, "\x80\2\x8a\1\xff."));
    assert_int_equal(root(&p)->u.i, -1);
    mo_pickle_close(&p);
    assert_ok(LOAD(&p, "\x80\2\x8a\0."));
    assert_int_equal(root(&p)->u.i, 0);
    mo_pickle_close(&p);
}

static void pickle_builds_containers(void **state)
{
    (void)state;
    /* {"a": [1, "a"], "b": ()} by protocol 2, with memo */
    mo_pickle p;
    assert_ok(LOAD(&p, "\x80\2}q\0(X\1\0\0\0aq\1]q\2(K\1h\1eX\1\0\0\0bq\3)u."));
    assert_int_equal(root(&p)->kind, MO_P_DICT);
    assert_int_equal(root(&p)->n_items, 4);
    const mo_pnode *list = mo_pickle_item(&p, root(&p), 1);
    assert_int_equal(list->kind, MO_P_LIST);
    assert_true(mo_pickle_is_text(mo_pickle_item(&p, list, 1), "a"));
    assert_true(mo_pickle_is_text(mo_pickle_item(&p, root(&p), 2), "b"));
    assert_false(mo_pickle_is_text(mo_pickle_item(&p, root(&p), 2), "bb"));
    assert_int_equal(mo_pickle_item(&p, root(&p), 3)->n_items, 0);
    mo_pickle_close(&p);
}

static void pickle_reads_protocol_4(void **state)
{
    (void)state;
    mo_pickle p;
    assert_ok(LOAD(&p, "\x80\4\x95\x2e\0\0\0\0\0\0\0\x8c\x0b"
                       "collections\x94\x8c\x0bOrderedDict\x94\x93\x94)R\x94"
                       "(\x8c\1k\x94K\5u."));
    assert_true(mo_pickle_is(&p, root(&p), "collections", "OrderedDict"));
    assert_int_equal(root(&p)->kind, MO_P_CALL);
    assert_int_equal(mo_pickle_item(&p, root(&p), 1)->u.i, 5);
    mo_pickle_close(&p);
}

static void pickle_calls_nothing(void **state)
{
    (void)state;
    mo_pickle p;
    assert_fails(LOAD(&p, "\x80\2cos\nsystem\nX\4\0\0\0true\x85R."), MOPD_E_FORMAT,
        "x.pt: byte 1002: the pickle wants \"os.system\", which is not allowed");
    assert_fails(LOAD(&p, "\x80\4\x8c\2os\x8c\6system\x93."), MOPD_E_FORMAT, "wants \"os.system\"");
    assert_fails(LOAD(&p, "\x80\2cbuiltins\neval\n."), MOPD_E_FORMAT, "wants \"builtins.eval\"");
    assert_fails(LOAD(&p, "\x80\2ccollections\nOrderedDictX\n."), MOPD_E_FORMAT, "not allowed");
    assert_fails(LOAD(&p, "\x80\2ccollection\nsOrderedDict\n."), MOPD_E_FORMAT, "not allowed");
    /* INST, OBJ, EXT1, NEWOBJ_EX, PERSID, STRING, INT, DUP */
    static const char refused[] = "io\x82\x92PSI2";
    for (size_t i = 0; i < sizeof refused - 1; i++) {
        char bytes[] = "\x80\2?abc\ndef\n.", words[64];
        bytes[2] = refused[i];
        snprintf(
            words, sizeof words, "byte 1002: pickle opcode 0x%02x: not allowed", (unsigned char)refused[i]);
        assert_fails(load(&p, bytes, sizeof bytes - 1), MOPD_E_FORMAT, words);
    }
}

static void pickle_holds_calls_objects_states(void **state)
{
    (void)state;
    mo_pickle p;
    assert_ok(LOAD(&p, "\x80\2" OD "q\0)\x81}X\1\0\0\0kK\1sb."));
    assert_int_equal(root(&p)->kind, MO_P_OBJECT);
    const mo_pnode *kept = &p.nodes[root(&p)->state];
    assert_int_equal(kept->kind, MO_P_DICT);
    assert_int_equal(mo_pickle_item(&p, kept, 1)->u.i, 1);
    mo_pickle_close(&p);
    assert_ok(LOAD(&p, "\x80\2X\1\0\0\0kQ."));
    assert_int_equal(root(&p)->kind, MO_P_STORAGE);
    mo_pickle_close(&p);
}

static void pickle_refuses_broken_programs(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *words;
    } cases[] = {
#define CASE(literal, words) {literal, sizeof literal - 1, words}
        CASE("", "cut short"),
        CASE("\x80", "byte 1000: pickle opcode 0x80: the pickle is cut short"),
        CASE("\x80\2N", "cut short"),
        CASE("\x80\1.", "a protocol other than 2 to 5"),
        CASE("\x80\6.", "a protocol other than 2 to 5"),
        CASE("\x80\2.", "the stack is empty"),
        CASE("\x80\2NN.", "values are left over"),
        CASE("\x80\2N(.", "the stack is empty"),
        CASE("\x80\2X\xff\xff\xff\x7f"
             "a.",
            "cut short"),
        CASE("\x80\2\x8d\xff\xff\xff\xff\xff\xff\xff\xff"
             "a.",
            "cut short"),
        CASE("\x80\2J\1.", "cut short"),
        CASE("\x80\2t.", "no mark"),
        CASE("\x80\2u.", "no mark"),
        CASE("\x80\2N\x86.", "the stack is empty"),
        CASE("\x80\2N(\x85.", "the stack is empty"),
        CASE("\x80\2Na.", "the stack is empty"),
        CASE("\x80\2NNa.", "no list to append to"),
        CASE("\x80\2]NNs.", "no dict and pairs"),
        CASE("\x80\2}(Nu.", "no dict and pairs"),
        CASE("\x80\2)NNs.", "no dict and pairs"),
        CASE("\x80\2h\0.", "nothing in the memo there"),
        CASE("\x80\2Nq\2.", "the memo number runs ahead"),
        CASE("\x80\2Nr\xff\xff\xff\xff.", "the memo number runs ahead"),
        CASE("\x80\2Nq\1h\0.", "nothing in the memo there"),
        CASE("\x80\2q\0.", "the stack is empty"),
        CASE("\x80\2N)R.", "a call needs a global and a tuple"),
        CASE("\x80\2" OD "NR.", "a call needs a global and a tuple"),
        CASE("\x80\2}Nb.", "only objects have a state"),
        CASE("\x80\2NN\x93.", "a global needs two texts"),
        CASE("\x80\2ccollections", "cut short"),
        CASE("\x80\2ccollections\nOrd", "cut short"),
#undef CASE
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_pickle p;
        assert_fails(load(&p, cases[i].bytes, cases[i].n), MOPD_E_FORMAT, cases[i].words);
        assert_null(p.nodes);
    }
}

static void pickle_limits_its_values(void **state)
{
    (void)state;
    enum { N = (1 << 22) + 10 };
    char *bytes = malloc(N);
    mo_pickle p;
    memset(bytes, 'N', N);
    assert_fails(load(&p, bytes, N), MOPD_E_UNSUPPORTED, "a pickle of more than 1258291 values");
    memset(bytes, '(', N);
    assert_fails(load(&p, bytes, N), MOPD_E_UNSUPPORTED, "a pickle of more than 1258291 values");
    free(bytes);
}

static mopd_status torture(void *ctx)
{
    (void)ctx;
    mo_pickle p;
    char bytes[4096] = "\x80\2]";
    size_t n = 3;
    for (int i = 0; i < 600; i++) {
        bytes[n++] = 'N';
        bytes[n++] = (char)0x94;
        bytes[n++] = 'a';
    }
    for (int i = 0; i < 500; i++) bytes[n++] = '(';
    for (int i = 0; i < 500; i++) bytes[n++] = 't';
    bytes[n++] = 'a';
    bytes[n++] = '.';
    mopd_status st = load(&p, bytes, n);
    mo_pickle_close(&p);
    return st;
}

static void pickle_survives_failing_memory(void **state)
{
    (void)state;
    test_torture(torture, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pickle_builds_numbers),
        cmocka_unit_test(pickle_sign_extends_short_longs),
        cmocka_unit_test(pickle_builds_containers),
        cmocka_unit_test(pickle_reads_protocol_4),
        cmocka_unit_test(pickle_calls_nothing),
        cmocka_unit_test(pickle_holds_calls_objects_states),
        cmocka_unit_test(pickle_refuses_broken_programs),
        cmocka_unit_test(pickle_limits_its_values),
        cmocka_unit_test(pickle_survives_failing_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
