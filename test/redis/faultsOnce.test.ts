import { repeatables } from '../support/redis/repeatable.ts';
import { injectToolFaults } from '../support/redis/toolFaults.ts';

const { reshard, rebalance, promote, replicate, setConfig, forget, fix } = repeatables;
const { 'heal, nodes apart': apart, 'heal, a move half done': halfDone } = repeatables;

// Killed once and cut off once in the middle of each operation; every boundary is the long tests' work, and shards' that
// of shards.test.ts.
injectToolFaults({
  operations: {
    ...{ reshard, rebalance, promote, replicate, setConfig, forget, fix },
    ...{ 'heal, nodes apart': apart, 'heal, a move half done': halfDone },
  },
  boundaries: (_, commands) => [{ command: Math.ceil(commands / 2) }],
  unreached: 0,
  cuts: 1,
  keys: 5000,
});
