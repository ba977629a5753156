/* What C is given is written whole: the padding is zero, and so is everything where a call failed.
 * Elsewhere C would copy along what had been on the stack. */
#include "check.h"
#include "memory.h"

#include <string.h>

#define NOON 1800000000

/* No byte between two fields, or after the last one, is other than zero. */
#define PADDING(place, type, field, next) \
    CHECK(is_zero(&(place), offsetof(type, field) + sizeof (place).field, offsetof(type, next)))
#define PADDING_AFTER(place, type, field) \
    CHECK(is_zero(&(place), offsetof(type, field) + sizeof (place).field, sizeof(type)))

/* A call fails and leaves no byte of its place other than zero. */
#define FAILS(call, place)                         \
    do {                                           \
        memset(&(place), 0xaa, sizeof(place));     \
        CHECK((call) != KEYFOB_OK);                \
        CHECK(is_zero(&(place), 0, sizeof(place))); \
    } while (0)

/* A call succeeds, over a place and a stack that aren't zero. */
#define FILLS(call, place)                     \
    do {                                       \
        memset(&(place), 0xaa, sizeof(place)); \
        soil_the_stack();                      \
        CHECK((call) == KEYFOB_OK);            \
    } while (0)

static memory_t memory;
static uint32_t randomness = 2463534242U;
static keyfob_store_t memory_alone;
static keyfob_store_t store;
static keyfob_entropy_t entropy;
static keyfob_context_t context;
static keyfob_params_t params;
static keyfob_proposal_t proposal;
static keyfob_write_t change;
static keyfob_enrollment_t enrollment;
static keyfob_authentication_t authentication;
static keyfob_recovery_t recovery;
static keyfob_recovery_codes_t codes;
static keyfob_resync_t resync;
static keyfob_migration_t migration;
static keyfob_migrated_t migrated;
static keyfob_registration_t registration;
static int lent_other_than_zero;

static int is_zero(const void *place, size_t from, size_t to)
{
    const unsigned char *bytes = place;

    for (; from < to; from++)
        if (bytes[from] != 0)
            return 0;
    return 1;
}

static void soil_the_stack(void)
{
    volatile unsigned char soil[16384];

    for (size_t i = 0; i < sizeof soil; i++)
        soil[i] = 0xaa;
}

/* The place for a record is zero, and so is the padding of a write, which a store may copy whole. */
static int load(void *it, const void *id, keyfob_record_t *record)
{
    lent_other_than_zero |= !is_zero(record, 0, sizeof *record);
    return memory_alone.load(it, id, record);
}

static int compare_and_swap(void *it, const void *id, const keyfob_write_t *write)
{
    size_t end = offsetof(keyfob_write_t, next.bytes) + sizeof write->next.bytes;

    lent_other_than_zero |= !is_zero(write, end, sizeof *write);
    return memory_alone.compare_and_swap(it, id, write);
}

static int answers_have_no_padding_of_the_stacks(void)
{
    const char *typed = enrollment.recovery_codes.codes[0].text;
    keyfob_code_t code, second;

    FILLS(keyfob_create(&store, "a", &params, &context, &entropy, &enrollment), enrollment);
    PADDING(enrollment, keyfob_enrollment_t, registration_id, pending_until);
    PADDING(enrollment, keyfob_enrollment_t, secret, params);
    PADDING(enrollment, keyfob_enrollment_t, params, recovery_codes);
    PADDING_AFTER(enrollment, keyfob_enrollment_t, recovery_codes);

    CHECK(keyfob_totp_code(&enrollment.secret, &params, NOON, &code) == KEYFOB_OK);
    FILLS(keyfob_authenticate(&store, "a", code.text, 6, &context, &authentication), authentication);
    PADDING_AFTER(authentication, keyfob_authentication_t, failures);

    FILLS(keyfob_recover(&store, "a", typed, length_of(typed), &context, &recovery), recovery);
    PADDING_AFTER(recovery, keyfob_recovery_t, failures);

    FILLS(keyfob_registration_status(&store, "a", &context, &registration), registration);
    PADDING(registration, keyfob_registration_t, codes.failures, recovery);
    PADDING(registration, keyfob_registration_t, recovery.failures, drift_steps);
    PADDING_AFTER(registration, keyfob_registration_t, legacy_secret);

    CHECK(keyfob_totp_code(&enrollment.secret, &params, NOON + 300, &code) == KEYFOB_OK);
    CHECK(keyfob_totp_code(&enrollment.secret, &params, NOON + 330, &second) == KEYFOB_OK);
    FILLS(keyfob_resync(&store, "a", code.text, 6, second.text, 6, &context, &resync), resync);
    PADDING_AFTER(resync, keyfob_resync_t, failures);

    FILLS(keyfob_export(&store, "a", NOON, &migration), migration);
    PADDING(migration, keyfob_migration_t, secret, params);
    PADDING(migration, keyfob_migration_t, burned_is_known, burned);
    PADDING(migration, keyfob_migration_t, burned.any, drift_steps);
    PADDING(migration, keyfob_migration_t, drift_steps, recovery_codes);
    PADDING_AFTER(migration, keyfob_migration_t, recovery_codes_length);

    CHECK(keyfob_delete(&store, "a") == KEYFOB_OK);
    FILLS(keyfob_migrate(&store, "a", &migration, &context, &entropy, &migrated), migrated);
    PADDING_AFTER(migrated, keyfob_migrated_t, recovery_codes);
    CHECK(!lent_other_than_zero);
    return 0;
}

