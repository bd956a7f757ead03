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
  const text = (field: string): string | undefined => {
    const mark = `\n${field}:`;
    const found = info.startsWith(mark.slice(1)) ? -1 : info.indexOf(mark);
    if (found === -1 && !info.startsWith(mark.slice(1))) return undefined;
    const start = found + mark.length;
    const end = info.indexOf('\n', start);
    return info.slice(start, end === -1 ? info.length : end).trimEnd();
  };
  return {
    text,
    number: (field) => Number(text(field) ?? 0) || 0,
    numbered: (name) => {
      const first = info.indexOf(`\n${name}`);
      if (first === -1) return [];
      const lines = info.slice(first).matchAll(new RegExp(`^${name}\\d+:(.*)$`, 'gm'));
      return [...lines].map(([, value = '']) => value.trimEnd());
    },
  };
}
