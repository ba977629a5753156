"""keyfob's C library in Python, as far as the race needs it. The header says what each thing is."""

import ctypes
from ctypes import POINTER, c_char, c_int, c_int8, c_size_t, c_uint8, c_uint16, c_uint32, c_uint64, c_void_p

OK, REPLAYED = 0, 2
LOAD_FOUND, LOAD_NOTHING = 1, 2
SWAP_STORED, SWAP_CONFLICT = 1, 2
WRITE_INSERT, WRITE_REPLACE, WRITE_DELETE = 1, 2, 3


def structure(name, **fields):
    return type(name, (ctypes.Structure,), {"_fields_": list(fields.items())})


Secret = structure("Secret", length=c_uint8, bytes=c_uint8 * 128)
Params = structure(
    "Params", kind=c_uint32, algorithm=c_uint32, format=c_uint32, period_seconds=c_uint32, epoch=c_uint64
)
Code = structure("Code", text=c_char * 9)
Record = structure("Record", revision=c_uint64, length=c_uint32, bytes=c_uint8 * 704)
Write = structure(
    "Write", kind=c_uint32, has_recovery_codes=c_uint32, expected_revision=c_uint64, lapses_at=c_uint64, next=Record
)
Policy = structure(
    "Policy",
    windows=c_uint8 * 4,
    free_failures=c_uint8,
    disabled_at=c_uint8,
    pending_minutes=c_uint16,
    first_wait_seconds=c_uint32,
    longest_wait_seconds=c_uint32,
    resync_steps=c_uint16,
    drift_steps=c_uint8,
    recovery_codes=c_uint8,
    recovery_format=c_uint32,
    pbkdf2_iterations=c_uint32,
    legacy_secrets=c_uint32,
)
Context = structure("Context", now=c_uint64, policy=Policy, has_pepper=c_uint32, pepper=c_uint8 * 32)
RecoveryCodes = structure("RecoveryCodes", count=c_uint32, codes=c_char * 30 * 16)
Enrollment = structure(
    "Enrollment",
    registration_id=c_uint8 * 16,
    pending_until=c_uint64,
    secret=Secret,
    params=Params,
    recovery_codes=RecoveryCodes,
)
Authentication = structure(
    "Authentication",
    locked_until=c_uint64,
    wait_seconds=c_uint64,
    step=c_uint64,
    registration_id=c_uint8 * 16,
    proof=c_uint8 * 24,
    offset=c_int8,
    activated=c_uint8,
    replaced=c_uint8,
    failures=c_uint8,
)
Load = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, POINTER(Record))
CompareAndSwap = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, POINTER(Write))
Store = structure("Store", context=c_void_p, load=Load, compare_and_swap=CompareAndSwap)
Entropy = structure("Entropy", context=c_void_p, fill=c_void_p)


class Keyfob:
    """The library, and one person's registration in a store."""

    def __init__(self, path, load, compare_and_swap, person):
        self.id = ctypes.create_string_buffer(person.encode())
        self.library = ctypes.CDLL(path)
        self.library.keyfob_policy_default.restype = Policy
        self.library.keyfob_params_default.restype = Params
        self.library.keyfob_status_text.restype = ctypes.c_char_p
        fill = ctypes.cast(self.library.keyfob_system_entropy, c_void_p)
        self.entropy = Entropy(None, fill)
        self.store = Store(None, Load(load), CompareAndSwap(compare_and_swap))
        self.params = self.library.keyfob_params_default()

    def context(self, now):
        return Context(now, self.library.keyfob_policy_default())

    def create(self, now):
        enrollment = Enrollment()
        self.require(
            self.library.keyfob_create(
                ctypes.byref(self.store),
                self.id,
                ctypes.byref(self.params),
                ctypes.byref(self.context(now)),
                ctypes.byref(self.entropy),
                ctypes.byref(enrollment),
            )
        )
        return enrollment.secret

    def code(self, secret, now):
        code = Code()
        arguments = ctypes.byref(secret), ctypes.byref(self.params), c_uint64(now), ctypes.byref(code)
        self.require(self.library.keyfob_totp_code(*arguments))
        return code.text

    def authenticate(self, typed, now):
        return self.library.keyfob_authenticate(
            ctypes.byref(self.store),
            self.id,
            typed,
            c_size_t(len(typed)),
            ctypes.byref(self.context(now)),
            ctypes.byref(Authentication()),
        )

    def delete(self):
        self.require(self.library.keyfob_delete(ctypes.byref(self.store), self.id))

    def require(self, status):
        if status != OK:
            raise RuntimeError(self.library.keyfob_status_text(status).decode())
