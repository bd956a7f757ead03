import { createHash } from 'node:crypto';
import { messageOf } from '../../model/errors.ts';
import type { NodeConnection } from '../../redis/nodeConnection.ts';
import { refusal } from '../servers/nodes.ts';
import { operatorCommands, operatorRules } from './rules.ts';

/** What a server knows of a user. */
export interface KnownUser {
  /** `#` and the SHA-256 of each password. */
  readonly hashes: readonly string[];
  readonly rules: ReadonlySet<string>;
}

/** As ACL rules and ACL GETUSER have passwords; it cannot be used to sign in. */
export function hashOf(password: string): string {
  return `#${createHash('sha256').update(password).digest('hex')}`;
}

/** Undefined where there is no such user. Throws a UserError `forbidden` where the server does not say. */
export async function readUser(
  connection: NodeConnection,
  where: string,
  user: string,
): Promise<KnownUser | undefined> {
  const reply = await asAdmin(where, 'ACL GETUSER', () => connection.call('ACL', 'GETUSER', user));
  if (!Array.isArray(reply)) return undefined;
  const parts = new Map<string, unknown>();
  for (let at = 0; at + 1 < reply.length; at += 2) parts.set(String(reply[at]), reply[at + 1]);
  const words = (name: string): readonly string[] => {
    const part = parts.get(name);
    const texts = Array.isArray(part) ? part.map(String) : (typeof part === 'string' ? part : '').split(' ');
    return texts.filter((text) => text !== '');
  };
  const switches = words('flags').filter((flag) => ['on', 'off', 'nopass'].includes(flag));
  return {
    hashes: words('passwords').map((hash) => (hash.startsWith('#') ? hash : `#${hash}`)),
    rules: new Set([
      ...switches,
      ...words('commands'),
      ...words('keys'),
      ...words('channels'),
      ...words('selectors'),
    ]),
  };
}

/** The rules of the user that this server can have: one that does not know a command refuses the whole user. */
export async function rulesFor(connection: NodeConnection, where: string): Promise<readonly string[]> {
  const reply = await connection.call('COMMAND', 'INFO', ...operatorCommands);
  const entries = Array.isArray(reply) ? reply : [];
  const known = operatorCommands.filter((_, index) => Array.isArray(entries[index]));
  if (known.includes('cluster|nodes')) return operatorRules(known);
  throw refusal(
    'invalid-input',
    `${where} runs a version without rules for subcommands. Redis 7.0 or later is required.`,
  );
}

/** Whether a user may do what these rules say and nothing else, with this password alone. */
export function isUser({ hashes, rules }: KnownUser, wanted: readonly string[], hash: string): boolean {
  return (
    hashes.length === 1 &&
    hashes[0] === hash &&
    grantsNoMore({ hashes, rules }, wanted) &&
    wanted.every((rule) => rule === 'resetchannels' || rules.has(rule))
  );
}

/** Whether a user may do nothing that these rules do not grant: such as one that this product made before. */
export function grantsNoMore({ rules }: KnownUser, wanted: readonly string[]): boolean {
  return [...rules].every((rule) => rule === 'off' || rule.startsWith('-') || wanted.includes(rule));
}

/** Creates the user or makes it this one, and saves it where the server keeps its users in a file. */
export async function writeUser(
  connection: NodeConnection,
  where: string,
  user: string,
  rules: readonly string[],
  hash: string,
): Promise<void> {
  await asAdmin(where, 'ACL SETUSER', () => connection.call('ACL', 'SETUSER', user, 'reset', ...rules, hash));
  if (await keepsUsers(connection)) await asAdmin(where, 'ACL SAVE', () => connection.call('ACL', 'SAVE'));
}

/** Whether the server reads its users from a file of its own when it starts. */
export async function keepsUsers(connection: NodeConnection): Promise<boolean> {
  const reply = await connection.call('CONFIG', 'GET', 'aclfile').catch(() => []);
  return Array.isArray(reply) && String(reply[1] ?? '') !== '';
}

async function asAdmin<T>(where: string, command: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!messageOf(error).startsWith('NOPERM')) throw error;
    throw refusal(
      'forbidden',
      `The user that is signed in may not run ${command} on ${where}, which creating a user requires. Use “Sign In…” with one that may.`,
    );
  }
}
