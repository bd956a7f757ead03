import * as vscode from 'vscode';
import { isAbort, UserError } from '../../model/errors.ts';
import type { Credentials } from '../../redis/nodeConnection.ts';
import { credentialsFrom } from './answers.ts';
import { pemFrom, type PemKind } from './pem.ts';
import { askChoice, askText, type Step } from './steps.ts';

interface Draft {
  username: string;
  password: string;
  tls: 'none' | 'system' | 'file';
  ca: string;
  cert: string;
  key: string;
  serverName: string;
}

type Field = keyof Draft;
type TextPart = Omit<Parameters<typeof askText>[0], keyof Step | 'value'>;

const labels: Readonly<Record<Field, string>> = {
  username: 'User Name',
  password: 'Password',
  tls: 'TLS',
  ca: 'Certificate Authority',
  cert: 'Client Certificate',
  key: 'Client Key',
  serverName: 'Server Name',
};

export interface SignInQuestion {
  readonly title: string;
  /** The host name that certificates have to bear unless another is given; empty where they are not asked for a name. */
  readonly host: string;
  /** Why the cluster cannot be read so far: the first question says it. */
  readonly problem?: Pick<UserError, 'reason' | 'message'> | undefined;
  /** What was signed in with before. */
  readonly before?: Credentials | undefined;
  /** Signs in for a try. Throws a UserError that says why that failed; the answers are then asked again. */
  readonly attempt: (credentials: Credentials) => Promise<void>;
}

/** Asks what to sign in with, step by step, until a server accepts it. Throws AbortError where a question is dismissed. */
export async function askSignIn(question: SignInQuestion): Promise<Credentials> {
  const draft = draftOf(question);
  let at = 0;
  let problem: string | undefined;
  for (;;) {
    const fields = fieldsOf(draft);
    const field = fields[at];
    if (field === undefined) {
      try {
        const credentials = await credentialsFrom(credentialsOf(draft, question));
        await attempted(question, credentials);
        return credentials;
      } catch (error) {
        if (isAbort(error) || !(error instanceof UserError)) throw error;
        problem = error.message;
        at = fields.indexOf(fieldToBlame(error, draft));
      }
      continue;
    }
    const title = `${question.title}: ${labels[field]}`;
    const step = { title, step: at + 1, totalSteps: fields.length, problem };
    const isAnswered = await askField(field, draft, step, question);
    problem = undefined;
    at += isAnswered ? 1 : -1;
  }
}

/** The questions that follow from the answers so far. */
function fieldsOf({ tls, cert }: Draft): readonly Field[] {
  const own: readonly Field[] = cert === '' ? ['cert'] : ['cert', 'key'];
  const trust: readonly Field[] = tls === 'file' ? ['ca'] : [];
  return [
    'username',
    'password',
    'tls',
    ...(tls === 'none' ? [] : [...trust, ...own, 'serverName' as const]),
  ];
}

/** False where a person goes back. */
async function askField(
  field: Field,
  draft: Draft,
  step: Step,
  { host, problem }: SignInQuestion,
): Promise<boolean> {
  if (field === 'tls') {
    const chosen = await askChoice(
      { ...step, prompt: 'Select whether the servers use TLS', value: draft.tls },
      [
        { label: 'No TLS', value: 'none' },
        { label: 'TLS, certificate authorities of this system', value: 'system' },
        { label: 'TLS, own certificate authority…', description: 'a file or PEM text', value: 'file' },
      ],
    );
    if (chosen !== undefined) draft.tls = chosen;
    return chosen !== undefined;
  }
  const question = textQuestions(host)[field];
  const prompt =
    step.step === 1 && problem !== undefined ? `${problem.message} ${question.prompt}` : question.prompt;
  const answer = await askText({ ...step, ...question, prompt, value: draft[field] });
  if (answer !== undefined) draft[field] = answer;
  return answer !== undefined;
}

function textQuestions(host: string): Readonly<Record<Exclude<Field, 'tls'>, TextPart>> {
  const unless =
    host === '' ? 'any name that the authority has signed is accepted' : 'the name is not checked';
  return {
    username: {
      prompt: 'Enter the user name, or leave it empty for the default user.',
      placeHolder: 'default',
    },
    password: {
      prompt:
        'Enter the password, or leave it empty if there is none. It is kept in VS Code’s secret storage.',
      password: true,
    },
    ca: pemQuestion('certificate authority'),
    cert: pemQuestion('client certificate', true),
    key: pemQuestion('client key'),
    serverName: {
      prompt: `Enter the name that the server’s certificate must contain. If it is empty, ${unless}.`,
      placeHolder: 'redis.example.com',
    },
  };
}

function pemQuestion(kind: PemKind, isOptional = false): TextPart {
  const unless = isOptional ? ', or leave it empty if none is required' : '';
  return {
    prompt: `Enter the path of the ${kind}, or its PEM text${unless}.`,
    placeHolder: '/path/to/file.pem',
    isFile: true,
    judge: async (value) => (isOptional && value === '' ? undefined : pemFrom(value, kind)),
  };
}

function draftOf({ host, before = {}, problem }: SignInQuestion): Draft {
  const { username = '', tls } = before;
  const { ca = '', cert = '', key = '', serverName = host } = tls ?? {};
  const trust = ca === '' ? 'system' : 'file';
  const usual = problem?.reason === 'tls' ? 'file' : 'none';
  return {
    username,
    password: '',
    ca,
    cert,
    key,
    serverName,
    tls: tls === undefined ? usual : trust,
  };
}

function credentialsOf(draft: Draft, { host }: SignInQuestion): Credentials {
  const { username, password, tls, ca, cert, key, serverName } = draft;
  const own = cert === '' ? {} : { cert, key };
  const trust = tls === 'file' ? { ca } : {};
  const name = serverName === host ? {} : { serverName };
  return { username, password, ...(tls === 'none' ? {} : { tls: { ...trust, ...own, ...name } }) };
}

function fieldToBlame({ reason }: UserError, { tls }: Draft): Field {
  if (reason === 'sign-in-needed') return 'password';
  if (reason !== 'tls') return 'username';
  return tls === 'file' ? 'ca' : 'tls';
}

async function attempted({ title, attempt }: SignInQuestion, credentials: Credentials): Promise<void> {
  const options = { location: vscode.ProgressLocation.Window, title: `${title}: connecting…` };
  await vscode.window.withProgress(options, () => attempt(credentials));
}
