/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/child_fake.h"

#include <string.h>

struct child_fake child_fake;

enum cg_status child_init(struct child *child, const struct agent_host *host,
	const struct agent_options *settings, const struct child_options *options,
	struct cg_error *err)
{
	(void)err;
	*child = (struct child){.host = host, .settings = settings, .options = *options};
	child_fake = (struct child_fake){.child = child};
	cg_buffer_init(&child_fake.read, 64u << 20);
	return CG_OK;
}

void child_finish(struct child *child)
{
	if (child->host == NULL)
		return;
	cg_buffer_finish(&child_fake.read);
	child_fake = (struct child_fake){.child = NULL};
	child->host = NULL;
}

void child_does_well(struct child *child)
{
	(void)child;
	child_fake.well = true;
}

void child_restart(struct child *child)
{
	(void)child;
	child_fake.restarts++;
}

enum cg_status child_write(struct child *child, const char *bytes, size_t length)
{
	(void)child;
	if (!child_fake.runs)
		return CG_NETWORK;
	if (child_fake.deaf)
		return CG_LIMIT;
	return cg_buffer_add(&child_fake.read, bytes, length);
}

void child_fake_start(void)
{
	static char there; /* a process, as far as anybody asks */

	child_fake.runs = true;
	child_fake.child->process = (struct process *)(void *)&there;
	child_fake.child->options.on_start(child_fake.child->options.arg);
}

void child_fake_say(const char *line)
{
	child_fake.child->options.on_line(
		child_fake.child->options.arg, line, strlen(line), true);
}

void child_fake_die(const char *why)
{
	child_fake.runs = false;
	child_fake.child->process = NULL;
	child_fake.child->options.on_down(child_fake.child->options.arg, why);
}
