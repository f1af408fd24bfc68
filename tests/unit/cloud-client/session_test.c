/* SPDX-License-Identifier: Apache-2.0 */
#include "cloud-client/session.h"

#include "tests/support/cloud_fake.h"
#include "tests/unit/unit.h"

#include <cowgate/sdk/json.h>
#include <string.h>

static struct cloud_fake fake;
static struct cloud_client *client;
static int answered; /* records that came */
static enum cloud_error refused;

static const struct cloud_session_params session = {"b/1"};

static void setup(void)
{
	answered = 0;
	refused = CLOUD_OK;
	cloud_fake_init(&fake);
	CU_ASSERT_EQUAL_FATAL(
		cloud_client_create(
			&(struct cloud_client_options){.transport = &fake.transport,
				.host = &fake.host,
				.claimed_by = "gateway:g1"},
			&client, NULL),
		CG_OK);
}

static void teardown(void)
{
	cloud_client_destroy(client);
	cloud_fake_finish(&fake);
}

static struct cloud_exchange *asked(
	const char *method, const char *path, const char *body)
{
	struct cloud_exchange *call = cloud_fake_take(&fake);

	CU_ASSERT_PTR_NOT_NULL_FATAL(call);
	CU_ASSERT_STRING_EQUAL(call->method, method);
	CU_ASSERT_STRING_EQUAL(call->path, path);
	CU_ASSERT_EQUAL(call->body == NULL, body == NULL);
	if (body != NULL)
		CU_ASSERT_STRING_EQUAL(cg_json_text(call->body, NULL), body);
	return call;
}

static bool note(const struct cloud_result *result, const void *record)
{
	CU_ASSERT_EQUAL(record != NULL, result->error == CLOUD_OK);
	refused = result->error;
	answered += record != NULL;
	return record != NULL;
}

static void on_snapshot(void *arg, const struct cloud_result *result,
	const struct cloud_session_snapshot *snapshot)
{
	(void)arg;
	if (!note(result, snapshot))
		return;
	CU_ASSERT_STRING_EQUAL(snapshot->session_id, "s");
	CU_ASSERT_STRING_EQUAL(snapshot->title, "t");
	CU_ASSERT_EQUAL(snapshot->sequence, 17);
	CU_ASSERT_STRING_EQUAL(cg_json_string(snapshot->view, "title"), "v");
}

static void snapshots(void)
{
	setup();
	CU_ASSERT_EQUAL(cloud_snapshot(client, &session, on_snapshot, NULL, NULL), CG_OK);
	cloud_fake_answer(asked("GET", "/api/channels/sessions/b%2F1/snapshot", NULL),
		200,
		"{\"session\":{\"sessionId\":\"s\",\"title\":\"t\"},"
		"\"projection\":{\"sequence\":17,\"view\":{\"title\":\"v\"}}}");
	CU_ASSERT_EQUAL(answered, 1);
	teardown();
}

static void on_artifact(void *arg, const struct cloud_result *result,
	const struct cloud_artifact *artifact)
{
	(void)arg;
	if (!note(result, artifact))
		return;
	CU_ASSERT_STRING_EQUAL(artifact->artifact_id, "f1");
	CU_ASSERT_STRING_EQUAL(artifact->filename, "a.txt");
	CU_ASSERT_STRING_EQUAL(artifact->content_type, "text/plain");
	CU_ASSERT_STRING_EQUAL(artifact->data_base64, "aGk=");
	CU_ASSERT_EQUAL(artifact->data_length, 4);
	CU_ASSERT_EQUAL(artifact->size, 2);
}

