import { test } from 'node:test';
import { moveBigKeySlowly } from '../support/redis/bigKeyCase.ts';

for (const [runMs, stopMs] of [
  [5, 5],
  [2, 10],
] as const) {
  test(
    `a hash of 800,000 fields on servers that run ${runMs} of ${runMs + stopMs} ms`,
    { timeout: 180_000 },
    () => moveBigKeySlowly({ big: 800_000, small: 20_000, nodeTimeoutMs: 2000, runMs, stopMs }),
  );
}
