/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One load of a configuration: an environment, files in a directory of its own, and the kinds
 * that this file declares.
 */
#ifndef COWGATE_TESTS_CONFIG_RIG_H
#define COWGATE_TESTS_CONFIG_RIG_H

#include "config/config.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define K "OPEN_COWORK_GATEWAY_"
#define RIG_VARIABLES 160
#define RIG_FILES 16

#define RIG_OPTION(kind_, name_, env_, flags_, ...) \
	{ \
		.size = sizeof(struct cg_option), .kind = CG_OPTION_##kind_, \
		.name = name_, .env = env_, .flags = flags_, .help = "Help of " name_, \
		__VA_ARGS__ \
	}

static const struct cg_option rig_telegram_options[] = {
	RIG_OPTION(SECRET, "botToken", "TELEGRAM_BOT_TOKEN",
		CG_OPTION_REQUIRED | CG_OPTION_ACTIVATES | CG_OPTION_CREDENTIAL,
		.fallback = NULL),
	RIG_OPTION(SECRET, "webhookSecret", "TELEGRAM_WEBHOOK_SECRET",
		CG_OPTION_CREDENTIAL, .min = 4, .max = 32),
	RIG_OPTION(CHOICE, "mode", "TELEGRAM_MODE", 0, .choices = "polling,webhook",
		.fallback = "polling"),
	RIG_OPTION(URL, "publicBaseUrl", "TELEGRAM_PUBLIC_URL", 0, .fallback = NULL),
	RIG_OPTION(BOOLEAN, "observe", NULL, CG_OPTION_JSON_ONLY, .fallback = "false"),
};

static const struct cg_option rig_webhook_options[] = {
	RIG_OPTION(URL, "deliveryUrl", "WEBHOOK_DELIVERY_URL",
		CG_OPTION_REQUIRED | CG_OPTION_ACTIVATES, .fallback = NULL),
	RIG_OPTION(SECRET, "sharedSecret", "WEBHOOK_SHARED_SECRET",
		CG_OPTION_REQUIRED | CG_OPTION_CREDENTIAL, .fallback = NULL),
	RIG_OPTION(LIST, "deliveryUrlAllowedHosts", "WEBHOOK_DELIVERY_ALLOWED_HOSTS", 0,
		.fallback = NULL),
	RIG_OPTION(BOOLEAN, "allowPrivateDelivery", "WEBHOOK_ALLOW_PRIVATE_DELIVERY", 0,
		.fallback = "false"),
	RIG_OPTION(INTEGER, "maxAttachmentBytes", "WEBHOOK_MAX_ATTACHMENT_BYTES", 0,
		.min = 1, .max = 67108864),
	RIG_OPTION(
		STRING, "label", "WEBHOOK_LABEL", CG_OPTION_CREDENTIAL, .fallback = NULL),
};

/* A kind that the floor has never heard of, with a row that is longer than ours. */
struct rig_long_option {
	struct cg_option option;
	int64_t newer;
};
static const struct rig_long_option rig_irc_options[] = {
	{{.size = sizeof(struct rig_long_option),
		 .kind = CG_OPTION_STRING,
		 .name = "nick",
		 .env = "IRC_NICK",
		 .fallback = "cowgate"},
		1},
	{{.size = sizeof(struct rig_long_option),
		 .kind = CG_OPTION_STRING,
		 .name = "server",
		 .env = "IRC_SERVER",
		 .flags = CG_OPTION_REQUIRED,
		 .min = 3,
		 .max = 20},
		2},
};

#define RIG_PROVIDER(kind_, title_, flags_, options_, count_) \
	{ \
		.size = sizeof(struct cg_provider), .flags = flags_, .kind = kind_, \
		.title = title_, .version = "1", .options = options_, \
		.option_count = count_ \
	}

static const struct cg_provider rig_telegram =
	RIG_PROVIDER("telegram", "Telegram", 0, rig_telegram_options, 5);
static const struct cg_provider rig_webhook =
	RIG_PROVIDER("webhook", "Webhook", 0, rig_webhook_options, 6);
static const struct cg_provider rig_cli =
	RIG_PROVIDER("cli", "Terminal", CG_PROVIDER_LOCAL_ONLY, NULL, 0);
static const struct cg_provider rig_fake =
	RIG_PROVIDER("fake", "Fake", CG_PROVIDER_DEMO, NULL, 0);
static const struct cg_provider rig_irc =
	RIG_PROVIDER("irc", "IRC", 0, &rig_irc_options[0].option, 2);
