import { repeatables } from './repeatable.ts';
import { injectToolFaults } from './toolFaults.ts';

// One fault in the middle of each operation; every boundary is the long tests' work, and shards' that of shards.test.ts.
const { 'addShard and removeShard': _, ...operations } = repeatables;
injectToolFaults({
  operations,
  boundaries: (_steps, commands) => [{ command: Math.ceil(commands / 2) }],
  unreached: 0,
  cuts: 0,
  keys: 5000,
});
