/* What no caller should do: null pointers, impossible values, records that are garbage. */
#include "check.h"
#include "memory.h"

#include <string.h>

#ifndef RECORDS
#define RECORDS 20000
#endif

#define NULL_IN(call) CHECK((call) == KEYFOB_NULL_POINTER)

static const char URI[] = "otpauth://totp/a?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

static keyfob_params_t params;
static keyfob_context_t context;
static keyfob_entropy_t entropy;
static keyfob_store_t store;
static keyfob_record_t record;
static keyfob_proposal_t proposal;
static keyfob_secret_t secret;
static keyfob_write_t change;
static keyfob_enrollment_t enrollment;
static keyfob_migration_t migration;
static keyfob_migration_t exported;
static keyfob_migrated_t migrated;
static keyfob_authentication_t authentication;
static keyfob_recovery_t recovery;
static keyfob_recovery_codes_t codes;
static keyfob_registration_t registration;
static keyfob_resync_t resync;
static keyfob_proof_t proof;
static keyfob_recovery_code_t recovery_code;
static memory_t memory;
static uint32_t state = 2463534242U;

static int nulls_without_a_store(void)
{
    keyfob_window_t window = {1, 1};
    keyfob_burned_t burned = {0, 0};
    keyfob_match_t found;
    keyfob_secret_t made;
    keyfob_code_t code;
    keyfob_uri_t uri;
    uint64_t seconds;
    char text[300];
    size_t length;

    NULL_IN(keyfob_secret_generate(NULL, KEYFOB_SHA1, &entropy));
    NULL_IN(keyfob_secret_generate(&made, KEYFOB_SHA1, NULL));
    NULL_IN(keyfob_secret_from_bytes(NULL, (const uint8_t *)URI, 20));
    NULL_IN(keyfob_secret_from_bytes(&made, NULL, 20));
    NULL_IN(keyfob_secret_from_base32(NULL, URI, 20));
    NULL_IN(keyfob_secret_from_base32(&made, NULL, 20));
    NULL_IN(keyfob_secret_from_pasted_base32(NULL, URI, 20));
    NULL_IN(keyfob_secret_from_pasted_base32(&made, NULL, 20));
    NULL_IN(keyfob_secret_to_base32(NULL, text, sizeof text));
    NULL_IN(keyfob_secret_to_base32(&secret, NULL, sizeof text));
    NULL_IN(keyfob_totp_code(NULL, &params, 0, &code));
    NULL_IN(keyfob_totp_code(&secret, NULL, 0, &code));
    NULL_IN(keyfob_totp_code(&secret, &params, 0, NULL));
    NULL_IN(keyfob_hotp_code(NULL, &params, 0, &code));
    NULL_IN(keyfob_hotp_code(&secret, NULL, 0, &code));
    NULL_IN(keyfob_hotp_code(&secret, &params, 0, NULL));
    NULL_IN(keyfob_totp_remaining_seconds(NULL, 0, &seconds));
    NULL_IN(keyfob_totp_remaining_seconds(&params, 0, NULL));
    NULL_IN(keyfob_totp_verify(NULL, &params, "287082", 6, 59, window, &burned, &found));
    NULL_IN(keyfob_totp_verify(&secret, NULL, "287082", 6, 59, window, &burned, &found));
    NULL_IN(keyfob_totp_verify(&secret, &params, NULL, 6, 59, window, &burned, &found));
    NULL_IN(keyfob_totp_verify(&secret, &params, "287082", 6, 59, window, NULL, &found));
    NULL_IN(keyfob_totp_verify(&secret, &params, "287082", 6, 59, window, &burned, NULL));
    NULL_IN(keyfob_hotp_verify(NULL, &params, "287082", 6, window, &burned, &found));
    NULL_IN(keyfob_hotp_verify(&secret, NULL, "287082", 6, window, &burned, &found));
    NULL_IN(keyfob_hotp_verify(&secret, &params, NULL, 6, window, &burned, &found));
    NULL_IN(keyfob_hotp_verify(&secret, &params, "287082", 6, window, NULL, &found));
    NULL_IN(keyfob_hotp_verify(&secret, &params, "287082", 6, window, &burned, NULL));
    NULL_IN(keyfob_uri_read(NULL, 9, KEYFOB_STRICT, &uri));
    NULL_IN(keyfob_uri_read(URI, sizeof URI - 1, KEYFOB_STRICT, NULL));
    NULL_IN(keyfob_uri_write(NULL, &params, 0, "", 0, "a", 1, text, sizeof text, &length));
    NULL_IN(keyfob_uri_write(&secret, NULL, 0, "", 0, "a", 1, text, sizeof text, &length));
    NULL_IN(keyfob_uri_write(&secret, &params, 0, NULL, 1, "a", 1, text, sizeof text, &length));
    NULL_IN(keyfob_uri_write(&secret, &params, 0, "", 0, NULL, 1, text, sizeof text, &length));
    NULL_IN(keyfob_uri_write(&secret, &params, 0, "", 0, "a", 1, NULL, sizeof text, &length));
    NULL_IN(keyfob_uri_write(&secret, &params, 0, "", 0, "a", 1, text, sizeof text, NULL));
    CHECK(burned.any == 0);
    keyfob_wipe(NULL, 9);
    keyfob_proposal_wipe(NULL);
    return 0;
}

