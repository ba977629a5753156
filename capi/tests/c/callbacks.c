/* Nothing that a call is given is read once it has called a function of C's. These functions write
 * over all of it, and over the places for answers; every answer, and what is stored, must be as it
 * is without that. */
#include "check.h"
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOON 1800000000
#define CALM (-1)

typedef union {
    keyfob_enrollment_t enrollment;
    keyfob_authentication_t authentication;
    keyfob_migrated_t migrated;
    keyfob_migration_t migration;
    keyfob_recovery_t recovery;
    keyfob_recovery_codes_t codes;
    keyfob_resync_t resync;
    keyfob_registration_t registration;
    keyfob_secret_t secret;
} answer_t;

/* What a call is given, but for texts: those have memory of their own, to the byte. */
typedef struct {
    char id[6];
    keyfob_store_t store;
    keyfob_entropy_t entropy;
    keyfob_context_t context;
    keyfob_params_t params;
    keyfob_proof_t proof;
    keyfob_migration_t migration;
    keyfob_record_t record;
    keyfob_proposal_t proposal;
    answer_t answer;
} lent_t;

typedef struct {
    keyfob_status_t status;
    memory_t memory;
    keyfob_write_t write;
    answer_t answer;
} outcome_t;

/* A registration before a request, and what its owner has. */
typedef struct {
    memory_t memory;
    keyfob_enrollment_t enrollment;
    keyfob_proof_t proof;
} stage_t;

static lent_t lent;
static char *text;
static size_t text_length;
static int pattern;

/* What C's functions work with, out of their own reach. */
static memory_t memory;
static uint32_t randomness;
static int randomness_fails;
static keyfob_store_t calm_store;
static keyfob_entropy_t calm_entropy;
static keyfob_write_t proposed;
static stage_t active;

static void write_over_everything(void)
{
    if (pattern == CALM)
        return;
    memset(&lent, pattern, sizeof lent);
    if (text != NULL)
        memset(text, pattern, text_length);
}

static int load(void *context, const void *id, keyfob_record_t *record)
{
    int found = calm_store.load(context, id, record);

    write_over_everything();
    return found;
}

static int compare_and_swap(void *context, const void *id, const keyfob_write_t *write)
{
    int swapped = calm_store.compare_and_swap(context, id, write);

    write_over_everything();
    return swapped;
}

static int fill(void *context, uint8_t *bytes, size_t length)
{
    write_over_everything();
    return randomness_fails ? 0 : calm_entropy.fill(context, bytes, length);
}

static void lend_text(const char *from, size_t length)
{
    free(text);
    text = malloc(length);
    memcpy(text, from, length);
    text_length = length;
}

static void lend_everything(const memory_t *stored)
{
    memory = *stored;
    randomness = 2463534242U;
    randomness_fails = 0;
    memset(&lent, 0, sizeof lent);
    memset(&proposed, 0, sizeof proposed);
    memcpy(lent.id, "alice", sizeof lent.id);
    lent.store = calm_store;
    lent.store.load = load;
    lent.store.compare_and_swap = compare_and_swap;
    lent.entropy = calm_entropy;
    lent.entropy.fill = fill;
    lent.context.now = NOON + 60;
    lent.context.policy = keyfob_policy_default();
    lent.context.policy.pbkdf2_iterations = 2;
    lent.context.policy.drift_steps = 50;
    lent.context.has_pepper = 1;
    memset(lent.context.pepper, 7, sizeof lent.context.pepper);
    lent.params = keyfob_params_default();
    lent.proof = active.proof;
    lent.migration.secret = active.enrollment.secret;
    lent.migration.params = lent.params;
    lent.record = stored->record;
}

/* The code of the token so many steps from now. */
static void lend_code(int steps)
{
    keyfob_code_t code;

    keyfob_totp_code(&active.enrollment.secret, &lent.params,
                     lent.context.now + (uint64_t)(steps * 30), &code);
    lend_text(code.text, 6);
}

static void lend_recovery_code(void)
{
    const char *code = active.enrollment.recovery_codes.codes[3].text;

    lend_text(code, length_of(code));
}

static void lend_recovery_codes(void)
{
    static const char CODES[] = "Aleph-NULL-is-the-smallest-infinity\r\nthere-is-none-between-it-and-2\n"
                                "\xd7\x90\xd7\x91-long-enough-to-be-strong-\xe2\x82\xac";

    lend_text(CODES, sizeof CODES - 1);
    lent.migration.recovery_codes = text;
    lent.migration.recovery_codes_length = text_length;
}

/* Requests over a store. */

