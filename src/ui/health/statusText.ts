import { quantity } from '../../model/quantity.ts';
import type { ClusterHealth } from './clusterHealth.ts';

interface StatusText {
  readonly text: string;
  /** What a screen reader says instead of the icon. */
  readonly spoken: string;
  readonly severity?: 'error' | 'warning';
}

const icons = {
  ok: 'pass',
  degraded: 'warning',
  broken: 'error',
  apart: 'error',
  unreachable: 'debug-disconnect',
} as const;

/** One cluster in the status bar: its problems first, then what runs on it. */
export function statusText({ name, state, problems, running }: ClusterHealth): StatusText {
  const trouble =
    state === 'unreachable' ? ['not read'] : state === 'ok' ? [] : [quantity(problems.length, 'problem')];
  const said = [...trouble, ...(running === undefined ? [] : [running])];
  const icon = state === 'ok' && running !== undefined ? 'sync~spin' : icons[state];
  const severity = state === 'ok' ? undefined : state === 'degraded' ? 'warning' : 'error';
  const words = said.length === 0 ? name : `${name}: ${said.join(' · ')}`;
  return {
    text: `$(${icon}) ${words}`,
    spoken: `Redis Cluster ${said.length === 0 ? `${name}: healthy` : words}`,
    ...(severity === undefined ? {} : { severity }),
  };
}
