// A process that starts a sandbox and then waits to be killed; it says the addresses and the folder.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandbox } from '../../../src/sandbox/startSandbox.ts';

const folder = await mkdtemp(join(tmpdir(), 'redis-sandbox-test-'));
const { addresses } = await startSandbox({
  folder,
  masters: 3,
  replicasPerMaster: 1,
  form: () => Promise.resolve(),
});
process.stdout.write(`${JSON.stringify({ addresses, folder })}\n`);
setInterval(() => undefined, 1000);