static int nulls_in_proposals(void)
{
    NULL_IN(keyfob_propose_create(NULL, NULL, &params, &context, &entropy));
    NULL_IN(keyfob_propose_create(&proposal, NULL, NULL, &context, &entropy));
    NULL_IN(keyfob_propose_create(&proposal, NULL, &params, NULL, &entropy));
    NULL_IN(keyfob_propose_create(&proposal, NULL, &params, &context, NULL));
    NULL_IN(keyfob_propose_authenticate(NULL, &record, "123456", 6, &context));
    NULL_IN(keyfob_propose_authenticate(&proposal, &record, NULL, 6, &context));
    NULL_IN(keyfob_propose_authenticate(&proposal, &record, "123456", 6, NULL));
    NULL_IN(keyfob_propose_replace(NULL, &record, &proof, &params, &context, &entropy));
    NULL_IN(keyfob_propose_replace(&proposal, &record, NULL, &params, &context, &entropy));
    NULL_IN(keyfob_propose_replace(&proposal, &record, &proof, NULL, &context, &entropy));
    NULL_IN(keyfob_propose_replace(&proposal, &record, &proof, &params, NULL, &entropy));
    NULL_IN(keyfob_propose_replace(&proposal, &record, &proof, &params, &context, NULL));
    NULL_IN(keyfob_propose_migrate(NULL, NULL, &migration, &context, &entropy));
    NULL_IN(keyfob_propose_migrate(&proposal, NULL, NULL, &context, &entropy));
    NULL_IN(keyfob_propose_migrate(&proposal, NULL, &migration, NULL, &entropy));
    NULL_IN(keyfob_propose_migrate(&proposal, NULL, &migration, &context, NULL));
    NULL_IN(keyfob_propose_recover(NULL, &record, "a", 1, &context));
    NULL_IN(keyfob_propose_recover(&proposal, &record, NULL, 1, &context));
    NULL_IN(keyfob_propose_recover(&proposal, &record, "a", 1, NULL));
    NULL_IN(keyfob_propose_recovery_codes(NULL, &record, &context, &entropy));
    NULL_IN(keyfob_propose_recovery_codes(&proposal, &record, NULL, &entropy));
    NULL_IN(keyfob_propose_recovery_codes(&proposal, &record, &context, NULL));
    NULL_IN(keyfob_propose_resync(NULL, &record, "123456", 6, "123456", 6, &context));
    NULL_IN(keyfob_propose_resync(&proposal, &record, NULL, 6, "123456", 6, &context));
    NULL_IN(keyfob_propose_resync(&proposal, &record, "123456", 6, NULL, 6, &context));
    NULL_IN(keyfob_propose_resync(&proposal, &record, "123456", 6, "123456", 6, NULL));
    NULL_IN(keyfob_propose_unlock(NULL, &record));
    NULL_IN(keyfob_propose_drift(NULL, &record, 0));
    NULL_IN(keyfob_propose_finish_recovery(NULL, &record, &context));
    NULL_IN(keyfob_propose_forget_future_steps(NULL, &record, &context));
    NULL_IN(keyfob_propose_forget_future_steps(&proposal, &record, NULL));
    NULL_IN(keyfob_propose_fence(NULL, &record, &context));
    NULL_IN(keyfob_propose_fence(&proposal, &record, NULL));
    NULL_IN(keyfob_propose_delete(NULL, &record));
    NULL_IN(keyfob_proposal_write(NULL, &change));
    NULL_IN(keyfob_proposal_write(&proposal, NULL));
    NULL_IN(keyfob_record_status(&record, NULL, &registration));
    NULL_IN(keyfob_record_status(&record, &context, NULL));
    NULL_IN(keyfob_record_export(&record, 0, NULL));
    return 0;
}

