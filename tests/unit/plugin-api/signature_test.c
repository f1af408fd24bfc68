/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <cowgate/sdk/signature.h>
#include <string.h>

#define BODY \
	"{\"id\":\"m1\",\"target\":{\"chatId\":\"c1\"},\"sender\":{\"userId\":\"u1\"}," \
	"\"text\":\"hi\"}"
#define GATEWAY "v1=810499c113a2cf0e6e220830c09abb3e1d3f04479e8b956250b70297e66b8ee6"
#define NOW INT64_C(1700000000000)

/* The example of the Standard Webhooks specification. */
#define STANDARD_SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define STANDARD_ID "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define STANDARD_TIME "1614265330"
#define STANDARD_NOW INT64_C(1614265330000)
#define STANDARD_BODY "{\"test\": 2432232314}"
#define FIVE "v1,x v1,x v1,x v1,x v1,x "
#define STANDARD "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

static struct cg_signer *signer_of(const char *text)
{
	struct cg_secret secret = {0};
	struct cg_signer *signer = NULL;
	struct cg_error err;

	cg_secret_set(&secret, text, strlen(text));
	CU_ASSERT_EQUAL_FATAL(cg_signer_create(&secret, &signer, &err), CG_OK);
	cg_secret_wipe(&secret);
	return signer;
}

/* Another secret beside the first. */
static enum cg_status add_secret(struct cg_signer *signer, const char *text)
{
	struct cg_secret secret = {0};
	enum cg_status status;

	cg_secret_set(&secret, text, strlen(text));
	status = cg_signer_add(signer, &secret, NULL);
	cg_secret_wipe(&secret);
	return status;
}

static enum cg_signature_verdict gateway(struct cg_signer *signer, const char *timestamp,
	const char *signature, int64_t now_ms)
{
	struct cg_signed_request request = {
		.gateway_timestamp = timestamp,
		.gateway_signature = signature,
		.body = BODY,
		.body_length = sizeof(BODY) - 1,
	};

	return cg_signature_verify(signer, &request, now_ms);
}

static void signature_matches_the_vector(void)
{
	struct cg_signer *signer = signer_of("vector-secret");
	char upper[sizeof(GATEWAY)] = GATEWAY;

	CU_ASSERT_EQUAL(gateway(signer, "1700000000", GATEWAY, NOW), CG_SIGNATURE_OK);
	upper[9] = 'C';
	CU_ASSERT_EQUAL(gateway(signer, "1700000000", upper, NOW), CG_SIGNATURE_OK);
	for (size_t i = 0; i < sizeof(GATEWAY) - 1; i++) {
		char forged[sizeof(GATEWAY)] = GATEWAY;

		forged[i] = forged[i] == '0' ? '1' : '0';
		CU_ASSERT_EQUAL(
			gateway(signer, "1700000000", forged, NOW), CG_SIGNATURE_WRONG);
		forged[i] = '\0';
		CU_ASSERT_NOT_EQUAL(
			gateway(signer, "1700000000", forged, NOW), CG_SIGNATURE_OK);
	}
	CU_ASSERT_EQUAL(
		gateway(signer, "1700000000", GATEWAY "0", NOW), CG_SIGNATURE_WRONG);
	CU_ASSERT_EQUAL(gateway(signer, "1700000001", GATEWAY, NOW), CG_SIGNATURE_WRONG);
	CU_ASSERT_EQUAL(gateway(signer, "01700000000", GATEWAY, NOW), CG_SIGNATURE_WRONG);
	cg_signer_destroy(signer);
	signer = signer_of("vector-secreT");
	CU_ASSERT_EQUAL(gateway(signer, "1700000000", GATEWAY, NOW), CG_SIGNATURE_WRONG);
	cg_signer_destroy(signer);
	cg_signer_destroy(NULL);
}

static void signature_tells_missing_from_wrong(void)
{
	struct cg_signer *signer = signer_of("vector-secret");

	CU_ASSERT_EQUAL(gateway(signer, NULL, GATEWAY, NOW), CG_SIGNATURE_MISSING);
	CU_ASSERT_EQUAL(gateway(signer, "1700000000", NULL, NOW), CG_SIGNATURE_MISSING);
	CU_ASSERT_EQUAL(gateway(signer, "1700000000", "", NOW), CG_SIGNATURE_MISSING);
	CU_ASSERT_EQUAL(gateway(signer, "", GATEWAY, NOW), CG_SIGNATURE_MISSING);
	cg_signer_destroy(signer);
}

static void signature_judges_age_both_ways(void)
{
	struct cg_signer *signer = signer_of("vector-secret");

	for (int sign = -1; sign <= 1; sign += 2) {
		int64_t edge = NOW + sign * (int64_t)CG_SIGNATURE_TOLERANCE_MS;

		CU_ASSERT_EQUAL(
			gateway(signer, "1700000000", GATEWAY, edge), CG_SIGNATURE_OK);
		CU_ASSERT_EQUAL(gateway(signer, "1700000000", GATEWAY, edge + sign),
			CG_SIGNATURE_STALE);
		/* A forgery is wrong however old it is. */
		CU_ASSERT_EQUAL(
			gateway(signer, "1700000001", GATEWAY, edge + sign * 9999),
			CG_SIGNATURE_WRONG);
	}
	cg_signer_destroy(signer);
}