static keyfob_status_t create(void)
{
    return keyfob_create(&lent.store, lent.id, &lent.params, &lent.context, &lent.entropy,
                         &lent.answer.enrollment);
}

static keyfob_status_t authenticate(void)
{
    return keyfob_authenticate(&lent.store, lent.id, text, text_length, &lent.context,
                               &lent.answer.authentication);
}

static keyfob_status_t authenticate_with_code(void)
{
    lend_code(0);
    return authenticate();
}

static keyfob_status_t authenticate_with_wrong_code(void)
{
    lend_code(9);
    return authenticate();
}

static keyfob_status_t authenticate_with_recovery_code(void)
{
    lend_recovery_code();
    return authenticate();
}

static keyfob_status_t authenticate_with_noise(void)
{
    lend_text("\xf0\x9f\x94\x91 no code \xf0\x9f\x94\x91", 17);
    return authenticate();
}

/* Each conflict makes it load and decide again. */
static keyfob_status_t authenticate_after_conflicts(void)
{
    lend_code(0);
    memory.conflicts = 3;
    return authenticate();
}

static keyfob_status_t authenticate_without_a_store(void)
{
    lend_code(0);
    memory.fails = 1;
    return authenticate();
}

static keyfob_status_t recover(void)
{
    return keyfob_recover(&lent.store, lent.id, text, text_length, &lent.context,
                          &lent.answer.recovery);
}

static keyfob_status_t recover_with_recovery_code(void)
{
    lend_recovery_code();
    return recover();
}

static keyfob_status_t recover_with_wrong_code(void)
{
    lend_text("0000-0000-0000-0000-0000-0000", 29);
    return recover();
}

static keyfob_status_t recover_with_code(void)
{
    lend_code(0);
    return recover();
}

static keyfob_status_t recover_after_conflicts(void)
{
    lend_recovery_code();
    memory.conflicts = 3;
    return recover();
}

static keyfob_status_t replace(void)
{
    return keyfob_replace(&lent.store, lent.id, &lent.proof, &lent.params, &lent.context,
                          &lent.entropy, &lent.answer.enrollment);
}

static keyfob_status_t migrate(void)
{
    return keyfob_migrate(&lent.store, lent.id, &lent.migration, &lent.context, &lent.entropy,
                          &lent.answer.migrated);
}

static keyfob_status_t migrate_with_recovery_codes(void)
{
    lend_recovery_codes();
    return migrate();
}

static keyfob_status_t migrate_after_conflicts(void)
{
    lend_recovery_codes();
    memory.conflicts = 3;
    return migrate();
}

/* The code is hashed between two swaps. */
static keyfob_status_t recover_with_weak_code(void)
{
    keyfob_recovery_codes_t codes;
    keyfob_context_t context = lent.context;
    int with = pattern;

    pattern = CALM;
    context.policy.recovery_format = KEYFOB_SHORT_CODES;
    keyfob_rotate_recovery_codes(&calm_store, lent.id, &context, &calm_entropy, &codes);
    lend_text(codes.codes[0].text, length_of(codes.codes[0].text));
    pattern = with;
    return recover();
}

static keyfob_status_t forget_future_steps(void)
{
    return keyfob_forget_future_steps(&lent.store, lent.id, &lent.context);
}

static keyfob_status_t rotate(void)
{
    return keyfob_rotate_recovery_codes(&lent.store, lent.id, &lent.context, &lent.entropy,
                                        &lent.answer.codes);
}

static keyfob_status_t resync(void)
{
    keyfob_code_t second;

    keyfob_totp_code(&active.enrollment.secret, &lent.params, lent.context.now + 41 * 30, &second);
    lend_code(40);
    text = realloc(text, 12);
    memcpy(text + 6, second.text, 6);
    text_length = 12;
    return keyfob_resync(&lent.store, lent.id, text, 6, text + 6, 6, &lent.context,
                         &lent.answer.resync);
}

static keyfob_status_t tell_status(void)
{
    return keyfob_registration_status(&lent.store, lent.id, &lent.context,
                                      &lent.answer.registration);
}

static keyfob_status_t export(void)
{
    return keyfob_export(&lent.store, lent.id, NOON, &lent.answer.migration);
}

static keyfob_status_t unlock(void)
{
    return keyfob_unlock(&lent.store, lent.id);
}

static keyfob_status_t set_drift(void)
{
    return keyfob_set_drift(&lent.store, lent.id, 3);
}

static keyfob_status_t fence(void)
{
    return keyfob_fence(&lent.store, lent.id, &lent.context);
}

static keyfob_status_t delete(void)
{
    return keyfob_delete(&lent.store, lent.id);
}

