// One thread's part of the exploration: virtual time takes the place of the thread's own.
import { parentPort, workerData } from 'node:worker_threads';
import { explore } from './explore.ts';
import { scenarios } from './scenarios.ts';

const { first, step, enough } = workerData as {
  readonly first: number;
  readonly step: number;
  readonly enough: number;
};

// Errors are part of every other run here, and nobody looks at where they came from.
Error.stackTraceLimit = 0;

function* seeds(): Generator<number> {
  for (let seed = first; ; seed += step) yield seed;
}

parentPort?.postMessage(await explore({ scenarios, seeds: seeds(), enough }));
