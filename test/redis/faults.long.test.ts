import { boundariesOf } from './faultTools.ts';
import { repeatables } from './repeatable.ts';
import { injectToolFaults } from './toolFaults.ts';

const { reshard, rebalance, promote, replicate, setConfig } = repeatables;
injectToolFaults({
  operations: { reshard, rebalance, promote, replicate, setConfig },
  boundaries: (steps, commands) => boundariesOf(steps, commands, 6),
  unreached: 2,
  cuts: 6,
  keys: 20_000,
});
