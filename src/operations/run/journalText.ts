/** One line of a journal. */
export interface Entry {
  readonly at: number;
  readonly plan?: unknown;
  readonly begun?: number;
  readonly ended?: number;
  readonly how?: string;
  readonly outcome?: string;
  readonly message?: string;
}

/** A journal as people read it. */
export function journalText(
  title: string,
  steps: readonly { readonly text: string }[],
  entries: readonly Entry[],
): string {
  const time = (at: number): string => new Date(at).toISOString().replace('T', ' ').slice(0, 19);
  const lines = entries.flatMap(({ at, plan, begun, ended, how, outcome, message }) => {
    if (plan !== undefined) return [`${time(at)}  begun`];
    if (outcome !== undefined) return [`${time(at)}  ${outcome}: ${message ?? ''}`];
    if (begun !== undefined) return [`${time(at)}  step ${begun + 1} started: ${steps[begun]?.text ?? ''}`];
    return ended === undefined ? [] : [`${time(at)}  step ${ended + 1} ${how ?? 'ended'}`];
  });
  const last = entries.at(-1);
  const silent = last === undefined || last.outcome !== undefined ? [] : [`${time(last.at)}  last entry`];
  const plan = steps.map(({ text }, index) => `${index + 1}. ${text}`);
  return [title, 'Times are UTC.', '', ...plan, '', ...lines, ...silent, ''].join('\n');
}
