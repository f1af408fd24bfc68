/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/rig.h"

#include "tests/unit/unit.h"

#include <stdlib.h>

struct rig *rig_new(const struct cg_provider *provider, const struct settings_pair *pairs)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	if (rig == NULL)
		abort();
	rig->provider = provider;
	rig->host = host_fake_create(
		provider->kind, provider->options, provider->option_count, pairs);
	return rig;
}

enum cg_status rig_create(struct rig *rig, struct cg_error *err)
{
	struct cg_error own = {.text = ""};
	enum cg_status status;

	if (err == NULL)
		err = &own;
	status = rig->provider->ops->create(
		&rig->host->host, &rig->host->settings.settings, &rig->self, err);
	CU_ASSERT_FALSE(settings_fake_leaks(&rig->host->settings, err->text));
	return status;
}

void rig_up(struct rig *rig)
{
	if (rig_create(rig, NULL) != CG_OK ||
		rig->provider->ops->start(rig->self, NULL) != CG_OK)
		abort();
}

void rig_destroy(struct rig *rig)
{
	if (rig->self != NULL) {
		rig->provider->ops->stop(rig->self);
		/* What it started is taken back before it goes. */
		host_fake_take_back(rig->host);
		rig->provider->ops->destroy(rig->self);
	}
	host_fake_destroy(rig->host);
	free(rig);
}

void rig_send(
	struct rig *rig, const struct cg_outbound *outbound, struct host_fake_sent *sent)
{
	*sent = (struct host_fake_sent){.host = rig->host};
	rig->host->sending = true;
	rig->provider->ops->send(rig->self, outbound, host_fake_sent_done, sent);
	rig->host->sending = false;
	CU_ASSERT_EQUAL(sent->count, 0);
}

void rig_cancel(struct rig *rig, struct host_fake_sent *sent)
{
	rig->provider->ops->cancel(rig->self, sent);
}
