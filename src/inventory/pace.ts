/**
 * How often servers and APIs are asked: the only place with poll rates. Changes that the Kubernetes API reports come
 * by watch at once; these rates are for what only the servers know.
 */
export const pace = {
  /** Between two readings of a cluster somebody looks at; with the reading itself a change is seen within 2 s. */
  readEveryMs: 1_000,
  /** One node may take this long before its round is shown without it; its answer then counts in a later round. */
  roundLimitMs: 900,
  /** As long, where somebody waits for the answer or the node has never been asked: two attempts of one node. */
  patientLimitMs: 6_500,
  /** A node that has not answered after this is unreachable. */
  nodeLimitMs: 3_000,
  /** First wait before an unreachable node is dialled again; doubled up to the second. */
  retryFirstMs: 500,
  retryMostMs: 8_000,
  /** Pods are listed again after this even where the watch saw nothing, since a watch can be silently dead. */
  discoverEveryMs: 30_000,
  /** How long an API that failed is left alone. */
  apiRetryMs: 5_000,
  /** How long a Secret that was read is not read again: what it takes to open all connections of a cluster. */
  secretKeptMs: 3_000,
  /** How long a server that shows nothing is not asked again what it demands: its configuration may change. */
  demandsKeptMs: 60_000,
  /** Between two readings of the Leases that say which operations colleagues run. */
  leasesEveryMs: 2_000,
  /** How long an operation that has ended still explains that nodes differ: gossip reaches replicas within this. */
  settlesMs: 5_000,
  /** How long a right that was denied is not asked for again. */
  rightsKeptMs: 300_000,
  /** How long reading goes on after the last view that needed it is gone. */
  lingerMs: 10_000,
} as const;