static int nulls_in_settling(void)
{
    NULL_IN(keyfob_settle_enrollment(NULL, KEYFOB_SWAP_STORED, &enrollment));
    NULL_IN(keyfob_settle_enrollment(&proposal, KEYFOB_SWAP_STORED, NULL));
    NULL_IN(keyfob_settle_authentication(NULL, KEYFOB_SWAP_STORED, &authentication));
    NULL_IN(keyfob_settle_authentication(&proposal, KEYFOB_SWAP_STORED, NULL));
    NULL_IN(keyfob_settle_migration(NULL, KEYFOB_SWAP_STORED, &migrated));
    NULL_IN(keyfob_settle_migration(&proposal, KEYFOB_SWAP_STORED, NULL));
    NULL_IN(keyfob_settle_recovery(NULL, KEYFOB_SWAP_STORED, &recovery));
    NULL_IN(keyfob_settle_recovery(&proposal, KEYFOB_SWAP_STORED, NULL));
    NULL_IN(keyfob_settle_recovery_codes(NULL, KEYFOB_SWAP_STORED, &codes));
    NULL_IN(keyfob_settle_recovery_codes(&proposal, KEYFOB_SWAP_STORED, NULL));
    NULL_IN(keyfob_settle_resync(NULL, KEYFOB_SWAP_STORED, &resync));
    NULL_IN(keyfob_settle_resync(&proposal, KEYFOB_SWAP_STORED, NULL));
    NULL_IN(keyfob_settle_change(NULL, KEYFOB_SWAP_STORED));
    return 0;
}

