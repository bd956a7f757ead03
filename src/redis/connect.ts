import { Redis, type RedisOptions } from 'ioredis';
import { formatAddress } from '../model/clusterRef.ts';
import { LateAnswer, messageOf, SignInRejected, TlsRequired, UserError } from '../model/errors.ts';
import { serverText } from '../model/serverText.ts';
import { firstWords } from './firstWords.ts';
import type { Argument, Credentials, Endpoint, NodeConnection } from './nodeConnection.ts';
import { speaksPlain } from './speaksPlain.ts';
import { speaksTls } from './speaksTls.ts';
import { tlsError, tlsOptions, withoutTls } from './tlsOptions.ts';

export interface ConnectTimes {
  readonly connectTimeoutMs: number;
  /** How long one command may take before its server counts as not answering. */
  readonly commandTimeoutMs: number;
  /** A server that sends more in reply to what was sent in one write is cut off; what keys may take where absent. */
  readonly mostReplyBytes?: number;
}

/** More than a key that may be compared with its copy takes, and less than what a Buffer or a string can hold. */
const mostBytes = 400 * 1024 * 1024;

/**
 * Opens and signs in one connection. It never reconnects and never sends a command twice: what a lost connection
 * left undone is for the caller to find out, since a repeated SETSLOT, FAILOVER or MIGRATE is another command.
 * Throws UserError `unreachable`, `sign-in-needed` where the server wants another password, or `tls` where it expects
 * TLS, its certificate is not trusted or it wants one of ours.
 */
export async function connectNode(
  endpoint: Endpoint,
  credentials: Credentials,
  times: ConnectTimes,
): Promise<NodeConnection> {
  const name = 'path' in endpoint ? (endpoint.name ?? 'the forwarded server') : formatAddress(endpoint);
  const redis = new Redis(optionsFor(endpoint, credentials, times));
  let lastError: unknown;
  redis.on('error', (error) => {
    lastError = error;
  });
  const received = limitReplies(redis, name, times.mostReplyBytes ?? mostBytes);
  const connection = nodeConnection(redis, name, received);
  try {
    await redis.connect().catch((error: unknown) => {
      throw unreachable(name, lastError ?? error);
    });
    await signIn(connection, credentials);
  } catch (error) {
    connection.close();
    // A server that wants a client certificate says so after the connection stands.
    const problem = tlsError(name, lastError) ?? error;
    if (!(problem instanceof UserError) || hasRefused(lastError)) throw problem;
    throw await explainSilence(problem, endpoint, credentials, name);
  }
  return connection;
}

/**
 * A server that hangs up does not always say why in time: one that expects TLS says nothing to plain text, one that does
 * not waits for more of a TLS greeting, and what one says that takes no more clients is lost where it comes before the
 * first command.
 */
async function explainSilence(
  error: UserError,
  endpoint: Endpoint,
  { tls }: Credentials,
  name: string,
): Promise<UserError> {
  if (error.reason !== 'unreachable') return error;
  if (error instanceof LateAnswer)
    return tls !== undefined && (await speaksPlain(endpoint)) ? withoutTls(name, error) : error;
  const [words, isTls] = await Promise.all([
    firstWords(endpoint, tls),
    tls === undefined ? speaksTls(endpoint) : false,
  ]);
  if (words !== undefined) return refused(name, words);
  return isTls ? new TlsRequired(name, { cause: error }) : error;
}

/** RESP2, so that replies have one shape on every server; signing in is done by hand, so that its errors are ours. */
function optionsFor(
  endpoint: Endpoint,
  { tls }: Credentials,
  { connectTimeoutMs, commandTimeoutMs }: ConnectTimes,
) {
  return {
    ...endpoint,
    ...(tls === undefined ? {} : { tls: tlsOptions(endpoint, tls) }),
    lazyConnect: true,
    protocol: 2,
    disableClientInfo: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    retryStrategy: null,
    connectTimeout: connectTimeoutMs,
    commandTimeout: commandTimeoutMs,
  } satisfies RedisOptions;
}

async function signIn(connection: NodeConnection, credentials: Credentials): Promise<void> {
  const { previousPassword, ...present } = credentials;
  try {
    await signInWith(connection, present);
  } catch (error) {
    const isRefused = error instanceof UserError && error.reason === 'sign-in-needed';
    if (!isRefused || previousPassword === undefined) throw error;
    await signInWith(connection, { ...present, password: previousPassword });
  }
}

/** PING is there to be told NOAUTH now; a server that is loading or forbids PING is signed in to all the same. */
async function signInWith(connection: NodeConnection, { username, password }: Credentials): Promise<void> {
  const user = username === undefined ? [] : [username];
  const auth = password === undefined && user.length === 0 ? [] : [['AUTH', ...user, password ?? '']];
  const replies = await connection.pipeline([...auth, ['PING']]);
  const refusal = replies.find((reply) => reply instanceof UserError);
  if (refusal !== undefined) throw refusal;
}

