import type { Agent as HttpAgent } from 'node:http';
import { Agent, type AgentOptions, type RequestOptions } from 'node:https';
import { dirname, isAbsolute, join } from 'node:path';

import { KubeConfig } from '@kubernetes/client-node';

import { messageOf } from '../model/errors.ts';
import { readKubeconfig, type KubeContext } from './kubeconfigs.ts';
import { codeOf, SignInFailure } from './problems.ts';

/** Milliseconds a sign-in program may take: people type passwords and touch keys in that time. */
const signInLimit = 120_000;
/** Milliseconds a WebSocket may take to open. */
const openLimit = 15_000;
/** Milliseconds between two fresh sign-ins after the server said 401: a program may open a browser each time. */
const renewalPause = 30_000;

/** What a request to the API server needs besides its path. */
export interface SignedIn {
  readonly server: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly agent: HttpAgent;
  /**
   * How the server is trusted and what it is shown. A request says it beside its agent, since VS Code puts an agent of its
   * own in the place of each request's, with a proxy or without.
   */
  readonly tls: Pick<RequestOptions, (typeof tlsNames)[number]>;
}

const tlsNames = ['ca', 'cert', 'key', 'rejectUnauthorized', 'servername'] as const;

/**
 * Signs in to one context. However many requests wait, one sign-in runs at a time (client-node starts its program
 * once per request), and after a 401 the kubeconfig is read afresh, since tools refresh tokens by writing it.
 */
export interface SignIn {
  readonly context: string;
  /** Throws a SignInFailure. */
  signedIn(): Promise<SignedIn>;
  /** Forgets what the server did not accept; false where that has just been done, so another try is useless. */
  renew(): boolean;
  /** For client-node's WebSockets: the same sign-in, with a limit for opening. */
  config(): KubeConfig;
  close(): void;
}

/** Throws what reading the kubeconfig throws. */
export function createSignIn(context: KubeContext): SignIn {
  let config = new SharedSignIn(context);
  let renewed = -renewalPause;
  return {
    context: context.name,
    signedIn: () => config.signedIn(),
    renew: () => {
      if (performance.now() - renewed < renewalPause) return false;
      renewed = performance.now();
      config.destroy();
      config = new SharedSignIn(context);
      return true;
    },
    config: () => config,
    close: () => {
      config.destroy();
    },
  };
}

/** client-node's kubeconfig of one context, with one sign-in at a time and one pool of connections. */
class SharedSignIn extends KubeConfig {
  #running: Promise<RequestOptions> | undefined;
  #agent: { readonly key: string; readonly agent: Agent } | undefined;

  constructor(context: KubeContext) {
    super();
    const own = readKubeconfig(context.file);
    const cluster = find(context, own, (config) => config.getCluster(context.cluster));
    const user = find(context, own, (config) => config.getUser(context.user));
    if (cluster === undefined)
      throw new Error(`${context.file} names the cluster "${context.cluster}" but does not contain it.`);
    this.loadFromOptions({
      clusters: [asKubectlDoes(cluster, user)],
      users: user === undefined ? [{ name: context.user }] : [completed(user, cluster, context.file)],
      contexts: [{ name: context.entry, cluster: cluster.name, user: context.user }],
      currentContext: context.entry,
    });
  }

