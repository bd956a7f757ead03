import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { parse } from 'yaml';
import { commandsDocument, type CommandTexts, type ContributedCommand } from './commandsDocument.ts';
import { planSchema } from './planSchema.ts';
import { settingsDocument, type ContributedSetting } from './settingsDocument.ts';

interface Manifest {
  readonly contributes: {
    readonly commands: readonly ContributedCommand[];
    readonly configuration: { readonly properties: Readonly<Record<string, ContributedSetting>> };
  };
}

/**
 * The text of each document that is made of others, by its path.
 * @throws Error naming the commands that package.json and docs/commands.yaml do not share.
 */
export async function madeDocuments(root: string): Promise<Readonly<Record<string, string>>> {
  const read = (file: string): string => readFileSync(join(root, file), 'utf8');
  const { contributes } = JSON.parse(read('package.json')) as Manifest;
  const texts = parse(read('docs/commands.yaml')) as CommandTexts;
  const options = { ...(await resolveConfig(join(root, 'README.md'))), parser: 'markdown' };
  return {
    'docs/commands.md': await format(commandsDocument(contributes.commands, texts), options),
    'docs/settings.md': await format(settingsDocument(contributes.configuration.properties), options),
    'resources/redisplan.schema.json': await format(JSON.stringify(planSchema()), {
      ...options,
      parser: 'json',
    }),
  };
}
