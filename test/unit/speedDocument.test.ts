import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Load } from '../../bench/support/load.ts';
import type { BenchRecord } from '../../bench/support/record.ts';
import { requirements } from '../../bench/support/requirements.ts';
import { speedDocument } from '../../bench/support/speedDocument.ts';

const load: Load = {
  seconds: 2,
  server: 'Redis 1.2.3',
  serverCpuMs: 2500,
  busiestServerMs: 1800,
  migrateMs: 1200,
  restoreMs: 300,
  ownCpuMs: 700,
  ownThreadMs: 500,
  machineMs: 3000,
  cores: 2,
  pingMs: 0.5,
  requests: 1234,
  longestChain: 400,
};

function recorded(bench: string, figures: Readonly<Record<string, unknown>>): BenchRecord {
  const at = '2001-02-03T04:05:06.000Z';
  return { bench, at, parameters: [], cores: 2, processor: 'a processor', figures };
}

const sizes = { keys: 12_345, slots: 678, valueBytes: 90 };
const reshard = recorded('reshard', {
  ...{ ratio: 3.21, ratioPipeline100: 1.39, longestStallMs: 49.9, cpuMsPer1000Keys: 7, ...sizes },
  limits: { '': load },
});

test('a requirement is met where every figure keeps its limit', () => {
  const met = { ...reshard, figures: { ...reshard.figures, ratioPipeline100: 1.4 } };
  assert.match(
    speedDocument([met]),
    /678 slots, 12,345 keys of 90 B.*\| 3\.21; 1\.4; 49\.9; 7 ms of processor for 1,000 keys \| yes \|/,
  );
  assert.match(
    speedDocument([reshard]),
    /≥ 3 .*; ≥ 1\.4 .*; < 50 ms.*\| 3\.21; 1\.39; 49\.9; .* \| \*\*no\*\* \|/,
  );
});

test('a figure that is not below its limit, or was not measured, does not keep it', () => {
  const base = { ...reshard.figures, ratioPipeline100: 2 };
  const slow = { ...reshard, figures: { ...base, longestStallMs: 50 } };
  assert.match(speedDocument([slow]), /\| 3\.21; 2; 50; .* \| \*\*no\*\* \|/);
  const unknown = { ...reshard, figures: { ...base, longestStallMs: undefined } };
  assert.match(speedDocument([unknown]), /\| 3\.21; 2; –; .* \| \*\*no\*\* \|/);
});

test('the nearest limit is what was busy for the greatest share of the time', () => {
  const text = speedDocument([reshard]);
  assert.match(
    text,
    /\| `reshard` \| Redis 1\.2\.3 \| 2\.00 \| 90 % \| 60 % \| 15 % \| 75 % \| 25 % \| 400 × 0\.5 ms = 10 % \| 1,234 \| server, 90 % \|/,
  );
  const chained = { ...load, busiestServerMs: 100, longestChain: 3800 };
  const far = recorded('reshard-rtt', { limits: { '': chained } });
  assert.match(speedDocument([far]), /\| round trips, 95 % \|/);
});

test('what has no requirement is shown, and what was not run is named', () => {
  const agent = recorded('agent', { ours: 1.5, rssMb: 3.25, pods: 6 });
  const text = speedDocument([agent]);
  assert.match(
    text,
    /\| `agent` \| one of 6 agents .* \|\s+\| 1\.5 ms of processor a second; 3\.25 MB of memory \|\s+\|/,
  );
  assert.match(text, /Measured on 2001-02-03 .* on 2 cores of a processor\./);
  const left = /^Not measured: (.*)\.$/m.exec(text)?.[1] ?? '';
  assert.equal(left.split(', ').length, Object.keys(requirements).length - 1);
});
