/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that can be wrong with an installation, looked at once, each fault with its mend. */
#include "cli/doctor.h"
#include "cli/command.h"
#include "cli/disk.h"
#include "cli/init_service.h"
#include "cli/operator_call.h"
#include "cli/probe.h"
#include "cli/settings.h"
#include "runtime/database_copy.h"

#include <cowgate/sdk/address.h>
#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DISK_LOW ((int64_t)256 << 20)
#define DISK_EMPTY ((int64_t)32 << 20)
#define SYNC_SLOW_US 100000
#define CLOCK_SLACK_S 3600 /* that a file may lie in the future */

static const char *const stores[] = {"journal.db", "plane.db"};

static void look_at_settings(const struct settings *settings, struct findings *findings)
{
	const struct config_report *report = &settings->report;

	for (size_t i = 0; i < report->count; i++) {
		const struct config_issue *issue = &report->issues[i];

		findings_add(findings,
			issue->severity == CONFIG_ERROR ? FINDING_FAULT : FINDING_WARNING,
			"settings",
			issue->mend != NULL ? issue->mend
					    : "`cowgate config NAME` explains a setting",
			"%s: %s", issue->where, issue->what);
	}
	if (!config_report_failed(report))
		findings_add(findings, FINDING_OK, "settings", NULL,
			"they can be used; `cowgate config` shows them");
}

static void look_at_modules(const struct settings *settings, struct findings *findings)
{
	size_t count;
	const struct cg_provider *const *providers =
		loader_providers(settings->loader, &count);
	char list[FINDING_TEXT] = "";

	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(list);

		snprintf(list + length, sizeof(list) - length, "%s%s %s",
			i == 0 ? "" : ", ", providers[i]->kind, providers[i]->version);
	}
	if (settings->refused_modules > 0)
		findings_add(findings, FINDING_FAULT, "modules",
			"rebuild or remove what stands above; `cowgate plugin-check "
			"FILE` tries one",
			"%zu module%s cannot be used", settings->refused_modules,
			settings->refused_modules == 1 ? "" : "s");
	findings_add(findings, FINDING_OK, "modules", NULL, "%s", list);
}

/* Ours, or another's that only they can read. */
static void look_at_file(
	const char *directory, const char *name, bool needed, struct findings *findings)
{
	char path[CONFIG_PATH + 32];
	struct stat info;

	snprintf(path, sizeof(path), "%s%s%s", directory, name[0] == '\0' ? "" : "/",
		name);
	if (stat(path, &info) != 0) {
		if (needed)
			findings_add(findings, FINDING_WARNING, "files",
				"start it once with `cowgate run`, as the user that it "
				"runs as, or set OPEN_COWORK_GATEWAY_DATA_DIR",
				"%s is not there or cannot be seen", path);
		return;
	}
	if ((info.st_mode & 077) != 0)
		findings_add(findings, FINDING_FAULT, "files",
			"take the rights of others away: chmod go= on it",
			"%s can be read by others (mode %04o)", path,
			(unsigned)(info.st_mode & 07777));
	else if (geteuid() != 0 && info.st_uid != geteuid())
		findings_add(findings, FINDING_FAULT, "files",
			"run this as root or as the user that the gateway runs as",
			"%s belongs to another user", path);
	else if (needed)
		findings_add(findings, FINDING_OK, "files", NULL,
			"%s is its owner's alone", path);
}

static void look_at_files(const char *data_dir, struct findings *findings)
{
	static const char *const names[] = {"journal.db", "plane.db", "admin-token",
		"spool", "files", "operator.sock"};

	look_at_file(data_dir, "", true, findings);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		look_at_file(data_dir, names[i], false, findings);
}

