/** A setting in package.json, as far as it is documented. */
export interface ContributedSetting {
  readonly default: unknown;
  readonly markdownDescription?: string;
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly enumDescriptions?: readonly string[];
}

/** @throws Error naming a setting without description. */
export function settingsDocument(settings: Readonly<Record<string, ContributedSetting>>): string {
  const sections = Object.entries(settings).map(([name, setting]) => section(name, setting));
  return [
    '<!-- Made by `npm run docs` of package.json. -->',
    '# Settings',
    'All settings are under **Redis Cluster** in the Settings editor; _Redis Cluster: Open Settings_ goes there.',
    ...sections,
    '',
  ].join('\n\n');
}

function section(name: string, setting: ContributedSetting): string {
  const text = setting.markdownDescription ?? setting.description;
  if (text === undefined) throw new Error(`package.json does not describe ${name}.`);
  const choices = setting.enum?.map(
    (value, index) => `- \`${JSON.stringify(value)}\`: ${setting.enumDescriptions?.[index] ?? ''}`,
  );
  return [
    `## ${name}`,
    text,
    ...(choices === undefined ? [] : [choices.join('\n')]),
    `Default: \`${JSON.stringify(setting.default)}\``,
  ].join('\n\n');
}
