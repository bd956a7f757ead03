// Runs the suites with progress and times; the last line is `N passed, N failed, N skipped` over all of them.
//   npm test [-- --all]      npm run test:redis | test:kubernetes | test:vscode
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startKubernetes, type TestKubernetes } from '../test/support/startKubernetes.ts';

const suites = ['redis', 'kubernetes', 'vscode'] as const;
type Suite = (typeof suites)[number];

interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

const root = join(import.meta.dirname, '..');
const total: Count = { passed: 0, failed: 0, skipped: 0 };
const stages: string[] = [];
const broken: string[] = [];

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
  createInterface({ input: child.stdout }).on('line', (line) => {
    console.log(line);
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

function runSuite(suite: Suite, env: Readonly<Record<string, string>>): Promise<boolean> {
  const files = globSync(`test/${suite}/**/*.test.ts`, { cwd: root }).sort();
  if (files.length === 0) throw new Error(`There are no tests in test/${suite}.`);
  return run(process.execPath, ['--test', '--test-concurrency=1', '--test-reporter=spec', ...files], env);
}

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const named = suites.filter((suite) => args.includes(suite));
  const chosen = named.length > 0 ? named : suites;
  const env: Record<string, string> = args.includes('--all') ? { TEST_ALL: '1' } : {};
  if (named.length === 0) await stage('check', () => run('npm', ['run', '--silent', 'check']));
  if (chosen.includes('vscode')) await stage('build', () => run(process.execPath, ['esbuild.mjs']));
  if (chosen.includes('redis')) await stage('redis', () => runSuite('redis', env));
  if (chosen.includes('kubernetes') || chosen.includes('vscode')) await kubernetesSuites(chosen, env);
}

/** Both suites share one Kubernetes, which is started once and stopped however they end. */
async function kubernetesSuites(
  chosen: readonly Suite[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const kubernetes: TestKubernetes[] = [];
  await stage('start Kubernetes', async () => {
    kubernetes.push(await startKubernetes({ log: console.log }));
    return true;
  });
  try {
    if (kubernetes.length === 0) return;
    if (chosen.includes('kubernetes')) await stage('kubernetes', () => runSuite('kubernetes', env));
    if (chosen.includes('vscode')) await stage('vscode', () => runSuite('vscode', env));
  } finally {
    for (const started of kubernetes) await started.stop();
  }
}

const started = performance.now();
await main();
console.log(`\n${stages.join('\n')}\nall stages: ${((performance.now() - started) / 1000).toFixed(1)} s`);
if (total.skipped > 0) console.log(`${total.skipped} tests were skipped; each says above what it lacks.`);
if (broken.length > 0 && total.failed === 0) total.failed = 1;
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 || (total.skipped > 0 && process.env['CI'] === 'true') ? 1 : 0;
