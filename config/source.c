/* SPDX-License-Identifier: Apache-2.0 */
#include "config/source.h"

#include "config/directory.h"

#include <cowgate/sdk/json.h>
#include <cowgate/sdk/text.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define K CONFIG_PREFIX

/* Bytes of the name in {env:NAME}. */
#define PLACEHOLDER_NAME 128

enum missing {
	MISSING_IS_FINE,
	MISSING_IS_ODD,
	MISSING_IS_FATAL,
};

struct file {
	char *text; /* in the scratch arena */
	size_t length;
	mode_t mode;
};

/* All of @fd, less than @size bytes.  -1 with errno, EFBIG when there is more. */
static ssize_t read_all(int fd, char *bytes, size_t size)
{
	size_t length = 0;

	while (length < size) {
		ssize_t got = read(fd, bytes + length, size - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			return (ssize_t)length;
		length += (size_t)got;
	}
	errno = EFBIG;
	return -1;
}

/* Read a regular file.  False: it is missing, or the report says why not. */
static bool read_file(const struct source *source, const char *path, enum missing missing,
	struct file *ret)
{
	struct stat status;
	ssize_t length = -1;
	char *text = NULL;
	size_t size;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		if (missing == MISSING_IS_FATAL)
			config_report_error(source->report, path,
				"create it, or unset the variable",
				"there is no such file");
		return false;
	}
	if (fd < 0 || fstat(fd, &status) != 0)
		goto out;
	if (!S_ISREG(status.st_mode)) {
		errno = EINVAL;
		goto out;
	}
	if (status.st_size > (off_t)CONFIG_FILE) {
		errno = EFBIG;
		goto out;
	}
	size = (size_t)status.st_size + 1;
	text = arena_alloc(source->scratch, size);
	if (text == NULL) {
		errno = ENOMEM;
		goto out;
	}
	length = read_all(fd, text, size);
out:
	if (length < 0)
		config_report_error(source->report, path,
			"make it a readable file of at most 1 MiB", "cannot be read: %s",
			strerror(errno));
	if (fd >= 0)
		close(fd);
	if (length < 0)
		return false;
	*ret = (struct file){
		.text = text, .length = (size_t)length, .mode = status.st_mode};
	return true;
}

/* Refuse what must not stand in a file: the Cloud's address and tokens belong to the environment. */
static void check_layer(const struct source *source, const struct source_layer *layer)
{
	struct json_object *timeouts = cg_json_object(layer->root, "timeouts");

	if (cg_json_has(layer->root, "cloud"))
		config_report_error(source->report, layer->label,
			"remove it and set OPEN_COWORK_CLOUD_BASE_URL and " K
			"SERVICE_TOKEN",
			"\"%scloud\" is not read from files", layer->prefix);
	if (cg_json_has(timeouts, "cloudRequestMs"))
		config_report_error(source->report, layer->label,
			"remove it and set " K "CLOUD_REQUEST_TIMEOUT_MS",
			"\"%stimeouts.cloudRequestMs\" is not read from files",
			layer->prefix);
}

/* Adopts @root. */
static void layer_add(struct source *source, const char *label, const char *prefix,
	struct json_object *root)
{
	struct source_layer *layer = &source->layers[source->layer_count++];

	layer->label = arena_text(source->kept, label);
	layer->prefix = prefix;
	layer->root = root;
	if (layer->label == NULL)
		layer->label = "";
	check_layer(source, layer);
}

static bool is_listed(struct json_object *names, const char *name)
{
	for (size_t i = 0; i < cg_json_count(names); i++) {
		const char *listed = cg_json_value_string(cg_json_at(names, i), NULL);

		if (listed != NULL && strcmp(listed, name) == 0)
			return true;
	}
	return false;
}

