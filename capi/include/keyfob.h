/*
 * keyfob for C: one-time passwords (TOTP, HOTP) without a heap. Generated: don't edit.
 *
 * What can fail answers a keyfob_status_t; only KEYFOB_OK lets anyone in. Structures are yours:
 * allocate them where you like, aligned as C aligns them, and copy them as you like, but for
 * proposals. Texts are UTF-8 with a length, and needn't end with a zero; those that keyfob writes
 * do. Times are seconds of Unix time. README.md has the whole story.
 *
 * Nothing that a call is given may change before it returns: not by another thread, not by an
 * interrupt, and not by the functions of yours that it calls. What it writes may not overlap with
 * anything else that it is given. It writes structures and texts whole, padding included: on any
 * status but KEYFOB_OK they are zero, but for what their comments say of refusals.
 *
 * No function of yours that keyfob calls, of a store or for randomness, may throw or leave by
 * longjmp. What it is given is there until it returns.
 */

#ifndef KEYFOB_H
#define KEYFOB_H

#include <stddef.h>
#include <stdint.h>

/**
 * Most bytes of a code or a recovery code as it is typed: 64 characters of four bytes each, and as
 * much again for what parts them. More is `KEYFOB_TEXT_TOO_LONG`.
 */
#define KEYFOB_TYPED_BYTES 512

/**
 * Most bytes of the text with the recovery codes of a migration: 16 codes of 64 bytes each, and the
 * ends of their lines. More is `KEYFOB_TEXT_TOO_LONG`.
 */
#define KEYFOB_RECOVERY_TEXT_BYTES 1088

/**
 * Most bytes of a secret.
 */
#define KEYFOB_SECRET_BYTES 128

/**
 * Room for the base32 of any secret and the zero that ends it.
 */
#define KEYFOB_BASE32_SIZE 206

/**
 * Room for any code and the zero that ends it.
 */
#define KEYFOB_CODE_SIZE 9

/**
 * Room for an issuer or an account that was read, and the zero that ends it.
 */
#define KEYFOB_NAME_SIZE 256

/**
 * Bytes of a pepper.
 */
#define KEYFOB_PEPPER_BYTES 32

/**
 * Most bytes of a record.
 */
#define KEYFOB_RECORD_BYTES 704

/**
 * The moment at which an active registration lapses.
 */
#define KEYFOB_NEVER UINT64_MAX

/**
 * Bytes of a registration's own name.
 */
#define KEYFOB_REGISTRATION_ID_BYTES 16

/**
 * Bytes of a proof.
 */
#define KEYFOB_PROOF_BYTES 24

/**
 * Most recovery codes of a registration.
 */
#define KEYFOB_RECOVERY_CODES 16

/**
 * Room for a recovery code and the zero that ends it.
 */
#define KEYFOB_RECOVERY_CODE_SIZE 30

/**
 * For `burned_is_known`: the other system stopped before it was read what it burned, or the token is
 * new and no system ever accepted a code of it. Without that a code could be accepted twice.
 */
#define KEYFOB_BURNED_IS_ALL 2

/**
 * Eight-byte words of a proposal.
 */
#define KEYFOB_PROPOSAL_WORDS 200

/**
 * What came of a call. Nobody may be let in on any other status than `KEYFOB_OK`.
 *
 * `keyfob_status_text` has a text for each that tells a person what to do.
 */