static int nulls_with_a_store(void)
{
    NULL_IN(keyfob_create(NULL, NULL, &params, &context, &entropy, &enrollment));
    NULL_IN(keyfob_create(&store, NULL, NULL, &context, &entropy, &enrollment));
    NULL_IN(keyfob_create(&store, NULL, &params, NULL, &entropy, &enrollment));
    NULL_IN(keyfob_create(&store, NULL, &params, &context, NULL, &enrollment));
    NULL_IN(keyfob_create(&store, NULL, &params, &context, &entropy, NULL));
    NULL_IN(keyfob_authenticate(NULL, NULL, "123456", 6, &context, &authentication));
    NULL_IN(keyfob_authenticate(&store, NULL, NULL, 6, &context, &authentication));
    NULL_IN(keyfob_authenticate(&store, NULL, "123456", 6, NULL, &authentication));
    NULL_IN(keyfob_authenticate(&store, NULL, "123456", 6, &context, NULL));
    NULL_IN(keyfob_replace(NULL, NULL, &proof, &params, &context, &entropy, &enrollment));
    NULL_IN(keyfob_replace(&store, NULL, NULL, &params, &context, &entropy, &enrollment));
    NULL_IN(keyfob_replace(&store, NULL, &proof, NULL, &context, &entropy, &enrollment));
    NULL_IN(keyfob_replace(&store, NULL, &proof, &params, NULL, &entropy, &enrollment));
    NULL_IN(keyfob_replace(&store, NULL, &proof, &params, &context, NULL, &enrollment));
    NULL_IN(keyfob_replace(&store, NULL, &proof, &params, &context, &entropy, NULL));
    NULL_IN(keyfob_migrate(NULL, NULL, &migration, &context, &entropy, &migrated));
    NULL_IN(keyfob_migrate(&store, NULL, NULL, &context, &entropy, &migrated));
    NULL_IN(keyfob_migrate(&store, NULL, &migration, NULL, &entropy, &migrated));
    NULL_IN(keyfob_migrate(&store, NULL, &migration, &context, NULL, &migrated));
    NULL_IN(keyfob_migrate(&store, NULL, &migration, &context, &entropy, NULL));
    NULL_IN(keyfob_recover(NULL, NULL, "a", 1, &context, &recovery));
    NULL_IN(keyfob_recover(&store, NULL, NULL, 1, &context, &recovery));
    NULL_IN(keyfob_recover(&store, NULL, "a", 1, NULL, &recovery));
    NULL_IN(keyfob_recover(&store, NULL, "a", 1, &context, NULL));
    NULL_IN(keyfob_rotate_recovery_codes(NULL, NULL, &context, &entropy, &codes));
    NULL_IN(keyfob_rotate_recovery_codes(&store, NULL, NULL, &entropy, &codes));
    NULL_IN(keyfob_rotate_recovery_codes(&store, NULL, &context, NULL, &codes));
    NULL_IN(keyfob_rotate_recovery_codes(&store, NULL, &context, &entropy, NULL));
    NULL_IN(keyfob_resync(NULL, NULL, "123456", 6, "123456", 6, &context, &resync));
    NULL_IN(keyfob_resync(&store, NULL, NULL, 6, "123456", 6, &context, &resync));
    NULL_IN(keyfob_resync(&store, NULL, "123456", 6, NULL, 6, &context, &resync));
    NULL_IN(keyfob_resync(&store, NULL, "123456", 6, "123456", 6, NULL, &resync));
    NULL_IN(keyfob_resync(&store, NULL, "123456", 6, "123456", 6, &context, NULL));
    NULL_IN(keyfob_registration_status(NULL, NULL, &context, &registration));
    NULL_IN(keyfob_registration_status(&store, NULL, NULL, &registration));
    NULL_IN(keyfob_registration_status(&store, NULL, &context, NULL));
    NULL_IN(keyfob_export(NULL, NULL, 0, &exported));
    NULL_IN(keyfob_export(&store, NULL, 0, NULL));
    NULL_IN(keyfob_unlock(NULL, NULL));
    NULL_IN(keyfob_set_drift(NULL, NULL, 0));
    NULL_IN(keyfob_forget_future_steps(NULL, NULL, &context));
    NULL_IN(keyfob_forget_future_steps(&store, NULL, NULL));
    NULL_IN(keyfob_fence(NULL, NULL, &context));
    NULL_IN(keyfob_fence(&store, NULL, NULL));
    NULL_IN(keyfob_delete(NULL, NULL));
    store.load = NULL;
    NULL_IN(keyfob_delete(&store, NULL));
    store = memory_store(&memory);
    store.compare_and_swap = NULL;
    NULL_IN(keyfob_create(&store, NULL, &params, &context, &entropy, &enrollment));
    store = memory_store(&memory);
    return 0;
}