  override async applyToHTTPSOptions(options: RequestOptions): Promise<void> {
    Object.assign(options, await this.#options(), { handshakeTimeout: openLimit });
  }

  async signedIn(): Promise<SignedIn> {
    const options = await this.#options();
    const server = this.getCurrentCluster()?.server ?? '';
    const headers = Object.fromEntries(
      Object.entries(options.headers ?? {}).map(([name, value]) => [name, String(value)]),
    );
    if (typeof options.auth === 'string') {
      headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
    }
    const known = Object.entries(options).filter(([, value]) => value !== undefined);
    const tls = Object.fromEntries(known.filter(([name]) => tlsNames.some((one) => one === name)));
    return { server, headers, tls, agent: this.#agentFor(options, tls) };
  }

  destroy(): void {
    this.#agent?.agent.destroy();
  }

  #options(): Promise<RequestOptions> {
    this.#running ??= this.#signIn().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #signIn(): Promise<RequestOptions> {
    const options: RequestOptions = {};
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`no answer within ${String(signInLimit / 1000)} s`));
      }, signInLimit);
    });
    try {
      await Promise.race([super.applyToHTTPSOptions(options), late]);
    } catch (error) {
      throw this.#explain(error);
    } finally {
      clearTimeout(timer);
    }
    return options;
  }

  #explain(error: unknown): Error {
    const program = programOf(this.getCurrentUser());
    if (program === undefined) return error instanceof Error ? error : new Error(String(error));
    const text =
      codeOf(error) === 'ENOENT'
        ? `the program "${program}" that the kubeconfig names was not found. Install it, or start VS Code from a shell whose PATH has it.`
        : `the program "${program}" that the kubeconfig names returned no token: ${lastLine(messageOf(error))}`;
    return new SignInFailure(text, { cause: error });
  }

  /** Keeps connections open between requests, which client-node's own agents do not; a proxy's agent is its own. */
  #agentFor(options: RequestOptions, tls: SignedIn['tls']): HttpAgent {
    const cluster = this.getCurrentCluster();
    if (cluster?.proxyUrl || cluster?.server.startsWith('http:') === true) {
      if (options.agent instanceof Object) return options.agent;
    }
    const identity = JSON.stringify([tls.cert, tls.key]);
    if (this.#agent?.key !== identity) {
      const kept: AgentOptions = { keepAlive: true, timeout: 60_000, maxFreeSockets: 8 };
      this.#agent = { key: identity, agent: new Agent({ ...kept, ...tls }) };
    }
    return this.#agent.agent;
  }
}

type Cluster = KubeConfig['clusters'][number];
type User = KubeConfig['users'][number];

/**
 * A server without a scheme is spoken to over TLS where anything is said about certificates, as kubectl does it
 * (client-go, `DefaultServerUrlFor`). Of plain HTTP, such as `kubectl proxy`, client-node wants to hear that nothing is verified.
 */
function asKubectlDoes(cluster: Cluster, user: User | undefined): Cluster {
  const isSecured =
    [cluster.caData, cluster.caFile, user?.certData, user?.certFile].some(Boolean) || cluster.skipTLSVerify;
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(cluster.server);
  const server = hasScheme ? cluster.server : `${isSecured ? 'https' : 'http'}://${cluster.server}`;
  return server.startsWith('http:') ? { ...cluster, server, skipTLSVerify: true } : { ...cluster, server };
}

function find<T>(
  context: KubeContext,
  own: KubeConfig,
  look: (config: KubeConfig) => T | null,
): T | undefined {
  const found = look(own);
  if (found !== null) return found;
  for (const file of context.files) {
    if (file === context.file) continue;
    try {
      const other = look(readKubeconfig(file));
      if (other !== null) return other;
    } catch {
      continue;
    }
  }
  return undefined;
}

/** The exec entry of a user, as far as it is used here; client-node leaves it untyped. */
interface ExecEntry {
  readonly apiVersion?: string;
  readonly command?: string;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
}

function execOf(user: User | null): ExecEntry | undefined {
  const exec: unknown = user?.exec;
  return typeof exec === 'object' && exec !== null ? exec : undefined;
}

function programOf(user: User | null): string | undefined {
  return execOf(user)?.command;
}

/**
 * Adds what kubectl hands a sign-in program and client-node does not (KUBERNETES_EXEC_INFO), and finds a program named
 * by a relative path beside its kubeconfig. https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 */
function completed(user: User, cluster: Cluster, file: string): User {
  const exec = execOf(user);
  if (exec?.command === undefined) return user;
  const info = {
    apiVersion: exec.apiVersion ?? 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: {
      interactive: false,
      cluster: {
        server: cluster.server,
        'insecure-skip-tls-verify': cluster.skipTLSVerify,
        ...(cluster.caData === undefined ? {} : { 'certificate-authority-data': cluster.caData }),
      },
    },
  };
  const relative = exec.command.includes('/') && !isAbsolute(exec.command);
  const command = relative ? join(dirname(file), exec.command) : exec.command;
  const env = [...(exec.env ?? []), { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }];
  return { ...user, exec: { ...exec, command, env } };
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