enum keyfob_status_t
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * It was done.
     */
    KEYFOB_OK = 0,
    /**
     * The code is wrong. Of a registration, it was counted; without a store that is your part.
     */
    KEYFOB_MISMATCH = 1,
    /**
     * The code was right and is already used.
     */
    KEYFOB_REPLAYED = 2,
    /**
     * Too many failures: no attempt is made before `locked_until`.
     */
    KEYFOB_LOCKED = 3,
    /**
     * Failures in a row reached the policy's limit: only unlocking helps.
     */
    KEYFOB_DISABLED = 4,
    /**
     * There is no such registration.
     */
    KEYFOB_UNKNOWN = 5,
    /**
     * The registration wasn't confirmed in time.
     */
    KEYFOB_EXPIRED = 6,
    /**
     * The registration isn't confirmed yet, so this can't be done with it.
     */
    KEYFOB_PENDING = 7,
    /**
     * There is an active registration: replace or delete it.
     */
    KEYFOB_ALREADY_REGISTERED = 8,
    /**
     * Codes of this token are written in another way. No attempt was made.
     */
    KEYFOB_OTHER_FORMAT = 9,
    /**
     * A recovery code was given where a code of the token is wanted.
     */
    KEYFOB_RECOVERY_CODE_AS_CODE = 10,
    /**
     * A code of the token was given where a recovery code is wanted.
     */
    KEYFOB_CODE_AS_RECOVERY_CODE = 11,
    /**
     * It can't be a recovery code of this registration. No attempt was made.
     */
    KEYFOB_RECOVERY_CODE_FORMAT = 12,
    /**
     * No recovery code is left.
     */
    KEYFOB_NO_RECOVERY_CODES = 13,
    /**
     * The proof is of another registration, or older than five minutes.
     */
    KEYFOB_STALE_PROOF = 14,
    /**
     * The secret has fewer than 128 bits and the policy refuses such.
     */
    KEYFOB_LEGACY_SECRET = 15,
    /**
     * Short recovery codes, or those of another system, and no slow hash in the policy for them.
     */
    KEYFOB_WEAK_RECOVERY_CODES = 16,
    /**
     * Recovery codes in a build without the feature `sha2`.
     */
    KEYFOB_RECOVERY_CODES_REFUSED = 17,
    /**
     * What only a time-based or only a counter-based token can do was asked of the other.
     */
    KEYFOB_WRONG_KIND = 18,
    /**
     * The code was right, but codes of its time are refused until `locked_until`: a code of a later
     * time was used, or a fence refuses them.
     */
    KEYFOB_TOO_EARLY = 19,
    /**
     * The recovery code needs a slow hash, and its attempt was counted before that is computed: go on
     * with `keyfob_propose_finish_recovery`. `keyfob_recover` does so itself.
     */
    KEYFOB_COUNTED = 20,
    /**
     * Refused for a reason that this C library has no name for yet.
     */
    KEYFOB_REFUSED = 99,
    /**
     * A pointer that must not be NULL is.
     */
    KEYFOB_NULL_POINTER = 100,
    /**
     * A value is outside its range, or a length is impossible.
     */
    KEYFOB_INVALID_ARGUMENT = 101,
    /**
     * What was to be written doesn't fit.
     */
    KEYFOB_BUFFER_TOO_SMALL = 102,
    /**
     * A text isn't UTF-8.
     */
    KEYFOB_NOT_UTF8 = 103,
    /**
     * The proposal is empty, was settled before, or is settled by another function.
     */
    KEYFOB_OTHER_PROPOSAL = 104,
    /**
     * This build of keyfob lacks the feature: `sha2` or `pbkdf2`.
     */
    KEYFOB_FEATURE_OFF = 105,
    /**
     * A text is longer than the call takes: `KEYFOB_TYPED_BYTES`, `KEYFOB_RECOVERY_TEXT_BYTES`.
     */
    KEYFOB_TEXT_TOO_LONG = 106,
    /**
     * Nothing was typed.
     */
    KEYFOB_CODE_EMPTY = 200,
    /**
     * Too few or too many digits.
     */
    KEYFOB_CODE_LENGTH = 201,
    /**
     * Something other than digits, spaces and hyphens between them.
     */
    KEYFOB_CODE_SYMBOL = 202,
    /**
     * A secret of too few bytes to be safe.
     */
    KEYFOB_SECRET_TOO_SHORT = 210,
    /**
     * A secret of more than 128 bytes.
     */
    KEYFOB_SECRET_TOO_LONG = 211,
    /**
     * A character that isn't base32.
     */
    KEYFOB_SECRET_SYMBOL = 212,
    /**
     * A number of base32 symbols that no number of bytes encodes to.
     */
    KEYFOB_SECRET_LENGTH = 213,
    /**
     * Bits set after the last whole byte of base32.
     */
    KEYFOB_SECRET_SPARE_BITS = 214,
    /**
     * It doesn't start with `otpauth://`.
     */
    KEYFOB_URI_SCHEME = 220,
    /**
     * The key URI's type is neither `totp` nor `hotp` nor `steam`.
     */
    KEYFOB_URI_TYPE = 221,
    /**
     * The key URI is too long, or has too many parameters.
     */
    KEYFOB_URI_TOO_LONG = 222,
    /**
     * A broken percent escape, bytes that are no UTF-8, or (read strictly) a bare character.
     */
    KEYFOB_URI_ENCODING = 223,
    /**
     * A parameter of the key URI stands twice.
     */
    KEYFOB_URI_REPEATED = 224,
    /**
     * The account is missing or has a colon or control character.
     */
    KEYFOB_URI_ACCOUNT = 225,
    /**
     * The issuer has a colon or control character.
     */
    KEYFOB_URI_ISSUER = 226,
    /**
     * The label and the issuer parameter name different issuers.
     */
    KEYFOB_URI_ISSUERS_DIFFER = 227,
    /**
     * The key URI has no secret.
     */
    KEYFOB_URI_NO_SECRET = 228,
    /**
     * The algorithm isn't known to this build, or (read strictly) spelled in another way.
     */
    KEYFOB_URI_ALGORITHM = 229,
    /**
     * Digits other than 6, 7 or 8, or than Steam's 5.
     */
    KEYFOB_URI_DIGITS = 230,
    /**
     * A period outside 1 to 86,400 seconds.
     */
    KEYFOB_URI_PERIOD = 231,
    /**
     * A counter-based token without a counter, or with one that is no number.
     */
    KEYFOB_URI_COUNTER = 232,
    /**
     * An encoder other than Steam's, or Steam's for a counter-based token.
     */
    KEYFOB_URI_ENCODER = 233,
    /**
     * An epoch other than 0, which a key URI can't express.
     */
    KEYFOB_URI_EPOCH = 234,
    /**
     * It was escaped for HTML, so that `&amp;` stands for `&`.
     */
    KEYFOB_URI_HTML_ESCAPED = 235,
    /**
     * A parameter looks like a misspelt one.
     */
    KEYFOB_URI_MISSPELT = 236,
    /**
     * A parameter stands inside another one's value or inside the label.
     */
    KEYFOB_URI_SEPARATOR = 237,
    /**
     * The store can't be used now, or didn't tell what became of a write. If it was stored, the
     * code is used up.
     */
    KEYFOB_STORE_FAILED = 300,
    /**
     * Somebody else wrote in between: load the record and propose anew.
     */
    KEYFOB_CONFLICT = 301,
    /**
     * Others wrote in between, again and again: try again.
     */
    KEYFOB_CONTENDED = 302,
    /**
     * The source of randomness failed.
     */
    KEYFOB_ENTROPY_FAILED = 303,
    /**
     * The stored record is damaged.
     */
    KEYFOB_RECORD_MALFORMED = 304,
    /**
     * The stored record was written by a later keyfob.
     */
    KEYFOB_RECORD_VERSION = 305,
    /**
     * The stored record is sealed.
     */
    KEYFOB_RECORD_SEALED = 306,
    /**
     * The stored record needs a feature that this build lacks.
     */
    KEYFOB_RECORD_FEATURE = 307,
    /**
     * The recovery codes were hashed under a pepper that wasn't given.
     */
    KEYFOB_PEPPER_MISSING = 308,
    /**
     * The recovery codes were hashed with more iterations than the policy allows.
     */
    KEYFOB_COSTLY_RECOVERY_CODES = 309,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum keyfob_status_t keyfob_status_t;
#else
typedef uint32_t keyfob_status_t;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The hash under the HMAC.
 */
enum keyfob_algorithm_t
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * What every token and app understands.
     */
    KEYFOB_SHA1 = 1,
    /**
     * Needs the feature `sha2`.
     */
    KEYFOB_SHA256 = 2,
    /**
     * Needs the feature `sha2`.
     */
    KEYFOB_SHA512 = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum keyfob_algorithm_t keyfob_algorithm_t;
#else
typedef uint32_t keyfob_algorithm_t;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How a code is written.
 */
enum keyfob_format_t
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Steam Guard's five symbols.
     */
    KEYFOB_STEAM = 5,
    /**
     * Six decimal digits, what nearly every app shows.
     */
    KEYFOB_SIX_DIGITS = 6,
    /**
     * Seven decimal digits.
     */
    KEYFOB_SEVEN_DIGITS = 7,
    /**
     * Eight decimal digits.
     */
    KEYFOB_EIGHT_DIGITS = 8,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum keyfob_format_t keyfob_format_t;
#else
typedef uint32_t keyfob_format_t;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What moves a token on.
 */
enum keyfob_kind_t
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Time (RFC 6238).
     */
    KEYFOB_TOTP = 1,
    /**
     * A counter (RFC 4226).
     */
    KEYFOB_HOTP = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum keyfob_kind_t keyfob_kind_t;
#else
typedef uint32_t keyfob_kind_t;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What a store found.
 */
enum keyfob_load_t
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * A record, which it copied to its place.
     */
    KEYFOB_LOAD_FOUND = 1,
    /**
     * Nothing is stored.
     */
    KEYFOB_LOAD_NOTHING = 2,
    /**
     * The store can't be used now.
     */
    KEYFOB_LOAD_FAILED = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum keyfob_load_t keyfob_load_t;
#else
typedef uint32_t keyfob_load_t;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How a key URI is read.
 */
