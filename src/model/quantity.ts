/** How many of something, such as `1 slot` or `16,384 slots`: the only place where a plural is built. */
export function quantity(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}
