/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL's primitives.  Algorithms are fetched once for the process, since a fetch by name
 * costs more than hashing a small message.
 */
#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/secret.h>
#include <errno.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FD_BLOCK ((size_t)64 * 1024)
#define AEAD_NONCE 12
#define AEAD_TAG 16

_Static_assert(CG_AEAD_OVERHEAD == AEAD_NONCE + AEAD_TAG, "overhead is nonce and tag");

static pthread_once_t algorithms_once = PTHREAD_ONCE_INIT;
static struct {
	EVP_MD *sha256;
	EVP_CIPHER *aes_gcm;
	EVP_MAC *hmac;
} algorithms; /* written once, kept until the process ends */

static void fetch_algorithms(void)
{
	algorithms.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	algorithms.aes_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	algorithms.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (algorithms.sha256 == NULL || algorithms.aes_gcm == NULL ||
		algorithms.hmac == NULL)
		abort(); /* an OpenSSL without them cannot carry any of our promises */
}

/* A digest that cannot be computed must never be taken for one. */
static void insist(int ok)
{
	if (ok != 1)
		abort();
}

void cg_sha256(const void *bytes, size_t length, uint8_t ret[CG_SHA256])
{
	pthread_once(&algorithms_once, fetch_algorithms);
	insist(EVP_Digest(bytes, length, ret, NULL, algorithms.sha256, NULL));
}

enum cg_status cg_sha256_fd(int fd, uint8_t ret[CG_SHA256])
{
	uint8_t *block = malloc(FD_BLOCK);
	EVP_MD_CTX *context;
	ssize_t got = 1;

	pthread_once(&algorithms_once, fetch_algorithms);
	context = EVP_MD_CTX_new();
	insist(block != NULL && context != NULL);
	insist(EVP_DigestInit_ex2(context, algorithms.sha256, NULL));
	while (got > 0 || (got < 0 && errno == EINTR)) {
		got = read(fd, block, FD_BLOCK);
		if (got > 0)
			insist(EVP_DigestUpdate(context, block, (size_t)got));
	}
	insist(EVP_DigestFinal_ex(context, ret, NULL));
	EVP_MD_CTX_free(context);
	free(block);
	return got < 0 ? CG_IO : CG_OK;
}

void cg_sha256_joined(const char *const *parts, size_t count, uint8_t ret[CG_SHA256])
{
	EVP_MD_CTX *context;

	pthread_once(&algorithms_once, fetch_algorithms);
	context = EVP_MD_CTX_new();
	insist(context != NULL);
	insist(EVP_DigestInit_ex2(context, algorithms.sha256, NULL));
	for (size_t i = 0; i < count; i++) {
		/* With its NUL, so that ("a","bc") and ("ab","c") differ. */
		size_t length = strlen(parts[i]) + (i + 1 < count);

		insist(EVP_DigestUpdate(context, parts[i], length));
	}
	insist(EVP_DigestFinal_ex(context, ret, NULL));
	EVP_MD_CTX_free(context);
}

struct cg_hmac {
	EVP_MAC_CTX *context; /* owned; holds the key schedule */
};

enum cg_status cg_hmac_create(const void *key, size_t length, struct cg_hmac **ret)
{
	static const char empty_key[1] = "";
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	struct cg_hmac *hmac = calloc(1, sizeof(*hmac));

	if (hmac == NULL)
		return CG_NOMEM;
	pthread_once(&algorithms_once, fetch_algorithms);
	hmac->context = EVP_MAC_CTX_new(algorithms.hmac);
	/* A NULL key means "the old one" to OpenSSL, so an empty key must not be NULL. */
	if (hmac->context == NULL ||
		EVP_MAC_init(hmac->context, length > 0 ? key : (const void *)empty_key,
			length, params) != 1) {
		cg_hmac_destroy(hmac);
		return CG_NOMEM;
	}
	*ret = hmac;
	return CG_OK;
}