enum keyfob_reading_t
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * As your own system wrote it: whatever readers disagree about is refused.
     */
    KEYFOB_STRICT = 1,
    /**
     * As people bring it from elsewhere: what can be understood in one way only is read.
     */
    KEYFOB_LENIENT = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum keyfob_reading_t keyfob_reading_t;
#else
typedef uint32_t keyfob_reading_t;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How new recovery codes look.
 */
enum keyfob_recovery_format_t
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * 120 bits, six groups of four symbols.
     */
    KEYFOB_STANDARD_CODES = 1,
    /**
     * 60 bits, three groups of four: they need a slow hash.
     */
    KEYFOB_SHORT_CODES = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum keyfob_recovery_format_t keyfob_recovery_format_t;
#else
typedef uint32_t keyfob_recovery_format_t;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Whether a registration is confirmed.
 */
enum keyfob_state_t
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * It waits for its first code, until `state_time`.
     */
    KEYFOB_STATE_PENDING = 1,
    /**
     * It was not confirmed in time.
     */
    KEYFOB_STATE_LAPSED = 2,
    /**
     * It was confirmed, at `state_time`.
     */
    KEYFOB_STATE_ACTIVE = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum keyfob_state_t keyfob_state_t;
#else
typedef uint32_t keyfob_state_t;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What became of a write.
 */
enum keyfob_swap_t
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * The revision was the expected one, and the new record is stored durably.
     */
    KEYFOB_SWAP_STORED = 1,
    /**
     * The revision was another one, and nothing was written.
     */
    KEYFOB_SWAP_CONFLICT = 2,
    /**
     * The store can't be used, or what became of the write isn't known.
     */
    KEYFOB_SWAP_FAILED = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum keyfob_swap_t keyfob_swap_t;
#else
typedef uint32_t keyfob_swap_t;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What a write does.
 */
enum keyfob_write_kind_t
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Nothing is to be written: settle with `KEYFOB_SWAP_STORED`.
     */
    KEYFOB_WRITE_NOTHING = 0,
    /**
     * Store `next` if nothing is stored.
     */
    KEYFOB_WRITE_INSERT = 1,
    /**
     * Store `next` if the stored revision is `expected_revision`.
     */
    KEYFOB_WRITE_REPLACE = 2,
    /**
     * Delete what is stored if its revision is `expected_revision`.
     */
    KEYFOB_WRITE_DELETE = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum keyfob_write_kind_t keyfob_write_kind_t;
#else
typedef uint32_t keyfob_write_kind_t;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The secret that a token and its verifier share: 16 to 128 bytes, or from 10 if another system
 * made it. Wipe it with `keyfob_wipe` once it isn't needed.
 */
typedef struct {
    /**
     * How many bytes there are.
     */
    uint8_t length;
    /**
     * The bytes; those after `length` mean nothing.
     */
    uint8_t bytes[KEYFOB_SECRET_BYTES];
} keyfob_secret_t;

/**
 * A source of cryptographically strong random bytes: a hardware generator, or the operating
 * system's. Never a clock, a serial number or `rand`.
 */
typedef struct {
    /**
     * Handed to `fill` as it is.
     */
    void *context;
    /**
     * Fills all of the bytes and returns 1; on anything else none of them is used. It may not throw,
     * nor leave by `longjmp`, nor write to what the caller of keyfob gave.
     */
    int (*fill)(void *context,
                uint8_t *bytes,
                size_t length);
} keyfob_entropy_t;

/**
 * What a token and its verifier agree on. Begin with `keyfob_params_default`.
 */
typedef struct {
    /**
     * A `keyfob_kind_t`.
     */
    uint32_t kind;
    /**
     * A `keyfob_algorithm_t`.
     */
    uint32_t algorithm;
    /**
     * A `keyfob_format_t`.
     */
    uint32_t format;
    /**
     * How long a step lasts, 1 to 86,400 seconds; not read for a counter.
     */
    uint32_t period_seconds;
    /**
     * Where the counting of steps begins, in seconds of Unix time; not read for a counter.
     */
    uint64_t epoch;
} keyfob_params_t;

/**
 * A one-time code, as it is shown.
 */
typedef struct {
    /**
     * Its symbols, leading zeros included, ended by a zero byte.
     */
    char text[KEYFOB_CODE_SIZE];
} keyfob_code_t;

/**
 * The steps around the expected one whose codes are accepted, at most ten to each side.
 */
typedef struct {
    /**
     * Steps before the expected one.
     */
    uint8_t past;
    /**
     * Steps after it.
     */
    uint8_t future;
} keyfob_window_t;

/**
 * The steps that must not be accepted again: every one up to the last that was. All zero means
 * that none is burned.
 *
 * Keep it with the secret, and store it before you let anyone in.
 */
typedef struct {
    /**
     * The last burned step, if any is.
     */
    uint64_t last_step;
    /**
     * Other than 0 if any step is burned.
     */
    uint32_t any;
} keyfob_burned_t;

/**
 * A code that was right, once.
 */
typedef struct {
    /**
     * The step whose code it is.
     */
    uint64_t step;
    /**
     * How many steps after the expected one; negative for a token that lags.
     */
    int8_t offset;
} keyfob_match_t;

/**
 * A key URI that was read. It carries the secret: wipe it with `keyfob_wipe`.
 */
typedef struct {
    /**
     * The secret.
     */
    keyfob_secret_t secret;
    /**
     * The parameters.
     */
    keyfob_params_t params;
    /**
     * The counter of the token's next code; 0 for a time-based token.
     */
    uint64_t counter;
    /**
     * Who issued the token, decoded; empty if the URI doesn't say.
     */
    char issuer[KEYFOB_NAME_SIZE];
    /**
     * Whose token it is, decoded.
     */
    char account[KEYFOB_NAME_SIZE];
    /**
     * Other than 0 if the label names another issuer, which lost.
     */
    uint8_t issuer_overridden;
    /**
     * How many parameters weren't read: unknown ones, and those that say nothing of this kind of
     * token.
     */
    uint8_t parameters_ignored;
    /**
     * How many were read under another name than the format's; 0 for `KEYFOB_STRICT`.
     */
    uint8_t parameters_corrected;
} keyfob_uri_t;

/**
 * What is accepted, how guessing is slowed, and what is given out. Begin with
 * `keyfob_policy_default` and change what you need.
 */
