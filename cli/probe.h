/* SPDX-License-Identifier: Apache-2.0 */
/* Does what the settings name answer, and does it know us?  Blocks, each question for seconds. */
#ifndef COWGATE_CLI_PROBE_H
#define COWGATE_CLI_PROBE_H

#include "cli/finding.h"
#include "config/config.h"

/* Ask the platform of an entry who we are there; nothing is added for kinds without a question. */
void probe_channel(const struct config_provider *provider, struct findings *findings);

/* Standalone: ask each agent what it has, or look whether its program is there; with @start, start
 * the program and see whether it comes so far that it could answer. */
void probe_agents(const struct config *config, bool start, struct findings *findings);

/*
 * cloud_channel: ask the Cloud whether it knows us and lets us work for each of our channels.
 * Nothing is claimed and nothing is changed there.
 */
void probe_cloud(const struct config *config, struct findings *findings);

#endif
