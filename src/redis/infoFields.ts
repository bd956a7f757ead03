/**
 * The fields of INFO and CLUSTER INFO, `<field>:<value>` each on a line. Each is looked for when it is asked for: of
 * some two hundred a dozen matters, and a view that is live asks every node every few seconds.
 */
export interface InfoFields {
  text(field: string): string | undefined;
  /** 0 where there is no such field, or no number in it. */
  number(field: string): number;
  /** The values of `<name>0`, `<name>1` and so on, gaps included. */
  numbered(name: string): readonly string[];
}

export function infoFields(info: string): InfoFields {
  const lines = `\n${info}`;
  const text = (field: string): string | undefined => {
    const mark = `\n${field}:`;
    const found = lines.indexOf(mark);
    if (found === -1) return undefined;
    const start = found + mark.length;
    const end = lines.indexOf('\n', start);
    return lines.slice(start, end === -1 ? lines.length : end).trimEnd();
  };
  return {
    text,
    number: (field) => Number(text(field) ?? 0) || 0,
    numbered: (name) => {
      const first = lines.indexOf(`\n${name}`);
      if (first === -1) return [];
      const found = lines.slice(first).matchAll(new RegExp(`^${name}\\d+:(.*)$`, 'gm'));
      return [...found].map(([, value = '']) => value.trimEnd());
    },
  };
}