typedef struct {
    /**
     * The steps accepted around the expected one, for time-based tokens.
     */
    keyfob_window_t window;
    /**
     * The counters accepted from the next one on, for counter-based tokens.
     */
    keyfob_window_t look_ahead;
    /**
     * Failures in a row that make nobody wait; fewer than `disabled_at`.
     */
    uint8_t free_failures;
    /**
     * Failures in a row at which a registration is disabled, at most 100.
     */
    uint8_t disabled_at;
    /**
     * How long a new token waits for its first code, 5 to 1,440 minutes.
     */
    uint16_t pending_minutes;
    /**
     * The wait after the first failure that isn't free; it doubles with each further one.
     */
    uint32_t first_wait_seconds;
    /**
     * The longest wait, at most 86,400 seconds.
     */
    uint32_t longest_wait_seconds;
    /**
     * How far a resynchronisation searches, at most 1,500 steps.
     */
    uint16_t resync_steps;
    /**
     * How many steps a token's clock may drift away and still be followed, at most 100.
     */
    uint8_t drift_steps;
    /**
     * How many recovery codes a registration gets, at most 16; builds without `sha2` have none.
     */
    uint8_t recovery_codes;
    /**
     * A `keyfob_recovery_format_t`.
     */
    uint32_t recovery_format;
    /**
     * Iterations of PBKDF2 for short recovery codes and those of other systems, at most 10,000,000; 0 refuses such
     * codes. Needs the feature `pbkdf2`.
     */
    uint32_t pbkdf2_iterations;
    /**
     * Other than 0 if secrets of 80 to 127 bits may be migrated.
     */
    uint32_t legacy_secrets;
} keyfob_policy_t;

/**
 * A registration as a store keeps it. Its bytes hold the secret: keep them as you would keep that,
 * and wipe it with `keyfob_wipe`.
 *
 * Store the revision and the bytes, and give both back exactly as they were. Where nothing is
 * stored, functions take NULL.
 */
typedef struct {
    /**
     * Names these bytes and no others. It doesn't count up: compare it for equality alone. Every
     * value occurs.
     */
    uint64_t revision;
    /**
     * How many bytes there are.
     */
    uint32_t length;
    /**
     * The bytes; those after `length` mean nothing.
     */
    uint8_t bytes[KEYFOB_RECORD_BYTES];
} keyfob_record_t;

/**
 * A compare-and-swap to be carried out: atomically, and durably before it is reported as stored.
 */
typedef struct {
    /**
     * A `keyfob_write_kind_t`.
     */
    uint32_t kind;
    /**
     * Other than 0 if `next` has recovery codes: a store that could forget a write has to refuse
     * it, as a used code would be good again.
     */
    uint32_t has_recovery_codes;
    /**
     * The revision that must be stored now, to replace or delete.
     */
    uint64_t expected_revision;
    /**
     * From then on the row of `next` may be swept; `KEYFOB_NEVER` unless it is unconfirmed.
     */
    uint64_t lapses_at;
    /**
     * The record to insert, or to replace the stored one with.
     */
    keyfob_record_t next;
} keyfob_write_t;

/**
 * Where records are kept. keyfob's promises rest on these duties:
 *
 * - `compare_and_swap` is atomic: of all calls that expect the same revision, in whatever threads
 *   and processes, one is `KEYFOB_SWAP_STORED`.
 * - It is durable before it returns: what it stored survives a crash and a power cut.
 * - It never guesses: an I/O error, a time-out, an unknown commit is `KEYFOB_SWAP_FAILED`.
 * - `load` sees every swap that returned before it began.
 * - Revision and bytes come back exactly as they were given.
 *
 * Neither function may throw, nor leave by `longjmp`, nor write to what the caller of keyfob gave.
 * `id` is that caller's, handed on unread.
 */
typedef struct {
    /**
     * Handed to the functions as it is.
     */
    void *context;
    /**
     * Copies the record of `id` to `record`; returns a `keyfob_load_t`, and anything else counts as
     * `KEYFOB_LOAD_FAILED`.
     */
    int (*load)(void *context,
                const void *id,
                keyfob_record_t *record);
    /**
     * Carries out `write`, whose kind is never `KEYFOB_WRITE_NOTHING`; returns a `keyfob_swap_t`, and
     * anything else counts as `KEYFOB_SWAP_FAILED`.
     */
    int (*compare_and_swap)(void *context,
                            const void *id,
                            const keyfob_write_t *write);
} keyfob_store_t;

/**
 * What a decision depends on besides the record and the input.
 */
typedef struct {
    /**
     * The moment of the decision, in seconds of Unix time.
     */
    uint64_t now;
    /**
     * The embedder's choices.
     */
    keyfob_policy_t policy;
    /**
     * Other than 0 if recovery codes are hashed under `pepper`.
     */
    uint32_t has_pepper;
    /**
     * A random key that is kept where the store isn't.
     */
    uint8_t pepper[KEYFOB_PEPPER_BYTES];
} keyfob_context_t;

/**
 * A registration's own name, for logs and other tables. It isn't secret.
 */
typedef struct {
    /**
     * Evenly distributed over all values.
     */
    uint8_t bytes[KEYFOB_REGISTRATION_ID_BYTES];
} keyfob_registration_id_t;

/**
 * One recovery code, as it is shown to the person.
 */
typedef struct {
    /**
     * In groups parted by hyphens, ended by a zero byte.
     */
    char text[KEYFOB_RECOVERY_CODE_SIZE];
} keyfob_recovery_code_t;

/**
 * New recovery codes, to be shown once: only digests of them are kept. Wipe them then.
 */
typedef struct {
    /**
     * How many there are.
     */
    uint32_t count;
    /**
     * The codes, in the order to show them in.
     */
    keyfob_recovery_code_t codes[KEYFOB_RECOVERY_CODES];
} keyfob_recovery_codes_t;

/**
 * A new token, to be shown to the person once: see `keyfob_uri_write`. Wipe it then.
 */
typedef struct {
    /**
     * The registration's own name.
     */
    keyfob_registration_id_t registration_id;
    /**
     * The new token lapses at this moment unless its first code came.
     */
    uint64_t pending_until;
    /**
     * The secret, for the token.
     */
    keyfob_secret_t secret;
    /**
     * What the token and its verifier agree on.
     */
    keyfob_params_t params;
    /**
     * The new recovery codes; none for a replacement, which leaves the codes as they are.
     */
    keyfob_recovery_codes_t recovery_codes;
} keyfob_enrollment_t;

/**
 * That a person logged in or recovered, for five minutes: it lets them change the token.
 *
 * Whoever can write these bytes can change the token: keep them where your sessions are, and never
 * with the person.
 */
typedef struct {
    /**
     * Opaque.
     */
    uint8_t bytes[KEYFOB_PROOF_BYTES];
} keyfob_proof_t;

/**
 * What came of a code of the token. If it was refused, all but the wait and the failures is zero.
 */
typedef struct {
    /**
     * With `KEYFOB_LOCKED`, `KEYFOB_TOO_EARLY` and `KEYFOB_MISMATCH`: no attempt succeeds before this
     * moment; 0 if the next one can be made now, `KEYFOB_NEVER` if an operator must unlock first.
     */
    uint64_t locked_until;
    /**
     * How many seconds that is from now.
     */
    uint64_t wait_seconds;
    /**
     * The step whose code was accepted; it and all before it are burned.
     */
    uint64_t step;
    /**
     * The registration's own name.
     */
    keyfob_registration_id_t registration_id;
    /**
     * Lets the person change the token, for five minutes.
     */
    keyfob_proof_t proof;
    /**
     * How many steps after the expected one; negative for a token that lags.
     */
    int8_t offset;
    /**
     * Other than 0 if this was the first code, which confirmed the registration.
     */
    uint8_t activated;
    /**
     * Other than 0 if this was the first code of a replacement, which took over with it.
     */
    uint8_t replaced;
    /**
     * With `KEYFOB_MISMATCH`: failures in a row; 0 if an operator must unlock first.
     */
    uint8_t failures;
} keyfob_authentication_t;

