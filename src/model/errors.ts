/** Why something could not be done, coarse enough to decide what a view offers next. */
export type UserErrorReason =
  | 'invalid-input'
  // What was asked for is so already.
  | 'nothing-to-do'
  | 'not-found'
  // What is to be made is there, and is something else.
  | 'already-exists'
  // Kubernetes: somebody else has changed the object since it was read, or made it.
  | 'conflict'
  | 'not-clustered'
  | 'unreachable'
  | 'sign-in-needed'
  | 'tls'
  | 'forbidden'
  | 'unsafe'
  | 'busy'
  | 'failed';

/** What the button of a message does that helps. A terminal command is typed, and left to the user to run. */
export type Help = { readonly title: string } & (
  { readonly command: string } | { readonly terminal: string } | { readonly url: string }
);

/**
 * An error whose message is fit to be shown: what happened, to which node, what was left as it was and what to do
 * next. Everything else that is thrown is a bug and is shown as one.
 */
export class UserError extends Error {
  readonly reason: UserErrorReason;
  readonly help: Help | undefined;

  constructor(reason: UserErrorReason, message: string, options?: ErrorOptions & { readonly help?: Help }) {
    super(message, options);
    this.name = 'UserError';
    this.reason = reason;
    this.help = options?.help;
  }
}

/** An operation that had begun and did not reach its end, so nobody may call it refused. */
export class StoppedError extends UserError {
  /** Whether something is known to have been changed; it stays. */
  readonly changed: boolean;
  /** What was reached, as fields of the command's result: plain JSON. */
  readonly reached: object;

  constructor(
    reason: UserErrorReason,
    message: string,
    { changed, reached, cause }: { changed: boolean; reached?: object; cause: unknown },
  ) {
    super(reason, message, { cause });
    this.changed = changed;
    this.reached = reached ?? {};
  }
}

/** A UserError `unreachable` of a server that did not answer in time. */
export class LateAnswer extends UserError {
  constructor(message: string) {
    super('unreachable', message);
  }
}

/** A UserError `sign-in-needed` of a server that was shown a password or a user that it does not take. */
export class SignInRejected extends UserError {
  constructor(name: string) {
    super('sign-in-needed', `Redis at ${name} rejected the user name and password.`);
  }
}

/** A UserError `tls` of a server that was dialled in plain text and speaks TLS. */
export class TlsRequired extends UserError {
  constructor(name: string, options?: ErrorOptions) {
    super('tls', `Redis at ${name} requires TLS.`, options);
  }
}

/** A UserError `forbidden` of a server that does not run a command which is needed: an ACL denies it, or it is renamed. */
export class DeniedCommand extends UserError {
  constructor(message: string, options?: ErrorOptions) {
    super('forbidden', message, options);
  }
}

/** Whether an error only says that the user cancelled, which is no failure and is never shown as one. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/** Whether an error says that a server, or the API server, did not answer or is gone: the next try may find it. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof UserError && error.reason === 'unreachable';
}

/** The text of any thrown value, for messages that wrap a cause. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
