/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/settings.h"
#include "gateway/daemon/archive.h"

#include <cowgate/sdk/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tell(const char *word, enum cg_status status, const struct cg_error *err,
	bool json, const char *path, const char *done)
{
	struct json_object *body;

	if (status != CG_OK) {
		fprintf(stderr, "cowgate %s: %s\n", word, err->text);
		return CLI_FAILED;
	}
	if (!json) {
		printf("%s %s\n", path, done);
		return CLI_OK;
	}
	body = cg_json_new_object();
	cg_json_put_bool(body, "ok", true);
	cg_json_put_string(body, "path", path);
	printf("%s\n", cg_json_text(body, NULL));
	cg_json_free(body);
	return CLI_OK;
}

/* One directory and switches.  NULL: not understood. */
static const char *parse(int argc, char **argv, bool *ret_json, bool *ret_verify)
{
	const char *path = NULL;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			*ret_json = true;
		else if (strcmp(argv[i], "--verify") == 0 && ret_verify != NULL)
			*ret_verify = true;
		else if (argv[i][0] != '-' && argv[i][0] != '\0' && path == NULL)
			path = argv[i];
		else
			return NULL;
	}
	return path;
}

static bool find_places(const char *word, struct config_places *ret)
{
	if (settings_places(ret) == CG_OK)
		return true;
	fprintf(stderr,
		"cowgate %s: the data directory is not known; set "
		"OPEN_COWORK_GATEWAY_DATA_DIR\n",
		word);
	return false;
}

int cli_backup(int argc, char **argv)
{
	struct cg_error err = {.text = ""};
	struct config_places places;
	bool json = false;
	const char *path = parse(argc, argv, &json, NULL);
	enum cg_status status;

	if (path == NULL)
		return cli_usage(argv[0], "name the directory that is to be made");
	if (!find_places(argv[0], &places))
		return CLI_FAILED;
	status = archive_make(places.data_dir, path, &err);
	return tell(argv[0], status, &err, json, path, "is a whole backup");
}

int cli_restore(int argc, char **argv)
{
	struct cg_error err = {.text = ""};
	struct config_places places;
	bool json = false, verify = false;
	const char *path = parse(argc, argv, &json, &verify);
	enum cg_status status;
	int code;

	if (path == NULL)
		return cli_usage(argv[0], "name the directory of a backup");
	if (verify)
		return tell(argv[0], archive_verify(path, &err), &err, json, path,
			"is whole; nothing was changed");
	if (!find_places(argv[0], &places))
		return CLI_FAILED;
	status = archive_restore(path, places.data_dir, &err);
	code = tell(argv[0], status, &err, json, places.data_dir,
		"is as it was at the backup; what was there before has "
		".before-restore behind its name");
	if (status == CG_BUSY)
		fprintf(stderr, "stop it first: systemctl stop cowgate\n");
	return code;
}
