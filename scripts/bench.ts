// npm run bench -- all [name…]: runs the benchmarks one after another, or those that are named, at their default
// parameters, and writes docs/speed.md from the last such run of each.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import { lastRecords } from '../bench/support/record.ts';
import { requirements } from '../bench/support/requirements.ts';
import { speedDocument } from '../bench/support/speedDocument.ts';

const root = join(import.meta.dirname, '..');
const named = process.argv.slice(2);
const failed: string[] = [];
for (const name of named.length > 0 ? named : Object.keys(requirements)) {
  console.log(`\n▶ ${name}`);
  const child = spawn(process.execPath, [join('bench', `${name}.ts`)], { cwd: root, stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) failed.push(name);
}
const text = await format(speedDocument(lastRecords()), { parser: 'markdown' });
writeFileSync(join(root, 'docs/speed.md'), text);
console.log(`\nWrote docs/speed.md.${failed.length === 0 ? '' : ` Failed: ${failed.join(', ')}.`}`);
process.exitCode = failed.length === 0 ? 0 : 1;
