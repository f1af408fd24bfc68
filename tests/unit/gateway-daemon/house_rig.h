/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole daemon in this process: real settings from a file, real stores in a directory of its
 * own, and providers that the test holds by their strings (struct actor).  What it logs goes to a
 * file.
 */
#ifndef COWGATE_TESTS_HOUSE_RIG_H
#define COWGATE_TESTS_HOUSE_RIG_H

#include "config/diff.h"
#include "gateway/daemon/house.h"
#include "gateway/daemon/tree.h"
#include "runtime/log.h"
#include "tests/unit/gateway-plugins/provider_rig.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#define K "OPEN_COWORK_GATEWAY_"
#define HOUSE_VARIABLES 8
#define HOUSE_TURNS 30000 /* of a millisecond, before a test that hangs fails */

#define ONE "actor-one" /* ids of instances begin with their kind */
#define TWO "actor-two"

/* An entry of a provider; @rest is what else it says. */
#define HOUSE_ACTOR(id, rest) \
	"{\"kind\":\"actor\",\"id\":\"" id "\",\"channelBindingId\":\"" id \
	"\",\"allowFrom\":[\"*\"]" rest "}"
#define HOUSE_MOOD(mood) ",\"settings\":{\"mood\":\"" mood "\"}"
#define HOUSE_ONE K "PROVIDERS=[" HOUSE_ACTOR(ONE, "") "]\n"
#define HOUSE_TWO K "PROVIDERS=[" HOUSE_ACTOR(ONE, "") "," HOUSE_ACTOR(TWO, "") "]\n"

struct house {
	struct stage stage; /* of the actors alone */
	char directory[64], data[96], file[96], log[96];
	char *environment[HOUSE_VARIABLES + 1];
	size_t variable_count;
	const char *keeper; /* program that agents run below; NULL: there is none */
	struct config_input input;
	struct config_report report;
	struct config *config;
	struct daemon *daemon;
	struct cg_error err;
	int log_fd;
	/* While it runs. */
	void (*body)(struct house *house);
	char url[320];
	unsigned readies, reloads;
};

/* A provider that is not made in a bad mood. */
static inline enum cg_status house_actor_create(const struct cg_host *host,
	const struct cg_settings *settings, void **ret_self, struct cg_error *err)
{
	if (strcmp(settings->string(settings, "mood"), "bad") == 0)
		return cg_error_set(err, CG_INVALID, "mood must be good");
	return actor_create(host, settings, ret_self, err);
}

static const struct cg_provider_ops house_ops = {.size = sizeof(house_ops),
	.create = house_actor_create,
	.destroy = actor_destroy,
	.start = actor_start,
	.stop = actor_stop,
	.capabilities = actor_capabilities,
	.measure = actor_measure,
	.send = actor_send,
	.cancel = actor_cancel};
static const struct cg_option house_options[] = {{.size = sizeof(house_options[0]),
	.kind = CG_OPTION_STRING,
	.flags = CG_OPTION_JSON_ONLY,
	.name = "mood",
	.fallback = "good",
	.help = "Mood"}};
static const struct cg_provider house_provider = {.size = sizeof(house_provider),
	.kind = "actor",
	.title = "Actor",
	.version = "1",
	.options = house_options,
	.option_count = 1,
	.ops = &house_ops};
static const struct cg_provider *const house_kinds[] = {&house_provider};

