// Goes through a member's and a user's second factor by the client that such services' customers
// use, against the server at KEYFOB_URL. Codes are oathtool's.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import stytch from "stytch";

const { KEYFOB_URL: url, KEYFOB_PROJECT_ID: project_id, KEYFOB_SECRET: secret } = process.env;
const settings = { project_id, secret, env: `${url}/` };
const members = new stytch.B2BClient(settings);
const users = new stytch.Client(settings);

/** The code that a token shows so many steps from now. */
function code(secret, steps) {
  const then = new Date(Date.now() + 30_000 * steps).toISOString();
  const time = then.replace("T", " ").replace(/\..*/, " UTC");
  return execFileSync("oathtool", ["--totp", "--base32", "--now", time, secret]).toString().trim();
}

/** Waits until the present step goes on for ten seconds. */
async function calm() {
  const elapsed = (Date.now() / 1000) % 30;
  if (elapsed > 20) await new Promise((wake) => setTimeout(wake, (30 - elapsed) * 1000));
}

/** The call must be refused, and in this way. */
async function refused(call, status_code, error_type) {
  await assert.rejects(call, (error) => {
    assert.deepEqual([error.status_code, error.error_type], [status_code, error_type]);
    assert.match(error.request_id, /^request-id-/);
    return true;
  });
}

async function organizationAndMember(mfa_policy) {
  const { organization_id } = await members.organizations.create({
    organization_name: "ACME",
    mfa_policy,
  });
  const { member_id } = await members.organizations.members.create({
    organization_id,
    email_address: "alice@example.com",
    name: "Alice",
  });
  return { organization_id, member_id };
}

async function memberLives() {
  const alice = await organizationAndMember("OPTIONAL");
  await calm();
  const created = await members.totps.create({ ...alice, expiration_minutes: 30 });
  assert.equal(created.recovery_codes.length, 10);
  const confirmed = await members.totps.authenticate({
    ...alice,
    code: code(created.secret, -1),
    set_mfa_enrollment: "enroll",
    session_custom_claims: { role: "admin" },
  });
  assert.equal(confirmed.member.mfa_enrolled, true);
  assert.equal(confirmed.member.default_mfa_method, "totp");
  const used = { ...alice, code: code(created.secret, -1) };
  await refused(members.totps.authenticate(used), 401, "totp_code_already_authenticated");

  const local = await members.sessions.authenticateJwtLocal({ session_jwt: confirmed.session_jwt });
  assert.equal(local.member_id, alice.member_id);
  assert.equal(local.organization_id, alice.organization_id);
  assert.deepEqual(local.custom_claims, { role: "admin" });
  assert.equal(local.authentication_factors[0].type, "totp");
  const [header, payload] = confirmed.session_jwt.split(".");
  const forged = `${header}.${payload}.${"A".repeat(342)}`;
  await assert.rejects(members.sessions.authenticateJwtLocal({ session_jwt: forged }));

  await refused(members.totps.create(alice), 400, "active_totp_exists");
  const { session_token } = confirmed;
  const replaced = await members.totps.create({ ...alice, session_token });
  assert.equal(replaced.totp_registration_id, created.totp_registration_id);
  await members.totps.authenticate({ ...alice, code: code(replaced.secret, 0) });

  assert.deepEqual(replaced.recovery_codes, []);
  const recovery_code = created.recovery_codes[4];
  const recovered = await members.recoveryCodes.recover({ ...alice, recovery_code });
  assert.equal(recovered.recovery_codes_remaining, 9);
  const again = members.recoveryCodes.recover({ ...alice, recovery_code });
  await refused(again, 401, "unable_to_authenticate_recovery_code");
  const rotated = await members.recoveryCodes.rotate(alice);
  assert.equal(rotated.recovery_codes.length, 10);
  await refused(members.recoveryCodes.get(alice), 400, "recovery_codes_not_retrievable");

  await members.organizations.members.deleteTOTP(alice);
  const gone = { ...alice, code: code(replaced.secret, 1) };
  await refused(members.totps.authenticate(gone), 404, "totp_not_found");
}

async function memberMovesIn() {
  const alice = await organizationAndMember("REQUIRED_FOR_ALL");
  const migrated = await members.totps.migrate({
    ...alice,
    secret: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
    recovery_codes: ["ckss-2skx-ebow"],
  });
  assert.deepEqual(migrated.recovery_codes, ["ckss-2skx-ebow"]);
  const recovered = await members.recoveryCodes.recover({ ...alice, recovery_code: "CKSS2SKXEBOW" });
  assert.equal(recovered.recovery_codes_remaining, 0);
}

async function userLives() {
  const user_id = "user-live-0001";
  await calm();
  const created = await users.totps.create({ user_id });
  const totp_code = code(created.secret, 0);
  const authenticated = await users.totps.authenticate({ user_id, totp_code });
  assert.equal(authenticated.totp_id, created.totp_id);
  const local = await users.sessions.authenticateJwtLocal({
    session_jwt: authenticated.session_jwt,
  });
  assert.equal(local.user_id, user_id);
  const again = users.totps.authenticate({ user_id, totp_code });
  await refused(again, 401, "totp_code_already_authenticated");
  const recovery_code = created.recovery_codes[0];
  await users.totps.recover({ user_id, recovery_code });
  await refused(users.totps.recoveryCodes({ user_id }), 400, "recovery_codes_not_retrievable");
}

for (const story of [memberLives, memberMovesIn, userLives]) {
  await story();
  console.log(`${story.name}: passed`);
}
