import { formatAddress } from '../model/clusterRef.ts';
import {
  DeniedCommand,
  LateAnswer,
  messageOf,
  SignInRejected,
  TlsRequired,
  UserError,
} from '../model/errors.ts';
import type { NodeView } from '../model/nodeView.ts';
import type { ReadFailure, ReadFailureReason } from '../model/snapshot.ts';
import type { Credentials, Endpoint, NodeConnection } from '../redis/nodeConnection.ts';
import { pace } from './pace.ts';

/** How to reach one server, and what ends when it is no longer wanted (a port-forward, for one). */
export interface Route {
  readonly endpoint: Endpoint;
  readonly credentials: Credentials;
  /** Through a program in the pod, since port-forward is not allowed. */
  readonly viaExec?: boolean;
  /**
   * Asked where the server has turned out to speak TLS and the credentials say nothing of it: those to try instead, once.
   * Whoever answers remembers it for the other servers of the cluster, so that they are not dialled in plain text.
   */
  readonly overTls?: () => Credentials;
  /** What else is known to sign in with, asked once where the server refuses the credentials. */
  readonly ifRefused?: () => Promise<Credentials>;
  close(): void;
}

/** The part of the Redis adapter that reading needs. */
export interface RedisReading {
  /** For readings: gives up on a slow server soon, so that it is seen to be slow. */
  connectNode(endpoint: Endpoint, credentials: Credentials): Promise<NodeConnection>;
  /** For operations: bears commands as long as a MIGRATE of a big key may take. */
  connectPatiently(endpoint: Endpoint, credentials: Credentials): Promise<NodeConnection>;
  /** `evenPartly`: a server that denies a command of the reading is read without it. */
  readNodeView(connection: NodeConnection, options?: { readonly evenPartly?: boolean }): Promise<NodeView>;
}

/** What is known of one server now. */
export interface Reading {
  readonly view?: NodeView;
  /** Why the last attempt failed, and since when (ms since the epoch) no attempt succeeded. */
  readonly failure?: ReadFailure;
  /** The server answered that it is not in cluster mode: it is no node of any cluster. */
  readonly notClustered?: boolean;
  /** The node id it had when it last answered: what finds its pod while it is down. */
  readonly lastId?: string;
  /** It is reached through a program in its pod, since port-forward is not allowed. */
  readonly viaExec?: boolean;
  /** False until the first attempt has ended. */
  readonly tried: boolean;
}

/** Keeps one connection to one server and asks it for its own view, never twice at a time, backing off while it fails. */
export class NodeReader {
  reading: Reading = { tried: false };
  readonly #redis: RedisReading;
  readonly #open: () => Promise<Route>;
  #route: Route | undefined;
  #connection: NodeConnection | undefined;
  #running: Promise<void> | undefined;
  #failures = 0;
  #notBefore = 0;
  #closed = false;

  constructor(redis: RedisReading, open: () => Promise<Route>) {
    this.#redis = redis;
    this.#open = open;
  }

