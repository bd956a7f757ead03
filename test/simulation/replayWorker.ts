// The simulation's side of a comparison, in a thread of its own since virtual time takes the place of the thread's.
import { parentPort } from 'node:worker_threads';
import { replay } from './replay.ts';
import { replayCases, type ReplayStates } from './replayCases.ts';

const states: ReplayStates[] = [];
for (const one of replayCases) states.push(await replay(one));
parentPort?.postMessage(states);
