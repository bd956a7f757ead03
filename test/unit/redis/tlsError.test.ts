import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tlsError } from '../../../src/redis/tlsOptions.ts';

const failed = (code: string, message: string): string | undefined =>
  tlsError('10.0.0.1:6379', Object.assign(new Error(message), { code }))?.message;

test('failures of TLS say what is wrong, without what OpenSSL puts around it', () => {
  const alert = (words: string): string =>
    `404D0EEA927F0000:error:0A000418:SSL routines:ssl3_read_bytes:${words}:../deps/openssl/ssl/record.c:918:SSL alert number 48`;
  assert.equal(
    failed('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', alert('tlsv1 alert unknown ca')),
    'Redis at 10.0.0.1:6379 rejected the client certificate: unknown ca',
  );
  assert.equal(
    failed('ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', alert('sslv3 alert certificate expired')),
    'Redis at 10.0.0.1:6379 rejected the client certificate: certificate expired',
  );
  assert.equal(
    failed(
      'ERR_OSSL_X509_KEY_VALUES_MISMATCH',
      'error:05800074:x509 certificate routines::key values mismatch',
    ),
    'The certificates or the key for Redis at 10.0.0.1:6379 cannot be used: key values mismatch',
  );
  assert.equal(
    failed('CERT_HAS_EXPIRED', 'certificate has expired'),
    'The TLS certificate of Redis at 10.0.0.1:6379 was rejected: certificate has expired',
  );
  assert.equal(failed('ECONNREFUSED', 'connect ECONNREFUSED'), undefined);
});