/**
 * A token as another system knew it. All zero but the secret and the parameters is right where
 * nothing else is known.
 */
typedef struct {
    /**
     * Its secret; see the policy for secrets below 128 bits.
     */
    keyfob_secret_t secret;
    /**
     * What it and its verifier agree on.
     */
    keyfob_params_t params;
    /**
     * 0 if it isn't known what was burned: a counter is then taken to be 0. For a token that goes by
     * time, all that the other system may have accepted by now is burned besides, unless this is
     * `KEYFOB_BURNED_IS_ALL`.
     */
    uint32_t burned_is_known;
    /**
     * The steps that the other system burned; for a counter, all before its next one.
     */
    keyfob_burned_t burned;
    /**
     * How many steps its clock is ahead of ours.
     */
    int16_t drift_steps;
    /**
     * The person's recovery codes, one a line; NULL means that new ones are minted. Needs the
     * feature `sha2`.
     */
    const char *recovery_codes;
    /**
     * How many bytes `recovery_codes` has, at most `KEYFOB_RECOVERY_TEXT_BYTES`.
     */
    size_t recovery_codes_length;
} keyfob_migration_t;

/**
 * A token that was taken over and is active.
 */
typedef struct {
    /**
     * The registration's own name.
     */
    keyfob_registration_id_t registration_id;
    /**
     * How many of the existing recovery codes were not taken over: given twice, after the first 16, or
     * unusable. They never work: tell the person.
     */
    uint32_t skipped_recovery_codes;
    /**
     * The newly minted recovery codes, to be shown once; none if existing ones were taken over.
     */
    keyfob_recovery_codes_t recovery_codes;
} keyfob_migrated_t;

/**
 * What came of a recovery code. If it was refused, all but the wait and the failures is zero.
 */
typedef struct {
    /**
     * With `KEYFOB_LOCKED`, `KEYFOB_TOO_EARLY` and `KEYFOB_MISMATCH`: no attempt succeeds before this
     * moment; 0 if the next one can be made now, `KEYFOB_NEVER` if an operator must unlock first.
     */
    uint64_t locked_until;
    /**
     * How many seconds that is from now.
     */
    uint64_t wait_seconds;
    /**
     * The registration's own name.
     */
    keyfob_registration_id_t registration_id;
    /**
     * Lets the person change the token, for five minutes.
     */
    keyfob_proof_t proof;
    /**
     * How many recovery codes are left.
     */
    uint32_t remaining;
    /**
     * With `KEYFOB_MISMATCH`: failures in a row; 0 if an operator must unlock first.
     */
    uint8_t failures;
} keyfob_recovery_t;

/**
 * What came of two consecutive codes. If it was refused, all but the wait and the failures is zero.
 */
typedef struct {
    /**
     * With `KEYFOB_LOCKED`, `KEYFOB_TOO_EARLY` and `KEYFOB_MISMATCH`: no attempt succeeds before this
     * moment; 0 if the next one can be made now, `KEYFOB_NEVER` if an operator must unlock first.
     */
    uint64_t locked_until;
    /**
     * How many seconds that is from now.
     */
    uint64_t wait_seconds;
    /**
     * The step of the second code.
     */
    uint64_t step;
    /**
     * How many steps the token's clock is ahead of ours; 0 for a counter.
     */
    int16_t drift_steps;
    /**
     * With `KEYFOB_MISMATCH`: failures in a row; 0 if an operator must unlock first.
     */
    uint8_t failures;
} keyfob_resync_t;

/**
 * Whether attempts are made.
 */
typedef struct {
    /**
     * Not before this moment: 0 if they are made now, `KEYFOB_NEVER` until an operator unlocks it.
     */
    uint64_t locked_until;
    /**
     * Failures in a row; 0 if an operator must unlock it.
     */
    uint8_t failures;
} keyfob_lock_t;

/**
 * What can be told of a registration to its owner or an operator: no secret, no code.
 */
typedef struct {
    /**
     * The registration's own name.
     */
    keyfob_registration_id_t registration_id;
    /**
     * What the token and its verifier agree on.
     */
    keyfob_params_t params;
    /**
     * A `keyfob_state_t`.
     */
    uint32_t state;
    /**
     * How many recovery codes are left.
     */
    uint32_t recovery_codes;
    /**
     * When it was confirmed or lapses.
     */
    uint64_t state_time;
    /**
     * When a code was last accepted; `KEYFOB_NEVER` if none was.
     */
    uint64_t last_use;
    /**
     * Until when a replacement can take over; 0 if none is waiting.
     */
    uint64_t replacement_until;
    /**
     * Until when right codes are `KEYFOB_TOO_EARLY`, after a fence or a log-in while a clock was ahead;
     * 0 if they are accepted. `keyfob_forget_future_steps` helps.
     */
    uint64_t refused_until;
    /**
     * Whether codes of the token are attempted.
     */
    keyfob_lock_t codes;
    /**
     * Whether recovery codes are attempted.
     */
    keyfob_lock_t recovery;
    /**
     * How many steps the token's clock is ahead of ours, as far as it is followed.
     */
    int16_t drift_steps;
    /**
     * Other than 0 if the secret has fewer than 128 bits and should be replaced.
     */
    uint8_t legacy_secret;
} keyfob_registration_t;

/**
 * A decision that isn't valid yet: what is to be written, and an answer that can be had only by
 * telling what became of that write. Its bytes are nobody's business: they hold secrets.
 *
 * A `keyfob_propose_...` function fills it, whatever was in it; one that fails leaves it all zero.
 * `keyfob_proposal_write` tells what to write, and the `keyfob_settle_...` function of the same name
 * takes the answer out and wipes it. Give those a proposal that a `keyfob_propose_...` function was
 * given, or that is all zero, and none that you changed or copied: of a copy the answer would come
 * out twice.
 */
typedef struct {
    /**
     * Opaque, and private: whoever can fill it at will can make a decision of any bytes.
     */
    uint64_t opaque[KEYFOB_PROPOSAL_WORDS];
} keyfob_proposal_t;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * A text that tells a person what to do about a status, in English: never NULL, never to be freed.
 */
const char *keyfob_status_text(uint32_t status);

