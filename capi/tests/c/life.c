/* The whole life of a registration, over a store of two functions. */
#include "check.h"
#include "memory.h"

#define NOON 1800000000

/* Who has the token, the store, and the moment. */
typedef struct {
    memory_t memory;
    keyfob_store_t store;
    keyfob_entropy_t entropy;
    uint32_t entropy_state;
    keyfob_context_t context;
    keyfob_secret_t secret;
    keyfob_params_t params;
    keyfob_authentication_t last;
} desk_t;

static desk_t desk;

static void open_desk(void)
{
    keyfob_wipe(&desk, sizeof desk);
    desk.store = memory_store(&desk.memory);
    desk.entropy_state = 2463534242U;
    desk.entropy = repeatable_entropy(&desk.entropy_state);
    desk.context.now = NOON;
    desk.context.policy = keyfob_policy_default();
    desk.params = keyfob_params_default();
}

static keyfob_status_t enroll(void)
{
    static keyfob_enrollment_t enrollment;
    keyfob_status_t status = keyfob_create(&desk.store, "alice", &desk.params, &desk.context,
                                           &desk.entropy, &enrollment);

    if (status == KEYFOB_OK)
        desk.secret = enrollment.secret;
    return status;
}

static keyfob_status_t type(const char *text)
{
    return keyfob_authenticate(&desk.store, "alice", text, length_of(text), &desk.context, &desk.last);
}

static keyfob_status_t log_in(void)
{
    keyfob_code_t code;
    keyfob_status_t status = keyfob_totp_code(&desk.secret, &desk.params, desk.context.now, &code);

    return status == KEYFOB_OK ? type(code.text) : status;
}

static int is_confirmed_by_its_first_code(void)
{
    keyfob_registration_t registration;

    open_desk();
    CHECK(log_in() == KEYFOB_SECRET_TOO_SHORT);
    CHECK(type("123456") == KEYFOB_UNKNOWN);
    CHECK(enroll() == KEYFOB_OK);
    CHECK(keyfob_registration_status(&desk.store, "alice", &desk.context, &registration) == KEYFOB_OK);
    CHECK(registration.state == KEYFOB_STATE_PENDING && registration.state_time == NOON + 3600);
    CHECK(log_in() == KEYFOB_OK && desk.last.activated && !desk.last.replaced);
    CHECK(log_in() == KEYFOB_REPLAYED);
    CHECK(type("12345") == KEYFOB_CODE_LENGTH);
    CHECK(type("12345x") == KEYFOB_CODE_SYMBOL);
    CHECK(enroll() == KEYFOB_ALREADY_REGISTERED);
    CHECK(keyfob_registration_status(&desk.store, "alice", &desk.context, &registration) == KEYFOB_OK);
    CHECK(registration.state == KEYFOB_STATE_ACTIVE && registration.last_use == NOON);
    return 0;
}

static int is_locked_by_wrong_codes(void)
{
    keyfob_registration_t registration;

    for (uint8_t failure = 1; failure < 6; failure++)
        CHECK(type("000000") == KEYFOB_MISMATCH && desk.last.failures == failure);
    CHECK(desk.last.locked_until == 0 && desk.last.wait_seconds == 0);
    CHECK(type("000000") == KEYFOB_MISMATCH && desk.last.locked_until == NOON + 120);
    desk.context.now += 10;
    CHECK(type("000000") == KEYFOB_LOCKED && desk.last.locked_until == NOON + 120);
    CHECK(desk.last.wait_seconds == 110);
    CHECK(keyfob_registration_status(&desk.store, "alice", &desk.context, &registration) == KEYFOB_OK);
    CHECK(registration.codes.locked_until == NOON + 120 &&
          registration.codes.failures == 6);
    CHECK(keyfob_unlock(&desk.store, "alice") == KEYFOB_OK);
    desk.context.now += 60;
    CHECK(log_in() == KEYFOB_OK && desk.last.locked_until == 0);
    return 0;
}

static int is_replaced_with_a_proof(void)
{
    static keyfob_enrollment_t enrollment;
    static keyfob_secret_t old;
    keyfob_proof_t proof = desk.last.proof;

    desk.context.now += 301;
    CHECK(keyfob_replace(&desk.store, "alice", &proof, &desk.params, &desk.context, &desk.entropy,
                         &enrollment) == KEYFOB_STALE_PROOF);
    CHECK(log_in() == KEYFOB_OK);
    proof = desk.last.proof;
    CHECK(keyfob_replace(&desk.store, "alice", &proof, &desk.params, &desk.context, &desk.entropy,
                         &enrollment) == KEYFOB_OK);
    old = desk.secret;
    desk.context.now += 60;
    CHECK(log_in() == KEYFOB_OK && !desk.last.replaced);
    desk.secret = enrollment.secret;
    CHECK(log_in() == KEYFOB_OK && desk.last.replaced);
    desk.context.now += 60;
    desk.secret = old;
    CHECK(log_in() == KEYFOB_MISMATCH);
    desk.secret = enrollment.secret;
    CHECK(log_in() == KEYFOB_OK);
    return 0;
}

