/** The key of the Secret whose lines `config.sh` adds to what a pod's server starts with. */
export const operatorUserKey = 'operator-users';

/** The lines with this user's in the place of the one it had. The hash leads to no password. */
export function withUserLine(text: string, user: string, rules: readonly string[], hash: string): string {
  const others = text.split('\n').filter((line) => line !== '' && line.split(' ')[1] !== user);
  return [...others, ['user', user, ...rules, hash].join(' '), ''].join('\n');
}
