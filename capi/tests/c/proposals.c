/* A loop of one's own: record in, proposal, record out; recovery codes and key URIs on the way. */
#include "check.h"
#include "memory.h"

#include <string.h>

#define NOON 1800000000

static keyfob_context_t context;
static keyfob_entropy_t entropy;
static keyfob_record_t record;
static keyfob_proposal_t proposal;
static keyfob_write_t change;
static keyfob_enrollment_t enrollment;

static void take_over(void)
{
    record = change.next;
}

static int creates(void)
{
    static keyfob_enrollment_t again;
    keyfob_params_t params = keyfob_params_default();

    CHECK(keyfob_propose_create(&proposal, NULL, &params, &context, &entropy) == KEYFOB_OK);
    CHECK(keyfob_proposal_write(&proposal, &change) == KEYFOB_OK);
    CHECK(change.kind == KEYFOB_WRITE_INSERT && change.lapses_at == NOON + 3600);
    CHECK(change.has_recovery_codes);
    CHECK(keyfob_settle_change(&proposal, KEYFOB_SWAP_STORED) == KEYFOB_OTHER_PROPOSAL);
    CHECK(keyfob_settle_enrollment(&proposal, KEYFOB_SWAP_STORED, &enrollment) == KEYFOB_OK);
    CHECK(keyfob_settle_enrollment(&proposal, KEYFOB_SWAP_STORED, &again) == KEYFOB_OTHER_PROPOSAL);
    CHECK(enrollment.recovery_codes.count == 10);
    CHECK(strlen(enrollment.recovery_codes.codes[9].text) == 29);
    take_over();
    return 0;
}

static int authenticates(void)
{
    keyfob_authentication_t authentication;
    keyfob_code_t code;

    CHECK(keyfob_totp_code(&enrollment.secret, &enrollment.params, NOON, &code) == KEYFOB_OK);
    CHECK(keyfob_propose_authenticate(&proposal, &record, code.text, 6, &context) == KEYFOB_OK);
    CHECK(keyfob_settle_authentication(&proposal, KEYFOB_SWAP_CONFLICT, &authentication) ==
          KEYFOB_CONFLICT);
    CHECK(keyfob_propose_authenticate(&proposal, &record, code.text, 6, &context) == KEYFOB_OK);
    CHECK(keyfob_settle_authentication(&proposal, KEYFOB_SWAP_FAILED, &authentication) ==
          KEYFOB_STORE_FAILED);
    CHECK(keyfob_propose_authenticate(&proposal, &record, code.text, 6, &context) == KEYFOB_OK);
    CHECK(keyfob_proposal_write(&proposal, &change) == KEYFOB_OK);
    CHECK(change.kind == KEYFOB_WRITE_REPLACE && change.expected_revision == record.revision);
    CHECK(change.next.revision != record.revision && change.lapses_at == KEYFOB_NEVER);
    CHECK(keyfob_settle_authentication(&proposal, KEYFOB_SWAP_STORED, &authentication) == KEYFOB_OK);
    CHECK(authentication.activated);
    take_over();
    CHECK(keyfob_propose_authenticate(&proposal, &record, code.text, 6, &context) == KEYFOB_OK);
    CHECK(keyfob_proposal_write(&proposal, &change) == KEYFOB_OK);
    CHECK(change.kind == KEYFOB_WRITE_NOTHING);
    CHECK(keyfob_settle_authentication(&proposal, KEYFOB_SWAP_STORED, &authentication) ==
          KEYFOB_REPLAYED);
    return 0;
}

static int recovers(void)
{
    const char *typed = enrollment.recovery_codes.codes[3].text;
    keyfob_recovery_codes_t codes;
    keyfob_recovery_t recovery;
    keyfob_authentication_t authentication;

    CHECK(keyfob_propose_authenticate(&proposal, &record, typed, strlen(typed), &context) == KEYFOB_OK);
    CHECK(keyfob_settle_authentication(&proposal, KEYFOB_SWAP_STORED, &authentication) ==
          KEYFOB_RECOVERY_CODE_AS_CODE);
    CHECK(keyfob_propose_recover(&proposal, &record, typed, strlen(typed), &context) == KEYFOB_OK);
    CHECK(keyfob_proposal_write(&proposal, &change) == KEYFOB_OK);
    CHECK(keyfob_settle_recovery(&proposal, KEYFOB_SWAP_STORED, &recovery) == KEYFOB_OK);
    CHECK(recovery.remaining == 9);
    take_over();
    CHECK(keyfob_propose_recover(&proposal, &record, typed, strlen(typed), &context) == KEYFOB_OK);
    CHECK(keyfob_settle_recovery(&proposal, KEYFOB_SWAP_STORED, &recovery) == KEYFOB_REPLAYED);
    CHECK(keyfob_propose_recovery_codes(&proposal, &record, &context, &entropy) == KEYFOB_OK);
    CHECK(keyfob_proposal_write(&proposal, &change) == KEYFOB_OK);
    CHECK(keyfob_settle_recovery_codes(&proposal, KEYFOB_SWAP_STORED, &codes) == KEYFOB_OK);
    CHECK(codes.count == 10 && strcmp(codes.codes[3].text, typed) != 0);
    take_over();
    return 0;
}

