/** What a benchmark measures, and what that must come to. */
export interface BenchRequirement {
  /** The work in words; `{figure}` stands for a figure of the run. */
  readonly work: string;
  readonly bounds: readonly Bound[];
}

/** A figure, and the limit it must keep; one without a limit is only shown. */
export interface Bound {
  readonly figure: string;
  readonly of: string;
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly below?: number;
}

const slotsMoved = '{slots} slots, {keys} keys of {valueBytes} B';
const byDefault = { figure: 'ratio', of: '× as fast as redis-cli' };
const cpu = { figure: 'cpuMsPer1000Keys', of: 'ms of processor for 1,000 keys' };
const pipeline100 = { figure: 'ratioPipeline100', of: '× as fast as its `--cluster-pipeline 100`' };

/** All benchmarks in the order of the table. */
export const requirements: Readonly<Record<string, BenchRequirement>> = {
  reshard: {
    work: `${slotsMoved}, loopback, *fast*`,
    bounds: [
      { ...byDefault, atLeast: 3 },
      { ...pipeline100, atLeast: 1.4 },
      { figure: 'longestStallMs', of: 'ms, the longest that another client of the source waited', below: 50 },
      cpu,
    ],
  },
  'reshard-gentle': {
    work: `${slotsMoved}, loopback, *gentle*, which pauses for other clients`,
    bounds: [
      { ...byDefault, atLeast: 1.5 },
      { figure: 'p99Ratio', of: "× another client's p99 beside redis-cli", atMost: 1.5 },
      cpu,
    ],
  },
  'reshard-rtt': {
    work: `${slotsMoved}, {roundTripMs} ms round trip`,
    bounds: [{ ...byDefault, atLeast: 200 }, { ...pipeline100, atLeast: 100 }, cpu],
  },
  'reshard-atomic': {
    work: `${slotsMoved}, loopback, by the newest servers' own slot migration`,
    bounds: [
      { ...byDefault, atLeast: 15 },
      { figure: 'ratioValkeyCliAtomic', of: "× as fast as valkey-cli's atomic flag", atLeast: 0.9 },
      cpu,
    ],
  },
  'reshard-kubernetes': {
    work: `${slotsMoved}, through port-forwards, against redis-cli in the pod`,
    bounds: [{ ...byDefault, atLeast: 2 }, cpu],
  },
  rebalance: {
    work: '3 → 6 masters, {keys} keys of {valueBytes} B, all pairs at once',
    bounds: [{ ...byDefault, atLeast: 2.5 }, cpu],
  },
  check: {
    work: 'check of 6 and of 200 nodes over the connections that a view keeps, the slower ratio',
    bounds: [{ ...byDefault, atLeast: 3 }],
  },
  backup: {
    work: '{keys} keys of five types, 3 masters with replicas, loopback; restored into 3, 4 and 6 masters, the slowest',
    bounds: [
      { figure: 'backupRatio', of: '× as fast as redis-cli backs up', atLeast: 1.5 },
      { figure: 'restoreRatio', of: '× as fast as redis-cli imports', atLeast: 10 },
      { figure: 'p99Ratio', of: "× a client's p99 without a backup", atMost: 1.2 },
      { figure: 'p99OfRediscli', of: '× its p99 while redis-cli backs up' },
      { figure: 'peakMB', of: 'MB more of memory in this process', atMost: 200 },
    ],
  },
  deploy: {
    work: '{pods} pods from nothing to a cluster that is whole, against a StatefulSet that starts them one after another and redis-cli',
    bounds: [
      { figure: 'ratio', of: '× as fast as one after another', atLeast: 10 },
      { figure: 'ours', of: 's' },
      { figure: 'ratioParallel', of: '× as fast as all at once and redis-cli' },
    ],
  },
  agent: {
    work: 'one of {pods} agents of a cluster that is well',
    bounds: [
      { figure: 'ours', of: 'ms of processor a second' },
      { figure: 'rssMb', of: 'MB of memory' },
    ],
  },
};
