/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any header values: lines of the input are the five headers, the rest is the body.  Nobody
 * without the secret may get past, and what the signer itself makes of the body must pass.
 */
#include <cowgate/sdk/signature.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1700000000000)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static struct cg_signer *make_signer(void)
{
	static const char key[] = "a key that no input can know";
	struct cg_secret secret = {0};
	struct cg_signer *signer = NULL;

	if (cg_secret_set(&secret, key, sizeof(key) - 1) != CG_OK ||
		cg_signer_create(&secret, &signer, NULL) != CG_OK)
		abort();
	cg_secret_wipe(&secret);
	return signer;
}

/* The next line of @text, ended with NUL; NULL for an empty one, which is an absent header. */
static const char *next_line(char **text)
{
	char *line = *text;
	char *end = strchr(line, '\n');

	*text = end != NULL ? end + 1 : line + strlen(line);
	if (end != NULL)
		*end = '\0';
	return *line != '\0' ? line : NULL;
}

static void check_own(struct cg_signer *signer, const char *body, size_t length)
{
	struct cg_signature_headers headers;
	struct cg_signed_request request = {.body = body, .body_length = length};

	cg_signature_sign(signer, "id", body, length, NOW, &headers);
	request.gateway_timestamp = headers.timestamp;
	request.gateway_signature = headers.gateway;
	if (cg_signature_verify(signer, &request, NOW) != CG_SIGNATURE_OK)
		abort();
	request.standard_id = "id";
	request.standard_timestamp = headers.timestamp;
	request.standard_signature = headers.standard;
	if (cg_signature_verify(signer, &request, NOW) != CG_SIGNATURE_OK)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct cg_signer *signer;
	struct cg_signed_request request;
	struct cg_secret secret = {0};
	struct cg_signer *other = NULL;
	enum cg_signature_verdict verdict;
	char *text = malloc(length + 1);
	char *at = text;

	if (text == NULL)
		abort();
	if (signer == NULL)
		signer = make_signer();
	memcpy(text, bytes, length);
	text[length] = '\0';
	if (cg_secret_set(&secret, text, length) == CG_OK &&
		cg_signer_create(&secret, &other, NULL) == CG_OK) {
		check_own(other, text, length);
		cg_signer_destroy(other);
	}
	cg_secret_wipe(&secret);
	request.gateway_timestamp = next_line(&at);
	request.gateway_signature = next_line(&at);
	request.standard_id = next_line(&at);
	request.standard_timestamp = next_line(&at);
	request.standard_signature = next_line(&at);
	request.body = at;
	request.body_length = length - (size_t)(at - text);
	verdict = cg_signature_verify(signer, &request, NOW);
	if (verdict != CG_SIGNATURE_WRONG && verdict != CG_SIGNATURE_MISSING)
		abort();
	free(text);
	return 0;
}
