import type { TestClusterOptions } from '../../test/support/startRedisCluster.ts';
import { takeBroken, takeHealthy, takePlan, takeStart } from './stills.ts';
import { takeReshard } from './reshard.ts';
import type { Stage } from './stage.ts';

/** One or more pictures that are taken of one window. */
export interface Scene {
  readonly name: string;
  /** The sandbox of the window; none is running without it. */
  readonly cluster?: TestClusterOptions;
  /** The sources of what is seen, as patterns of paths. */
  readonly shows: readonly string[];
  /** The pictures by their file names. */
  readonly take: (stage: Stage) => Promise<Readonly<Record<string, Buffer>>>;
}

const shape = { masters: 3, replicasPerMaster: 1 };
const tree = ['src/ui/tree/*.ts'];
const slotMap = ['src/ui/panels/slotMap/*.ts', 'media/slotMap/*'];

export const scenes: readonly Scene[] = [
  { name: 'start', shows: ['package.json#contributes.viewsWelcome'], take: takeStart },
  { name: 'healthy', cluster: shape, shows: [...tree, ...slotMap], take: takeHealthy },
  {
    name: 'plan',
    cluster: { ...shape, spares: 2 },
    shows: [...tree, ...slotMap, 'src/ui/run/runPlanned.ts', 'src/operations/rebalance.ts'],
    take: takePlan,
  },
  { name: 'broken', cluster: shape, shows: [...tree, ...slotMap, 'src/checks/*.ts'], take: takeBroken },
  { name: 'reshard', cluster: { ...shape, spares: 2 }, shows: [...tree, ...slotMap], take: takeReshard },
];
