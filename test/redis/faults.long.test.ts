import { boundariesOf } from '../support/redis/faultTools.ts';
import { repeatables } from '../support/redis/repeatable.ts';
import { injectToolFaults } from '../support/redis/toolFaults.ts';

const { reshard, rebalance, promote, replicate, setConfig } = repeatables;
injectToolFaults({
  operations: { reshard, rebalance, promote, replicate, setConfig },
  boundaries: (steps, commands) => boundariesOf(steps, commands, 6),
  unreached: 2,
  cuts: 6,
  keys: 20_000,
});