/**
 * Overwrites memory in a way that no compiler leaves out: for secrets, records, enrolments and
 * proposals that are no longer needed.
 *
 * `memory` may be NULL, and then nothing is done.
 *
 * Duties of the caller:
 * Unless it is NULL, `length` bytes at `memory` can be written.
 */
void keyfob_wipe(void *memory,
                 size_t length);

/**
 * The operating system's randomness, as the `fill` of a `keyfob_entropy_t`; it reads no context.
 * Only in builds with the feature `getrandom`.
 *
 * Duties of the caller:
 * `length` bytes can be written at `bytes`.
 */
int keyfob_system_entropy(void *context,
                          uint8_t *bytes,
                          size_t length);

/**
 * Draws a new secret as long as the algorithm's output (RFC 6238 section 5.1): 20, 32 or 64 bytes.
 *
 * Duties of the caller:
 * The function of `entropy` is as that says.
 */
keyfob_status_t keyfob_secret_generate(keyfob_secret_t *secret,
                                       uint32_t algorithm_number,
                                       const keyfob_entropy_t *entropy);

/**
 * Takes a secret of 16 to 128 bytes that was made elsewhere.
 *
 * Duties of the caller:
 * `length` bytes can be read at `bytes`.
 */
keyfob_status_t keyfob_secret_from_bytes(keyfob_secret_t *secret,
                                         const uint8_t *bytes,
                                         size_t length);

/**
 * Reads canonical base32 (RFC 4648 section 6): upper case, no padding, no spare bits set.
 *
 * Duties of the caller:
 * `length` bytes can be read at `text`.
 */
keyfob_status_t keyfob_secret_from_base32(keyfob_secret_t *secret,
                                          const char *text,
                                          size_t length);

/**
 * Reads the base32 that people paste: either case, with spaces, hyphens or padding.
 *
 * Duties of the caller:
 * `length` bytes can be read at `text`.
 */
keyfob_status_t keyfob_secret_from_pasted_base32(keyfob_secret_t *secret,
                                                 const char *text,
                                                 size_t length);

/**
 * Writes the canonical base32 that authenticator apps take, ended by a zero. `KEYFOB_BASE32_SIZE`
 * bytes are room enough.
 *
 * Duties of the caller:
 * `size` bytes can be written at `text`.
 */
keyfob_status_t keyfob_secret_to_base32(const keyfob_secret_t *secret,
                                        char *text,
                                        size_t size);

/**
 * A time-based token, SHA-1, six digits, 30 seconds: what every app understands.
 */
keyfob_params_t keyfob_params_default(void);

/**
 * The code that a time-based token with a right clock shows at `now`, in seconds of Unix time.
 */
keyfob_status_t keyfob_totp_code(const keyfob_secret_t *secret,
                                 const keyfob_params_t *params,
                                 uint64_t now,
                                 keyfob_code_t *code);

/**
 * How many seconds the code of `now` has left: 1 to the period; longer before the epoch.
 */
keyfob_status_t keyfob_totp_remaining_seconds(const keyfob_params_t *params,
                                              uint64_t now,
                                              uint64_t *seconds);

/**
 * The code of one counter.
 */
keyfob_status_t keyfob_hotp_code(const keyfob_secret_t *secret,
                                 const keyfob_params_t *params,
                                 uint64_t counter,
                                 keyfob_code_t *code);

/**
 * Verifies what was typed against a time-based token, and burns its step and all before it, so
 * that the same `burned` never accepts it again. All of the window is computed and compared in
 * constant time.
 *
 * Store `burned` before you act on `KEYFOB_OK`, count `KEYFOB_MISMATCH`, and slow the guesser down;
 * the functions with a registration do all of that.
 *
 * Duties of the caller:
 * `length` bytes can be read at `typed`.
 */
keyfob_status_t keyfob_totp_verify(const keyfob_secret_t *secret,
                                   const keyfob_params_t *params,
                                   const char *typed,
                                   size_t length,
                                   uint64_t now,
                                   keyfob_window_t window,
                                   keyfob_burned_t *burned,
                                   keyfob_match_t *found);

/**
 * Verifies what was typed around the next counter, the one after the last burned, and burns its
 * counter and all before it. Duties and constant time are those of `keyfob_totp_verify`.
 *
 * Duties of the caller:
 * `length` bytes can be read at `typed`.
 */
keyfob_status_t keyfob_hotp_verify(const keyfob_secret_t *secret,
                                   const keyfob_params_t *params,
                                   const char *typed,
                                   size_t length,
                                   keyfob_window_t window,
                                   keyfob_burned_t *burned,
                                   keyfob_match_t *found);

/**
 * The URI that enrols a token, for a QR code: ended by a zero, `length` bytes without it.
 * 4,097 bytes are room enough for any. It carries the secret: keep it out of logs, and wipe it.
 *
 * The issuer may be empty. `counter` is that of the next code; it isn't read for a token that goes
 * by time.
 *
 * Duties of the caller:
 * So many bytes can be read at `issuer` and `account`, and `size` written at `text`.
 */
keyfob_status_t keyfob_uri_write(const keyfob_secret_t *secret,
                                 const keyfob_params_t *params,
                                 uint64_t counter,
                                 const char *issuer,
                                 size_t issuer_length,
                                 const char *account,
                                 size_t account_length,
                                 char *text,
                                 size_t size,
                                 size_t *length);

/**
 * Reads a key URI; `reading` is a `keyfob_reading_t`. A value that can't be understood is never
 * replaced by a default, and a name of more than 255 bytes is `KEYFOB_BUFFER_TOO_SMALL`.
 *
 * Duties of the caller:
 * `length` bytes can be read at `text`.
 */
keyfob_status_t keyfob_uri_read(const char *text,
                                size_t length,
                                uint32_t reading,
                                keyfob_uri_t *uri);

/**
 * One step to each side, ten counters of look-ahead, five free failures, an hour to confirm, ten
 * recovery codes; no drift followed, no legacy secrets.
 */
keyfob_policy_t keyfob_policy_default(void);

/**
 * No window: a code counts for its own 30 seconds only (OWASP ASVS 5.0, 6.5.5). Clocks must go
 * right.
 */
keyfob_policy_t keyfob_policy_strict(void);

/**
 * For tokens whose crystal drifts: two steps to each side, and up to 20 steps of drift followed,
 * one a log-in (RFC 6238 section 6).
 */
keyfob_policy_t keyfob_policy_for_hardware_tokens(void);

/**
 * Starts a registration, pending until its first code: `keyfob_propose_create`, carried out.
 *
 * Duties of the caller:
 * The functions of `store` and `entropy` are as those say.
 */
keyfob_status_t keyfob_create(const keyfob_store_t *store,
                              const void *id,
                              const keyfob_params_t *params,
                              const keyfob_context_t *context,
                              const keyfob_entropy_t *entropy,
                              keyfob_enrollment_t *enrollment);

