import { test } from 'node:test';
import { moveBigKeySlowly } from '../support/redis/bigKeyCase.ts';

test(
  'a hash that slow servers cannot move in time stays, alone, and no replica takes over',
  { timeout: 60_000 },
  () => moveBigKeySlowly({ big: 300_000, small: 5000, nodeTimeoutMs: 1500, runMs: 4, stopMs: 8 }),
);