/* What the settings file says from now on. */
static inline void house_write(const struct house *house, const char *lines)
{
	FILE *file = fopen(house->file, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT_EQUAL(fchmod(fileno(file), 0600), 0);
	fputs(lines, file);
	fclose(file);
}

/* "NAME=value", in place of what that name had. */
static inline void house_env(struct house *house, const char *text)
{
	size_t i = 0, length = strcspn(text, "=") + 1;

	while (i < house->variable_count &&
		strncmp(house->environment[i], text, length) != 0)
		i++;
	CU_ASSERT_FATAL(i < HOUSE_VARIABLES);
	free(house->environment[i]);
	house->environment[i] = strdup(text);
	if (i == house->variable_count)
		house->variable_count++;
}

/* A place for a daemon with these settings, on a port that is free. */
static inline void house_begin(struct house *house, const char *lines)
{
	struct log_options options = {.level = CG_LOG_DEBUG};
	char text[256];

	memset(house, 0, sizeof(*house));
	stage_now = &house->stage;
	snprintf(house->directory, sizeof(house->directory), "/tmp/cowgate-house-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(house->directory));
	snprintf(house->data, sizeof(house->data), "%s/data", house->directory);
	snprintf(house->file, sizeof(house->file), "%s/env", house->directory);
	snprintf(house->log, sizeof(house->log), "%s/log", house->directory);
	house->log_fd = open(house->log, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	CU_ASSERT_FATAL(house->log_fd >= 0);
	options.fd = house->log_fd;
	log_setup(&options);
	house->input = (struct config_input){.environment = house->environment,
		.cwd = house->directory,
		.kinds = house_kinds,
		.kind_count = 1};
	snprintf(text, sizeof(text), K "ENV_FILE=%s", house->file);
	house_env(house, text);
	snprintf(text, sizeof(text), K "DATA_DIR=%s", house->data);
	house_env(house, text);
	house_env(house, K "PORT=0");
	house_env(house, K "PLUGIN_DIR=/nonexistent");
	unsetenv("RUNTIME_DIRECTORY");
	house_write(house, lines);
}

static inline void house_ready(void *arg, const char *url)
{
	struct house *house = arg;

	house->readies++;
	snprintf(house->url, sizeof(house->url), "%s", url);
	if (house->body != NULL)
		house->body(house);
}

static inline void house_reloaded(void *arg, const struct config *config)
{
	struct house *house = arg;

	house->reloads++;
	CU_ASSERT_PTR_EQUAL(config, house->daemon->config);
}

static inline void house_load(struct house *house)
{
	enum cg_status status;

	config_report_init(&house->report);
	status = config_load(&house->input, &house->config, &house->report);
	for (size_t i = 0; status != CG_OK && i < house->report.count; i++)
		fprintf(stderr, "%s: %s\n", house->report.issues[i].where,
			house->report.issues[i].what);
	config_report_finish(&house->report);
	CU_ASSERT_EQUAL_FATAL(status, CG_OK);
}

/* Read the settings and make a daemon of them. */
static inline enum cg_status house_create(struct house *house)
{
	const struct daemon_options options = {.input = &house->input,
		.version = "0",
		.keeper = house->keeper,
		.ready = house_ready,
		.reloaded = house_reloaded,
		.arg = house};
	struct daemon_options whole = options;

	house->stage.count = 0;
	memset(house->stage.actors, 0, sizeof(house->stage.actors));
	house_load(house);
	whole.config = house->config;
	return daemon_create(&whole, &house->daemon, &house->err);
}

/* The daemon goes; its place stays. */
static inline void house_close(struct house *house)
{
	daemon_destroy(house->daemon);
	house->daemon = NULL;
	config_destroy(house->config);
	house->config = NULL;
}

static inline void house_end(struct house *house)
{
	const struct log_options options = {.level = CG_LOG_INFO, .fd = -1};

	house_close(house);
	log_setup(&options);
	close(house->log_fd);
	for (size_t i = 0; i < house->variable_count; i++)
		free(house->environment[i]);
	CU_ASSERT_EQUAL(tree_remove(house->data, NULL), CG_OK);
	CU_ASSERT_EQUAL(tree_remove(house->directory, NULL), CG_OK);
}

#define HOUSE_UNTIL(house, condition) \
	do { \
		bool until_met; \
		unsigned until_turns = 0; \
\
		while (!(until_met = (condition)) && until_turns++ < HOUSE_TURNS) { \
			loop_turn((house)->daemon->loop); \
			poll(NULL, 0, until_turns > 100); \
		} \
		CU_ASSERT_FATAL(until_met); \
	} while (0)

/* Make it, run it with @body as soon as it is ready, stop it, and close it. */
static inline void house_run(struct house *house, void (*body)(struct house *house))
{
	house->body = body;
	house->readies = 0;
	CU_ASSERT_EQUAL_FATAL(house_create(house), CG_OK);
	CU_ASSERT_EQUAL(daemon_run(house->daemon, &house->err), CG_OK);
	CU_ASSERT_EQUAL(house->readies, 1);
	house_close(house);
}

/* The newest actor of an instance. */
static inline struct actor *house_actor(struct house *house, const char *id)
{
	for (size_t i = house->stage.count; i > 0; i--) {
		struct actor *actor = &house->stage.actors[i - 1];

		if (strcmp(actor->settings->instance_id, id) == 0)
			return actor;
	}
	CU_FAIL_FATAL("there is no such actor");
	return NULL;
}

/* It can hear and speak. */
static inline void house_up(struct house *house, const char *id)
{
	stage_health(house_actor(house, id), CG_HEALTH_UP, CG_HEALTH_UP);
}

static inline void house_stored(void *arg, enum cg_verdict verdict)
{
	*(int *)arg = (int)verdict;
}

/* A person writes to the instance; what became of that. */
static inline enum cg_verdict house_hear(
	struct house *house, const char *id, const char *event_id, const char *text)
{
	const struct cg_inbound inbound = rig_message(event_id, text);
	const struct actor *actor = house_actor(house, id);
	int verdict = -1;

	actor->host->submit(actor->host, &inbound, house_stored, &verdict);
	HOUSE_UNTIL(house, verdict >= 0);
	return (enum cg_verdict)verdict;
}

/* Is this in a line of the log? */
static inline bool house_logged(const struct house *house, const char *text)
{
	static char lines[1 << 20];
	ssize_t length = pread(house->log_fd, lines, sizeof(lines) - 1, 0);

	CU_ASSERT_FATAL(length >= 0 && (size_t)length < sizeof(lines) - 1);
	lines[length] = '\0';
	return strstr(lines, text) != NULL;
}

/* Does a line of the metrics say exactly this? */
static inline bool house_metered(const struct house *house, const char *line)
{
	struct cg_buffer text;
	char whole[256];
	bool found;

	snprintf(whole, sizeof(whole), "\n%s\n", line);
	cg_buffer_init(&text, 4u << 20);
	CU_ASSERT_EQUAL_FATAL(meter_write(house->daemon->meter, &text), CG_OK);
	found = strstr(cg_buffer_string(&text), whole) != NULL;
	cg_buffer_finish(&text);
	if (!found)
		fprintf(stderr, "not metered: %s\n", line);
	return found;
}

/* The first number of a statement on the journal, as another reader sees it. */
static inline int64_t house_number(const struct house *house, const char *sql)
{
	struct rig rig;

	snprintf(rig.path, sizeof(rig.path), "%.80s/journal.db", house->data);
	return rig_number(&rig, sql);
}

#endif
