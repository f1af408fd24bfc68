/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/doctor.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <stdio.h>
#include <string.h>

#define DEAF_MS (INT64_C(24) * 60 * 60 * 1000) /* without a word: worth a look */

/* "3 days", "20 minutes". */
static void write_age(int64_t ms, char *ret, size_t size)
{
	static const struct {
		int64_t ms;
		const char *name;
	} units[] = {{86400000, "day"}, {3600000, "hour"}, {60000, "minute"}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		long long count = (long long)(ms / units[i].ms);

		if (count < 1)
			continue;
		snprintf(ret, size, "%lld %s%s", count, units[i].name,
			count == 1 ? "" : "s");
		return;
	}
	cg_text_copy(ret, size, "less than a minute");
}

static void judge_channel(
	struct json_object *channel, int64_t now_ms, struct findings *findings)
{
	const char *last = cg_json_string(channel, "lastInboundAt");
	const char *state = cg_json_string_or(channel, "state", "?");
	const char *channel_error = cg_json_string_or(channel, "error", "");
	char what[64], age[48] = "";
	int64_t heard_ms = 0;

	snprintf(what, sizeof(what), "channel %.48s",
		cg_json_string_or(channel, "id", "?"));
	if (last != NULL && cg_time_parse(last, &heard_ms))
		write_age(now_ms - heard_ms, age, sizeof(age));
	if (strcmp(state, "starting") == 0)
		findings_add(findings, FINDING_WARNING, what,
			"look again in a minute: it is well once its platform has "
			"answered for the first time",
			"it is starting%s%s", channel_error[0] == '\0' ? "" : ": ",
			channel_error);
	else if (!cg_json_bool(channel, "healthy", false))
		findings_add(findings,
			strcmp(state, "stopped") == 0 ? FINDING_WARNING : FINDING_FAULT,
			what,
			strcmp(state, "stopped") == 0
				? "`cowgate channels resume` lets it go on"
				: "mend what its error names; it is started again by "
				  "itself unless its account was refused",
			"it is %s: %s", state,
			cg_json_string_or(channel, "error", "no reason is known"));
	else if (heard_ms == 0)
		findings_add(findings, FINDING_OK, what, NULL,
			"it is healthy; nobody has written since the start");
	else if (now_ms - heard_ms > DEAF_MS)
		findings_add(findings, FINDING_WARNING, what,
			"write to it yourself: if nothing comes in, it is deaf though "
			"it looks well",
			"it is healthy, but nobody has written for %s", age);
	else
		findings_add(findings, FINDING_OK, what, NULL,
			"it is healthy; somebody wrote %s ago", age);
}

static void judge_store(struct json_object *store, struct findings *findings)
{
	const char *state = cg_json_string_or(store, "state", "?");
	long long dead = (long long)cg_json_int(store, "outboxDead", 0);
	long long unknown = (long long)cg_json_int(store, "outboxUnknown", 0);

	if (strcmp(state, "ok") != 0)
		findings_add(findings, FINDING_FAULT, "store",
			"make room or mend the disk; it goes on by itself then",
			"commits fail: %s", state);
	if (dead > 0)
		findings_add(findings, FINDING_WARNING, "deliveries",
			"`cowgate deliveries list --status dead` shows them, "
			"`cowgate deliveries recover --since 1d --dry-run` what would "
			"be tried again",
			"%lld could not be delivered", dead);
	else
		findings_add(findings, FINDING_OK, "deliveries", NULL,
			"none is dead, %lld unknown, %lld waiting", unknown,
			(long long)cg_json_int(store, "outboxPending", 0));
}

/* Some channel is, and nothing worse is true of any. */
static bool is_starting(struct json_object *channels)
{
	size_t starting = 0;

	for (size_t i = 0; i < cg_json_count(channels); i++) {
		struct json_object *channel = cg_json_at(channels, i);
		const char *state = cg_json_string_or(channel, "state", "");

		if (strcmp(state, "starting") == 0)
			starting++;
		else if (!cg_json_bool(channel, "healthy", false) &&
			 strcmp(state, "stopped") != 0)
			return false;
	}
	return starting > 0;
}

static void judge_gateway(struct json_object *ready, bool starting, const char *version,
	struct findings *findings)
{
	const char *status = cg_json_string_or(ready, "status", "?");

	if (cg_json_bool(ready, "ok", false))
		findings_add(findings, FINDING_OK, "gateway", NULL,
			"version %s runs and is %s", version, status);
	else
		findings_add(findings, starting ? FINDING_WARNING : FINDING_FAULT,
			"gateway",
			starting ? "look again in a minute" : "see the faults below",
			"version %s runs and is %s", version, status);
}

void doctor_judge(struct json_object *body, int64_t now_ms, struct findings *findings)
{
	const char *version = cg_json_string_or(body, "version", "?");
	struct json_object *ready = cg_json_object(body, "ready");
	struct json_object *channels = cg_json_array(body, "providers");
	struct json_object *degraded = cg_json_array(ready, "degraded");

	if (strcmp(version, COWGATE_VERSION) != 0)
		findings_add(findings, FINDING_WARNING, "gateway",
			"restart it: systemctl restart cowgate",
			"version %s runs, %s is installed", version, COWGATE_VERSION);
	else
		judge_gateway(ready, is_starting(channels), version, findings);
	for (size_t i = 0; i < cg_json_count(channels); i++)
		judge_channel(cg_json_at(channels, i), now_ms, findings);
	for (size_t i = 0; i < cg_json_count(degraded); i++) {
		struct json_object *entry = cg_json_at(degraded, i);
		const char *what = cg_json_string_or(entry, "what", "?");
		bool channel = false;

		for (size_t j = 0; j < cg_json_count(channels); j++)
			channel = channel ||
				  strcmp(cg_json_string_or(
						 cg_json_at(channels, j), "id", ""),
					  what) == 0;
		if (!channel)
			findings_add(findings, FINDING_FAULT, what,
				"mend what it names; what waits goes on by itself then",
				"%s", cg_json_string_or(entry, "detail", "it is away"));
	}
	judge_store(cg_json_object(body, "store"), findings);
}