/* Proposes to recover with a code that needs a slow hash, up to where it is counted. */
static keyfob_status_t count_recovery(const char *typed, keyfob_recovery_t *recovery)
{
    keyfob_status_t status = keyfob_propose_recover(&proposal, &record, typed, strlen(typed), &context);

    if (status != KEYFOB_OK)
        return status;
    keyfob_proposal_write(&proposal, &change);
    status = keyfob_settle_recovery(&proposal, KEYFOB_SWAP_STORED, recovery);
    if (change.kind == KEYFOB_WRITE_REPLACE)
        take_over();
    return status;
}

static int counts_before_it_hashes(void)
{
    keyfob_recovery_codes_t codes;
    keyfob_recovery_t recovery;

    context.policy.recovery_format = KEYFOB_SHORT_CODES;
    context.policy.pbkdf2_iterations = 2;
    CHECK(keyfob_propose_recovery_codes(&proposal, &record, &context, &entropy) == KEYFOB_OK);
    CHECK(keyfob_proposal_write(&proposal, &change) == KEYFOB_OK);
    CHECK(keyfob_settle_recovery_codes(&proposal, KEYFOB_SWAP_STORED, &codes) == KEYFOB_OK);
    take_over();

    CHECK(count_recovery("aaaa-aaaa-aaaa", &recovery) == KEYFOB_COUNTED);
    CHECK(keyfob_propose_finish_recovery(&proposal, &record, &context) == KEYFOB_OK);
    CHECK(keyfob_settle_recovery(&proposal, KEYFOB_SWAP_STORED, &recovery) == KEYFOB_MISMATCH);
    CHECK(recovery.failures == 1);

    CHECK(count_recovery(codes.codes[2].text, &recovery) == KEYFOB_COUNTED);
    CHECK(keyfob_settle_recovery(&proposal, KEYFOB_SWAP_STORED, &recovery) == KEYFOB_OTHER_PROPOSAL);
    CHECK(keyfob_propose_finish_recovery(&proposal, &record, &context) == KEYFOB_OK);
    CHECK(keyfob_proposal_write(&proposal, &change) == KEYFOB_OK);
    CHECK(change.kind == KEYFOB_WRITE_REPLACE);
    CHECK(keyfob_settle_recovery(&proposal, KEYFOB_SWAP_STORED, &recovery) == KEYFOB_OK);
    CHECK(recovery.remaining == 9);
    take_over();

    CHECK(keyfob_propose_finish_recovery(&proposal, &record, &context) == KEYFOB_OTHER_PROPOSAL);
    context.policy = keyfob_policy_default();
    return 0;
}

static int needs_the_same_pepper(void)
{
    keyfob_params_t params = keyfob_params_default();
    keyfob_recovery_t recovery;
    keyfob_code_t code;
    keyfob_authentication_t authentication;
    const char *typed = enrollment.recovery_codes.codes[0].text;

    context.has_pepper = 1;
    memset(context.pepper, 7, sizeof context.pepper);
    CHECK(keyfob_propose_create(&proposal, NULL, &params, &context, &entropy) == KEYFOB_OK);
    CHECK(keyfob_proposal_write(&proposal, &change) == KEYFOB_OK);
    CHECK(keyfob_settle_enrollment(&proposal, KEYFOB_SWAP_STORED, &enrollment) == KEYFOB_OK);
    take_over();
    CHECK(keyfob_totp_code(&enrollment.secret, &params, NOON, &code) == KEYFOB_OK);
    CHECK(keyfob_propose_authenticate(&proposal, &record, code.text, 6, &context) == KEYFOB_OK);
    CHECK(keyfob_proposal_write(&proposal, &change) == KEYFOB_OK);
    CHECK(keyfob_settle_authentication(&proposal, KEYFOB_SWAP_STORED, &authentication) == KEYFOB_OK);
    take_over();
    context.has_pepper = 0;
    CHECK(keyfob_propose_recover(&proposal, &record, typed, strlen(typed), &context) ==
          KEYFOB_PEPPER_MISSING);
    context.has_pepper = 1;
    CHECK(keyfob_propose_recover(&proposal, &record, typed, strlen(typed), &context) == KEYFOB_OK);
    CHECK(keyfob_settle_recovery(&proposal, KEYFOB_SWAP_STORED, &recovery) == KEYFOB_OK);
    context.has_pepper = 0;
    return 0;
}

