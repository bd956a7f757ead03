import type { Socket } from 'node:net';

/**
 * Where this machine reaches a server: a forwarded Unix socket, or an address. `name` is what people call the server at
 * the end of a forward: its pod.
 */
export type Endpoint =
  { readonly path: string; readonly name?: string } | { readonly host: string; readonly port: number };

export interface Credentials {
  readonly username?: string;
  readonly password?: string;
  /** The one before it, while a new one is being passed on: some servers may not know that yet. */
  readonly previousPassword?: string;
  /** Set where the server speaks TLS. */
  readonly tls?: TlsTrust;
  /** Where the password was found, as part of a sentence: `password from Secret shop-redis/redis-password`. */
  readonly foundIn?: string;
}

/** Whom a connection over TLS trusts, and what it shows of itself: PEM text; the system's authorities where `ca` is absent. */
export interface TlsTrust {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The name that the server's certificate has to bear; without it, whom the authority signed is one of the cluster. */
  readonly serverName?: string;
}

/** One argument of a command: keys travel as bytes, since a key decoded as text is another key. */
export type Argument = string | number | Buffer;

/**
 * One connection to one server. Replies come as Redis sends them: integers as numbers, nil as null, bulk strings as
 * text from `call` and as bytes from `callBuffer`. An error reply rejects with an Error whose message is the reply;
 * a lost connection rejects with a UserError of reason `unreachable`. Nothing is resent after a reconnect.
 */
export interface NodeConnection {
  call(...command: readonly Argument[]): Promise<unknown>;
  callBuffer(...command: readonly Argument[]): Promise<unknown>;
  /** Sends all commands in one write; one entry per command, an Error where the reply was one. */
  pipeline(commands: readonly (readonly Argument[])[]): Promise<readonly unknown[]>;
  pipelineBuffer(commands: readonly (readonly Argument[])[]): Promise<readonly unknown[]>;
  /** The socket, signed in, for what is no reply, as what a replica is sent. No command can be called any more. */
  takeOver(): Socket;
  close(): void;
}

/** Opens connections to the nodes of one cluster by node id, wherever they are reached. */
export interface ClusterDialer {
  /**
   * A connection of the caller's own, to be closed by the caller, to the server that has just said that it is this node.
   * Throws UserError `unreachable`, and `unsafe` where another node answers in its place.
   */
  dial(nodeId: string): Promise<NodeConnection>;
  /** What the servers of this cluster ask for; MIGRATE has to hand it on. */
  readonly credentials: Credentials;
}