/**
 * Accepts a code of the token as it was typed, at most once a step: `keyfob_propose_authenticate`,
 * carried out. Let the person in on `KEYFOB_OK` and on nothing else.
 *
 * Duties of the caller:
 * `length` bytes can be read at `typed`, and the functions of `store` are as it says.
 */
keyfob_status_t keyfob_authenticate(const keyfob_store_t *store,
                                    const void *id,
                                    const char *typed,
                                    size_t length,
                                    const keyfob_context_t *context,
                                    keyfob_authentication_t *authentication);

/**
 * Starts a new token for an active registration: `keyfob_propose_replace`, carried out.
 *
 * Duties of the caller:
 * The functions of `store` and `entropy` are as those say.
 */
keyfob_status_t keyfob_replace(const keyfob_store_t *store,
                               const void *id,
                               const keyfob_proof_t *proof,
                               const keyfob_params_t *params,
                               const keyfob_context_t *context,
                               const keyfob_entropy_t *entropy,
                               keyfob_enrollment_t *enrollment);

/**
 * Takes over a token that another system registered: `keyfob_propose_migrate`, carried out.
 *
 * Duties of the caller:
 * What `migration` says of its recovery codes is so, and the functions of `store` and `entropy` are
 * as those say.
 */
keyfob_status_t keyfob_migrate(const keyfob_store_t *store,
                               const void *id,
                               const keyfob_migration_t *migration,
                               const keyfob_context_t *context,
                               const keyfob_entropy_t *entropy,
                               keyfob_migrated_t *migrated);

/**
 * Accepts a recovery code as it was typed, once: `keyfob_propose_recover`, carried out. Needs the
 * feature `sha2`.
 *
 * Duties of the caller:
 * `length` bytes can be read at `typed`, and the functions of `store` are as it says.
 */
keyfob_status_t keyfob_recover(const keyfob_store_t *store,
                               const void *id,
                               const char *typed,
                               size_t length,
                               const keyfob_context_t *context,
                               keyfob_recovery_t *recovery);

/**
 * Makes new recovery codes, to be shown once: `keyfob_propose_recovery_codes`, carried out. Needs
 * the feature `sha2`.
 *
 * Duties of the caller:
 * The functions of `store` and `entropy` are as those say.
 */
keyfob_status_t keyfob_rotate_recovery_codes(const keyfob_store_t *store,
                                             const void *id,
                                             const keyfob_context_t *context,
                                             const keyfob_entropy_t *entropy,
                                             keyfob_recovery_codes_t *codes);

/**
 * Finds a token whose clock or counter went astray: `keyfob_propose_resync`, carried out.
 *
 * Duties of the caller:
 * So many bytes can be read at `first` and `second`, and the functions of `store` are as it says.
 */
keyfob_status_t keyfob_resync(const keyfob_store_t *store,
                              const void *id,
                              const char *first,
                              size_t first_length,
                              const char *second,
                              size_t second_length,
                              const keyfob_context_t *context,
                              keyfob_resync_t *resync);

/**
 * Tells what can be told of a registration. Nothing is written.
 *
 * Duties of the caller:
 * The functions of `store` are as it says.
 */
keyfob_status_t keyfob_registration_status(const keyfob_store_t *store,
                                           const void *id,
                                           const keyfob_context_t *context,
                                           keyfob_registration_t *registration);

/**
 * Hands a token out, for another system to take over: `keyfob_record_export` from a store.
 *
 * Duties of the caller:
 * The functions of `store` are as it says.
 */
keyfob_status_t keyfob_export(const keyfob_store_t *store,
                              const void *id,
                              uint64_t now,
                              keyfob_migration_t *migration);

/**
 * Forgets all failures: `keyfob_propose_unlock`, carried out.
 *
 * Duties of the caller:
 * The functions of `store` are as it says.
 */
keyfob_status_t keyfob_unlock(const keyfob_store_t *store,
                              const void *id);

/**
 * Sets how many steps the token's clock is ahead of ours: `keyfob_propose_drift`, carried out.
 *
 * Duties of the caller:
 * The functions of `store` are as it says.
 */
keyfob_status_t keyfob_set_drift(const keyfob_store_t *store,
                                 const void *id,
                                 int16_t steps);

/**
 * Refuses every code up to now: `keyfob_propose_fence`, carried out.
 *
 * Duties of the caller:
 * The functions of `store` are as it says.
 */
keyfob_status_t keyfob_fence(const keyfob_store_t *store,
                             const void *id,
                             const keyfob_context_t *context);

/**
 * Forgets that steps of the future are burned: `keyfob_propose_forget_future_steps`, carried out.
 *
 * Duties of the caller:
 * The functions of `store` are as it says.
 */
keyfob_status_t keyfob_forget_future_steps(const keyfob_store_t *store,
                                           const void *id,
                                           const keyfob_context_t *context);

/**
 * Deletes a registration, a damaged one included: `keyfob_propose_delete`, carried out.
 *
 * Duties of the caller:
 * The functions of `store` are as it says.
 */
keyfob_status_t keyfob_delete(const keyfob_store_t *store,
                              const void *id);

/**
 * Tells what a proposal wants written: a compare-and-swap for your store. Wipe `write` with
 * `keyfob_wipe` once it is carried out.
 */
keyfob_status_t keyfob_proposal_write(const keyfob_proposal_t *proposal,
                                      keyfob_write_t *write);

/**
 * Wipes a proposal that won't be settled. NULL is allowed.
 */
void keyfob_proposal_wipe(keyfob_proposal_t *proposal);

/**
 * Decides about a new registration, pending until its first code. Over one that is pending it
 * starts again; over an active one it is `KEYFOB_ALREADY_REGISTERED`.
 *
 * Duties of the caller:
 * The function of `entropy` is as that says.
 */
keyfob_status_t keyfob_propose_create(keyfob_proposal_t *proposal,
                                      const keyfob_record_t *record,
                                      const keyfob_params_t *params,
                                      const keyfob_context_t *context,
                                      const keyfob_entropy_t *entropy);

/**
 * Decides about a code of the token as it was typed: confirms a pending registration, logs in, or
 * lets a replacement take over, at most once a step. A wrong one is counted.
 *
 * Duties of the caller:
 * `length` bytes can be read at `typed`.
 */
keyfob_status_t keyfob_propose_authenticate(keyfob_proposal_t *proposal,
                                            const keyfob_record_t *record,
                                            const char *typed,
                                            size_t length,
                                            const keyfob_context_t *context);

/**
 * Decides about a new token for an active registration, for a person with a proof of the last five
 * minutes. The old token works until the new one's first code.
 *
 * Duties of the caller:
 * The function of `entropy` is as that says.
 */
keyfob_status_t keyfob_propose_replace(keyfob_proposal_t *proposal,
                                       const keyfob_record_t *record,
                                       const keyfob_proof_t *proof,
                                       const keyfob_params_t *params,
                                       const keyfob_context_t *context,
                                       const keyfob_entropy_t *entropy);

