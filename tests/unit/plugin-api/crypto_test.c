/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <cowgate/sdk/crypto.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void check_hex(const uint8_t digest[CG_SHA256], const char *expected)
{
	char hex[2 * CG_SHA256 + 1];

	cg_hex(digest, CG_SHA256, hex);
	CU_ASSERT_STRING_EQUAL(hex, expected);
}

static void crypto_hashes(void)
{
	const char *const parts[] = {"a", "b"};
	uint8_t digest[CG_SHA256];
	uint8_t joined[CG_SHA256];

	cg_sha256("", 0, digest);
	check_hex(digest, "e3b0c44298fc1c149afbf4c8996fb924"
			  "27ae41e4649b934ca495991b7852b855");
	cg_sha256("abc", 3, digest);
	check_hex(digest, "ba7816bf8f01cfea414140de5dae2223"
			  "b00361a396177a9cb410ff61f20015ad");
	cg_sha256("a\0b", 3, digest);
	cg_sha256_joined(parts, 2, joined);
	CU_ASSERT_TRUE(cg_equal(digest, joined, CG_SHA256));
	cg_sha256_joined(parts, 1, joined);
	cg_sha256("a", 1, digest);
	CU_ASSERT_TRUE(cg_equal(digest, joined, CG_SHA256));
}

/* RFC 4231, test cases 2 and 6, and an empty key. */
static void crypto_authenticates(void)
{
	const struct cg_hmac_part parts[] = {
		{"what do ya want ", 16}, {"for nothing?", 12}, {NULL, 0}};
	const char *large = "Test Using Larger Than Block-Size Key - Hash Key First";
	struct cg_hmac_part large_part = {large, strlen(large)};
	uint8_t key[131];
	uint8_t mac[CG_SHA256];
	struct cg_hmac *hmac = NULL;

	CU_ASSERT_EQUAL_FATAL(cg_hmac_create("Jefe", 4, &hmac), CG_OK);
	for (int i = 0; i < 3; i++) { /* a key serves many messages */
		cg_hmac_sign(hmac, parts, 3, mac);
		check_hex(mac, "5bdcc146bf60754e6a042426089575c7"
			       "5a003f089d2739839dec58b964ec3843");
	}
	cg_hmac_destroy(hmac);
	memset(key, 0xAA, sizeof(key));
	CU_ASSERT_EQUAL_FATAL(cg_hmac_create(key, sizeof(key), &hmac), CG_OK);
	cg_hmac_sign(hmac, &large_part, 1, mac);
	check_hex(mac, "60e431591ee0b67f0d8a26aacbf5b77f"
		       "8e0bc6213728c5140546040f0ee37f54");
	cg_hmac_destroy(hmac);
	CU_ASSERT_EQUAL_FATAL(cg_hmac_create(NULL, 0, &hmac), CG_OK);
	cg_hmac_sign(hmac, NULL, 0, mac);
	check_hex(mac, "b613679a0814d9ec772f95d778c35fc5"
		       "ff1697c493715653c6c712144292c5ad");
	cg_hmac_destroy(hmac);
	cg_hmac_destroy(NULL);
}

