import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { manifestFolder } from '../manifestFiles.ts';
import { startRedisCluster, type TestCluster } from '../startRedisCluster.ts';
import { debugging, kinds, plain } from './backups.ts';
import { fill } from './fill.ts';

/** What a run of the backup's script tells Kubernetes. */
export interface ScriptReport {
  readonly result: 'done' | 'failed';
  readonly reason: string;
  readonly count: number;
  readonly size: number;
  readonly free: number;
  readonly backups: readonly {
    readonly name: string;
    readonly at: string;
    readonly bytes: number;
    readonly keys?: number;
  }[];
}

export interface ScriptRun {
  readonly process: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly log: string }>;
  /** What it has said so far. */
  readonly log: () => string;
  /** What it reported; undefined where it was killed before. */
  readonly report: () => ScriptReport | undefined;
}

export interface BackupScript {
  /** The volume. */
  readonly folder: string;
  readonly start: (env?: Readonly<Record<string, string>>) => Promise<ScriptRun>;
  /** Runs it to its end. */
  readonly run: (
    env?: Readonly<Record<string, string>>,
  ) => Promise<ScriptReport & { readonly log: string; readonly code: number | null }>;
  readonly dispose: () => Promise<void>;
}

/** The script of manifests/components/backup, run against a cluster as its pod would run it. */
export function backupScript(
  { nodes: [first] }: Pick<TestCluster, 'nodes'>,
  { password, folder }: { readonly password?: string; readonly folder?: string } = {},
): Promise<BackupScript> {
  const env = {
    ...{ SEED: first?.host ?? '', PORT: String(first?.port), PAUSE: '0.2', SILENT_SECONDS: '1' },
    ...(password === undefined ? {} : { REDISCLI_AUTH: password }),
  };
  return volumeScript('backup/backup.sh', env, folder);
}

/** The script of manifests/components/backup-s3, for what is on a volume. */
export function bucketScript(
  folder: string,
  secret: Readonly<Record<string, string>>,
): Promise<BackupScript> {
  const scripts = join(manifestFolder, 'components/backup');
  const env = { ...secret, VOLUME: folder, REPORT_SCRIPTS: scripts, PAUSE: '0.2' };
  return volumeScript('backup-s3/backup-s3.sh', env, folder);
}

async function volumeScript(
  script: string,
  fixed: Readonly<Record<string, string>>,
  given: string | undefined,
): Promise<BackupScript> {
  const own = await mkdtemp(join(tmpdir(), 'backup-script-'));
  const folder = given ?? join(own, 'volume');
  await mkdir(folder, { recursive: true });
  let runs = 0;
  const start = async (env: Readonly<Record<string, string>> = {}): Promise<ScriptRun> => {
    runs += 1;
    const temporary = join(own, `tmp-${runs}`);
    await mkdir(temporary);
    const reported = join(temporary, 'termination-log');
    // A process group of its own, as a container is ended as a whole.
    const child = spawn('sh', [join(manifestFolder, 'components', script)], {
      detached: true,
      env: {
        ...{ PATH: process.env['PATH'], BACKUPS: folder, TMPDIR: temporary, TERMINATION_LOG: reported },
        ...fixed,
        ...env,
      },
    });
    let log = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (piece: Buffer) => {
        log += piece.toString();
      });
    const report = (): ScriptReport | undefined => {
      try {
        return JSON.parse(readFileSync(reported, 'utf8')) as ScriptReport;
      } catch {
        return undefined;
      }
    };
    const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, log }));
    return { process: child, ended, report, log: () => log };
  };
  return {
    ...{ folder, start },
    run: async (env) => {
      const { ended, report } = await start(env);
      const { code, log } = await ended;
      const reported = report();
      if (reported === undefined) throw new Error(`no report: ${log}`);
      return { ...reported, code, log };
    },
    dispose: () => rm(own, { recursive: true }),
  };
}

/** Ends a run as the kernel ends a container: all its processes at once, without a word. */
export function killAll({ process: { pid } }: ScriptRun): void {
  if (pid !== undefined) process.kill(-pid, 'SIGKILL');
}

export async function descriptionOf(folder: string, name: string): Promise<unknown> {
  return JSON.parse(await readFile(join(folder, name, 'backup.json'), 'utf8')) as unknown;
}

/** The script on a cluster whose servers hold keys of every type and want a password that has to be quoted. */
export interface ScriptedCluster {
  readonly password: string;
  readonly cluster: TestCluster;
  readonly script: BackupScript;
  readonly close: () => Promise<void>;
}

export async function scriptedCluster(): Promise<ScriptedCluster> {
  const password = `p"a'ss \\ w#rd`;
  const config = { 'repl-diskless-sync-delay': '0', ...debugging };
  const cluster = await startRedisCluster({ password, config });
  await fill(cluster, [...plain, ...kinds('7.0')]);
  const script = await backupScript(cluster, { password });
  return {
    ...{ password, cluster, script },
    close: async () => {
      await cluster.stop();
      await script.dispose();
    },
  };
}
