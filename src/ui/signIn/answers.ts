import { UserError } from '../../model/errors.ts';
import type { Credentials, TlsTrust } from '../../redis/nodeConnection.ts';
import { textAnswer, type Answers } from '../questions/target.ts';
import { pemFrom, requirePair } from './pem.ts';

/** Whether an argument says what to sign in with. */
export function saysCredentials(answers: Answers): boolean {
  return ['username', 'password', 'tls'].some((field) => answers[field] !== undefined);
}

/** Credentials from a command's argument. Throws a UserError that names the field that is wrong. */
export async function credentialsIn(answers: Answers): Promise<Credentials> {
  const username = textAnswer(answers, 'username');
  const password = textAnswer(answers, 'password');
  const { tls } = answers;
  if (tls !== undefined && (typeof tls !== 'object' || tls === null || Array.isArray(tls)))
    throw new UserError('invalid-input', `"tls" must be an object. Nothing was changed.`);
  return credentialsFrom({
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls: tlsGiven(tls as Answers) }),
  });
}

/** Replaces paths by what the files hold, and leaves out what is empty. Throws a UserError that says what is wrong. */
export async function credentialsFrom({
  username = '',
  password = '',
  tls,
}: Credentials): Promise<Credentials> {
  return {
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    ...(tls === undefined ? {} : { tls: await trustFrom(tls) }),
  };
}

function tlsGiven(tls: Answers): TlsTrust {
  const fields = ['ca', 'cert', 'key', 'serverName'] as const;
  const other = Object.keys(tls).find((field) => !fields.some((known) => known === field));
  if (other !== undefined)
    throw new UserError(
      'invalid-input',
      `"tls" has no field "${other}". Its fields are ${fields.join(', ')}. Nothing was changed.`,
    );
  const given: { -readonly [Field in keyof TlsTrust]: TlsTrust[Field] } = {};
  for (const field of fields) {
    const value = textAnswer(tls, field);
    if (value !== undefined) given[field] = value;
  }
  return given;
}

async function trustFrom({ ca = '', cert = '', key = '', serverName }: TlsTrust): Promise<TlsTrust> {
  if ((cert === '') !== (key === ''))
    throw new UserError(
      'invalid-input',
      'A client certificate and its key belong together: give both or none. Nothing was changed.',
    );
  const own =
    cert === ''
      ? {}
      : { cert: await pemFrom(cert, 'client certificate'), key: await pemFrom(key, 'client key') };
  if (own.cert !== undefined) requirePair(own.cert, own.key);
  return {
    ...(ca === '' ? {} : { ca: await pemFrom(ca, 'certificate authority') }),
    ...own,
    ...(serverName === undefined ? {} : { serverName }),
  };
}
