/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/operator/origin.h"
#include "tests/unit/unit.h"

#include <string.h>

static const char *find(const char *peer, const char *forwarded, const char *common)
{
	static char ret[ORIGIN_TEXT];
	struct cg_cidr proxies[2];
	const struct origin_trust trust = {.enabled = true, .cidrs = proxies, .count = 2};

	CU_ASSERT(cg_cidr_parse("10.0.0.0/8", &proxies[0]));
	CU_ASSERT(cg_cidr_parse("fd00::/8", &proxies[1]));
	origin_find(&trust, peer, forwarded, common, ret);
	return ret;
}

static void origin_believes_only_trusted_proxies(void)
{
	static const struct {
		const char *peer, *forwarded, *common, *origin;
	} cases[] = {
		/* A client that is no proxy may say what it likes. */
		{"198.51.100.7", NULL, NULL, "198.51.100.7"},
		{"198.51.100.7", "for=203.0.113.1", NULL, "198.51.100.7"},
		{"198.51.100.7", NULL, "203.0.113.1", "198.51.100.7"},
		{"198.51.100.7", NULL, "10.0.0.1", "198.51.100.7"},
		/* A proxy that says nothing is the client. */
		{"10.0.0.1", NULL, NULL, "10.0.0.1"},
		{"10.0.0.1", NULL, "203.0.113.1", "203.0.113.1"},
		{"10.0.0.1", "for=203.0.113.1", NULL, "203.0.113.1"},
		{"fd00::1", NULL, "2001:db8::9", "2001:db8::9"},
		{"::ffff:10.0.0.1", NULL, "203.0.113.1", "203.0.113.1"},
		/* From the right: what stands left of the client was made up by it. */
		{"10.0.0.1", NULL, "1.2.3.4, 203.0.113.1, 10.0.0.2", "203.0.113.1"},
		{"10.0.0.1", NULL, "203.0.113.9,203.0.113.1", "203.0.113.1"},
		{"10.0.0.1", NULL, "10.0.0.9, 10.0.0.8", "10.0.0.9"},
		{"10.0.0.1", "for=1.2.3.4, for=203.0.113.1;proto=https, for=10.0.0.2",
			NULL, "203.0.113.1"},
		{"10.0.0.1", "proto=https; For=\"[2001:db8::9]:443\"", NULL,
			"2001:db8::9"},
		/* One bad hop, and the whole chain says nothing. */
		{"10.0.0.1", NULL, "unknown, 203.0.113.1", "10.0.0.1"},
		{"10.0.0.1", NULL, "203.0.113.1,", "10.0.0.1"},
		{"10.0.0.1", NULL, "", "10.0.0.1"},
		{"10.0.0.1", "for=_hidden", NULL, "10.0.0.1"},
		{"10.0.0.1", "by=203.0.113.1", NULL, "10.0.0.1"},
		{"10.0.0.1", "for=203.0.113.1, proto=https", NULL, "10.0.0.1"},
		{"10.0.0.1", "for=", NULL, "10.0.0.1"},
		/* Both must agree when both speak. */
		{"10.0.0.1", "for=203.0.113.1", "203.0.113.1", "203.0.113.1"},
		{"10.0.0.1", "for=203.0.113.1", "203.0.113.2", "10.0.0.1"},
		{"10.0.0.1", "for=_hidden", "203.0.113.2", "203.0.113.2"},
		/* What is no address is shown as it is. */
		{"", NULL, "203.0.113.1", ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_STRING_EQUAL(
			find(cases[i].peer, cases[i].forwarded, cases[i].common),
			cases[i].origin);
}

static void origin_trusts_nobody_unless_told(void)
{
	struct cg_cidr proxy;
	struct origin_trust trust = {.enabled = false, .cidrs = &proxy, .count = 1};
	char ret[ORIGIN_TEXT];

	CU_ASSERT(cg_cidr_parse("10.0.0.0/8", &proxy));
	origin_find(&trust, "10.0.0.1", NULL, "203.0.113.1", ret);
	CU_ASSERT_STRING_EQUAL(ret, "10.0.0.1");
	trust.enabled = true;
	origin_find(&trust, "10.0.0.1", NULL, "203.0.113.1", ret);
	CU_ASSERT_STRING_EQUAL(ret, "203.0.113.1");
	trust.count = 0;
	origin_find(&trust, "10.0.0.1", NULL, "203.0.113.1", ret);
	CU_ASSERT_STRING_EQUAL(ret, "10.0.0.1");
}

static void origin_believes_no_endless_chain(void)
{
	char chain[16 * (ORIGIN_HOPS + 1)] = "203.0.113.1";

	for (int i = 1; i < ORIGIN_HOPS; i++)
		memcpy(chain + strlen(chain), ",10.0.0.2", 10);
	CU_ASSERT_STRING_EQUAL(find("10.0.0.1", NULL, chain), "203.0.113.1");
	memcpy(chain + strlen(chain), ",10.0.0.2", 10);
	CU_ASSERT_STRING_EQUAL(find("10.0.0.1", NULL, chain), "10.0.0.1");
}

UNIT_SUITE(origin, UNIT_TEST(origin_believes_only_trusted_proxies),
	UNIT_TEST(origin_trusts_nobody_unless_told),
	UNIT_TEST(origin_believes_no_endless_chain));