/* Timestamps that the holder of the secret signed, but that are none or no time near ours. */
static void signature_wants_decimal_seconds(void)
{
	static const struct {
		const char *timestamp;
		const char *signature;
		enum cg_signature_verdict verdict;
	} cases[] = {
		{"99999999999999999999",
			"v1="
			"42cca609502392e0c375650a621c3333f174523b48f675eb75d93ee639a6b91"
			"e",
			CG_SIGNATURE_STALE},
		{"9223372036854775807",
			"v1="
			"85f53905d0d5130df6c390e39a9dc17c018d0a209f437b2725c43d2e8f2cf75"
			"f",
			CG_SIGNATURE_STALE},
		{"999999999999999999999",
			"v1="
			"4a3f5f2bb32f8cc2ba86a29def10fcf2778befe3d037a6e035d03238ada2450"
			"d",
			CG_SIGNATURE_WRONG},
		{"1700000000.0",
			"v1="
			"308142a73dd0e5fc31f71c6e4c3b4d42fdf3508be079057d9a51c3b6670deac"
			"4",
			CG_SIGNATURE_WRONG},
		{" 1700000000",
			"v1="
			"a9016e9b087565f2ec8ad257500c291f79b871bfb0629474f39f5dd4da3ce1c"
			"2",
			CG_SIGNATURE_WRONG},
		{"-1700000000",
			"v1="
			"2b2fade9262a81c6e3f81536fcd5d5b9912e3a9cd4402edae842e65340cc65e"
			"3",
			CG_SIGNATURE_WRONG},
		{"17e8",
			"v1="
			"fbd5065732229e0abdad13b4ca3fca73526a50249eb0d9e123d63e91ffb9af5"
			"2",
			CG_SIGNATURE_WRONG},
	};
	struct cg_signer *signer = signer_of("vector-secret");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_EQUAL(
			gateway(signer, cases[i].timestamp, cases[i].signature, NOW),
			cases[i].verdict);
	cg_signer_destroy(signer);
}

static enum cg_signature_verdict standard(
	struct cg_signer *signer, const char *signatures)
{
	struct cg_signed_request request = {
		.standard_id = STANDARD_ID,
		.standard_timestamp = STANDARD_TIME,
		.standard_signature = signatures,
		.body = STANDARD_BODY,
		.body_length = sizeof(STANDARD_BODY) - 1,
	};

	return cg_signature_verify(signer, &request, STANDARD_NOW);
}

static void signature_speaks_standard_webhooks(void)
{
	struct cg_signer *signer = signer_of(STANDARD_SECRET);

	CU_ASSERT_EQUAL(standard(signer, STANDARD), CG_SIGNATURE_OK);
	CU_ASSERT_EQUAL(
		standard(signer, "v1,AAAA v1a,x " STANDARD " v2,y"), CG_SIGNATURE_OK);
	CU_ASSERT_EQUAL(standard(signer, " " STANDARD), CG_SIGNATURE_OK);
	CU_ASSERT_EQUAL(standard(signer, STANDARD "x"), CG_SIGNATURE_WRONG);
	CU_ASSERT_EQUAL(standard(signer, "v2" STANDARD), CG_SIGNATURE_WRONG);
	CU_ASSERT_EQUAL(standard(signer, STANDARD "," STANDARD), CG_SIGNATURE_WRONG);
	CU_ASSERT_EQUAL(standard(signer, "v1,"), CG_SIGNATURE_WRONG);
	CU_ASSERT_EQUAL(standard(signer, " "), CG_SIGNATURE_WRONG);
	CU_ASSERT_EQUAL(standard(signer, ""), CG_SIGNATURE_MISSING);
	/* The sixteenth signature is read, the seventeenth is not. */
	CU_ASSERT_EQUAL(standard(signer, FIVE FIVE FIVE STANDARD), CG_SIGNATURE_OK);
	CU_ASSERT_EQUAL(
		standard(signer, FIVE FIVE FIVE "v1,x " STANDARD), CG_SIGNATURE_WRONG);
	cg_signer_destroy(signer);
}

static void signature_prefers_the_whole_standard_set(void)
{
	struct cg_signer *signer = signer_of("vector-secret");
	struct cg_signed_request request = {
		.gateway_timestamp = "1700000000",
		.gateway_signature = GATEWAY,
		.standard_id = "id",
		.standard_timestamp = "1700000000",
		.body = BODY,
		.body_length = sizeof(BODY) - 1,
	};

	CU_ASSERT_EQUAL(cg_signature_verify(signer, &request, NOW), CG_SIGNATURE_OK);
	request.standard_signature = "v1,forged";
	CU_ASSERT_EQUAL(cg_signature_verify(signer, &request, NOW), CG_SIGNATURE_WRONG);
	cg_signer_destroy(signer);
}

