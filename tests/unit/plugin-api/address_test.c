/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <cowgate/sdk/address.h>
#include <stdio.h>
#include <string.h>

static void address_reads_every_spelling(void)
{
	static const char *const spellings[][2] = {
		{"1.2.3.4", "1.2.3.4"},
		{"1.2.3.4:80", "1.2.3.4"},
		{"::ffff:1.2.3.4", "1.2.3.4"},
		{"[::ffff:102:304]:65535", "1.2.3.4"},
		{"::1", "::1"},
		{"[::1]", "::1"},
		{"[::1]:8080", "::1"},
		{"fe80::1%eth0", "fe80::1"},
		{"[fe80::1%25eth0]:80", "fe80::1"},
		{"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
	};
	static const char *const bad[] = {"", "localhost", "1.2.3", "1.2.3.4.5",
		"256.1.1.1", "0x7f.1", "01.2.3.4", "1.2.3.4:", "1.2.3.4:65536",
		"1.2.3.4:-1", "1.2.3.4:x", "1.2.3.4 ", "[::1", "[::1]x",
		"[::1]:", "[1.2.3.4]", "[]", ":::", "::1:g", "1.2.3.4%eth0", "%eth0",
		"[]:80", ":80", "1111:2222:3333:4444:5555:6666:7777:8888:9999",
		"0000000000000000000000000000000000000000000000000000000001"};
	struct cg_address address = {0};

	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		char text[46];

		CU_ASSERT_TRUE(cg_address_parse(spellings[i][0], &address));
		cg_address_format(&address, text);
		CU_ASSERT_STRING_EQUAL(text, spellings[i][1]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		bool parsed = cg_address_parse(bad[i], &address);

		CU_ASSERT_FALSE(parsed);
		if (parsed)
			printf("accepted address \"%s\"\n", bad[i]);
	}
	CU_ASSERT_FALSE(cg_address_parse(NULL, &address));
}

enum nature {
	PUBLIC,
	PRIVATE,
	LOOPBACK, /* private as well */
	METADATA, /* private as well, but for one */
};

static void address_knows_its_nature(void)
{
	static const struct {
		const char *text;
		enum nature nature;
	} cases[] = {
		{"8.8.8.8", PUBLIC},
		{"1.1.1.1", PUBLIC},
		{"0.0.0.0", PRIVATE},
		{"0.255.255.255", PRIVATE},
		{"1.0.0.0", PUBLIC},
		{"9.255.255.255", PUBLIC},
		{"10.0.0.0", PRIVATE},
		{"10.255.255.255", PRIVATE},
		{"11.0.0.0", PUBLIC},
		{"100.63.255.255", PUBLIC},
		{"100.64.0.0", PRIVATE},
		{"100.127.255.255", PRIVATE},
		{"100.128.0.0", PUBLIC},
		{"126.255.255.255", PUBLIC},
		{"127.0.0.1", LOOPBACK},
		{"127.255.255.255", LOOPBACK},
		{"128.0.0.0", PUBLIC},
		{"169.253.255.255", PUBLIC},
		{"169.254.0.1", PRIVATE},
		{"169.254.169.254", METADATA},
		{"169.254.170.2", METADATA},
		{"169.255.0.0", PUBLIC},
		{"172.15.255.255", PUBLIC},
		{"172.16.0.0", PRIVATE},
		{"172.31.255.255", PRIVATE},
		{"172.32.0.0", PUBLIC},
		{"192.0.0.1", PRIVATE},
		{"192.0.1.0", PUBLIC},
		{"192.0.2.1", PRIVATE},
		{"192.0.3.0", PUBLIC},
		{"192.167.255.255", PUBLIC},
		{"192.168.0.0", PRIVATE},
		{"192.168.255.255", PRIVATE},
		{"192.169.0.0", PUBLIC},
		{"198.17.255.255", PUBLIC},
		{"198.18.0.0", PRIVATE},
		{"198.19.255.255", PRIVATE},
		{"198.20.0.0", PUBLIC},
		{"198.51.99.255", PUBLIC},
		{"198.51.100.1", PRIVATE},
		{"198.51.101.0", PUBLIC},
		{"203.0.112.255", PUBLIC},
		{"203.0.113.1", PRIVATE},
		{"203.0.114.0", PUBLIC},
		{"223.255.255.255", PUBLIC},
		{"224.0.0.0", PRIVATE},
		{"240.0.0.1", PRIVATE},
		{"255.255.255.255", PRIVATE},
		{"100.100.100.200", METADATA},
		{"::", PRIVATE},
		{"::1", LOOPBACK},
		{"::2", PRIVATE},
		{"fc00::", PRIVATE},
		{"fdff:ffff::1", PRIVATE},
		{"fe00::1", PUBLIC},
		{"fe80::1", PRIVATE},
		{"febf::1", PRIVATE},
		{"fec0::1", PRIVATE},
		{"feff::1", PRIVATE},
		{"ff02::1", PRIVATE},
		{"2001:db8::1", PRIVATE},
		{"2001:db9::1", PUBLIC},
		{"2606:4700:4700::1111", PUBLIC},
		{"fd00:ec2::254", METADATA},
		{"fd00:ec2::253", PRIVATE},
		{"100::1", PRIVATE},
		{"64:ff9b:1::8.8.8.8", PRIVATE},
		/* IPv4 inside: mapped, compatible, NAT64, 6to4, Teredo (inverted) */
		{"::ffff:8.8.8.8", PUBLIC},
		{"::ffff:127.0.0.1", LOOPBACK},
		{"::ffff:10.0.0.1", PRIVATE},
		{"::ffff:169.254.169.254", METADATA},
		{"::8.8.8.8", PUBLIC},
		{"::127.0.0.1", LOOPBACK},
		{"::10.0.0.1", PRIVATE},
		{"64:ff9b::8.8.8.8", PUBLIC},
		{"64:ff9b::127.0.0.1", LOOPBACK},
		{"64:ff9b::169.254.169.254", METADATA},
		{"64:ff9b::192.168.1.1", PRIVATE},
		{"2002:808:808::1", PUBLIC},
		{"2002:7f00:1::1", LOOPBACK},
		{"2002:a9fe:a9fe::", METADATA},
		{"2002:c0a8:101::", PRIVATE},
		{"2001:0:1:2:3:4:f7f7:f7f7", PUBLIC},
		{"2001:0:1:2:3:4:80ff:fffe", LOOPBACK},
		{"2001::5601:5601", METADATA},
		{"2001::f5ff:fffe", PRIVATE},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cg_address a = {0};
		enum nature nature = cases[i].nature;
		bool metadata = nature == METADATA;
		bool right =
			cg_address_parse(cases[i].text, &a) &&
			cg_address_is_private(&a) == (nature != PUBLIC) &&
			cg_address_is_loopback(&a) == (nature == LOOPBACK) &&
			cg_address_is_metadata(&a) == metadata &&
			cg_address_reachable(&a, CG_REACH_ANY) &&
			cg_address_reachable(&a, CG_REACH_PUBLIC) == (nature == PUBLIC) &&
			cg_address_reachable(&a, CG_REACH_LOOPBACK) ==
				(nature == LOOPBACK) &&
			cg_address_reachable(&a, CG_REACH_PRIVATE) == !metadata;

		CU_ASSERT_TRUE(right);
		if (!right)
			printf("misjudged %s\n", cases[i].text);
	}
}

static void address_matches_cidr(void)
{
	static const struct {
		const char *cidr;
		const char *address;
		bool inside;
	} cases[] = {
		{"10.0.0.0/8", "10.255.0.1", true},
		{"10.0.0.0/8", "11.0.0.1", false},
		{"10.0.0.0/8", "::ffff:10.1.1.1", true},
		{"1.2.3.4", "1.2.3.4", true},
		{"1.2.3.4", "1.2.3.5", false},
		{"1.2.3.4/32", "1.2.3.4", true},
		{"1.2.3.4/31", "1.2.3.5", true},
		{"1.2.3.4/31", "1.2.3.6", false},
		{"0.0.0.0/0", "200.1.1.1", true},
		{"0.0.0.0/0", "2001::1", false},
		{"::/0", "1.2.3.4", true},
		{"fd00::/8", "fdab::1", true},
		{"fd00::/9", "fd80::1", false},
		{"::1", "::1", true},
		{"::1/128", "::2", false},
		{"::ffff:10.0.0.0/104", "10.9.9.9", true},
		{"64:ff9b::1.2.3.4/128", "1.2.3.4", false},
	};
	static const char *const bad[] = {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33",
		"10.0.0.0/-1", "10.0.0.0/8 ", "10.0.0.0/8/8", "::/129", "10.0.0.0:80/8",
		"[::1]/128", "fe80::1%1/64", "host/8", "10.0.0.0/+8"};
	struct cg_cidr cidr;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cg_address address;

		CU_ASSERT_TRUE_FATAL(cg_cidr_parse(cases[i].cidr, &cidr));
		CU_ASSERT_TRUE_FATAL(cg_address_parse(cases[i].address, &address));
		CU_ASSERT_EQUAL(cg_cidr_contains(&cidr, &address), cases[i].inside);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_FALSE(cg_cidr_parse(bad[i], &cidr));
}

static void address_knows_hosts(void)
{
	CU_ASSERT_TRUE(cg_host_is_loopback("localhost"));
	CU_ASSERT_TRUE(cg_host_is_loopback("LocalHost."));
	CU_ASSERT_TRUE(cg_host_is_loopback("::1"));
	CU_ASSERT_TRUE(cg_host_is_loopback("[::1]"));
	CU_ASSERT_TRUE(cg_host_is_loopback("127.9.9.9"));
	CU_ASSERT_FALSE(cg_host_is_loopback("127.0.0.1.example.org"));
	CU_ASSERT_FALSE(cg_host_is_loopback("localhost.example.org"));
	CU_ASSERT_FALSE(cg_host_is_loopback("notlocalhost"));
	CU_ASSERT_FALSE(cg_host_is_loopback(""));
	CU_ASSERT_FALSE(cg_host_is_loopback(NULL));
	CU_ASSERT_TRUE(cg_host_is_metadata("metadata"));
	CU_ASSERT_TRUE(cg_host_is_metadata("Metadata.Google.Internal."));
	CU_ASSERT_TRUE(cg_host_is_metadata("169.254.169.254"));
	CU_ASSERT_TRUE(cg_host_is_metadata("[fd00:ec2::254]"));
	CU_ASSERT_FALSE(cg_host_is_metadata("metadata.example.org"));
	CU_ASSERT_FALSE(cg_host_is_metadata(NULL));
}

static void address_matches_host_patterns(void)
{
	CU_ASSERT_TRUE(cg_host_matches("a.example.org", "A.Example.Org"));
	CU_ASSERT_TRUE(cg_host_matches("a.example.org.", "a.example.org"));
	CU_ASSERT_TRUE(cg_host_matches("a.example.org", "*.example.org"));
	CU_ASSERT_TRUE(cg_host_matches("a.b.EXAMPLE.org", "*.example.org"));
	CU_ASSERT_FALSE(cg_host_matches("example.org", "*.example.org"));
	CU_ASSERT_FALSE(cg_host_matches("badexample.org", "*.example.org"));
	CU_ASSERT_FALSE(cg_host_matches(".example.org", "*.example.org"));
	CU_ASSERT_FALSE(cg_host_matches("a.example.org", "example.org"));
	CU_ASSERT_FALSE(cg_host_matches("a.example.org.evil.net", "*.example.org"));
	CU_ASSERT_FALSE(cg_host_matches("anything", "*"));
	CU_ASSERT_FALSE(cg_host_matches("anything", "*."));
	CU_ASSERT_FALSE(cg_host_matches("", "*.x"));
	CU_ASSERT_FALSE(cg_host_matches("", ""));
}

static void address_takes_urls_apart(void)
{
	static const struct {
		const char *text;
		const char *host;
		int port;
		bool https;
		bool userinfo;
	} cases[] = {
		{"http://example.org", "example.org", 80, false, false},
		{"HTTPS://Example.ORG./path?q#f", "example.org", 443, true, false},
		{"https://example.org:8443/", "example.org", 8443, true, false},
		{"http://user:pw@example.org/", "example.org", 80, false, true},
		{"http://user@example.org/", "example.org", 80, false, true},
		{"http://[::1]:9/", "::1", 9, false, false},
		{"http://[fe80::1%25eth0]/", "fe80::1", 80, false, false},
		{"http://127.1/", "127.0.0.1", 80, false, false},
		{"http://0x7f000001/", "127.0.0.1", 80, false, false},
		{"http://2130706433/", "127.0.0.1", 80, false, false},
		{"http://%6cocalhost/", "localhost", 80, false, false},
		{"http://example.org?@evil.net", "example.org", 80, false, false},
		{"http://example.org#@evil.net", "example.org", 80, false, false},
	};
	static const char *const bad[] = {"", "example.org", "//example.org", "ftp://x/",
		"http:example.org", "http:/example.org", "http:///example.org", "http://",
		"http://\\example.org", "http://a\\@b", "http://exa mple.org",
		"http://a/b c", "http://a/\n", "http://a\x7F", "http://a:0/",
		"http://a:65536/", "http://a:b/", "http://[::1", "http://[::g]/",
		"file:///etc/passwd", "http://.", "javascript:x", " http://a"};
	struct cg_url url;
	struct cg_error err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CU_ASSERT_EQUAL(cg_url_parse(cases[i].text, &url, &err), CG_OK);
		CU_ASSERT_STRING_EQUAL(url.host, cases[i].host);
		CU_ASSERT_EQUAL(url.port, cases[i].port);
		CU_ASSERT_EQUAL(url.https, cases[i].https);
		CU_ASSERT_EQUAL(url.has_userinfo, cases[i].userinfo);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		enum cg_status status = cg_url_parse(bad[i], &url, &err);

		CU_ASSERT_EQUAL(status, CG_INVALID);
		if (status == CG_OK)
			printf("accepted URL \"%s\"\n", bad[i]);
	}
	CU_ASSERT_EQUAL(cg_url_parse(NULL, &url, NULL), CG_INVALID);
}