/* A function of C's that reports what can't be: so many bytes, or what is no answer. */
static uint32_t reported_length;
static int reported;

static int report(void *it, const void *id, keyfob_record_t *found)
{
    (void)it;
    (void)id;
    found->length = reported_length;
    return reported;
}

static int fill_nothing(void *it, uint8_t *bytes, size_t length)
{
    (void)it;
    (void)bytes;
    (void)length;
    return reported;
}

static int impossible_reports(void)
{
    static const uint32_t LENGTHS[] = {0, 1, 704, 705, 1409, 0x7fffffff, 0x80000000, 0xffffffff};
    static const int ANSWERS[] = {0, 3, 4, -1, 257};
    keyfob_entropy_t none = {0};

    store.load = report;
    reported = KEYFOB_LOAD_FOUND;
    for (size_t i = 0; i < sizeof LENGTHS / sizeof LENGTHS[0]; i++) {
        reported_length = LENGTHS[i];
        CHECK(keyfob_unlock(&store, NULL) == KEYFOB_RECORD_MALFORMED ||
              keyfob_unlock(&store, NULL) == KEYFOB_RECORD_VERSION);
    }
    for (size_t i = 0; i < sizeof ANSWERS / sizeof ANSWERS[0]; i++) {
        reported = ANSWERS[i];
        CHECK(keyfob_unlock(&store, NULL) == KEYFOB_STORE_FAILED);
    }
    store = memory_store(&memory);
    none.fill = fill_nothing;
    CHECK(keyfob_create(&store, NULL, &params, &context, &none, &enrollment) ==
          KEYFOB_ENTROPY_FAILED);
    CHECK(!memory.is_full);
    return 0;
}

/* As much as the header says, and a byte more. */
static int texts_that_are_too_long(void)
{
    static char text[KEYFOB_RECOVERY_TEXT_BYTES + 1];
    keyfob_migration_t with_codes = migration;

    memset(text, ' ', sizeof text);
    CHECK(keyfob_propose_authenticate(&proposal, NULL, text, KEYFOB_TYPED_BYTES, &context) ==
          KEYFOB_OK);
    CHECK(keyfob_propose_authenticate(&proposal, NULL, text, KEYFOB_TYPED_BYTES + 1, &context) ==
          KEYFOB_TEXT_TOO_LONG);
    CHECK(keyfob_propose_recover(&proposal, NULL, text, KEYFOB_TYPED_BYTES + 1, &context) ==
          KEYFOB_TEXT_TOO_LONG);
    CHECK(keyfob_authenticate(&store, NULL, text, KEYFOB_TYPED_BYTES, &context, &authentication) ==
          KEYFOB_UNKNOWN);
    CHECK(keyfob_authenticate(&store, NULL, text, KEYFOB_TYPED_BYTES + 1, &context,
                              &authentication) == KEYFOB_TEXT_TOO_LONG);
    CHECK(keyfob_recover(&store, NULL, text, KEYFOB_TYPED_BYTES + 1, &context, &recovery) ==
          KEYFOB_TEXT_TOO_LONG);
    with_codes.recovery_codes = text;
    with_codes.recovery_codes_length = sizeof text - 1;
    CHECK(keyfob_propose_migrate(&proposal, NULL, &with_codes, &context, &entropy) == KEYFOB_OK);
    with_codes.recovery_codes_length = sizeof text;
    CHECK(keyfob_propose_migrate(&proposal, NULL, &with_codes, &context, &entropy) ==
          KEYFOB_TEXT_TOO_LONG);
    CHECK(keyfob_migrate(&store, NULL, &with_codes, &context, &entropy, &migrated) ==
          KEYFOB_TEXT_TOO_LONG);
    return 0;
}

