/* SPDX-License-Identifier: Apache-2.0 */
/* Webhook signatures: the gateway's own scheme and Standard Webhooks, over the raw bytes. */
#include <cowgate/sdk/crypto.h>
#include <cowgate/sdk/error.h>
#include <cowgate/sdk/signature.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASE64_SECRET "whsec_"
#define GATEWAY_MARK "v1="
#define STANDARD_MARK "v1,"
#define MARK_LENGTH 3
#define TIMESTAMP_DIGITS 20
#define BASE64_MAC 44 /* characters of a MAC in base64 */
#define SIGNATURES_MAX 16 /* read from one webhook-signature header */

struct signing_key {
	struct cg_hmac *gateway; /* keyed with the secret as it is */
	struct cg_hmac *standard; /* keyed with what follows whsec_, else the same key */
};

struct cg_signer {
	struct signing_key keys[CG_SIGNER_SECRETS];
	size_t count; /* from 1 */
};

/* The key that Standard Webhooks means by @secret.  @key has room for CG_SECRET_MAX bytes. */
static enum cg_status standard_key(const struct cg_secret *secret, uint8_t *key,
	size_t *ret_length, struct cg_error *err)
{
	const size_t mark = sizeof(BASE64_SECRET) - 1;

	if (secret->length < mark || memcmp(secret->bytes, BASE64_SECRET, mark) != 0) {
		memcpy(key, secret->bytes, secret->length);
		*ret_length = secret->length;
		return CG_OK;
	}
	if (!cg_unbase64(secret->bytes + mark, secret->length - mark, key, ret_length) ||
		*ret_length == 0)
		return cg_error_set(err, CG_INVALID,
			"a secret that begins with " BASE64_SECRET
			" must go on in padded base64");
	return CG_OK;
}

static void finish_key(struct signing_key *key)
{
	cg_hmac_destroy(key->gateway);
	cg_hmac_destroy(key->standard);
	*key = (struct signing_key){.gateway = NULL};
}

enum cg_status cg_signer_add(
	struct cg_signer *signer, const struct cg_secret *secret, struct cg_error *err)
{
	uint8_t bytes[CG_SECRET_MAX];
	struct signing_key key = {.gateway = NULL};
	size_t length = 0;
	enum cg_status status;

	if (!cg_secret_is_set(secret))
		return cg_error_set(err, CG_INVALID, "the signing secret is not set");
	if (signer->count == CG_SIGNER_SECRETS)
		return cg_error_set(
			err, CG_LIMIT, "more than %d signing secrets", CG_SIGNER_SECRETS);
	status = standard_key(secret, bytes, &length, err);
	if (status != CG_OK)
		goto out;
	status = cg_hmac_create(secret->bytes, secret->length, &key.gateway);
	if (status == CG_OK)
		status = cg_hmac_create(bytes, length, &key.standard);
	if (status != CG_OK) {
		finish_key(&key);
		cg_error_nomem(err);
		goto out;
	}
	signer->keys[signer->count++] = key;

out:
	cg_wipe(bytes, sizeof(bytes));
	return status;
}

enum cg_status cg_signer_create(
	const struct cg_secret *secret, struct cg_signer **ret, struct cg_error *err)
{
	struct cg_signer *signer = calloc(1, sizeof(*signer));
	enum cg_status status;

	if (signer == NULL)
		return cg_error_nomem(err);
	status = cg_signer_add(signer, secret, err);
	if (status != CG_OK) {
		cg_signer_destroy(signer);
		return status;
	}
	*ret = signer;
	return CG_OK;
}

void cg_signer_destroy(struct cg_signer *signer)
{
	if (signer == NULL)
		return;
	for (size_t i = 0; i < signer->count; i++)
		finish_key(&signer->keys[i]);
	free(signer);
}

static void gateway_mac(const struct signing_key *key, const char *timestamp,
	const void *body, size_t length, uint8_t ret[CG_SHA256])
{
	const struct cg_hmac_part parts[] = {
		{"v1:", 3},
		{timestamp, strlen(timestamp)},
		{":", 1},
		{body, length},
	};

	cg_hmac_sign(key->gateway, parts, sizeof(parts) / sizeof(parts[0]), ret);
}

static void standard_mac(const struct signing_key *key,
	const struct cg_signed_request *request, uint8_t ret[CG_SHA256])
{
	const struct cg_hmac_part parts[] = {
		{request->standard_id, strlen(request->standard_id)},
		{".", 1},
		{request->standard_timestamp, strlen(request->standard_timestamp)},
		{".", 1},
		{request->body, request->body_length},
	};

	cg_hmac_sign(key->standard, parts, sizeof(parts) / sizeof(parts[0]), ret);
}

