"""Encrypts the plain seeds of the importers beside this file, as each app would but at a low cost.

Salts and nonces are fixed, so that it makes the same files again:
`pip install cryptography && python3 seal.py`.
"""

import base64
import hashlib
import hmac
import json
import pathlib
import struct

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

SEEDS = pathlib.Path(__file__).resolve().parent
PASSWORD, SHARED_KEY = b"test", bytes.fromhex("12345678901234567890123456789012")
SALT, NONCE, OTHER_KEY = bytes(range(32)), bytes(range(100, 112)), bytes(range(200, 232))
WITH_PASSWORD, WITH_KEY = b"1", b"2"


def plain(name):
    """A plain seed without its first byte, which says what opens it."""
    return (SEEDS / name).read_bytes()[1:]


def write(name, opened_by, content):
    content = content if isinstance(content, bytes) else content.encode()
    (SEEDS / name).write_bytes(opened_by + content)


def as_base64(data):
    return base64.b64encode(data).decode()


def as_json(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def detached(key, text):
    """AES-256-GCM's ciphertext, and what Aegis keeps apart from it."""
    sealed = AESGCM(key).encrypt(NONCE, text, None)
    return sealed[:-16], {"nonce": NONCE.hex(), "tag": sealed[-16:].hex()}


def aegis():
    cost = {"n": 16, "r": 8, "p": 1}
    own = hashlib.scrypt(PASSWORD, salt=SALT, dklen=32, **cost)
    key, key_params = detached(own, OTHER_KEY)
    slot = {"type": 1, "key": key.hex(), "key_params": key_params, "salt": SALT.hex(), **cost}
    file = json.loads(plain("import_aegis/plain"))
    database, params = detached(OTHER_KEY, as_json(file["db"]).encode())
    file |= {"header": {"slots": [slot], "params": params}, "db": as_base64(database)}
    write("import_aegis/encrypted", WITH_PASSWORD, as_json(file))


def two_fas():
    key = hashlib.pbkdf2_hmac("sha256", PASSWORD, SALT, 10_000)

    def seal(text):
        return ":".join(map(as_base64, (AESGCM(key).encrypt(NONCE, text, None), SALT, NONCE)))

    file = json.loads(plain("import_two_fas/plain"))
    services = as_json(file["services"]).encode()
    file |= {"services": [], "servicesEncrypted": seal(services), "reference": seal(b"known")}
    write("import_two_fas/encrypted", WITH_PASSWORD, as_json(file))


def and_otp():
    text, salt, iterations = plain("import_and_otp/plain"), SALT[:12], 1_000
    key = hashlib.pbkdf2_hmac("sha1", PASSWORD, salt, iterations, 32)
    head = struct.pack(">I", iterations) + salt + NONCE
    write("import_and_otp/encrypted", WITH_PASSWORD, head + AESGCM(key).encrypt(NONCE, text, None))
    oldest = AESGCM(hashlib.sha256(PASSWORD).digest())
    text = plain("import_and_otp/first_plain")
    write("import_and_otp/first_encrypted", WITH_PASSWORD, NONCE + oldest.encrypt(NONCE, text, None))


def cbc(key, text):
    vector, padder = SALT[:16], padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    text = padder.update(text) + padder.finalize()
    return vector + encryptor.update(text) + encryptor.finalize()


def encrypted_value(uri, data):
    return (
        f'<xenc:EncryptionMethod Algorithm="{uri}"/>'
        f"<xenc:CipherData><xenc:CipherValue>{as_base64(data)}</xenc:CipherValue></xenc:CipherData>"
    )


def pskc(key_element, key, counter):
    cipher = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"
    mac_key = OTHER_KEY[:20]
    sealed = cbc(key, b"12345678901234567890")
    mac = as_base64(hmac.digest(mac_key, sealed, "sha1"))
    return (
        '<KeyContainer Version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc"'
        ' xmlns:xenc="http://www.w3.org/2001/04/xmlenc#">'
        f"<EncryptionKey>{key_element}</EncryptionKey>"
        '<MACMethod Algorithm="http://www.w3.org/2000/09/xmldsig#hmac-sha1">'
        f"<MACKey>{encrypted_value(cipher, cbc(key, mac_key))}</MACKey></MACMethod>"
        "<KeyPackage><DeviceInfo><SerialNo>3000003</SerialNo></DeviceInfo>"
        '<Key Id="a4" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:hotp"><Data><Secret>'
        f"<EncryptedValue>{encrypted_value(cipher, sealed)}</EncryptedValue>"
        f"<ValueMAC>{mac}</ValueMAC></Secret>"
        f"<Counter>{counter}</Counter></Data></Key></KeyPackage></KeyContainer>"
    )


def pskc_files():
    plain_counter = "<PlainValue>41</PlainValue>"
    shared = '<ds:KeyName xmlns:ds="http://www.w3.org/2000/09/xmldsig#">Shared</ds:KeyName>'
    write("import_pskc/pre_shared_key", WITH_KEY, pskc(shared, SHARED_KEY, plain_counter))
    derived = (
        "<DerivedKey><KeyDerivationMethod"
        ' Algorithm="http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#pbkdf2">'
        f"<PBKDF2-params><Salt><Specified>{as_base64(SALT)}</Specified></Salt>"
        "<IterationCount>10</IterationCount><KeyLength>16</KeyLength></PBKDF2-params>"
        "</KeyDerivationMethod></DerivedKey>"
    )
    key = hashlib.pbkdf2_hmac("sha1", PASSWORD, SALT, 10, 16)
    write("import_pskc/password", WITH_PASSWORD, pskc(derived, key, plain_counter))
    wrapped = (SEEDS / "import_pskc/pre_shared_key").read_bytes()[1:].decode()
    start, end = wrapped.index("<EncryptedValue>"), wrapped.index("</Secret>")
    # Key wrap has whole blocks of eight bytes, and needs no MAC.
    value = aes_key_wrap(SHARED_KEY, b"123456789012345678901234")
    uri = "http://www.w3.org/2001/04/xmlenc#kw-aes128"
    value = f"<EncryptedValue>{encrypted_value(uri, value)}</EncryptedValue>"
    write("import_pskc/key_wrap", WITH_KEY, wrapped[:start] + value + wrapped[end:])


aegis()
two_fas()
and_otp()
pskc_files()