static int impossible_values(void)
{
    keyfob_context_t odd = context;
    keyfob_params_t wrong = params;
    keyfob_secret_t long_secret = secret;
    keyfob_entropy_t none = {0};
    keyfob_secret_t made;
    keyfob_code_t code;

    long_secret.length = 129;
    CHECK(keyfob_totp_code(&long_secret, &params, 0, &code) == KEYFOB_SECRET_TOO_LONG);
    CHECK(keyfob_secret_from_bytes(&made, (const uint8_t *)URI, SIZE_MAX) ==
          KEYFOB_INVALID_ARGUMENT);
    CHECK(keyfob_secret_generate(&made, 9, &entropy) == KEYFOB_INVALID_ARGUMENT);
    CHECK(keyfob_secret_generate(&made, KEYFOB_SHA1, &none) == KEYFOB_ENTROPY_FAILED);
    wrong.kind = 3;
    CHECK(keyfob_propose_create(&proposal, NULL, &wrong, &context, &entropy) ==
          KEYFOB_INVALID_ARGUMENT);
    odd.policy.disabled_at = 101;
    CHECK(keyfob_propose_create(&proposal, NULL, &params, &odd, &entropy) ==
          KEYFOB_INVALID_ARGUMENT);
    odd = context;
    odd.policy.recovery_codes = 17;
    CHECK(keyfob_propose_create(&proposal, NULL, &params, &odd, &entropy) ==
          KEYFOB_INVALID_ARGUMENT);
    record.length = KEYFOB_RECORD_BYTES + 1;
    CHECK(keyfob_propose_create(&proposal, NULL, &params, &context, &entropy) == KEYFOB_OK);
    CHECK(keyfob_propose_unlock(&proposal, &record) == KEYFOB_RECORD_MALFORMED);
    CHECK(keyfob_settle_change(&proposal, KEYFOB_SWAP_STORED) == KEYFOB_OTHER_PROPOSAL);
    CHECK(keyfob_settle_enrollment(&proposal, KEYFOB_SWAP_STORED, &enrollment) ==
          KEYFOB_OTHER_PROPOSAL);
    CHECK(keyfob_proposal_write(&proposal, &change) == KEYFOB_OTHER_PROPOSAL);
    CHECK(!same(keyfob_status_text(KEYFOB_REPLAYED), keyfob_status_text(12345)));
    return 0;
}

static uint32_t random_below(uint32_t limit)
{
    uint32_t number;

    entropy.fill(entropy.context, (uint8_t *)&number, sizeof number);
    return number % limit;
}

/* A valid record with a few bytes changed, cut off or drawn out; at times nothing but noise. */
static void spoil(const keyfob_record_t *valid)
{
    record = *valid;
    if (random_below(8) == 0)
        entropy.fill(entropy.context, record.bytes, sizeof record.bytes);
    if (random_below(4) == 0)
        record.length = random_below(KEYFOB_RECORD_BYTES + 2);
    for (uint32_t changes = random_below(4); changes > 0; changes--)
        record.bytes[random_below(valid->length)] = (uint8_t)random_below(256);
}