static int neither_has_what_needs_no_store(void)
{
    static const char URI[] = "otpauth://totp/a?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    keyfob_burned_t burned = {0, 0};
    keyfob_window_t window = {1, 1};
    keyfob_code_t code;
    keyfob_match_t found;
    keyfob_uri_t uri;

    CHECK(keyfob_totp_code(&enrollment.secret, &params, NOON, &code) == KEYFOB_OK);
    FILLS(keyfob_totp_verify(&enrollment.secret, &params, code.text, 6, NOON, window, &burned,
                             &found), found);
    PADDING_AFTER(found, keyfob_match_t, offset);
    FILLS(keyfob_uri_read(URI, sizeof URI - 1, KEYFOB_STRICT, &uri), uri);
    PADDING(uri, keyfob_uri_t, secret, params);
    PADDING_AFTER(uri, keyfob_uri_t, issuer_overridden);
    CHECK(keyfob_propose_unlock(&proposal, &memory.record) == KEYFOB_OK);
    FILLS(keyfob_proposal_write(&proposal, &change), change);
    PADDING(change, keyfob_write_t, next.length, next.bytes);
    PADDING_AFTER(change, keyfob_write_t, next.bytes);
    CHECK(is_zero(change.next.bytes, change.next.length, sizeof change.next.bytes));
    return 0;
}

static int requests_that_fail_leave_zeros(void)
{
    keyfob_proof_t proof = {{0}};

    FAILS(keyfob_create(&store, "a", &params, &context, &entropy, &enrollment), enrollment);
    FAILS(keyfob_authenticate(&store, "a", "12345", 5, &context, &authentication), authentication);
    FAILS(keyfob_replace(&store, "a", &proof, &params, &context, &entropy, &enrollment), enrollment);
    FAILS(keyfob_migrate(&store, "a", &migration, &context, &entropy, &migrated), migrated);
    FAILS(keyfob_recover(&store, "a", "?", 1, &context, &recovery), recovery);
    FAILS(keyfob_rotate_recovery_codes(&store, "a", NULL, &entropy, &codes), codes);
    FAILS(keyfob_resync(&store, "a", "1", 1, "2", 1, &context, &resync), resync);
    memory.fails = 1;
    FAILS(keyfob_registration_status(&store, "a", &context, &registration), registration);
    FAILS(keyfob_export(&store, "a", NOON, &migration), migration);
    memory.fails = 0;
    return 0;
}

static int settling_that_fails_leaves_zeros(void)
{
    keyfob_proposal_wipe(&proposal);
    FAILS(keyfob_proposal_write(&proposal, &change), change);
    FAILS(keyfob_settle_enrollment(&proposal, KEYFOB_SWAP_STORED, &enrollment), enrollment);
    FAILS(keyfob_settle_authentication(&proposal, KEYFOB_SWAP_STORED, &authentication),
          authentication);
    FAILS(keyfob_settle_migration(&proposal, KEYFOB_SWAP_STORED, &migrated), migrated);
    FAILS(keyfob_settle_recovery(&proposal, KEYFOB_SWAP_STORED, &recovery), recovery);
    FAILS(keyfob_settle_recovery_codes(&proposal, KEYFOB_SWAP_STORED, &codes), codes);
    FAILS(keyfob_settle_resync(&proposal, KEYFOB_SWAP_STORED, &resync), resync);
    FAILS(keyfob_propose_create(&proposal, NULL, NULL, &context, &entropy), proposal);
    return 0;
}