static bool gateway_matches(const char *signature, const uint8_t mac[CG_SHA256])
{
	uint8_t given[CG_SHA256];

	return strlen(signature) == MARK_LENGTH + 2 * CG_SHA256 &&
	       memcmp(signature, GATEWAY_MARK, MARK_LENGTH) == 0 &&
	       cg_unhex(signature + MARK_LENGTH, 2 * CG_SHA256, given) &&
	       cg_equal(given, mac, CG_SHA256);
}

/* One of several signatures is enough: senders add one per secret while they rotate. */
static bool standard_matches(const char *signatures, const uint8_t mac[CG_SHA256])
{
	char expected[BASE64_MAC + 1];
	bool matches = false;

	cg_base64(mac, CG_SHA256, expected);
	for (int i = 0; i < SIGNATURES_MAX && *signatures != '\0'; i++) {
		size_t length = strcspn(signatures, " ");

		if (length == MARK_LENGTH + BASE64_MAC &&
			memcmp(signatures, STANDARD_MARK, MARK_LENGTH) == 0)
			matches |=
				cg_equal(signatures + MARK_LENGTH, expected, BASE64_MAC);
		signatures += length;
		signatures += *signatures == ' ';
	}
	return matches;
}

/* Decimal seconds; what is beyond any clock becomes a time that is stale for sure. */
static bool parse_timestamp(const char *text, int64_t *ret_ms)
{
	size_t length = strspn(text, "0123456789");
	int64_t seconds = 0;

	if (length == 0 || length > TIMESTAMP_DIGITS || text[length] != '\0')
		return false;
	for (size_t i = 0; i < length && seconds < INT64_MAX / 10000 - 1; i++)
		seconds = seconds * 10 + (text[i] - '0');
	*ret_ms = seconds * 1000;
	return true;
}

static bool is_set(const char *header)
{
	return header != NULL && *header != '\0';
}

enum cg_signature_verdict cg_signature_verify(
	struct cg_signer *signer, const struct cg_signed_request *request, int64_t now_ms)
{
	uint8_t mac[CG_SHA256];
	const char *timestamp;
	int64_t signed_ms;
	int64_t skew;
	bool matches = false;

	if (is_set(request->standard_id) && is_set(request->standard_timestamp) &&
		is_set(request->standard_signature)) {
		timestamp = request->standard_timestamp;
		for (size_t i = 0; i < signer->count; i++) {
			standard_mac(&signer->keys[i], request, mac);
			matches |= standard_matches(request->standard_signature, mac);
		}
	} else if (is_set(request->gateway_timestamp) &&
		   is_set(request->gateway_signature)) {
		timestamp = request->gateway_timestamp;
		for (size_t i = 0; i < signer->count; i++) {
			gateway_mac(&signer->keys[i], timestamp, request->body,
				request->body_length, mac);
			matches |= gateway_matches(request->gateway_signature, mac);
		}
	} else {
		return CG_SIGNATURE_MISSING;
	}
	if (!matches || !parse_timestamp(timestamp, &signed_ms))
		return CG_SIGNATURE_WRONG;
	skew = now_ms > signed_ms ? now_ms - signed_ms : signed_ms - now_ms;
	return skew <= CG_SIGNATURE_TOLERANCE_MS ? CG_SIGNATURE_OK : CG_SIGNATURE_STALE;
}

void cg_signature_sign(struct cg_signer *signer, const char *id, const void *body,
	size_t length, int64_t now_ms, struct cg_signature_headers *ret)
{
	uint8_t mac[CG_SHA256];
	char *at = ret->standard;
	struct cg_signed_request request = {
		.standard_id = id,
		.standard_timestamp = ret->timestamp,
		.body = body,
		.body_length = length,
	};

	snprintf(ret->timestamp, sizeof(ret->timestamp), "%" PRId64,
		now_ms > 0 ? now_ms / 1000 : 0);
	gateway_mac(&signer->keys[0], ret->timestamp, body, length, mac);
	memcpy(ret->gateway, GATEWAY_MARK, MARK_LENGTH);
	cg_hex(mac, sizeof(mac), ret->gateway + MARK_LENGTH);
	for (size_t i = 0; i < signer->count; i++) {
		standard_mac(&signer->keys[i], &request, mac);
		if (i > 0)
			*at++ = ' ';
		memcpy(at, STANDARD_MARK, MARK_LENGTH);
		at += MARK_LENGTH;
		at += cg_base64(mac, sizeof(mac), at);
	}
}
