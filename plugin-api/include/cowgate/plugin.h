/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one symbol that a module exports, and how daemon and module agree on a version.
 *
 * A module exports `const struct cg_plugin cg_plugin`.  The daemon reads it as data: magic,
 * sizes, versions and kinds are checked before any function of the module is called.
 *
 * Rules for both sides: structs tell their size and only grow at the end; a reader uses a
 * field only when the writer's size covers it; nothing is ever removed or given a new meaning
 * within an ABI number.  Small structs that lie inside others or in arrays carry no size and do not
 * change at all within an ABI number: cg_target, cg_sender, cg_interaction, cg_checkpoint, cg_span,
 * cg_button, cg_file, cg_rate, cg_http_header, cg_error.
 *
 * History of CG_PLUGIN_ABI
 *   1  2026-11-22  first version: text, edit, buttons, file, answer, typing, reaction; outcome
 *                  classes with scope; reconcile by key, query or one labelled repeat; measure;
 *                  webhook; checkpoint; spool; watch; random; a route's context; retry plan.
 */
#ifndef COWGATE_PLUGIN_H
#define COWGATE_PLUGIN_H

#include <cowgate/provider.h>

#define CG_PLUGIN_ABI 1u
#define CG_PLUGIN_MAGIC 0x43475450u /* "CGTP" */

struct cg_plugin {
	uint32_t magic;
	uint32_t size;
	uint32_t abi; /* CG_PLUGIN_ABI as built */
	uint32_t abi_min; /* oldest daemon ABI that it runs with */
	const char *name;
	const char *version;
	const char *license; /* SPDX */
	const struct cg_provider *const *providers;
	uint32_t provider_count;
};

#if defined(__GNUC__)
#define CG_PLUGIN_EXPORT __attribute__((visibility("default")))
#else
#define CG_PLUGIN_EXPORT
#endif

/* CG_PLUGIN_DECLARE(.name = "x", .version = "1.0.0", .license = "Apache-2.0",
 *	.providers = x_providers, .provider_count = 1); */
#define CG_PLUGIN_DECLARE(...) \
	extern CG_PLUGIN_EXPORT const struct cg_plugin cg_plugin; \
	const struct cg_plugin cg_plugin = {.magic = CG_PLUGIN_MAGIC, \
		.size = sizeof(struct cg_plugin), \
		.abi = CG_PLUGIN_ABI, \
		.abi_min = CG_PLUGIN_ABI, \
		__VA_ARGS__}

#endif
