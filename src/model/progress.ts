/** How far a running operation is; `done` and `total` count what `unit` says. */
export interface Progress {
  readonly text: string;
  readonly done?: number;
  readonly total?: number;
  readonly unit?: string;
  /** Why nothing goes on at present, as a sentence; absent while it does. */
  readonly paused?: string;
}

/** How much of it is done, such as `1,200 of 5,461 slots`; nothing where that is not counted. */
export function countText({ done = 0, total, unit }: Progress): readonly string[] {
  if (total === undefined) return [];
  const numbers = `${done.toLocaleString('en-US')} of ${total.toLocaleString('en-US')}`;
  return [unit === undefined ? numbers : `${numbers} ${unit}`];
}

export type Report = (progress: Progress) => void;