/** Counts what a server sends while replies are awaited. */
interface Received {
  /** Begins to wait for the reply to a command; the function that is returned ends that. */
  readonly await: (command: string) => () => void;
  /** Why the connection was cut; undefined where it was not. */
  readonly excess: () => UserError | undefined;
}

/** A server is not trusted to end what it sends: the reply is held in memory until it is whole. */
function limitReplies(redis: Redis, name: string, most: number): Received {
  let bytes = 0;
  let excess: UserError | undefined;
  const awaited = new Map<symbol, string>();
  redis.on('connect', () => {
    redis.stream.on('data', (data: Buffer) => {
      bytes += data.length;
      if (bytes <= most || excess !== undefined) return;
      const [command] = awaited.values();
      excess = new UserError(
        'unreachable',
        `Redis at ${name} sent more than ${Math.round(most / 1024 / 1024)} MiB${command === undefined ? '' : ` in reply to ${command}`}. The connection was closed.`,
      );
      redis.stream.destroy();
      redis.disconnect();
    });
  });
  return {
    excess: () => excess,
    await: (command) => {
      const key = Symbol(command);
      if (awaited.size === 0) bytes = 0;
      awaited.set(key, command);
      return () => {
        awaited.delete(key);
        bytes = 0;
      };
    },
  };
}

function nodeConnection(redis: Redis, name: string, received: Received): NodeConnection {
  const single = async (command: readonly Argument[], send: () => Promise<unknown>): Promise<unknown> => {
    const answered = received.await(commandName(command));
    try {
      return await send();
    } catch (error) {
      throw received.excess() ?? plainError(name, error);
    } finally {
      answered();
    }
  };
  const many = async (commands: readonly (readonly Argument[])[], asBytes: boolean): Promise<unknown[]> => {
    if (commands.length === 0) return [];
    const pipeline = redis.pipeline();
    for (const [verb, ...rest] of commands) {
      if (asBytes) pipeline.callBuffer(String(verb), ...rest);
      else pipeline.call(String(verb), ...rest);
    }
    const replies = (await single(commands[0] ?? [], () => pipeline.exec())) as readonly (readonly [
      unknown,
      unknown,
    ])[];
    const excess = received.excess();
    if (excess !== undefined) throw excess;
    return replies.map(([error, reply]) => {
      if (error === null || error === undefined) return reply;
      const plain = plainError(name, error);
      if (plain instanceof UserError && plain.reason === 'unreachable') throw plain;
      return plain;
    });
  };
  return {
    call: (verb, ...rest) => single([verb, ...rest], () => redis.call(String(verb), ...rest)),
    callBuffer: (verb, ...rest) => single([verb, ...rest], () => redis.callBuffer(String(verb), ...rest)),
    pipeline: (commands) => many(commands, false),
    pipelineBuffer: (commands) => many(commands, true),
    takeOver: () => {
      const { stream } = redis;
      stream.pause();
      stream.removeAllListeners('data');
      return stream;
    },
    close: () => {
      redis.disconnect();
    },
  };
}

/** `CLUSTER NODES`, `AUTH`: never an argument, which can be a password or a key. */
function commandName([verb, sub]: readonly Argument[]): string {
  const isContainer = /^(?:CLUSTER|CONFIG|FUNCTION|ACL|MEMORY)$/.test(String(verb));
  return isContainer ? `${String(verb)} ${String(sub)}` : String(verb);
}

/** ioredis hangs the whole command on its errors, passwords included, so none of them leaves this file. */
function plainError(name: string, error: unknown): Error {
  const message = messageOf(error);
  if (!(error instanceof Error) || error.name !== 'ReplyError') return unreachable(name, error);
  if (/^(?:WRONGPASS|NOAUTH)\b/.test(message)) {
    return message.startsWith('NOAUTH')
      ? new UserError('sign-in-needed', `Redis at ${name} requires a password.`)
      : new SignInRejected(name);
  }
  if (/^(?:ERR max number of clients|DENIED)\b/.test(message)) return refused(name, message);
  // A server quotes what it was sent with a command that it does not know: of AUTH and MIGRATE, a password.
  return new Error(serverText(message.replace(/, with args beginning with:.*/s, '')));
}

function unreachable(name: string, error: unknown): UserError {
  const [message] = messageOf(error).split('\n');
  const ofTls = tlsError(name, error);
  if (ofTls !== undefined) return ofTls;
  const text = `Redis at ${name} did not answer: ${serverText(message ?? 'connection lost')}`;
  return /ETIMEDOUT|timed out/i.test(text) ? new LateAnswer(text) : new UserError('unreachable', text);
}

/** What a server says that hangs up right away, in its own words. */
function refused(name: string, words: string): UserError {
  return new UserError('unreachable', `Redis at ${name} refused the connection: ${serverText(words)}`);
}

/** Nothing listens there, or nothing leads there: no second try would say more. */
function hasRefused(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return ['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN', 'ENOENT'].includes(
    String(code),
  );
}
