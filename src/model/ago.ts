import { timeText } from './moves.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** When something happened: relative within a day, otherwise with date and zone. */
export function agoText(time: number, now = Date.now()): string {
  const passed = now - time;
  if (passed < 0 || passed >= day) return timeText(time);
  if (passed < minute) return 'less than a minute ago';
  return passed < hour ? `${Math.floor(passed / minute)} min ago` : `${Math.floor(passed / hour)} h ago`;
}
