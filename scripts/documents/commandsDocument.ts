/** A command in package.json. */
export interface ContributedCommand {
  readonly command: string;
  readonly title: string;
}

/** Descriptions by name; those without a text are described once for all commands. */
type Described = Readonly<Record<string, string | null>>;

interface CommandText {
  readonly does: string;
  readonly arguments?: Described;
  readonly returns?: Described;
}

/** docs/commands.yaml. */
export interface CommandTexts {
  readonly introduction: string;
  readonly common: Readonly<Record<string, string>>;
  readonly results: Readonly<Record<string, string>>;
  readonly groups: readonly {
    readonly title: string;
    readonly note?: string;
    readonly commands: Readonly<Record<string, CommandText>>;
  }[];
}

const prefix = 'redisCluster.';

/** @throws Error naming a command that is contributed and not described, or the other way round, and a name without description. */
export function commandsDocument(contributed: readonly ContributedCommand[], texts: CommandTexts): string {
  const titles = new Map(contributed.map(({ command, title }) => [command.replace(prefix, ''), title]));
  const described = texts.groups.flatMap(({ commands }) => Object.keys(commands));
  const missing = [...titles.keys()].filter((id) => !described.includes(id));
  if (missing.length > 0) throw new Error(`Not in docs/commands.yaml: ${missing.join(', ')}`);
  const sections = texts.groups.map(({ title, note, commands }) => [
    `## ${title}`,
    ...(note === undefined ? [] : [note]),
    ...Object.entries(commands).map(([id, text]) => section(id, titleOf(titles, id), text, texts)),
  ]);
  return [
    '<!-- Made by `npm run docs` of package.json and docs/commands.yaml. -->',
    '# Commands',
    texts.introduction,
    table('argument', Object.entries(texts.common)),
    ...sections.flat(),
    '',
  ].join('\n\n');
}

function titleOf(titles: ReadonlyMap<string, string>, id: string): string {
  const title = titles.get(id);
  if (title === undefined)
    throw new Error(`docs/commands.yaml describes ${id}, which package.json does not have.`);
  return title;
}

function section(id: string, title: string, text: CommandText, { common, results }: CommandTexts): string {
  return [
    `### ${title}`,
    `\`${prefix}${id}\``,
    text.does,
    ...(text.arguments === undefined ? [] : [argumentsText(id, text.arguments, common)]),
    ...(text.returns === undefined ? [] : [table('result', entriesOf(id, text.returns, results))]),
  ].join('\n\n');
}

/** Arguments that are the same everywhere are named only. */
function argumentsText(id: string, described: Described, common: Readonly<Record<string, string>>): string {
  const own = Object.entries(described).filter(([, text]) => text !== null);
  const shared = Object.keys(described).filter((name) => described[name] === null);
  for (const name of shared) {
    if (!(name in common)) throw new Error(`docs/commands.yaml does not describe ${name} of ${id}.`);
  }
  const links = shared.map((name) => `\`${name}\``).join(', ');
  const also = own.length === 0 ? 'Arguments' : 'Also';
  return [
    ...(own.length === 0 ? [] : [table('argument', entriesOf(id, Object.fromEntries(own), common))]),
    ...(shared.length === 0 ? [] : [`${also}: ${links}.`]),
  ].join('\n\n');
}

function entriesOf(
  id: string,
  described: Described,
  shared: Readonly<Record<string, string>>,
): readonly (readonly [string, string])[] {
  return Object.entries(described).map(([name, text]) => {
    const found = text ?? shared[name];
    if (found === undefined) throw new Error(`docs/commands.yaml does not describe ${name} of ${id}.`);
    return [name, found];
  });
}

function table(what: string, entries: readonly (readonly [string, string])[]): string {
  const rows = entries.map(([name, text]) => `| ${codes(name)} | ${text.replaceAll('|', '\\|').trim()} |`);
  return [`| ${what} | meaning |`, '| --- | --- |', ...rows].join('\n');
}

/** `a, b` as two names. */
function codes(names: string): string {
  return names
    .split(', ')
    .map((name) => (name === '…' ? name : `\`${name}\``))
    .join(', ');
}