static void artifacts(void)
{
	struct cloud_artifact_params params = {.binding_id = "b", .artifact_id = "f 1"};
	struct cloud_exchange *call;

	setup();
	CU_ASSERT_EQUAL(
		cloud_get_artifact(client, &params, on_artifact, NULL, NULL), CG_OK);
	call = asked("GET", "/api/channels/sessions/b/artifacts/f%201", NULL);
	CU_ASSERT(call->response_limit > CLOUD_ARTIFACT_BYTES / 3 * 4);
	cloud_fake_answer(call, 200,
		"{\"artifact\":{\"id\":\"f1\",\"filename\":\"a.txt\",\"mime\":\"text/"
		"plain\","
		"\"dataBase64\":\"aGk=\",\"size\":2}}");
	CU_ASSERT_EQUAL(answered, 1);
	/* No more is taken in than is wanted. */
	params.max_bytes = 3000;
	CU_ASSERT_EQUAL(
		cloud_get_artifact(client, &params, on_artifact, NULL, NULL), CG_OK);
	call = cloud_fake_take(&fake);
	CU_ASSERT(call->response_limit > 4000 && call->response_limit < 100000);
	cloud_fake_fail(call, CG_LIMIT, NULL);
	CU_ASSERT_EQUAL(refused, CLOUD_TOO_LARGE);
	/* Without its bytes it is none. */
	CU_ASSERT_EQUAL(
		cloud_get_artifact(client, &params, on_artifact, NULL, NULL), CG_OK);
	cloud_fake_answer(cloud_fake_take(&fake), 200, "{\"artifact\":{\"id\":\"f1\"}}");
	CU_ASSERT_EQUAL(refused, CLOUD_PROTOCOL);
	params.artifact_id = NULL;
	CU_ASSERT_EQUAL(
		cloud_get_artifact(client, &params, on_artifact, NULL, NULL), CG_INVALID);
	teardown();
}

static void on_extensions(void *arg, const struct cloud_result *result,
	const struct cloud_extensions *extensions)
{
	bool *have = arg;

	if (!note(result, extensions))
		return;
	have[0] = cloud_extensions_have(extensions, "session.abort");
	have[1] = cloud_extensions_have(extensions, "people");
	CU_ASSERT_STRING_EQUAL(extensions->epoch, have[0] ? "e1" : "");
}

static void extensions_are_probed(void)
{
	static const int absent[] = {403, 404, 405};
	bool have[2] = {false, false};

	setup();
	CU_ASSERT_EQUAL(cloud_probe_extensions(client, on_extensions, have, NULL), CG_OK);
	cloud_fake_answer(asked("GET", "/api/channels/extensions", NULL), 200,
		"{\"extensions\":[1,\"session.abort\"],\"epoch\":\"e1\"}");
	CU_ASSERT_TRUE(have[0]);
	CU_ASSERT_FALSE(have[1]);
	for (size_t i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(
			cloud_probe_extensions(client, on_extensions, have, NULL), CG_OK);
		cloud_fake_answer(cloud_fake_take(&fake), absent[i],
			"{\"error\":\"no\",\"code\":\"authorization.action_unknown\"}");
		CU_ASSERT_FALSE(have[0]);
	}
	CU_ASSERT_EQUAL(answered, 4);
	/* But whoever cannot be asked has not said no. */
	CU_ASSERT_EQUAL(cloud_probe_extensions(client, on_extensions, have, NULL), CG_OK);
	cloud_fake_answer(cloud_fake_take(&fake), 500, NULL);
	CU_ASSERT_EQUAL(refused, CLOUD_SERVER);
	teardown();
}

static void on_abort(
	void *arg, const struct cloud_result *result, const struct cloud_abort *abort)
{
	bool *aborted = arg;

	if (note(result, abort))
		*aborted = abort->aborted && abort->dropped == 2;
}

static void on_status(void *arg, const struct cloud_result *result,
	const struct cloud_session_status *status)
{
	(void)arg;
	if (!note(result, status))
		return;
	CU_ASSERT_TRUE(status->busy);
	CU_ASSERT_EQUAL(status->queued, 2);
	CU_ASSERT_STRING_EQUAL(status->agent, "build");
	CU_ASSERT_PTR_NULL(status->model);
}

