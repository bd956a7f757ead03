import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';

/** Where a server is below the folder that it is installed in. */
export const serverPath = join('node_modules', 'code-server', 'lib', 'vscode');
/** Below that folder too: the Node.js that came with an older VS Code. */
export const nodePath = 'host';

/** The Node.js that a server was installed with, or else this project's: that of its extension host. */
export function nodeOf(server: string): string {
  return executableOf(server.slice(0, -serverPath.length));
}

function executableOf(folder: string): string {
  return join(dirname(nodePackage(folder)), 'bin', 'node');
}

function nodePackage(folder: string): string {
  try {
    return createRequire(join(folder, nodePath, 'package.json')).resolve('node/package.json');
  } catch {
    return createRequire(import.meta.url).resolve('node/package.json');
  }
}

/**
 * Runs npm in `cwd` for what is installed in `folder`.
 * @throws Error with the end of npm's output.
 */
export async function npm(folder: string, cwd: string, args: readonly string[]): Promise<void> {
  const options = ['--no-audit', '--no-fund', '--loglevel=error'];
  const child = spawn('npm', [...args, ...options], {
    cwd,
    env: npmEnvironment(folder),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-4000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  child.on('error', reject);
  child.on('close', (code) => {
    if (code === 0) resolve(undefined);
    else reject(new Error(`npm ${args.join(' ')} failed:\n${output.trimEnd()}`));
  });
  await promise;
}

/**
 * npm under the server's Node.js, with install scripts allowed (npm otherwise skips them, or only announces them, and
 * the native modules stay unbuilt), and with the C++ headers that come with the `node` package instead of a download.
 */
function npmEnvironment(folder: string): NodeJS.ProcessEnv {
  const headers = nodeHeaders(folder);
  // An npm that runs this script tells its children which Node.js and which project are its own; what it was configured
  // with stays, so that the same registry and cache are used.
  const fromOuterNpm =
    /^npm_(config_(user_agent|local_prefix|global_prefix|prefix)$|(node_)?execpath$|command$|lifecycle_|package_)/i;
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !fromOuterNpm.test(name)));
  return {
    ...own,
    PATH: [dirname(executableOf(folder)), process.env['PATH']].join(delimiter),
    npm_config_ignore_scripts: 'false',
    npm_config_dangerously_allow_all_scripts: 'true',
    ...(headers === undefined ? {} : { npm_config_nodedir: headers }),
  };
}

function nodeHeaders(folder: string): string | undefined {
  const require = createRequire(nodePackage(folder));
  try {
    const headers = dirname(require.resolve(`node-${process.platform}-${process.arch}/package.json`));
    return existsSync(join(headers, 'include', 'node', 'node_api.h')) ? headers : undefined;
  } catch {
    return undefined;
  }
}