/* The same as proposals, as far as they need randomness; others call nothing. */

static keyfob_status_t generate(void)
{
    return keyfob_secret_generate(&lent.answer.secret, KEYFOB_SHA1, &lent.entropy);
}

static keyfob_status_t settle_enrollment(keyfob_status_t status)
{
    if (status != KEYFOB_OK)
        return status;
    keyfob_proposal_write(&lent.proposal, &proposed);
    return keyfob_settle_enrollment(&lent.proposal, KEYFOB_SWAP_STORED, &lent.answer.enrollment);
}

static keyfob_status_t propose_create(void)
{
    return settle_enrollment(keyfob_propose_create(&lent.proposal, NULL, &lent.params,
                                                   &lent.context, &lent.entropy));
}

/* What wasn't decided leaves a proposal of zeros. */
static keyfob_status_t propose_create_without_randomness(void)
{
    static const keyfob_proposal_t nothing;
    keyfob_status_t status;

    randomness_fails = 1;
    status = propose_create();
    return memcmp(&lent.proposal, &nothing, sizeof nothing) == 0 ? status : KEYFOB_OTHER_PROPOSAL;
}

static keyfob_status_t propose_replace(void)
{
    return settle_enrollment(keyfob_propose_replace(&lent.proposal, &lent.record, &lent.proof,
                                                    &lent.params, &lent.context, &lent.entropy));
}

static keyfob_status_t propose_migrate(void)
{
    keyfob_status_t status;

    lend_recovery_codes();
    status = keyfob_propose_migrate(&lent.proposal, NULL, &lent.migration, &lent.context,
                                    &lent.entropy);
    if (status != KEYFOB_OK)
        return status;
    keyfob_proposal_write(&lent.proposal, &proposed);
    return keyfob_settle_migration(&lent.proposal, KEYFOB_SWAP_STORED, &lent.answer.migrated);
}

static keyfob_status_t propose_recovery_codes(void)
{
    keyfob_status_t status = keyfob_propose_recovery_codes(&lent.proposal, &lent.record,
                                                           &lent.context, &lent.entropy);

    if (status != KEYFOB_OK)
        return status;
    keyfob_proposal_write(&lent.proposal, &proposed);
    return keyfob_settle_recovery_codes(&lent.proposal, KEYFOB_SWAP_STORED, &lent.answer.codes);
}

/* The control: it reads a text once C's functions have run. */
static keyfob_status_t read_late(void)
{
    keyfob_authentication_t authentication;
    keyfob_registration_t registration;
    keyfob_context_t context = lent.context;
    keyfob_store_t store = lent.store;

    lend_code(0);
    keyfob_registration_status(&store, lent.id, &context, &registration);
    return keyfob_authenticate(&store, lent.id, text, text_length, &context, &authentication);
}

typedef keyfob_status_t (*request_t)(void);

#define ANSWER(field) sizeof(((answer_t *)NULL)->field)

/* What is asked, the bytes of its answer, of whom, and what comes of it. */
typedef struct {
    const char *name;
    request_t request;
    size_t answer;
    int needs_registration;
    keyfob_status_t status;
} case_t;