static const struct cg_provider *const rig_kinds[] = {
	&rig_telegram, &rig_webhook, &rig_cli, &rig_fake, &rig_irc};
#define RIG_KINDS (sizeof(rig_kinds) / sizeof(*rig_kinds))

struct rig {
	char directory[64];
	char *variables[RIG_VARIABLES + 1];
	size_t variable_count;
	char files[RIG_FILES][128];
	size_t file_count;
	struct config_input input;
	struct config_report report;
	struct config *config;
	enum cg_status status;
};

/* @text is "NAME=value". */
static inline void rig_env(struct rig *rig, const char *text)
{
	if (rig->variable_count < RIG_VARIABLES)
		rig->variables[rig->variable_count++] = strdup(text);
}

/* NAME=<directory>/<rest>. */
static inline void rig_env_path(struct rig *rig, const char *name, const char *rest)
{
	char text[256];

	snprintf(text, sizeof(text), "%s=%s/%s", name, rig->directory, rest);
	rig_env(rig, text);
}

static inline const char *rig_file(
	struct rig *rig, const char *name, const char *text, mode_t mode)
{
	char *path = rig->files[rig->file_count++];
	FILE *file;

	snprintf(path, sizeof(rig->files[0]), "%s/%s", rig->directory, name);
	file = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fwrite(text, 1, strlen(text), file);
	fclose(file);
	chmod(path, mode);
	return path;
}

/* Nothing but a home: standalone with the terminal. */
static inline void rig_begin(struct rig *rig)
{
	memset(rig, 0, sizeof(*rig));
	snprintf(rig->directory, sizeof(rig->directory), "/tmp/cowgate-config-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(rig->directory));
	config_report_init(&rig->report);
	rig->input = (struct config_input){
		.environment = rig->variables,
		.cwd = rig->directory,
		.kinds = rig_kinds,
		.kind_count = RIG_KINDS,
		.plugin_dir = "/usr/lib/cowgate",
	};
	rig_env_path(rig, "STATE_DIRECTORY", "state");
}

/* A Cloud, an operator and one provider: the smallest gateway of the other mode. */
static inline void rig_begin_cloud(struct rig *rig)
{
	rig_begin(rig);
	rig_env(rig, "OPEN_COWORK_CLOUD_BASE_URL=https://cloud.test/");
	rig_env(rig, K "SERVICE_TOKEN=occ_service");
	rig_env(rig, K "ADMIN_TOKEN=admin-secret-of-tests");
	rig_env(rig, K "TELEGRAM_BOT_TOKEN=1:bot");
}

static inline enum cg_status rig_load(struct rig *rig)
{
	rig->status = config_load(&rig->input, &rig->config, &rig->report);
	if (rig->status != CG_OK)
		CU_ASSERT_PTR_NULL(rig->config);
	CU_ASSERT_EQUAL(rig->status == CG_OK, rig->report.errors == 0);
	return rig->status;
}

static inline void rig_drop(struct rig *rig)
{
	config_destroy(rig->config);
	rig->config = NULL;
	config_report_finish(&rig->report);
}

static inline void rig_end(struct rig *rig)
{
	rig_drop(rig);
	for (size_t i = 0; i < rig->variable_count; i++)
		free(rig->variables[i]);
	while (rig->file_count > 0)
		unlink(rig->files[--rig->file_count]);
	CU_ASSERT_EQUAL(rmdir(rig->directory), 0);
}

/* Is there an issue whose place and sentence hold these? */
static inline bool rig_has(const struct rig *rig, enum config_severity severity,
	const char *where, const char *what)
{
	for (size_t i = 0; i < rig->report.count; i++) {
		const struct config_issue *issue = &rig->report.issues[i];

		if (issue->severity == severity && strstr(issue->where, where) != NULL &&
			strstr(issue->what, what) != NULL)
			return true;
	}
	return false;
}

/* Show the report when a test goes wrong. */
static inline void rig_print(const struct rig *rig, const char *label)
{
	struct cg_buffer text;

	cg_buffer_init(&text, 1u << 20);
	config_report_write(&rig->report, &text);
	fprintf(stderr, "%s: status %d\n%s", label, (int)rig->status,
		cg_buffer_string(&text));
	cg_buffer_finish(&text);
}

#define RIG_CHECK(rig, condition, label) \
	do { \
		bool held_ = (condition); \
		if (!held_) \
			rig_print(rig, label); \
		CU_ASSERT_TRUE(held_); \
	} while (0)

#endif