static void signature_verifies_what_it_signs(void)
{
	static const char *const secrets[] = {"plain", STANDARD_SECRET};

	for (size_t i = 0; i < 2; i++) {
		struct cg_signer *signer = signer_of(secrets[i]);
		struct cg_signature_headers headers;
		struct cg_signed_request request = {
			.body = BODY, .body_length = sizeof(BODY) - 1};

		cg_signature_sign(signer, "delivery-1", BODY, sizeof(BODY) - 1, NOW + 999,
			&headers);
		CU_ASSERT_STRING_EQUAL(headers.timestamp, "1700000000");
		request.gateway_timestamp = headers.timestamp;
		request.gateway_signature = headers.gateway;
		CU_ASSERT_EQUAL(
			cg_signature_verify(signer, &request, NOW), CG_SIGNATURE_OK);
		request.standard_id = "delivery-1";
		request.standard_timestamp = headers.timestamp;
		request.standard_signature = headers.standard;
		CU_ASSERT_EQUAL(
			cg_signature_verify(signer, &request, NOW), CG_SIGNATURE_OK);
		request.standard_id = "delivery-2";
		CU_ASSERT_EQUAL(
			cg_signature_verify(signer, &request, NOW), CG_SIGNATURE_WRONG);
		cg_signer_destroy(signer);
	}
}

static void signature_signs_as_the_vectors_say(void)
{
	struct cg_signer *signer = signer_of("vector-secret");
	struct cg_signature_headers headers;

	cg_signature_sign(signer, "x", BODY, sizeof(BODY) - 1, NOW, &headers);
	CU_ASSERT_STRING_EQUAL(headers.gateway, GATEWAY);
	cg_signer_destroy(signer);
	signer = signer_of(STANDARD_SECRET);
	cg_signature_sign(signer, STANDARD_ID, STANDARD_BODY, sizeof(STANDARD_BODY) - 1,
		STANDARD_NOW, &headers);
	CU_ASSERT_STRING_EQUAL(headers.standard, STANDARD);
	cg_signer_destroy(signer);
}

static void signature_refuses_unusable_secrets(void)
{
	static const char *const bad[] = {"", "whsec_", "whsec_abc", "whsec_????"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cg_secret secret = {0};
		struct cg_signer *signer = NULL;
		struct cg_error err;

		cg_secret_set(&secret, bad[i], strlen(bad[i]));
		CU_ASSERT_EQUAL(cg_signer_create(&secret, &signer, &err), CG_INVALID);
		CU_ASSERT_PTR_NULL(signer);
		CU_ASSERT_EQUAL(err.status, CG_INVALID);
		CU_ASSERT_PTR_NULL(strstr(err.text, "abc"));
		cg_secret_wipe(&secret);
	}
}

static void signature_may_be_by_either_of_two_secrets(void)
{
	struct cg_signer *signer = signer_of("the new one");
	struct cg_signature_headers both, alone;
	struct cg_signer *old = signer_of("vector-secret");

	CU_ASSERT_EQUAL(gateway(signer, "1700000000", GATEWAY, NOW), CG_SIGNATURE_WRONG);
	CU_ASSERT_EQUAL(add_secret(signer, "whsec_?"), CG_INVALID);
	CU_ASSERT_EQUAL(add_secret(signer, "vector-secret"), CG_OK);
	CU_ASSERT_EQUAL(add_secret(signer, "a third"), CG_LIMIT);
	CU_ASSERT_EQUAL(gateway(signer, "1700000000", GATEWAY, NOW), CG_SIGNATURE_OK);
	/* Out: the gateway's header by the first, Standard Webhooks' by each. */
	cg_signature_sign(signer, "m", BODY, sizeof(BODY) - 1, NOW, &both);
	cg_signature_sign(old, "m", BODY, sizeof(BODY) - 1, NOW, &alone);
	CU_ASSERT_STRING_NOT_EQUAL(both.gateway, alone.gateway);
	CU_ASSERT_EQUAL(strlen(both.standard), 2 * strlen(alone.standard) + 1);
	CU_ASSERT_EQUAL(both.standard[strlen(alone.standard)], ' ');
	CU_ASSERT_STRING_EQUAL(
		both.standard + strlen(alone.standard) + 1, alone.standard);
	cg_signer_destroy(signer);
	cg_signer_destroy(old);
}

UNIT_SUITE(signature, UNIT_TEST(signature_may_be_by_either_of_two_secrets),
	UNIT_TEST(signature_matches_the_vector),
	UNIT_TEST(signature_tells_missing_from_wrong),
	UNIT_TEST(signature_judges_age_both_ways),
	UNIT_TEST(signature_wants_decimal_seconds),
	UNIT_TEST(signature_speaks_standard_webhooks),
	UNIT_TEST(signature_prefers_the_whole_standard_set),
	UNIT_TEST(signature_verifies_what_it_signs),
	UNIT_TEST(signature_signs_as_the_vectors_say),
	UNIT_TEST(signature_refuses_unusable_secrets));
