/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/http_once.h"

#include "tests/unit/cli/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* URL, deadline in ms, and a cap of the answer: what came is printed. */
static int once(int argc, char **argv)
{
	struct cg_http_request request = {.method = "GET",
		.url = argv[1],
		.timeout_ms = argc > 2 ? (int64_t)strtol(argv[2], NULL, 10) : 30000,
		.response_limit = argc > 3 ? strtoul(argv[3], NULL, 10) : 1000};
	struct http_answer answer;
	struct cg_error err = {.text = ""};
	enum cg_status status = http_once(&request, &answer, &err);

	if (status != CG_OK) {
		printf("%s", answer.body == NULL ? "refused" : "left something");
		return 0;
	}
	printf("%d %d %lld %zu:%s %s", answer.result == CG_HTTP_DONE, answer.status,
		(long long)answer.date_ms, answer.length, answer.body,
		answer.error[0] == '\0' ? "-" : "said why");
	http_answer_finish(&answer);
	http_answer_finish(&answer); /* again is nothing */
	return 0;
}

static void an_answer_is_waited_for(void)
{
	static const char dated[] =
		"HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:01:00 GMT\r\n"
		"Content-Length: 2\r\n\r\nhi";
	static const struct rig_answer answers[] = {RIG_ANSWER("GET /a", 404, "body"),
		RIG_ANSWER("GET /b", 204, NULL), RIG_ANSWER("GET /c", RIG_RAW, dated),
		RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	rig_run(&rig, once, "once", "http://127.0.0.1:{port}/a", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "1 404 -1 4:body -"));
	rig_run(&rig, once, "once", "http://127.0.0.1:{port}/b", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "1 204 -1 0: -"));
	rig_run(&rig, once, "once", "http://127.0.0.1:{port}/c", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "1 200 60000 2:hi -"));
	rig_end(&rig);
}

static void silence_ends_and_says_why(void)
{
	static const struct rig_answer answers[] = {
		RIG_ANSWER("GET /gone", RIG_HANG_UP, NULL),
		RIG_ANSWER("GET /long", 200, "0123456789"),
		RIG_ANSWER("GET /open", RIG_STREAM, NULL), RIG_ANSWERS_END};
	struct rig rig;

	rig_begin(&rig);
	rig.answers = answers;
	rig_run(&rig, once, "once", "http://127.0.0.1:{port}/gone", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "0 0 -1 0: said why"));
	/* At the cap, and beyond it. */
	rig_run(&rig, once, "once", "http://127.0.0.1:{port}/long", "30000", "10", NULL);
	CU_ASSERT_TRUE(rig_same(rig.out, "1 200 -1 10:0123456789 -"));
	rig_run(&rig, once, "once", "http://127.0.0.1:{port}/long", "30000", "9", NULL);
	CU_ASSERT_EQUAL(strstr(rig.out, "0 "), rig.out);
	CU_ASSERT_TRUE(rig_has(rig.out, "said why"));
	/* Its own deadline ends it, whatever the other side does. */
	rig_run(&rig, once, "once", "http://127.0.0.1:{port}/open", "50", NULL);
	CU_ASSERT_EQUAL(strstr(rig.out, "0 "), rig.out);
	CU_ASSERT_TRUE(rig_has(rig.out, "said why"));
	rig_end(&rig);
}

static void what_is_no_request_is_not_begun(void)
{
	struct rig rig;

	rig_begin(&rig);
	rig_run(&rig, once, "once", "gopher://127.0.0.1:{port}/a", NULL);
	CU_ASSERT_TRUE(rig_same(rig.requests, ""));
	CU_ASSERT_TRUE(strcmp(rig.out, "refused") == 0 ||
		       strcmp(rig.out, "0 0 -1 0: said why") == 0);
	rig_end(&rig);
}

UNIT_SUITE(http_once, UNIT_TEST(an_answer_is_waited_for),
	UNIT_TEST(silence_ends_and_says_why), UNIT_TEST(what_is_no_request_is_not_begun));
