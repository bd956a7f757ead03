import { Redis, type RedisOptions } from 'ioredis';
import { formatAddress } from '../model/clusterRef.ts';
import { LateAnswer, messageOf, UserError } from '../model/errors.ts';
import type { Argument, Credentials, Endpoint, NodeConnection } from './nodeConnection.ts';
import { speaksTls } from './speaksTls.ts';

export interface ConnectTimes {
  readonly connectTimeoutMs: number;
  /** How long one command may take before its server counts as not answering. */
  readonly commandTimeoutMs: number;
}

/**
 * Opens and signs in one connection. It never reconnects and never sends a command twice: what a lost connection
 * left undone is for the caller to find out, since a repeated SETSLOT, FAILOVER or MIGRATE is another command.
 * Throws UserError `unreachable`, `sign-in-needed` where the server wants another password, or `tls` where it expects
 * TLS or its certificate is not trusted.
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
  try {
    await redis.connect();
  } catch (error) {
    redis.disconnect();
    throw unreachable(name, lastError ?? error);
  }
  const connection = nodeConnection(redis, name);
  try {
    await signIn(connection, credentials);
  } catch (error) {
    connection.close();
    throw await explainSilence(error, endpoint, credentials, name);
  }
  return connection;
}

/** A server that expects TLS ends a plain connection at its first command and does not say why. */
async function explainSilence(
  error: unknown,
  endpoint: Endpoint,
  { tls }: Credentials,
  name: string,
): Promise<unknown> {
  const isSilent = error instanceof UserError && error.reason === 'unreachable' && tls === undefined;
  if (!isSilent || !(await speaksTls(endpoint))) return error;
  return new UserError(
    'tls',
    `Redis at ${name} requires TLS, and no certificate authority for it is known.`,
    {
      cause: error,
    },
  );
}

/** RESP2, so that replies have one shape on every server; signing in is done by hand, so that its errors are ours. */
function optionsFor(
  endpoint: Endpoint,
  { tls }: Credentials,
  { connectTimeoutMs, commandTimeoutMs }: ConnectTimes,
) {
  return {
    ...endpoint,
    // As the servers among themselves: whom the cluster's own authority has signed is one of them, under any name.
    ...(tls === undefined ? {} : { tls: { ...tls, checkServerIdentity: () => undefined } }),
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
  const auth =
    password === undefined ? [] : [['AUTH', ...(username === undefined ? [] : [username]), password]];
  const replies = await connection.pipeline([...auth, ['PING']]);
  const refusal = replies.find((reply) => reply instanceof UserError);
  if (refusal !== undefined) throw refusal;
}

function nodeConnection(redis: Redis, name: string): NodeConnection {
  const single = async (reply: Promise<unknown>): Promise<unknown> => {
    try {
      return await reply;
    } catch (error) {
      throw plainError(name, error);
    }
  };
  const many = async (commands: readonly (readonly Argument[])[], asBytes: boolean): Promise<unknown[]> => {
    if (commands.length === 0) return [];
    const pipeline = redis.pipeline();
    for (const [verb, ...rest] of commands) {
      if (asBytes) pipeline.callBuffer(String(verb), ...rest);
      else pipeline.call(String(verb), ...rest);
    }
    const replies = (await single(pipeline.exec())) as readonly (readonly [unknown, unknown])[];
    return replies.map(([error, reply]) => {
      if (error === null || error === undefined) return reply;
      const plain = plainError(name, error);
      if (plain instanceof UserError && plain.reason === 'unreachable') throw plain;
      return plain;
    });
  };
  return {
    call: (verb, ...rest) => single(redis.call(String(verb), ...rest)),
    callBuffer: (verb, ...rest) => single(redis.callBuffer(String(verb), ...rest)),
    pipeline: (commands) => many(commands, false),
    pipelineBuffer: (commands) => many(commands, true),
    close: () => {
      redis.disconnect();
    },
  };
}

/** ioredis hangs the whole command on its errors, passwords included, so none of them leaves this file. */
function plainError(name: string, error: unknown): Error {
  const message = messageOf(error);
  if (!(error instanceof Error) || error.name !== 'ReplyError') return unreachable(name, error);
  if (/^(?:WRONGPASS|NOAUTH)\b/.test(message)) {
    return new UserError(
      'sign-in-needed',
      message.startsWith('NOAUTH')
        ? `Redis at ${name} requires a password.`
        : `Redis at ${name} rejected the user name and password.`,
    );
  }
  return new Error(message);
}

const certificateProblem = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|ERR_TLS|ERR_SSL|EPROTO/;

function unreachable(name: string, error: unknown): UserError {
  const [message] = messageOf(error).split('\n');
  if (error instanceof Error && 'code' in error && certificateProblem.test(String(error.code))) {
    return new UserError('tls', `The TLS certificate of Redis at ${name} was rejected: ${message ?? ''}`);
  }
  const text = `Redis at ${name} did not answer: ${message ?? 'connection lost'}`;
  return /ETIMEDOUT|timed out/i.test(text) ? new LateAnswer(text) : new UserError('unreachable', text);
}