static void sessions_are_stopped_and_looked_at(void)
{
	bool aborted = false;

	setup();
	CU_ASSERT_EQUAL(
		cloud_abort_session(client, &session, on_abort, &aborted, NULL), CG_OK);
	cloud_fake_answer(asked("POST", "/api/channels/sessions/b%2F1/abort", "{}"), 202,
		"{\"aborted\":true,\"dropped\":2}");
	CU_ASSERT_TRUE(aborted);
	CU_ASSERT_EQUAL(cloud_get_status(client, &session, on_status, NULL, NULL), CG_OK);
	cloud_fake_answer(asked("GET", "/api/channels/sessions/b%2F1", NULL), 200,
		"{\"busy\":true,\"queued\":2,\"agent\":\"build\",\"model\":null}");
	CU_ASSERT_EQUAL(answered, 2);
	teardown();
}

static void on_place(void *arg, const struct cloud_result *result,
	const struct cloud_artifact *artifact)
{
	(void)arg;
	if (!note(result, artifact))
		return;
	CU_ASSERT_STRING_EQUAL(artifact->path, "/data/f1");
	CU_ASSERT_STRING_EQUAL(artifact->data_base64, "");
}

static void artifacts_by_path(void)
{
	const struct cloud_artifact_params params = {
		.binding_id = "b", .artifact_id = "f1", .by_path = true};
	struct cloud_exchange *call;

	setup();
	CU_ASSERT_EQUAL(cloud_get_artifact(client, &params, on_place, NULL, NULL), CG_OK);
	call = asked("GET", "/api/channels/sessions/b/artifacts/f1", NULL);
	CU_ASSERT_STRING_EQUAL(call->query, "transfer=path");
	cloud_fake_answer(
		call, 200, "{\"artifact\":{\"id\":\"f1\",\"path\":\"/data/f1\"}}");
	CU_ASSERT_EQUAL(answered, 1);
	teardown();
}

static void on_agents(
	void *arg, const struct cloud_result *result, const struct cloud_agents *agents)
{
	struct cloud_agent agent;

	(void)arg;
	if (!note(result, agents))
		return;
	CU_ASSERT_EQUAL(agents->count, 2);
	CU_ASSERT_TRUE(cloud_agents_at(agents, 0, &agent));
	CU_ASSERT_STRING_EQUAL(agent.name, "default");
	CU_ASSERT_STRING_EQUAL(agent.backend, "echo");
	CU_ASSERT_PTR_NULL(agent.model);
	CU_ASSERT_FALSE(cloud_agents_at(agents, 1, &agent));
}

static void on_agent(
	void *arg, const struct cloud_result *result, const struct cloud_agent *agent)
{
	(void)arg;
	if (note(result, agent))
		CU_ASSERT_STRING_EQUAL(agent->name, "coder");
}

static void agents_are_listed_and_chosen(void)
{
	const struct cloud_choice_params params = {"b/1", "coder"};

	setup();
	CU_ASSERT_EQUAL(cloud_list_agents(client, on_agents, NULL, NULL), CG_OK);
	cloud_fake_answer(asked("GET", "/api/channels/agents", NULL), 200,
		"{\"agents\":[{\"name\":\"default\",\"backend\":\"echo\",\"model\":null},"
		"{}]}");
	CU_ASSERT_EQUAL(cloud_choose_agent(client, &params, on_agent, NULL, NULL), CG_OK);
	cloud_fake_answer(asked("POST", "/api/channels/sessions/b%2F1/agent",
				  "{\"agent\":\"coder\"}"),
		200, "{\"agent\":\"coder\",\"backend\":\"acp\"}");
	CU_ASSERT_EQUAL(answered, 2);
	CU_ASSERT_EQUAL(cloud_choose_agent(client, &params, on_agent, NULL, NULL), CG_OK);
	cloud_fake_answer(cloud_fake_take(&fake), 404, "{\"error\":\"no\"}");
	CU_ASSERT_EQUAL(refused, CLOUD_NOT_FOUND);
	teardown();
}

