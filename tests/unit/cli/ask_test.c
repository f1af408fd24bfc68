/* SPDX-License-Identifier: Apache-2.0 */
/* For a pseudo terminal. */
#define _XOPEN_SOURCE 700

#include "cli/ask.h"

#include "tests/unit/cli/rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* Lines until there are none. */
static int read_lines(int argc, char **argv)
{
	char line[8] = "before";

	(void)argc;
	(void)argv;
	for (int i = 0; i < 4; i++)
		printf("%d<%s>", ask_read(line, sizeof(line)), line);
	return 0;
}

static void a_line_is_read_without_its_end(void)
{
	struct rig rig;

	rig_begin(&rig);
	rig.input = "one \t\r\n\n two";
	rig_run(&rig, read_lines, "read", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "1<one>1<>1< two>0<>"));
	rig_end(&rig);
}

/* Half of a secret is none: what does not fit is no answer, and the next line is whole. */
static void what_does_not_fit_is_no_answer(void)
{
	struct rig rig;

	rig_begin(&rig);
	rig.input = "1234567\n12345678\nnext\n123456";
	rig_run(&rig, read_lines, "read", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "1<1234567>0<>1<next>1<123456>"));
	rig_end(&rig);
}

static int ask_all(int argc, char **argv)
{
	char answer[32];
	bool well;

	(void)argc;
	(void)argv;
	well = ask_line("Name", NULL, answer, sizeof(answer));
	printf("%d<%s>\n", well, answer);
	well = ask_line("Port", "80", answer, sizeof(answer));
	printf("%d<%s>\n", well, answer);
	well = ask_line("Port", "80", answer, sizeof(answer));
	printf("%d<%s>\n", well, answer);
	well = ask_secret("Key", answer, sizeof(answer));
	printf("%d<%s>\n", well, answer);
	for (int i = 0; i < 5; i++)
		printf("%d\n", ask_yes("Sure?"));
	return 0;
}

static void questions_have_fallbacks(void)
{
	struct rig rig;

	rig_begin(&rig);
	rig.input = "Ada\n\n81\nk-1\n\nYES\nn\nmaybe\n";
	rig_run(&rig, ask_all, "ask", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out,
		"Name: 1<Ada>\nPort [80]: 1<80>\nPort [80]: 1<81>\nKey: 1<k-1>\n"
		"Sure? [Y]: 1\nSure? [Y]: 1\nSure? [Y]: 0\nSure? [Y]: 0\n"
		"Sure? [Y]: 0\n"));
	rig_end(&rig);
}

/* ---- at a terminal ---- */

static void read_until(int fd, struct cg_buffer *text, const char *wanted)
{
	char byte;

	while (strstr(cg_buffer_string(text), wanted) == NULL && read(fd, &byte, 1) == 1)
		cg_buffer_add(text, &byte, 1);
	CU_ASSERT_TRUE(rig_has(cg_buffer_string(text), wanted));
}

static void answer_secretly(const char *terminal)
{
	char answer[32];
	int fd;

	setsid();
	fd = open(terminal, O_RDWR);
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	printf("%d", ask_secret("Key", answer, sizeof(answer)));
	printf("<%zu>\n", strlen(answer));
	ask_line("Name", NULL, answer, sizeof(answer));
	exit(0);
}

/* What is typed is not shown; after it the terminal shows again what is typed. */
static void a_secret_is_not_shown(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), status;
	struct cg_buffer shown;
	pid_t child;

	CU_ASSERT_FATAL(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	cg_buffer_init(&shown, 1u << 16);
	fflush(NULL);
	child = fork();
	CU_ASSERT_FATAL(child >= 0);
	if (child == 0)
		answer_secretly(ptsname(master));
	read_until(master, &shown, "Key (not shown): ");
	CU_ASSERT_EQUAL(write(master, "s3cret\n", 7), 7);
	read_until(master, &shown, "Name: ");
	CU_ASSERT_TRUE(rig_has(cg_buffer_string(&shown), "1<6>"));
	CU_ASSERT_PTR_NULL(strstr(cg_buffer_string(&shown), "s3cret"));
	CU_ASSERT_EQUAL(write(master, "Ada\n", 4), 4);
	read_until(master, &shown, "Ada");
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	CU_ASSERT_EQUAL(status, 0);
	close(master);
	cg_buffer_finish(&shown);
}

UNIT_SUITE(ask, UNIT_TEST(a_line_is_read_without_its_end),
	UNIT_TEST(what_does_not_fit_is_no_answer), UNIT_TEST(questions_have_fallbacks),
	UNIT_TEST(a_secret_is_not_shown));
