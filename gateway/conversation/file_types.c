/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conversation/file_types.h"

#include <cowgate/sdk/text.h>
#include <string.h>
#include <strings.h>

#define FILE_TYPES_UNKNOWN "application/octet-stream"

/* What a system runs when it is opened.  Scripts are texts: an agent may be asked to read them. */
static const char *const endings[] = {"apk", "app", "appimage", "bat", "cmd", "com",
	"deb", "dll", "dmg", "dylib", "elf", "exe", "ipa", "jar", "lnk", "msi", "msix",
	"pif", "pkg", "rpm", "scr", "so", "sys", "vbs"};
static const char *const programs[] = {"application/java-archive",
	"application/vnd.android.package-archive",
	"application/vnd.debian.binary-package",
	"application/vnd.microsoft.portable-executable", "application/x-apple-diskimage",
	"application/x-deb", "application/x-debian-package", "application/x-dosexec",
	"application/x-elf", "application/x-executable", "application/x-java-archive",
	"application/x-mach-binary", "application/x-ms-installer",
	"application/x-ms-shortcut", "application/x-msdos-program",
	"application/x-msdownload", "application/x-msi", "application/x-pie-executable",
	"application/x-rpm", "application/x-sharedlib"};

static bool is_one_of(
	const char *const *list, size_t count, const char *text, size_t length)
{
	for (size_t i = 0; i < count; i++) {
		if (strlen(list[i]) == length && strncasecmp(list[i], text, length) == 0)
			return true;
	}
	return false;
}

/* By its type or its name, dots and blanks behind it left out, as some systems do. */
static bool is_program(const char *type, size_t type_length, const char *name)
{
	size_t length = name == NULL ? 0 : strlen(name), dot;

	if (is_one_of(
		    programs, sizeof(programs) / sizeof(programs[0]), type, type_length))
		return true;
	while (length > 0 && (name[length - 1] == '.' || name[length - 1] == ' '))
		length--;
	dot = length;
	while (dot > 0 && name[dot - 1] != '.')
		dot--;
	return dot > 0 && is_one_of(endings, sizeof(endings) / sizeof(endings[0]),
				  name + dot, length - dot);
}

static bool fits(const char *pattern, const char *type, size_t length)
{
	size_t stem = strlen(pattern);

	if (stem >= 2 && strcmp(pattern + stem - 2, "/*") == 0)
		return length >= stem && strncasecmp(pattern, type, stem - 1) == 0;
	return length == stem && strncasecmp(pattern, type, stem) == 0;
}

enum file_verdict file_types_judge(
	const struct file_types *types, const char *type, const char *name)
{
	const char *kind = cg_text_blank(type) ? FILE_TYPES_UNKNOWN : type;
	size_t length = strcspn(kind, "; \t");
	bool program = is_program(kind, length, name);

	if (types->count == 0)
		return FILE_TAKEN;
	for (size_t i = 0; i < types->count; i++) {
		if (program ? strcasecmp(types->items[i], FILE_TYPES_PROGRAMS) == 0
			    : fits(types->items[i], kind, length))
			return FILE_TAKEN;
	}
	return program ? FILE_NO_PROGRAM : FILE_NO_TYPE;
}
