// Takes the pictures of the documents: the product as it is, in a VS Code of its own, with clusters of its own.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestsOf, outdated, readRecord, writeRecord } from './pictures/record.ts';
import { scenes } from './pictures/scenes.ts';
import { openStage } from './pictures/stage.ts';

const root = join(import.meta.dirname, '..');
const args = process.argv.slice(2);

function check(): void {
  const old = outdated(root, readRecord(root));
  for (const { picture, changed } of old)
    console.log(`${picture} shows ${changed.join(', ')}, changed since.`);
  console.log(`${old.length} pictures are out of date.`);
  process.exitCode = old.length > 0 ? 1 : 0;
}

async function take(names: readonly string[]): Promise<void> {
  const wanted = scenes.filter(({ name }) => names.length === 0 || names.includes(name));
  if (wanted.length === 0) {
    console.error(`There are these pictures: ${scenes.map(({ name }) => name).join(', ')}`);
    process.exitCode = 2;
    return;
  }
  // A window on a screen would have the size and the fonts of that screen.
  for (const name of ['DISPLAY', 'WAYLAND_DISPLAY']) Reflect.deleteProperty(process.env, name);
  // Before the first, since sources may change meanwhile, and the extension is built already.
  const digests = wanted.map(({ shows }) => digestsOf(root, shows));
  for (const [index, scene] of wanted.entries()) {
    const started = performance.now();
    const stage = await openStage(root, scene.cluster);
    try {
      for (const [file, png] of Object.entries(await scene.take(stage))) {
        writeFileSync(join(root, 'docs/pictures', file), png);
        writeRecord(root, file, digests[index] ?? {});
        console.log(`docs/pictures/${file}: ${Math.round(png.length / 1024)} KiB`);
      }
    } finally {
      await stage.close();
    }
    console.log(`${scene.name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  }
}

if (args.includes('--check')) check();
else await take(args);