static void look_at_clock(const char *data_dir, struct findings *findings)
{
	static const char mend[] = "let a time service set it, systemd-timesyncd or "
				   "chrony; until then nothing dies of age and signed "
				   "webhooks are asked to come again";
	time_t now = time(NULL);
	char path[CONFIG_PATH + 32];
	struct stat info;

	if ((int64_t)now * 1000 < COWGATE_BUILT_MS) {
		findings_add(findings, FINDING_FAULT, "clock", mend,
			"it is earlier than this program was built");
		return;
	}
	snprintf(path, sizeof(path), "%s/%s", data_dir, stores[0]);
	if (stat(path, &info) == 0 && info.st_mtime > now + CLOCK_SLACK_S)
		findings_add(findings, FINDING_FAULT, "clock", mend,
			"it is earlier than what has been stored");
	else
		findings_add(findings, FINDING_OK, "clock", NULL,
			"it is later than all that is known");
}

static void look_at_disk(const char *data_dir, struct findings *findings)
{
	struct disk_figures figures;
	struct cg_error err = {.text = ""};
	long long mib;

	if (access(data_dir, F_OK) != 0)
		return; /* said already */
	if (disk_measure(data_dir, &figures, &err) != CG_OK) {
		findings_add(findings, FINDING_FAULT, "disk",
			"make room, or see that the directory is on a disk that can be "
			"written",
			"%s", err.text);
		return;
	}
	mib = (long long)(figures.free_bytes >> 20);
	if (figures.free_bytes < DISK_LOW)
		findings_add(findings,
			figures.free_bytes < DISK_EMPTY ? FINDING_FAULT : FINDING_WARNING,
			"disk", "make room: on a full disk nothing is taken in",
			"%lld MiB are free", mib);
	else
		findings_add(
			findings, FINDING_OK, "disk", NULL, "%lld MiB are free", mib);
	findings_add(findings,
		figures.sync_median_us > SYNC_SLOW_US ? FINDING_WARNING : FINDING_OK,
		"disk sync",
		figures.sync_median_us > SYNC_SLOW_US
			? "every message waits for one: a faster disk answers faster"
			: NULL,
		"a write lasts after %lld.%02lld ms, at worst %lld.%02lld ms (of %d)",
		(long long)(figures.sync_median_us / 1000),
		(long long)(figures.sync_median_us / 10 % 100),
		(long long)(figures.sync_worst_us / 1000),
		(long long)(figures.sync_worst_us / 10 % 100), DISK_SYNCS);
}

static void look_at_stores(const char *data_dir, struct findings *findings)
{
	for (size_t i = 0; i < sizeof(stores) / sizeof(stores[0]); i++) {
		char path[CONFIG_PATH + 32];
		struct cg_error err = {.text = ""};
		enum cg_status status;

		snprintf(path, sizeof(path), "%s/%s", data_dir, stores[i]);
		status = database_verify(path, &err);
		if (status == CG_OK)
			findings_add(findings, FINDING_OK, stores[i], NULL,
				"it holds together");
		else if (status == CG_INVALID)
			findings_add(findings, FINDING_FAULT, stores[i],
				"stop the gateway, keep the file aside, and `cowgate "
				"restore` a backup; then look at the disk",
				"%s", err.text);
		else if (status != CG_NOT_FOUND)
			findings_add(findings, FINDING_WARNING, stores[i],
				"run this again as the user that the gateway runs as",
				"it cannot be looked at: %s", err.text);
	}
}

static void look_at_exposure(const struct config *config, struct findings *findings)
{
	struct cg_address address;
	bool everyone = cg_address_parse(config->host, &address)
				? !cg_address_is_loopback(&address)
				: !cg_host_is_loopback(config->host);

	if (!everyone)
		findings_add(findings, FINDING_OK, "exposure", NULL,
			"it listens on %s, for this host alone", config->host);
	else if (config->tls_certificate_file != NULL)
		findings_add(findings, FINDING_OK, "exposure", NULL,
			"it listens on %s port %lld, with TLS", config->host,
			(long long)config->port);
	else
		findings_add(findings, FINDING_WARNING, "exposure",
			"set OPEN_COWORK_GATEWAY_TLS_CERTIFICATE_FILE, listen on "
			"127.0.0.1 behind a proxy that ends TLS, or close the port to "
			"all who need not reach it",
			"it listens on %s port %lld, in clear text", config->host,
			(long long)config->port);
	if (config->operator_bypass)
		findings_add(findings, FINDING_WARNING, "exposure",
			"set OPEN_COWORK_GATEWAY_ADMIN_TOKEN",
			"everybody on this host may see and steer deliveries");
}

