/* SPDX-License-Identifier: Apache-2.0 */
/* One mailbox on a fake host, whose files are called with directly. */
#ifndef COWGATE_TESTS_UNIT_EMAIL_FIXTURE_H
#define COWGATE_TESTS_UNIT_EMAIL_FIXTURE_H

#include "providers/email/email.h"
#include "tests/support/host_fake.h"
#include "tests/unit/unit.h"

#include <cowgate/plugin.h>
#include <stdlib.h>
#include <string.h>

#define EMAIL_FIXTURE_SECRET "battery-staple-mail"

extern const struct cg_plugin cg_plugin;

struct email_fixture {
	struct host_fake *host; /* owned */
	struct email *email; /* owned */
};

static const struct settings_pair email_fixture_settings[] = {
	{"inboundSecret", EMAIL_FIXTURE_SECRET},
	{"from", "Agent <agent@example.org>"},
	{"smtpHost", "127.0.0.1"},
	{"smtpTls", "off"},
	{"authservId", "mx.example.org"},
	{"maxAttachmentBytes", "64"},
	{NULL, NULL},
};

/* Not started.  @pairs, which end with a NULL name, stay as long as it. */
static inline void email_fixture_init(
	struct email_fixture *fixture, const struct settings_pair *pairs)
{
	void *self = NULL;

	fixture->host = host_fake_create("email", email_options, EMAIL_OPTIONS, pairs);
	if (cg_plugin.providers[0]->ops->create(&fixture->host->host,
		    &fixture->host->settings.settings, &self, NULL) != CG_OK)
		abort();
	fixture->email = self;
}

static inline void email_fixture_start(struct email_fixture *fixture)
{
	if (cg_plugin.providers[0]->ops->start(fixture->email, NULL) != CG_OK)
		abort();
}

static inline void email_fixture_finish(struct email_fixture *fixture)
{
	host_fake_take_back(fixture->host);
	cg_plugin.providers[0]->ops->destroy(fixture->email);
	host_fake_destroy(fixture->host);
}

#endif