static int is_found_again_by_two_codes(void)
{
    keyfob_code_t first, second;
    keyfob_resync_t resync;
    uint64_t ahead = desk.context.now + 40 * 30;

    desk.context.policy.drift_steps = 50;
    CHECK(keyfob_totp_code(&desk.secret, &desk.params, ahead, &first) == KEYFOB_OK);
    CHECK(keyfob_totp_code(&desk.secret, &desk.params, ahead + 30, &second) == KEYFOB_OK);
    CHECK(type(first.text) == KEYFOB_MISMATCH);
    CHECK(keyfob_resync(&desk.store, "alice", first.text, 6, second.text, 6, &desk.context,
                        &resync) == KEYFOB_OK);
    CHECK(resync.drift_steps == 41);
    CHECK(keyfob_resync(&desk.store, "alice", first.text, 6, second.text, 6, &desk.context,
                        &resync) == KEYFOB_REPLAYED);
    CHECK(keyfob_totp_code(&desk.secret, &desk.params, ahead + 60, &second) == KEYFOB_OK);
    CHECK(type(second.text) == KEYFOB_OK && desk.last.offset == 1);
    CHECK(keyfob_set_drift(&desk.store, "alice", 0) == KEYFOB_OK);
    desk.context.policy.drift_steps = 0;
    return 0;
}

static int is_accepted_again_after_a_clock_was_ahead(void)
{
    keyfob_registration_t registration;

    desk.context.now += 86400;
    CHECK(log_in() == KEYFOB_OK);
    desk.context.now -= 86400 - 3600;
    CHECK(log_in() == KEYFOB_TOO_EARLY && desk.last.wait_seconds > 80000);
    CHECK(keyfob_registration_status(&desk.store, "alice", &desk.context, &registration) == KEYFOB_OK);
    CHECK(registration.refused_until == desk.last.locked_until);
    CHECK(keyfob_forget_future_steps(&desk.store, "alice", &desk.context) == KEYFOB_OK);
    desk.context.now += 60;
    CHECK(log_in() == KEYFOB_OK);
    return 0;
}

static int moves_to_another_system(void)
{
    static keyfob_migration_t migration;
    static keyfob_migrated_t migrated;

    desk.context.now += 3600;
    CHECK(keyfob_fence(&desk.store, "alice", &desk.context) == KEYFOB_OK);
    CHECK(log_in() == KEYFOB_REPLAYED);
    CHECK(keyfob_export(&desk.store, "alice", desk.context.now, &migration) == KEYFOB_OK);
    CHECK(keyfob_delete(&desk.store, "alice") == KEYFOB_OK);
    CHECK(keyfob_delete(&desk.store, "alice") == KEYFOB_UNKNOWN);
    CHECK(keyfob_migrate(&desk.store, "alice", &migration, &desk.context, &desk.entropy, &migrated) ==
          KEYFOB_OK);
    CHECK(log_in() == KEYFOB_REPLAYED);
    desk.context.now += 60;
    CHECK(log_in() == KEYFOB_OK && !desk.last.activated);
    return 0;
}

static int nothing_is_accepted_unless_it_is_stored(void)
{
    desk.context.now += 60;
    desk.memory.fails = 1;
    CHECK(log_in() == KEYFOB_STORE_FAILED);
    desk.memory.fails = 0;
    desk.memory.conflicts = 1000;
    CHECK(log_in() == KEYFOB_CONTENDED);
    desk.memory.conflicts = 31;
    CHECK(log_in() == KEYFOB_OK);
    CHECK(log_in() == KEYFOB_REPLAYED);
    return 0;
}

int life(void)
{
    int line;

    if ((line = is_confirmed_by_its_first_code()) || (line = is_locked_by_wrong_codes()) ||
        (line = is_replaced_with_a_proof()) || (line = is_found_again_by_two_codes()) ||
        (line = is_accepted_again_after_a_clock_was_ahead()) || (line = moves_to_another_system()) || (line = nothing_is_accepted_unless_it_is_stored()))
        return line;
    return 0;
}
