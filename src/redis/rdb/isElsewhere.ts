/** Whether a server says that it is not, or not any more, the master of a slot that is served. */
export function isElsewhere(reply: string): boolean {
  return /^(?:MOVED|ASK|CLUSTERDOWN|TRYAGAIN|READONLY|LOADING|MASTERDOWN|UNBLOCKED)\b/.test(reply);
}
