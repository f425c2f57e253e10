/* SPDX-License-Identifier: MIT
 * test_protobuf.c - fields of every kind, messages in messages, and bytes that are none. */
#include "test.h"

#include "format/protobuf.h"

static mo_protobuf open_text(const char *bytes, size_t n)
{
    return mo_protobuf_open(bytes, n, "m");
}

static void fields_come_in_order(void **state)
{
    (void)state;
    /* 1: 300; 2: "ab"; 3: 1.5f; 4: eight bytes; 1000: -1 */
    static const char bytes[] = "\x08\xac\x02\x12\x02"
                                "ab\x1d\x00\x00\xc0\x3f\x21\x01\x00\x00\x00\x00\x00\x00\x80\xc0\x3e\xff\xff"
                                "\xff\xff\xff\xff\xff\xff\xff\x01";
    mo_protobuf p = open_text(bytes, sizeof bytes - 1), inner;
    mo_protobuf_field f;
    bool more;
    int64_t number;
    float real;
    assert_ok(mo_protobuf_next(&p, &f, &more));
    assert_true(more && f.number == 1 && f.kind == MO_PROTOBUF_NUMBER && f.value == 300);
    assert_fails(mo_protobuf_float(&real, &p, &f), MOPD_E_FORMAT, "m: field 1 is of kind 0, not a float");
    assert_fails(mo_protobuf_message(&inner, &p, &f), MOPD_E_FORMAT, "not a message");
    assert_ok(mo_protobuf_next(&p, &f, &more));
    assert_true(more && f.number == 2 && f.kind == MO_PROTOBUF_BYTES && f.n_bytes == 2 && f.bytes[0] == 'a');
    assert_fails(mo_protobuf_number(&number, &p, &f), MOPD_E_FORMAT, "not a number");
    assert_ok(mo_protobuf_message(&inner, &p, &f));
    assert_int_equal(inner.end - inner.at, 2);
    assert_ok(mo_protobuf_next(&p, &f, &more));
    assert_ok(mo_protobuf_float(&real, &p, &f));
    assert_true(f.number == 3 && real == 1.5f);
    assert_ok(mo_protobuf_next(&p, &f, &more));
    assert_true(f.number == 4 && f.kind == MO_PROTOBUF_EIGHT && f.value == UINT64_C(0x8000000000000001));
    assert_ok(mo_protobuf_next(&p, &f, &more));
    assert_ok(mo_protobuf_number(&number, &p, &f));
    assert_true(f.number == 1000 && number == -1);
    assert_ok(mo_protobuf_next(&p, &f, &more));
    assert_false(more);
}

static void nothing_is_a_message_without_fields(void **state)
{
    (void)state;
    mo_protobuf p = mo_protobuf_open(NULL, 0, "m");
    mo_protobuf_field f;
    bool more = true;
    assert_ok(mo_protobuf_next(&p, &f, &more));
    assert_false(more);
}

static void broken_bytes_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *words;
    } bad[] = {{"\x80", 1, "m: byte 1 of a message: a key does not end"},
        {"\x00\x01", 2, "no field has such a number"},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10, "a key does not end"},
        {"\xf8\xff\xff\xff\xff\x01\x00", 7, "no field has such a number"},
        {"\x08", 1, "a number does not end"},
        {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12, "a number does not end"},
        {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11, "a number does not end"},
        {"\x09\x00\x00\x00\x00\x00\x00\x00", 8, "eight bytes do not follow"},
        {"\x0d\x00\x00\x00", 4, "four bytes do not follow"},
        {"\x0a\x02x", 3, "a length reaches beyond the message"},
        {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x", 12, "a length reaches beyond"},
        {"\x0b\x00", 2, "a kind of field that is not read"}, {"\x0f", 1, "a kind of field that is not read"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        mo_protobuf p = open_text(bad[i].bytes, bad[i].n);
        mo_protobuf_field f;
        bool more;
        assert_fails(mo_protobuf_next(&p, &f, &more), MOPD_E_FORMAT, bad[i].words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_come_in_order),
        cmocka_unit_test(nothing_is_a_message_without_fields),
        cmocka_unit_test(broken_bytes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
