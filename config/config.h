/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings of one gateway, read from everywhere at once and checked as a whole.
 *
 * A value comes from the environment, else the environment file, else inline JSON, else the
 * settings files, else its row in options.def.  Loading fails closed: with one error there is no
 * configuration, and the report names every error, not just the first.
 *
 * A loaded configuration never changes.  It is counted, so that a provider instance can keep the
 * one that it was built from over a reload; the count is for the loop thread only.
 */
#ifndef COWGATE_CONFIG_CONFIG_H
#define COWGATE_CONFIG_CONFIG_H

#include "config/report.h"

#include <cowgate/provider.h>
#include <cowgate/sdk/address.h>
#include <cowgate/sdk/secret.h>
#include <cowgate/settings.h>

#define CONFIG_PREFIX "OPEN_COWORK_GATEWAY_"

#define CONFIG_PROVIDERS 64 /* provider entries */
#define CONFIG_AGENTS 31 /* agents beside the default */
#define CONFIG_LIST_ITEMS 1024 /* entries of a list setting */
#define CONFIG_TEXT 4096 /* bytes of a text setting, unless its row says otherwise */
#define CONFIG_FILE (1u << 20) /* bytes of a settings or environment file */
#define CONFIG_PATH 1024 /* bytes of a path, its NUL included */

/* In the order of the choices in options.def. */
enum config_product_mode {
	CONFIG_CLOUD_CHANNEL,
	CONFIG_STANDALONE,
};
enum config_mode {
	CONFIG_SELF_HOST,
	CONFIG_MANAGED,
};
enum config_agent_backend {
	CONFIG_AGENT_ECHO,
	CONFIG_AGENT_OPENAI,
	CONFIG_AGENT_OPENCODE,
	CONFIG_AGENT_ACP,
};
/* The first four are enum cg_log_level. */
enum config_log_level {
	CONFIG_LOG_DEBUG,
	CONFIG_LOG_INFO,
	CONFIG_LOG_WARN,
	CONFIG_LOG_ERROR,
	CONFIG_LOG_SILENT,
};
enum config_log_format {
	CONFIG_LOG_AUTO,
	CONFIG_LOG_TEXT,
	CONFIG_LOG_JSON,
	CONFIG_LOG_JOURNAL,
};

struct config_list {
	const char *const *items; /* NULL follows the last; NULL itself when unset */
	size_t count;
};

struct config_cidrs {
	const struct cg_cidr *items;
	size_t count;
};

/* What people see of the operator; @json is the whole object as /health and /ready show it. */
struct config_branding {
	const char *product_name;
	const char *short_name;
	const char *json;
};

/* What becomes of a message that comes while the agent works for its chat. */
enum config_busy {
	CONFIG_BUSY_QUEUE,
	CONFIG_BUSY_STEER,
	CONFIG_BUSY_INTERRUPT,
};

/* One more agent: the members are those of the agent settings. */
struct config_agent {
	const char *name;
	enum config_agent_backend backend;
	const char *url; /* each NULL when unset */
	struct cg_secret api_key; /* a view */
	const char *model;
	const char *system_prompt;
	struct config_list command;
	const char *directory;
	struct config_list environment;
	const char *user;
	struct config_list limits;
	struct config_list fallback_urls;
	int64_t daily_tokens_per_chat; /* 0: no limit, as the next */
	int64_t daily_tokens;
};

struct config_provider {
	const struct cg_provider *descriptor; /* borrowed from its module */
	const char *kind;
	const char *id;
	const char *channel_binding_id;
	const char *external_workspace_id; /* NULL: none */
	const char *default_agent; /* NULL: the binding's own */
	enum config_busy busy_mode;
	bool enabled;
	bool allow_everyone; /* "*" in the list, or a local-only provider without a list */
	/* platform user ids that are members from the start */
	struct config_list allow_from;
	const struct cg_settings *settings; /* lives as long as the configuration */
};

/* The C type of a field, by the kind of its row. */
#define CONFIG_TYPE_STRING const char *
#define CONFIG_TYPE_URL const char *
#define CONFIG_TYPE_PATH const char *
#define CONFIG_TYPE_SECRET struct cg_secret
#define CONFIG_TYPE_INTEGER int64_t
#define CONFIG_TYPE_PORT int64_t
#define CONFIG_TYPE_BOOLEAN bool
#define CONFIG_TYPE_LIST struct config_list
#define CONFIG_TYPE_CIDRS struct config_cidrs
#define CONFIG_TYPE_ARGV struct config_list

/*
 * One field a row of options.def: a text is NULL when unset, a path is absolute, a base URL has no
 * slash at its end.  data_dir, plugin_dir, instance_id and product_mode are always set.
 */
struct config {
#define CONFIG_OPTION(NAME, KIND, field, ...) CONFIG_TYPE_##KIND field;
#define CONFIG_CHOICE(NAME, tag, choices, field, ...) enum tag field;
#include "config/options.def"

	bool public_exposure; /* listens on more than loopback, or has a public URL */
	bool operator_bypass; /* operator endpoints without a token over loopback: asked for and safe */
	bool make_admin_token; /* standalone without a token: the daemon makes one in data_dir */
	struct config_branding branding;
	const struct config_provider *providers; /* disabled ones included */
	size_t provider_count;
	const struct config_agent *agents; /* beside the one of the agent settings */
	size_t agent_count;
};

struct config_input {
	char *const *environment; /* NAME=value, ended by NULL */
	const char *cwd; /* absolute; where project settings files are looked for */
	const struct cg_provider *const
		*kinds; /* of the loaded modules; outlive the configuration */
	size_t kind_count;
	const char *plugin_dir; /* default of the build; NULL: none */
	/*
	 * A setting speaks of a kind of this module; NULL: of one that nobody knows.  Load it, or
	 * all, unless that was done, and bring @kinds up to date.  NULL: all are loaded.
	 */
	void (*need)(void *arg, const char *module);
	void *arg;
};

/*
 * On CG_OK the caller owns *@ret.  INVALID: @report says what to change.  NOMEM.  @report has
 * been initialised and may hold warnings in any case.
 */
enum cg_status config_load(const struct config_input *input, struct config **ret,
	struct config_report *report);

/* One more owner, returned; and one less.  The last wipes all secrets.  Accepts NULL. */
struct config *config_ref(struct config *config);
void config_destroy(struct config *config);

/*
 * What has to be known before the modules can be loaded, and so before config_load().  Reports
 * what is wrong with the sources; config_load() will say the same again.
 */
struct config_places {
	char data_dir[CONFIG_PATH];
	char plugin_dir[CONFIG_PATH]; /* "" when nothing names one */
};
enum cg_status config_places(const struct config_input *input, struct config_places *ret,
	struct config_report *report);

/* Whether config_load() asks for the module of that name (no ".so") when a setting needs it. */
bool config_asks_for(const char *module);

/* An entry by its id, or NULL. */
const struct config_provider *config_provider_find(
	const struct config *config, const char *id);

#endif