static const case_t CASES[] = {
    {"create", create, ANSWER(enrollment), 0, KEYFOB_OK},
    {"create again", create, ANSWER(enrollment), 1, KEYFOB_ALREADY_REGISTERED},
    {"authenticate", authenticate_with_code, ANSWER(authentication), 1, KEYFOB_OK},
    {"authenticate with a wrong code", authenticate_with_wrong_code, ANSWER(authentication), 1,
     KEYFOB_MISMATCH},
    {"authenticate with a recovery code", authenticate_with_recovery_code, ANSWER(authentication), 1,
     KEYFOB_RECOVERY_CODE_AS_CODE},
    {"authenticate with noise", authenticate_with_noise, ANSWER(authentication), 1,
     KEYFOB_CODE_SYMBOL},
    {"authenticate an unknown person", authenticate_with_code, ANSWER(authentication), 0,
     KEYFOB_UNKNOWN},
    {"authenticate after conflicts", authenticate_after_conflicts, ANSWER(authentication), 1,
     KEYFOB_OK},
    {"authenticate without a store", authenticate_without_a_store, ANSWER(authentication), 1,
     KEYFOB_STORE_FAILED},
    {"recover", recover_with_recovery_code, ANSWER(recovery), 1, KEYFOB_OK},
    {"recover with a wrong code", recover_with_wrong_code, ANSWER(recovery), 1, KEYFOB_MISMATCH},
    {"recover with a code", recover_with_code, ANSWER(recovery), 1, KEYFOB_CODE_AS_RECOVERY_CODE},
    {"recover after conflicts", recover_after_conflicts, ANSWER(recovery), 1, KEYFOB_OK},
    {"recover with a weak code", recover_with_weak_code, ANSWER(recovery), 1, KEYFOB_OK},
    {"replace", replace, ANSWER(enrollment), 1, KEYFOB_OK},
    {"migrate", migrate, ANSWER(migrated), 0, KEYFOB_OK},
    {"migrate with recovery codes", migrate_with_recovery_codes, ANSWER(migrated), 0, KEYFOB_OK},
    {"migrate after conflicts", migrate_after_conflicts, ANSWER(migrated), 0, KEYFOB_OK},
    {"rotate", rotate, ANSWER(codes), 1, KEYFOB_OK},
    {"resync", resync, ANSWER(resync), 1, KEYFOB_OK},
    {"tell the status", tell_status, ANSWER(registration), 1, KEYFOB_OK},
    {"export", export, ANSWER(migration), 1, KEYFOB_OK},
    {"unlock", unlock, 0, 1, KEYFOB_OK},
    {"set the drift", set_drift, 0, 1, KEYFOB_OK},
    {"forget future steps", forget_future_steps, 0, 1, KEYFOB_OK},
    {"fence", fence, 0, 1, KEYFOB_OK},
    {"delete", delete, 0, 1, KEYFOB_OK},
    {"generate", generate, ANSWER(secret), 0, KEYFOB_OK},
    {"propose to create", propose_create, ANSWER(enrollment), 0, KEYFOB_OK},
    {"propose to create without randomness", propose_create_without_randomness, 0, 0,
     KEYFOB_ENTROPY_FAILED},
    {"propose to replace", propose_replace, ANSWER(enrollment), 1, KEYFOB_OK},
    {"propose to migrate", propose_migrate, ANSWER(migrated), 0, KEYFOB_OK},
    {"propose recovery codes", propose_recovery_codes, ANSWER(codes), 1, KEYFOB_OK},
};

/* Zeros; bytes that start, go on with, and never occur in UTF-8. */
static const int PATTERNS[] = {0x00, 0x80, 0xc3, 0xe2, 0xf0, 0xff};

static void carry_out(request_t request, const memory_t *stored, int with, outcome_t *outcome)
{
    memset(outcome, 0, sizeof *outcome);
    lend_everything(stored);
    pattern = with;
    outcome->status = request();
    outcome->memory = memory;
    outcome->write = proposed;
    outcome->answer = lent.answer;
}

/* Whether an answer, and what is stored, stay the same whatever C's functions write over. */
static int is_the_same(const case_t *it)
{
    static const memory_t nothing;
    static outcome_t calm, spoiled;
    const memory_t *stored = it->needs_registration ? &active.memory : &nothing;

    carry_out(it->request, stored, CALM, &calm);
    if (calm.status != it->status)
        return 0;
    for (size_t i = 0; i < sizeof PATTERNS / sizeof PATTERNS[0]; i++) {
        carry_out(it->request, stored, PATTERNS[i], &spoiled);
        if (spoiled.status != calm.status ||
            memcmp(&spoiled.memory, &calm.memory, sizeof memory) != 0 ||
            memcmp(&spoiled.write, &calm.write, sizeof proposed) != 0 ||
            memcmp(&spoiled.answer, &calm.answer, it->answer) != 0)
            return 0;
    }
    return 1;
}

/* An active registration, its recovery codes and a proof. */
static int enroll(void)
{
    static const memory_t nothing;

    lend_everything(&nothing);
    lent.context.now = NOON;
    CHECK(create() == KEYFOB_OK);
    active.enrollment = lent.answer.enrollment;
    lend_code(0);
    CHECK(authenticate() == KEYFOB_OK);
    active.proof = lent.answer.authentication.proof;
    active.memory = memory;
    return 0;
}

static int nothing_lent_is_read_late(void)
{
    static const case_t CONTROL = {"read late", read_late, 0, 1, KEYFOB_OK};

    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        if (!is_the_same(&CASES[i])) {
            fprintf(stderr, "%s: other than undisturbed\n", CASES[i].name);
            return __LINE__;
        }
    }
    CHECK(!is_the_same(&CONTROL));
    return 0;
}

int callbacks(void)
{
    int line;

    pattern = CALM;
    calm_store = memory_store(&memory);
    calm_entropy = repeatable_entropy(&randomness);
    if ((line = enroll()) || (line = nothing_lent_is_read_late()))
        return line;
    free(text);
    text = NULL;
    return 0;
}
