// Runs the suites with progress and times; the last line is `N passed, N failed, N skipped` over all of them.
//   npm test [-- --all]      npm run test:simulation | test:redis | test:kubernetes | test:vscode [-- --all] [part of a path…]
// With --all the long tests run as well; the Kubernetes ones write docs/resilience.md and docs/compatibility.md.
import { spawn } from 'node:child_process';
import { globSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { format } from 'prettier';
import { forgetShapes, recordedShapes, unrecordedShapes } from '../test/kubernetes/foreign/compatibility.ts';
import { compatibilityDocument } from '../test/kubernetes/foreign/compatibilityDocument.ts';
import { forgetRows, recordedRows, unrecorded } from '../test/support/scenarios/record.ts';
import { resilienceDocument } from '../test/support/scenarios/resilienceDocument.ts';
import { startKubernetes, type TestKubernetes } from '../test/support/startKubernetes.ts';

const suites = ['simulation', 'redis', 'kubernetes', 'vscode'] as const;
type Suite = (typeof suites)[number];

interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

const args = process.argv.slice(2);
const everything = args.includes('--all');
/** Only files whose path has one of these in it are run; all of them where there is none. */
const parts = args.filter((arg) => !arg.startsWith('-') && !suites.some((suite) => suite === arg));
const root = join(import.meta.dirname, '..');
const total: Count = { passed: 0, failed: 0, skipped: 0 };
const stages: string[] = [];
const broken: string[] = [];
/** What the suites' reports say of their failed tests: said once more at the end, where it is found. */
const failures: string[] = [];
/** Lines kept of each failed test. */
const linesEach = 24;

async function stage(name: string, work: () => Promise<boolean>): Promise<void> {
  console.log(`\n▶ ${name}`);
  const started = performance.now();
  let ok = false;
  try {
    ok = await work();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
  }
  const line = `${ok ? '✔' : '✖'} ${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`;
  console.log(line);
  stages.push(line);
  if (!ok) broken.push(name);
}

/** Runs a command, passes its output on and adds up what its test runner counts. */
function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<boolean> {
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let linesOfTest: number | undefined;
  createInterface({ input: child.stdout }).on('line', (line) => {
    console.log(line);
    if (line.includes('✖ failing tests:')) linesOfTest = 0;
    if (linesOfTest !== undefined) {
      linesOfTest = line.startsWith('test at ') ? 0 : linesOfTest + 1;
      if (linesOfTest < linesEach) failures.push(line);
    }
    // The closing lines of node's spec reporter, plain or in colour.
    const [, what, number] = /^(?:\S*\[\d+m)?ℹ (pass|fail|cancelled|skipped|todo) (\d+)/.exec(line) ?? [];
    if (what === undefined) return;
    if (what === 'pass') total.passed += Number(number);
    else if (what === 'fail' || what === 'cancelled') total.failed += Number(number);
    else total.skipped += Number(number);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      resolve(code === 0);
    });
  });
}

/** The suite's files; those that take minutes only with --all. */
function filesOf(suite: Suite): readonly string[] {
  const files = globSync(`test/${suite}/**/*.test.ts`, { cwd: root }).sort();
  return files.filter((file) => everything || !file.endsWith('.long.test.ts'));
}

/** Tests of the manifests' scripts wait for servers that wait for each other, and have a network of their own. */
const waitsMost = (file: string): boolean => file.startsWith('test/redis/manifests/');

async function runSuite(suite: Suite): Promise<boolean> {
  const files = filesOf(suite).filter(
    (file) => parts.length === 0 || parts.some((part) => file.includes(part)),
  );
  if (files.length === 0) throw new Error(`No such tests in test/${suite}.`);
  const runFiles = async (files: readonly string[], atOnce: number): Promise<boolean> => {
    if (files.length === 0) return true;
    const options = ['--test', `--test-concurrency=${String(atOnce)}`, '--test-reporter=spec'];
    return run(process.execPath, [...options, ...files], everything ? { TEST_ALL: '1' } : {});
  };
  const together = await runFiles(files.filter(waitsMost), 3);
  const alone = await runFiles(
    files.filter((file) => !waitsMost(file)),
    1,
  );
  return together && alone;
}

async function main(): Promise<void> {
  const named = suites.filter((suite) => args.includes(suite));
  const chosen = named.length > 0 ? named : suites;
  if (named.length === 0) await stage('check', () => run('npm', ['run', '--silent', 'check']));
  if (chosen.includes('vscode')) await stage('build', () => run(process.execPath, ['esbuild.mjs']));
  if (chosen.includes('simulation')) await stage('simulation', () => runSuite('simulation'));
  if (chosen.includes('redis')) await stage('redis', () => runSuite('redis'));
  if (chosen.includes('kubernetes') || chosen.includes('vscode')) await kubernetesSuites(chosen);
}

async function writeDocument(name: string, text: string): Promise<void> {
  writeFileSync(join(root, `docs/${name}.md`), await format(text, { parser: 'markdown' }));
  console.log(`Wrote docs/${name}.md.`);
}

/** Tables are written by runs of what they show, and by nothing else; what is not run this time keeps its rows. */
async function kubernetesSuite(): Promise<boolean> {
  const isWhole = (folder: string): boolean =>
    everything && (parts.length === 0 || parts.some((part) => `test/kubernetes/${folder}/`.includes(part)));
  const [scenarios, foreign] = [isWhole('scenarios'), isWhole('foreign')];
  if (scenarios) forgetRows();
  if (foreign) forgetShapes();
  const ok = await runSuite('kubernetes');
  if (scenarios || (everything && unrecorded(recordedRows()).length === 0))
    await writeDocument('resilience', resilienceDocument(recordedRows()));
  if (foreign || (everything && unrecordedShapes(recordedShapes()).length === 0))
    await writeDocument('compatibility', compatibilityDocument(recordedShapes()));
  return ok;
}

/** Both suites share one Kubernetes, which is started once and stopped however they end. */
async function kubernetesSuites(chosen: readonly Suite[]): Promise<void> {
  const kubernetes: TestKubernetes[] = [];
  await stage('start Kubernetes', async () => {
    kubernetes.push(await startKubernetes({ log: console.log }));
    return true;
  });
  try {
    if (kubernetes.length === 0) return;
    if (chosen.includes('kubernetes')) await stage('kubernetes', kubernetesSuite);
    if (chosen.includes('vscode')) await stage('vscode', () => runSuite('vscode'));
  } finally {
    for (const started of kubernetes) await started.stop();
  }
}

const started = performance.now();
await main();
if (failures.length > 0) console.log(`\n${failures.join('\n')}`);
console.log(`\n${stages.join('\n')}\nall stages: ${((performance.now() - started) / 1000).toFixed(1)} s`);
if (total.skipped > 0) console.log(`${total.skipped} tests were skipped; each says above what is missing.`);
if (broken.length > 0 && total.failed === 0) total.failed = 1;
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 || (total.skipped > 0 && process.env['CI'] === 'true') ? 1 : 0;
