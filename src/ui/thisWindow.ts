import { hostname, userInfo } from 'node:os';

/** Who runs an operation, as a colleague would recognise it; the process tells two windows of one user apart. */
export function thisWindow(): string {
  return `${userName()} on ${hostname()} (process ${process.pid})`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown user';
  }
}
