import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAddress, type AddressClusterRef } from '../model/clusterRef.ts';
import type { Adapters, Sandbox } from './parts.ts';
import { readSettings } from './settings.ts';

const sampleKeys = 10_000;
/** Forming takes about two seconds; a machine that cannot do it in this time has another problem. */
const formLimitMs = 60_000;

interface Running {
  readonly ref: AddressClusterRef;
  readonly stop: () => Promise<void>;
}

/**
 * The sandbox of this window. `given` names one that `npm start` runs beside the editor; that one is shown and used,
 * and is stopped by whoever started it.
 */
export function createSandbox(
  adapters: Adapters,
  given: AddressClusterRef | undefined,
  log: (line: string) => void,
  onChange: () => void,
): Sandbox {
  let running: Promise<Running> | undefined;
  let ref = given;
  const begin = async (signal: AbortSignal): Promise<Running> => {
    const { startSandbox } = await adapters.sandbox();
    const { fillSample, formCluster } = await adapters.redis();
    const shape = { masters: 3, replicasPerMaster: 1 };
    const { redisServer } = readSettings();
    const started = await startSandbox({
      ...shape,
      folder: join(tmpdir(), `redis-cluster-sandbox-${randomUUID()}`),
      form: async (servers) => {
        const limit = AbortSignal.any([signal, AbortSignal.timeout(formLimitMs)]);
        await formCluster(servers.map(parseAddress), {}, shape, limit);
        await fillSample(servers, {}, sampleKeys);
      },
      log,
      signal,
      ...(redisServer === '' ? {} : { redisServer }),
    });
    return { ref: { addresses: started.addresses }, stop: () => started.stop() };
  };
  return {
    get ref() {
      return ref;
    },
    async start(signal) {
      if (given !== undefined) return given;
      running ??= begin(signal).catch((error: unknown) => {
        running = undefined;
        throw error;
      });
      const started = await running;
      ref = started.ref;
      onChange();
      return started.ref;
    },
    async stop() {
      const started = await running;
      if (started === undefined) return false;
      running = undefined;
      ref = given;
      // Its row goes first: servers that are being stopped are no problem.
      onChange();
      await started.stop();
      return true;
    },
  };
}
