/* SPDX-License-Identifier: Apache-2.0 */
/* One mailbox on a fake host, whose files are called with directly. */
#ifndef COWGATE_TESTS_UNIT_EMAIL_FIXTURE_H
#define COWGATE_TESTS_UNIT_EMAIL_FIXTURE_H

#include "providers/email/email.h"
#include "tests/support/rig.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#define EMAIL_FIXTURE_SECRET "battery-staple-mail"

struct email_fixture {
	struct rig *rig; /* owned; the rest is its */
	struct host_fake *host;
	struct email *email;
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
	fixture->rig = rig_new(cg_plugin.providers[0], pairs);
	if (rig_create(fixture->rig, NULL) != CG_OK)
		abort();
	fixture->host = fixture->rig->host;
	fixture->email = fixture->rig->self;
}

static inline void email_fixture_start(struct email_fixture *fixture)
{
	if (fixture->rig->provider->ops->start(fixture->email, NULL) != CG_OK)
		abort();
}

static inline void email_fixture_finish(struct email_fixture *fixture)
{
	rig_destroy(fixture->rig);
}

#endif
