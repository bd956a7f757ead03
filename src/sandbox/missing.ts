import { readFile } from 'node:fs/promises';
import { UserError, type Help } from '../model/errors.ts';

interface Advice {
  /** What to do, as a sentence. */
  readonly text: string;
  readonly help: Help;
}

const dockerPage = 'https://docs.docker.com/get-started/get-docker/';

/** The first distribution that a system is, or is like, decides. */
const linuxCommands: Readonly<Record<string, string>> = {
  debian: 'sudo apt-get install redis-server',
  ubuntu: 'sudo apt-get install redis-server',
  fedora: 'sudo dnf install valkey',
  rhel: 'sudo dnf install redis',
  suse: 'sudo zypper install redis',
  arch: 'sudo pacman -S valkey',
  alpine: 'sudo apk add redis',
};

/** That neither a server nor a container engine is there, and how to get one on this system. */
export async function nothingInstalled(platform: NodeJS.Platform): Promise<UserError> {
  const { text, help } = await adviceFor(platform);
  return new UserError(
    'not-found',
    `The sandbox was not started: redis-server, valkey-server, Docker and Podman were not found. ${text}`,
    { help },
  );
}

/** That a container engine is installed and does not answer. */
export async function engineIsStopped(
  { engine, said }: { readonly engine: string; readonly said: string },
  platform: NodeJS.Platform,
): Promise<UserError> {
  const name = engine === 'docker' ? 'Docker' : 'Podman';
  const { text } = await adviceFor(platform);
  const reason = said === '' ? '' : ` (${said})`;
  return new UserError(
    'not-found',
    `The sandbox was not started: redis-server was not found, and ${name} is installed but not running${reason}. Start ${name} and try again. ${text}`,
    { help: { title: 'Try Again', command: 'redisCluster.startSandbox' } },
  );
}

async function adviceFor(platform: NodeJS.Platform): Promise<Advice> {
  if (platform === 'win32') {
    return {
      text: 'Redis does not run on Windows itself: install Docker Desktop or Podman, or open this window in WSL and install redis-server there.',
      help: { title: 'Get Docker', url: dockerPage },
    };
  }
  if (platform === 'darwin') return install('brew install redis');
  if (platform === 'linux') {
    const command = linuxCommand(await readFile('/etc/os-release', 'utf8').catch(() => ''));
    if (command !== undefined) return install(command);
  }
  return {
    text: 'Install redis-server with your package manager, or install Docker or Podman.',
    help: { title: 'Get Docker', url: dockerPage },
  };
}

function install(command: string): Advice {
  return {
    text: `Install a server with “${command}”, or install Docker or Podman.`,
    help: { title: 'Install in Terminal', terminal: command },
  };
}

/** By /etc/os-release: https://www.freedesktop.org/software/systemd/man/latest/os-release.html */
export function linuxCommand(release: string): string | undefined {
  const valueOf = (name: string): string =>
    new RegExp(`^${name}=["']?([^"'\n]*)`, 'm').exec(release)?.[1]?.trim() ?? '';
  const names = [valueOf('ID'), ...valueOf('ID_LIKE').split(' ')];
  return names.map((name) => linuxCommands[name]).find((command) => command !== undefined);
}