/* Length of "{env:NAME}" at @text, with the name copied out; 0: something else. */
static size_t placeholder_at(const char *text, char ret_name[PLACEHOLDER_NAME])
{
	size_t length;

	if (strncmp(text, "{env:", 5) != 0)
		return 0;
	length = strspn(text + 5, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
	if (length == 0 || length >= PLACEHOLDER_NAME || text[5 + length] != '}')
		return 0;
	memcpy(ret_name, text + 5, length);
	ret_name[length] = '\0';
	return length + 6;
}

/* The value of @name as the inside of a JSON string. */
static void add_escaped(struct cg_buffer *buffer, const char *value)
{
	struct cg_buffer quoted;

	cg_buffer_init(&quoted, CONFIG_FILE);
	cg_json_write_string(&quoted, value, strlen(value));
	if (cg_buffer_status(&quoted) == CG_OK)
		cg_buffer_add(buffer, quoted.bytes + 1, quoted.length - 2);
	if (quoted.bytes != NULL)
		cg_wipe(quoted.bytes, quoted.length);
	cg_buffer_finish(&quoted);
}

/*
 * @gateway with every {env:NAME} replaced, NULL after an error.  It is done on the compact text,
 * where the form can only stand inside a string.
 */
static struct json_object *expand(const struct source *source, const char *path,
	struct json_object *file, struct json_object *gateway)
{
	struct json_object *allowed = cg_json_array(file, "allowedEnvPlaceholders");
	const char *text = cg_json_text(gateway, NULL);
	struct json_object *expanded = NULL;
	char name[PLACEHOLDER_NAME];
	struct cg_buffer buffer;
	struct cg_error err = {0};

	if (strstr(text, "{env:") == NULL)
		return cg_json_ref(gateway);
	cg_buffer_init(&buffer, 4 * (size_t)CONFIG_FILE);
	while (*text != '\0') {
		size_t length = placeholder_at(text, name);
		const char *value;

		if (length == 0) {
			cg_buffer_char(&buffer, *text++);
			continue;
		}
		text += length;
		if (!is_listed(allowed, name))
			config_report_error(source->report, path,
				"add it to \"allowedEnvPlaceholders\"",
				"{env:%s} is not an allowed placeholder", name);
		value = environment_get(&source->environment, name);
		if (value != NULL)
			add_escaped(&buffer, value);
	}
	if (cg_json_parse(cg_buffer_string(&buffer), buffer.length, &expanded, &err) !=
		CG_OK)
		config_report_error(source->report, path, NULL,
			"not usable once {env:…} is filled in: %s", err.text);
	if (buffer.bytes != NULL)
		cg_wipe(buffer.bytes, buffer.length);
	cg_buffer_finish(&buffer);
	return expanded;
}

static struct json_object *parse_object(const struct source *source, const char *label,
	const char *text, size_t length, bool relaxed)
{
	struct json_object *root = NULL;
	struct cg_error err = {0};
	enum cg_status status = relaxed ? cg_json_parse_relaxed(text, length, &root, &err)
					: cg_json_parse(text, length, &root, &err);

	if (status != CG_OK) {
		config_report_error(source->report, label, NULL, "%s", err.text);
		return NULL;
	}
	if (!cg_json_is_object(root)) {
		config_report_error(source->report, label,
			"begin it with { and end it with }", "not a JSON object");
		cg_json_free(root);
		return NULL;
	}
	return root;
}

/* A file that is shared with other programs: our settings stand under "gateway". */
static bool load_shared(struct source *source, const char *path)
{
	struct json_object *root, *gateway;
	struct file file;

	if (!read_file(source, path, MISSING_IS_FINE, &file))
		return false;
	root = parse_object(source, path, file.text, file.length, true);
	gateway = cg_json_object(root, "gateway");
	if (gateway == NULL && cg_json_has(root, "gateway"))
		config_report_error(
			source->report, path, NULL, "\"gateway\" is not an object");
	if (gateway != NULL)
		gateway = expand(source, path, root, gateway);
	if (gateway != NULL)
		layer_add(source, path, "gateway.", gateway);
	cg_json_free(root);
	return true;
}

static bool load_shared_in(struct source *source, const char *directory, const char *name)
{
	char path[CONFIG_PATH];

	if (directory_join(directory, name, path, sizeof(path)) != CG_OK) {
		config_report_error(
			source->report, directory, NULL, "the path is too long");
		return true;
	}
	return load_shared(source, path);
}

static void load_directory(struct source *source, const char *variable)
{
	static const char *const names[] = {"config.jsonc", "config.json",
		"open-cowork.config.jsonc", "open-cowork.config.json"};
	const char *directory = environment_get(&source->environment, variable);

	for (size_t i = 0; directory != NULL && i < sizeof(names) / sizeof(*names); i++)
		load_shared_in(source, directory, names[i]);
}

/* The named path with its extension swapped: .jsonc first, then .json over it. */
static void load_swapped(struct source *source)
{
	const char *path =
		environment_get(&source->environment, "OPEN_COWORK_CONFIG_PATH");
	const char *slash = path != NULL ? strrchr(path, '/') : NULL;
	const char *dot = path != NULL ? strrchr(path, '.') : NULL;
	const char *const extensions[] = {".jsonc", ".json"};
	bool found = false;

	if (path == NULL)
		return;
	if (dot == NULL || (slash != NULL && dot < slash) ||
		(strcmp(dot, ".json") != 0 && strcmp(dot, ".jsonc") != 0))
		dot = path + strlen(path);
	for (size_t i = 0; i < 2; i++) {
		char *swapped = arena_format(source->scratch, "%.*s%s", (int)(dot - path),
			path, extensions[i]);

		if (swapped != NULL &&
			load_shared_in(source, source->input->cwd, swapped))
			found = true;
	}
	if (!found)
		config_report_warning(source->report, "OPEN_COWORK_CONFIG_PATH",
			"create the file, or unset the variable", "there is no %s", path);
}

/* A file of our own: its root is the gateway's object. */
static void load_named(struct source *source)
{
	const char *name = environment_get(&source->environment, K "CONFIG");
	struct json_object *root;
	char path[CONFIG_PATH];
	struct file file;

	if (name == NULL)
		return;
	if (directory_join(source->input->cwd, name, path, sizeof(path)) != CG_OK) {
		config_report_error(
			source->report, K "CONFIG", NULL, "the path is too long");
		return;
	}
	if (!read_file(source, path, MISSING_IS_FATAL, &file))
		return;
	root = parse_object(source, path, file.text, file.length, true);
	if (root != NULL)
		layer_add(source, path, "", root);
}

static void load_inline(struct source *source)
{
	const char *text = environment_get(&source->environment, K "CONFIG_JSON");
	struct json_object *root;

	if (text == NULL)
		return;
	root = parse_object(source, K "CONFIG_JSON", text, strlen(text), false);
	if (root != NULL)
		layer_add(source, K "CONFIG_JSON", "", root);
}

/* The environment file is named by the real environment only: a file does not name the next. */
static void load_environment_file(struct source *source)
{
	const char *name = environment_get(&source->environment, K "ENV_FILE");
	char path[CONFIG_PATH];
	struct file file;

	if (name == NULL)
		return;
	if (directory_join(source->input->cwd, name, path, sizeof(path)) != CG_OK) {
		config_report_error(
			source->report, K "ENV_FILE", NULL, "the path is too long");
		return;
	}
	if (!read_file(source, path, MISSING_IS_FATAL, &file))
		return;
	if ((file.mode & S_IROTH) != 0)
		config_report_warning(source->report, path, "chmod o-rwx",
			"everybody on this host can read it");
	environment_add_file(
		&source->environment, path, file.text, file.length, source->report);
}

void source_load(struct source *source)
{
	environment_init(&source->environment, source->scratch,
		source->input->environment, source->report);
	load_environment_file(source);
	load_shared_in(source, source->input->cwd, "open-cowork.config.jsonc");
	load_shared_in(source, source->input->cwd, "open-cowork.config.json");
	load_directory(source, "OPEN_COWORK_CONFIG_DIR");
	load_directory(source, "OPEN_COWORK_DOWNSTREAM_ROOT");
	load_swapped(source);
	load_named(source);
	load_inline(source);
}

void source_finish(struct source *source)
{
	while (source->layer_count > 0)
		cg_json_free(source->layers[--source->layer_count].root);
}

bool source_variable(
	const struct source *source, const char *variable, struct source_value *ret)
{
	const struct environment_variable *found =
		environment_find(&source->environment, variable);

	if (found == NULL)
		return false;
	ret->where = arena_text(source->kept, found->where);
	ret->text = found->value;
	ret->json = NULL;
	return ret->where != NULL;
}

/*
 * Walk @path in one layer.  True: the layer decides, with *@ret NULL when what it says is null or
 * stands where an object should.
 */
static bool layer_member(
	struct json_object *root, const char *path, struct json_object **ret)
{
	char name[64];

	for (;;) {
		size_t length = strcspn(path, ".");

		if (length >= sizeof(name))
			return false;
		memcpy(name, path, length);
		name[length] = '\0';
		if (!cg_json_has(root, name))
			return false;
		root = cg_json_member(root, name);
		if (path[length] == '\0' || !cg_json_is_object(root))
			break;
		path += length + 1;
	}
	*ret = strchr(path, '.') == NULL ? root : NULL;
	return true;
}

bool source_member(
	const struct source *source, const char *path, struct source_value *ret)
{
	for (size_t i = source->layer_count; i > 0; i--) {
		const struct source_layer *layer = &source->layers[i - 1];
		struct json_object *json = NULL;

		if (!layer_member(layer->root, path, &json))
			continue;
		if (json == NULL)
			return false;
		ret->where = arena_format(
			source->kept, "%s: %s%s", layer->label, layer->prefix, path);
		ret->text = NULL;
		ret->json = json;
		return ret->where != NULL;
	}
	return false;
}

bool source_find(const struct source *source, const char *variable, const char *path,
	struct source_value *ret)
{
	if (variable != NULL && source_variable(source, variable, ret))
		return true;
	return path != NULL && source_member(source, path, ret);
}
