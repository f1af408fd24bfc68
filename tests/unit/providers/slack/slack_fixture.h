/* SPDX-License-Identifier: Apache-2.0 */
/* One app on a fake host, which its files are called with directly. */
#ifndef COWGATE_TESTS_UNIT_SLACK_FIXTURE_H
#define COWGATE_TESTS_UNIT_SLACK_FIXTURE_H

#include "providers/slack/slack.h"
#include "tests/support/rig.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#define SLACK_FIXTURE_TOKEN "xoxb-1-secret-token"
#define SLACK_FIXTURE_SECRET "8f742231b10e8888abcd99yyyzzz85a5"

struct slack_fixture {
	struct rig *rig; /* owned; the rest is its */
	struct host_fake *host;
	struct slack *slack;
};

static const struct settings_pair slack_fixture_settings[] = {
	{"botToken", SLACK_FIXTURE_TOKEN},
	{"signingSecret", SLACK_FIXTURE_SECRET},
	{NULL, NULL},
};

/* Not started: nothing is under way. */
static inline void slack_fixture_init(struct slack_fixture *fixture)
{
	fixture->rig = rig_new(cg_plugin.providers[0], slack_fixture_settings);
	if (rig_create(fixture->rig, NULL) != CG_OK)
		abort();
	fixture->host = fixture->rig->host;
	fixture->slack = fixture->rig->self;
}

/* Started, and Slack has told who we are. */
static inline void slack_fixture_up(struct slack_fixture *fixture)
{
	slack_fixture_init(fixture);
	if (fixture->rig->provider->ops->start(fixture->slack, NULL) != CG_OK)
		abort();
	host_fake_answer(host_fake_open_call(fixture->host), 200,
		"{\"ok\":true,\"user_id\":\"UBOT\",\"bot_id\":\"B1\",\"team_id\":\"T1\","
		"\"team\":\"Ours\",\"user\":\"cowgate\"}");
}

static inline void slack_fixture_finish(struct slack_fixture *fixture)
{
	rig_destroy(fixture->rig);
}

#endif
