/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/webhook/kinds.h"
#include "providers/webhook/options.h"
#include "tests/support/settings_fake.h"
#include "tests/unit/unit.h"

#include <string.h>

#define SECRET "correct-horse-battery"

/* What @pairs say beside a good address and secret; what comes first counts. */
static enum cg_status init(struct webhook_settings *ret,
	const struct settings_pair *pairs, struct cg_error *err)
{
	static struct settings_fake fake; /* what is read borrows from it */
	static struct settings_pair all[8];
	enum cg_status status;
	size_t count = 0;

	for (; pairs[count].name != NULL; count++)
		all[count] = pairs[count];
	all[count++] = (struct settings_pair){
		"deliveryUrl", "https://receiver.example.org/hook"};
	all[count++] = (struct settings_pair){"sharedSecret", SECRET};
	all[count] = (struct settings_pair){NULL, NULL};
	settings_fake_init(
		&fake, "webhook", webhook_kind_webhook.options, WEBHOOK_OPTIONS, all);
	status = webhook_settings_init(ret, &fake.settings, err);
	CU_ASSERT_FALSE(settings_fake_leaks(&fake, err->text));
	return status;
}

static void check_pairs(const struct settings_pair *pairs, enum cg_status expected)
{
	struct webhook_settings settings = {.timeout_ms = 1};
	struct cg_error err = {.text = ""};
	enum cg_status status = init(&settings, pairs, &err);

	CU_ASSERT_EQUAL(status, expected);
	if (status == CG_OK) {
		webhook_settings_finish(&settings);
		return;
	}
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, pairs[0].name));
	CU_ASSERT_EQUAL(settings.timeout_ms, 1); /* as it was */
}

static void check(const char *name, const char *value, enum cg_status expected)
{
	const struct settings_pair pairs[] = {{name, value}, {NULL, NULL}};

	check_pairs(pairs, expected);
}

static void check_private(const char *url, enum cg_status expected)
{
	const struct settings_pair pairs[] = {
		{"deliveryUrl", url}, {"allowPrivateDelivery", "true"}, {NULL, NULL}};

	check_pairs(pairs, expected);
}

static void check_listed(const char *url, enum cg_status expected)
{
	const struct settings_pair pairs[] = {{"deliveryUrl", url},
		{"deliveryUrlAllowedHosts", "one.example.org,*.two.example.org"},
		{NULL, NULL}};

	check_pairs(pairs, expected);
}

static void what_is_read_is_kept(void)
{
	static const struct settings_pair pairs[] = {{"sharedSecretSecond", "other-one"},
		{"maxAttachmentBytes", "77"}, {"deliveryTimeoutMs", "1234"},
		{NULL, NULL}};
	struct webhook_settings settings;
	struct cg_error err = {.text = ""};

	CU_ASSERT_EQUAL_FATAL(init(&settings, pairs, &err), CG_OK);
	CU_ASSERT_STRING_EQUAL(
		settings.delivery_url, "https://receiver.example.org/hook");
	CU_ASSERT_EQUAL(settings.reach, CG_REACH_PUBLIC);
	CU_ASSERT_STRING_EQUAL(settings.secret.bytes, SECRET);
	CU_ASSERT_STRING_EQUAL(settings.second.bytes, "other-one");
	CU_ASSERT_FALSE(cg_secret_is_set(&settings.proxy));
	CU_ASSERT_PTR_NULL(settings.ca_file);
	CU_ASSERT_EQUAL(settings.max_attachment, 77);
	CU_ASSERT_EQUAL(settings.timeout_ms, 1234);
	webhook_settings_finish(&settings);
	CU_ASSERT_FALSE(cg_secret_is_set(&settings.secret));
	CU_ASSERT_FALSE(cg_secret_is_set(&settings.second));
}

static void deliveries_are_sealed_but_at_home(void)
{
	check("deliveryUrl", " ", CG_INVALID);
	check("deliveryUrl", "http://receiver.example.org", CG_INVALID);
	check("deliveryUrl", "http://10.0.0.1/", CG_INVALID);
	check("deliveryUrl", "http://127.0.0.1:9/", CG_OK);
	check("deliveryUrl", "http://localhost:9/", CG_OK);
	check("deliveryUrl", "https://me:pw@receiver.example.org", CG_INVALID);
	check("deliveryUrl", "https://169.254.169.254/", CG_INVALID);
	check("deliveryUrl", "nonsense", CG_INVALID);
}

static void private_addresses_are_asked_for(void)
{
	check("deliveryUrl", "https://10.0.0.1/", CG_INVALID);
	check("deliveryUrl", "https://[fd00::1]/", CG_INVALID);
	check_private("https://10.0.0.1/", CG_OK);
	check_private("http://10.0.0.1/", CG_INVALID); /* nor in clear text then */
	check_private("https://169.254.169.254/", CG_INVALID);
}

static void a_list_of_hosts_is_complete(void)
{
	check_listed("https://one.example.org/", CG_OK);
	check_listed("https://a.two.example.org/", CG_OK);
	check_listed("https://two.example.org.evil.example/", CG_INVALID);
	check_listed("https://three.example.org/", CG_INVALID);
	check_listed("http://127.0.0.1:9/", CG_OK); /* this host is not listed */
}

static void secrets_are_there_and_clean(void)
{
	char large[CG_SECRET_MAX + 2];

	memset(large, 'a', CG_SECRET_MAX + 1);
	large[CG_SECRET_MAX + 1] = '\0';
	check("sharedSecret", "", CG_INVALID);
	check("sharedSecret", "a\nb", CG_INVALID);
	check("sharedSecret", large, CG_INVALID);
	check("sharedSecretSecond", "a\x7F", CG_INVALID);
	check("proxy", "ftp://10.0.0.1", CG_INVALID);
	check("proxy", "http://user:pw@10.0.0.1:3128", CG_OK);
	check("caFile", "/nowhere/ca.pem", CG_INVALID);
}

UNIT_SUITE(webhook_options, UNIT_TEST(what_is_read_is_kept),
	UNIT_TEST(deliveries_are_sealed_but_at_home),
	UNIT_TEST(private_addresses_are_asked_for),
	UNIT_TEST(a_list_of_hosts_is_complete), UNIT_TEST(secrets_are_there_and_clean));
