import { isAbort, messageOf, UserError, type UserErrorReason } from '../model/errors.ts';
import { serverText } from '../model/serverText.ts';

/** What was asked of the API, so that a refusal can name it. */
export interface Asked {
  readonly verb: string;
  readonly resource: string;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

/** An answer of the API server with a status other than success. */
export class ApiFailure extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'ApiFailure';
    this.status = status;
  }
}

/** The program or provider that a kubeconfig names for signing in did not give a token. */
export class SignInFailure extends Error {
  constructor(message: string, options: ErrorOptions) {
    super(message, options);
    this.name = 'SignInFailure';
  }
}

/** The API server did not answer within the time given, in milliseconds. */
export class ApiTimeout extends Error {
  readonly code = 'ETIMEDOUT';

  constructor(milliseconds: number) {
    super(`no answer within ${String(Math.round(milliseconds / 1000))} s`);
    this.name = 'ApiTimeout';
  }
}

/** The UserError for whatever went wrong between this machine and the API; a cancellation stays what it is. */
export function explainProblem(error: unknown, context: string, asked: Asked): Error {
  if (error instanceof UserError || (error instanceof Error && isAbort(error))) return error;
  const [reason, text] = describe(error, context, asked);
  return new UserError(reason, serverText(text, longestText), { cause: error });
}

/** A refused object's message names each field that is wrong. */
const longestText = 4000;

type Description = readonly [UserErrorReason, string];

function describe(error: unknown, context: string, asked: Asked): Description {
  if (error instanceof ApiFailure) return describeStatus(error, context, asked);
  const where = place(context, asked);
  if (error instanceof SignInFailure) {
    return ['sign-in-needed', `Signing in to ${where} failed: ${error.message}`];
  }
  return ['unreachable', `Kubernetes API of ${where} cannot be reached: ${describeNetwork(error)}`];
}

function place(context: string, { namespace }: Asked): string {
  return namespace === undefined ? `context ${context}` : `context ${context}, namespace ${namespace}`;
}

function object({ resource, name }: Asked): string {
  return name === undefined ? resource : `${resource} "${name}"`;
}

function describeStatus(error: ApiFailure, context: string, asked: Asked): Description {
  const where = place(context, asked);
  switch (error.status) {
    case 401:
      return [
        'sign-in-needed',
        `The API server of context ${context} rejected the sign-in (401): the token or certificate is expired or invalid. Sign in again as you do for kubectl with context ${context}, then refresh.`,
      ];
    case 403:
      return [
        'forbidden',
        `Not allowed to ${asked.verb} ${object(asked)} in ${where}. The server reported: ${error.message}`,
      ];
    case 404:
      return [
        'not-found',
        `${object(asked)} was not found in ${where}. The server reported: ${error.message}`,
      ];
    case 409:
      return [
        'conflict',
        `${object(asked)} in ${where} already exists or was changed by someone else. The server reported: ${error.message}`,
      ];
    case 400:
    case 422:
      return ['invalid-input', `The server rejected ${object(asked)} in ${where}: ${error.message}`];
    case 429:
    case 502:
    case 503:
    case 504:
      return [
        'unreachable',
        `The API server of ${where} cannot answer now (${String(error.status)}): ${error.message}`,
      ];
    default:
      return [
        'failed',
        `To ${asked.verb} ${object(asked)} in ${where} failed (${String(error.status)}): ${error.message}`,
      ];
  }
}

function describeNetwork(error: unknown): string {
  const code = codeOf(error);
  const said = messageOf(error) === '' ? code : messageOf(error);
  if (code === 'ECONNREFUSED') return `connection refused. Is the cluster running? (${said})`;
  if (code === 'ETIMEDOUT' || code === 'UND_ERR_CONNECT_TIMEOUT')
    return `timed out. Is a VPN or tunnel needed? (${said})`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `its host name cannot be resolved (${said}).`;
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return `there is no network route to it (${said}).`;
  if (isCertificateCode(code)) {
    // Node goes on with how to start Node.
    const [why = said] = said.split('; if the root CA');
    return `its certificate is not trusted (${why}). Check certificate-authority in the kubeconfig, or http.systemCertificates in VS Code’s settings.`;
  }
  if (code === 'ENOENT' || code === 'EACCES')
    return `a file that the kubeconfig names cannot be read (${said}).`;
  return said;
}

function isCertificateCode(code: string): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|ERR_TLS|ERR_SSL|EPROTO/.test(code);
}

/** Node's error code, also that of an error's cause. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.cause === undefined ? '' : codeOf(error.cause);
}
