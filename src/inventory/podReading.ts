import type { PodFacts } from '../model/snapshot.ts';
import type { Reading } from './nodeReader.ts';

/** What is known of a server whose pod is not asked. */
export function notRunning(pod: PodFacts): Reading {
  return { tried: true, failure: { reason: 'pod', message: podText(pod) } };
}

/** Why its container does not run says more than that nothing answers there. */
export function explained(reading: Reading, pod: PodFacts): Reading {
  const isDown = pod.running !== true && (pod.ended === true || pod.reason !== undefined);
  if (reading.failure === undefined || !isDown) return reading;
  return { ...reading, failure: { ...reading.failure, reason: 'pod', message: podText(pod) } };
}

function podText({ name, phase, reason, reasonMessage, ended }: PodFacts): string {
  const why = [phase, reason ?? (ended === true ? 'its container has ended' : undefined)];
  const text = `Pod ${name} is not running (${why.filter((part) => part !== undefined && part !== '').join(': ')}).`;
  return reasonMessage === undefined ? text : `${text} ${reasonMessage}`;
}
