import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { messageOf, UserError } from '../model/errors.ts';
import { engineIsStopped, nothingInstalled } from './missing.ts';

/** What can run the servers of a sandbox: a program of this machine, or a container engine. */
export type Runner = { readonly program: string } | { readonly engine: Engine };

export type Engine = 'docker' | 'podman';

export interface Environment {
  readonly platform: NodeJS.Platform;
  readonly variables: NodeJS.ProcessEnv;
}

export const thisMachine: Environment = { platform: process.platform, variables: process.env };

const programs = ['redis-server', 'valkey-server'];
const engines: readonly Engine[] = ['docker', 'podman'];
/** A daemon that hangs is as good as none. */
const answerLimitMs = 10_000;

/**
 * Finds what can run the servers: the program that is wanted and nothing else, or the first of redis-server,
 * valkey-server, Docker and Podman. Throws a UserError that says how to get one.
 */
export async function findRunner(
  wanted: string | undefined,
  environment: Environment = thisMachine,
): Promise<Runner> {
  const tried = wanted === undefined ? programs : [wanted];
  for (const program of tried) {
    if ((await refusal(program, ['--version'], environment)) === undefined) return { program };
  }
  if (wanted !== undefined) throw cannotStart(wanted);
  const stopped: { readonly engine: Engine; readonly said: string }[] = [];
  for (const engine of engines) {
    // Prints the client's version only, and fails, where no daemon answers.
    const refused = await refusal(engine, ['version', '--format', '{{.Server.Version}}'], environment);
    if (refused === undefined) return { engine };
    if (refused.isInstalled) stopped.push({ engine, said: refused.said });
  }
  const [first] = stopped;
  throw first === undefined
    ? await nothingInstalled(environment.platform)
    : await engineIsStopped(first, environment.platform);
}

/** Why a program cannot be used; undefined where it can. */
async function refusal(
  program: string,
  args: readonly string[],
  { variables }: Environment,
): Promise<{ readonly isInstalled: boolean; readonly said: string } | undefined> {
  try {
    await promisify(execFile)(program, args, { env: variables, timeout: answerLimitMs });
    return undefined;
  } catch (error) {
    const isInstalled = !(error instanceof Error && 'code' in error && error.code === 'ENOENT');
    const output =
      error instanceof Error && 'stderr' in error && typeof error.stderr === 'string' ? error.stderr : '';
    return { isInstalled, said: output.trim().split('\n').at(-1) ?? messageOf(error) };
  }
}

function cannotStart(program: string): UserError {
  return new UserError(
    'not-found',
    `The sandbox was not started: ${program} cannot be run. It is named by the setting redisCluster.sandbox.redisServer. Correct the setting, or leave it empty to use what is installed.`,
    { help: { title: 'Open Settings', command: 'redisCluster.openSettings' } },
  );
}