static void look_at_service(struct findings *findings)
{
	char state[64];

	if (!init_service_known()) {
		findings_add(findings, FINDING_OK, "service", NULL,
			"no service manager of this user knows Cowgate");
		return;
	}
	if (init_service_state(state, sizeof(state)) && strcmp(state, "active") == 0)
		findings_add(findings, FINDING_OK, "service", NULL, "cowgate is active");
	else
		findings_add(findings, FINDING_WARNING, "service",
			geteuid() == 0 ? "systemctl enable --now cowgate"
				       : "systemctl --user enable --now cowgate",
			"the service cowgate is %s", state);
	if (geteuid() != 0 && !init_service_lingers())
		findings_add(findings, FINDING_WARNING, "service",
			"loginctl enable-linger", "it ends when this user logs out");
}

/* Ask the running gateway; false when none runs, which is said. */
static bool visit(struct findings *findings)
{
	struct json_object *body;
	char why[CG_ERROR_TEXT] = "";
	int status = operator_ask("/diagnostics", &body, why, sizeof(why));

	if (status == 200)
		doctor_judge(body, (int64_t)time(NULL) * 1000, findings);
	else if (status == 0)
		findings_add(findings, FINDING_WARNING, "gateway",
			"start it: `cowgate run`, or the service", "%s", why);
	else
		findings_add(findings, FINDING_WARNING, "gateway",
			"run this as root or as its user, and leave diagnostics "
			"switched on",
			"it runs, but says nothing of itself (%d)", status);
	cg_json_free(body);
	return status != 0;
}

static void look_around(const struct settings *settings, struct findings *findings)
{
	const char *data_dir = settings->places.data_dir;
	const struct config *config = settings->config;
	bool running;

	look_at_settings(settings, findings);
	look_at_modules(settings, findings);
	look_at_files(data_dir, findings);
	look_at_clock(data_dir, findings);
	look_at_disk(data_dir, findings);
	look_at_stores(data_dir, findings);
	running = visit(findings);
	for (size_t i = 0; config != NULL && !running && i < config->provider_count; i++)
		probe_channel(&config->providers[i], findings);
	if (config != NULL && config->product_mode == CONFIG_STANDALONE)
		probe_agents(config, !running, findings);
	if (config != NULL && config->product_mode == CONFIG_CLOUD_CHANNEL)
		probe_cloud(config, findings);
	if (config != NULL)
		look_at_exposure(config, findings);
	look_at_service(findings);
}

int cli_doctor(int argc, char **argv)
{
	bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
	struct findings findings = {.items = NULL};
	struct settings settings;
	int code;

	if (argc > 2 || (argc == 2 && !json))
		return cli_usage(argv[0], "it takes --json and nothing else");
	if (settings_load(&settings) == CG_OK)
		look_around(&settings, &findings);
	else
		findings_add(&findings, FINDING_FAULT, "settings",
			"mend what stands above first", "they cannot be read");
	code = findings_failed(&findings) ? CLI_FAILED : CLI_OK;
	if (json) {
		struct json_object *body = cg_json_new_object();

		cg_json_put_bool(body, "ok", code == CLI_OK);
		cg_json_put(body, "findings", findings_json(&findings));
		printf("%s\n", cg_json_text(body, NULL));
		cg_json_free(body);
	} else {
		findings_print(&findings);
	}
	findings_finish(&findings);
	settings_finish(&settings);
	return code;
}
