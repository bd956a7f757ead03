import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

const root = join(import.meta.dirname, '..', '..', '..');

interface Manifest {
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly views: { readonly redisCluster: readonly { readonly id: string }[] };
    readonly viewsWelcome: readonly { readonly when?: string; readonly contents: string }[];
    readonly walkthroughs: readonly {
      readonly steps: readonly {
        readonly id: string;
        readonly description: string;
        readonly media: { readonly svg: string; readonly altText: string };
        readonly completionEvents: readonly string[];
      }[];
    }[];
  };
}
const { contributes } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
const steps = contributes.walkthroughs.flatMap((walkthrough) => walkthrough.steps);
const ofEditor = ['workbench.action.openWalkthrough', 'redisCluster.clusters.focus'];
const commands = new Set([...contributes.commands.map(({ command }) => command), ...ofEditor]);

/** The commands that a text's links and buttons run, with their arguments. */
function commandsIn(text: string): readonly { readonly command: string; readonly argument: unknown }[] {
  return [...text.matchAll(/\]\(command:(?:toSide:)?([\w.]+)(?:\?([^)]*))?\)/g)].map(
    ([, command, query]) => ({
      command: command ?? '',
      argument: query === undefined ? undefined : (JSON.parse(decodeURIComponent(query)) as unknown),
    }),
  );
}

describe('the walkthrough', () => {
  test('has five steps, each with a button, and is done by doing', () => {
    assert.deepEqual(
      steps.map(({ id }) => id),
      ['sandbox', 'map', 'reshard', 'check', 'connect'],
    );
    for (const { id, description, completionEvents } of steps) {
      const used = commandsIn(description);
      assert.ok(used.length > 0, id);
      for (const { command } of used) assert.ok(commands.has(command), `${id}: ${command}`);
      // A command that was started and refused must not complete a step.
      for (const event of completionEvents) assert.match(event, /^onContext:redisCluster\.(did\.)?\w+$/, id);
    }
  });

  test('acts on the sandbox without a question', () => {
    for (const { id, description } of steps.filter(({ id }) => id === 'map' || id === 'check')) {
      assert.deepEqual(commandsIn(description)[0]?.argument, { cluster: 'sandbox' }, id);
    }
  });

  test('its pictures are there, small, described, and have the colors of the theme only', () => {
    for (const { media } of steps) {
      assert.ok(existsSync(join(root, media.svg)), media.svg);
      const svg = readFileSync(join(root, media.svg), 'utf8');
      assert.ok(svg.length < 12_000, `${media.svg}: ${svg.length} bytes`);
      assert.doesNotMatch(svg, /#[0-9a-f]{3,8}\b|rgb/i, media.svg);
      assert.ok(media.altText.length > 20);
    }
  });
});

test('every welcome text has exactly one button, whose command exists', () => {
  for (const { contents, when = '' } of contributes.viewsWelcome) {
    const buttons = contents.split('\n').filter((line) => /^\[[^\]]+\]\(command:[^)]+\)$/.test(line));
    assert.equal(buttons.length, 1, `${when}: ${contents}`);
    for (const { command } of commandsIn(contents)) assert.ok(commands.has(command), command);
  }
});

test('every state in which no cluster is listed has a text', () => {
  const source = readFileSync(join(root, 'src/ui/welcome.ts'), 'utf8');
  const union = /export type WelcomeState =([^;]+);/.exec(source)?.[1] ?? '';
  const states = [...union.matchAll(/'(\w+)'/g)].map(([, state]) => `redisCluster.welcome == ${state ?? ''}`);
  const texts = contributes.viewsWelcome.flatMap(({ when }) => when ?? []);
  assert.deepEqual(texts.sort(), states.sort());
});
