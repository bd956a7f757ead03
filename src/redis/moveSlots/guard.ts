import { bytesText } from '../../model/bytes.ts';
import type { NodeView } from '../../model/nodeView.ts';
import type { NodeConnection } from '../nodeConnection.ts';
import { readNodeView } from '../nodeView.ts';
import { pause } from '../../model/pause.ts';
import type { Probe } from './probe.ts';
import type { Tally } from './progress.ts';
import { isOver, type MoveRequest } from './request.ts';

/** Holds a move back while one of the limits is exceeded that a person has set. */
export interface Guard {
  /** Resolves once nothing is exceeded, or the move is over. */
  pass(): Promise<void>;
}

const againMs = 500;

export function startGuard(
  request: MoveRequest,
  target: NodeConnection,
  probe: Probe | undefined,
  tally: Tally,
): Guard {
  const { limits } = request;
  if (
    limits?.latencyMs === undefined &&
    limits?.lagBytes === undefined &&
    limits?.memoryPercent === undefined
  )
    return { pass: () => Promise.resolve() };
  return {
    pass: async () => {
      for (;;) {
        const why = exceeded(request, await readNodeView(target), probe?.excessMs() ?? 0);
        tally.pause('limit', isOver(request) ? undefined : why);
        if (why === undefined || isOver(request)) return;
        await pause(againMs, request.signal).catch(() => undefined);
      }
    },
  };
}

function exceeded({ limits = {} }: MoveRequest, target: NodeView, latencyMs: number): string | undefined {
  if (limits.latencyMs !== undefined && latencyMs > limits.latencyMs)
    return `Paused: latency on the source or target is ${latencyMs.toFixed(0)} ms, more than ${limits.latencyMs} ms.`;
  const { offset, replicas } = target.replication;
  const lag = offset - Math.min(offset, ...replicas.map((replica) => replica.offset));
  if (limits.lagBytes !== undefined && lag > limits.lagBytes)
    return `Paused: a replica of the target is ${bytesText(lag)} behind, more than ${bytesText(limits.lagBytes)}.`;
  const { maxMemoryBytes, usedMemoryBytes, uncountedMemoryBytes } = target;
  const used = maxMemoryBytes === 0 ? 0 : ((usedMemoryBytes - uncountedMemoryBytes) / maxMemoryBytes) * 100;
  if (limits.memoryPercent !== undefined && used > limits.memoryPercent)
    return `Paused: the target uses ${used.toFixed(0)}% of its maxmemory, more than ${limits.memoryPercent}%.`;
  return undefined;
}
