/* SPDX-License-Identifier: Apache-2.0 */
/* The few primitives that Cowgate needs, all of them OpenSSL's. */
#ifndef COWGATE_SDK_CRYPTO_H
#define COWGATE_SDK_CRYPTO_H

#include <cowgate/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CG_SHA256 32
#define CG_AEAD_KEY 32
#define CG_AEAD_OVERHEAD (12 + 16) /* nonce and tag */

/* The digests abort when OpenSSL cannot compute them: there is no value to return instead. */
void cg_sha256(const void *bytes, size_t length, uint8_t ret[CG_SHA256]);

/* Over all that can still be read from @fd.  IO, with errno. */
enum cg_status cg_sha256_fd(int fd, uint8_t ret[CG_SHA256]);

/* SHA-256 over parts, each followed by one NUL byte but for the last. */
void cg_sha256_joined(const char *const *parts, size_t count, uint8_t ret[CG_SHA256]);

struct cg_hmac_part {
	const void *bytes;
	size_t length;
};

/*
 * HMAC-SHA-256 with a key schedule computed once: create it per secret, use it per message.
 * A key is used by one thread at a time.
 */
struct cg_hmac;
enum cg_status cg_hmac_create(const void *key, size_t length, struct cg_hmac **ret);
void cg_hmac_destroy(struct cg_hmac *hmac);
void cg_hmac_sign(struct cg_hmac *hmac, const struct cg_hmac_part *parts, size_t count,
	uint8_t ret[CG_SHA256]);

/* Constant time in the contents. */
bool cg_equal(const void *a, const void *b, size_t length);

/* Aborts when the system has no randomness. */
void cg_random(void *bytes, size_t length);

/*
 * At most CG_RANDOM_ID_MAX bytes of randomness as base64url, for ids and tokens.  @ret has room
 * for CG_RANDOM_ID_SIZE(random_bytes) bytes, the NUL included.
 */
#define CG_RANDOM_ID_MAX 64
#define CG_RANDOM_ID_SIZE(random_bytes) (4 * (((random_bytes) + 2) / 3) + 1)
void cg_random_id(char *ret, size_t random_bytes);

/* Lower-case hex.  @ret holds 2 * @length + 1 bytes. */
void cg_hex(const void *bytes, size_t length, char *ret);
/* Strict: even length, either case.  False on anything else. */
bool cg_unhex(const char *text, size_t length, uint8_t *ret);

/* Standard and URL-safe base64.  @ret holds 4 * ((length + 2) / 3) + 1 bytes; url has no padding. */
size_t cg_base64(const void *bytes, size_t length, char *ret);
size_t cg_base64url(const void *bytes, size_t length, char *ret);
/* Canonical only; @ret holds 3 * length / 4 + 3 bytes.  False on anything else. */
bool cg_unbase64(const char *text, size_t length, uint8_t *ret, size_t *ret_length);
bool cg_unbase64url(const char *text, size_t length, uint8_t *ret, size_t *ret_length);

/* AES-256-GCM: nonce, ciphertext, tag.  @ret holds length + CG_AEAD_OVERHEAD bytes. */
enum cg_status cg_aead_seal(const uint8_t key[CG_AEAD_KEY], const void *bytes,
	size_t length, const void *context, size_t context_length, uint8_t *ret);
/* @ret holds length - CG_AEAD_OVERHEAD bytes.  DENIED when it does not open. */
enum cg_status cg_aead_open(const uint8_t key[CG_AEAD_KEY], const void *bytes,
	size_t length, const void *context, size_t context_length, uint8_t *ret);

#endif
