import { boundariesOf } from './faultTools.ts';
import { repeatables } from './repeatable.ts';
import { injectToolFaults } from './toolFaults.ts';

const name = 'addShard and removeShard';
injectToolFaults({
  operations: { [name]: repeatables[name] },
  boundaries: (steps, commands) => boundariesOf(steps, commands, 4),
  unreached: 2,
  cuts: 4,
  keys: 10_000,
});
