import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';

import { ApiFailure, ApiTimeout, codeOf, explainProblem, type Asked } from './problems.ts';
import type { SignedIn, SignIn } from './signIn.ts';

/** Milliseconds an answer may take when the request does not say otherwise. */
const answerLimit = 15_000;

interface ApiRequest {
  readonly asked: Asked;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the answer must be there. */
  readonly limit?: number;
}

/**
 * Requests to one API server. Not client-node's generated functions: these open a new TLS connection for every request
 * and take no signal for streams. Node's own https is also what VS Code's proxy settings reach.
 */
export interface ApiClient {
  readonly context: string;
  /** The answer's JSON. Throws UserErrors. */
  json(request: ApiRequest): Promise<unknown>;
  /** The answer as it comes, for watches and logs; the limit counts until its headers are there. */
  stream(request: ApiRequest): Promise<IncomingMessage>;
}

export function createClient(signIn: SignIn): ApiClient {
  const explained = async <T>(request: ApiRequest, run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      throw explainProblem(error, signIn.context, request.asked);
    }
  };
  return {
    context: signIn.context,
    json: (request) => explained(request, () => twice(signIn, request, readJson)),
    stream: (request) => explained(request, () => twice(signIn, request, openStream)),
  };
}

type Send<T> = (signedIn: SignedIn, request: ApiRequest) => Promise<T>;

/** Once more after a 401 with a fresh sign-in, and after a kept connection that the server had closed meanwhile. */
async function twice<T>(signIn: SignIn, request: ApiRequest, send: Send<T>): Promise<T> {
  try {
    return await send(await signIn.signedIn(), request);
  } catch (error) {
    request.signal?.throwIfAborted();
    const refused = error instanceof ApiFailure && error.status === 401;
    const stale = codeOf(error) === 'ECONNRESET' && request.method === 'GET';
    if (!(refused && signIn.renew()) && !stale) throw error;
    return await send(await signIn.signedIn(), request);
  }
}

async function readJson(signedIn: SignedIn, request: ApiRequest): Promise<unknown> {
  const limit = request.limit ?? answerLimit;
  const late = AbortSignal.timeout(limit);
  const signal = request.signal === undefined ? late : AbortSignal.any([request.signal, late]);
  try {
    const response = await send(signedIn, request, signal);
    const text = await readText(response);
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  } catch (error) {
    request.signal?.throwIfAborted();
    throw late.aborted ? new ApiTimeout(limit) : error;
  }
}

async function openStream(signedIn: SignedIn, request: ApiRequest): Promise<IncomingMessage> {
  const limit = request.limit ?? answerLimit;
  const late = new AbortController();
  const timer = setTimeout(() => {
    late.abort();
  }, limit);
  const signal = request.signal === undefined ? late.signal : AbortSignal.any([request.signal, late.signal]);
  try {
    return await send(signedIn, request, signal);
  } catch (error) {
    request.signal?.throwIfAborted();
    throw late.signal.aborted ? new ApiTimeout(limit) : error;
  } finally {
    clearTimeout(timer);
  }
}

async function send(signedIn: SignedIn, request: ApiRequest, signal: AbortSignal): Promise<IncomingMessage> {
  const response = await exchange(signedIn, request, signal);
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) return response;
  throw new ApiFailure(status, statusMessage(await readText(response), response.statusMessage));
}

function exchange(signedIn: SignedIn, request: ApiRequest, signal: AbortSignal): Promise<IncomingMessage> {
  const url = new URL(signedIn.server + request.path);
  for (const [name, value] of Object.entries(request.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  const headers: Record<string, string> = { ...signedIn.headers, Accept: 'application/json, */*' };
  if (body !== undefined) {
    headers['Content-Type'] = request.contentType ?? 'application/json';
    headers['Content-Length'] = String(Buffer.byteLength(body));
  }
  const open = url.protocol === 'http:' ? requestHttp : requestHttps;
  return new Promise((resolve, reject) => {
    const { agent, tls } = signedIn;
    const sent = open(url, { method: request.method, headers, agent, signal, ...tls });
    sent.on('response', resolve);
    sent.on('error', reject);
    sent.end(body);
  });
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** The message of the API's Status object, or the text as it is. */
function statusMessage(text: string, fallback: string | undefined): string {
  try {
    const status: unknown = JSON.parse(text);
    if (typeof status === 'object' && status !== null && 'message' in status) return String(status.message);
  } catch {
    return text.trim().slice(0, 300) || (fallback ?? '');
  }
  return fallback ?? '';
}
