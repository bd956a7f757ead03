/**
 * The fields of INFO and CLUSTER INFO, `<field>:<value>` each on a line. Each is looked for when it is asked for: of
 * some two hundred a dozen matters, and a view that is live asks every node every few seconds. Each is looked for
 * behind the one before it first: who asks in the order of INFO has the text read once.
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
  let last = 0;
  const valueAt = (start: number): string => {
    const end = lines.indexOf('\n', start);
    return lines.slice(start, end === -1 ? lines.length : end).trimEnd();
  };
  const text = (field: string): string | undefined => {
    const mark = `\n${field}:`;
    const ahead = lines.indexOf(mark, last);
    const found = ahead === -1 && last > 0 ? lines.indexOf(mark) : ahead;
    if (found === -1) return undefined;
    last = found;
    return valueAt(found + mark.length);
  };
  return {
    text,
    number: (field) => Number(text(field) ?? 0) || 0,
    numbered: (name) => {
      const mark = `\n${name}`;
      const values: string[] = [];
      for (let at = lines.indexOf(mark); at !== -1; at = lines.indexOf(mark, at + 1)) {
        // A number has few digits: a text that never has a colon is not searched again and again.
        const [digits] = /^\d{1,10}(?=:)/.exec(lines.slice(at + mark.length, at + mark.length + 11)) ?? [];
        if (digits !== undefined) values.push(valueAt(at + mark.length + digits.length + 1));
      }
      return values;
    },
  };
}