static void crypto_draws_randomness(void)
{
	char one[CG_RANDOM_ID_SIZE(16)];
	char two[CG_RANDOM_ID_SIZE(16)];
	char longest[CG_RANDOM_ID_SIZE(CG_RANDOM_ID_MAX)];

	cg_random_id(one, 16);
	cg_random_id(two, 16);
	CU_ASSERT_EQUAL(strlen(one), 22);
	CU_ASSERT_STRING_NOT_EQUAL(one, two);
	CU_ASSERT_EQUAL(strspn(one, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-_"),
		22);
	cg_random_id(longest, CG_RANDOM_ID_MAX + 100);
	CU_ASSERT_EQUAL(strlen(longest), 86);
}

static void crypto_reads_hex(void)
{
	uint8_t bytes[4];

	CU_ASSERT_TRUE(cg_unhex("00fFA9", 6, bytes));
	CU_ASSERT_EQUAL(memcmp(bytes, "\x00\xFF\xA9", 3), 0);
	CU_ASSERT_TRUE(cg_unhex("", 0, bytes));
	CU_ASSERT_FALSE(cg_unhex("0", 1, bytes));
	CU_ASSERT_FALSE(cg_unhex("0g", 2, bytes));
	CU_ASSERT_FALSE(cg_unhex(" 0", 2, bytes));
	CU_ASSERT_FALSE(cg_unhex("0x", 2, bytes));
}

static void crypto_writes_base64(void)
{
	static const char *const plain[] = {
		"", "f", "fo", "foo", "foob", "fooba", "foobar"};
	static const char *const coded[] = {
		"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
	uint8_t bytes[32];
	char text[32];
	size_t length;

	for (size_t i = 0; i < 7; i++) {
		size_t unpadded = strcspn(coded[i], "=");

		CU_ASSERT_EQUAL(cg_base64(plain[i], i, text), strlen(coded[i]));
		CU_ASSERT_STRING_EQUAL(text, coded[i]);
		CU_ASSERT_TRUE(cg_unbase64(text, strlen(text), bytes, &length));
		CU_ASSERT_EQUAL(length, i);
		CU_ASSERT_EQUAL(memcmp(bytes, plain[i], i), 0);
		CU_ASSERT_EQUAL(cg_base64url(plain[i], i, text), unpadded);
		CU_ASSERT_TRUE(cg_unbase64url(text, unpadded, bytes, &length));
		CU_ASSERT_EQUAL(length, i);
		CU_ASSERT_EQUAL(memcmp(bytes, plain[i], i), 0);
	}
	cg_base64("\xFB\xFF\xBF", 3, text);
	CU_ASSERT_STRING_EQUAL(text, "+/+/");
	cg_base64url("\xFB\xFF\xBF", 3, text);
	CU_ASSERT_STRING_EQUAL(text, "-_-_");
}

static void crypto_reads_canonical_base64_only(void)
{
	static const char *const bad[] = {"Zg=", "Zg", "Zg===", "=",
		"====", "Zh==", "Zm9=", "Z===", "Zg==Zg==", "Zm 9", "Zm9\n", "-_-_",
		"Zg=a"};
	static const char *const bad_url[] = {
		"Z", "Zg==", "Zh", "Zm9vY", "+/+/", "Zm9v."};
	uint8_t bytes[32];
	size_t length;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_FALSE(cg_unbase64(bad[i], strlen(bad[i]), bytes, &length));
	for (size_t i = 0; i < sizeof(bad_url) / sizeof(bad_url[0]); i++)
		CU_ASSERT_FALSE(
			cg_unbase64url(bad_url[i], strlen(bad_url[i]), bytes, &length));
}

static void crypto_seals(void)
{
	const uint8_t key[CG_AEAD_KEY] = {1, 2, 3};
	const uint8_t other[CG_AEAD_KEY] = {1, 2, 4};
	uint8_t sealed[11 + CG_AEAD_OVERHEAD];
	uint8_t again[11 + CG_AEAD_OVERHEAD];
	uint8_t plain[11];

	CU_ASSERT_EQUAL(cg_aead_seal(key, "hello world", 11, "row 1", 5, sealed), CG_OK);
	CU_ASSERT_EQUAL(cg_aead_seal(key, "hello world", 11, "row 1", 5, again), CG_OK);
	CU_ASSERT_NOT_EQUAL(memcmp(sealed, again, sizeof(sealed)), 0);
	CU_ASSERT_EQUAL(
		cg_aead_open(key, sealed, sizeof(sealed), "row 1", 5, plain), CG_OK);
	CU_ASSERT_EQUAL(memcmp(plain, "hello world", 11), 0);
	CU_ASSERT_EQUAL(
		cg_aead_open(key, sealed, sizeof(sealed), "row 2", 5, plain), CG_DENIED);
	CU_ASSERT_NOT_EQUAL(memcmp(plain, "hello world", 11), 0);
	CU_ASSERT_EQUAL(cg_aead_open(other, sealed, sizeof(sealed), "row 1", 5, plain),
		CG_DENIED);
	CU_ASSERT_EQUAL(cg_aead_open(key, sealed, 27, "row 1", 5, plain), CG_DENIED);
	for (size_t i = 0; i < sizeof(sealed); i++) {
		sealed[i] ^= 1;
		CU_ASSERT_EQUAL(
			cg_aead_open(key, sealed, sizeof(sealed), "row 1", 5, plain),
			CG_DENIED);
		sealed[i] ^= 1;
	}
	CU_ASSERT_EQUAL(cg_aead_seal(key, NULL, 0, NULL, 0, sealed), CG_OK);
	CU_ASSERT_EQUAL(
		cg_aead_open(key, sealed, CG_AEAD_OVERHEAD, NULL, 0, plain), CG_OK);
	CU_ASSERT_EQUAL(
		cg_aead_open(key, sealed, CG_AEAD_OVERHEAD, "x", 1, plain), CG_DENIED);
}

/* The NIST vector for a zero key and nonce opens: we speak plain AES-256-GCM. */
static void crypto_opens_what_others_sealed(void)
{
	const uint8_t key[CG_AEAD_KEY] = {0};
	uint8_t sealed[16 + CG_AEAD_OVERHEAD] = {0};
	uint8_t plain[16];

	CU_ASSERT_TRUE(cg_unhex("cea7403d4d606b6e074ec5d3baf39d18"
				"d0d1c8a799996bf0265b98b5d48ab919",
		64, sealed + 12));
	CU_ASSERT_EQUAL(cg_aead_open(key, sealed, sizeof(sealed), NULL, 0, plain), CG_OK);
	for (size_t i = 0; i < sizeof(plain); i++)
		CU_ASSERT_EQUAL(plain[i], 0);
}

static void crypto_hashes_what_can_be_read(void)
{
	uint8_t digest[CG_SHA256];
	FILE *file = tmpfile();

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT_EQUAL(fputs("abc", file) >= 0 && fflush(file) == 0, 1);
	CU_ASSERT_EQUAL(lseek(fileno(file), 0, SEEK_SET), 0);
	CU_ASSERT_EQUAL(cg_sha256_fd(fileno(file), digest), CG_OK);
	check_hex(digest,
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	CU_ASSERT_EQUAL(cg_sha256_fd(fileno(file), digest), CG_OK); /* at the end */
	check_hex(digest,
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	fclose(file);
	CU_ASSERT_EQUAL(cg_sha256_fd(-1, digest), CG_IO);
}

UNIT_SUITE(crypto, UNIT_TEST(crypto_hashes_what_can_be_read), UNIT_TEST(crypto_hashes),
	UNIT_TEST(crypto_authenticates), UNIT_TEST(crypto_draws_randomness),
	UNIT_TEST(crypto_reads_hex), UNIT_TEST(crypto_writes_base64),
	UNIT_TEST(crypto_reads_canonical_base64_only), UNIT_TEST(crypto_seals),
	UNIT_TEST(crypto_opens_what_others_sealed));
