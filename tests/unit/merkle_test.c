/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The tree of RFC 9162 over the eight records that Certificate Transparency's implementations share. The figures were computed
 * with Python's hashlib, from the definitions of 2.1.1, 2.1.3.1 and 2.1.4.1 as they stand there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "storage/merkle.h"

enum { RECORDS = 8 };

static const struct {
    const char *bytes;
    size_t size;
} record[RECORDS] = {
    {"",                                                                 0 },
    {"\x00",                                                             1 },
    {"\x10",                                                             1 },
    {"\x20\x21",                                                         2 },
    {"\x30\x31",                                                         2 },
    {"\x40\x41\x42\x43",                                                 4 },
    {"\x50\x51\x52\x53\x54\x55\x56\x57",                                 8 },
    {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16},
};

static const char *const root[RECORDS + 1] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

#define LEAF_0 "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
#define LEAF_1 "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
#define LEAF_4 "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
#define OF_0_2 "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
#define OF_2_4 "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
#define OF_4_6 "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
#define OF_6_8 "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
#define OF_0_4 "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
#define OF_4_8 "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"

static const struct {
    uint64_t of, size;
    const char *part[4]; /* NULL behind the last */
} inclusion[] =
    {
        {0, 1, {NULL}                  },
        {0, 8, {LEAF_1, OF_2_4, OF_4_8}},
        {5, 8, {LEAF_4, OF_6_8, OF_0_4}},
        {2, 3, {OF_0_2}                },
        {1, 5, {LEAF_0, OF_2_4, LEAF_4}},
},
  consistency[] = {
      {1, 1, {NULL}},
      {1, 8, {LEAF_1, OF_2_4, OF_4_8}},
      {6, 8, {OF_4_6, OF_6_8, OF_0_4}},
      {2, 5, {OF_2_4, LEAF_4}},
};

static void assert_digest(const uint8_t digest[SHA256_BYTES], const char *hex)
{
    char got[SHA256_HEX_CHARS + 1];
    sha256_hex(digest, got);
    assert_string_equal(got, hex);
}

static void roots_are_those_of_the_rfc(void **state)
{
    (void)state;
    struct merkle tree;
    uint8_t digest[SHA256_BYTES];
    merkle_init(&tree);
    for (size_t i = 0; i <= RECORDS; i++) {
        merkle_root(&tree, digest);
        assert_digest(digest, root[i]);
        assert_int_equal(tree.size, i);
        if (i == RECORDS)
            break;
        merkle_leaf(&tree, record[i].bytes, record[i].size, digest);
        merkle_append(&tree, digest);
    }
    merkle_destroy(&tree);
}

static void assert_proof(struct merkle_proof *proof, uint64_t size, const char *const *part)
{
    size_t count = 0;
    for (uint64_t i = 0; i < size; i++) {
        uint8_t leaf[SHA256_BYTES];
        merkle_leaf(&proof->tree, record[i].bytes, record[i].size, leaf);
        merkle_proof_tell(proof, leaf);
    }
    for (; part[count]; count++) {
        assert_true(count < proof->count);
        assert_digest(proof->part[count].root, part[count]);
    }
    assert_int_equal(proof->count, count);
    merkle_proof_destroy(proof);
}

static void proofs_of_inclusion_are_those_of_the_rfc(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof inclusion / sizeof inclusion[0]; i++) {
        struct merkle_proof proof;
        merkle_proof_init(&proof, inclusion[i].of, inclusion[i].size);
        assert_proof(&proof, inclusion[i].size, inclusion[i].part);
    }
}

static void proofs_of_consistency_are_those_of_the_rfc(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof consistency / sizeof consistency[0]; i++) {
        struct merkle_proof proof;
        merkle_consistency_init(&proof, consistency[i].of, consistency[i].size);
        assert_proof(&proof, consistency[i].size, consistency[i].part);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_are_those_of_the_rfc),
        cmocka_unit_test(proofs_of_inclusion_are_those_of_the_rfc),
        cmocka_unit_test(proofs_of_consistency_are_those_of_the_rfc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