  /** Ends when the server has answered or failed; never rejects. */
  read(): Promise<void> {
    if (this.#closed || Date.now() < this.#notBefore) return Promise.resolve();
    this.#running ??= this.#attempt().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** As `read`, but the question is put after the call, and whatever the back-off says. */
  async readAfresh(): Promise<void> {
    await this.#running;
    this.retryNow();
    await this.read();
  }

  /** Dials at the next read whatever the back-off says: the API just said that something changed. */
  retryNow(): void {
    this.#notBefore = 0;
  }

  /**
   * A connection over a route of its own, the caller's to close: a reading that gives up on a slow server must not
   * cut an operation off. The server is asked for its node id on this very connection, since by now another one can be
   * at its address. Throws UserError `unsafe` where it is not the expected one, and what dialling throws.
   */
  async dial(expectedId = this.reading.lastId): Promise<NodeConnection> {
    const route = await this.#open();
    try {
      const connection = await connectBy(route, (...to) => this.#redis.connectPatiently(...to));
      try {
        if (expectedId !== undefined) await this.#confirm(connection, expectedId, route);
      } catch (error) {
        connection.close();
        throw error;
      }
      return {
        call: (...command) => connection.call(...command),
        callBuffer: (...command) => connection.callBuffer(...command),
        pipeline: (commands) => connection.pipeline(commands),
        pipelineBuffer: (commands) => connection.pipelineBuffer(commands),
        takeOver: () => connection.takeOver(),
        close: () => {
          connection.close();
          route.close();
        },
      };
    } catch (error) {
      route.close();
      throw error;
    }
  }

  /** An ACL may forbid CLUSTER MYID and allow CLUSTER NODES, which readings need. */
  async #confirm(connection: NodeConnection, expected: string, { endpoint }: Route): Promise<void> {
    const id = await connection.call('CLUSTER', 'MYID').then(String, async (error: unknown) => {
      if (error instanceof UserError) throw error;
      return (await this.#redis.readNodeView(connection, { evenPartly: true })).self.id;
    });
    if (id === expected) return;
    const place = 'path' in endpoint ? (endpoint.name ?? 'the forwarded server') : formatAddress(endpoint);
    throw new UserError(
      'unsafe',
      `Node ${id} now answers at ${place} instead of ${expected}. Nothing was changed there. Refresh and check what runs there before you try again.`,
    );
  }

  /** Signs in again at the next read: what the server is shown has changed. */
  async reconnect(): Promise<void> {
    await this.#running;
    this.#drop();
    this.retryNow();
  }

  close(): void {
    this.#closed = true;
    this.#drop();
  }

  async #attempt(): Promise<void> {
    try {
      const view = await limited(this.#ask(), pace.nodeLimitMs);
      this.#failures = 0;
      const viaExec = this.#route?.viaExec === true ? { viaExec: true } : {};
      this.reading = { tried: true, view, lastId: view.self.id, ...viaExec };
    } catch (error) {
      this.#drop();
      this.#failures += 1;
      const wait = pace.retryFirstMs * 2 ** (this.#failures - 1);
      this.#notBefore = Date.now() + Math.min(wait, pace.retryMostMs);
      this.reading = failed(this.reading, error);
    }
  }

  async #ask(): Promise<NodeView> {
    if (this.#connection === undefined) {
      const route = await this.#openRoute();
      const connection = await connectBy(route, (...to) => this.#redis.connectNode(...to));
      if (this.#closed) {
        connection.close();
        throw new UserError('unreachable', 'The reading was cancelled.');
      }
      this.#connection = connection;
    }
    return this.#redis.readNodeView(this.#connection, { evenPartly: true });
  }

  async #openRoute(): Promise<Route> {
    if (this.#route === undefined) {
      const route = await this.#open();
      if (this.#closed) {
        route.close();
        throw new UserError('unreachable', 'The reading was cancelled.');
      }
      this.#route = route;
    }
    return this.#route;
  }

  #drop(): void {
    this.#connection?.close();
    this.#route?.close();
    this.#connection = undefined;
    this.#route = undefined;
  }
}

type Connect = (endpoint: Endpoint, credentials: Credentials) => Promise<NodeConnection>;

async function connectBy(route: Route, connect: Connect): Promise<NodeConnection> {
  const { endpoint, credentials, overTls } = route;
  try {
    return await connect(endpoint, credentials);
  } catch (error) {
    if (error instanceof TlsRequired && overTls !== undefined) return await connect(endpoint, overTls());
    if (error instanceof UserError && error.reason === 'sign-in-needed')
      return await connectOtherwise(route, connect, error);
    throw error;
  }
}

/** Throws the first refusal where nothing else is known, or where that is refused as well. */
async function connectOtherwise(
  { endpoint, credentials, ifRefused }: Route,
  connect: Connect,
  refused: UserError,
): Promise<NodeConnection> {
  const other = await ifRefused?.().catch(() => undefined);
  const isSame = other?.password === credentials.password && other?.username === credentials.username;
  if (other === undefined || isSame) throw refused;
  return await connect(endpoint, other).catch(() => {
    throw refused;
  });
}

function failed(before: Reading, error: unknown): Reading {
  const since = before.failure?.since ?? Date.now();
  return {
    tried: true,
    failure: { since, reason: reasonOf(error), message: messageOf(error) },
    ...(before.lastId === undefined ? {} : { lastId: before.lastId }),
    ...(error instanceof UserError && error.reason === 'not-clustered' ? { notClustered: true } : {}),
  };
}

function reasonOf(error: unknown): ReadFailureReason {
  if (error instanceof LateAnswer) return 'timeout';
  if (error instanceof DeniedCommand) return 'command';
  if (error instanceof SignInRejected) return 'rejected';
  if (!(error instanceof UserError)) return 'unreachable';
  switch (error.reason) {
    case 'sign-in-needed':
      return 'password';
    case 'forbidden':
      return 'forbidden';
    case 'tls':
      return 'tls';
    case 'not-clustered':
      return 'not-clustered';
    default:
      return 'unreachable';
  }
}

/** Rejects with `unreachable` when the promise has not settled in time; its late failure is then nobody's concern. */
async function limited<T>(promise: Promise<T>, ms: number): Promise<T> {
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    timeout.reject(new LateAnswer(`No answer within ${ms / 1000} s.`));
  }, ms);
  try {
    return await Promise.race([promise, timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}
