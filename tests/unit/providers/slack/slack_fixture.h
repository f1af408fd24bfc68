/* SPDX-License-Identifier: Apache-2.0 */
/* One app on a fake host, which its files are called with directly. */
#ifndef COWGATE_TESTS_UNIT_SLACK_FIXTURE_H
#define COWGATE_TESTS_UNIT_SLACK_FIXTURE_H

#include "providers/slack/slack.h"
#include "tests/support/host_fake.h"
#include "tests/unit/unit.h"

#include <cowgate/plugin.h>
#include <stdlib.h>
#include <string.h>

#define SLACK_FIXTURE_TOKEN "xoxb-1-secret-token"
#define SLACK_FIXTURE_SECRET "8f742231b10e8888abcd99yyyzzz85a5"

extern const struct cg_plugin cg_plugin;

struct slack_fixture {
	struct host_fake *host; /* owned */
	struct slack *slack; /* owned */
};

static const struct settings_pair slack_fixture_settings[] = {
	{"botToken", SLACK_FIXTURE_TOKEN},
	{"signingSecret", SLACK_FIXTURE_SECRET},
	{NULL, NULL},
};

/* Not started: nothing is under way. */
static inline void slack_fixture_init(struct slack_fixture *fixture)
{
	const struct cg_provider *provider = cg_plugin.providers[0];
	void *self = NULL;

	fixture->host = host_fake_create(
		"slack", slack_options, SLACK_OPTIONS, slack_fixture_settings);
	if (provider->ops->create(&fixture->host->host, &fixture->host->settings.settings,
		    &self, NULL) != CG_OK)
		abort();
	fixture->slack = self;
}

/* Started, and Slack has told who we are. */
static inline void slack_fixture_up(struct slack_fixture *fixture)
{
	slack_fixture_init(fixture);
	if (cg_plugin.providers[0]->ops->start(fixture->slack, NULL) != CG_OK)
		abort();
	host_fake_answer(host_fake_open_call(fixture->host), 200,
		"{\"ok\":true,\"user_id\":\"UBOT\",\"bot_id\":\"B1\",\"team_id\":\"T1\","
		"\"team\":\"Ours\",\"user\":\"cowgate\"}");
}

static inline void slack_fixture_finish(struct slack_fixture *fixture)
{
	host_fake_take_back(fixture->host);
	cg_plugin.providers[0]->ops->destroy(fixture->slack);
	host_fake_destroy(fixture->host);
}

/* @outbound and @sent stay until it has ended. */
static inline void slack_fixture_send(struct slack_fixture *fixture,
	const struct cg_outbound *outbound, struct host_fake_sent *sent)
{
	*sent = (struct host_fake_sent){.host = fixture->host};
	fixture->host->sending = true;
	slack_send(fixture->slack, outbound, host_fake_sent_done, sent);
	fixture->host->sending = false;
}

#endif