static void address_caps_host_names(void)
{
	char text[400] = "http://";
	struct cg_url url;
	struct cg_error err;

	memset(text + 7, 'a', 255);
	text[7 + 255] = '\0';
	CU_ASSERT_EQUAL(cg_url_parse(text, &url, &err), CG_OK);
	CU_ASSERT_EQUAL(strlen(url.host), 255);
	text[7 + 255] = 'a';
	CU_ASSERT_EQUAL(cg_url_parse(text, &url, &err), CG_INVALID);
}

static void address_knows_proxies(void)
{
	static const char *const good[] = {"http://proxy:3128", "https://10.0.0.1:8443/",
		"socks5h://user:pass@proxy.example", "HTTP://[::1]:1"};
	static const char *const bad[] = {"", "proxy:3128", "socks5://proxy", "http://",
		"ftp://proxy", "http://a secret", "http://a\r\nsecret", "file:///secret"};
	struct cg_error err;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CU_ASSERT_EQUAL(cg_proxy_check(good[i], &err), CG_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CU_ASSERT_EQUAL(cg_proxy_check(bad[i], &err), CG_INVALID);
		CU_ASSERT_PTR_NULL(strstr(err.text, "secret"));
	}
}

UNIT_SUITE(address, UNIT_TEST(address_reads_every_spelling),
	UNIT_TEST(address_knows_its_nature), UNIT_TEST(address_matches_cidr),
	UNIT_TEST(address_knows_hosts), UNIT_TEST(address_matches_host_patterns),
	UNIT_TEST(address_takes_urls_apart), UNIT_TEST(address_caps_host_names),
	UNIT_TEST(address_knows_proxies));
