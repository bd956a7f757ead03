import { readFileSync, watch, type FSWatcher } from 'node:fs';
import { homedir } from 'node:os';
import { basename, delimiter, dirname, isAbsolute, join, resolve } from 'node:path';

import { KubeConfig } from '@kubernetes/client-node';

import { messageOf } from '../model/errors.ts';

/** One context of one kubeconfig file. */
export interface KubeContext {
  /** Unique over all files: where two files name a context alike, the later one has its file's name appended. */
  readonly name: string;
  /** The context's name in its file. */
  readonly entry: string;
  readonly cluster: string;
  readonly user: string;
  /** The namespace the context names, or `default`. */
  readonly namespace: string;
  readonly file: string;
  /** All files that were read together: a context may name a cluster or user that another of them holds. */
  readonly files: readonly string[];
  /** Whether it is its file's `current-context`. */
  readonly current: boolean;
}

interface KubeconfigProblem {
  readonly file: string;
  readonly message: string;
}

export interface Kubeconfigs {
  /** Where was looked, whether the files are there or not. */
  readonly files: readonly string[];
  readonly contexts: readonly KubeContext[];
  readonly problems: readonly KubeconfigProblem[];
}

/**
 * The files that kubectl would read, unless `paths` names others. A leading `~` is the home folder.
 * https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
 */
export function kubeconfigFiles(
  paths: readonly string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
): readonly string[] {
  const named = paths.filter((path) => path.trim() !== '');
  if (named.length > 0) return [...new Set(named.map(absolute))];
  const variable = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  return variable.length > 0 ? [...new Set(variable.map(absolute))] : [join(homedir(), '.kube', 'config')];
}

function absolute(path: string): string {
  const expanded = path === '~' || /^~[/\\]/.test(path) ? join(homedir(), path.slice(1)) : path;
  return isAbsolute(expanded) ? expanded : resolve(expanded);
}

/**
 * Reads contexts without ever changing a file or the current context. A file that cannot be read is a problem of its
 * own and harms no other; a default file that is not there is no problem: there just is no kubeconfig.
 */
export function loadKubeconfigs(
  paths: readonly string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
): Kubeconfigs {
  const files = kubeconfigFiles(paths, env);
  const asked = paths.some((path) => path.trim() !== '');
  const contexts: KubeContext[] = [];
  const problems: KubeconfigProblem[] = [];
  for (const file of files) {
    try {
      for (const context of contextsOf(file, files)) contexts.push(uniquelyNamed(context, contexts));
    } catch (error) {
      const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (missing && !asked) continue;
      problems.push({ file, message: missing ? `${file} does not exist.` : unreadable(file, error) });
    }
  }
  return { files, contexts, problems };
}

function unreadable(file: string, error: unknown): string {
  return `${file} cannot be read as a kubeconfig: ${messageOf(error).split('\n')[0] ?? ''}`;
}

function contextsOf(file: string, files: readonly string[]): readonly KubeContext[] {
  const config = readKubeconfig(file);
  return config.contexts.map(({ name, cluster, user, namespace }) => ({
    name,
    entry: name,
    cluster,
    user,
    namespace: namespace ?? 'default',
    file,
    files,
    current: config.currentContext === name,
  }));
}

/** Reads one file; its relative paths are made absolute. Throws what Node or the YAML reader throws. */
export function readKubeconfig(file: string): KubeConfig {
  const config = new KubeConfig();
  const text = firstDocument(readFileSync(file, 'utf8'));
  if (text.trim() === '') return config;
  if (
    !/^\s*["']?(contexts|clusters|users|kind|apiVersion)["']?\s*:/m.test(text) &&
    !text.trim().startsWith('{')
  )
    throw new Error('it has no contexts, clusters or users.');
  config.loadFromString(text, { onInvalidEntry: 'filter' });
  config.makePathsAbsolute(dirname(file));
  return config;
}

/** Of a file with several documents, kubectl reads the first. */
function firstDocument(text: string): string {
  const [first = ''] = text.replace(/^\s*---[^\n]*\n/, '').split(/^(?:---|\.\.\.)(?=\s|$)/m);
  return first;
}

function uniquelyNamed(context: KubeContext, others: readonly KubeContext[]): KubeContext {
  const taken = (name: string): boolean => others.some((other) => other.name === name);
  if (!taken(context.name)) return context;
  const short = `${context.name} (${basename(context.file)})`;
  return { ...context, name: taken(short) ? `${context.name} (${context.file})` : short };
}

/** Milliseconds in which several changes of a file count as one: tools write a kubeconfig in several steps. */
const settleTime = 200;

/**
 * Calls back when one of the files is written, replaced, made or removed. The folders are watched, since tools replace
 * the file and a watch on the file itself would stay with the old one. A folder that is not there is not watched.
 * Returns the function that ends it.
 */
export function watchKubeconfigs(paths: readonly string[], onChange: () => void): () => void {
  const files = kubeconfigFiles(paths);
  const watchers: FSWatcher[] = [];
  let timer: NodeJS.Timeout | undefined;
  const changed = (): void => {
    clearTimeout(timer);
    timer = setTimeout(onChange, settleTime);
  };
  for (const folder of new Set(files.map((file) => dirname(file)))) {
    const names = new Set(files.filter((file) => dirname(file) === folder).map((file) => basename(file)));
    try {
      const watcher = watch(folder, (_event, name) => {
        if (name === null || names.has(name)) changed();
      });
      watcher.on('error', () => {
        watcher.close();
      });
      watchers.push(watcher);
    } catch {
      continue;
    }
  }
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  };
}
