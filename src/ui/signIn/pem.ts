import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { messageOf, UserError } from '../../model/errors.ts';

export type PemKind = 'certificate authority' | 'client certificate' | 'client key';

/**
 * PEM text from what a person gave: the text itself, also where a single-line input has joined its lines, or the path of
 * a file. Throws a UserError that never quotes what was given as a key.
 */
export async function pemFrom(given: string, kind: PemKind): Promise<string> {
  const isText = given.includes('-----BEGIN ');
  const text = isText ? given : await fileText(given.trim(), kind);
  const source = isText ? `The ${kind}` : `The ${kind} in ${given.trim()}`;
  const blocks = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g)];
  const wanted = kind === 'client key' ? /PRIVATE KEY$/ : /^(?:TRUSTED |X509 )?CERTIFICATE$/;
  const found = blocks.filter(([, label = '']) => wanted.test(label));
  if (found.length === 0) {
    const word = kind === 'client key' ? 'PRIVATE KEY' : 'CERTIFICATE';
    throw refused(`${source} is not PEM text: it has no “-----BEGIN ${word}-----” block.`);
  }
  const pem = found.map(([, label = '', body = '']) => block(label, body)).join('');
  try {
    if (kind === 'client key') createPrivateKey(pem);
    else for (const [, label = '', body = ''] of found) new X509Certificate(block(label, body));
  } catch {
    throw refused(
      text.includes('ENCRYPTED')
        ? `${source} is protected by a passphrase, which is not supported. Use a key without one.`
        : `${source} cannot be used: its PEM text is damaged.`,
    );
  }
  return pem;
}

/** Throws a UserError where a certificate and a key are not a pair. */
export function requirePair(certificate: string, key: string): void {
  if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)))
    throw refused('The client key does not belong to the client certificate.');
}

/** Lines as PEM has them: some headers stand before a blank line, and belong to encrypted keys only. */
function block(label: string, body: string): string {
  const base64 = body.replaceAll(/\\n|\s/g, '');
  const lines = /^[A-Za-z0-9+/=]*$/.test(base64) ? (base64.match(/.{1,64}/g) ?? []).join('\n') : body.trim();
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

async function fileText(path: string, kind: PemKind): Promise<string> {
  const whole = path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
  if (!isAbsolute(whole)) throw refused(`The ${kind} is neither PEM text nor the absolute path of a file.`);
  try {
    return await readFile(whole, 'utf8');
  } catch (error) {
    throw refused(`The ${kind} could not be read: ${messageOf(error)}.`);
  }
}

function refused(message: string): UserError {
  return new UserError('invalid-input', `${message} Nothing was changed.`);
}
