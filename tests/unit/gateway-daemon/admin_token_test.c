/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/daemon/house.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct home {
	char directory[64], path[96];
	struct config config;
	struct cg_secret token;
	struct cg_error err;
};

static void begin(struct home *home)
{
	memset(home, 0, sizeof(*home));
	snprintf(home->directory, sizeof(home->directory), "/tmp/cowgate-token-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(home->directory));
	snprintf(home->path, sizeof(home->path), "%s/admin-token", home->directory);
	home->config.data_dir = home->directory;
	home->config.make_admin_token = true;
}

static void end(struct home *home)
{
	cg_secret_wipe(&home->token);
	cg_secret_wipe(&home->config.admin_token);
	unlink(home->path);
	CU_ASSERT_EQUAL(rmdir(home->directory), 0); /* nothing else is left */
}

static enum cg_status load(struct home *home)
{
	cg_secret_wipe(&home->token);
	return admin_token_load(&home->config, &home->token, &home->err);
}

static void put(struct home *home, const char *text, mode_t mode)
{
	int fd = open(home->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	CU_ASSERT_EQUAL(chmod(home->path, mode), 0);
}

static void admin_token_is_made_once_and_kept(void)
{
	char first[129] = "", file[200] = "";
	struct home home;
	struct stat info;
	FILE *stream;

	begin(&home);
	CU_ASSERT_EQUAL(load(&home), CG_OK);
	CU_ASSERT_FATAL(home.token.length >= 32 && home.token.length <= 128);
	memcpy(first, home.token.bytes, home.token.length);
	CU_ASSERT_EQUAL(stat(home.path, &info), 0);
	CU_ASSERT_EQUAL(info.st_mode & 0777, 0600);
	stream = fopen(home.path, "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
	CU_ASSERT_PTR_NOT_NULL(fgets(file, sizeof(file), stream));
	fclose(stream);
	CU_ASSERT_EQUAL(strncmp(file, first, strlen(first)), 0);
	CU_ASSERT_STRING_EQUAL(file + strlen(first), "\n"); /* easy to cat */
	CU_ASSERT_EQUAL(load(&home), CG_OK);
	CU_ASSERT(cg_secret_equals(&home.token, first, strlen(first)));
	/* Removed, it is made anew. */
	unlink(home.path);
	CU_ASSERT_EQUAL(load(&home), CG_OK);
	CU_ASSERT_FALSE(cg_secret_equals(&home.token, first, strlen(first)));
	end(&home);
}

static void admin_token_of_the_settings_wins(void)
{
	struct home home;

	begin(&home);
	CU_ASSERT_EQUAL(cg_secret_set(&home.config.admin_token, "configured", 10), CG_OK);
	CU_ASSERT_EQUAL(load(&home), CG_OK);
	CU_ASSERT(cg_secret_equals(&home.token, "configured", 10));
	CU_ASSERT_EQUAL(access(home.path, F_OK), -1);
	end(&home);
}

static void admin_token_is_not_made_unasked(void)
{
	struct home home;

	begin(&home);
	home.config.make_admin_token = false;
	put(&home, "a-token-that-lies-there-already\n", 0600);
	CU_ASSERT_EQUAL(load(&home), CG_OK);
	CU_ASSERT_FALSE(cg_secret_is_set(&home.token));
	end(&home);
}

static void admin_token_that_others_may_read_is_refused(void)
{
	static const mode_t modes[] = {0640, 0604, 0666, 0620};
	struct home home;

	begin(&home);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		put(&home, "a-token-that-lies-there-already\n", modes[i]);
		CU_ASSERT_EQUAL(load(&home), CG_DENIED);
		CU_ASSERT_PTR_NOT_NULL(strstr(home.err.text, home.path));
		CU_ASSERT_FALSE(cg_secret_is_set(&home.token));
	}
	end(&home);
}

static void admin_token_that_is_too_short_is_refused(void)
{
	static const char *const texts[] = {"", "\n", "short\n", "123456789012345\n"};
	struct home home;

	begin(&home);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		put(&home, texts[i], 0600);
		CU_ASSERT_EQUAL(load(&home), CG_INVALID);
		CU_ASSERT_FALSE(cg_secret_is_set(&home.token));
	}
	put(&home, "1234567890123456\r\nand a second line", 0600);
	CU_ASSERT_EQUAL(load(&home), CG_OK);
	CU_ASSERT(cg_secret_equals(&home.token, "1234567890123456", 16));
	end(&home);
}

static void admin_token_needs_a_place(void)
{
	struct home home;

	begin(&home);
	home.config.data_dir = "/nonexistent/data";
	CU_ASSERT_EQUAL(load(&home), CG_IO);
	CU_ASSERT_PTR_NOT_NULL(strstr(home.err.text, "/nonexistent/data"));
	end(&home);
}

UNIT_SUITE(admin_token, UNIT_TEST(admin_token_is_made_once_and_kept),
	UNIT_TEST(admin_token_of_the_settings_wins),
	UNIT_TEST(admin_token_is_not_made_unasked),
	UNIT_TEST(admin_token_that_others_may_read_is_refused),
	UNIT_TEST(admin_token_that_is_too_short_is_refused),
	UNIT_TEST(admin_token_needs_a_place));