/* An answer is allowed to be any; what isn't is a crash, or a read of what nobody wrote. */
static void decide_everything(void)
{
    if (keyfob_propose_authenticate(&proposal, &record, "123456", 6, &context) == KEYFOB_OK &&
        keyfob_proposal_write(&proposal, &change) == KEYFOB_OK)
        keyfob_settle_authentication(&proposal, KEYFOB_SWAP_STORED, &authentication);
    if (keyfob_propose_create(&proposal, &record, &params, &context, &entropy) == KEYFOB_OK)
        keyfob_settle_enrollment(&proposal, KEYFOB_SWAP_STORED, &enrollment);
    if (keyfob_propose_replace(&proposal, &record, &proof, &params, &context, &entropy) == KEYFOB_OK)
        keyfob_settle_enrollment(&proposal, KEYFOB_SWAP_STORED, &enrollment);
    if (keyfob_propose_migrate(&proposal, &record, &migration, &context, &entropy) == KEYFOB_OK)
        keyfob_settle_migration(&proposal, KEYFOB_SWAP_STORED, &migrated);
    if (keyfob_propose_recover(&proposal, &record, recovery_code.text,
                               length_of(recovery_code.text), &context) == KEYFOB_OK)
        keyfob_settle_recovery(&proposal, KEYFOB_SWAP_STORED, &recovery);
    if (keyfob_propose_recovery_codes(&proposal, &record, &context, &entropy) == KEYFOB_OK)
        keyfob_settle_recovery_codes(&proposal, KEYFOB_SWAP_STORED, &codes);
    keyfob_propose_finish_recovery(&proposal, &record, &context);
    if (keyfob_propose_forget_future_steps(&proposal, &record, &context) == KEYFOB_OK)
        keyfob_settle_change(&proposal, KEYFOB_SWAP_STORED);
    if (keyfob_propose_drift(&proposal, &record, 3) == KEYFOB_OK)
        keyfob_settle_change(&proposal, KEYFOB_SWAP_STORED);
    if (keyfob_propose_resync(&proposal, &record, "123456", 6, "654321", 6, &context) == KEYFOB_OK)
        keyfob_settle_resync(&proposal, KEYFOB_SWAP_STORED, &resync);
    if (keyfob_propose_fence(&proposal, &record, &context) == KEYFOB_OK)
        keyfob_settle_change(&proposal, KEYFOB_SWAP_STORED);
    keyfob_propose_unlock(&proposal, &record);
    keyfob_settle_resync(&proposal, KEYFOB_SWAP_STORED, &resync);
    keyfob_record_status(&record, &context, &registration);
    keyfob_record_export(&record, context.now, &exported);
}

/* An active registration, the proof of its last log-in and a recovery code of it. */
static int enroll(keyfob_record_t *valid)
{
    keyfob_code_t code;

    CHECK(keyfob_propose_create(&proposal, NULL, &params, &context, &entropy) == KEYFOB_OK);
    CHECK(keyfob_proposal_write(&proposal, &change) == KEYFOB_OK);
    *valid = change.next;
    CHECK(keyfob_settle_enrollment(&proposal, KEYFOB_SWAP_STORED, &enrollment) == KEYFOB_OK);
    recovery_code = enrollment.recovery_codes.codes[0];
    CHECK(keyfob_totp_code(&enrollment.secret, &params, context.now, &code) == KEYFOB_OK);
    CHECK(keyfob_propose_authenticate(&proposal, valid, code.text, 6, &context) == KEYFOB_OK);
    CHECK(keyfob_proposal_write(&proposal, &change) == KEYFOB_OK);
    *valid = change.next;
    CHECK(keyfob_settle_authentication(&proposal, KEYFOB_SWAP_STORED, &authentication) ==
          KEYFOB_OK);
    proof = authentication.proof;
    return 0;
}

static int garbage(void)
{
    static keyfob_record_t valid;
    int line = enroll(&valid);

    CHECK(line == 0);
    context.policy.resync_steps = 3;
    for (int i = 0; i < RECORDS; i++) {
        spoil(&valid);
        decide_everything();
    }
    return 0;
}

int hostile(void)
{
    int line;

    params = keyfob_params_default();
    context.now = 1800000000;
    context.policy = keyfob_policy_default();
    entropy = repeatable_entropy(&state);
    store = memory_store(&memory);
    CHECK(keyfob_secret_generate(&secret, KEYFOB_SHA1, &entropy) == KEYFOB_OK);
    migration.secret = secret;
    migration.params = params;
    if ((line = nulls_without_a_store()) || (line = nulls_in_proposals()) ||
        (line = nulls_in_settling()) || (line = nulls_with_a_store()) ||
        (line = impossible_reports()) || (line = texts_that_are_too_long()) ||
        (line = impossible_values()) || (line = garbage()))
        return line;
    return 0;
}