void cg_hmac_destroy(struct cg_hmac *hmac)
{
	if (hmac == NULL)
		return;
	EVP_MAC_CTX_free(hmac->context);
	free(hmac);
}

void cg_hmac_sign(struct cg_hmac *hmac, const struct cg_hmac_part *parts, size_t count,
	uint8_t ret[CG_SHA256])
{
	size_t length = 0;

	insist(EVP_MAC_init(hmac->context, NULL, 0, NULL));
	for (size_t i = 0; i < count; i++) {
		if (parts[i].length > 0)
			insist(EVP_MAC_update(
				hmac->context, parts[i].bytes, parts[i].length));
	}
	insist(EVP_MAC_final(hmac->context, ret, &length, CG_SHA256));
}

bool cg_equal(const void *a, const void *b, size_t length)
{
	return CRYPTO_memcmp(a, b, length) == 0;
}

void cg_random(void *bytes, size_t length)
{
	insist(length <= INT_MAX && RAND_bytes(bytes, (int)length) == 1);
}

void cg_random_id(char *ret, size_t random_bytes)
{
	uint8_t bytes[CG_RANDOM_ID_MAX];

	if (random_bytes > sizeof(bytes))
		random_bytes = sizeof(bytes);
	cg_random(bytes, random_bytes);
	cg_base64url(bytes, random_bytes, ret);
	cg_wipe(bytes, sizeof(bytes)); /* an id may be a token */
}

