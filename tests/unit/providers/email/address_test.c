/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/email/address.h"
#include "tests/unit/unit.h"

#include <string.h>

static void addresses_are_found(void)
{
	static const struct {
		const char *text, *address, *name;
	} rows[] = {
		{"ada@example.com", "ada@example.com", ""},
		{"Ada Lovelace <Ada@Example.COM>", "ada@example.com", "Ada Lovelace"},
		{"\"Ada, Countess\" <ada@example.com>", "ada@example.com",
			"Ada, Countess"},
		{"mailto:ada@example.com", "ada@example.com", ""},
		{"nobody, ada@example.com; b@c.org", "ada@example.com", ""},
		{"'ada+tag@mail.example.com'", "ada+tag@mail.example.com", ""},
		{"\"eve@evil.example\" <ada@example.com>", "ada@example.com",
			"eve@evil.example"},
	};
	char address[EMAIL_ADDRESS], name[EMAIL_NAME];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CU_ASSERT_TRUE(email_address_read(rows[i].text, address, name));
		CU_ASSERT_STRING_EQUAL(address, rows[i].address);
		CU_ASSERT_STRING_EQUAL(name, rows[i].name);
	}
}

static void what_is_no_address_is_none(void)
{
	static const char *const texts[] = {"", "ada", "ada@host", "@example.com",
		"a..b@example.com", ".a@example.com", "a@-x.org", "a@x-.org", "a@x..org",
		"a@x.1", "a@x.c", "a@127.0.0.1", "a b@", "<>", "a@x.org\xC3\xA9",
		"-oQ@example.com", "a@b@c"};
	char address[EMAIL_ADDRESS];
	char local[80];

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		CU_ASSERT_FALSE(email_address_read(texts[i], address, NULL));
	memset(local, 'a', 65);
	memcpy(local + 64, "@x.org", 7);
	CU_ASSERT_TRUE(email_address_read(local, address, NULL));
	memset(local, 'a', 65);
	memcpy(local + 65, "@x.org", 7);
	CU_ASSERT_FALSE(email_address_read(local, address, NULL));
}

static void ids_are_read_one_by_one(void)
{
	const char *at = " <a@b> <bad id> junk\r\n\t<c@d>, e@f <x\"@y> <>";
	char id[EMAIL_ID];

	CU_ASSERT_TRUE(email_id_next(&at, id));
	CU_ASSERT_STRING_EQUAL(id, "a@b");
	CU_ASSERT_TRUE(email_id_next(&at, id));
	CU_ASSERT_STRING_EQUAL(id, "c@d");
	CU_ASSERT_TRUE(email_id_next(&at, id));
	CU_ASSERT_STRING_EQUAL(id, "e@f");
	CU_ASSERT_FALSE(email_id_next(&at, id));
}

static void an_id_of_ours_names_its_thread(void)
{
	char id[EMAIL_ID], again[EMAIL_ID], thread[EMAIL_KEY], key[EMAIL_KEY];

	email_thread_key("root@example.com", key);
	email_id_make(key, "delivery-1", "example.org", id);
	email_id_make("root@example.com", "delivery-1", "example.org", again);
	CU_ASSERT_STRING_EQUAL(id, again);
	CU_ASSERT_TRUE(email_id_is_ours(id, "example.org", thread));
	CU_ASSERT_STRING_EQUAL(thread, key);
	email_id_make(key, "delivery-2", "example.org", again);
	CU_ASSERT_STRING_NOT_EQUAL(id, again);
	CU_ASSERT_FALSE(email_id_is_ours(id, "example.com", NULL));
	CU_ASSERT_FALSE(email_id_is_ours("cg.x.y@example.org", "example.org", NULL));
	CU_ASSERT_FALSE(email_id_is_ours("", "example.org", NULL));
}

UNIT_SUITE(email_address, UNIT_TEST(addresses_are_found),
	UNIT_TEST(what_is_no_address_is_none), UNIT_TEST(ids_are_read_one_by_one),
	UNIT_TEST(an_id_of_ours_names_its_thread));
