import { boundariesOf } from '../support/redis/faultTools.ts';
import { repeatables } from '../support/redis/repeatable.ts';
import { injectToolFaults } from '../support/redis/toolFaults.ts';

const name = 'addShard and removeShard';
injectToolFaults({
  operations: { [name]: repeatables[name] },
  boundaries: (steps, commands) => boundariesOf(steps, commands, 4),
  unreached: 2,
  cuts: 4,
  keys: 10_000,
});
