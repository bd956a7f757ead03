// Writes the documents that are made of package.json and docs/commands.yaml, and the schema that is made of the steps.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { madeDocuments } from './documents/madeDocuments.ts';

const root = join(import.meta.dirname, '..');
for (const [file, text] of Object.entries(await madeDocuments(root))) {
  writeFileSync(join(root, file), text);
  console.log(`Wrote ${file}.`);
}