static int migrates_with_recovery_codes(void)
{
    static const char CODES[] = "correct-horse-battery-staple-anew\r\nTr0ub4dor-three-more-long-words\n"
                                "Correct Horse Battery Staple Anew\n";
    keyfob_migration_t migration;
    keyfob_migrated_t migrated;
    keyfob_recovery_t recovery;

    memset(&migration, 0, sizeof migration);
    migration.secret = enrollment.secret;
    migration.params = enrollment.params;
    migration.recovery_codes = CODES;
    migration.recovery_codes_length = sizeof CODES - 1;
    context.policy.pbkdf2_iterations = 1000; /* a slow hash is slower still under valgrind */
    CHECK(keyfob_propose_migrate(&proposal, NULL, &migration, &context, &entropy) == KEYFOB_OK);
    CHECK(keyfob_proposal_write(&proposal, &change) == KEYFOB_OK);
    CHECK(keyfob_settle_migration(&proposal, KEYFOB_SWAP_STORED, &migrated) == KEYFOB_OK);
    CHECK(migrated.recovery_codes.count == 0 && migrated.skipped_recovery_codes == 1);
    take_over();
    CHECK(count_recovery("correct-horse-battery-staple-anew", &recovery) == KEYFOB_COUNTED);
    CHECK(keyfob_propose_finish_recovery(&proposal, &record, &context) == KEYFOB_OK);
    CHECK(keyfob_settle_recovery(&proposal, KEYFOB_SWAP_STORED, &recovery) == KEYFOB_OK);
    CHECK(recovery.remaining == 1);
    return 0;
}

static int writes_and_reads_uris(void)
{
    static const char URI[] = "otpauth://totp/ACME%20Co:john%40example.com"
                              "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=ACME%20Co";
    static const char ESCAPED[] = "otpauth://totp/a?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
                                  "&amp;digits=8&color=red";
    static const char MISSPELT[] = "otpauth://totp/a?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
                                   "&algoritm=SHA256";
    keyfob_params_t params = keyfob_params_default();
    keyfob_secret_t secret;
    keyfob_uri_t uri;
    char text[4097];
    size_t length;

    CHECK(keyfob_secret_from_base32(&secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", 32) == KEYFOB_OK);
    CHECK(keyfob_uri_write(&secret, &params, 0, "ACME Co", 7, "john@example.com", 16, text,
                           sizeof text, &length) == KEYFOB_OK);
    CHECK(length == sizeof URI - 1 && strcmp(text, URI) == 0);
    CHECK(keyfob_uri_write(&secret, &params, 0, "ACME Co", 7, "john@example.com", 16, text,
                           length, &length) == KEYFOB_BUFFER_TOO_SMALL);
    CHECK(text[0] == '\0' && text[50] == '\0');
    CHECK(keyfob_uri_read(URI, sizeof URI - 1, KEYFOB_STRICT, &uri) == KEYFOB_OK);
    CHECK(strcmp(uri.issuer, "ACME Co") == 0 && strcmp(uri.account, "john@example.com") == 0);
    CHECK(uri.secret.length == 20 && !uri.issuer_overridden);
    CHECK(uri.parameters_ignored == 0 && uri.parameters_corrected == 0);
    CHECK(keyfob_uri_read(ESCAPED, sizeof ESCAPED - 1, KEYFOB_STRICT, &uri) ==
          KEYFOB_URI_HTML_ESCAPED);
    CHECK(keyfob_uri_read(ESCAPED, sizeof ESCAPED - 1, KEYFOB_LENIENT, &uri) == KEYFOB_OK);
    CHECK(uri.params.format == KEYFOB_EIGHT_DIGITS);
    CHECK(uri.parameters_ignored == 1 && uri.parameters_corrected == 1);
    CHECK(keyfob_uri_read(MISSPELT, sizeof MISSPELT - 1, KEYFOB_LENIENT, &uri) ==
          KEYFOB_URI_MISSPELT);
    CHECK(keyfob_uri_read("otpauth://totp/a?secret=A%00", 28, KEYFOB_LENIENT, &uri) ==
          KEYFOB_SECRET_SYMBOL);
    CHECK(keyfob_uri_read("\xff", 1, KEYFOB_LENIENT, &uri) == KEYFOB_NOT_UTF8);
    CHECK(keyfob_uri_read(URI, sizeof URI - 1, 3, &uri) == KEYFOB_INVALID_ARGUMENT);
    CHECK(keyfob_secret_to_base32(&secret, text, 33) == KEYFOB_OK);
    CHECK(strcmp(text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ") == 0);
    CHECK(keyfob_secret_to_base32(&secret, text, 32) == KEYFOB_BUFFER_TOO_SMALL);
    return 0;
}

int proposals(void)
{
    int line;

    context.now = NOON;
    context.policy = keyfob_policy_default();
    entropy.fill = keyfob_system_entropy;
    if ((line = creates()) || (line = authenticates()) || (line = recovers()) ||
        (line = counts_before_it_hashes()) || (line = needs_the_same_pepper()) || (line = migrates_with_recovery_codes()) ||
        (line = writes_and_reads_uris()))
        return line;
    return 0;
}
