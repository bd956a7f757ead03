import assert from 'node:assert/strict';
import { test } from 'node:test';
import { userTexts } from '../../scripts/texts.ts';

/** What users never read, and what they read instead: one term for one thing, and no riddles. */
const terms: readonly (readonly [RegExp, string])[] = [
  [/\banew\b/i, 'again, recreated'],
  [/\b(go|goes|gone|going) on (where|by itself|with|from)\b/i, 'resume, continue'],
  [/\bput (this |it |them )?right\b|\bmend(s|ed)?\b/i, 'fix, repair'],
  [/\b(is|are|was|not every node is) not well\b|\bis well\b/i, 'healthy, unhealthy'],
  [
    /\bnobody (runs|serves|replicates|knows)\b|\bstrangers?\b/i,
    'unknown node, no master serves, no replicas',
  ],
  [/\bheirs?\b/i, 'failover candidate'],
  [/\bhand(s|ed|ing)? (it|its slots|the slots|its master|\{\}) over\b/i, 'fail over'],
  [/\bfallen apart\b|\bof one mind\b/i, 'split, same view'],
  [/\bin step\b/i, 'in sync'],
  [/\bon your word\b|\bsays? that (they|it) (is|are) dead\b/i, 'after you confirm it'],
  [/\bin touch\b/i, 'connected'],
  [/\bhas to bear\b/i, 'must contain'],
  [/\bif it stays\b|\bstanding back\b/i, 'if this persists, waiting'],
  [/\bcosts? what\b|\bwhat is done stays\b/i, 'incurs storage cost, completed steps are kept'],
  [/\bfault of its own\b|\bmet a fault\b/i, 'failed unexpectedly'],
  [/\bshall\b|\bwere asked for\b/i, 'should, were requested'],
  [/^(Which|What|How many|From which|To which)\b.*\?$/, 'Select …, Enter …'],
  [/[A-Za-z] …$/, 'an ellipsis without a blank before it'],
  [/[\d}] %/, 'a percent sign without a blank before it'],
];

test('users read the terms of the field, always the same', () => {
  const texts = [...userTexts()].flatMap(([file, found]) => found.map((text) => ({ file, ...text })));
  assert.ok(texts.length > 1500, `${texts.length} texts`);
  const wrong = texts.flatMap(({ file, line, text }) =>
    terms.flatMap(([term, better]) =>
      term.test(text.replaceAll(/\{[^{}]*\}/g, '{}'))
        ? [`${file}:${line}: “${text}” – write: ${better}`]
        : [],
    ),
  );
  assert.deepEqual(wrong, []);
});