void cg_hex(const void *bytes, size_t length, char *ret)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *in = bytes;

	for (size_t i = 0; i < length; i++) {
		*ret++ = digits[in[i] >> 4];
		*ret++ = digits[in[i] & 15];
	}
	*ret = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool cg_unhex(const char *text, size_t length, uint8_t *ret)
{
	if (length % 2 != 0)
		return false;
	for (size_t i = 0; i < length; i += 2) {
		int high = hex_value(text[i]);
		int low = hex_value(text[i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret[i / 2] = (uint8_t)(high << 4 | low);
	}
	return true;
}

#define BASE64_COMMON "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static const char base64_standard[] = BASE64_COMMON "+/";
static const char base64_url[] = BASE64_COMMON "-_";

static size_t encode64(
	const char *alphabet, bool pad, const void *bytes, size_t length, char *ret)
{
	const uint8_t *in = bytes;
	char *out = ret;

	for (size_t i = 0; i < length; i += 3) {
		size_t left = length - i;
		uint32_t group = (uint32_t)in[i] << 16;

		group |= left > 1 ? (uint32_t)in[i + 1] << 8 : 0;
		group |= left > 2 ? in[i + 2] : 0;
		*out++ = alphabet[group >> 18];
		*out++ = alphabet[group >> 12 & 63];
		if (left > 1)
			*out++ = alphabet[group >> 6 & 63];
		else if (pad)
			*out++ = '=';
		if (left > 2)
			*out++ = alphabet[group & 63];
		else if (pad)
			*out++ = '=';
	}
	*out = '\0';
	return (size_t)(out - ret);
}

static int base64_value(const char *alphabet, char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == alphabet[62] ? 62 : c == alphabet[63] ? 63 : -1;
}

/* @text without padding.  Bits that stand for no byte must be zero. */
static bool decode64(const char *alphabet, const char *text, size_t length, uint8_t *ret,
	size_t *ret_length)
{
	uint32_t group = 0;
	unsigned bits = 0;
	size_t count = 0;

	if (length % 4 == 1)
		return false;
	for (size_t i = 0; i < length; i++) {
		int value = base64_value(alphabet, text[i]);

		if (value < 0)
			return false;
		group = (group << 6 | (uint32_t)value) & 0xFFFF;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			ret[count++] = (uint8_t)(group >> bits);
		}
	}
	if ((group & ((1u << bits) - 1)) != 0)
		return false;
	*ret_length = count;
	return true;
}

size_t cg_base64(const void *bytes, size_t length, char *ret)
{
	return encode64(base64_standard, true, bytes, length, ret);
}

size_t cg_base64url(const void *bytes, size_t length, char *ret)
{
	return encode64(base64_url, false, bytes, length, ret);
}

bool cg_unbase64(const char *text, size_t length, uint8_t *ret, size_t *ret_length)
{
	size_t padding = 0;

	if (length % 4 != 0)
		return false;
	while (padding < 2 && padding < length && text[length - padding - 1] == '=')
		padding++;
	return decode64(base64_standard, text, length - padding, ret, ret_length);
}

bool cg_unbase64url(const char *text, size_t length, uint8_t *ret, size_t *ret_length)
{
	return decode64(base64_url, text, length, ret, ret_length);
}

enum cg_status cg_aead_seal(const uint8_t key[CG_AEAD_KEY], const void *bytes,
	size_t length, const void *context, size_t context_length, uint8_t *ret)
{
	uint8_t *nonce = ret;
	uint8_t *sealed = ret + AEAD_NONCE;
	enum cg_status status = CG_INTERNAL;
	EVP_CIPHER_CTX *cipher;
	int count = 0;

	if (length > INT_MAX || context_length > INT_MAX)
		return CG_LIMIT;
	pthread_once(&algorithms_once, fetch_algorithms);
	cipher = EVP_CIPHER_CTX_new();
	if (cipher == NULL)
		return CG_NOMEM;
	cg_random(nonce, AEAD_NONCE);
	if (EVP_EncryptInit_ex2(cipher, algorithms.aes_gcm, key, nonce, NULL) != 1)
		goto out;
	if (context_length > 0 && EVP_EncryptUpdate(cipher, NULL, &count, context,
					  (int)context_length) != 1)
		goto out;
	if (length > 0 &&
		EVP_EncryptUpdate(cipher, sealed, &count, bytes, (int)length) != 1)
		goto out;
	if (EVP_EncryptFinal_ex(cipher, sealed + length, &count) != 1 ||
		EVP_CIPHER_CTX_ctrl(
			cipher, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG, sealed + length) != 1)
		goto out;
	status = CG_OK;

out:
	EVP_CIPHER_CTX_free(cipher);
	return status;
}

enum cg_status cg_aead_open(const uint8_t key[CG_AEAD_KEY], const void *bytes,
	size_t length, const void *context, size_t context_length, uint8_t *ret)
{
	const uint8_t *nonce = bytes;
	enum cg_status status = CG_DENIED;
	uint8_t tag[AEAD_TAG];
	EVP_CIPHER_CTX *cipher;
	size_t plain;
	int count = 0;

	if (length < CG_AEAD_OVERHEAD)
		return CG_DENIED;
	if (length > INT_MAX || context_length > INT_MAX)
		return CG_LIMIT;
	plain = length - CG_AEAD_OVERHEAD;
	memcpy(tag, nonce + AEAD_NONCE + plain, AEAD_TAG);
	pthread_once(&algorithms_once, fetch_algorithms);
	cipher = EVP_CIPHER_CTX_new();
	if (cipher == NULL)
		return CG_NOMEM;
	if (EVP_DecryptInit_ex2(cipher, algorithms.aes_gcm, key, nonce, NULL) != 1)
		goto out;
	if (context_length > 0 && EVP_DecryptUpdate(cipher, NULL, &count, context,
					  (int)context_length) != 1)
		goto out;
	if (plain > 0 && EVP_DecryptUpdate(cipher, ret, &count, nonce + AEAD_NONCE,
				 (int)plain) != 1)
		goto out;
	if (EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG, tag) != 1 ||
		EVP_DecryptFinal_ex(cipher, tag, &count) != 1)
		goto out;
	status = CG_OK;

out:
	EVP_CIPHER_CTX_free(cipher);
	if (status != CG_OK)
		cg_wipe(ret, plain); /* nobody may use what did not authenticate */
	return status;
}
