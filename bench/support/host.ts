import { setTimeout as sleep } from 'node:timers/promises';
import type { VSCodeUnderTest } from '../../test/support/launchVSCode.ts';

/** Used bytes of the extension host's heap after a full collection. */
export function heapBytes(vscode: VSCodeUnderTest): Promise<number> {
  return vscode.evaluate(() => {
    const v8 = process.getBuiltinModule('node:v8');
    const vm = process.getBuiltinModule('node:vm');
    v8.setFlagsFromString('--expose-gc');
    const collect = vm.runInNewContext('gc') as () => void;
    collect();
    collect();
    return process.memoryUsage().heapUsed;
  });
}

/** Processor milliseconds that the extension host has used. */
export async function cpuMs(vscode: VSCodeUnderTest): Promise<number> {
  const { user, system } = await vscode.evaluate(() => process.cpuUsage());
  return (user + system) / 1000;
}

/** Percent of one core that the extension host uses while idle. */
export async function idlePercent(vscode: VSCodeUnderTest, seconds: number): Promise<number> {
  const [before, started] = [await cpuMs(vscode), performance.now()];
  await sleep(seconds * 1000);
  const used = (await cpuMs(vscode)) - before;
  return (100 * used) / (performance.now() - started);
}