/* What was half written when it failed: the secret is read before the name that doesn't fit. */
static int a_name_that_does_not_fit_leaves_zeros(void)
{
    static const char BEFORE[] = "otpauth://totp/";
    static const char AFTER[] = "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    static char text[sizeof BEFORE - 1 + KEYFOB_NAME_SIZE + sizeof AFTER - 1];
    keyfob_uri_t uri;

    memcpy(text, BEFORE, sizeof BEFORE - 1);
    memset(text + sizeof BEFORE - 1, 'a', KEYFOB_NAME_SIZE);
    memcpy(text + sizeof BEFORE - 1 + KEYFOB_NAME_SIZE, AFTER, sizeof AFTER - 1);
    FAILS(keyfob_uri_read(text, sizeof text, KEYFOB_STRICT, &uri), uri);
    CHECK(keyfob_uri_read(text, sizeof text, KEYFOB_STRICT, &uri) == KEYFOB_BUFFER_TOO_SMALL);
    return 0;
}

static int what_needs_no_store_leaves_zeros(void)
{
    static const char URI[] = "otpauth://totp/a?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&digits=9";
    keyfob_burned_t burned = {0, 0};
    keyfob_window_t window = {1, 1};
    keyfob_params_t wrong = {0};
    keyfob_secret_t secret = enrollment.secret;
    keyfob_code_t code;
    keyfob_match_t found;
    keyfob_uri_t uri;
    uint64_t seconds;
    size_t length;
    char text[60];

    FAILS(keyfob_secret_generate(&secret, 9, &entropy), secret);
    FAILS(keyfob_secret_from_bytes(&secret, (const uint8_t *)"short", 5), secret);
    FAILS(keyfob_secret_from_base32(&secret, "?", 1), secret);
    FAILS(keyfob_secret_from_pasted_base32(&secret, "?", 1), secret);
    FAILS(keyfob_secret_to_base32(&secret, text, sizeof text), text);
    FAILS(keyfob_totp_code(&secret, &params, NOON, &code), code);
    FAILS(keyfob_hotp_code(&secret, &params, 0, &code), code);
    FAILS(keyfob_totp_remaining_seconds(&wrong, NOON, &seconds), seconds);
    FAILS(keyfob_totp_verify(&secret, &params, "1", 1, NOON, window, &burned, &found), found);
    FAILS(keyfob_hotp_verify(&secret, &params, "1", 1, window, &burned, &found), found);
    FAILS(keyfob_uri_read(URI, sizeof URI - 1, KEYFOB_STRICT, &uri), uri);
    FAILS(keyfob_uri_write(&secret, &params, 0, "", 0, "a", 1, text, sizeof text, &length), text);
    FAILS(keyfob_uri_write(&secret, &params, 0, "", 0, "a", 1, text, sizeof text, &length), length);
    return 0;
}

static int a_lock_tells_its_end_alone(void)
{
    keyfob_registration_t locked;

    for (int failure = 0; failure < 7; failure++)
        keyfob_authenticate(&store, "a", "000000", 6, &context, &authentication);
    CHECK(keyfob_registration_status(&store, "a", &context, &locked) == KEYFOB_OK);
    memset(&authentication, 0xaa, sizeof authentication);
    CHECK(keyfob_authenticate(&store, "a", "000000", 6, &context, &authentication) == KEYFOB_LOCKED);
    CHECK(authentication.locked_until == locked.codes.locked_until);
    CHECK(authentication.wait_seconds == authentication.locked_until - NOON);
    CHECK(is_zero(&authentication, offsetof(keyfob_authentication_t, step), sizeof authentication));
    return 0;
}

int given(void)
{
    int line;

    params = keyfob_params_default();
    context.now = NOON;
    context.policy = keyfob_policy_default();
    context.policy.drift_steps = 20;
    entropy = repeatable_entropy(&randomness);
    memory_alone = store = memory_store(&memory);
    store.load = load;
    store.compare_and_swap = compare_and_swap;
    if ((line = answers_have_no_padding_of_the_stacks()) ||
        (line = neither_has_what_needs_no_store()) || (line = requests_that_fail_leave_zeros()) ||
        (line = settling_that_fails_leaves_zeros()) || (line = what_needs_no_store_leaves_zeros()) ||
        (line = a_name_that_does_not_fit_leaves_zeros()) ||
        (line = a_lock_tells_its_end_alone()))
        return line;
    return 0;
}
