import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Probe } from '../../../src/redis/moveSlots/probe.ts';
import { tempoFor, type Tempo, type TempoOptions } from '../../../src/redis/moveSlots/tempo.ts';

function probeWith(figures: { excess: number; usual?: number; roundTrip?: number }): Probe {
  return {
    excessMs: () => figures.excess,
    usualMs: () => figures.usual ?? 0,
    roundTripMs: () => figures.roundTrip ?? 0.1,
    longestMs: () => 0,
    stop: () => undefined,
  };
}

const usual = { sharing: () => 1, roundTripMs: 0.2, patienceMs: 3000 };
const gentle = (probe: Probe): TempoOptions => ({ ...usual, pace: 'gentle', probe });
const fast: TempoOptions = { ...usual, pace: 'fast', probe: undefined };

/** What a gentle move does after so many looks at the probe. */
async function after(looks: number, now: () => Tempo): Promise<Tempo> {
  for (let look = 0; look < looks; look++) {
    now();
    await sleep(65);
  }
  return now();
}

test('a gentle move slows down while others wait, and only so far', async () => {
  const [slow, usually] = [30, 0.1].map((excess) => tempoFor(gentle(probeWith({ excess }))).now);
  assert.ok(slow !== undefined && usually !== undefined);
  const { keysPerMigrate, inFlight } = await after(6, slow);
  assert.ok(keysPerMigrate < usually().keysPerMigrate && keysPerMigrate >= 16, `${keysPerMigrate} keys`);
  assert.equal(inFlight, 1);
});

test('a gentle move sends one MIGRATE at a time to a near server, and hides the way to a far one', async () => {
  const near = tempoFor(gentle(probeWith({ excess: 0.1 })));
  const far = tempoFor(gentle(probeWith({ excess: 0.1, roundTrip: 20 })));
  const [ofNear, ofFar] = await Promise.all([after(12, near.now), after(12, far.now)]);
  assert.equal(ofNear.inFlight, 1);
  assert.ok(ofFar.inFlight > 12, `${ofFar.inFlight} in flight`);
});

test('what was usual before the move does not slow it down', async () => {
  const { now } = tempoFor(gentle(probeWith({ excess: 9, usual: 8 })));
  const before = now();
  assert.ok((await after(3, now)).keysPerMigrate >= before.keysPerMigrate);
});

test('fast moves from one source share what may be under way there', () => {
  let sharing = 1;
  const { now } = tempoFor({ ...fast, roundTripMs: 2, sharing: () => sharing });
  const alone = now().inFlight;
  sharing = 3;
  assert.ok(now().inFlight < alone && now().inFlight >= 2);
  assert.equal(tempoFor(fast).now().inFlight, 2);
});

test('a fast move hides the way to a far server, as far as the source may stand still', () => {
  assert.ok(tempoFor({ ...fast, roundTripMs: 20 }).now().inFlight > 40);
  assert.ok(tempoFor({ ...fast, roundTripMs: 20, patienceMs: 1200 }).now().inFlight * 50 <= 1200);
});