/**
 * Decides about a token that another system registered: it is active at once, with its recovery
 * codes or new ones.
 *
 * Duties of the caller:
 * What `migration` says of its recovery codes is so, and the function of `entropy` is as that says.
 */
keyfob_status_t keyfob_propose_migrate(keyfob_proposal_t *proposal,
                                       const keyfob_record_t *record,
                                       const keyfob_migration_t *migration,
                                       const keyfob_context_t *context,
                                       const keyfob_entropy_t *entropy);

/**
 * Decides about a recovery code as it was typed, in any case, with or without spaces and hyphens.
 * Wrong ones have a throttle of their own. Needs the feature `sha2`.
 *
 * Duties of the caller:
 * `length` bytes can be read at `typed`.
 */
keyfob_status_t keyfob_propose_recover(keyfob_proposal_t *proposal,
                                       const keyfob_record_t *record,
                                       const char *typed,
                                       size_t length,
                                       const keyfob_context_t *context);

/**
 * Decides about a recovery code whose attempt is counted: `keyfob_settle_recovery` said
 * `KEYFOB_COUNTED` of this proposal, which has the code. Load the record anew for it. Here the slow
 * hash is computed. After a conflict begin again with `keyfob_propose_recover`. Needs the feature
 * `sha2`.
 */
keyfob_status_t keyfob_propose_finish_recovery(keyfob_proposal_t *proposal,
                                               const keyfob_record_t *record,
                                               const keyfob_context_t *context);

/**
 * Decides about new recovery codes, for a person who has just logged in: the old ones stop working
 * when they are stored. Needs the feature `sha2`.
 *
 * Duties of the caller:
 * The function of `entropy` is as that says.
 */
keyfob_status_t keyfob_propose_recovery_codes(keyfob_proposal_t *proposal,
                                              const keyfob_record_t *record,
                                              const keyfob_context_t *context,
                                              const keyfob_entropy_t *entropy);

/**
 * Decides about two consecutive codes of a token whose clock or counter went astray, and burns
 * both. It is no log-in: let the person log in with the next code.
 *
 * Duties of the caller:
 * So many bytes can be read at `first` and `second`.
 */
keyfob_status_t keyfob_propose_resync(keyfob_proposal_t *proposal,
                                      const keyfob_record_t *record,
                                      const char *first,
                                      size_t first_length,
                                      const char *second,
                                      size_t second_length,
                                      const keyfob_context_t *context);

/**
 * Decides about forgetting all failures, so that a locked or disabled registration takes codes
 * again.
 */
keyfob_status_t keyfob_propose_unlock(keyfob_proposal_t *proposal,
                                      const keyfob_record_t *record);

/**
 * Decides about setting how many steps the token's clock is ahead of ours.
 */
keyfob_status_t keyfob_propose_drift(keyfob_proposal_t *proposal,
                                     const keyfob_record_t *record,
                                     int16_t steps);

/**
 * Decides about refusing every code up to now, for each registration after a restore from a backup
 * or a failover that may have lost writes. Used recovery codes are good again then: make new ones.
 */
keyfob_status_t keyfob_propose_fence(keyfob_proposal_t *proposal,
                                     const keyfob_record_t *record,
                                     const keyfob_context_t *context);

/**
 * Decides about forgetting that steps of the future are burned: for a time-based token that was used
 * while a clock was ahead, so that its right codes are `KEYFOB_TOO_EARLY` now. A code that was accepted
 * then is accepted once more when its time comes: call it only for somebody who has shown otherwise
 * who they are.
 */
keyfob_status_t keyfob_propose_forget_future_steps(keyfob_proposal_t *proposal,
                                                   const keyfob_record_t *record,
                                                   const keyfob_context_t *context);

/**
 * Decides about deleting a registration, a damaged one included. The person then logs in without
 * this factor: ask for a fresh log-in or an operator.
 */
keyfob_status_t keyfob_propose_delete(keyfob_proposal_t *proposal,
                                      const keyfob_record_t *record);

/**
 * Tells what can be told of a record's registration. Nothing is written.
 */
keyfob_status_t keyfob_record_status(const keyfob_record_t *record,
                                     const keyfob_context_t *context,
                                     keyfob_registration_t *registration);

/**
 * Hands a token out, with its secret and what it has used up, for another system to take over.
 * Delete the registration once it did. Nothing is written.
 */
keyfob_status_t keyfob_record_export(const keyfob_record_t *record,
                                     uint64_t now,
                                     keyfob_migration_t *migration);

/**
 * Gives the answer of `keyfob_propose_create` or `keyfob_propose_replace`, and wipes the proposal.
 *
 * `swap` is a `keyfob_swap_t`: what became of the write, or `KEYFOB_SWAP_STORED` where there was
 * none. On anything but `KEYFOB_SWAP_STORED` the answer that hung on the write is lost.
 */
keyfob_status_t keyfob_settle_enrollment(keyfob_proposal_t *proposal,
                                         uint32_t swap,
                                         keyfob_enrollment_t *enrollment);

/**
 * Gives the answer of `keyfob_propose_authenticate`, as `keyfob_settle_enrollment` does.
 */
keyfob_status_t keyfob_settle_authentication(keyfob_proposal_t *proposal,
                                             uint32_t swap,
                                             keyfob_authentication_t *authentication);

/**
 * Gives the answer of `keyfob_propose_migrate`, as `keyfob_settle_enrollment` does.
 */
keyfob_status_t keyfob_settle_migration(keyfob_proposal_t *proposal,
                                        uint32_t swap,
                                        keyfob_migrated_t *migrated);

/**
 * Gives the answer of `keyfob_propose_recover` or `keyfob_propose_finish_recovery`, as
 * `keyfob_settle_enrollment` does. On `KEYFOB_COUNTED` the proposal has the code still: give it to
 * `keyfob_propose_finish_recovery`.
 */
keyfob_status_t keyfob_settle_recovery(keyfob_proposal_t *proposal,
                                       uint32_t swap,
                                       keyfob_recovery_t *recovery);

/**
 * Gives the answer of `keyfob_propose_recovery_codes`, as `keyfob_settle_enrollment` does.
 */
keyfob_status_t keyfob_settle_recovery_codes(keyfob_proposal_t *proposal,
                                             uint32_t swap,
                                             keyfob_recovery_codes_t *codes);

/**
 * Gives the answer of `keyfob_propose_resync`, as `keyfob_settle_enrollment` does.
 */
keyfob_status_t keyfob_settle_resync(keyfob_proposal_t *proposal,
                                     uint32_t swap,
                                     keyfob_resync_t *resync);

/**
 * Gives the answer of a proposal to unlock, fence, delete or set the drift, as
 * `keyfob_settle_enrollment` does: there is nothing but a status.
 */
keyfob_status_t keyfob_settle_change(keyfob_proposal_t *proposal,
                                     uint32_t swap);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* KEYFOB_H */
