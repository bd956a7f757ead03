import type { Finding } from '../model/finding.ts';
import type { ClusterSnapshot } from '../model/snapshot.ts';

/** A rule looks at one snapshot and says what is wrong; it asks nobody and remembers nothing. */
export type Rule = (snapshot: ClusterSnapshot) => readonly Finding[];