static void on_people(
	void *arg, const struct cloud_result *result, const struct cloud_people *people)
{
	struct cloud_identity identity;

	(void)arg;
	if (!note(result, people))
		return;
	CU_ASSERT_EQUAL(people->count, 2);
	CU_ASSERT_TRUE(cloud_people_at(people, 0, &identity));
	CU_ASSERT_STRING_EQUAL(identity.identity_id, "i1");
	CU_ASSERT_STRING_EQUAL(identity.pairing_code, "C1");
	CU_ASSERT_FALSE(cloud_people_at(people, 1, &identity)); /* no id */
	CU_ASSERT_FALSE(cloud_people_at(people, 2, &identity));
}

static void on_identity(void *arg, const struct cloud_result *result,
	const struct cloud_identity *identity)
{
	const char *id = arg;

	if (note(result, identity))
		CU_ASSERT_STRING_EQUAL(identity->identity_id, id);
}

static void people_are_managed(void)
{
	static const char reply[] = "{\"person\":{\"identityId\":\"i1\"}}";
	static char id[] = "i1";
	static char none[] = "";
	struct cloud_actor actor = {
		.identity_id = "i0", .provider = "telegram", .external_user_id = "7"};
	struct cloud_pairing_params pairing = {"K1", &actor};
	struct cloud_person_params person = {"i/1", "admin", NULL};

	setup();
	CU_ASSERT_EQUAL(cloud_list_people(client, on_people, NULL, NULL), CG_OK);
	cloud_fake_answer(asked("GET", "/api/channels/people", NULL), 200,
		"{\"people\":[{\"identityId\":\"i1\",\"pairing\":{\"code\":\"C1\"}},{}]"
		"}");

	CU_ASSERT_EQUAL(
		cloud_approve_person(client, &pairing, on_identity, id, NULL), CG_OK);
	cloud_fake_answer(asked("POST", "/api/channels/people/approve",
				  "{\"code\":\"K1\",\"provider\":\"telegram\","
				  "\"externalUserId\":\"7\"}"),
		200, reply);
	pairing.actor = NULL;
	CU_ASSERT_EQUAL(
		cloud_deny_person(client, &pairing, on_identity, id, NULL), CG_OK);
	cloud_fake_answer(asked("POST", "/api/channels/people/deny", "{\"code\":\"K1\"}"),
		200, reply);

	CU_ASSERT_EQUAL(
		cloud_update_person(client, &person, on_identity, id, NULL), CG_OK);
	cloud_fake_answer(
		asked("POST", "/api/channels/people/i%2F1", "{\"role\":\"admin\"}"), 200,
		reply);
	CU_ASSERT_EQUAL(
		cloud_remove_person(client, &person, on_identity, id, NULL), CG_OK);
	cloud_fake_answer(
		asked("DELETE", "/api/channels/people/i%2F1", NULL), 200, reply);
	CU_ASSERT_EQUAL(
		cloud_remove_person(client, &person, on_identity, none, NULL), CG_OK);
	cloud_fake_answer(cloud_fake_take(&fake), 200, "{}");
	CU_ASSERT_EQUAL(answered, 6);

	pairing.code = " ";
	CU_ASSERT_EQUAL(cloud_approve_person(client, &pairing, on_identity, id, NULL),
		CG_INVALID);
	teardown();
}

UNIT_SUITE(session, UNIT_TEST(snapshots), UNIT_TEST(artifacts),
	UNIT_TEST(extensions_are_probed), UNIT_TEST(sessions_are_stopped_and_looked_at),
	UNIT_TEST(artifacts_by_path), UNIT_TEST(agents_are_listed_and_chosen),
	UNIT_TEST(people_are_managed));
